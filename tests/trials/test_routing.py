"""Scores of labels: the log-probability of each label's own tokens behind the message, whatever is read only once."""

from __future__ import annotations

import pytest
import torch

from helpers.old.trials.routing import ASK, LABELS, label_log_probs
from tests.trials.conftest import Letters


def test_a_score_is_the_sum_over_the_tokens_of_the_label_read_behind_the_message(model):
    ask, labels = "m: {message} so:", {"a": "yes", "b": "not at all", "c": "maybe"}
    found = label_log_probs(model, Letters(), "hello", labels, ask)
    for score, sentence in zip(found, labels.values(), strict=True):
        start, row = Letters()(ask.format(message="hello"))["input_ids"], Letters()(" " + sentence)["input_ids"]
        ids = torch.tensor([[*start, *row]])
        with torch.no_grad():
            log_p = model(ids)[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        assert score.item() == pytest.approx(log_p[-len(row) :].sum().item(), abs=1e-3)  # float32, other shapes


def test_another_message_changes_the_scores_and_another_label_beside_it_does_not(model):
    ask, labels = "m: {message} so:", {"a": "yes", "b": "not at all"}
    one, other = (label_log_probs(model, Letters(), message, labels, ask) for message in ("hello", "cheers"))
    assert not torch.allclose(one, other)
    alone = label_log_probs(model, Letters(), "hello", {"a": "yes"}, ask)
    assert torch.allclose(alone, one[:1], atol=1e-4)


def test_the_message_stands_in_the_question_once_and_each_label_has_a_sentence_of_its_own():
    assert ASK.count("{message}") == 1
    assert len(set(LABELS.values())) == len(LABELS) == 9
