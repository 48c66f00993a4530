"""Long texts for a model that can read them: any mask, slowed rotations, and facts hidden in a haystack.

    logits = read_masked(model, ids, sliding_window_mask(512, 64, n_global=4))
    with stretched(model, RopeScaling("ntk", 4.0)):       # slows the rotations inside the block only
        logits = model(ids)
    hay = haystack(tokenizer, 2048, seed=0)               # five passwords among Python's language reference
    haystack(tokenizer, 2048, seed=0, only=1)             # the second of them alone
    haystack(tokenizer, 2048, seed=0, alike=False)        # five facts of different kinds
    model(hay.ids, cache)
    ask(model, tokenizer, cache, question)                # the next word: is it hay.answers[question]?

The haystack is text that a model has probably seen in training; the answers are drawn at random, so they cannot be
known from there. One reading answers all questions, each asked from the same cache.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache as remembered
from typing import Any

import torch
from torch import Tensor

from helpers.attention import RopeScaling
from helpers.old.corpora import language_reference
from helpers.old.transformer.gpt import GPT
from helpers.transformer.kv_cache import KVCache
from helpers.transformer.llama import Llama

ALIKE = tuple(f"The password of the {place} workshop is" for place in ("Ghent", "Lyon", "Porto", "Bergen", "Graz"))
UNLIKE = (
    "The password of the Ghent workshop is",
    "The cat in the Lyon office is called",
    "The new bike from the factory in Porto is named",
    "The ferry from Bergen to the test track is the",
    "The favorite song of the mechanics in Graz is",
)
WORDS = ("marble", "lantern", "falcon", "cinnamon", "harbor", "pepper", "velvet", "thunder", "orchid", "compass")
HAY_CHARACTERS = 60_000


def read_masked(model: Llama | GPT, ids: Tensor, mask: Tensor) -> Tensor:
    """Logits (B, T, V) of a text that is read once, where `mask` says who may look at whom.

    ids: (B, T); mask: (T, T) bool, True where a query (row) may see a key; what comes after stays hidden anyway.
    """
    x = model.embedding(ids)  # (B, T, C)
    rope = model.rope(torch.arange(ids.shape[1], device=ids.device))
    for block in model.blocks:
        x = block(x, causal=True, mask=mask, rope=rope)
    return model.head(model.norm(x))


@contextmanager
def stretched(model: Llama | GPT, scaling: RopeScaling | None) -> Iterator[None]:
    """Inside the `with`, the model's rotations are scaled; its weights stay as they are."""
    before = model.config
    model.config = replace(before, rope_scaling=scaling)
    try:
        yield
    finally:
        model.config = before


@dataclass(frozen=True)
class Haystack:
    """A text (1, length) and the answer, one token, to each question about it, in the order of the facts in it."""

    ids: Tensor
    answers: dict[str, str]


@remembered
def _hay(tokenizer: Any) -> tuple[int, ...]:
    """Tokens of the haystack, encoded paragraph by paragraph: tokenizers warn of texts beyond the model's length."""
    paragraphs = language_reference().head(HAY_CHARACTERS).split("\n\n")
    return tuple(i for paragraph in paragraphs for i in tokenizer.encode(paragraph + "\n\n"))


def haystack(tokenizer: Any, length: int, seed: int, *, alike: bool = True, only: int | None = None) -> Haystack:
    """`length` tokens with five facts in them, one in the middle of each fifth; their order and answers are shuffled.

    alike: five passwords of five workshops, else facts of five kinds. only: hide just the fact of that fifth (0 … 4),
    with the answer that it has among all five. Raises ValueError for lengths that leave no hay, or for which there is
    none.
    """
    draw = random.Random(seed)
    order = draw.sample(range(len(ALIKE)), len(ALIKE))
    words = draw.sample(WORDS, len(order))
    questions = [(ALIKE if alike else UNLIKE)[i] for i in order]
    kept = range(len(order)) if only is None else [only]
    needles = {i: tokenizer.encode(f"\n{questions[i]} {words[i]}.\n") for i in kept}

    hay = _hay(tokenizer)
    room = length - sum(map(len, needles.values()))
    if not len(order) <= room < len(hay):
        raise ValueError(f"A haystack has between {length - room + len(order)} and {len(hay)} tokens, not {length}.")
    start = draw.randrange(len(hay) - room)

    ids: list[int] = []
    for i in range(len(order)):  # the middle of the i-th fifth of the hay
        first, middle, end = (start + room * half // (2 * len(order)) for half in (2 * i, 2 * i + 1, 2 * i + 2))
        ids += [*hay[first:middle], *needles.get(i, ()), *hay[middle:end]]
    return Haystack(torch.tensor([ids]), {questions[i]: words[i] for i in kept})


@torch.no_grad()
def ask(model: Llama, tokenizer: Any, cache: KVCache, question: str, read: Callable[..., Tensor] | None = None) -> str:
    """The one token that the model writes after `question`, a sentence to complete, as text without its space.

    cache: holds the haystack, and the same again afterwards. read(model, ids, cache) → logits (1, T, V) reads on from
    it, by default the model itself.
    """
    length, ids = cache.length, torch.tensor([tokenizer.encode("\n" + question)])
    logits = (read or type(model).__call__)(model, ids, cache)
    cache.truncate(length)
    return tokenizer.decode([int(logits[0, -1].argmax())]).strip()
