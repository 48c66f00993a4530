"""cosine_with_warmup: the share of the peak rate runs up a line, then down half a cosine, and stays at its floor."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.training.schedules import cosine_with_warmup

ANSWER = """
def cosine_with_warmup(step, warmup, total, floor=0.0):
    if step < warmup:
        return step / warmup
    done = min(1, (step - warmup) / max(1, total - warmup))
    down = (1 + math.cos(math.pi * done)) / 2
    return floor + (1 - floor) * down
"""
DONE = "min(1, (step - warmup) / max(1, total - warmup))"
DOWN = "(1 + math.cos(math.pi * done)) / 2"
LIFTED = "floor + (1 - floor) * down"
WARM = "the warm-up starts at 0 and reaches 1 at step `warmup`."
SLIPS = [
    (
        DONE,
        "(step - warmup) / max(1, total - warmup)",
        "behind `total` the cosine rises again; it stays at the floor.",
    ),
    ("max(1, total - warmup)", "(total - warmup)", "where `warmup` equals `total` you divide by 0."),
    (DONE, "min(1, step / total)", "the cosine begins at step 0; it begins behind the warm-up."),
    (
        "max(1, total - warmup)",
        "total",
        "the cosine has only total − warmup steps, and must be down at `total`.",
    ),
    ("    if step < warmup:\n        return step / warmup\n", "", "the warm-up is missing."),
    ("step / warmup", "(step + 1) / warmup", WARM),
    (
        DONE,
        "1 if step >= total else (step - warmup) / (total - warmup)",
        "where `warmup` equals `total`, the peak comes first: 1 at that step.",
    ),
    ("step / warmup", "0.0", "during the warm-up the rate rises; yours stays 0."),
    ("step / warmup", "(step + 1) / (warmup + 1)", WARM),
    ("step / warmup", "floor + (1 - floor) * step / warmup", "the warm-up begins at 0, not at the floor."),
    ("math.pi * done", "2 * math.pi * done", "a whole cosine comes up again at the end; half of it."),
    (DOWN, "math.cos(math.pi * done / 2)", "a quarter of a cosine; half of it, moved up and halved."),
    (DOWN, "math.cos(math.pi * done)", "the cosine runs from 1 to −1; a rate is never below 0."),
    (DOWN, "1 - done", "that is a straight line down; it should be half a cosine."),
    ("1 + math.cos", "1 - math.cos", "the sign: 1 *plus* the cosine runs down."),
    ("math.pi * done", "180 * done", "`math.cos` takes radians: π, not 180."),
    (LIFTED, "down", "the floor is not used."),
    (LIFTED, "max(floor, down)", "the floor cuts the curve off; the curve should end in it."),
    (LIFTED, "floor + down", "with the floor added, the peak is above 1."),
    (LIFTED, "(1 - floor) * down", "the curve is scaled and not lifted: it ends at 0."),
    (
        "    done =",
        "    if step > total:\n        return 0.0\n    done =",
        "behind `total` the share is the floor, not 0.",
    ),
]
RIGHT = [
    """
def cosine_with_warmup(step, warmup, total, floor=0.0):
    if step < warmup:
        return step / warmup
    if step >= total:
        return floor if total > warmup else 1.0
    return floor + (1 - floor) * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [(int(rng.integers(12, 90)), 10, 100) for _ in range(3)]
    return [
        (0, 10, 100),
        (3, 10, 100),
        (10, 10, 100),
        *drawn,
        (100, 10, 100),
        (130, 10, 100),  # behind the end
        (0, 0, 50),  # no warm-up
        (25, 0, 50, 0.1),
        (50, 5, 50, 0.2),
        (70, 5, 50, 0.2),
        (40, 5, 50, 0.2),
        (2, 6, 60, 0.5),
        (8, 8, 8),  # nothing but warm-up
    ]


EXERCISE = Exercise(
    reference=cosine_with_warmup,
    minutes=4,
    difficulty=2,
    hints=(
        "Three parts: a line up, half a cosine down, and what is after the end. Where does each begin?",
        "Below `warmup`, the share is step / warmup. Then let `done` run from 0 at the end of the warm-up to 1 at "
        "`total`, no further; (1 + cos(π · done)) / 2 runs from 1 to 0.",
        "`done` is (step − warmup) / (total − warmup), at most 1, where `max(1, …)` below the line keeps you from "
        "dividing by 0. The floor is where the curve ends: floor + (1 − floor) times what you have.",
    ),
    proves="up along a line, down along half a cosine to the floor, and no further",
)
