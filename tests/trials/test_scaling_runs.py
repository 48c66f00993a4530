"""The runs behind the laws: what a budget buys, which text they read, how a model is judged."""

from __future__ import annotations

import pytest
import torch

from helpers.old.pretraining import count_parameters, surprise, training_flops
from helpers.old.trials.scaling_runs import (
    BATCH,
    LENGTH,
    SIZES,
    character_entropy,
    config_of,
    files,
    judge,
    make_model,
    part_of_text,
    recipe_for,
    share_in_a_row,
    text_data,
    tokens_for,
    train_size,
)


@pytest.mark.parametrize("size", SIZES)
def test_a_budget_is_spent_to_within_half_a_step(size):
    budget = 4e11
    spent = tokens_for(size, budget) * training_flops(config_of(size), LENGTH)
    assert abs(spent - budget) <= 0.5 * BATCH * LENGTH * training_flops(config_of(size), LENGTH)


def test_the_held_out_size_is_more_than_ten_times_the_largest_fitted_one():
    totals = {size: count_parameters(make_model(size, 0)).total for size in SIZES}
    assert totals["144x4"] > 10 * max(n for size, n in totals.items() if size not in ("144x4", "64x3"))


def test_no_file_is_trained_on_and_held_out():
    train, held_out = files()
    assert not {title for title, _ in train} & {title for title, _ in held_out}
    assert all(text.isascii() for _, text in (*train, *held_out))
    assert len(text_data().train) > 8_000_000  # the longest run reads nothing twice


def test_shuffled_text_has_the_same_characters_in_another_order():
    whole, shuffled = text_data(), text_data(shuffled=True)
    for one, other in ((whole.train, shuffled.train), (whole.held_out, shuffled.held_out)):
        counts = [torch.from_numpy(part.ids.astype("int64")).bincount(minlength=96) for part in (one, other)]
        assert torch.equal(*counts) and (one.ids != other.ids).mean() > 0.8
    assert character_entropy(shuffled) == pytest.approx(character_entropy(whole))


def test_a_part_of_the_text_comes_from_all_over_it_and_only_from_there():
    whole, part = text_data(), part_of_text(65_536, seed=0)
    assert len(part.train) == 65_536 and part.held_out is whole.held_out
    chunk = bytes(part.train.ids[:1024].astype("uint8"))
    assert chunk in bytes(whole.train.ids.astype("uint8"))
    assert len({bytes(part_of_text(65_536, seed).train.ids[:64]) for seed in range(3)}) == 3
    with pytest.raises(ValueError, match="cannot be taken"):
        part_of_text(10**8, seed=0)


def test_every_run_has_a_whole_schedule():
    recipe = recipe_for(tokens_for("48x3", 4.5e10), seed=0)
    assert recipe.warmup < recipe.steps / 5 and recipe.share(recipe.steps) == 0
    with pytest.raises(ValueError, match="at least two steps"):
        recipe_for(BATCH * LENGTH, seed=0)


def test_only_letters_begin_a_row():
    right = torch.tensor([[True, True, False, True, True]])
    letters = torch.tensor([[True, True, True, False, True]])
    assert share_in_a_row(right, letters, 1) == pytest.approx(3 / 4)
    assert share_in_a_row(right, letters, 2) == pytest.approx(1 / 3)  # starts 0, 1 and 2; from 0 on both are right


def test_judging_reads_the_held_out_text_as_surprise_does():
    model, data = make_model("8x1", 0), text_data()
    short = type(data)(data.train, data.held_out.head(20 * LENGTH + 1), data.tokenizer)
    assert judge(model, short, every=1)["loss"] == pytest.approx(surprise(model, short.held_out, LENGTH).nats, abs=1e-4)


def test_a_run_learns_and_says_what_it_read():
    found = train_size("8x1", 40 * BATCH * LENGTH, seed=0)
    assert found["tokens"] == 40 * BATCH * LENGTH and found["steps"] == 40
    assert found["loss"] < 4.0 < 4.56  # ln 96, where it began
    rows = list(found["right in a row"].values())
    assert rows == sorted(rows, reverse=True)
