"""Loss over 100 training steps of stacks wired in four ways, of pre-norm and post-norm with a warm-up and with two
layers, and of the three wirings with a residual at a third of the learning rate, for seeds that the notebook does not
use; a run ends where its loss is no number."""

from __future__ import annotations

import math

from helpers.old.trials.deep_stacks import N_LAYERS, VARIANTS, deep_stack, train

NAME = "02b_deep_stacks"
SEEDS, RATE, STEPS, WARMUP, SHALLOW = range(1, 4), 3e-3, 100, 50, 2
SMALLER = 1e-3
SETTINGS = [
    *((variant, N_LAYERS, 0, RATE) for variant in VARIANTS),
    *((variant, N_LAYERS, WARMUP, RATE) for variant in ("pre-norm", "post-norm")),
    *((variant, SHALLOW, 0, RATE) for variant in ("pre-norm", "post-norm")),
    *((variant, N_LAYERS, 0, SMALLER) for variant in ("pre-norm", "post-norm", "no norm")),
]
CASES = [
    {"variant": variant, "layers": layers, "warmup": warmup, "seed": seed, "rate": rate, "steps": STEPS}
    for seed in SEEDS
    for variant, layers, warmup, rate in SETTINGS
]


def run(case: dict) -> dict:
    model = deep_stack(case["variant"], case["seed"], case["layers"])
    losses = list(train(model, case["steps"], case["seed"], case["rate"], case["warmup"]))
    finite = [round(loss, 3) for loss in losses if math.isfinite(loss)]
    return {"losses": finite, "broke_at": None if len(finite) == len(losses) else len(finite)}
