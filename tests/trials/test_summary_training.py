"""One trial of a cure: what is held out, what the rows hold, and that a short trial is scored in both ways."""

from __future__ import annotations

import datasets
import pytest

from helpers.old.training import Recipe
from helpers.old.trials.summary_training import REPORTS, held_out, shared_tokenizer
from helpers.old.velunda import generate_reports, load_reports
from tests.benchmarks.summary_trials import train_trial, training_rows


@pytest.fixture(autouse=True)
def no_bars():
    datasets.disable_progress_bars()


@pytest.mark.parametrize("split", ["dev", "test"])
def test_what_is_held_out_are_the_committed_reports_with_their_words(split):
    assert [r["text"] for r in held_out(split)] == [r["text"] for r in load_reports(split)]
    assert all(r["words"] for r in held_out(split))


def test_rows_have_weights_only_where_facts_weigh_otherwise():
    reports = generate_reports(12, seed=4)
    plain, weighed = training_rows(reports), training_rows(reports, 4)
    assert set(plain.column_names) == {"input_ids", "labels"} and set(weighed.column_names) == {
        "input_ids",
        "labels",
        "weights",
    }
    assert weighed["labels"] == plain["labels"] or list(weighed["labels"]) == list(plain["labels"])
    for row in weighed:
        assert len(row["weights"]) == len(row["labels"]) and {1.0, 4.0} == set(row["weights"])


def test_most_tokens_of_unseen_reports_are_no_single_bytes():
    tokenizer = shared_tokenizer()
    ids = [i for r in held_out("dev") for i in tokenizer(r["text"])["input_ids"]]
    assert sum(i < 256 for i in ids) / len(ids) < 0.5 and len(tokenizer) == 1400
    assert REPORTS > 10 * len(load_reports("train")) / 2


@pytest.mark.slow
def test_a_short_trial_is_scored_freely_and_limited_and_repeats():
    recipe = Recipe(steps=12, rate=6e-3, batch=8, warmup=2)
    case = {"reports": 40, "weight": 4}
    trial, again = (train_trial(case, seed=2, recipe=recipe, split="dev") for _ in range(2))
    assert trial.losses == again.losses and trial.written == again.written
    assert len(trial.losses) == 12 and trial.losses[-1] < trial.losses[0]
    assert {way: len(said) for way, said in trial.written.items()} == {"free": 60, "limited": 60}
    assert trial.scores["limited"]["supported"] >= trial.scores["free"]["supported"]
    assert train_trial(case, seed=3, recipe=recipe, split="dev").losses != trial.losses
