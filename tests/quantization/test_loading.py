"""Loading in 4 bits: what works, and one clear sentence where it does not."""

from __future__ import annotations

import sys

import pytest
import torch

from helpers.old.quantization import FourBitUnavailable, load_4bit, require_4bit
from tests import tiny_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiny")
    tiny_models.llama(path)
    return path


def test_every_matrix_but_the_head_is_in_nf4_with_double_quantization(folder):
    from bitsandbytes.nn import Linear4bit

    layers = [m for m in load_4bit(folder).modules() if isinstance(m, torch.nn.Linear)]
    packed = [layer for layer in layers if isinstance(layer, Linear4bit)]
    assert len(packed) == len(layers) - 1
    assert {(layer.weight.quant_state.quant_type, layer.weight.quant_state.nested) for layer in packed} == {
        ("nf4", True)
    }


def test_a_missing_bitsandbytes_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    with pytest.raises(FourBitUnavailable, match=r"does not work on cpu here \(.*\): install a build.*LoRA on 16-bit"):
        require_4bit()


def test_a_build_that_gives_wrong_numbers_is_refused(monkeypatch):
    import bitsandbytes.functional as bnb

    monkeypatch.setattr(bnb, "dequantize_4bit", lambda packed, state: torch.zeros(1, 64))
    with pytest.raises(FourBitUnavailable, match="wrong numbers"):
        require_4bit()


def test_a_gated_model_says_how_to_get_access(monkeypatch):
    from transformers import AutoModelForCausalLM

    def refuse(*args, **options):
        raise OSError("You are trying to access a gated repo.\nMake sure to have access to it")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", refuse)
    with pytest.raises(
        FourBitUnavailable, match="huggingface.co/meta-llama/Llama-3.1-8B, accept its terms.*auth login"
    ):
        load_4bit("meta-llama/Llama-3.1-8B")


def test_other_errors_of_the_hub_come_through(tmp_path):
    with pytest.raises(OSError, match="config.json|not"):
        load_4bit(tmp_path / "nothing", local_files_only=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU float16 is allowed")
def test_float16_on_a_cpu_is_refused_because_it_overflows(folder):
    with pytest.raises(ValueError, match="65,504"):
        load_4bit(folder, torch.float16)
