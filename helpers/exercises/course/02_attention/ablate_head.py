"""ablate_head: one head's output replaced by its average, and nothing else touched."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def ablate_head(merged: Tensor, head: int, n_heads: int) -> Tensor:
    """The heads' outputs side by side, with one head's replaced by its average over all texts and positions.

    merged: (B, T, n_heads · head_dim)  →  a new tensor of the same shape
    """
    d = merged.shape[-1] // n_heads
    own = slice(head * d, (head + 1) * d)
    ablated = merged.clone()
    ablated[..., own] = merged[..., own].mean(dim=(0, 1))  # (head_dim,), repeated over texts and positions
    return ablated


ANSWER = """
def ablate_head(merged, head, n_heads):
    d = merged.shape[-1] // n_heads
    own = slice(head * d, (head + 1) * d)
    ablated = merged.clone()
    ablated[..., own] = merged[..., own].mean(dim=(0, 1))
    return ablated
"""
OWN = "slice(head * d, (head + 1) * d)"
MEAN = "merged[..., own].mean(dim=(0, 1))"
SLIPS = [
    (
        OWN,
        "slice(head, None, n_heads)",
        "you take every n-th channel; a head's channels stand side by side, from head · head_dim on.",
    ),
    (OWN, "slice(head, head + d)", "the slice of a head starts at channel head · head_dim."),
    (OWN, "slice((head - 1) * d, head * d) if head else slice(0)", "this is the head before: they are counted from 0."),
    (OWN, "slice((head + 1) * d, (head + 2) * d)", "this is the next head: heads are counted from 0."),
    (MEAN, "merged[..., own].mean(dim=0)", "you average over the texts only; average over the positions, too."),
    (
        MEAN,
        "merged[..., own].mean(dim=1, keepdim=True)",
        "you average over the positions only; average over the texts, too.",
    ),
    (
        MEAN,
        "merged[..., own].mean(dim=-1, keepdim=True)",
        "you average over the channels of each token; average over texts and positions instead.",
    ),
    (
        MEAN,
        "merged.unflatten(-1, (n_heads, d))[:, :, [h for h in range(n_heads) if h != head]].mean(dim=(0, 1, 2))",
        "this is the average of the other heads; take that of this head's own output.",
    ),
    (OWN, "slice(head * n_heads, (head + 1) * n_heads)", "a head has head_dim channels, not n_heads of them."),
    (MEAN, "merged[..., own].mean()", "you average over the channels, too: each channel keeps an average of its own."),
    (MEAN, "merged[..., own].sum(dim=(0, 1))", "this is the sum; take the mean."),
    (MEAN, "0", "this puts in 0; put in the head's average."),
    (
        MEAN,
        "merged.unflatten(-1, (n_heads, d)).mean(dim=(0, 1, 2))",
        "you average over all heads; average over this head's output alone.",
    ),
    ("ablated[..., own] = m", "ablated[:, -1, own] = m", "only the last position is changed; change all of them."),
    ("merged.clone()", "merged.mean(dim=(0, 1)).expand_as(merged).clone()", "all heads are averaged; ablate one."),
    ("merged.clone()", "torch.zeros_like(merged)", "the other heads are lost: copy them, and replace one slice."),
    ("return ablated", "return ablated[..., own]", "only the head's own slice comes back; give the whole tensor."),
]
REFUSED = [
    ("merged.clone()", "merged", "It changes its input `merged`"),
    ("    return ablated", "    ablated", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def ablate_head(merged, head, n_heads):
    B, T, C = merged.shape
    heads = merged.reshape(B, T, n_heads, -1).clone()
    heads[:, :, head] = heads[:, :, head].flatten(0, 1).mean(0)
    return heads.view(B, T, C)
""",
    """
def ablate_head(merged, head, n_heads):
    parts = list(merged.chunk(n_heads, dim=-1))
    parts[head] = parts[head].mean((0, 1), keepdim=True).expand_as(parts[head])
    return torch.cat(parts, dim=-1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, H: int, d: int, head: int) -> tuple:
        return normal(rng, B, T, H * d), head, H

    return [
        case(2, 3, 2, 4, 0),
        case(2, 5, 3, 4, 1),
        case(2, 4, 4, 4, 3),  # 4 tokens, 4 heads, 4 numbers: a mistake keeps the shape
        case(3, 2, 9, 2, 6),
        case(1, 3, 5, 3, 2),
        case(2, 6, 1, 5, 0),  # one head: everything is replaced
    ]


def others_stay(result: Tensor, merged: Tensor, head: int, n_heads: int) -> bool:
    apart = [h for h in range(n_heads) if h != head]
    before, after = (x.unflatten(-1, (n_heads, -1))[:, :, apart] for x in (merged, result))
    return torch.equal(before, after)


EXERCISE = Exercise(
    reference=ablate_head,
    minutes=5,
    difficulty=2,
    hints=(
        "Which channels of the last axis belong to head 6, if each head has 64?",
        "With d = head_dim, head h has the d channels from h · d on. Average that slice over the first two axes, and "
        "assign the result to the same slice of a copy.",
        "head_dim is the size of the last axis divided by n_heads. Start from `merged.clone()`. `.mean(dim=(0, 1))` of "
        "the slice `[..., start : start + head_dim]` has one number per channel; assigned to the slice, PyTorch "
        "repeats it over all texts and positions.",
    ),
    proves="the right slice, one average per channel, and nothing else changed",
    properties=[Property("the other heads stay as they were", others_stay)],
)
