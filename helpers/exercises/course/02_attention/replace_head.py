"""replace_head: one head's slice exchanged in front of the output projection, and nothing else touched."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def replace_head(merged: Tensor, head: int, n_heads: int, value: Tensor) -> Tensor:
    """The heads' outputs side by side, with `value` in the place of one head's, at every position.

    merged: (B, T, n_heads · head_dim), value: (head_dim,)  →  a new tensor of merged's shape
    """
    d = merged.shape[-1] // n_heads
    replaced = merged.clone()
    replaced[..., head * d : (head + 1) * d] = value
    return replaced


ANSWER = """
def replace_head(merged, head, n_heads, value):
    d = merged.shape[-1] // n_heads
    replaced = merged.clone()
    replaced[..., head * d : (head + 1) * d] = value
    return replaced
"""
OWN = "head * d : (head + 1) * d"
SLIPS = [
    (
        OWN,
        "head::n_heads",
        "you replace every n-th channel; a head's channels stand side by side, from head · head_dim on.",
    ),
    (OWN, "head : head + d", "the slice of a head starts at channel head · head_dim."),
    (OWN, "(head - 1) * d : head * d if head else None", "this is the head before: heads are counted from 0."),
    (OWN, "(head + 1) * d : (head + 2) * d", "this is the next head: heads are counted from 0."),
    ("] = value", "] += value", "you add the value; put it in the place of what the head found."),
    ("replaced[..., ", "replaced[:, -1, ", "only the last position is changed; replace the head at all of them."),
    ("replaced[..., ", "replaced[:, 0, ", "only the first position is changed; replace the head at all of them."),
    ("replaced[..., ", "replaced[0, :, ", "only the first text is changed; replace the head in all of them."),
    ("] = value", "] = 0", "this puts in 0; put in `value`."),
    ("] = value", "] = value.mean()", "each channel of the head has its own entry of `value`."),
    (
        "replaced = merged.clone()",
        "replaced = merged * 0",
        "the other heads are lost: copy them, and replace one slice.",
    ),
]
REFUSED = [
    ("merged.clone()", "merged", "It changes its input `merged`"),
    ("    return replaced", "    replaced", "It returns None. Did you forget `return`?"),
    ("    return replaced", f"    return replaced[..., {OWN}]", "The shape of the result is wrong"),
]
RIGHT = [
    """
def replace_head(merged, head, n_heads, value):
    B, T, C = merged.shape
    heads = merged.view(B, T, n_heads, -1).clone()
    heads[:, :, head] = value
    return heads.view(B, T, C)
""",
    """
def replace_head(merged, head, n_heads, value):
    parts = list(merged.chunk(n_heads, dim=-1))
    parts[head] = value.expand_as(parts[head])
    return torch.cat(parts, dim=-1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, H: int, d: int, head: int) -> tuple:
        return normal(rng, B, T, H * d), head, H, normal(rng, d)

    return [
        case(1, 3, 2, 4, 0),
        case(2, 5, 3, 4, 1),
        case(2, 4, 4, 4, 3),  # 4 tokens, 4 heads, 4 numbers: a mistake keeps the shape
        case(3, 2, 9, 2, 6),
        case(2, 3, 5, 3, 2),
        case(2, 6, 1, 5, 0),  # one head: everything is replaced
    ]


def others_stay(result: Tensor, merged: Tensor, head: int, n_heads: int, value: Tensor) -> bool:
    apart = [h for h in range(n_heads) if h != head]
    before, after = (x.unflatten(-1, (n_heads, -1))[:, :, apart] for x in (merged, result))
    return torch.equal(before, after)


EXERCISE = Exercise(
    reference=replace_head,
    minutes=4,
    difficulty=2,
    hints=(
        "Which channels of the last axis belong to head 6, if each head has 64?",
        "With d = head_dim, head h has the d channels from h · d on. Work on a copy, so that the caller's tensor stays.",
        "head_dim is the size of the last axis divided by n_heads. Take `merged.clone()`, and assign `value` to "
        "`[..., start : start + head_dim]` of the copy: PyTorch repeats it over all texts and positions.",
    ),
    proves="the right slice, at every position of every text, and nothing else",
    properties=[Property("the other heads stay as they were", others_stay)],
)
