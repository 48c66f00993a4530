"""swap_residual: run the model once more, with one vector of the stream exchanged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.transformer.minimal import MinimalLlama

from ._shared import MODELS, drawn_ids, normal, tiny_llama


def swap_residual(model: MinimalLlama, ids: Tensor, after: int, vector: Tensor, position: int = -1) -> Tensor:
    """Logits of the next token when `vector` replaces the residual stream at `position` after block `after`.

    ids: (B, T); vector: (C,) or (B, C)  →  (B, V). After block 0 is the embedding, before any block. The model is
    left as it was.
    """
    x = model.embedding(ids)
    for number in range(len(model.blocks) + 1):
        if number == after:
            x = x.clone()  # a caller's tensors stay as they are
            x[:, position] = vector
        if number < len(model.blocks):
            x = model.blocks[number](x)
    return model.head(model.norm(x[:, -1]))


ANSWER = """
def swap_residual(model, ids, after, vector, position=-1):
    x = model.embedding(ids)
    for number in range(len(model.blocks) + 1):
        if number == after:
            x[:, position] = vector
        if number < len(model.blocks):
            x = model.blocks[number](x)
    return model.head(model.norm(x[:, -1]))
"""
SWAP = "x[:, position] = vector"
LEFT_BEHIND = "a hook is still registered, or a weight was changed in place: `handle.remove()` in a `finally`."
SLIPS = [
    ("== after", "== after + 1", "you exchange the vector one block too late."),
    ("== after", "== after - 1", "you exchange the vector one block too early."),
    (
        "range(len(model.blocks) + 1)",
        "range(len(model.blocks))",
        "the place after the last block is never reached.",
    ),
    (
        "if number == after",
        "if 0 < number == after",
        "after block 0, the embedding, nothing is exchanged.",
    ),
    (
        "model.norm(x[:, -1])",
        "model.norm(x[:, position])",
        "you read the logits at `position`; the next token's are at the last one.",
    ),
    (SWAP, "x[:, :] = vector[..., None, :]", "you overwrite every position; exchange one."),
    (SWAP, "x[:, -1] = vector", "`position` is ignored: you always exchange the last one."),
    (SWAP, "x[:, position] += vector", "you add the vector to what is there; replace it."),
    (
        SWAP,
        "x[:, position] = vector\n            break",
        "you read the answer right after the swap; the blocks behind it must run.",
    ),
    ("model.norm(x[:, -1])", "x[:, -1]", "the last norm before the head is missing."),
    (
        "if number == after",
        "if number == after or number < len(model.blocks)",
        "you exchange the vector before every block; do it once.",
    ),
    (SWAP, "pass", "nothing is exchanged: these are the model's own logits."),
    (
        """
def swap_residual(model, ids, after, vector, position=-1):
    def put(module, args):
        x = args[0].clone()
        x[:, position] = vector
        return (x,)
    place = model.blocks[after] if after < len(model.blocks) else model.norm
    place.register_forward_pre_hook(put)
    return model(ids)[:, -1]
""",
        LEFT_BEHIND,
    ),
    ("model.norm(x[:, -1])", "model.norm(x)", "these are the logits of every position; give those of the last one."),
    (
        SWAP,
        "x[position] = vector",
        "the first axis of x is the text: `x[:, position]` is one position in every text.",
    ),
    (
        SWAP,
        "x[0, position] = vector",
        "only the first text is changed: take `x[:, position]`.",
    ),
    ("x = model.blocks[number](x)", "model.blocks[number](x)", "what a block gives is thrown away: store it in x."),
    (
        "x = model.embedding(ids)",
        "x = ids",
        "the blocks need vectors, not ids: begin with `model.embedding(ids)`.",
    ),
]
REFUSED = [
    ("return model.head", "model.head", "yours is None"),
]
RIGHT = [
    """
def swap_residual(model, ids, after, vector, position=-1):
    x = model.embedding(ids)
    for number, block in enumerate(model.blocks):
        if number == after:
            x[:, position] = vector
        x = block(x)
    if after == len(model.blocks):
        x[:, position] = vector
    return model.head(model.norm(x[:, -1]))
""",
    """
def swap_residual(model, ids, after, vector, position=-1):
    def put(module, args):
        x = args[0].clone()
        x[:, position] = vector
        return (x,)
    place = model.blocks[after] if after < len(model.blocks) else model.norm
    handle = place.register_forward_pre_hook(put)
    logits = model(ids)[:, -1]
    handle.remove()
    return logits
""",
    """
def swap_residual(model, ids, after, vector, position=-1):
    def run(x, blocks):
        for block in blocks:
            x = block(x)
        return x
    x = run(model.embedding(ids), model.blocks[:after])
    mark = torch.zeros(ids.shape[1], 1)
    mark[position] = 1
    x = x * (1 - mark) + vector.expand(len(ids), -1)[:, None] * mark
    return model.head(model.norm(run(x, model.blocks[after:])))[:, -1]
""",
]


def drive(swap: Callable, model: str, ids: Tensor, after: int, vector: Tensor, position: int) -> dict[str, Tensor]:
    """What `swap` gives, and the model's own logits after it."""
    decoder = tiny_llama(model)
    with torch.no_grad():
        swapped = swap(decoder, ids, after, vector, position)
        return {"swapped": swapped, "the model afterwards": decoder(ids)[:, -1]}


def is_unharmed(result: dict[str, Tensor], model: str, ids: Tensor, *_: object) -> bool:
    with torch.no_grad():
        own = tiny_llama(model)(ids)[:, -1]
    return torch.allclose(result["the model afterwards"], own, atol=1e-5)


def cases(rng: Generator) -> list[tuple]:
    three, two, five = MODELS
    return [
        (three, drawn_ids(rng, 1, 5), 1, normal(rng, 16), -1),
        (three, drawn_ids(rng, 1, 5), 2, normal(rng, 16), 1),
        (three, drawn_ids(rng, 1, 6), 0, normal(rng, 16), 3),
        (three, drawn_ids(rng, 1, 4), 3, normal(rng, 16), -1),  # behind the last block
        (two, drawn_ids(rng, 2, 4), 1, normal(rng, 2, 16), -1),
        (two, drawn_ids(rng, 1, 1), 0, normal(rng, 16), 0),
        (five, drawn_ids(rng, 1, 7), 4, normal(rng, 16), 2),
        (five, drawn_ids(rng, 1, 3), 5, normal(rng, 16), 0),  # nobody reads it any more
    ]


EXERCISE = Exercise(
    reference=swap_residual,
    minutes=6,
    difficulty=3,
    drive=drive,
    tolerance=1e-4,
    hints=(
        "Write the model's own run first: embedding, blocks, norm, head. At which moment is the stream “after "
        "block `after`”?",
        "Loop over the blocks with their number. Counted from 0, number n is also the number of blocks "
        "that have run. When it equals `after`, exchange the vector *before* running the next block. The place after "
        "the last block comes behind the loop.",
        "Before the loop, x is the embedding of the ids. In the loop: if the number is `after`, write `vector` into x "
        "at `[:, position]`; then run the block. The same `if` once more behind the loop, for `len(model.blocks)`; "
        "then norm and head of the last position.",
    ),
    proves="the right vector at the right moment, from the embedding to the last block, and the model is unharmed",
    properties=[
        Property("the model is as it was: asked again, it gives its own logits", is_unharmed, LEFT_BEHIND),
    ],
)
