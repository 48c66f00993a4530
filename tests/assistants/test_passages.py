"""Answers from a text: the prompt that was trained, and a threshold that decides whether to answer."""

from __future__ import annotations

import pytest

from helpers.old.assistants import NOT_THERE, PassageReader, passage_chat
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

PAIRS = [("When?", "On Sundays we close at 17:00."), ("May dogs come in, and how many?", "No dogs.")]


def test_several_questions_about_one_text_share_all_but_the_end():
    first, second = (passage_chat(question, "  A text.\n")[1]["content"] for question in ("One?", " Two? "))
    assert first == "A text.\n\nQuestion: One?" and second == "A text.\n\nQuestion: Two?"
    assert [turn["role"] for turn in passage_chat("One?", "A text.", "An answer.")] == ["system", "user", "assistant"]


def test_the_threshold_decides_whether_the_answer_begins_as_a_refusal(tiny, tokenizer):  # noqa: F811
    [refusal] = {tokenizer(NOT_THERE, add_special_tokens=False)["input_ids"][0]}
    begins = tokenizer.decode([refusal])
    never = PassageReader(tiny[1], tokenizer, threshold=1.0).answer(PAIRS)
    always = PassageReader(tiny[1], tokenizer, threshold=1e-9).answer(PAIRS)
    assert all(answer.text.startswith(begins) for answer in always)
    assert not any(answer.text.startswith(begins) for answer in never)
    assert [answer.absent for answer in always] == pytest.approx([answer.absent for answer in never])


def test_answers_come_in_the_order_of_the_questions_whatever_the_batch(tiny, tokenizer):  # noqa: F811
    reader = PassageReader(tiny[1], tokenizer)
    together, alone = reader.answer(PAIRS * 2, batch=3), [reader.answer([pair])[0] for pair in PAIRS * 2]
    assert [a.absent for a in together] == pytest.approx([a.absent for a in alone], rel=1e-3)


def test_bad_input_is_told_in_one_sentence(tiny, tokenizer):  # noqa: F811
    with pytest.raises(ValueError, match="one of them is empty"):
        PassageReader(tiny[1], tokenizer)("When?", "  ")
    with pytest.raises(ValueError, match="a probability above 0"):
        PassageReader(tiny[1], tokenizer, threshold=0)
