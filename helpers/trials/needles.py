"""Long texts for a model that can read them: any mask, slowed rotations, and facts hidden in a haystack.

    logits = read_masked(model, ids, sliding_window_mask(512, 64, n_global=4))
    with stretched(model, RopeScaling("ntk", 4.0)):       # slows the rotations inside the block only
        logits = model(ids)
    hay = haystack(tokenizer, 2048, seed=0)               # five passwords among Python's language reference
    model(hay.ids, cache)
    ask(model, tokenizer, cache, "Ghent")                 # the next word: is it hay.passwords["Ghent"]?

The haystack is text that a model has probably seen in training; the passwords are drawn at random, so they cannot be
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

from helpers.attention.positions import RopeScaling
from helpers.corpora import language_reference
from helpers.transformer.gpt import GPT
from helpers.transformer.kv_cache import KVCache
from helpers.transformer.llama import Llama

PLACES = ("Ghent", "Lyon", "Porto", "Bergen", "Graz")
WORDS = ("marble", "lantern", "falcon", "cinnamon", "harbor", "pepper", "velvet", "thunder", "orchid", "compass")
QUESTION = "\nThe password of the {place} workshop is"
NEEDLE = QUESTION + " {word}.\n"
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
    """A text (1, length) with one password for each place, in the order in which they stand in it."""

    ids: Tensor
    passwords: dict[str, str]


@remembered
def _hay(tokenizer: Any) -> tuple[int, ...]:
    """Tokens of the haystack, encoded paragraph by paragraph: tokenizers warn of texts beyond the model's length."""
    paragraphs = language_reference().head(HAY_CHARACTERS).split("\n\n")
    return tuple(i for paragraph in paragraphs for i in tokenizer.encode(paragraph + "\n\n"))


def haystack(tokenizer: Any, length: int, seed: int) -> Haystack:
    """`length` tokens with five passwords in them, one in the middle of each fifth; places and words are shuffled.

    Raises ValueError for lengths that leave no hay, or for which there is none.
    """
    draw = random.Random(seed)
    places = draw.sample(PLACES, len(PLACES))
    passwords = dict(zip(places, draw.sample(WORDS, len(places)), strict=True))
    needles = [tokenizer.encode(NEEDLE.format(place=p, word=w)) for p, w in passwords.items()]
    hay = _hay(tokenizer)
    room = length - sum(map(len, needles))
    if not len(places) <= room < len(hay):
        raise ValueError(f"A haystack has between {length - room + len(places)} and {len(hay)} tokens, not {length}.")
    start = draw.randrange(len(hay) - room)
    ids: list[int] = []
    for i, needle in enumerate(needles):  # the middle of the i-th fifth of the hay
        first, middle, end = (start + room * half // (2 * len(needles)) for half in (2 * i, 2 * i + 1, 2 * i + 2))
        ids += [*hay[first:middle], *needle, *hay[middle:end]]
    return Haystack(torch.tensor([ids]), passwords)


@torch.no_grad()
def ask(model: Llama, tokenizer: Any, cache: KVCache, place: str, read: Callable[..., Tensor] | None = None) -> str:
    """The one token that the model writes after the question for a password, as text without its space.

    cache: holds the haystack, and the same again afterwards. read(model, ids, cache) → logits (1, T, V) reads on from
    it, by default the model itself.
    """
    length, question = cache.length, torch.tensor([tokenizer.encode(QUESTION.format(place=place))])
    logits = (read or type(model).__call__)(model, question, cache)
    cache.truncate(length)
    return tokenizer.decode([int(logits[0, -1].argmax())]).strip()


def right(tokenizer: Any, said: str, word: str) -> bool:
    """Is the token `said` the one that `word` starts with?"""
    return said == tokenizer.decode(tokenizer.encode(" " + word)[:1]).strip()
