"""One trial of a cure for invented facts: a small T5 trained on reports, and what its summaries are worth.

    trial = train_trial({"reports": 1500, "weight": 1}, seed=1)
    trial.scores["free"]["true"], trial.scores["limited"]["true"]        # without and with the limit to the source

The sweep `07b_seq2seq` records these trials with other seeds than the notebook's. What differs between them is how many
different reports there are, how much a name or number weighs in the loss, and the seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.old.generation import Names, source_limits
from helpers.old.training import Recipe, encoder, small_t5, train_by_trainer, write_summaries
from helpers.old.trials.summaries import scores
from helpers.old.trials.summary_training import BEAMS, RECIPE, held_out, shared_tokenizer
from helpers.old.velunda import generate_reports
from tests.benchmarks.weighted_facts import fact_weights, weighted_trainer

COLUMNS = ["text", "summary", "frame", "facts"]


@dataclass(frozen=True)
class Trial:
    """A trained model, its loss at each step, what it wrote of the held-out reports, freely and limited, and scores."""

    model: Any
    losses: list[float]
    written: dict[str, list[str]]
    scores: dict[str, dict[str, float]]


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
