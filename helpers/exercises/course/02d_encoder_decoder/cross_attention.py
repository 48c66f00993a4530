"""cross_attention: queries from what is being written look at keys and values from what was read, never at padding."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention import attention_weights, padding_mask
from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def cross_attention(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """One head of attention from what is being written to what was read: its output and its weights.

    x: (B, T, C), the decoder's states; memory: (B, S, C), the encoder's; w_q, w_k, w_v: (C, d);
    mask: (B, S) bool, False at padding of the source  →  (B, T, d) and (B, T, S)
    """
    q, k, v = x @ w_q, memory @ w_k, memory @ w_v  # (B, T, d) and two of (B, S, d)
    weights = attention_weights(q, k, mask.unsqueeze(1))  # (B, T, S)
    return weights @ v, weights


MASK = "mask.unsqueeze(1)"
WEIGHTS = "attention_weights(q, k, mask.unsqueeze(1))"
BOTH = "return weights @ v, weights"
SCORES = "(q @ k.transpose(1, 2) * q.shape[-1] ** -0.5)"
HIDDEN = SCORES + ".masked_fill(~mask.unsqueeze(1), -torch.inf)"
UNMASKED = (", " + MASK, "")
FROM_X = [("memory @ w_k", "x @ w_k"), ("memory @ w_v", "x @ w_v"), UNMASKED]
ROLES = "queries come from `x`, keys and values from `memory`."
DIVIDED = "this divides by d in the end: `attention_weights` divides by √d already."
SLIPS = [
    (MASK, MASK + ", scale=1.0", "the scores are not divided by √d."),
    (MASK, MASK + ", scale=w_q.shape[0] ** -0.5", "divide by √d, the width of a query, not by √C."),
    (MASK, MASK + ", scale=1 / w_q.shape[1]", DIVIDED),
    (*UNMASKED, "padding of the source is looked at: the mask is not used."),
    (
        WEIGHTS,
        SCORES + ".masked_fill(~mask.unsqueeze(1), 0.0).softmax(-1)",
        "masked scores are 0, which softmax does not ignore: use −inf.",
    ),
    (
        WEIGHTS,
        "attention_weights(q, k) * mask.unsqueeze(1)",
        "you mask after the softmax, so the rows no longer sum to 1.",
    ),
    (WEIGHTS, HIDDEN + ".softmax(-2)", "the softmax runs over the written tokens; it belongs over the source."),
    ("memory @ w_v", "memory @ w_k", "the keys are averaged; average the values, `memory @ w_v`."),
    (
        [("memory @ w_k", "memory @ w_v"), ("memory @ w_v", "memory @ w_k")],
        "w_k and w_v are swapped: keys are compared, values averaged.",
    ),
    ("attention_weights(q,", "attention_weights(q / q.shape[-1] ** 0.5,", DIVIDED),
    (*FROM_X[0], "the keys come from `x`; they belong to what was read, `memory`."),
    (*FROM_X[1], "the values come from `x`; they belong to what was read, `memory`."),
    (FROM_X[:2], ROLES),
    ([("x @ w_q", "memory @ w_q"), *FROM_X[:2]], ROLES),
    (
        "return weights @ v",
        "return weights @ memory",
        "the memory itself is averaged; average the values, `memory @ w_v`.",
    ),
    (
        "return weights @ v, weights",
        "return weights @ v, weights.transpose(1, 2)",
        "the weights are (B, T, S): a row per written token.",
    ),
    (FROM_X, "keys and values come from `x`; they belong to what was read, `memory`."),
    (
        [("x @ w_q", "memory @ w_q"), *FROM_X],
        "the roles are swapped: `x` makes the queries, `memory` the keys and values.",
    ),
    (MASK, "~" + MASK, "the mask is inverted: it is True where a query may look."),
    (
        MASK,
        MASK + " & torch.ones(x.shape[1], memory.shape[1]).tril().bool()",
        "what was read has no future: no causal mask here.",
    ),
    (MASK, "mask", "the mask is (B, S), the scores are (B, T, S): it lacks an axis for T."),
    (
        MASK,
        "mask.unsqueeze(2)",
        "the mask got its new axis at the end, (B, S, 1); it hides keys, not queries.",
    ),
    (BOTH, "return weights @ v, " + HIDDEN, "you return the scores; the weights come after the softmax."),
    (BOTH, "return weights, weights @ v", "the output comes first."),
    (BOTH, "return weights @ v", "return two tensors: the output and the weights."),
]
REFUSED = [
    (BOTH, "return [weights @ v, weights]", "Expected a tuple"),
    (BOTH, "return weights @ v, 2 * weights", "`cross_attention(x: (2, 3, 8), memory: (2, 5, 8), w_q: (8, 4),"),
]
RIGHT = [
    (WEIGHTS, HIDDEN + ".softmax(-1)"),
    """
def cross_attention(x, memory, w_q, w_k, w_v, mask):
    q, k = x @ w_q, memory @ w_k
    scores = torch.einsum("btd,bsd->bts", q, k) / q.shape[-1] ** 0.5
    scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -1e9)[:, None]
    weights = torch.softmax(scores, dim=2)
    return torch.einsum("bts,bsd->btd", weights, memory @ w_v), weights
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, S: int, C: int, d: int, lengths: list[int], scale: float = 1.0) -> tuple:
        w = [normal(rng, C, d, scale=C**-0.5 * scale) for _ in range(3)]
        return normal(rng, B, T, C), normal(rng, B, S, C), *w, padding_mask(lengths, S)

    return [
        case(2, 3, 5, 8, 4, [5, 3]),
        case(1, 1, 6, 4, 4, [6]),  # one token is being written
        case(3, 4, 4, 6, 2, [4, 1, 2]),  # T = S: here swapped roles keep the shape
        case(2, 5, 2, 4, 16, [2, 1], scale=2.0),
        case(2, 6, 3, 5, 3, [1, 2]),
        case(4, 2, 7, 3, 5, [7, 6, 2, 1]),
    ]


EXERCISE = Exercise(
    reference=cross_attention,
    minutes=5,
    difficulty=2,
    hints=(
        "Which of the two inputs makes the queries, and which makes the keys and values? There are T target tokens and "
        "S source tokens.",
        "Queries come from `x`, keys and values from `memory`. The scores are (B, T, S), with a softmax over the S "
        "source tokens. The mask is (B, S): it still lacks an axis for T.",
        "`attention_weights(q, k, mask)` from 02 scales the scores, masks them and takes the softmax; "
        "`mask[:, None, :]` makes the mask (B, 1, S). Multiply the weights by the values "
        "and return two tensors, the output first.",
    ),
    proves="queries from the decoder, keys and values from the encoder, scaled, over the source, padding at zero",
    properties=[
        Property(
            "padding of the source gets no weight",
            lambda result, *args: bool((result[1].transpose(1, 2)[~args[5]].abs() < 1e-6).all()),
            "hide padding before the softmax: its scores become −inf.",
        ),
        Property(
            "each written token's weights over the source sum to 1",
            lambda result, *_: bool(((result[1].sum(-1) - 1).abs() < 1e-4).all()),
            "take the softmax over the last axis, the source, and nothing away after it.",
        ),
    ],
)
