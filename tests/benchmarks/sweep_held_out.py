"""What the law of 03b_isoflop has to predict, chosen before any run of either was made: a size, 144x4 (more than ten
times the parameters of the largest fitted one) on 1.5 million characters, and a length of text, 48x2 on 8 million
characters (more than twice as many as any fitted run reads). The law counts all parameters as N and is fitted by least
squares on the runs named "fit"."""

from __future__ import annotations

from helpers.old.trials.scaling_runs import train_size

NAME = "03b_held_out"
CASES = [
    {"case": case, "size": size, "tokens": tokens, "seed": seed}
    for seed in (0, 1)
    for case, size, tokens in (("size", "144x4", 1_500_160), ("data", "48x2", 8_000_000))
]


def run(case: dict) -> dict:
    return train_size(case["size"], case["tokens"], case["seed"])
