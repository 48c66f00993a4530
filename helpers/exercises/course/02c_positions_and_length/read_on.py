"""read_on: positions of new tokens follow those that the cache holds, instead of starting from 0 in every call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.transformer.kv_cache import KVCache, layer_caches


def read_on(model: GPT, ids: Tensor, cache: KVCache) -> Tensor:
    """Logits for `ids`, which go on where the text in `cache` stops; the cache holds them too, afterwards.

    ids: (1, T)  →  (1, T, V), as if the model had read the whole text at once
    """
    T = ids.shape[1]
    positions = torch.arange(cache.length, cache.length + T, device=ids.device)  # (T,)
    x, rope = model.embedding(ids), model.rope(positions)  # x: (1, T, C)
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks)), strict=True):
        x = block(x, causal=True, rope=rope, cache=layer)  # (1, T, C)
    cache.advance(T)
    return model.head(model.norm(x))


POSITIONS = "torch.arange(cache.length, cache.length + T, device=ids.device)"
ADVANCE = "    cache.advance(T)\n"
LATE = "positions start one too late; the first new one is cache.length."
SLIPS = [
    (POSITIONS, "torch.arange(T, device=ids.device)", "positions still start from 0 in every call."),
    (
        POSITIONS,
        "torch.arange(T) + max(cache.length - 1, 0)",
        "positions start one too early, at that of the last token in the cache.",
    ),
    (POSITIONS, "torch.arange(T) + (cache.length + 1 if cache.length else 0)", LATE),
    (POSITIONS, "torch.arange(T) + cache.length + 1", LATE),
    (ADVANCE, "", "the cache is not advanced, so the next call overwrites these tokens."),
    (
        POSITIONS,
        "ids.new_tensor(range(cache.length, T))",
        "positions end at T; there must be T of them, from cache.length on.",
    ),
    (
        [("    T = ids.shape[1]\n", "    T = ids.shape[1]\n" + ADVANCE), (ADVANCE, "")],
        "the cache is advanced too early: first ask its length, then store the keys.",
    ),
    (
        [
            ("    T = ids.shape[1]\n", "    T = ids.shape[1]\n" + ADVANCE),
            ("    cache.advance(T)\n    return", "    return"),
            (POSITIONS, "torch.arange(cache.length - T, cache.length)"),
        ],
        "the cache is advanced too early: the blocks then store the new keys T places too late.",
    ),
    ("cache.advance(T)", "cache.advance(1)", "T tokens were read, so the cache advances by T."),
    ("cache.advance(T)", "cache.advance(cache.length + T)", "advance takes the number of *new* tokens, T."),
    ("causal=True", "causal=False", "new tokens see each other's future: causal=True must stay."),
    (
        POSITIONS,
        "ids.new_tensor([cache.length] * T)",
        "all tokens of a call get the same position; they follow each other.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    (
        POSITIONS,
        "torch.arange(cache.length + 1, cache.length + T + 1)",
        "`read_on(3, then 2 tokens behind 4 in the cache)`",
    ),
    (POSITIONS, "torch.arange(cache.length, T)", "It stops with an error when called as"),
    ("model.norm(x))", "model.norm(x))[:, -1:]", "The shape of the result is wrong"),
    ("return model.head", "model.head", "Did you forget `return`?"),
]
RIGHT = [
    (POSITIONS, "cache.length + torch.arange(T)"),
    (POSITIONS, "ids.new_tensor(range(cache.length, cache.length + T))"),
    """
def read_on(model, ids, cache):
    return model(ids, cache)
""",
]


@functools.cache
def tiny_model(n_kv_heads: int) -> GPT:
    """Random weights, large enough for logits to differ where positions do."""
    torch.manual_seed(n_kv_heads)
    model = GPT(GPTConfig(23, d_model=32, n_layers=2, n_heads=2, n_kv_heads=n_kv_heads, rope_base=100.0))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(5)
    return model.eval()


@dataclass(frozen=True)
class Reading:
    """A text in pieces, one call each; `before` is in the cache already, read by the model itself."""

    pieces: list[list[int]]
    n_kv_heads: int
    before: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        calls = ", then ".join(str(len(piece)) for piece in self.pieces)
        behind = f" behind {len(self.before)} in the cache" if self.before else ""
        return f"{calls} tokens{behind}"


def drive(function: Callable[..., Tensor], text: Reading) -> dict[str, Any] | None:
    """Logits of all pieces, one after another from one cache, and the cache's length in the end."""
    model, logits = tiny_model(text.n_kv_heads), []
    with torch.no_grad():
        cache = model.new_cache(1, 40)
        if text.before:
            model(torch.tensor([text.before]), cache)
        for piece in text.pieces:
            logits.append(function(model, torch.tensor([piece]), cache))
            if logits[-1] is None:
                return None
    return {"logits": torch.cat(logits, dim=1), "cache.length": cache.length}


def cases(rng: Generator) -> list[tuple]:
    def text(*lengths: int, n_kv_heads: int, before: int = 0) -> tuple[Reading]:
        pieces = [[int(i) for i in rng.integers(23, size=n)] for n in (*lengths, before)]
        return (Reading(pieces[:-1], n_kv_heads, pieces[-1]),)

    return [
        text(5, n_kv_heads=2),  # in one piece
        text(4, 1, 1, 1, n_kv_heads=1),  # as in writing: a prompt, then one token after another
        text(3, 6, 2, n_kv_heads=2),
        text(1, 9, n_kv_heads=1),
        text(2, 1, 7, 1, n_kv_heads=2),
        text(3, 2, n_kv_heads=2, before=4),  # where all positions are shifted alike, only these show it
        text(1, n_kv_heads=1, before=6),
        text(5, 1, n_kv_heads=2, before=2),
    ]


EXERCISE = Exercise(
    reference=read_on,
    minutes=3,
    difficulty=2,
    drive=drive,
    tolerance=1e-4,  # one kernel adds up the keys of a long text, another those of its pieces
    hints=(
        "The first call is right, the second is not. Which positions does the second call give to its tokens?",
        "The keys in the cache were rotated by positions 0, 1, …, cache.length − 1. The next token stands after "
        "them, but the code gives it position 0.",
        "The positions for `model.rope` must start at `cache.length` instead of 0, and there must be T of them. Read "
        "`cache.length` before the cache is advanced, not after.",
    ),
    proves="one piece, several, single tokens, and behind a filled cache: the logits of reading it all at once",
)
