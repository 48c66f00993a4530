"""What stays of the differences in 02d_families when training goes on: learning curves over three times as many steps,
tested after every 100, for the two models that had learned least and for all three on the task with two answers."""

from __future__ import annotations

from helpers.old.trials.families import FAMILIES, STEPS, train_trial

NAME, EVERY = "02d_longer", 100
SLOW = [("decoder", "fill"), ("encoder-decoder", "translate"), *((family, "retell") for family in FAMILIES)]
CASES = [{"family": family, "task": task, "seed": seed, "steps": 3 * STEPS} for seed in (1, 2) for family, task in SLOW]


def run(case: dict) -> dict:
    trial = train_trial(**case, every=EVERY)
    return {"right": trial.right, "of": trial.of, "n_parameters": trial.n_parameters, "curve": list(trial.curve)}
