"""Models of the library, random and tiny, saved to folders that the course's own classes read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

BASE = {"vocab_size": 61, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}


def rope(**parameters: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 10_000.0, "rope_type": "default"} | parameters}


LLAMAS: dict[str, dict[str, Any]] = {
    "multi-head": {"num_attention_heads": 4},
    "grouped-query": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "multi-query": {"num_attention_heads": 4, "num_key_value_heads": 1},
    "one head": {"num_attention_heads": 1},
    "tied": {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True},
    "untied, seven layers": {"num_attention_heads": 2, "num_hidden_layers": 7, "tie_word_embeddings": False},
    "three heads, one for keys": {"hidden_size": 36, "num_attention_heads": 3, "num_key_value_heads": 1},
    "head_dim above": {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16},
    "head_dim below": {"num_attention_heads": 4, "head_dim": 4, "tie_word_embeddings": True},
    "head_dim 2": {"num_attention_heads": 4, "head_dim": 2},
    "RoPE base 100": {"num_attention_heads": 4} | rope(rope_theta=100.0),
    "RoPE base 500,000": {"num_attention_heads": 4} | rope(rope_theta=500_000.0),
    "linear scaling": {"num_attention_heads": 2} | rope(rope_type="linear", factor=3.0),
    "Llama 3 scaling": {"num_attention_heads": 2} | rope(**LLAMA3, original_max_position_embeddings=32),
    "YaRN scaling": {"num_attention_heads": 2, "max_position_embeddings": 64} | rope(**YARN),
    "YaRN, its own magnitude": {"num_attention_heads": 2}
    | rope(**YARN, attention_factor=1.3, beta_fast=8, beta_slow=2),
    "biases": {"num_attention_heads": 4, "attention_bias": True, "mlp_bias": True},
    "another epsilon": {"num_attention_heads": 4, "rms_norm_eps": 0.1},
}
T5_BASE = {"vocab_size": 61, "d_model": 32, "d_ff": 48, "num_heads": 4, "num_layers": 2, "decoder_start_token_id": 0}
T5S: dict[str, dict[str, Any]] = {
    "first T5": {"d_kv": 8},
    "v1.1, gated": {"d_kv": 8, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "head_dim above, three decoder layers": {"d_kv": 16, "num_decoder_layers": 3},
    "few buckets, short distance": {
        "d_kv": 4,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 9,
    },
    "gated silu, another epsilon": {"d_kv": 8, "feed_forward_proj": "gated-silu", "layer_norm_epsilon": 0.1},
    "three heads": {"d_model": 36, "num_heads": 3, "d_kv": 12, "num_layers": 1},
}
BERTS: dict[str, dict[str, Any]] = {
    "gelu": {"num_attention_heads": 4},
    "tanh gelu, one head": {"num_attention_heads": 1, "hidden_act": "gelu_new"},
    "relu, short, another epsilon": {"num_attention_heads": 2, "max_position_embeddings": 16, "layer_norm_eps": 0.1},
}


def randomized(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Every parameter, norms and biases too, away from its tame start: a mistake in any of them must show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = 0.5 if parameter.dim() == 1 else parameter.shape[-1] ** -0.5
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def llama(folder: Path, **options: Any) -> torch.nn.Module:
    """A random LlamaForCausalLM, saved to `folder`."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return saved(LlamaForCausalLM(LlamaConfig(**BASE | options)), folder)


def t5(folder: Path, **options: Any) -> torch.nn.Module:
    """A random T5ForConditionalGeneration, saved to `folder`."""
    from transformers import T5Config, T5ForConditionalGeneration

    return saved(T5ForConditionalGeneration(T5Config(**T5_BASE | options)), folder)


def bert(folder: Path, **options: Any) -> torch.nn.Module:
    """A random BertModel, saved to `folder`."""
    from transformers import BertConfig, BertModel

    dropped = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return saved(BertModel(BertConfig(**BASE | dropped | {"max_position_embeddings": 64} | options)), folder)


def saved(model: torch.nn.Module, folder: Path) -> torch.nn.Module:
    model = randomized(model)
    model.save_pretrained(folder)
    return model


def tokens(B: int, T: int, vocab_size: int = 61, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, vocab_size, (B, T), generator=torch.Generator().manual_seed(seed))


def rms_share(found: torch.Tensor, exact: torch.Tensor) -> float:
    """The root mean square of the error as a share of that of the exact values."""
    return float((found.float() - exact).square().mean().sqrt() / exact.square().mean().sqrt())
