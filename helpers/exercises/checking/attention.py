"""Exercises of 02_attention: weights, causal mask, a mask in the wrong place, heads, induction, grouped queries."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention.masks import causal_mask as course_mask
from helpers.attention.multi_head import repeat_kv, split_heads
from helpers.exercises.checking import attention_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.transformer.heads import induction_score


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """How much each query takes from each key: softmax over the keys of q · k / √head_dim.

    q: (…, T, head_dim), k: (…, S, head_dim)  →  (…, T, S), each row sums to 1
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (…, T, S)
    return scores.softmax(dim=-1)


def causal_mask(T: int, S: int) -> Tensor:
    """True where a query may look: at itself and at everything before it.

    The T queries are the last T of S positions.  →  (T, S) bool
    """
    return torch.ones(T, S, dtype=torch.bool).tril(S - T)


def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Each query's weighted average of the values it may look at.

    q: (B, H, T, head_dim); k, v: (B, H, S, head_dim); mask: bool, True where a query may look
    →  (B, H, T, head_dim)
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, T, S)
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return weights @ v


def planted_masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """The version that stands in the notebook: it masks after the softmax, so that rows no longer sum to 1."""
    weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1)
    weights = weights.masked_fill(~mask, 0.0)
    return weights @ v


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def _weights_cases(rng: Generator) -> list[tuple]:
    def case(*shape: int, T: int, S: int, d: int, scale: float = 1.0) -> tuple:
        return _normal(rng, *shape, T, d, scale=scale), _normal(rng, *shape, S, d, scale=scale)

    return [
        case(T=3, S=5, d=4),
        case(T=4, S=4, d=16),  # here the wrong axis keeps the shape
        case(2, T=3, S=6, d=8),
        case(2, 3, T=5, S=5, d=8),
        case(1, 2, T=1, S=7, d=64),  # one query, as in decoding
        case(T=4, S=3, d=5, scale=6.0),
        case(2, 2, T=2, S=1, d=3),
    ]


def _mask_cases(rng: Generator) -> list[tuple]:
    drawn = [int(n) for n in rng.integers(2, 9, size=4)]
    return [(4, 4), (1, 1), (3, 5), (1, 6), (2, 7), *((n, n) for n in drawn[:2]), *((n, n + 3) for n in drawn[2:])]


def _masked_cases(rng: Generator) -> list[tuple]:
    def case(B: int, H: int, T: int, S: int, d: int, mask: Tensor) -> tuple:
        return _normal(rng, B, H, T, d), _normal(rng, B, H, S, d), _normal(rng, B, H, S, d), mask

    padded = course_mask(4) & torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()[:, None, None, :]
    drawn = torch.tensor(rng.random((2, 1, 5, 6)) < 0.5)
    drawn[..., 2] = True  # every query has something to look at
    negative = case(1, 2, 5, 5, 4, course_mask(5))  # a hidden score of 0 is the largest of all here
    return [
        case(2, 2, 4, 4, 8, course_mask(4)),
        (negative[0].abs(), -negative[1].abs(), *negative[2:]),
        case(1, 3, 3, 6, 4, course_mask(3, 6)),
        case(2, 1, 4, 4, 4, padded),
        case(2, 3, 5, 6, 16, drawn),
        case(1, 2, 4, 4, 8, torch.ones(4, 4, dtype=torch.bool)),
        case(1, 1, 1, 1, 4, torch.ones(1, 1, dtype=torch.bool)),
    ]


def _head_cases(rng: Generator) -> list[tuple]:
    return [
        (torch.arange(24.0).view(1, 3, 8), 2),
        (_normal(rng, 2, 5, 12), 3),
        (_normal(rng, 2, 4, 16), 4),  # 4 tokens, 4 heads, 4 numbers: a mistake keeps the shape
        (_normal(rng, 3, 3, 6), 3),
        (_normal(rng, 1, 1, 10), 5),
        (_normal(rng, 2, 7, 6), 1),
    ]


def _induction_cases(rng: Generator) -> list[tuple]:
    def weights(*shape: int, length: int) -> Tensor:
        hidden = ~course_mask(2 * length)
        return _normal(rng, *shape, 2 * length, 2 * length, scale=2).masked_fill(hidden, -torch.inf).softmax(-1)

    perfect = torch.eye(8)
    perfect[4:] = torch.eye(8)[1:5]  # 4, 5, 6, 7 look at 1, 2, 3, 4
    return [
        (weights(length=3), 3),
        (weights(2, length=4), 4),
        (weights(2, 3, length=5), 5),
        (perfect, 4),
        (torch.eye(6), 3),
        (weights(1, 2, length=9), 9),
    ]


def _repeat_cases(rng: Generator) -> list[tuple]:
    return [
        (_normal(rng, 1, 2, 3, 4), 2),
        (_normal(rng, 2, 3, 3, 3), 3),  # sizes alike: repeating another axis differs by its values only
        (_normal(rng, 2, 3, 5, 4), 3),
        (_normal(rng, 1, 1, 6, 2), 4),  # multi-query
        (_normal(rng, 2, 4, 3, 2), 1),  # multi-head: nothing to repeat
        (torch.arange(6.0).view(1, 3, 1, 2), 2),
    ]


def _rows_sum_to_one(result: Tensor, *_: Tensor) -> bool:
    return torch.allclose(result.sum(-1), torch.ones(result.shape[:-1]), atol=1e-4)


def _blind_to_what_is_hidden(result: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> bool:
    """Is every output within the values that its query may see? An average never leaves them."""
    hidden = ~mask.expand(*q.shape[:-1], k.shape[-2])[..., None]  # (B, H, T, S, 1)
    seen = v[:, :, None].expand(*hidden.shape[:-1], v.shape[-1])
    low, high = seen.masked_fill(hidden, torch.inf).amin(3), seen.masked_fill(hidden, -torch.inf).amax(3)
    return bool(((low - 1e-4 <= result) & (result <= high + 1e-4)).all())


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="attention_weights",
        notebook="02_attention",
        minutes=2,
        difficulty=1,
        reference=attention_weights,
        cases=_weights_cases,
        hints=(
            "Which shape must the product of (T, head_dim) with something have, so that it is (T, S)?",
            "Turn the keys so that `@` pairs every query with every key, divide by the root of the head's size, and "
            "let softmax share out each row.",
            "`k.transpose(-2, -1)` swaps the last two axes and leaves the batch alone. Divide the scores by "
            "`math.sqrt(head_dim)`, where head_dim is the last size of `q`; softmax runs over the last axis, the keys.",
        ),
        proves="rows of 1, scaled, for one query or many, with and without batch and heads",
        properties=[
            Property(
                "the weights of each query sum to 1",
                _rows_sum_to_one,
                "softmax must run over the keys, the last axis, and must come last.",
            ),
        ],
        mistakes=[
            Mistake(known.weights(power=0), "the scores are not scaled: divide them by √head_dim."),
            Mistake(known.weights(power=-1), "you divide by head_dim; divide by its square root."),
            Mistake(known.weights(power=0.5), "you multiply by √head_dim instead of dividing."),
            Mistake(known.weights(size=lambda q, k: k.shape[-2]), "you divide by √S; head_dim is the last size of q."),
            Mistake(known.weights(size=lambda q, k: q.shape[-2]), "you divide by √T; head_dim is the last size of q."),
            Mistake(known.weights(dim=-2), "softmax runs over the queries; each query shares out over the keys."),
            Mistake(known.weights(dim=0), "softmax runs over the first axis; the keys are the last one."),
            Mistake(known.weights(dim=1), "softmax runs over axis 1; count from the end, the keys are -1."),
            Mistake(known.bare_scores, "these are the scores; the softmax is missing."),
            Mistake(known.scaled_after_softmax, "you divide after the softmax; scale the scores before it."),
        ],
    ),
    Exercise(
        name="causal_mask",
        notebook="02_attention",
        minutes=2,
        difficulty=2,
        reference=causal_mask,
        cases=_mask_cases,
        hints=(
            "Query number t stands at which position of the S?",
            "The last query stands at position S − 1 and sees everything; each query above it sees one position less.",
            "Number the keys 0 to S − 1 in a row and the queries S − T to S − 1 in a column; a key may be seen where "
            "its number is at most the query's. Or keep the lower triangle of a matrix of ones, with its diagonal "
            "moved to the right by S − T.",
        ),
        proves="each query sees itself and its past, alone, in a full text and after a cache",
        properties=[
            Property(
                "the last query sees everything",
                lambda mask, T, S: bool(mask[-1].all()),
            ),
            Property(
                "each query sees one position more than the one above it",
                lambda mask, T, S: mask.sum(1).tolist() == list(range(S - T + 1, S + 1)),
            ),
        ],
        mistakes=[
            Mistake(known.mask(shift=-1), "off by one: a query may see itself."),
            Mistake(known.mask(shift=1), "off by one: each query sees the position after it, the answer itself."),
            Mistake(known.mask(top_left=True), "with S > T, the queries are the last positions, not the first."),
            Mistake(known.mask(upper=True), "this shows the future and hides the past."),
            Mistake(known.mask(upper=True, top_left=True), "this shows the future and hides the past."),
            Mistake(lambda T, S: known.mask(shift=S)(T, S), "nothing is hidden: a query sees what comes after it."),
            Mistake(known.mask(upper=True, shift=1), "True means “may look”; yours marks what is hidden."),
        ],
    ),
    Exercise(
        name="masked_attention",
        notebook="02_attention",
        minutes=3,
        difficulty=2,
        reference=masked_attention,
        planted=planted_masked_attention,
        cases=_masked_cases,
        hints=(
            "What do the weights of the first query sum to, when it may see only itself?",
            "Softmax has shared out the whole 1 before the mask takes some of it away. What would make softmax itself "
            "give a key nothing?",
            "exp(−∞) is 0: fill the *scores* with `float('-inf')` where the mask is False, and let softmax share out "
            "afterwards. A hidden score of 0 will not do, since exp(0) is 1.",
        ),
        proves="nothing hidden counts, what is left sums to 1, with padding and after a cache",
        properties=[
            Property(
                "the result is finite",
                lambda result, *_: bool(result.isfinite().all()),
                "NaN comes of 0 · ∞, ∞ − ∞ or 0/0: print the scores, then the weights.",
            ),
            Property("each result lies between the values that its query may see", _blind_to_what_is_hidden),
        ],
        mistakes=[
            Mistake(planted_masked_attention, "the mask comes after the softmax: rows no longer sum to 1."),
            Mistake(known.attention(own_mask=known.mask(shift=99)), "`mask` is not used, so nothing is hidden."),
            Mistake(
                known.attention(own_mask=known.mask()),
                "this is a causal mask of your own; use `mask`, which may hide padding, too.",
            ),
            Mistake(
                known.attention(afterwards="minus infinity"),
                "−∞ comes after the softmax; it belongs into the scores, before it.",
            ),
            Mistake(
                known.attention(multiplied=True),
                "0 · −∞ is NaN: fill with `masked_fill` or `torch.where`, do not multiply.",
            ),
            Mistake(known.attention(hidden=0.0), "a hidden score of 0 still gets weight, since exp(0) is 1: use −inf."),
            Mistake(known.attention(hidden=float("inf")), "+inf draws all attention to what is hidden: −inf is meant."),
            Mistake(known.attention(flipped=True), "the mask is upside down: True is what a query may see."),
            Mistake(known.attention(scaled=False), "the scores have lost their √head_dim."),
            Mistake(known.attention(dim=-2), "softmax runs over the queries; each query shares out over the keys."),
            Mistake(
                known.attention(afterwards="softmax again"),
                "a second softmax gives the masked zeros weight again: exp(0) is 1.",
            ),
        ],
    ),
    Exercise(
        name="split_heads",
        notebook="02_attention",
        minutes=2,
        difficulty=2,
        reference=split_heads,
        cases=_head_cases,
        hints=(
            "Which axis do you have to break in two, and into which sizes?",
            "Break the channels of each token into n_heads rows of equal length first; the tokens stay where they "
            "are. Then swap two axes.",
            "Reshape to (B, T, n_heads, head_dim), where head_dim is what is left of the channels: this breaks the "
            "last axis and moves nothing. Then `.transpose(1, 2)` puts the heads before the tokens.",
        ),
        proves="each head gets its slice of every token's channels, also where all sizes are alike",
        properties=[
            Property(
                "head 0 of token 0 holds the first channels of token 0",
                lambda result, x, n: torch.equal(result[:, 0, 0], x[:, 0, : x.shape[-1] // n]),
            ),
        ],
        mistakes=[
            Mistake(known.reshaped_only, "one reshape runs on across tokens: a head gets pieces of several."),
            Mistake(known.interleaved, "each head gets every n-th channel; it should get a slice."),
            Mistake(known.not_transposed, "the tokens still come before the heads: swap axes 1 and 2."),
            Mistake(known.batch_mixed, "B and T are mixed up: texts exchange their tokens."),
        ],
    ),
    Exercise(
        name="induction_score",
        notebook="02_attention",
        minutes=4,
        difficulty=3,
        reference=induction_score,
        cases=_induction_cases,
        hints=(
            "The token at position t stood at t − length before. Where did the one after it stand?",
            "For each t from length to 2 · length − 1, pick the weight that query t gives to key t − length + 1, and "
            "average them. Leave all axes but the last two alone.",
            "With `t = torch.arange(length, 2 * length)`, `weights[..., t, t - length + 1]` picks one weight for each "
            "query of the second half; take the mean over that last axis.",
        ),
        proves="1 for a perfect copier, 0 for a head that looks at itself, and one score a head",
        properties=[
            Property("a score lies between 0 and 1", lambda score, *_: bool(((score >= 0) & (score <= 1)).all())),
        ],
        mistakes=[
            Mistake(known.induction(offset=0, skip=0), "you reward looking at the same token; the next one counts."),
            Mistake(known.induction(skip=0), "query length − 1 has seen no token twice: start at t = length."),
            Mistake(known.induction(skip=2), "the first query of the second half, t = length, is missing."),
            Mistake(known.induction(offset=-1, skip=0), "you reward what came before the same token, not after it."),
            Mistake(known.what_came_before, "you reward what came before the same token, not after it."),
            Mistake(known.induction(offset=2, skip=2), "off by one: you reward the second token after it."),
            Mistake(known.induction(stop=-1), "the last query, t = 2 · length − 1, is missing."),
            Mistake(known.induction(summed=True), "this is the sum; take the mean over the queries."),
            Mistake(known.over_everything, "you average over heads and texts too: keep one score for each."),
            Mistake(
                known.axes_swapped,
                "you pick from above the diagonal, the future, where all is 0: a row is a query, a column a key.",
            ),
        ],
    ),
    Exercise(
        name="repeat_kv",
        notebook="02_attention",
        minutes=2,
        difficulty=1,
        reference=repeat_kv,
        cases=_repeat_cases,
        hints=(
            "With 4 query heads and 2 key heads, which query heads share key head 0?",
            "Query heads 0 and 1 share key head 0, heads 2 and 3 share key head 1: each head comes several times in "
            "a row, before the next.",
            "PyTorch has two functions: `repeat` lays whole copies one after another, `repeat_interleave` repeats "
            "each item on the spot. You want the second, along the axis of the heads.",
        ),
        proves="each head several times in a row, from multi-query to multi-head",
        properties=[
            Property(
                "the first `times` heads are copies of head 0",
                lambda result, x, times: all(torch.equal(result[:, i], x[:, 0]) for i in range(times)),
            ),
        ],
        mistakes=[
            Mistake(known.tiled, "the order is 0, 1, 0, 1; a group of query heads must share one head: 0, 0, 1, 1."),
            Mistake(known.laid_flat, "without `dim`, all numbers are laid in one row; name the axis of the heads."),
            Mistake(known.copies_apart, "the copies have an axis of their own; join it with that of the heads."),
            Mistake(known.along(0), "you repeat the texts; repeat the heads, axis 1."),
            Mistake(known.along(2), "you repeat the positions; repeat the heads, axis 1."),
            Mistake(known.along(3), "you repeat the channels; repeat the heads, axis 1."),
        ],
    ),
]
