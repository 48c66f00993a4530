"""Bits per byte on held-out docstrings of the standard library, for models of two million parameters that differ in
their vocabulary, after equally many tokens of training; two budgets of tokens, several seeds, none of which the
notebook uses."""

from __future__ import annotations

from helpers.trials.vocabulary import train_trial

NAME = "01_vocabulary"
SIZES, SHORT, LONG = (256, 1024, 2048, 4096, 8192, 16384, 24576), 40_960, 163_840
CASES = [
    {"vocab_size": size, "n_tokens": n_tokens, "seed": seed}
    for n_tokens, seeds in ((SHORT, range(1, 6)), (LONG, range(1, 4)))
    for seed in seeds
    for size in SIZES
]


def run(case: dict) -> dict:
    trial = train_trial(**case, progress=False)
    return {"bits_per_byte": round(trial.bits_per_byte, 4), "n_parameters": trial.n_parameters, "width": trial.width}
