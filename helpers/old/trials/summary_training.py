"""What all trials of cures for invented facts share: reports that are held out, a tokenizer, a recipe.

    test, tokenizer = held_out("test"), shared_tokenizer()

Every trial has the same tokenizer, model size, number of steps and examples a step: the notebook's, and those of the
sweep `07b_seq2seq`, which records them with other seeds.

What it does not do: choose between the cures; that is done on "dev".
"""

from __future__ import annotations

from functools import cache
from typing import Any

from helpers.old.training.loop import Recipe
from helpers.old.training.seq2seq import report_tokenizer
from helpers.old.velunda.reports import generate_reports, load_reports

REPORTS = 1500  # different reports to train on, unless the cure is more of them
RECIPE = Recipe(steps=700, rate=6e-3, batch=16, warmup=70)
BEAMS = 4  # chosen on dev: greedily, a limited model seldom finds its way back from a word that it did not want
N_HELD_OUT = {"dev": 60, "test": 120}  # as many as data/velunda/reports has


@cache
def shared_tokenizer() -> Any:
    """The tokenizer of all trials, learned from the committed training reports."""
    return report_tokenizer(load_reports("train"))


@cache
def held_out(split: str) -> list[dict[str, Any]]:
    """The committed reports of "dev" or "test", with what they say by slot."""
    return generate_reports(N_HELD_OUT[split], 0, split, words=True)
