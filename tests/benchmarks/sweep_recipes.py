"""From nanoGPT's recipe to the course's in steps, each trained for the same time on one machine, as steps times seconds
per step, which were measured in turns: held-out surprise by rung and seed. The rungs up to the last one each add a
change; the branches behind it change the last one, and most of them do not help."""

from __future__ import annotations

import json
import statistics
import time

NAME = "03c_ladder"
SEEDS = (0, 1, 2)
FIRST_STEPS = 450  # of nanoGPT's recipe, a good fifth of what it gets in the race; the others get the same time
PACES = {"case": "seconds per step"}


def _cases() -> list[dict]:
    from helpers.old.trials.recipes import RUNGS

    return [PACES, *({"case": name, "seed": seed} for seed in SEEDS for name in RUNGS)]


CASES = _cases()


def run(case: dict) -> dict:
    from helpers.old.pretraining import pretrain, python_reference
    from helpers.old.trials.recipes import LADDER, RUNGS

    data = python_reference()
    if case == PACES:
        return {"paces": paces(data)}
    pace = kept_paces()
    first = next(iter(LADDER))
    steps = round(FIRST_STEPS * pace[first] / pace[case["case"]])
    model, recipe = RUNGS[case["case"]].make(data.vocab_size, steps, case["seed"])
    run = pretrain(model, data, recipe, evaluate_every=max(1, steps // 5))
    return {
        "steps": steps,
        "nats": round(run.validation[steps], 4),
        "seconds of training": round(run.seconds[-1], 1),
        "training loss": round(statistics.mean(run.losses[-20:]), 4),
        "largest gradient": round(max(run.gradient_norms), 3),
        "validation": {str(step): round(nats, 4) for step, nats in run.validation.items()},
    }


def paces(data, rounds: int = 7, steps: int = 3) -> dict[str, float]:
    """Seconds per step of every rung, all in turns, so that whatever else runs meets all; the median of the rounds."""
    from helpers.old.pretraining import make_optimizer
    from helpers.old.pretraining.run import training_step
    from helpers.old.trials.recipes import RUNGS

    times: dict[str, list[float]] = {name: [] for name in RUNGS}
    made = {name: rung.make(data.vocab_size, 1000) for name, rung in RUNGS.items()}
    optimizers = {name: make_optimizer(*pair) for name, pair in made.items()}
    for turn in range(rounds + 1):
        for name, (model, recipe) in made.items():
            start = time.perf_counter()
            for step in range(steps):
                rows = data.train.batch(turn * steps + step, recipe.batch, recipe.length)
                training_step(model, rows, optimizers[name], recipe)
            times[name].append((time.perf_counter() - start) / steps)
    return {name: round(statistics.median(found[1:]), 5) for name, found in times.items()}  # the first warms up


def kept_paces() -> dict[str, float]:
    """What the first case of this sweep measured."""
    from tests.benchmarks.sweeps import KEPT, read_kept

    return read_kept(KEPT / f"{NAME}.jsonl")[json.dumps(PACES, sort_keys=True)]["paces"]
