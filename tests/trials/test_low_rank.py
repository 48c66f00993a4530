"""The small trials of 08: which text a question comes with, losses by row, and groups of one length."""

from __future__ import annotations

import pytest
import torch

from helpers.old.assistants import NOT_THERE
from helpers.old.lora import add_lora_
from helpers.old.training import collate, loss_at_labels
from helpers.old.trials.low_rank import encode_rows, refusal_probability, row_losses, short_rows, train_in_groups
from helpers.old.trials.ticket_training import recipe_of
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401


def test_a_question_comes_with_the_unit_that_answers_it():
    from helpers.old.trials.reading import load_reading

    for row, reading in zip(short_rows("dev"), load_reading("dev"), strict=True):
        assert row.answer == reading.answer and row.text
        assert (row.answer == NOT_THERE) == (reading.kind == "unanswerable")
        assert len(row.text) < len(reading.passage.text)
    assert short_rows("dev", 5) == short_rows("dev", 5) != short_rows("dev", 5, seed=1)


def test_losses_by_row_are_those_of_the_rows_alone(tiny, tokenizer):  # noqa: F811
    model = tiny[1].eval()
    examples = encode_rows(tokenizer, short_rows("dev", 5))
    losses, right = row_losses(model, examples, batch=3)
    for loss, example in zip(losses, examples, strict=True):
        batch = collate([example])
        with torch.inference_mode():
            assert float(loss) == pytest.approx(float(loss_at_labels(model, batch)) / batch.n_labels, rel=1e-4)
    assert not right.any()  # random weights write no answer


def test_a_refusal_is_as_probable_as_its_first_token(tiny, tokenizer):  # noqa: F811
    p = refusal_probability(tiny[1].eval(), tokenizer, short_rows("dev", 2))
    assert p.shape == (2,) and bool(((p > 0) & (p < 1)).all())


def test_training_in_groups_takes_each_example_once(tiny, tokenizer):  # noqa: F811
    model = add_lora_(tiny[1], 2, alpha=4)
    seen = []

    def watched(model, batch):
        seen.append(len(batch.ids))
        return loss_at_labels(model, batch)

    history = train_in_groups(model, encode_rows(tokenizer, short_rows("dev", 20)), recipe_of(2), loss=watched)
    assert seen == [8, 8] and len(history.losses) == 2
