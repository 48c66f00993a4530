"""More misspellings than the canon lists: names of products written wrongly at random, for training.

    rng = random.Random(0)
    misspell_names("Where is my Kite?", rng)        # "Where is my kiite?"
    noisy(tickets, seed=0, share=0.3)               # the same labels; in three of ten tickets the names are misspelled

The tickets' own misspellings come from a list of two or three a name, which a model can learn by heart. Customers have
no list. Spellings that the canon keeps for dev and test never come up: those tickets stay unseen.

What it does not do: typing errors in other words; noise in numbers, whose digits are the label.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from helpers.velunda import canon

VOWELS = "aeiou"


def noisy(tickets: Sequence[Mapping[str, Any]], seed: int, share: float) -> list[dict[str, Any]]:
    """The tickets, about `share` of them with every product's name misspelled. Raises ValueError outside 0 … 1."""
    if not 0 <= share <= 1:
        raise ValueError(f"A share lies between 0 and 1, not {share}.")
    rng = random.Random(f"noise {seed}")
    return [
        {**ticket, "text": misspell_names(ticket["text"], rng)} if rng.random() < share else dict(ticket)
        for ticket in tickets
    ]


def misspell_names(text: str, rng: random.Random) -> str:
    """Each name of a product that is spelled right, with one letter changed; half of them in lower case."""

    def wrong(match: re.Match[str]) -> str:
        written = misspelled(match[0], rng)
        return written.lower() if rng.random() < 0.5 else written

    return _names().sub(wrong, text)


def misspelled(name: str, rng: random.Random) -> str:
    """A wrong spelling that begins as the name does, differs from every spelling in the canon, and keeps its case.

    One letter is left out, doubled, swapped with the next one or, as a vowel, replaced; never the first one.
    """
    while True:
        letters = list(name.lower())
        at = rng.randrange(1, len(letters))
        change = rng.choice(("drop", "double", "swap", "vowel"))
        if change == "drop" and len(letters) > 4:
            del letters[at]
        elif change == "double":
            letters.insert(at, letters[at])
        elif change == "swap" and at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif change == "vowel" and letters[at] in VOWELS:
            letters[at] = rng.choice(VOWELS)
        written = "".join(letters)
        if written not in _spellings():
            return written.capitalize() if name[0].isupper() else written


@cache
def _names() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(product['name'] for product in canon()['products'])})\b", re.IGNORECASE)


@cache
def _spellings() -> frozenset[str]:
    """Every way of writing a product that the canon knows, in lower case: right ones, and wrong ones of all splits."""
    products = canon()["products"]
    return frozenset(s.lower() for product in products for s in (product["name"], *product["spellings"]))
