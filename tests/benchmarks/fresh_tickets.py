"""More labeled tickets than the committed ones, from the same frames: generate(1000, seed=0)."""

from __future__ import annotations

import random
from typing import Any

from helpers.old.velunda import fill, fill_different, load_frames
from helpers.old.velunda.tickets import SPLITS


def generate(n: int, seed: int, split: str = "train") -> list[dict[str, Any]]:
    """`n` different tickets from the frames of a split, in random order; the same for the same seed.

    Raises ValueError for an unknown split, and where the frames do not give `n` different texts.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    return fill_different(n, load_frames(split), fill, random.Random(f"tickets {seed}"), 20)
