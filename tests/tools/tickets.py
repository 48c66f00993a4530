"""The committed tickets, from the frames: `python -m tests.tools.tickets` writes all splits; and leaks.

A filling is seeded by its family, turn and draw, the order of a file by the name of its split.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from helpers.old.velunda import fill, load_frames
from helpers.old.velunda.tickets import FOLDER, FRESH, MORE, SPLITS

PER_FRAME = 2
DRAWS = 12


def tickets(split: str) -> list[dict[str, Any]]:
    """Two fillings of every frame, choices apart; of several draws the one whose product is rarest so far."""
    made, used = [], Counter()
    for frame in load_frames(split):
        seen: set[str] = set()
        for turn in range(PER_FRAME):
            draws = [fill(frame, random.Random(f"{frame.family} {turn} {draw}"), turn) for draw in range(DRAWS)]
            best = min(draws, key=lambda t: (t["label"]["product"] in seen, used[t["label"]["product"]]))
            seen.add(best["label"]["product"])
            used[best["label"]["product"]] += 1
            made.append(best)
    random.Random(split).shuffle(made)
    return made


def word_sequences(texts: Iterable[str], n: int) -> set[tuple[str, ...]]:
    """All runs of `n` words, lower case, punctuation aside. Two splits that share none share no phrase of `n` words."""
    found = set()
    for text in texts:
        words = re.findall(r"\w+(?:['’]\w+)*", text.lower())
        found |= {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
    return found


def lines(split: str) -> str:
    return "".join(json.dumps(ticket, ensure_ascii=False) + "\n" for ticket in tickets(split))


if __name__ == "__main__":
    for name in (*SPLITS, FRESH, MORE):
        (FOLDER / f"{name}.jsonl").write_text(lines(name), encoding="utf-8")
