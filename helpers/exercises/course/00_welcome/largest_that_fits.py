"""largest_that_fits: of the models that fit with headroom, the one with the most parameters."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.memory import BITS


def largest_that_fits(budget_gb: float, candidates: list[tuple[str, float, str]]) -> str | None:
    """Name of the candidate with the most parameters that fits, or None where nothing does.

    budget_gb: memory in GB of 10⁹ bytes. candidates: (name, billions of parameters, dtype).
    It fits if 1.2 times its weights is at most the budget: 20 % are headroom.
    Of equally many parameters, the one that takes fewer bytes wins.
    """
    fitting = []
    for name, billions, dtype in candidates:
        gigabytes = billions * BITS[dtype] / 8
        if 1.2 * gigabytes <= budget_gb:
            fitting.append((billions, -gigabytes, name))
    if not fitting:
        return None
    return max(fitting, key=lambda entry: entry[:2])[2]


BEST = "max(fitting, key=lambda entry: entry[:2])"
GUARD = "    if not fitting:\n        return None\n"
TIES = "of two with equally many parameters the one with fewer bytes should win."
NOTHING_FITS = "you take the best of a list without asking whether the list is empty; return None where nothing fits."
SLIPS = [
    ("1.2 * ", "", "the 20 % headroom is missing: multiply the bytes by 1.2 before comparing."),
    (BEST, "fitting[0]", "you take the first that fits; another one may be larger."),
    (BEST, "min(fitting, key=lambda entry: entry[1])", "you compare bytes; the most parameters win."),
    ("entry[:2]", "entry[0]", TIES),
    ("-gigabytes", "gigabytes", TIES),
    (BEST, "sorted(fitting, key=lambda entry: entry[0])[-1]", TIES),
    (
        [("(billions, -gigabytes, name)", "(name, billions, dtype)"), (f"{BEST}[2]", "max(fitting)[0]")],
        "tuples are compared from the left, so the name decides; give `max` a `key`.",
    ),
    ("<= budget_gb", "< budget_gb", "a model that needs exactly the budget still fits: `<=`, not `<`."),
    (
        "1.2 * gigabytes <= budget_gb",
        "gigabytes <= 0.8 * budget_gb",
        "add 20 % to the weights instead of taking 20 % off the budget.",
    ),
    (
        "<= budget_gb",
        "<= budget_gb * 1.073741824",
        "the budget is in GB of 10⁹ bytes, not in GiB of 2³⁰.",
    ),
    ("max(", "min(", "you return the smallest that fits; the largest is asked for."),
    ("billions * BITS[dtype] / 8", "billions * 2", "you count 2 bytes for every dtype; each has its own."),
    (" / 8", "", "you compare bits with bytes; divide by 8."),
    (GUARD, "", NOTHING_FITS),
    ([(GUARD, ""), (BEST, "sorted(fitting, key=lambda entry: (-entry[0], -entry[1]))[0]")], NOTHING_FITS),
    ([(GUARD, ""), (BEST, "sorted(fitting)[-1]")], NOTHING_FITS),
]
REFUSED = [
    (f"{BEST}[2]", BEST, "Expected a str"),
    ("return None", "return ''", "Expected None, yours is ''"),
]
RIGHT = [
    (BEST, "max(fitting)"),
    """
def largest_that_fits(budget_gb, candidates):
    size = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 1.0, "int4": 0.5}
    best = None
    for candidate in candidates:
        name, billions, dtype = candidate
        if billions * size[dtype] * 1.2 > budget_gb:
            continue
        if best is None or billions > best[1] or (billions == best[1] and size[dtype] < size[best[2]]):
            best = candidate
    return best[0] if best else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    zoo = [
        ("tiny", 0.135, "bf16"),
        ("small", 1.7, "bf16"),
        ("medium", 8.0, "int4"),
        ("large", 8.0, "bf16"),
        ("huge", 70.0, "int4"),
    ]
    shuffled = [zoo[i] for i in rng.permutation(len(zoo))]
    return [
        (8.0, zoo),
        (24.0, shuffled),
        (24.0, [("wide", 3.0, "fp32"), ("narrow", 7.0, "int8")]),  # most parameters, not most bytes
        (17.0, [("tempting", 8.0, "fp16"), ("modest", 7.0, "int8")]),  # fits only without the headroom
        (10.0, [("tight", 8.2, "int8"), ("loose", 2.0, "int8")]),  # 20 % of the weights, not of the budget
        (16.0, [("in GiB only", 7.0, "bf16"), ("in GB", 1.0, "bf16")]),  # 16.8 GB: a GiB is larger than a GB
        (50.0, [("as stored", 8.0, "bf16"), ("squeezed", 8.0, "int4"), ("other", 1.0, "int8")]),
        (50.0, [("squeezed", 8.0, "int4"), ("as stored", 8.0, "bf16")]),
        (0.1, zoo),
        (16.0, []),
        (6.0, [("exactly", 5.0, "int8"), ("smaller", 2.0, "int8")]),
    ]


EXERCISE = Exercise(
    reference=largest_that_fits,
    minutes=3,
    difficulty=2,
    hints=(
        "Two questions, one after the other: which candidates fit at all, and which of those is the largest?",
        "A billion parameters at 8 bits is 1 GB, so GB = billions × bits / 8. Keep those for which "
        "that times 1.2 is at most the budget; then compare parameters, not bytes. And if none is left?",
        "Collect the fitting candidates in a list; `if` it is empty return None. Otherwise take "
        "`max(..., key=...)` with a key of two parts: the billions, then minus the GB, so that of two "
        "equally large models the smaller file wins.",
    ),
    proves="headroom counts, parameters decide, ties go to fewer bytes, and None where nothing fits",
    properties=[
        Property(
            "the answer is one of the candidates, or None",
            lambda result, budget, candidates: result is None or result in [c[0] for c in candidates],
        ),
    ],
)
