"""T5's architecture (Raffel et al., 2020): an encoder reads the source, a decoder looks at it and writes.

    model = EncoderDecoder.from_pretrained(folder)
    logits = model(source, target)                        # (B, S), (B, T) → (B, T, V)

    memory = model.encode(source)                         # (B, S, C), once
    cache = model.new_cache(batch=1, max_len=50)
    logits = model.decode(token, memory, cache=cache)     # (B, 1, V), for each token that is written

Three things are T5's own: positions are a learned bias that all layers of a stack share; the dot product is not divided
by √head_dim (the initialization takes care of it); with tied embeddings the logits are scaled. Its norms are RMSNorms,
as Llama's are.

What it does not do: generate, train, T5's sentinel tokens (`helpers.tokenization` has its tokenizer).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from helpers.attention import MultiHeadAttention, require_heads
from helpers.old.attention import T5RelativeBias
from helpers.transformer.checkpoints import (
    load_weights,
    not_described,
    read_config,
    settings,
    shapes_only,
    tensor_names,
    weight_files,
)
from helpers.transformer.kv_cache import KVCache, layer_caches, place_tokens, require_ids
from helpers.transformer.layers import FeedForward, PreNormBlock, RMSNorm


@dataclass(frozen=True)
class EncoderDecoderConfig:
    """The sizes of a T5. n_layers: of the decoder; n_encoder_layers: the same if None. Raises ValueError.

    gated and activation: relu for the first T5, gated gelu_tanh for v1.1 and later. scaled_logits: divide what goes
    into the head by √d_model, as the first T5 does. start_id: what the decoder reads first.
    """

    vocab_size: int
    d_model: int = 128
    n_layers: int = 2
    n_heads: int = 4
    head_dim: int | None = None
    d_ff: int = 256
    n_encoder_layers: int | None = None
    n_buckets: int = 32
    max_distance: int = 128
    norm_eps: float = 1e-6
    activation: str = "relu"
    gated: bool = False
    dropout: float = 0.0
    tied: bool = True
    scaled_logits: bool = True
    start_id: int = 0

    def __post_init__(self) -> None:
        require_heads(self.d_model, self.n_heads, self.n_heads, self.head_dim)
        object.__setattr__(self, "head_dim", self.head_dim or self.d_model // self.n_heads)
        object.__setattr__(self, "n_encoder_layers", self.n_encoder_layers or self.n_layers)

    @property
    def n_kv_heads(self) -> int:
        """Every head has its own keys and values."""
        return self.n_heads


class EncoderDecoder(nn.Module):
    """An encoder and a decoder that looks at what the encoder made, by cross-attention in every layer."""

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__()
        self.config = c = config
        norm = partial(RMSNorm, eps=c.norm_eps)
        self.embedding = nn.Embedding(c.vocab_size, c.d_model)
        self.encoder_bias = T5RelativeBias(c.n_heads, True, c.n_buckets, c.max_distance)
        self.encoder_blocks = nn.ModuleList(_block(c, norm, decoder=False) for _ in range(c.n_encoder_layers))
        self.encoder_norm = norm(c.d_model)
        self.decoder_bias = T5RelativeBias(c.n_heads, False, c.n_buckets, c.max_distance)
        self.decoder_blocks = nn.ModuleList(_block(c, norm, decoder=True) for _ in range(c.n_layers))
        self.decoder_norm = norm(c.d_model)
        self.dropout = nn.Dropout(c.dropout)
        self.head = nn.Linear(c.d_model, c.vocab_size, bias=False)
        self.init_weights()
        self.tie()

    def tie(self) -> None:
        """Let embedding and head share one matrix, where the configuration says so."""
        if self.config.tied:
            self.head.weight = self.embedding.weight

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """source: (B, S), target: (B, T), read from `start_id` on  →  logits (B, T, V) of each next target token.

        source_mask: (B, S), False at padding. To train, give `shift_right(labels)` as the target.
        """
        return self.decode(target, self.encode(source, source_mask), source_mask)

    def encode(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """ids: (B, S), mask: (B, S), False at padding  →  the memory (B, S, C) that the decoder looks at."""
        require_ids(ids, self.config.vocab_size)
        x = self.dropout(self.embedding(ids))  # (B, S, C)
        bias = self.encoder_bias(ids.shape[1])  # (1, H, S, S)
        for block in self.encoder_blocks:
            x = block(x, mask=_for_heads(mask, ids), bias=bias)  # (B, S, C)
        return self.dropout(self.encoder_norm(x))

    def decode(
        self,
        ids: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        cache: KVCache | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """ids: (B, T), memory: (B, S, C), memory_mask: (B, S)  →  logits (B, T, V).

        cache: what was decoded before, from the same memory, whose keys and values it keeps too. mask: (B, T), False
        at padding of the target. Raises ValueError for unknown ids, a full cache or masks of another shape.
        """
        c = self.config
        require_ids(ids, c.vocab_size)
        if len(memory) != len(ids):
            raise ValueError(f"There are {len(memory)} sources and {len(ids)} targets: give each target its source.")
        _, real = place_tokens(ids, cache, mask)  # None or (B, 1, 1, past + T)
        T, past = ids.shape[1], cache.length if cache is not None else 0
        bias = self.decoder_bias(T, past + T)  # (1, H, T, past + T)
        source = _for_heads(memory_mask, memory[..., 0])  # None or (B, 1, 1, S)
        x = self.dropout(self.embedding(ids))  # (B, T, C)
        layers = zip(self.decoder_blocks, self.project(memory, cache), layer_caches(cache, c.n_layers), strict=True)
        for block, layer_memory, layer_cache in layers:
            x = block(x, layer_memory, source, causal=True, mask=real, bias=bias, cache=layer_cache)  # (B, T, C)
        if cache is not None:
            cache.advance(T)
        x = self.dropout(self.decoder_norm(x))
        return self.head(x * c.d_model**-0.5 if c.scaled_logits else x)  # (B, T, V)

    def project(self, memory: Tensor, cache: KVCache | None) -> list[tuple[Tensor, Tensor]]:
        """For each layer, cross-attention's keys and values (B, H, S, head_dim), made once where there is a cache."""
        if cache is not None and cache.memory is not None:
            return cache.memory
        made = [block.cross_attention.keys_values(memory) for block in self.decoder_blocks]
        if cache is not None:
            cache.memory = made
        return made

    def shift_right(self, labels: Tensor) -> Tensor:
        """What the decoder reads when it has to write `labels`, (B, T) → (B, T): see `shift_right`."""
        return shift_right(labels, self.config.start_id)

    def new_cache(self, batch: int, max_len: int) -> KVCache:
        """An empty cache for the decoder, in the model's precision and on its device."""
        weight = self.embedding.weight
        return KVCache(self.config, batch, max_len, weight.dtype, weight.device)

    def init_weights(self) -> None:
        """T5's start: queries carry the 1/√head_dim that the attention leaves out. Matches transformers'."""
        c, normal = self.config, nn.init.normal_
        for module in self.modules():
            if isinstance(module, MultiHeadAttention):
                normal(module.q_proj.weight, std=(c.d_model * c.head_dim) ** -0.5)
                normal(module.k_proj.weight, std=c.d_model**-0.5)
                normal(module.v_proj.weight, std=c.d_model**-0.5)
                normal(module.o_proj.weight, std=(c.n_heads * c.head_dim) ** -0.5)
            elif isinstance(module, FeedForward):
                for linear in filter(None, (module.gate_proj, module.up_proj)):
                    normal(linear.weight, std=c.d_model**-0.5)
                normal(module.down_proj.weight, std=c.d_ff**-0.5)
            elif isinstance(module, T5RelativeBias):
                normal(module.by_bucket.weight, std=c.d_model**-0.5)
        for table in (self.embedding, self.head):
            normal(table.weight, std=1.0)

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> EncoderDecoder:
        """The model in `folder`, as transformers saves a T5ForConditionalGeneration.

        Raises CheckpointError for another architecture or weights that are damaged or do not fit.
        """
        described, files = read_config(folder, "t5"), weight_files(folder)
        config = read_t5_config(described, tied="lm_head.weight" not in tensor_names(files))
        with shapes_only():
            model = cls(config)
        load_weights(model, files, our_t5_name, dtype, device)
        model.tie()
        return model.eval()


def shift_right(labels: Tensor, start_id: int) -> Tensor:
    """What a decoder reads in training, at each position, when it has to write `labels`.

    labels: (B, T)  →  (B, T). Labels below 0, which a loss skips, become start_id. `labels` stays as it is.
    """
    start = torch.full_like(labels[:, :1], start_id)
    shifted = torch.cat((start, labels[:, :-1]), dim=1)
    return shifted.masked_fill(shifted < 0, start_id)


def _block(c: EncoderDecoderConfig, norm: Callable[[int], nn.Module], decoder: bool) -> PreNormBlock:
    def attention() -> MultiHeadAttention:
        return MultiHeadAttention(c.d_model, c.n_heads, head_dim=c.head_dim, scale=1.0)

    feed_forward = FeedForward(c.d_model, c.d_ff, c.activation, c.gated)
    cross = attention() if decoder else None
    return PreNormBlock(c.d_model, attention(), feed_forward, norm, cross_attention=cross, dropout=c.dropout)


def _for_heads(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """(B, S) → (B, 1, 1, S), room for heads and queries. Raises ValueError unless its shape is that of `like`."""
    if mask is not None and mask.shape != like.shape:
        raise ValueError(
            f"The mask of the source has the shape {tuple(mask.shape)}, and the source {tuple(like.shape)}."
        )
    return mask.bool()[:, None, None, :] if mask is not None else None


# Reading transformers' folders ---------------------------------------------------------------------------------------

SIZES = {  # ours: theirs
    "vocab_size": "vocab_size",
    "d_model": "d_model",
    "n_layers": "num_decoder_layers",
    "n_encoder_layers": "num_layers",
    "n_heads": "num_heads",
    "head_dim": "d_kv",
    "d_ff": "d_ff",
    "n_buckets": "relative_attention_num_buckets",
    "max_distance": "relative_attention_max_distance",
    "norm_eps": "layer_norm_epsilon",
    "start_id": "decoder_start_token_id",
}
FEED_FORWARD = {  # theirs: our activation, gated
    "relu": ("relu", False),
    "gelu": ("gelu", False),
    "gelu_new": ("gelu_tanh", False),
    "gated-gelu": ("gelu_tanh", True),  # v1.1 calls the tanh form so
    "gated-silu": ("silu", True),
    "gated-relu": ("relu", True),
}
PARTS = {  # theirs: ours
    "SelfAttention.q": "attention.q_proj",
    "SelfAttention.k": "attention.k_proj",
    "SelfAttention.v": "attention.v_proj",
    "SelfAttention.o": "attention.o_proj",
    "EncDecAttention.q": "cross_attention.q_proj",
    "EncDecAttention.k": "cross_attention.k_proj",
    "EncDecAttention.v": "cross_attention.v_proj",
    "EncDecAttention.o": "cross_attention.o_proj",
    "DenseReluDense.wi": "feed_forward.up_proj",
    "DenseReluDense.wi_0": "feed_forward.gate_proj",
    "DenseReluDense.wi_1": "feed_forward.up_proj",
    "DenseReluDense.wo": "feed_forward.down_proj",
}
NORMS = {("encoder", 0): "attention_norm", ("encoder", 1): "feed_forward_norm"} | {
    ("decoder", i): name for i, name in enumerate(("attention_norm", "cross_norm", "feed_forward_norm"))
}
TOP = {
    "shared.weight": "embedding.weight",
    "lm_head.weight": "head.weight",
    "encoder.final_layer_norm.weight": "encoder_norm.weight",
    "decoder.final_layer_norm.weight": "decoder_norm.weight",
    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": "encoder_bias.by_bucket.weight",
    "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": "decoder_bias.by_bucket.weight",
}
NOT_NEEDED = {  # copies of the shared embedding, and a bias that no layer uses
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
}


def read_t5_config(config: dict[str, Any], tied: bool) -> EncoderDecoderConfig:
    """Our configuration from a T5's `config.json`. Raises CheckpointError for what this architecture does not have."""
    required = ("vocab_size", "d_model", "n_encoder_layers", "n_heads", "head_dim", "d_ff")
    sizes = settings(config, SIZES, required, {"feed_forward_proj": FEED_FORWARD})
    sizes.setdefault("n_layers", sizes.get("n_encoder_layers"))
    activation, gated = FEED_FORWARD[config.get("feed_forward_proj", "relu")]
    # Before version 5, transformers told T5 from v1.1, which does not scale, by tie_word_embeddings alone
    scaled = config.get("scale_decoder_outputs", config.get("tie_word_embeddings") is not False)
    try:
        return EncoderDecoderConfig(**sizes, activation=activation, gated=gated, tied=tied, scaled_logits=scaled)
    except (TypeError, ValueError) as error:
        raise not_described("T5", error) from None


def our_t5_name(theirs: str) -> str | None:
    """Our name of a tensor of transformers' T5ForConditionalGeneration; None for copies that we do not need.

    >>> our_t5_name("decoder.block.1.layer.1.EncDecAttention.k.weight")
    'decoder_blocks.1.cross_attention.k_proj.weight'
    """
    if theirs in NOT_NEEDED:
        return None
    match = re.fullmatch(r"(encoder|decoder)\.block\.(\d+)\.layer\.(\d)\.(.+)\.weight", theirs)
    if theirs in TOP or not match:
        return TOP.get(theirs, theirs)
    side, block, layer, part = match[1], match[2], int(match[3]), match[4]
    part = NORMS.get((side, layer), part) if part == "layer_norm" else PARTS.get(part, part)
    return f"{side}_blocks.{block}.{part}.weight"
