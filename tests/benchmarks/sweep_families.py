"""How many of 200 unseen items an encoder, a decoder and an encoder-decoder of 75,000 parameters get right on four
small tasks after 600 training steps, for three seeds that the notebook does not use."""

from __future__ import annotations

from helpers.old.trials.families import FAMILIES, STEPS, TASKS, train_trial

NAME = "02d_families"
CASES = [
    {"family": family, "task": task, "seed": seed, "steps": STEPS}
    for seed in (1, 2, 3)
    for task in TASKS
    for family in FAMILIES
]


def run(case: dict) -> dict:
    trial = train_trial(**case)
    return {"right": trial.right, "of": trial.of, "n_parameters": trial.n_parameters}
