"""Votes: the answer in a reply, the most frequent one, samples that do not depend on each other."""

from __future__ import annotations

import pytest
import torch

from helpers.prompting import final_answer, majority, self_consistency
from helpers.prompting.voting import Vote
from tests.scripted_models import Scripted

ROOM = 6


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Rolls: 4 × 6 = 24\nGood rolls: 24 - 5 = 19\nAnswer: 19", 19),
        ("The answer is **1,024**.", 1024),
        ("Answer: 7. Let me check: 3 + 4 = 7, so 8 is wrong.", 7),
        ("Answer: 7\nI was wrong.\nAnswer: 8", 8),
        ("3 boxes of 4 make 12", 12),
        ("It is -5", -5),
        ("Answer: 12.0", 12),
        ("Answer: 2.5", None),
        ("answer = $30", 30),
        ("I cannot tell.", None),
        ("", None),
    ],
)
def test_the_last_answer_counts_or_else_the_last_number(text, answer):
    assert final_answer(text) == answer


def test_a_reply_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match="A reply is a text, not int"):
        final_answer(24)


def test_the_most_frequent_answer_wins_and_of_several_the_first():
    assert majority([3, 7, 7]) == 7
    assert majority([3, 7, 7, 3]) == 3
    assert majority([None, None, 4]) == 4, "None does not vote"
    assert majority([None]) is None
    with pytest.raises(ValueError, match="nothing to vote on"):
        majority([])


def test_a_vote_knows_what_fewer_samples_would_have_said():
    vote = Vote(("Answer: 3", "no idea", "Answer: 5", "Answer: 5"), (3, 2, 3, 3))
    assert (vote.answer, vote.agreement) == (5, 0.5)
    assert (vote.first(3).answer, vote.first(3).tokens) == (3, (3, 2, 3))
    assert Vote(("none",), (2,)).agreement == 0
    with pytest.raises(ValueError, match="There are 4 samples"):
        vote.first(5)
