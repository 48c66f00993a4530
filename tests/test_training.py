"""The course's loop equals what 07's learners write, goes on where it was stopped, and judges rows as decoding does."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from numpy.random import default_rng

from helpers.training import chat_labels, collate, evaluate, renderer, train, undisturbed, warm_then_fall
from tests.tools.notebook import ROOT


def exercise(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "notebooks" / "exercises" / "07_sft" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ANSWER = exercise("train")
CASES = ANSWER.cases(default_rng(0))


@pytest.mark.parametrize("case", CASES)
def test_the_loop_takes_the_steps_that_a_learner_writes(case):
    def ours(model, batches, rates, after):
        return train(model, batches, rates, after)

    expected, found = ANSWER.drive(ANSWER.train, *case), ANSWER.drive(ours, *case)
    assert found["losses"] == pytest.approx(expected["losses"], abs=1e-6)
    torch.testing.assert_close(found["weights"], expected["weights"])
    assert found["after was told"] == expected["after was told"]


def test_labels_are_those_that_a_learner_writes():
    labels = exercise("chat_labels")
    for case in labels.cases(default_rng(0)):
        assert labels.drive(chat_labels, *case) == labels.drive(labels.chat_labels, *case)


def test_a_training_that_was_stopped_ends_with_the_same_weights(tmp_path):
    seed, batches, rates = CASES[2]

    def stop_at_five(step, loss):
        if step == 5:
            raise KeyboardInterrupt

    whole, half, rest = (ANSWER.Tiny(seed) for _ in range(3))
    losses = train(whole, batches, rates)
    with pytest.raises(KeyboardInterrupt):
        train(half, batches, rates, stop_at_five, folder=tmp_path, save_every=2)
    assert train(rest, batches, rates, folder=tmp_path, save_every=2) == losses
    assert torch.equal(rest.out.weight, whole.out.weight)
    other = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match="other weights"):
        train(other, batches, rates, folder=tmp_path)


def test_a_loss_that_is_no_number_ends_the_training_and_names_the_step():
    seed, batches, rates = CASES[2]
    model = ANSWER.Tiny(seed)

    def spoil(step, loss):
        with torch.no_grad():
            model.out.weight.fill_(torch.nan)

    with pytest.raises(ArithmeticError, match="step 1"):
        train(model, batches, rates, spoil)


def test_a_row_counts_as_right_where_every_label_is_the_likeliest():
    seed, batches, _ = CASES[1]
    model = ANSWER.Tiny(seed).train()
    ids, labels = batches[0]
    best = model(ids).logits.argmax(-1)
    wanted = labels.clone()
    wanted[:, 1:] = torch.where(labels[:, 1:] == -100, -100, best[:, :-1])
    loss, right = evaluate(model, [(ids, wanted), (ids, wanted)])
    assert right == [True] * 2 * len(ids) and model.training
    row, place = (wanted != -100).nonzero()[-1].tolist()
    wanted[row, place] = (wanted[row, place] + 1) % 10
    worse, right = evaluate(model, [(ids, wanted)])
    assert right == [i != row for i in range(len(ids))] and worse > loss


def test_rates_rise_to_the_peak_and_fall_towards_zero():
    assert warm_then_fall(1.0, 10, warmup=2) == pytest.approx(
        [0.5, 1, 8 / 9, 7 / 9, 6 / 9, 5 / 9, 4 / 9, 3 / 9, 2 / 9, 1 / 9]
    )
    assert max(warm_then_fall(1.0, 1)) > 0


def test_padding_is_not_learned_and_evaluation_disturbs_no_random_number():
    ids, labels = collate([([5, 6, 7], [-100, 6, 7]), ([5], [-100])], pad=9)
    assert ids.tolist() == [[5, 6, 7], [5, 9, 9]] and labels.tolist() == [[-100, 6, 7], [-100, -100, -100]]
    model = torch.nn.Linear(1, 1)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with undisturbed(model):
        torch.rand(100)
    assert torch.equal(torch.rand(2), expected) and model.training


def test_the_chat_models_template_gives_the_answer_and_its_end():
    from transformers import AutoTokenizer

    from helpers.models import fetch

    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ok."}]
    _, labels = chat_labels(renderer(tokenizer), chat)
    assert tokenizer.decode([label for label in labels if label != -100]) == "Ok.<|im_end|>\n"
