"""Llama, the decoder that most open models of today are or resemble (Touvron et al., 2023), read top to bottom.

    model = Llama.from_pretrained(fetch("chat"))
    logits = model(ids)                        # (B, T) → (B, T, V), equal to the library's

Its parts: RMSNorm before each sublayer, rotary positions, grouped-query attention, SwiGLU, no biases.

What it does not do: generate (`helpers.generation`), train (`helpers.old.training`), sliding windows, experts.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from helpers.attention import MultiHeadAttention, RopeScaling, require_heads, rope_cos_sin, rope_frequencies
from helpers.transformer.checkpoints import (
    load_weights,
    not_described,
    read_config,
    read_eos_ids,
    settings,
    shapes_only,
    tensor_names,
    weight_files,
)
from helpers.transformer.kv_cache import KVCache, layer_caches, place_tokens, require_ids
from helpers.transformer.layers import PreNormBlock, RMSNorm, SwiGLU, init_weights


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a Llama. head_dim: d_model / n_heads if None; n_kv_heads: n_heads if None. Raises ValueError."""

    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    n_kv_heads: int | None = None
    head_dim: int | None = None
    max_len: int = 2048  # what it was trained for; longer texts run, and get worse
    norm_eps: float = 1e-6
    rope_base: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    attention_bias: bool = False
    feed_forward_bias: bool = False
    tied: bool = False  # one matrix for embedding and unembedding
    eos_ids: tuple[int, ...] = ()  # tokens that end a text

    def __post_init__(self) -> None:
        n_kv_heads = self.n_heads if self.n_kv_heads is None else self.n_kv_heads
        require_heads(self.d_model, self.n_heads, n_kv_heads, self.head_dim)
        object.__setattr__(self, "n_kv_heads", n_kv_heads)  # frozen: nobody changes sizes under a running model
        object.__setattr__(self, "head_dim", self.head_dim or self.d_model // self.n_heads)


class Llama(nn.Module):
    """A decoder: `forward` gives the logits of the next token at every position.

    Its parts, for looking inside: `embedding`, `blocks[i].attention`, `blocks[i].feed_forward`, `norm`, `head`.
    """

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.d_model, config.norm_eps)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        init_weights(self, config.n_layers)
        self.tie()

    def tie(self) -> None:
        """Let embedding and head share one matrix, where the configuration says so."""
        if self.config.tied:
            self.head.weight = self.embedding.weight

    def forward(
        self,
        ids: Tensor,
        cache: KVCache | None = None,
        mask: Tensor | None = None,
        last_only: bool = False,
        *,
        segments: Tensor | None = None,
        at: Tensor | None = None,
    ) -> Tensor:
        """ids: (B, T)  →  logits (B, T, V), or (B, 1, V) with last_only, which spares a prompt most of the head's work.

        cache: what was read before; these tokens are added. mask: (B, T), False at padding, on whichever side it is.
        segments: (B, T), the text of each token where rows hold several (`segment_mask`). at: (B, T) bool, the n places
        where logits are wanted, (n, V). Raises ValueError for unknown ids, a full cache or a mask of another shape.
        """
        require_ids(ids, self.config.vocab_size)
        positions, seen = place_tokens(ids, cache, mask, segments)  # (T,) or (B, T); None or (B, 1, 1 or T, S)
        x = self.embedding(ids)  # (B, T, C)
        rope = self.rope(positions)  # cosine and sine, (T, head_dim/2) or (B, 1, T, head_dim/2) each
        for block, layer_cache in zip(self.blocks, layer_caches(cache, len(self.blocks)), strict=True):
            x = block(x, causal=True, mask=seen, rope=rope, cache=layer_cache)  # (B, T, C)
        if cache is not None:
            cache.advance(ids.shape[1])
        x = x[:, -1:] if last_only else x if at is None else x[at]
        return self.head(self.norm(x))  # (B, T, V)

    def rope(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the positions' angles, float32; made anew each time, so that no dtype can spoil them."""
        c = self.config
        frequencies = rope_frequencies(c.head_dim, c.rope_base, c.rope_scaling, positions.device)
        return rope_cos_sin(positions, frequencies, c.rope_scaling.cos_sin_factor if c.rope_scaling else 1.0)

    def new_cache(self, batch: int, max_len: int) -> KVCache:
        """An empty cache in the model's precision and on its device."""
        weight = self.embedding.weight
        return KVCache(self.config, batch, max_len, weight.dtype, weight.device)

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> Llama:
        """The model in `folder`, as transformers saves a LlamaForCausalLM (one safetensors file or shards).

        Raises CheckpointError, in one sentence, for another architecture or weights that are damaged or do not fit.
        """
        described = read_config(folder, "llama")
        config = replace(read_llama_config(described), eos_ids=read_eos_ids(folder, described))
        files = weight_files(folder)
        if config.tied and "lm_head.weight" in tensor_names(files):
            config = replace(config, tied=False)  # the file knows better, as in the library
        with shapes_only():
            model = cls(config)
        load_weights(model, files, our_llama_name, dtype, device)
        model.tie()
        return model.eval()


def _block(config: LlamaConfig) -> PreNormBlock:
    c = config
    attention = MultiHeadAttention(c.d_model, c.n_heads, c.n_kv_heads, c.head_dim, bias=c.attention_bias)
    feed_forward = SwiGLU(c.d_model, c.d_ff, bias=c.feed_forward_bias)
    return PreNormBlock(c.d_model, attention, feed_forward, partial(RMSNorm, eps=c.norm_eps))


# Reading transformers' folders ---------------------------------------------------------------------------------------

SIZES = {  # ours: theirs
    "vocab_size": "vocab_size",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "d_ff": "intermediate_size",
    "n_kv_heads": "num_key_value_heads",
    "head_dim": "head_dim",
    "max_len": "max_position_embeddings",
    "norm_eps": "rms_norm_eps",
    "attention_bias": "attention_bias",
    "feed_forward_bias": "mlp_bias",
    "tied": "tie_word_embeddings",
}
PARTS = {  # theirs: ours
    "model.embed_tokens": "embedding",
    "model.norm": "norm",
    "lm_head": "head",
    "input_layernorm": "attention_norm",
    "self_attn": "attention",
    "post_attention_layernorm": "feed_forward_norm",
    "mlp": "feed_forward",
}


def read_llama_config(config: dict[str, Any]) -> LlamaConfig:
    """Our configuration from transformers' `config.json`, of version 5 or earlier. Raises CheckpointError."""
    supported = {"hidden_act": ["silu", "swish"], "architectures": [["LlamaForCausalLM"], None]}
    sizes = settings(config, SIZES, ("vocab_size", "d_model", "n_layers", "n_heads", "d_ff"), supported)
    rope = {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    base = rope.get("rope_theta") or config.get("rope_theta") or 10_000.0
    try:
        return LlamaConfig(**sizes, rope_base=base, rope_scaling=_read_rope_scaling(rope))
    except (TypeError, ValueError) as error:
        raise not_described("Llama", error) from None


def _read_rope_scaling(rope: dict[str, Any]) -> RopeScaling | None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind not in ("linear", "llama3", "yarn"):
        raise ValueError(f"its RoPE scaling is {kind!r}, and this class has linear, llama3 and yarn")
    if extra := {"mscale", "mscale_all_dim", "truncate", "partial_rotary_factor"} & set(rope):
        raise ValueError(f"its RoPE scaling has {', '.join(sorted(extra))}, which this class has not")
    fast, slow = ("high_freq_factor", "low_freq_factor") if kind == "llama3" else ("beta_fast", "beta_slow")
    return RopeScaling(
        kind,
        rope.get("factor", 0),
        trained_len=rope.get("original_max_position_embeddings"),
        fast=rope.get(fast),
        slow=rope.get(slow),
        magnitude=rope.get("attention_factor"),
    )


def our_llama_name(theirs: str) -> str | None:
    """Our name of a tensor of transformers' LlamaForCausalLM.

    >>> our_llama_name("model.layers.7.mlp.up_proj.weight")
    'blocks.7.feed_forward.up_proj.weight'
    """
    if theirs.endswith("rotary_emb.inv_freq"):  # old files carry it; we compute it
        return None
    name = re.sub(r"^model\.layers\.(\d+)\.", r"blocks.\1.", theirs)
    for part, ours in PARTS.items():
        name = re.sub(rf"(^|\.){re.escape(part)}\.", rf"\1{ours}.", name)
    return name


def library_llama_name(ours: str) -> str:
    """Transformers' name of a tensor or module of our Llama: what `our_llama_name` undoes.

    >>> library_llama_name("blocks.7.feed_forward.up_proj")
    'model.layers.7.mlp.up_proj'
    """
    theirs = {part: name for name, part in PARTS.items()}
    name = ".".join(theirs.get(part, part) for part in ours.split("."))
    return re.sub(r"^blocks\.(\d+)\.", r"model.layers.\1.", name)
