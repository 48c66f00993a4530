"""Texts with slots, written by hand and filled by chance: the format of data/velunda/{tickets,reports}/frames.txt.

list(blocks(text))                              # (split, first line of the block, the rest), block by block
choose("{a|b} or {bike}", known, pick)          # "a or ⟦bike⟧": choices made, known slots marked
put("a or ⟦bike⟧", {"bike": "Kite"})            # "a or Kite"
fill_different(100, frames, fill, rng, 20)      # a hundred different texts, the frames in turn
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Frame = TypeVar("Frame")

SLOT = re.compile(r"\{([^{}]*)\}")
MARK = re.compile(r"⟦(.*?)⟧")


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Each block that begins with "# ", with the split named by the last "== " line above it."""
    split = ""
    for block in re.split(r"\n\s*\n", text):
        head, _, rest = block.partition("\n")
        if head.startswith("== "):
            split = head[3:].strip()
        elif head.startswith("# "):
            yield split, head, rest


def choose(text: str, known: Callable[[str], bool], pick: Callable[[list[str]], str]) -> str:
    """Innermost first: a known slot is marked, of options parted by | one is picked.

    Raises ValueError for braces that hold neither.
    """

    def replaced(match: re.Match[str]) -> str:
        if known(match[1]):
            return f"⟦{match[1]}⟧"
        options = match[1].split("|")
        if len(options) < 2:
            raise ValueError(f"{{{match[1]}}} is neither a slot nor a choice.")
        return pick(options)

    while SLOT.search(text):
        text = SLOT.sub(replaced, text)
    return text


def slots(text: str) -> set[str]:
    """The slots marked in a text whose choices are made."""
    return set(MARK.findall(text))


def put(text: str, words: Mapping[str, str]) -> str:
    """The text with a word for each mark."""
    return MARK.sub(lambda match: words[match[1]], text)


def fill_different(
    n: int, frames: list[Frame], fill: Callable[[Frame, random.Random], dict[str, Any]], rng: random.Random, tries: int
) -> list[dict[str, Any]]:
    """`n` filled frames that differ in "text", the frames in turn and shuffled (in place) before each round.

    tries: how often to fill for each one wanted. Raises ValueError where that does not give `n` different texts.
    """
    made: dict[str, dict[str, Any]] = {}
    for attempt in range(tries * n + 100):
        if len(made) == n:
            break
        if attempt % len(frames) == 0:
            rng.shuffle(frames)
        filled = fill(frames[attempt % len(frames)], rng)
        made.setdefault(filled["text"], filled)
    if len(made) < n:
        raise ValueError(f"The frames gave {len(made)} different texts, not {n}.")
    return list(made.values())
