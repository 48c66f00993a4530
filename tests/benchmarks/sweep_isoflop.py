"""Small GPTs of seven sizes, each trained with four budgets of operations, on the source of the standard library: the
loss on held-out files, for laws of size, text and compute. Chosen before any of it was run, and not to be looked at by
a fit: a size, 144x4 (more than ten times the parameters of the largest fitted one) on 1.5 million characters, and an
amount of text, 8 million characters (2.7 times the most that a fitted run reads) at the size 48x2. The law that has to
predict them counts all parameters as N and is fitted by least squares on the runs named "fit". As a control, the same
sizes and three of the budgets on the same text with its characters shuffled, where size has nothing to learn. "curve"
is one size more for the largest budget, whose best size would not be enclosed without it; the law does not see it.
Every run has a schedule of its own length and reads no character twice; a run with fewer than 120 steps is left out."""

from __future__ import annotations

from helpers.trials.scaling_runs import BATCH, LENGTH, SIZES, tokens_for, train_size

NAME = "03b_isoflop"
BUDGETS = (1.5e10, 4.5e10, 1.35e11, 4e11)  # operations
FITTED = [size for size in SIZES if size not in ("64x3", "144x4")]
SEEDS, LEAST_STEPS, MOST_TOKENS = (0, 1), 120, 3_100_000
HELD_OUT = [("held-out size", "144x4", 1_500_160), ("held-out data", "48x2", 8_000_000)]


def _fits(size: str, budget: float) -> bool:
    return LEAST_STEPS * BATCH * LENGTH <= tokens_for(size, budget) <= MOST_TOKENS


FIT = [
    {"case": "fit", "size": size, "budget": budget, "seed": seed}
    for seed in SEEDS
    for budget in BUDGETS
    for size in FITTED
    if _fits(size, budget)
]
CONTROL = [case | {"case": "shuffled"} for case in FIT if case["seed"] == 0 and case["budget"] < BUDGETS[-1]]
LAST = [
    {"case": case, "size": size, "tokens": tokens, "seed": seed} for seed in SEEDS for case, size, tokens in HELD_OUT
]
CURVE = [{"case": "curve", "size": "64x3", "budget": BUDGETS[-1], "seed": seed} for seed in SEEDS]
CASES = [*FIT, *CONTROL, *LAST, *CURVE]


def run(case: dict) -> dict:
    tokens = case.get("tokens") or tokens_for(case["size"], case["budget"])
    return train_size(case["size"], tokens, case["seed"], shuffled=case["case"] == "shuffled")
