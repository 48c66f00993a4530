"""Three versions of a small assistant that quotes the handbook: what a team compares before it replaces one by another.

    old("What does a new display cost?")        # the sentence that shares the most words with the question
    new("What does a new display cost?")        # the same, with rare words counting more
    careful("What does a new display cost?")    # the same, or "I do not know." where too few of its words are covered

It is a file of its own, as in a real project, so that `python -m helpers.old.evaluation --model word_desk:new` finds
it in the folder where it lies. What it does not do: understand a word.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable

from helpers.retrieval.chunking import sentences
from helpers.velunda.handbook import load_handbook

PAGES = [page for page in load_handbook().values() if page.replaced_by is None]
UNITS = [text for page in PAGES for text in sentences(page.text)]
COVERED = 0.6  # the least share of the question's weight for which `careful` answers


def words(text: str) -> set[str]:
    """The different words of a text, in lower case, without a final s."""
    return {word.rstrip("s") for word in re.findall("[a-z0-9]+", text.lower())}


HELD = [words(text) for text in UNITS]
USED = Counter(word for held in HELD for word in held)


def best(question: str, weight: Callable[[str], float]) -> tuple[str, float]:
    """The sentence that shares the most weight with the question, and that weight as a share of the question's."""
    weights = {word: weight(word) for word in words(question) & USED.keys()}
    worth = [sum(weights[word] for word in held & weights.keys()) for held in HELD]
    return UNITS[worth.index(max(worth))], max(worth) / (sum(weights.values()) or 1)


def equal(word: str) -> float:
    """Every word counts the same."""
    return 1


def rare(word: str) -> float:
    """The fewer sentences hold a word, the more it counts."""
    return math.log(len(UNITS) / USED[word])


def old(question: str) -> str:
    """The sentence with the most shared words."""
    return best(question, equal)[0]


def new(question: str) -> str:
    """The sentence whose shared words are rarest."""
    return best(question, rare)[0]


def careful(question: str) -> str:
    """As `new`, but silent where too little of the question is covered."""
    text, covered = best(question, rare)
    return text if covered > COVERED else "I do not know."
