"""What the law of 03b_isoflop has to predict, chosen before any run of either was made: a size, 144x4 (more than ten
times the parameters of the largest fitted one) on 1.5 million characters. The law counts all parameters as N and is
fitted by least squares on the runs named "fit"."""

from __future__ import annotations

from helpers.trials.scaling_runs import train_size

NAME = "03b_held_out"
CASES = [{"case": "size", "size": "144x4", "tokens": 1_500_160, "seed": 0}]


def run(case: dict) -> dict:
    return train_size(case["size"], case["tokens"], case["seed"])
