"""The loop: schedule, accumulation, order, evaluation, checkpoints, and what happens when it is killed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from helpers.lora import add_lora_
from helpers.old.training import (
    Example,
    Recipe,
    TrainingDiverged,
    batch_order,
    collate,
    cosine_with_warmup,
    loss_at_labels,
    train,
    training_step,
)
from helpers.old.training.state import FILE
from helpers.old.transformer import GPT, GPTConfig
from helpers.transformer import CheckpointError
from tests.tools.notebook import ROOT
from tests.training.test_collation_and_losses import examples, small_llama

QUICK = Recipe(steps=6, rate=1e-2, batch=2, warmup=2)


# The schedule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("warmup", "total"), [(0, 10), (1, 10), (10, 100), (7, 7), (60, 600)])
def test_the_schedule_is_the_librarys(warmup, total):
    from transformers import get_cosine_schedule_with_warmup, get_cosine_with_min_lr_schedule_with_warmup

    weight = torch.nn.Parameter(torch.zeros(1))
    for floor in (0.0, 0.1):
        optimizer = torch.optim.SGD([weight], lr=1.0)
        theirs = (
            get_cosine_with_min_lr_schedule_with_warmup(optimizer, warmup, total, min_lr_rate=floor)
            if floor
            else get_cosine_schedule_with_warmup(optimizer, warmup, total)
        )
        for step in range(total):
            assert cosine_with_warmup(step, warmup, total, floor) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
            optimizer.step()
            theirs.step()


def test_the_schedule_ends_at_its_floor_and_stays_there():
    assert [cosine_with_warmup(step, 2, 4, 0.25) for step in (0, 1, 2, 4, 9)] == [0, 0.5, 1, 0.25, 0.25]


@pytest.mark.parametrize("bad", [(-1, 0, 5), (0, 6, 5), (0, -1, 5), (0, 0, 5, 1.5)])
def test_a_schedule_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="A schedule needs"):
        cosine_with_warmup(*bad)


# The order of the data -----------------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 5))
def test_every_example_comes_once_before_any_comes_twice(n, batch, seed):
    steps = 3 * n
    seen = [i for step in range(steps) for i in batch_order(n, batch, step, seed)]
    for start in range(0, len(seen) - n + 1, n):
        assert sorted(seen[start : start + n]) == list(range(n))


def test_the_order_changes_with_the_round_and_the_seed_and_nothing_else():
    first, again = batch_order(50, 50, 0, 1), batch_order(50, 50, 0, 1)
    assert first == again
    assert len({tuple(order) for order in (first, batch_order(50, 50, 1, 1), batch_order(50, 50, 0, 2))}) == 3


# Accumulation --------------------------------------------------------------------------------------------------------


def gradients_of(split: int, normalize=None) -> tuple[float, list[torch.Tensor]]:
    """Loss and gradients of eight texts with 1 to 20 labels each, `split` at a time."""
    model, texts = small_llama(), examples(4, 22, 5, 9, 23, 6, 4, 12, prompt=3)
    batches = [collate(texts[start : start + split]) for start in range(0, len(texts), split)]
    if normalize is None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        loss, _ = training_step(model, batches, optimizer, clip=1e9)
    else:
        loss = normalize(model, batches)
    return loss, [parameter.grad.clone() for parameter in model.parameters()]


def apart(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """Length of the difference as a share of the length of the first."""
    flat = [torch.cat([gradient.flatten() for gradient in gradients]) for gradients in (one, other)]
    return float((flat[0] - flat[1]).norm() / flat[0].norm())


@pytest.mark.parametrize("split", [1, 2, 3])
def test_accumulation_equals_the_big_batch_with_unequal_numbers_of_labels(split):
    """float32 sums in another order: 1e-5 of the gradient's length."""
    whole, expected = gradients_of(8)
    loss, found = gradients_of(split)
    assert loss == pytest.approx(whole, rel=1e-5)
    assert apart(expected, found) < 1e-5


# The loop ------------------------------------------------------------------------------------------------------------


def test_a_model_learns_its_examples_by_heart():
    history = train(small_llama(), examples(8, 5, 9), Recipe(60, 1e-2, batch=3, warmup=5))
    assert len(history.losses) == len(history.gradient_norms) == 60
    assert history.losses[0] > 3
    assert history.losses[-1] < 0.05


def test_evaluation_comes_first_every_n_steps_and_last_and_disturbs_nothing():
    looked, modes = [], []

    def look(model, step):
        looked.append(step)
        modes.append((model.training, torch.is_grad_enabled()))
        torch.rand(step + 1)
        return step / 10

    torch.manual_seed(0)
    history = train(small_llama(), examples(8, 5, 7), QUICK, loss=noisy_loss, evaluate=look, evaluate_every=4)
    torch.manual_seed(0)
    alone = train(small_llama(), examples(8, 5, 7), QUICK, loss=noisy_loss)
    assert looked == [0, 4, 6]
    assert history.evaluations == {0: 0.0, 4: 0.4, 6: 0.6}
    assert set(modes) == {(False, False)}
    assert history.losses == alone.losses


def noisy_loss(model, batch):
    return loss_at_labels(model, batch) * (1 + torch.rand(1).item())


def test_a_loss_that_is_no_number_stops_the_training_and_leaves_its_history():
    def loss(model, batch):
        return loss_at_labels(model, batch) * (torch.nan if len(norms) == 3 else 1)

    norms = []
    model = small_llama()
    model.embedding.register_forward_hook(lambda *_: norms.append(1))
    with pytest.raises(TrainingDiverged, match="lower the learning rate") as error:
        train(model, examples(8, 5), QUICK, loss=loss)
    assert len(error.value.history.losses) == 2


# Checkpoints ---------------------------------------------------------------------------------------------------------


def run(folder, when, *options) -> int:
    """Exit status of the program that trains and dies when told."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.killed_training", str(folder), when, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300).returncode


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("lora",)], ids=["all weights", "adapters"])
def test_killed_and_resumed_it_ends_with_the_same_bits_as_uninterrupted(tmp_path, options):
    """Killed in the middle of step 7, then while the checkpoint of step 10 is put in place: both times back to 5."""
    assert run(tmp_path / "whole", "never", *options) == 0
    killed = tmp_path / "killed"
    for when in ("step 7", "write 1"):
        assert run(killed, when, *options) not in (0, 1)  # killed, not failed
        assert not (killed / "result.safetensors").exists()
        assert (killed / FILE).is_file()
    assert len(list(killed.iterdir())) == 2  # the checkpoint, and beside it what was not moved into place
    assert run(killed, "never", *options) == 0
    whole, resumed = (load_file(folder / "result.safetensors") for folder in (tmp_path / "whole", killed))
    assert whole.keys() == resumed.keys()
    assert [name for name in whole if not torch.equal(whole[name], resumed[name])] == []
    assert sorted(file.name for file in killed.iterdir()) == [FILE, "result.safetensors"]


def tiny() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(61, 16, 1, 2))


def quick(model, folder, recipe=QUICK, texts=None, **options):
    from tests.benchmarks.packing import loss_everywhere

    return train(model, texts or examples(6, 7, 5), recipe, loss=loss_everywhere, folder=folder, **options)


def test_a_checkpoint_holds_no_pickle_and_only_what_is_trained(tmp_path):
    model = add_lora_(tiny(), 2, 4, ("q_proj",))
    quick(model, tmp_path)
    names = load_file(tmp_path / FILE).keys()  # safetensors, and nothing else, can be read so
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    trained = {f"model.{name}" for name, p in model.named_parameters() if p.requires_grad}
    assert {name for name in names if name.startswith("model.")} == trained


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    quick(tiny(), tmp_path)
    with pytest.raises(CheckpointError, match="made with rate=0.01 and this training has rate=0.02"):
        quick(tiny(), tmp_path, Recipe(steps=6, rate=2e-2, batch=2, warmup=2))
    with pytest.raises(CheckpointError, match="made with examples=3 and this training has examples=2"):
        quick(tiny(), tmp_path, texts=examples(6, 7))
    with pytest.raises(CheckpointError, match="other trained weights"):
        quick(add_lora_(tiny(), 2, 4, ("q_proj",)), tmp_path)


def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path):
    quick(tiny(), tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-100])
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        quick(tiny(), tmp_path)


def test_the_examples_labels_stay_where_they_are():
    text = Example([1, 2, 3], [-100, 2, 3])
    train(small_llama(), [text, text], QUICK)
    assert text == Example([1, 2, 3], [-100, 2, 3])
