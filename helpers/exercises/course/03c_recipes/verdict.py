"""verdict: a change to a recipe is a gain only where every seed says so."""

from __future__ import annotations

from statistics import mean

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def verdict(before: dict[int, float], after: dict[int, float]) -> str:
    """Did a change help? "gain" where the loss of every seed fell, "harm" where every one rose, else "unclear".

    before, after: the held-out loss by seed, without and with the change, in any order. A seed is compared with the
    same seed; one that only one of the two has says nothing. Without any pair the verdict is "unclear".
    """
    gaps = [after[seed] - before[seed] for seed in before.keys() & after.keys()]
    if not gaps:
        return "unclear"
    if max(gaps) < 0:
        return "gain"
    return "harm" if min(gaps) > 0 else "unclear"


ANSWER = """
def verdict(before, after):
    gaps = []
    for seed in before:
        if seed in after:
            gaps.append(after[seed] - before[seed])
    if not gaps:
        return "unclear"
    if all(gap < 0 for gap in gaps):
        return "gain"
    if all(gap > 0 for gap in gaps):
        return "harm"
    return "unclear"
"""
MEANS = "the mean decides, so one lucky seed outvotes the others: every seed has to agree."
SLIPS = [
    ("if all(gap < 0 for gap in gaps)", "if mean(gaps) < 0", MEANS),
    ([("if all(gap < 0 for gap in gaps)", "if mean(gaps) < 0"), ("if all(gap > 0", "if any(gap > 0")], MEANS),
    (
        """
def verdict(before, after):
    if mean(after.values()) < mean(before.values()) if before and after else False:
        return "gain"
    return "harm" if before and after else "unclear"
""",
        MEANS,
    ),
    ("all(gap < 0", "any(gap < 0", "a single seed suffices for a gain: every seed has to agree."),
    (
        [("gap < 0 for", "gap > 0 for"), ("all(gap > 0", "all(gap < 0")],
        "gain and harm are exchanged: a lower loss is better.",
    ),
    (
        """
def verdict(before, after):
    if not before or not after:
        return "unclear"
    if max(after.values()) < min(before.values()):
        return "gain"
    if min(after.values()) > max(before.values()):
        return "harm"
    return "unclear"
""",
        "you compare all seeds with all: compare each with itself, since seeds differ by more than recipes do.",
    ),
    (
        """
def verdict(before, after):
    gaps = [b - a for a, b in zip(before.values(), after.values())]
    if gaps and all(gap < 0 for gap in gaps):
        return "gain"
    if gaps and all(gap > 0 for gap in gaps):
        return "harm"
    return "unclear"
""",
        "the values are paired by their order, not by their seed.",
    ),
    (
        '    if not gaps:\n        return "unclear"\n',
        "",
        "without a single pair nothing was measured, and yet it is called a gain.",
    ),
    ("gap < 0 for", "gap <= 0 for", "a seed whose loss stayed as it was did not get better."),
    (
        "all(gap > 0 for gap in gaps)",
        "any(gap > 0 for gap in gaps)",
        "a single seed suffices for harm: every seed has to agree.",
    ),
    (
        '    if all(gap > 0 for gap in gaps):\n        return "harm"\n',
        "",
        "a change that makes every seed worse is not unclear: say so.",
    ),
]
REFUSED = [
    ("        if seed in after:\n            gaps", "        gaps", "KeyError"),
    ('return "gain"', "return True", "kind"),
]
RIGHT = [
    """
def verdict(before, after):
    signs = {(after[s] > before[s]) - (after[s] < before[s]) for s in set(before) & set(after)}
    if signs == {-1}:
        return "gain"
    return "harm" if signs == {1} else "unclear"
""",
]


def cases(rng: Generator) -> list[tuple]:
    base = [round(float(x), 3) for x in rng.uniform(1.4, 1.6, size=3)]
    return [
        ({0: 1.50, 1: 1.58, 2: 1.53}, {0: 1.47, 1: 1.56, 2: 1.49}),  # each better, and yet they overlap
        ({0: 1.50, 1: 1.53, 2: 1.51}, {0: 1.51, 1: 1.55, 2: 1.20}),  # the mean is better
        ({0: 1.50, 1: 1.58, 2: 1.53}, {2: 1.55, 0: 1.51, 1: 1.60}),  # each worse, in another order
        ({0: 1.50, 1: 1.40}, {0: 1.45, 1: 1.60}),
        ({0: 1.50, 1: 1.60}, {1: 1.55, 0: 1.45, 2: 1.90}),  # a seed too many
        ({0: 1.50, 1: 1.60, 2: 1.20}, {1: 1.70, 0: 1.60}),  # a seed too few
        ({0: 1.50, 1: 1.60}, {0: 1.50, 1: 1.50}),  # one did not move
        ({0: 1.50, 1: 1.50}, {0: 1.50, 1: 1.60}),
        ({0: 1.50}, {1: 1.30}),  # no pair
        ({0: 1.60, 1: 1.40, 2: 1.50}, {2: 1.45, 1: 1.42, 0: 1.41}),
        (dict(enumerate(base)), {seed: loss - 0.01 for seed, loss in enumerate(base)}),
        ({}, {}),
    ]


EXERCISE = Exercise(
    reference=verdict,
    minutes=2,
    difficulty=1,
    hints=(
        "Which two numbers belong together, and what is the sign of their difference?",
        "Collect after − before for every seed that both have. A lower loss is better, so a gain has only negative "
        "differences.",
        "Go over the seeds of `before`, skip those that `after` lacks, and keep the differences in a list. An empty "
        "list is unclear. `all(…)` over the list tells whether each of them is below 0, or each above.",
    ),
    proves="seeds are paired by number, all of them have to agree, and nothing measured is no gain",
)
