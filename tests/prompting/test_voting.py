"""Votes: the answer in a reply, the most frequent one, samples that do not depend on each other."""

from __future__ import annotations

import pytest

from helpers.old.prompting import final_answer, majority, self_consistency
from helpers.old.prompting.voting import Vote
from helpers.old.speed import FastLlama
from tests import tiny_models
from tests.scripted_models import ChatBytes

PROMPTS = [list(b"4 boxes of 6"), list(b"9 less 2"), list(b"half")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    tiny_models.llama(folder, vocab_size=256, head_dim=8, eos_token_id=0, pad_token_id=0)
    return FastLlama.from_pretrained(folder)


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
    assert vote.answer == 5
    assert (vote.first(3).answer, vote.first(3).tokens) == (3, (3, 2, 3))
    with pytest.raises(ValueError, match="There are 4 samples"):
        vote.first(5)


def test_three_of_five_samples_are_the_three_that_are_drawn_alone(model):
    five = self_consistency(model, ChatBytes(), PROMPTS, samples=5, max_new_tokens=6)
    three = self_consistency(model, ChatBytes(), PROMPTS, samples=3, max_new_tokens=6)
    assert [vote.first(3) for vote in five] == three
    assert len({text for vote in five for text in vote.texts}) > 5
    other = self_consistency(model, ChatBytes(), PROMPTS, samples=3, max_new_tokens=6, seed=1)
    assert [vote.texts for vote in other] != [vote.texts for vote in three]


def test_one_prompt_twice_is_drawn_differently(model):
    first, second = self_consistency(model, ChatBytes(), PROMPTS[:1] * 2, samples=2, max_new_tokens=8)
    assert first.texts != second.texts


def test_no_reply_takes_more_tokens_than_there_is_room_for(model):
    [vote] = self_consistency(model, ChatBytes(), PROMPTS[:1], samples=4, max_new_tokens=5)
    assert len(vote.tokens) == 4 and all(1 <= n <= 5 for n in vote.tokens)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"samples": 0}, "samples is a whole number from 1, not 0"),
        ({"samples": True}, "samples is a whole number from 1, not True"),
        ({"samples": 2, "temperature": 0}, "at 0 all samples are the greedy reply"),
        ({"samples": 2, "temperature": float("nan")}, "The temperature is above 0"),
    ],
)
def test_samples_and_temperature_that_mean_nothing_are_refused(model, options, said):
    with pytest.raises(ValueError, match=said):
        self_consistency(model, ChatBytes(), PROMPTS, **options)
