"""append_kv: a cache that grows, the new keys behind those of the past."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.transformer.kv_cache import append_kv

from ._shared import normal

ANSWER = """
def append_kv(past, new):
    if past is None:
        return new
    return torch.cat((past, new), dim=2)
"""
BOTH = "torch.cat((past, new), dim=2)"
SLIPS = [
    ("(past, new), dim", "(new, past), dim", "the new ones stand before the past; they belong behind it."),
    (BOTH, "new", "the past is thrown away."),
    (BOTH, "past", "the new ones are missing."),
    ("dim=2", "dim=1", "you join along the heads; positions are axis 2."),
    ("dim=2", "dim=0", "you join along the batch; positions are axis 2."),
    ("dim=2", "dim=3", "you join along head_dim; positions are axis 2."),
    ("past is None", "False", "at the very first call `past` is None: hand `new` back."),
    ("past is None", "not past", "a tensor is neither true nor false; ask for `past is None`."),
    ("cat(", "stack(", "`torch.stack` makes a new axis; `torch.cat` joins along one that is there."),
    (BOTH, "past + new", "`+` adds the numbers; put the tensors one behind the other."),
]
REFUSED = [("return torch", "torch", "It returns None")]
RIGHT = [
    ("dim=2", "dim=-2"),
    """
def append_kv(past, new):
    old = 0 if past is None else past.shape[2]
    both = new.new_empty(new.shape[0], new.shape[1], old + new.shape[2], new.shape[3])
    if old:
        both[:, :, :old] = past
    both[:, :, old:] = new
    return both
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (normal(rng, 1, 3, 5, 4), normal(rng, 1, 3, 1, 4)),
        (normal(rng, 2, 3, 4, 2), normal(rng, 2, 3, 4, 2)),  # here every axis fits
        (None, normal(rng, 1, 2, 6, 4)),
        (normal(rng, 1, 1, 1, 8), normal(rng, 1, 1, 3, 8)),
        (normal(rng, 3, 2, 7, 4), normal(rng, 3, 2, 2, 4)),
    ]


EXERCISE = Exercise(
    reference=append_kv,
    minutes=2,
    difficulty=1,
    hints=(
        "Which of the four axes counts tokens?",
        "Join the two tensors along the axis of positions, the past first. At the very first call there is none.",
        "`torch.cat` takes a tuple of tensors and `dim`. The shape is (batch, heads, positions, head_dim), so "
        "positions are axis 2. If `past` is None, hand `new` back as it is.",
    ),
    proves="the past comes first, along the positions, and an empty past is none",
)
