"""Loss over 100 training steps of 24 layers with and without residuals and norms, for seeds that the notebook does
not use and two learning rates; a run ends where its loss is no number."""

from __future__ import annotations

import math

from helpers.trials.deep_stacks import VARIANTS, deep_stack, train

NAME = "02b_deep_stacks"
STEPS = 100
STANDARD = "residual and norm"  # the one that the notebook re-runs has twice the seeds
SEEDS = {variant: [*range(1, 11 if variant == STANDARD else 6)] for variant in VARIANTS}
CASES = [
    {"variant": variant, "seed": seed, "rate": rate, "steps": STEPS}
    for variant in VARIANTS
    for rate, seeds in ((1e-3, SEEDS[variant]), (3e-4, [1, 2]))
    for seed in seeds
]


def run(case: dict) -> dict:
    model = deep_stack(case["variant"], case["seed"])
    losses = list(train(model, case["steps"], seed=case["seed"], rate=case["rate"]))
    finite = [round(loss, 3) for loss in losses if math.isfinite(loss)]
    return {"losses": finite, "broke_at": None if len(finite) == len(losses) else len(finite)}
