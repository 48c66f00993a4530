"""Measuring speed: turns are fair, bytes and operations are what arithmetic says, timers time what they name."""

from __future__ import annotations

import pytest
import torch

from helpers.fast_llama import FastLlama
from helpers.memory import ARCHITECTURES
from helpers.models import fetch
from helpers.quantization import quantize_
from helpers.speed import (
    arithmetic_peak,
    bytes_per_token,
    memory_bandwidth,
    model_bytes,
    operations_per_token,
    pass_seconds,
    prefill_and_decode,
    race,
)
from tests.test_transformer import small_llama
from tests.tiny_models import tokens


def test_runs_take_turns_and_every_second_round_goes_backwards():
    order = []
    seconds = race({name: lambda name=name: order.append(name) for name in "abc"}, rounds=3)
    assert "".join(order) == "abc" + "abc" + "cba" + "abc"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3, "c": 3}
    assert all(t >= 0 for times in seconds.values() for t in times)


def test_a_tied_matrix_is_read_once_and_an_untied_embedding_one_row_of_it():
    tied, untied = small_llama(tied=True), small_llama(tied=False)
    parameters = sum(p.nbytes for p in tied.parameters())
    assert bytes_per_token(tied) == model_bytes(tied) == parameters
    assert bytes_per_token(untied) == parameters + 32 * 4  # one row of 32 numbers
    assert model_bytes(untied) == parameters + 61 * 32 * 4
    assert bytes_per_token(small_llama(tied=True).bfloat16()) == parameters / 2


def test_quantized_weights_are_read_as_codes_and_scales():
    model = quantize_(small_llama(tied=True), bits=8)
    linear = [m for name, m in model.named_modules() if name.endswith(("_proj", "head"))]
    norms = sum(p.nbytes for name, p in model.named_parameters() if "norm" in name)
    codes = sum(m.in_features * m.out_features + 2 * m.out_features for m in linear)
    assert bytes_per_token(model) == codes + norms + 32 * 4
    assert operations_per_token(model) == operations_per_token(small_llama())


def test_the_chat_models_figures_are_those_of_its_architecture():
    shape = ARCHITECTURES["SmolLM2-135M"]
    model = FastLlama.from_pretrained(fetch("chat"), torch.bfloat16)
    weights = shape.linear_parameters + shape.vocab * shape.d_model
    assert operations_per_token(model) == 2 * weights
    assert 2 * weights < bytes_per_token(model) < 2.01 * weights  # bfloat16, and norms in float32
    quantize_(model, 4, skip="head")
    quantize_(model, 8)
    expected = shape.linear_parameters * (0.5 + 4 / 32) + shape.vocab * (shape.d_model + 2)
    assert expected < bytes_per_token(model) < 1.01 * expected


def test_prefill_and_decode_are_timed_apart():
    model = small_llama()
    read, written = prefill_and_decode(model, tokens(2, 8), 5)
    assert read > 0 and written > 0
    asked = []
    forward = model.forward
    model.forward = lambda ids, *args, **options: (asked.append(tuple(ids.shape)), forward(ids, *args, **options))[1]
    prefill_and_decode(model, tokens(2, 8), 3)
    assert asked == [(2, 8), (2, 1), (2, 1), (2, 1)]
    assert pass_seconds(model, rows=3, batch=2, context=10) > 0
    assert set(asked[4:]) == {(2, 3)}


def test_bounds_are_of_a_computers_order():
    assert 1e8 < memory_bandwidth(megabytes=64, rounds=2) < 1e13
    assert 1e8 < arithmetic_peak(size=256, rounds=2) < 1e15
    with pytest.raises(ValueError, match="16 MB may fit into a cache"):
        memory_bandwidth(megabytes=16)
