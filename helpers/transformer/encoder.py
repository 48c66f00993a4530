"""BERT's architecture (Devlin et al., 2019): an encoder in which every token sees every other.

    encoder = Encoder.from_pretrained(fetch("embedder"))
    hidden = encoder(ids, mask)                           # (B, T) → (B, T, C)
    vectors = encoder.embed(["A cat sat.", "It purred."]) # (2, 384), length 1: a dot product is the cosine

`embed` follows the recipe that comes with the model, as sentence-transformers does (Reimers and Gurevych, 2019).

What it does not do: other pooling than mean, maximum and first token; dense layers on top; pairs of sentences.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from helpers.attention import MultiHeadAttention, padding_mask, require_heads
from helpers.tokenization import WordPieceTokenizer
from helpers.transformer.checkpoints import (
    CheckpointError,
    load_weights,
    not_described,
    read_config,
    read_json,
    settings,
    shapes_only,
    weight_files,
)
from helpers.transformer.kv_cache import require_ids
from helpers.transformer.layers import FeedForward, LayerNorm, PostNormBlock, init_weights


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of a BERT and, for `embed`, its recipe. Raises ValueError where heads do not divide d_model.

    pooling: "mean", "max" or "first". embed_len: tokens of a text that `embed` reads, [CLS] and [SEP] included.
    """

    vocab_size: int
    d_model: int = 384
    n_layers: int = 6
    n_heads: int = 12
    d_ff: int = 1536
    max_len: int = 512
    n_segments: int = 2
    norm_eps: float = 1e-12
    activation: str = "gelu"
    dropout: float = 0.0
    pooling: str = "mean"
    normalized: bool = True
    embed_len: int | None = None

    def __post_init__(self) -> None:
        require_heads(self.d_model, self.n_heads, self.n_heads, None)
        object.__setattr__(self, "embed_len", min(self.embed_len or self.max_len, self.max_len))


class Encoder(nn.Module):
    """An encoder: `forward` gives a state for every token, `embed` a vector for every text."""

    def __init__(self, config: EncoderConfig, tokenizer: WordPieceTokenizer | None = None) -> None:
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
        c, norm = config, partial(LayerNorm, eps=config.norm_eps)
        self.embedding = nn.Embedding(c.vocab_size, c.d_model)
        self.position_embedding = nn.Embedding(c.max_len, c.d_model)
        self.segment_embedding = nn.Embedding(c.n_segments, c.d_model)
        self.norm = norm(c.d_model)
        self.dropout = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(
            PostNormBlock(
                c.d_model,
                MultiHeadAttention(c.d_model, c.n_heads, bias=True),
                FeedForward(c.d_model, c.d_ff, c.activation, bias=True),
                norm,
                dropout=c.dropout,
            )
            for _ in range(c.n_layers)
        )
        init_weights(self, c.n_layers)

    def forward(self, ids: Tensor, mask: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """ids: (B, T)  →  hidden states (B, T, C).

        mask: (B, T), False at padding on the right. segments: (B, T), 0 for the first sentence of a pair (the
        default), 1 for the second. Raises ValueError for unknown ids or segments, texts beyond max_len, a mask of
        another shape.
        """
        self.require_fit(ids, mask)
        if segments is not None and (wrong := segments[(segments < 0) | (segments >= self.config.n_segments)]).numel():
            last = self.config.n_segments - 1
            raise ValueError(f"There is no segment {int(wrong[0])}: segments of this model go from 0 to {last}.")
        positions = torch.arange(ids.shape[1], device=ids.device)
        segments = torch.zeros_like(ids) if segments is None else segments
        x = self.embedding(ids) + self.position_embedding(positions) + self.segment_embedding(segments)  # (B, T, C)
        x = self.dropout(self.norm(x))
        real = mask.bool()[:, None, None, :] if mask is not None else None  # (B, 1, 1, T)
        for block in self.blocks:
            x = block(x, mask=real)  # (B, T, C)
        return x

    def require_fit(self, ids: Tensor, mask: Tensor | None) -> None:
        """Raises ValueError unless the model can read these ids with this mask."""
        require_ids(ids, self.config.vocab_size)
        if ids.shape[1] > self.config.max_len:
            raise ValueError(
                f"This encoder has positions for {self.config.max_len} tokens, and the text has {ids.shape[1]}: cut it."
            )
        if mask is not None and mask.shape != ids.shape:
            raise ValueError(f"The mask has the shape {tuple(mask.shape)} and the ids {tuple(ids.shape)}.")

    @torch.no_grad()
    def embed(self, texts: Sequence[str], batch_size: int = 32, progress: bool = False) -> Tensor:
        """A vector for each text: (n_texts, C) float32 on the CPU, of length 1 if the model's recipe says so.

        Of each text the first `config.embed_len` tokens count. Matches `SentenceTransformer.encode`.
        Raises TypeError for a single string, ValueError if the model came without a tokenizer.
        """
        if isinstance(texts, str):
            raise TypeError("embed takes a list of texts: write embed([text]).")
        rows = [self.encode_text(text) for text in texts]
        by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))  # similar lengths together: little padding
        vectors = torch.empty(len(rows), self.config.d_model)
        for start in tqdm(range(0, len(rows), batch_size), disable=not progress):
            batch = by_length[start : start + batch_size]
            vectors[batch] = self.embed_ids([rows[i] for i in batch]).cpu()
        return vectors

    def encode(self, texts: str | Sequence[str], show_progress_bar: bool = False, **_: Any) -> NDArray:
        """`embed` as `SentenceTransformer.encode` is called: (n_texts, C), or (C,) for one string."""
        vectors = self.embed([texts] if isinstance(texts, str) else texts, progress=show_progress_bar).numpy()
        return vectors[0] if isinstance(texts, str) else vectors

    def encode_text(self, text: str) -> list[int]:
        """[CLS], the text's ids as far as they fit, [SEP]."""
        if self.tokenizer is None:
            raise ValueError("This encoder has no tokenizer: load it with from_pretrained, or set encoder.tokenizer.")
        first, last = self.tokenizer.special_tokens["[CLS]"], self.tokenizer.special_tokens["[SEP]"]
        ids = self.tokenizer.encode(text, allowed_special="all")  # as the library does: "[MASK]" in a text is a mask
        return [first, *ids[: self.config.embed_len - 2], last]

    def embed_ids(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Rows of ids of any lengths → (n_rows, C) float32."""
        device = self.embedding.weight.device
        mask = padding_mask([len(row) for row in rows], max(map(len, rows))).to(device)  # (B, T)
        ids = torch.zeros(mask.shape, dtype=torch.long, device=device)
        ids[mask] = torch.tensor([i for row in rows for i in row], device=device)
        pooled = pool(self(ids, mask), mask, self.config.pooling)  # (B, C)
        return F.normalize(pooled, dim=-1) if self.config.normalized else pooled

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> Encoder:
        """The BERT in `folder`, saved by transformers or sentence-transformers; without a recipe, `embed` takes means.

        Raises CheckpointError for another architecture, an unknown recipe, or weights that are damaged or do not fit.
        """
        folder = Path(folder)
        config = replace(read_encoder_config(read_config(folder, "bert")), **read_recipe(folder))
        with shapes_only():
            model = cls(config)
        load_weights(model, weight_files(folder), our_encoder_name, dtype, device)
        if (folder / "tokenizer.json").exists():
            model.tokenizer = WordPieceTokenizer.from_pretrained(folder)
        return model.eval()


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The average state of each text's real tokens.

    hidden: (B, T, C), mask: (B, T) bool, False at padding  →  (B, C); zeros for a text without a real token.
    """
    real = mask[..., None]  # (B, T, 1)
    return hidden.masked_fill(~real, 0.0).sum(dim=1) / real.sum(dim=1).clamp(min=1)


def pool(hidden: Tensor, mask: Tensor, how: str = "mean") -> Tensor:
    """One vector a text, from its real tokens only: hidden (B, T, C), mask (B, T) bool  →  (B, C) float32.

    how: "mean", "max" or "first" (the state of [CLS]).
    """
    hidden = hidden.float()  # bfloat16 has too few bits to sum hundreds of tokens
    if how == "first":
        return hidden[:, 0]
    if how == "max":
        return hidden.masked_fill(~mask[..., None], float("-inf")).amax(dim=1)
    return mean_pool(hidden, mask)


# Reading the libraries' folders --------------------------------------------------------------------------------------

SIZES = {  # ours: theirs
    "vocab_size": "vocab_size",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "d_ff": "intermediate_size",
    "max_len": "max_position_embeddings",
    "n_segments": "type_vocab_size",
    "norm_eps": "layer_norm_eps",
}
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
}
POOLING = {
    "cls_token": "first",
    "cls": "first",
    "mean_tokens": "mean",
    "mean": "mean",
    "max_tokens": "max",
    "max": "max",
}
PARTS = {  # theirs: ours
    "embeddings.word_embeddings": "embedding",
    "embeddings.position_embeddings": "position_embedding",
    "embeddings.token_type_embeddings": "segment_embedding",
    "embeddings.LayerNorm": "norm",
    "attention.self.query": "attention.q_proj",
    "attention.self.key": "attention.k_proj",
    "attention.self.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "feed_forward.up_proj",
    "output.dense": "feed_forward.down_proj",
    "output.LayerNorm": "feed_forward_norm",
}
LAST = {"gamma": "weight", "beta": "bias"}  # how the first BERT files called a norm's parameters
NOT_NEEDED = re.compile(r"pooler\.|cls\.|embeddings\.position_ids$")


def read_encoder_config(config: dict[str, Any]) -> EncoderConfig:
    """Our configuration from a BERT's `config.json`. Raises CheckpointError for what `Encoder` does not have."""
    supported = {"hidden_act": ACTIVATIONS, "position_embedding_type": ["absolute", None], "is_decoder": [False, None]}
    sizes = settings(config, SIZES, ("vocab_size", "d_model", "n_layers", "n_heads", "d_ff"), supported)
    try:
        return EncoderConfig(**sizes, activation=ACTIVATIONS[config.get("hidden_act", "gelu")])
    except (TypeError, ValueError) as error:
        raise not_described("BERT", error) from None


def read_recipe(folder: Path) -> dict[str, Any]:
    """Pooling, normalization and length from a sentence-transformers folder; nothing where there is none."""
    if not (folder / "modules.json").exists():
        return {}
    modules = read_json(folder / "modules.json", list)
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise CheckpointError(
            f"modules.json in {folder.name} lists {', '.join(kinds)}; embed has pooling, then Normalize."
        )
    recipe: dict[str, Any] = {"normalized": "Normalize" in kinds, "pooling": _pooling(folder / modules[1]["path"])}
    # Newer releases write the length as the tokenizer's, older ones beside it, where the tokenizer's may differ
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        if (folder / name).exists() and not recipe.get("embed_len"):
            recipe["embed_len"] = read_json(folder / name).get(key)
    return recipe


def _pooling(folder: Path) -> str:
    config = read_json(folder / "config.json")
    on = [name.removeprefix("pooling_mode_") for name, value in config.items() if value is True]
    modes = [config["pooling_mode"]] if isinstance(config.get("pooling_mode"), str) else on
    modes = [mode for mode in modes if mode != "include_prompt"]
    if len(modes) != 1 or modes[0] not in POOLING:
        raise CheckpointError(
            f"The model pools by {', '.join(modes) or 'nothing'}; embed has mean, max and first token."
        )
    return POOLING[modes[0]]


def our_encoder_name(theirs: str) -> str | None:
    """Our name of a tensor of transformers' BertModel; None for heads that `Encoder` does not have.

    >>> our_encoder_name("encoder.layer.3.attention.self.query.weight")
    'blocks.3.attention.q_proj.weight'
    """
    name = theirs.removeprefix("bert.")
    if NOT_NEEDED.match(name):
        return None
    part, _, last = name.rpartition(".")
    layer = re.match(r"encoder\.layer\.(\d+)\.", part)
    part = part[layer.end() :] if layer else part
    prefix = f"blocks.{layer[1]}." if layer else ""
    return f"{prefix}{PARTS.get(part, part)}.{LAST.get(last, last)}"
