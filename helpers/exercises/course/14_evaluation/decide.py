"""decide: three verdicts from the intervals of a gain, in all questions and in each slice."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def decide(whole: tuple[float, float], parts: list[tuple[float, float]], margin: float) -> str:
    """The gate's verdict: "passed", "failed" or "cannot be judged".

    whole: (low, high), the interval of the gain in all questions. parts: the same for each slice. margin: the largest
    loss that is accepted, a positive share such as 0.05. An interval shows a loss that may matter if it lies below 0
    and its low end at −margin or below.
    """
    if any(high < 0 and low <= -margin for low, high in [whole, *parts]):
        return "failed"
    return "passed" if whole[0] > -margin else "cannot be judged"


ANSWER = """
def decide(whole, parts, margin):
    for low, high in [whole, *parts]:
        if high < 0 and low <= -margin:
            return "failed"
    if whole[0] > -margin:
        return "passed"
    return "cannot be judged"
"""
LOOP = "    for low, high in [whole, *parts]:"
TEST = "high < 0 and low <= -margin"
SLIPS = [
    (
        '    return "cannot be judged"',
        '    return "failed"',
        "what cannot pass has not failed: without a shown loss, it cannot be judged.",
    ),
    (LOOP, "    for low, high in [whole]:", "a good mean may hide a slice that lost: look at `parts`, too."),
    (LOOP, "    for low, high in parts:", "a loss in all questions counts as well: look at `whole`, too."),
    (
        TEST,
        "high < 0",
        "an interval between −margin and 0 shows a loss too small to matter: that is no failure.",
    ),
    (TEST, "low <= -margin", "a loss is shown only if the whole interval lies below 0."),
    (TEST, "high < -margin", "the interval need not lie below −margin: below 0, and down to −margin, is enough."),
    (
        "    if whole[0] > -margin:",
        "    if all(low > -margin for low, high in [whole, *parts]):",
        "a slice need not exclude a loss, only show none: to pass, look at `whole` alone.",
    ),
    (
        "    if whole[0] > -margin:",
        "    if whole[0] > 0:",
        "to pass, a loss of the margin is excluded; a gain need not be.",
    ),
    ("    if whole[0] > -margin:", "    if whole[0] >= -margin:", "a low end at −margin does not exclude that loss."),
    ("    if whole[0] > -margin:", "    if whole[0] > margin:", "a loss is negative: compare with −margin."),
]
REFUSED = [('return "passed"', "return None", "")]
RIGHT = [
    """
def decide(whole, parts, margin):
    def lost(interval):
        return interval[1] < 0 and not interval[0] > -margin
    if lost(whole) or any(map(lost, parts)):
        return "failed"
    return "cannot be judged" if whole[0] <= -margin else "passed"
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn() -> tuple[float, float]:
        low, high = sorted(round(float(end), 3) for end in rng.uniform(-0.25, 0.2, size=2))
        return low, high

    open_slice = (-0.2, 0.15)
    return [
        ((0.02, 0.16), [open_slice, open_slice], 0.05),
        ((-0.04, 0.06), [], 0.05),
        ((-0.16, -0.02), [open_slice], 0.05),
        ((-0.24, 0.3), [open_slice], 0.05),
        ((0.01, 0.2), [(0.3, 0.9), (-0.4, -0.06)], 0.05),
        ((-0.04, -0.01), [open_slice], 0.05),
        ((-0.04, 0.03), [(-0.03, -0.01)], 0.05),
        ((-0.05, 0.05), [open_slice], 0.05),
        ((-0.05, -0.01), [], 0.05),
        ((-0.08, 0.02), [open_slice, (-0.3, -0.01)], 0.05),
        ((-0.08, 0.02), [], 0.1),
        *((drawn(), [drawn() for _ in range(3)], float(rng.choice([0.05, 0.1]))) for _ in range(8)),
    ]


EXERCISE = Exercise(
    reference=decide,
    minutes=4,
    difficulty=1,
    hints=(
        "What do you say of (−0.24, 0.30), of (−0.16, −0.02) and of (−0.04, −0.01), with a margin of 0.05?",
        "First look for a shown loss that may matter, in `whole` and in every slice: below 0, and down to −margin.",
        "If any of `[whole, *parts]` has high < 0 and low ≤ −margin: failed. Otherwise the low end of `whole` decides: "
        "above −margin it is passed, else it cannot be judged.",
    ),
    proves="a shown loss fails, an excluded one passes, and neither cannot be judged, slices included",
)
