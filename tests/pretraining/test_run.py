"""The loop: it learns, goes on where it was killed, names the step at which it broke, refuses another run's folder."""

from __future__ import annotations

import errno
import math
from dataclasses import replace

import pytest
import torch

from helpers.files import safe_files
from helpers.old.pretraining import Recipe, TokenData, continue_text, make_optimizer, pretrain
from helpers.old.training import TrainingDiverged
from helpers.old.training.state import FILE, read_progress
from helpers.transformer import CheckpointError
from tests.pretraining.texts import small_data, small_gpt

QUICK = Recipe(steps=6, batch=4, length=16, warmup=2)


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_it_begins_at_the_logarithm_of_the_vocabulary_and_learns(optimizer):
    data = small_data()
    model = small_gpt(data.vocab_size)
    run = pretrain(model, data, Recipe(steps=60, batch=8, length=16, warmup=5, optimizer=optimizer), evaluate_every=60)
    assert run.losses[0] == pytest.approx(math.log(data.vocab_size), abs=0.1)
    assert run.validation[0] == pytest.approx(math.log(data.vocab_size), abs=0.1)
    assert run.validation[60] < 2.0 < run.validation[0]
    assert len(run.losses) == len(run.gradient_norms) == len(run.seconds) == 60
    assert run.seconds == sorted(run.seconds) and not model.training


class Stop(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_stopped_and_resumed_it_ends_with_the_same_weights(tmp_path, optimizer):
    """Dropout draws from PyTorch's generator, and samples and evaluation come between: nothing of it may show."""
    data, recipe = small_data(), replace(QUICK, optimizer=optimizer)
    whole = small_gpt(data.vocab_size, dropout=0.1)
    options = {"evaluate_every": 2, "evaluate_windows": 3, "prompt": "the ", "sample_tokens": 5}
    run = pretrain(whole, data, recipe, **options)

    def stop(done, run):
        if done == 4:
            raise Stop

    killed = small_gpt(data.vocab_size, dropout=0.1)
    with pytest.raises(Stop):
        pretrain(killed, data, recipe, folder=tmp_path, save_every=3, on_look=stop, **options)
    resumed = small_gpt(data.vocab_size, seed=9, dropout=0.1)  # another start, which the checkpoint replaces
    torch.manual_seed(77)
    again = pretrain(resumed, data, recipe, folder=tmp_path, save_every=3, **options)
    assert same(weights(whole), weights(resumed))
    assert again.losses == run.losses and again.validation == run.validation and again.samples == run.samples


def test_looking_changes_nothing():
    data = small_data()
    looks = {"evaluate_every": 1, "evaluate_windows": 2, "prompt": "a", "sample_tokens": 3}
    found = []
    for options in ({}, looks):
        model = small_gpt(data.vocab_size, dropout=0.1)
        pretrain(model, data, QUICK, **options)
        found.append(weights(model))
    assert same(*found)


@pytest.mark.parametrize("change", [{"rate": 1e-3}, {"steps": 7}, {"seed": 1}, {"betas": (0.9, 0.99)}])
def test_another_recipe_does_not_go_on_from_this_checkpoint(tmp_path, change):
    data = small_data()
    pretrain(small_gpt(data.vocab_size), data, QUICK, folder=tmp_path)
    name = next(iter(change))
    with pytest.raises(CheckpointError, match=f"was made with {name} = "):
        pretrain(small_gpt(data.vocab_size), data, replace(QUICK, **change), folder=tmp_path)


def test_another_model_or_text_does_not_go_on_from_this_checkpoint(tmp_path):
    data = small_data()
    pretrain(small_gpt(data.vocab_size), data, QUICK, folder=tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(CheckpointError, match="was made with model's d_model = 32 and this run has 64"):
        pretrain(small_gpt(data.vocab_size, d_model=64), data, QUICK, folder=tmp_path)
    other = TokenData(data.train.head(1000), data.held_out, data.tokenizer)
    with pytest.raises(CheckpointError, match="tokens to train on"):
        pretrain(small_gpt(data.vocab_size), other, QUICK, folder=tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("spoiled_after", "said", "kept"),
    [(3, "Step 3: The loss .*lower the learning rate", 2), (4, "Step 3: a weight is no longer", 2)],
)
def test_what_is_no_number_names_its_step_and_keeps_the_checkpoint(tmp_path, spoiled_after, said, kept):
    """Found by the next loss, or, where a checkpoint comes first, before it would replace a good one."""
    data = small_data()
    model = small_gpt(data.vocab_size)

    def spoil(done, run):
        if done == spoiled_after:
            with torch.no_grad():
                model.norm.weight.fill_(float("nan"))

    with pytest.raises(TrainingDiverged, match=said) as caught:
        pretrain(model, data, QUICK, folder=tmp_path, save_every=2, evaluate_every=1, evaluate_windows=1, on_look=spoil)
    assert len(caught.value.history.losses) == spoiled_after
    assert len(read_progress(tmp_path)["run"]["losses"]) == kept
    run = pretrain(small_gpt(data.vocab_size), data, QUICK, folder=tmp_path)
    assert all(math.isfinite(loss) for loss in run.losses) and len(run.losses) == 6


def test_a_full_disk_is_said_in_one_sentence_and_the_checkpoint_before_is_whole(tmp_path, monkeypatch):
    data = small_data()
    real, calls = safe_files._force_to_disk, []

    def full(path):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path)

    monkeypatch.setattr(safe_files, "_force_to_disk", full)
    with pytest.raises(OSError, match="too full for checkpoint.safetensors"):
        pretrain(small_gpt(data.vocab_size), data, QUICK, folder=tmp_path, save_every=2)
    monkeypatch.setattr(safe_files, "_force_to_disk", real)
    whole, resumed = small_gpt(data.vocab_size), small_gpt(data.vocab_size)
    pretrain(whole, data, QUICK)
    pretrain(resumed, data, QUICK, folder=tmp_path)
    assert same(weights(whole), weights(resumed))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "at least 1 step"),
        ({"steps": 5, "optimizer": "sgd"}, "optimizer is one of muon, adamw"),
        ({"steps": 5, "schedule": "step"}, "schedule one of constant"),
        ({"steps": 5, "rate": 0.0}, "above 0"),
        ({"steps": 5, "clip": 0.0}, "above 0"),
        ({"steps": 5, "warmup": 6}, "A schedule needs"),
    ],
)
def test_a_recipe_that_makes_no_run_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Recipe(**options)


def test_a_text_shorter_than_a_window_is_refused():
    data = small_data()
    short = TokenData(data.train.head(12), data.held_out, data.tokenizer)
    with pytest.raises(ValueError, match="do not fit into a text of 12 tokens"):
        pretrain(small_gpt(data.vocab_size), short, QUICK)


@pytest.mark.parametrize("tied", [True, False])
def test_muon_gets_the_matrices_inside_and_each_parameter_has_one_optimizer(tied):
    model = small_gpt(30, tied=tied, norm="layer")
    adam, muon = make_optimizer(model, QUICK).parts
    by_muon = {id(p) for group in muon.param_groups for p in group["params"]}
    by_adam = [id(p) for group in adam.param_groups for p in group["params"]]
    inside = {id(p) for name, p in model.blocks.named_parameters() if p.dim() == 2}
    assert by_muon == inside and not by_muon & set(by_adam)
    assert len(by_muon) + len(by_adam) == len(list(model.parameters()))


def test_a_prompt_is_continued_beyond_the_window_and_the_same_way_again():
    data = small_data()
    model = small_gpt(data.vocab_size, positions="learned")
    texts = [continue_text(model, data.tokenizer, "the cat", 30, length=16, seed=seed) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2] and len(texts[0]) == 30
    with pytest.raises(ValueError, match="at least one token"):
        continue_text(model, data.tokenizer, "", 3, length=16)
