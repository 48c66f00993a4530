"""Exercises of 02c_positions_and_length: ALiBi's slopes, RoPE, reading on from a cache, a window, heads for a cache."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention.positions import alibi_slopes, apply_rope, rope_cos_sin, rope_frequencies
from helpers.exercises.checking import positions_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.transformer.gpt import GPT, GPTConfig
from helpers.transformer.kv_cache import KVCache, layer_caches


def read_on(model: GPT, ids: Tensor, cache: KVCache) -> Tensor:
    """Logits for `ids`, which go on where the text in `cache` stops; the cache holds them too, afterwards.

    ids: (1, T)  →  (1, T, V), as if the model had read the whole text at once
    """
    T = ids.shape[1]
    positions = ids.new_tensor(range(cache.length, cache.length + T))  # (T,)
    x, rope = model.embedding(ids), model.rope(positions)  # x: (1, T, C)
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks)), strict=True):
        x = block(x, causal=True, rope=rope, cache=layer)  # (1, T, C)
    cache.advance(T)
    return model.head(model.norm(x))


def planted_read_on(model: GPT, ids: Tensor, cache: KVCache) -> Tensor:
    """The version that stands in the notebook: each call counts its positions from 0 again."""
    T = ids.shape[1]
    positions = ids.new_tensor(range(T))  # (T,)
    x, rope = model.embedding(ids), model.rope(positions)  # x: (1, T, C)
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks)), strict=True):
        x = block(x, causal=True, rope=rope, cache=layer)  # (1, T, C)
    cache.advance(T)
    return model.head(model.norm(x))


def sliding_window_mask(T: int, window: int, n_global: int = 0) -> Tensor:
    """Which keys (columns) each query (row) may see: itself, the `window` − 1 before it, and the first `n_global`.

    (T, T) bool, True where it may look; nobody sees the future.
    """
    query, key = torch.arange(T)[:, None], torch.arange(T)[None, :]  # (T, 1) and (1, T)
    near, first = key > query - window, key < n_global
    return (key <= query) & (near | first)  # (T, T)


def choose_kv_heads(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int | None:
    """The most key/value heads whose 16-bit cache for one text of `tokens` fits into `budget` bytes, or None.

    They must divide n_heads, so that groups are of equal size: n_heads of them is MHA, 1 is MQA, GQA lies between.
    """
    one = 2 * n_layers * head_dim * tokens * 2  # keys and values, two bytes a number
    fitting = [n for n in range(1, n_heads + 1) if n_heads % n == 0 and n * one <= budget]
    return max(fitting, default=None)


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _normal(rng: Generator, *shape: int) -> Tensor:
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


def _rope_cases(rng: Generator) -> list[tuple]:
    def case(B: int, H: int, T: int, head_dim: int, interleaved: bool, start: int = 0, padded: bool = False) -> tuple:
        places = torch.arange(start, start + T)
        if padded:  # positions that differ from text to text: cos is (B, 1, T, head_dim/2)
            places = (places - torch.arange(B)[:, None]).clamp(min=0)
        cos, sin = rope_cos_sin(places, rope_frequencies(head_dim, 100.0))
        return _normal(rng, B, H, T, head_dim), cos, sin, interleaved

    half, cos, sin, _ = case(1, 2, 3, 8, False, start=2)
    return [
        case(1, 1, 4, 6, False),
        case(2, 3, 5, 8, False, start=7),
        case(2, 2, 4, 8, False, padded=True),
        case(1, 2, 3, 2, False),  # one pair: both conventions agree
        (half.bfloat16() / 2, cos, sin, False),
        case(1, 1, 4, 6, True),
        case(2, 3, 5, 8, True, start=7),
        case(3, 2, 4, 12, True, padded=True),
    ]


@functools.cache
def _tiny_model(n_kv_heads: int) -> GPT:
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


def _drive_read_on(function: Callable[..., Tensor], text: Reading) -> dict[str, Any] | None:
    """Logits of all pieces, one after another from one cache, and the cache's length in the end."""
    model, logits = _tiny_model(text.n_kv_heads), []
    with torch.no_grad():
        cache = model.new_cache(1, 40)
        if text.before:
            model(torch.tensor([text.before]), cache)
        for piece in text.pieces:
            logits.append(function(model, torch.tensor([piece]), cache))
            if logits[-1] is None:
                return None
    return {"logits": torch.cat(logits, dim=1), "cache.length": cache.length}


def _read_on_cases(rng: Generator) -> list[tuple]:
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


def _window_cases(rng: Generator) -> list[tuple]:
    T = int(rng.integers(8, 15))
    return [(5, 2, 0), (6, 3, 1), (T, 4, 2), (7, 1, 0), (4, 9, 0), (1, 1, 1), (6, 2, 4), (5, 1, 5)]


def _kv_cases(rng: Generator) -> list[tuple]:
    GIB = 2**30
    layers = int(rng.integers(10, 60))
    exact = 2 * 20 * 64 * 4096 * 2
    return [
        (32, 32, 128, 131_072, 20 * GIB),
        (9, 30, 64, 8_192, 10**8),
        (24, 28, 128, 8_192, 2 * GIB),
        (12, 20, 64, 4_096, 6 * exact),  # fits to the byte
        (12, 20, 64, 4_096, 6 * exact - 1),
        (12, 20, 64, 4_096, 5 * exact),  # 5 does not divide 12
        (8, layers, 64, 2_048, GIB),
        (40, 40, 128, 131_072, GIB),  # not even one
        (16, 4, 32, 100, GIB),  # all of them
        (64, 2, 128, 8_192, 8 * (4 * 2 * 128 * 8_192)),  # few layers: without them, two times the heads
        (32, 30, 64, 3, 4 * (4 * 30 * 64 * 3)),  # a short text
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="alibi_slopes",
        notebook="02c_positions_and_length",
        minutes=2,
        difficulty=1,
        reference=alibi_slopes,
        cases=lambda rng: [(8,), (4,), (2,), (16,), (1,), (32,)],
        hints=(
            "With 8 heads the slopes are 1/2, 1/4, …, 1/256. Which powers of 2?",
            "The exponents are −8/n, −16/n, …, −8: evenly spaced, n of them, the last always −8.",
            "Count the heads from 1 to n with `torch.arange(1, n_heads + 1)`, multiply by −8 / n_heads, and raise 2.0 "
            "to that.",
        ),
        proves="right for one head up to 32, the last slope always 1/256",
        properties=[
            Property(
                "every slope is positive",
                lambda result, n: bool((result > 0).all()),
                "the minus sign comes later, when the slope is multiplied by the distance and subtracted.",
            ),
        ],
        mistakes=[
            Mistake(known.slopes_from_one, "the first slope is not 1: count the heads from 1, not from 0."),
            Mistake(known.slopes_of_eight_heads, "these are right for 8 heads only; the exponents depend on n_heads."),
            Mistake(known.slopes_evenly_spaced, "the exponents are evenly spaced, not the slopes themselves."),
            Mistake(lambda n: alibi_slopes(n).flip(0), "the order is reversed: head 0 has the largest slope."),
            Mistake(known.slopes_between_the_ends, "the exponents are evenly spaced, not the slopes themselves."),
            Mistake(known.slopes_as_exponents, "these are the exponents; raise 2 to them."),
            Mistake(known.slopes_as_negative_exponents, "these are the exponents; raise 2 to them."),
            Mistake(known.slopes_that_grow, "the exponents are negative; yours are positive."),
            Mistake(known.slopes_of_e, "these are powers of e; raise 2 to the exponents."),
            Mistake(known.slopes_by_heads_over_eight, "the fraction is upside down: 8/n, not n/8."),
        ],
    ),
    Exercise(
        name="apply_rope",
        notebook="02c_positions_and_length",
        minutes=5,
        difficulty=3,
        reference=apply_rope,
        cases=_rope_cases,
        tolerance=0.01,  # one case is in bfloat16, where another order of rounding is as good an answer
        hints=(
            "Take one pair (a, b) out of a vector. What are its coordinates after a turn by the angle θ?",
            "(a·cos θ − b·sin θ, a·sin θ + b·cos θ). For halves, `x.chunk(2, dim=-1)` gives all a and all b; for "
            "neighbors, `x[..., 0::2]` and `x[..., 1::2]` do. Put the results back where you took them from.",
            "First bring cos and sin to `x.dtype`. Split x into a and b by `interleaved`, compute both turned parts, "
            "then `torch.cat` them along the last axis for halves; for neighbors `torch.stack` them along a new last "
            "axis and flatten the last two.",
        ),
        proves="both conventions, several heads and texts, padded positions, bfloat16, lengths kept",
        properties=[
            Property(
                "turning keeps the length of every vector",
                lambda result, x, *_: torch.allclose(
                    result.float().norm(dim=-1), x.float().norm(dim=-1), rtol=0.02, atol=1e-4
                ),
                "in a·cos θ − b·sin θ and a·sin θ + b·cos θ exactly one sign is a minus, and each has both a and b.",
            ),
        ],
        mistakes=[
            Mistake(
                lambda x, cos, sin, interleaved=False: apply_rope(x, cos, sin, False),
                "you wrote the convention of halves, (0, d/2), for both; interleaved=True pairs neighbors, (0, 1).",
            ),
            Mistake(
                lambda x, cos, sin, interleaved=False: apply_rope(x, cos, sin, True),
                "you wrote the convention of neighbors, (0, 1), for both; interleaved=False pairs halves, (0, d/2).",
            ),
            Mistake(
                lambda x, cos, sin, interleaved=False: apply_rope(x, cos, sin, not interleaved),
                "the two conventions are swapped: interleaved=True pairs neighbors, (0, 1).",
            ),
            Mistake(
                lambda x, cos, sin, interleaved=False: apply_rope(x, cos, -sin, interleaved),
                "you turn the other way: the first part is a·cos − b·sin.",
            ),
            Mistake(known.neighbors_left_as_halves, "you take neighbors apart, but put them back as halves."),
            Mistake(known.halves_left_as_neighbors, "you take halves apart, but put them back as neighbors."),
            Mistake(known.cos_sin_swapped, "cos and sin are swapped."),
            Mistake(
                known.turned_with_the_new_a,
                "you overwrite a before b is turned: both turned parts come from the old a and b.",
            ),
            Mistake(
                known.angles_of_halves_for_neighbors,
                "each pair has one angle; for neighbors repeat it side by side (c₀, c₀, c₁, c₁, …), not in halves.",
            ),
            Mistake(known.wide_result, "cos and sin are float32 and widen the result: bring it back to x.dtype."),
        ],
    ),
    Exercise(
        name="sliding_window_mask",
        notebook="02c_positions_and_length",
        minutes=3,
        difficulty=2,
        reference=sliding_window_mask,
        cases=_window_cases,
        hints=(
            "Write the row of one query by hand: T = 5, window = 2, query 3. Which keys does it see?",
            "Put the queries' numbers in a column and the keys' in a row; comparing them gives a (T, T) table at once. "
            "Three questions: is the key not in the future, is it near, is it one of the first?",
            "A key is near if it is greater than query − window, global if it is smaller than n_global. It is seen "
            "where near or global holds, and at the same time key ≤ query; use `|` and `&` with brackets.",
        ),
        proves="windows of 1, shorter and longer than the text, with and without global tokens, none ahead",
        properties=[
            Property(
                "nobody sees the future",
                lambda result, *_: not bool(result.triu(1).any()),
                "combine everything with key ≤ query, the global tokens too.",
            ),
            Property(
                "every query sees itself",
                lambda result, *_: bool(result.diagonal().all()),
                "the window counts the query itself: window = 1 is the diagonal.",
            ),
        ],
        mistakes=[
            Mistake(known.window_too_wide, "the window is one too wide: the query itself is one of the `window`."),
            Mistake(known.window_too_narrow, "the window is one too narrow."),
            Mistake(known.without_globals, "the first n_global tokens are not let through."),
            Mistake(known.without_window, "this is the causal mask; the window is missing."),
            Mistake(known.one_global_too_many, "one global token too many: they are 0 … n_global − 1."),
            Mistake(known.window_inverted, "the mask is inverted: True is where a query may look."),
            Mistake(known.window_transposed, "queries and keys are swapped: queries go down, keys across."),
            Mistake(known.near_and_first, "a key is seen if it is near *or* one of the first; yours asks for both."),
            Mistake(known.globals_count_in_the_window, "the global tokens do not shorten the window."),
            Mistake(known.global_queries, "n_global counts keys, which all later queries see, not queries."),
            Mistake(known.with_the_future, "keys after the query are let through: key ≤ query is missing."),
        ],
    ),
    Exercise(
        name="read_on",
        notebook="02c_positions_and_length",
        minutes=3,
        difficulty=2,
        reference=read_on,
        planted=planted_read_on,
        cases=_read_on_cases,
        drive=_drive_read_on,
        tolerance=1e-4,  # one kernel adds up the keys of a long text, another those of its pieces
        hints=(
            "The first call is right, the second is not. Where does the second one think that it stands?",
            "Keys in the cache carry the angles of positions 0, 1, …, cache.length − 1. The next token stands behind "
            "them, and the code says that it stands at 0.",
            "Let the positions that go to `model.rope` start at `cache.length` instead of 0, and end T later. Ask for "
            "the length before the cache is advanced, not after.",
        ),
        proves="one piece, several, single tokens, and behind a filled cache: the logits of reading it all at once",
        mistakes=[
            Mistake(planted_read_on, "positions still start from 0 in every call."),
            Mistake(known.reading_from(-1), "positions start one too early, at that of the last token in the cache."),
            Mistake(known.reading_from(1), "positions start one too late; the first free one is cache.length."),
            Mistake(known.cache_not_advanced, "the cache is not advanced, so the next call overwrites these tokens."),
            Mistake(known.always_one_late, "positions start one too late; the first free one is cache.length."),
            Mistake(known.reading_up_to_T, "positions end at T; there must be T of them, from cache.length on."),
            Mistake(
                known.cache_advanced_first,
                "the cache is advanced too early: first ask its length, then store the keys.",
            ),
            Mistake(known.one_position_for_all, "all tokens of a call get the same position; they follow each other."),
        ],
    ),
    Exercise(
        name="choose_kv_heads",
        notebook="02c_positions_and_length",
        minutes=3,
        difficulty=2,
        reference=choose_kv_heads,
        cases=_kv_cases,
        hints=(
            "How many bytes does one key/value head need for one token in one layer?",
            "2 (keys and values) · n_layers · head_dim · tokens numbers of 2 bytes each, for one head. Then try the "
            "divisors of n_heads.",
            "Compute the bytes of one head. Collect every n from 1 to n_heads that divides n_heads and for which n "
            "times those bytes is at most the budget; return the largest, or None for an empty list.",
        ),
        proves="the most heads that divide and fit, to the byte, and None where not even one does",
        mistakes=[
            Mistake(known.kv_heads(per_head=1), "keys *and* values are stored: the cache is twice as large."),
            Mistake(known.kv_heads(per_head=4), "this counts four bytes a number; 16 bits are two."),
            Mistake(known.kv_heads(divide=False), "the heads must divide n_heads."),
            Mistake(known.kv_heads(strict=True), "a cache of exactly the budget fits."),
            Mistake(known.kv_heads(pick=min), "this is the fewest; more heads are better, as long as they fit."),
            Mistake(known.kv_heads(otherwise=1), "where not even one head fits, the answer is None."),
            Mistake(known.kv_heads(powers=True), "you try powers of two only; any divisor of n_heads will do."),
            Mistake(known.halved_heads, "you halve again and again; any divisor of n_heads will do."),
            Mistake(known.kv_heads(limited=False), "the heads must divide n_heads, and there are no more than that."),
            Mistake(known.kv_heads(per_head=16), "this counts 16 bytes a number; 16 bits are two."),
            Mistake(known.kv_heads(per_head=0.5), "each number takes two bytes, and keys *and* values count."),
            Mistake(known.kv_heads(tokens_forgotten=True), "every token of the text has keys and values of its own."),
            Mistake(known.kv_heads(layers_forgotten=True), "every layer has a cache of its own."),
            Mistake(known.kv_heads(otherwise=0), "where not even one head fits, the answer is None."),
            Mistake(known.kv_heads(all_tried=False), "n_heads itself is never tried; if all fit, take all."),
            Mistake(known.no_heads_to_pick_from, "where not even one head fits, the answer is None."),
        ],
    ),
]
