"""A tiny model of the library beside ours, for tests elsewhere."""

from __future__ import annotations

import pytest
import torch

from helpers.transformer import Llama
from tests.tiny_models import randomized


@pytest.fixture
def tiny(tmp_path):
    """A random Llama of the library with the chat model's vocabulary, and ours with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = randomized(LlamaForCausalLM(LlamaConfig(vocab_size=49_152, **sizes)))
    model.save_pretrained(tmp_path)
    return model, Llama.from_pretrained(tmp_path)
