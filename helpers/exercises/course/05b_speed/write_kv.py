"""write_kv: a cache with room ahead, of which only the part in use is handed out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise
from helpers.transformer.kv_cache import write_kv

from ._shared import normal

ANSWER = """
def write_kv(store, length, new):
    T = new.shape[2]
    store[:, :, length : length + T] = new
    return store[:, :, : length + T]
"""
WRITE = "    store[:, :, length : length + T] = new\n"
USED = "store[:, :, : length + T]"
ONLY_NEW = "only the new ones are handed out; the past belongs to it."
A_COPY = "nothing is written to the store itself: `torch.cat` and `.clone()` make a copy."
BEHIND = "attention sees whatever stands in the room behind, zeros too: hand out a slice without it."
SLIPS = [
    (USED, "store", "the whole store is handed out, also what was never written."),
    (USED, "store[:, :, : length + 1]", "this is right for one new token, and cuts a prompt off."),
    (USED, "store[:, :, :length]", "what was just written is not handed out."),
    ("length : length + T", ":T", "you write over the first positions; write behind `length`."),
    ("length : length + T", "-T:", "you write at the end of the room; write right behind `length`."),
    (USED, "store[:, :, length:][:, :, :T]", ONLY_NEW),
    (USED, "new", ONLY_NEW),
    (WRITE, "", "nothing is written."),
    ([(WRITE, ""), (USED, "torch.cat((store[:, :, :length], new), dim=2)")], A_COPY),
    ("T = ", "store = store.clone()\n    T = ", A_COPY),
    (USED, "store[:, :, : length + T].clone()", "a copy is handed out; a slice of `store` is a view, without a copy."),
    (USED, "store[:, :, : length + T + 1]", "one too many: the end of a slice is not part of it."),
    (
        USED,
        "store[:, :, : length + T - 1]",
        "one too few: the end of a slice is not part of it, so end at `length + T`.",
    ),
    (USED, "store[:, : length + T]", "your slice counts heads; positions are axis 2."),
    (USED, "store[..., : length + T]", "your slice cuts head_dim; positions are axis 2."),
    (USED, "store[: length + T]", "your slice counts texts of the batch; positions are axis 2."),
    ("return " + USED, "store[:, :, length + T :] = 0\n    return store", BEHIND),
    ("return " + USED, "store[:, :, length + T :] = -torch.inf\n    return store", BEHIND),
    ("length : length + T] = new", "length] = new[:, :, -1]", "only the last of the new tokens is written."),
]
PLANTED = SLIPS[0]
REFUSED = [("length : length + T]", "length]", "It stops with an error when called as")]
RIGHT = [
    """
def write_kv(store, length, new):
    n = new.size(2)
    store.narrow(2, length, n).copy_(new)
    return store.narrow(2, 0, length + n)
""",
]


def drive(write: Callable, store: Tensor, length: int, new: Tensor) -> dict[str, Tensor | bool]:
    """What `write` hands out, and the store behind it."""
    own = store.clone()
    used = write(own, length, new)
    same = isinstance(used, Tensor) and used.untyped_storage().data_ptr() == own.untyped_storage().data_ptr()
    found = used.clone() if isinstance(used, Tensor) else used
    return {"in use": found, "the store afterwards": own, "it is a view of the store": same}


def cases(rng: Generator) -> list[tuple]:
    return [
        (normal(rng, 1, 3, 9, 4), 5, normal(rng, 1, 3, 1, 4)),  # one token
        (normal(rng, 1, 3, 9, 4), 0, normal(rng, 1, 3, 4, 4)),  # a prompt
        (normal(rng, 2, 2, 8, 2), 3, normal(rng, 2, 2, 3, 2)),  # a few drafts
        (normal(rng, 1, 2, 6, 4), 4, normal(rng, 1, 2, 2, 4)),  # to the last place
        (normal(rng, 2, 4, 5, 2), 0, normal(rng, 2, 4, 1, 2)),  # here a slice of each axis is another
    ]


EXERCISE = Exercise(
    reference=write_kv,
    minutes=3,
    difficulty=2,
    drive=drive,
    hints=(
        "The store has room for 19 positions. When the prompt has been read, 7 are written. How many does attention "
        "get to see?",
        "`return store` hands out everything, also what was never written. A key of zeros has the score 0, and "
        "exp(0) is not 0: it takes a share of the attention.",
        "The line that writes is right. What is handed out must be a slice of `store` along axis 2 (positions), "
        "from the first one to where the new tokens end, which is `length` plus the number of new tokens, `T`.",
    ),
    proves="tokens go behind those in use, and exactly the positions in use are handed out, without a copy",
)
