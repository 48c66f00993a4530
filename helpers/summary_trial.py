"""One trial of a cure for invented facts: a small T5 trained on reports, and what its summaries are worth.

    trial = train_trial({"reports": 1500, "weight": 1}, seed=1)
    trial.scores["free"]["true"], trial.scores["limited"]["true"]        # without and with the limit to the source

The sweep `07b_seq2seq` records these trials with other seeds than the notebook's. Every trial has the same tokenizer,
model size, number of steps and examples a step; what differs is how many different reports there are, how much a name
or number weighs in the loss, and the seed.

What it does not do: choose between the cures; that is done on "dev".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from helpers.copying import Names, fact_weights, source_limits, weighted_trainer
from helpers.reports import generate_reports, load_reports
from helpers.seq2seq_training import encoder, report_tokenizer, small_t5, train_by_trainer, write_summaries
from helpers.summaries import scores
from helpers.training import Recipe

REPORTS = 1500  # different reports to train on, unless the cure is more of them
RECIPE = Recipe(steps=700, rate=6e-3, batch=16, warmup=70)
BEAMS = 4  # chosen on dev: greedily, a limited model seldom finds its way back from a word that it did not want
COLUMNS = ["text", "summary", "frame", "facts"]
N_HELD_OUT = {"dev": 60, "test": 120}  # as many as data/velunda/reports has


@dataclass(frozen=True)
class Trial:
    """A trained model, its loss at each step, what it wrote of the held-out reports, freely and limited, and scores."""

    model: Any
    losses: list[float]
    written: dict[str, list[str]]
    scores: dict[str, dict[str, float]]


@cache
def shared_tokenizer() -> Any:
    """The tokenizer of all trials, learned from the committed training reports."""
    return report_tokenizer(load_reports("train"))


@cache
def held_out(split: str) -> list[dict[str, Any]]:
    """The committed reports of "dev" or "test", with what they say by slot."""
    return generate_reports(N_HELD_OUT[split], 0, split, words=True)


def training_rows(reports: Sequence[Mapping[str, Any]], weight: float = 1) -> Any:
    """Reports as a `datasets.Dataset` of ids, with weights where a name or number counts otherwise than once."""
    from datasets import Dataset

    tokenizer = shared_tokenizer()
    weigh = fact_weights(tokenizer, Names.of(reports), weight) if weight != 1 else None
    return Dataset.from_list(list(reports)).map(encoder(tokenizer, weigh), batched=True, remove_columns=COLUMNS)


def train_trial(
    case: Mapping[str, float], seed: int, recipe: Recipe = RECIPE, split: str = "test", title: str | None = None
) -> Trial:
    """Train on `case["reports"]` reports with facts at `case["weight"]`, and score what is written of a split."""
    tokenizer = shared_tokenizer()
    reports = generate_reports(int(case["reports"]), seed=seed)
    rows = training_rows(reports, case["weight"])
    model = small_t5(tokenizer, seed)
    recipe = Recipe(**{**vars(recipe), "seed": seed})
    if case["weight"] == 1:
        losses = train_by_trainer(model, tokenizer, rows, recipe, title)
    else:
        trainer, collator = weighted_trainer()
        losses = train_by_trainer(model, tokenizer, rows, recipe, title, trainer, collator(tokenizer, model))
    limits = source_limits(tokenizer, Names.of(reports))
    texts = [report["text"] for report in held_out(split)]
    written = {
        "free": [best for [best] in write_summaries(model, tokenizer, texts, beams=BEAMS)],
        "limited": [best for [best] in write_summaries(model, tokenizer, texts, limits, beams=BEAMS)],
    }
    return Trial(model, losses, written, {way: scores(said, held_out(split)) for way, said in written.items()})
