"""A text of 65,536 characters read 1 to 32 times, beside as many characters of which none is read twice: the loss on
held-out files of a model of 28 thousand parameters and, for the repeated text, of one three times as large. Each seed
draws another part of the standard library's source, in chunks of 1,024 characters from all over it."""

from __future__ import annotations

from helpers.old.trials.scaling_runs import part_of_text, text_data, train_size

NAME = "03d_repeated"
UNIQUE, EPOCHS, SEEDS = 65_536, (1, 2, 4, 8, 16, 32), (0, 1)
KINDS = [("fresh", "32x2"), ("repeated", "32x2"), ("repeated", "48x3")]
CASES = [
    {"case": case, "size": size, "unique": UNIQUE, "epochs": epochs, "seed": seed}
    for seed in SEEDS
    for case, size in KINDS
    for epochs in EPOCHS
]


def run(case: dict) -> dict:
    data = part_of_text(case["unique"], case["seed"]) if case["case"] == "repeated" else text_data()
    return train_size(case["size"], case["unique"] * case["epochs"], case["seed"], data=data)
