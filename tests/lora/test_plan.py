"""The plan counts weights as the library does; what is watched is what was taken."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM

from helpers.lora import METHODS, add_lora_, lora_parameters, memory_parts, read_shape, watch_peak
from helpers.models import fetch
from tests.tiny_models import llama


@pytest.mark.parametrize("tied", [True, False])
def test_weights_are_counted_as_the_library_has_them(tmp_path, tied):
    llama(tmp_path, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=tied)
    model, shape = AutoModelForCausalLM.from_pretrained(tmp_path), read_shape(tmp_path)
    assert shape.n_linear + shape.n_rest == sum(parameter.numel() for parameter in model.parameters())
    add_lora_(model, rank=4, alpha=8)
    assert shape.n_adapter(4) == sum(parameter.numel() for parameter in lora_parameters(model))


def test_a_known_name_a_folder_and_a_configuration_say_the_same():
    folder = fetch("chat")
    assert read_shape(folder) == read_shape("HuggingFaceTB/SmolLM2-135M")
    assert read_shape(AutoModelForCausalLM.from_pretrained(folder).config.to_dict()) == read_shape(folder)


def test_16_bytes_a_trained_weight_2_a_frozen_one_and_4_and_a_half_bits_a_code():
    shape = read_shape("meta-llama/Llama-3.1-8B")
    full, lora, qlora = (memory_parts(shape, method, 1, 1024) for method in METHODS)
    n = 8_030_261_248
    assert full["trained weights"] + full["gradients"] + full["optimizer"] == 16 * n and not full["frozen weights"]
    assert lora["frozen weights"] == 2 * n
    assert lora["frozen weights"] - qlora["frozen weights"] == shape.n_linear * (2 - 4.5 / 8)
    assert all(lora[part] == qlora[part] for part in lora if part != "frozen weights")
    twice = memory_parts(shape, "qlora", 2, 1024)
    grown = {part for part in twice if twice[part] != qlora[part]}
    assert grown == {"activations", "logits and loss"} and twice["activations"] == 2 * qlora["activations"]


@pytest.mark.parametrize(
    "model, said", [("Qwen/Qwen9", "none of .*Qwen/Qwen3-8B"), ({"model_type": "bert"}, "of the type 'bert'")]
)
def test_other_models_are_refused_in_one_sentence(model, said):
    with pytest.raises(ValueError, match=said):
        read_shape(model)


def test_the_peak_is_seen_although_the_memory_was_given_back():
    with watch_peak() as peak:
        large = torch.ones(30_000_000)
        large = large.sum()
    assert 110e6 < peak.above_start < 180e6
