"""Small GPTs of seven sizes, each trained with four budgets of operations, on the source of the standard library: the
loss on held-out files, for laws of size, text and compute. As a control, the same sizes and two of the budgets on the
same text with its characters shuffled, where size has nothing to learn. "curve" is one size more for the largest
budget, whose best size would not be enclosed without it; the law of 03b_held_out does not see it. Every run has a
schedule of its own length and reads no character twice; a run with fewer than 120 steps is left out."""

from __future__ import annotations

from helpers.old.trials.scaling_runs import BATCH, LENGTH, SIZES, tokens_for, train_size

NAME = "03b_isoflop"
BUDGETS = (1.5e10, 4.5e10, 1.35e11, 4e11)  # operations
FITTED = [size for size in SIZES if size not in ("64x3", "144x4")]
SEEDS, LEAST_STEPS, MOST_TOKENS = (0, 1), 120, 3_100_000


def _fits(size: str, budget: float) -> bool:
    return LEAST_STEPS * BATCH * LENGTH <= tokens_for(size, budget) <= MOST_TOKENS


FIT = [
    {"case": "fit", "size": size, "budget": budget, "seed": seed}
    for seed in SEEDS
    for budget in BUDGETS
    for size in FITTED
    if _fits(size, budget)
]
CONTROL = [case | {"case": "shuffled"} for case in FIT if case["seed"] == 0 and case["budget"] in BUDGETS[:2]]
CURVE = [{"case": "curve", "size": "64x3", "budget": BUDGETS[-1], "seed": seed} for seed in SEEDS]
CASES = [*FIT, *CONTROL, *CURVE]


def run(case: dict) -> dict:
    tokens = tokens_for(case["size"], case["budget"])
    return train_size(case["size"], tokens, case["seed"], shuffled=case["case"] == "shuffled")
