"""From nanoGPT's recipe to the course's: each rung adds one change, the first is nanoGPT's, all are of one size."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from helpers.old.pretraining import pretrain
from helpers.old.trials.recipes import BRANCHES, COURSE, LADDER, RUNGS, make_historical
from tests.pretraining.texts import small_data

V = 103


def weights(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_first_rung_is_nanogpts_model_and_the_last_the_courses_defaults():
    """nanoGPT's own code makes 808,960 parameters for 103 characters; its norms have no biases, which ours have."""
    model, recipe = LADDER["nanoGPT's recipe"].make(V, 2000)
    assert weights(model) - 9 * 128 == 808_960
    rates = [recipe.share(step) * recipe.rate for step in (0, 99, 2000)]
    assert rates == pytest.approx([1e-3 / 101, 1e-3 * 100 / 101, 1e-4])
    model, recipe = COURSE.make(V, 400)
    assert (recipe.optimizer, recipe.batch, recipe.schedule, recipe.floor) == ("muon", 24, "linear", 0.0)
    assert abs(weights(model) / 808_960 - 1) < 0.02


def test_every_rung_changes_something_and_all_are_of_one_size():
    sizes, seen = [], set()
    for rung in RUNGS.values():
        model, recipe = rung.make(V, 900)
        described = repr((asdict(model.config), asdict(recipe)))
        assert described not in seen
        seen.add(described)
        sizes.append(weights(model))
    assert max(sizes) / min(sizes) < 1.05


def test_a_rung_keeps_what_the_one_before_it_has():
    names = list(LADDER)
    for before, after in zip(names, names[1:], strict=False):
        one, two = LADDER[before], LADDER[after]
        same = [k for k in one.model | one.recipe if (one.model | one.recipe)[k] == (two.model | two.recipe)[k]]
        assert len(same) >= len(one.model | one.recipe) - 5
    assert all(set(rung.model) >= set(COURSE.model) for rung in BRANCHES.values())


@pytest.mark.parametrize("name", ["GPT", "LSTM", "bag of vectors"])
def test_the_historical_models_are_of_about_one_size_and_run(name):
    model, recipe = make_historical(name, V, 100)
    assert abs(weights(model) / 804_864 - 1) < 0.05
    data = small_data()
    model, recipe = make_historical(name, data.vocab_size, 2)
    assert len(pretrain(model, data, recipe).losses) == 2


def test_a_warm_up_longer_than_a_run_is_cut():
    assert LADDER["nanoGPT's recipe"].make(V, 30)[1].warmup == 10
