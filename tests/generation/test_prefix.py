"""A prefix read once gives the loss and the gradients that its copies give, from fewer tokens."""

from __future__ import annotations

import pytest
import torch

from helpers.generation import generate
from helpers.lora import add_lora_, lora_parameters
from helpers.old.foundations.probability import IGNORED
from helpers.old.generation import BehindPrefix
from helpers.old.speed import FastLlama
from helpers.old.training import Batch, Example, collate, loss_at_labels, loss_behind_prefix, shared_length
from helpers.transformer import Llama
from tests.lora.test_layers import stirred
from tests.training.test_collation_and_losses import small_llama


def batch_of(prefix: list[int], *rows: tuple[list[int], list[int]]) -> Batch:
    """Each row: what stands behind the prefix, and the answer that is trained."""
    return collate([Example(prefix + a + b, [IGNORED] * (len(prefix) + len(a)) + b) for a, b in rows])


ROWS = [([7, 8, 9], [10, 11]), ([7, 12], [13, 14, 15, 2]), ([20], [21])]


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], [ROWS[0], ([7, 8, 1], [5, 4])]], ids=["padded", "one", "equal"])
@pytest.mark.parametrize("prefix", [[3, 4, 5, 6], []], ids=["prefix", "none"])
def test_loss_and_gradients_are_those_of_the_copies(prefix, rows):
    model = stirred(add_lora_(small_llama(), rank=3, alpha=6)).double()  # sums in another order, and gradients up to 40
    batch, found = batch_of(prefix, *rows), []
    for loss in (loss_at_labels, loss_behind_prefix):
        model.zero_grad()
        value = loss(model, batch)
        value.backward()
        found.append((value.item(), [parameter.grad.clone() for parameter in lora_parameters(model)]))
    (expected, gradients), (value, ours) = found
    assert value == pytest.approx(expected, rel=1e-6)
    assert any(gradient.abs().max() > 1e-3 for gradient in gradients)
    for mine, theirs in zip(ours, gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=2e-6)  # the loss itself is computed in float32


def test_the_prefix_ends_where_rows_part_where_one_ends_or_where_a_label_is_predicted():
    assert shared_length(batch_of([3, 4, 5], *ROWS)) == 3
    assert shared_length(batch_of([3, 4, 5], *ROWS[:2])) == 4  # both go on with 7
    assert shared_length(batch_of([3], ([], [4, 9]), ([], [4, 8]))) == 0  # 3 predicts the label 4
    assert shared_length(batch_of([3, 4], ([], [5]), ([], [5]))) == 1
    assert shared_length(collate([Example([3, 4], [IGNORED] * 2), Example([3, 4, 0, 0], [IGNORED] * 4)])) == 2
    assert shared_length(collate([Example([3, 4], [IGNORED] * 2)] * 2)) == 1  # one token is left to read


def test_the_model_reads_the_prefix_once(monkeypatch):
    model, read = small_llama(), []
    forward = Llama.forward
    monkeypatch.setattr(
        Llama, "forward", lambda self, ids, *a, **k: read.append(ids.numel()) or forward(self, ids, *a, **k)
    )
    loss_behind_prefix(model, batch_of([3, 4, 5, 6], *ROWS))
    assert read == [4, 3 * 6]


@pytest.mark.parametrize("kind", [lambda model: model, FastLlama], ids=["Llama", "FastLlama"])
def test_generation_behind_a_prefix_says_what_it_says_with_the_prefix_in_every_prompt(kind):
    model, prefix = kind(small_llama()), [3, 4, 5, 6, 7]
    prompts = [[8, 9, 10], [11], [12, 13], [14, 15, 16]]
    whole = generate(model, [prefix + prompt for prompt in prompts], 9, ignore_eos=True)
    parts = generate(BehindPrefix(model, prefix), prompts, 9, ignore_eos=True)
    assert torch.equal(parts[:, -9:], whole[:, -9:])
    assert len({tuple(row) for row in whole[:, -9:].tolist()}) > 1
    without = generate(model, prompts, 9, ignore_eos=True)
    assert not torch.equal(without[:, -9:], whole[:, -9:])


def test_a_prefix_that_leaves_no_room_is_refused():
    model = small_llama(max_len=16)
    with pytest.raises(ValueError, match="prefix of 9 tokens and 8 behind it"):
        generate(BehindPrefix(model, [1] * 9), [[2, 3]], 7)
