"""The course's recipe against nanoGPT's own code: the same text, size, machine and held-out windows. nanoGPT trains for
2,000 steps as its README says for a CPU; the course's recipe gets 15, 20, 25, 35 and 50 % of the time that this takes,
as steps times seconds per step, both measured in turns before the race. NANOGPT names the folder of a clone."""

from __future__ import annotations

import json
import statistics
import time

NAME = "03_race"
SEEDS = (0, 1, 2, 3, 4)
STEPS = 2000
SHARES = (0.15, 0.2, 0.25, 0.35, 0.5)
CASES = [
    {"case": "seconds per step"},
    *(
        case
        for seed in SEEDS
        for case in (
            {"case": "nanoGPT", "seed": seed},
            *({"case": "course", "share": share, "seed": seed} for share in SHARES),
        )
    ),
]


def run(case: dict) -> dict:
    import torch

    from helpers.old.pretraining import pretrain, python_reference
    from helpers.old.trials.recipes import COURSE
    from tests.benchmarks.nano_peer import NanoGPT, held_out_nats

    peer, data = NanoGPT.found(), python_reference()
    if case["case"] == "seconds per step":
        return measure(peer, data) | {"commit": peer.commit, "threads": torch.get_num_threads()}
    if case["case"] == "nanoGPT":
        return peer.train(data, STEPS, case["seed"])
    pace = kept_pace()
    steps = max(1, round(case["share"] * STEPS * pace["nanoGPT"] / pace["course"]))
    model, recipe = COURSE.make(data.vocab_size, steps, case["seed"])
    run = pretrain(model, data, recipe, evaluate_every=max(1, steps // 8))

    def loss_of(ids, following):
        return torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), following.flatten())

    return {
        "steps": steps,
        "seconds of training": round(run.seconds[-1], 2),
        "seconds per step": round(statistics.median(later - sooner for sooner, later in pairs(run.seconds)), 5),
        "nats": round(held_out_nats(loss_of, data.held_out), 4),
        "parameters": sum(p.numel() for p in model.parameters()),
        "validation": {str(step): round(nats, 4) for step, nats in run.validation.items()},
    }


def measure(peer, data, rounds: int = 3) -> dict:
    """Seconds per step of both, in turns, so that whatever else runs meets both; the median of the rounds."""
    from helpers.old.pretraining import make_optimizer
    from helpers.old.pretraining.run import training_step
    from helpers.old.trials.recipes import COURSE

    times: dict[str, list[float]] = {"nanoGPT": [], "course": []}
    for _ in range(rounds):
        times["nanoGPT"].append(peer.train(data, 150, 0)["seconds per step"])
        model, recipe = COURSE.make(data.vocab_size, 100)
        optimizer, taken = make_optimizer(model, recipe), []
        for step in range(60):
            start = time.perf_counter()
            rows = data.train.batch(step, recipe.batch, recipe.length)
            optimizer.scale(recipe.share(step))
            training_step(model, rows, optimizer, recipe)
            taken.append(time.perf_counter() - start)
        times["course"].append(statistics.median(taken))
    return {name: round(statistics.median(found), 5) for name, found in times.items()} | {
        "rounds": {name: [round(seconds, 5) for seconds in found] for name, found in times.items()}
    }


def kept_pace() -> dict[str, float]:
    """What the first case of this run of the sweep measured."""
    from tests.benchmarks.sweeps import KEPT, read_kept

    return read_kept(KEPT / f"{NAME}.jsonl")[json.dumps(CASES[0], sort_keys=True)]


def pairs(numbers):
    return zip(numbers, numbers[1:], strict=False)
