"""How many of 100 unseen strings a toy T5 writes backwards after 400 training steps, for ten seeds that the notebook
does not use."""

from __future__ import annotations

from helpers.old.trials.backwards import train_reversal, unseen_strings, write_backwards

NAME = "00_toy_t5"
STEPS, STRINGS = 400, 100
CASES = [{"seed": seed, "steps": STEPS} for seed in range(1, 11)]


def run(case: dict) -> dict:
    toy = train_reversal(case["steps"], seed=case["seed"], progress=False)
    strings = unseen_strings(STRINGS)
    written = write_backwards(toy.model, strings)
    right = sum(answer == text[::-1] for answer, text in zip(written, strings, strict=True))
    return {"right": right, "of": STRINGS, "last_loss": round(toy.losses[-1], 4)}
