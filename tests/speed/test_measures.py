"""Measuring speed: turns are fair, bytes and operations are what arithmetic says, timers time what they name."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoTokenizer

from helpers.generation import generate
from helpers.models import chat_model, fetch
from helpers.old.quantization import quantize_
from helpers.old.speed import (
    FastLlama,
    arithmetic_peak,
    bytes_per_token,
    llama_cpp,
    measures,
    memory_bandwidth,
    pass_seconds,
    race,
    where_time_goes,
)
from helpers.old.trials.ladder import copying_prompt, library, make, on_the_same_tensors
from helpers.transformer import Llama
from tests.transformer.test_transformer import small_llama


def test_runs_take_turns_and_every_second_round_goes_backwards():
    order = []
    seconds = race({name: lambda name=name: order.append(name) for name in "abc"}, rounds=3)
    assert "".join(order) == "abc" + "abc" + "cba" + "abc"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3, "c": 3}
    assert all(t >= 0 for times in seconds.values() for t in times)


def test_a_tied_matrix_is_read_once_and_an_untied_embedding_one_row_of_it():
    tied, untied = small_llama(tied=True), small_llama(tied=False)
    parameters = sum(p.nbytes for p in tied.parameters())
    assert bytes_per_token(tied) == parameters
    assert bytes_per_token(untied) == parameters + 32 * 4  # one row of 32 numbers
    assert bytes_per_token(small_llama(tied=True).bfloat16()) == parameters / 2


@pytest.mark.parametrize("make", [small_llama, lambda: FastLlama(small_llama()), lambda: quantize_(small_llama(), 8)])
def test_a_tokens_time_is_shared_out_over_products_attention_and_the_rest(make):
    spent = where_time_goes(make(), context=8, steps=2)
    assert list(spent) == ["matrix products", "attention", "everything else"]
    assert spent["matrix products"] > 0 and spent["attention"] > 0 and sum(spent.values()) > 0
    assert where_time_goes(make(), context=8, steps=1, batch=2)["matrix products"] > 0


def test_the_rest_is_what_an_undisturbed_token_takes_longer_and_is_not_clamped(monkeypatch):
    monkeypatch.setattr(measures, "_timed", lambda run: (run(), 0.0)[1])
    spent = where_time_goes(small_llama(), context=8, steps=2)
    assert spent["everything else"] == -spent["matrix products"] - spent["attention"] < 0


@pytest.mark.parametrize("kind", [lambda model: model, FastLlama], ids=["Llama", "FastLlama"])
def test_a_pass_runs_on_the_models_own_device_and_waits_for_it(kind, monkeypatch):
    for module in ("llama", "fast_llama"):  # it looks at numbers, and this device has shapes only
        monkeypatch.setattr(f"helpers.{'transformer' if module == 'llama' else 'old.speed'}.{module}.require_ids", print)
    waited, met = [], []
    monkeypatch.setattr(measures, "_wait_for", waited.append)
    model = kind(small_llama().to("meta"))
    assert {tensor.device.type for tensor in [*model.parameters(), *model.buffers()]} == {"meta"}
    model.register_forward_pre_hook(lambda _, args: met.append((args[0].device.type, args[1].keys.device.type)))
    assert pass_seconds(model, 1, batch=2, context=4, rounds=2) > 0
    assert met == 3 * [("meta", "meta")]  # ids and cache
    assert waited == 6 * [torch.device("meta")]  # before and after each of three passes


def test_a_clock_waits_for_a_gpu_alone(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    for name in ("cpu", "cuda"):
        measures._wait_for(torch.device(name))
    assert waited == [torch.device("cuda")]


def test_bounds_are_of_a_computers_order():
    assert 1e8 < memory_bandwidth(megabytes=64, rounds=2) < 1e13
    assert 1e8 < arithmetic_peak(size=256, rounds=2) < 1e15
    with pytest.raises(ValueError, match="16 MB may fit into a cache"):
        memory_bandwidth(megabytes=16)


# The ladder ----------------------------------------------------------------------------------------------------------


def test_the_course_s_llama_runs_on_the_library_s_own_tensors():
    theirs, _ = chat_model(torch.float32)
    ours, ids = on_the_same_tensors(theirs), torch.tensor([[504, 3575, 282, 4649, 314]])
    assert ours.embedding.weight is theirs.get_input_embeddings().weight is ours.head.weight
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-3, rtol=1e-4)  # float32, thirty layers
    written = library(theirs)(ids, 4)
    assert written.shape == (1, 9) and torch.equal(written[:, :5], ids)


@pytest.mark.parametrize("rung", ["no cache", "growing cache", "cache in place", "fewer operations"])
def test_float32_rungs_write_the_same_tokens(rung):
    ids = torch.tensor([[504, 3575, 282, 4649, 314]])
    expected = generate(Llama.from_pretrained(fetch("chat")), ids, 4, ignore_eos=True)
    assert torch.equal(make(rung)(ids, 4), expected)


def test_prompt_lookup_writes_what_stands_in_the_prompt():
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    ids = tokenizer(copying_prompt(), return_tensors="pt")["input_ids"]
    result = make("prompt lookup")(ids, 30)
    assert result.acceptance > 0.9 and tokenizer.decode(result.ids[0, -25:]) in copying_prompt()


def test_unknown_rungs_are_refused_and_llama_cpp_says_how_to_install_it(monkeypatch):
    with pytest.raises(ValueError, match="There is no rung 'int2': choose one of library, no cache"):
        make("int2")
    monkeypatch.setattr(llama_cpp, "installed", lambda: False)
    with pytest.raises(ImportError, match=r"pip install -e \"\.\[llamacpp\]\""):
        make("llama.cpp")
