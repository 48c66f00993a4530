"""Exact match and token F1 by SQuAD's rules, containment and numbers, each with the input on which it is wrong."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.metrics import (
    Containment,
    ExactMatch,
    NumberMatch,
    TokenF1,
    contains_answer,
    numbers,
    squad_words,
    unicode_words,
)


def normalized(text: str) -> str:
    """The rules of SQuAD's evaluation in its own order: lower case, punctuation, articles, white space."""
    kept = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def f1(prediction: str, right: str) -> float:
    """F1 as SQuAD's second version counts it: two answers without words are equal, one is wrong."""
    ours, theirs = normalized(prediction).split(), normalized(right).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(ours), shared / len(theirs)
    return 2 * precision * recall / (precision + recall)


text = st.lists(st.sampled_from("The a an cat CAT 4.5 bar don't ! -5 thean".split()), max_size=6)


@given(text, text, text)
def test_both_follow_squads_rules(prediction, first, second):
    prediction, first, second = " ".join(prediction), " ".join(first), ", ".join(second)
    asked = {"predictions": [prediction], "references": [[first, second]]}
    right = max(normalized(prediction) == normalized(one) for one in (first, second))
    assert ExactMatch().each(**asked)["exact_match"] == [float(right)]
    expected = max(f1(prediction, one) for one in (first, second))
    assert TokenF1().each(**asked)["token_f1"] == pytest.approx([expected])


def test_squads_rules_lose_the_decimal_point_and_the_minus_sign():
    asked = {"predictions": ["45 bar", "5 °C"], "references": ["4.5 bar", "-5 °C"]}
    assert ExactMatch().compute(**asked) == {"exact_match": 1.0}
    assert NumberMatch().compute(**asked)["number_match"] == 0.0
    assert squad_words("The pressure: 4.5 bar!") == ["pressure", "45", "bar"]


def test_token_f1_sees_neither_order_nor_negation():
    asked = {"predictions": ["bites man dog", "not under warranty"], "references": ["dog bites man", "under warranty"]}
    assert TokenF1().each(**asked)["token_f1"] == pytest.approx([1.0, 0.8])


@pytest.mark.parametrize(("prediction", "right", "score"), [("", "", 1), ("", "x", 0), ("x", "", 0), ("the", "", 1)])
def test_empty_answers(prediction, right, score):
    asked = {"predictions": [prediction], "references": [right]}
    assert ExactMatch().compute(**asked) == {"exact_match": score}
    assert TokenF1().compute(**asked) == {"token_f1": score}


def test_a_chinese_answer_is_one_word_unless_told_otherwise():
    asked = {"predictions": ["四小时内充满"], "references": ["四小时"]}
    with pytest.warns(UserWarning, match="words=unicode_words"):
        assert TokenF1().compute(**asked) == {"token_f1": 0.0}
    assert TokenF1(words=unicode_words).compute(**asked)["token_f1"] == pytest.approx(2 * 3 / 9)


def test_arabic_has_spaces_and_its_question_mark_stays(recwarn):
    asked = {"predictions": ["هل البطارية مكسورة؟"], "references": ["هل البطارية مكسورة"]}
    assert TokenF1().compute(**asked)["token_f1"] == pytest.approx(2 / 3)
    assert TokenF1(words=unicode_words).compute(**asked) == {"token_f1": 1.0}
    assert not recwarn.list


def test_containment_is_contains_answer():
    answers = ["It is €1,890.", "It weighs 120 kg.", "They are not free.", ""]
    right = [["1890 euros"], ["12 kg"], ["free", "without charge"], ["x"]]
    found = Containment().each(predictions=answers, references=right)["containment"]
    assert found == [float(contains_answer(a, r)) for a, r in zip(answers, right, strict=True)] == [1, 0, 0, 0]


def test_containment_falls_for_a_list_of_all_answers():
    asked = {"predictions": ["It is 19 euros, 29 euros or 39 euros."], "references": ["29 euros"]}
    assert Containment().compute(**asked) == {"containment": 1.0}
    assert NumberMatch().compute(**asked) == {"number_match": 0.0, "number_recall": 1.0}


@pytest.mark.parametrize(
    ("answer", "right", "same", "recall"),
    [
        ("49 kg, two years", ["2 years and 49 kg"], 1, 1),
        ("94 kg, two years", ["2 years and 49 kg"], 0, 0.5),
        ("nothing to pay", ["free"], 1, 1),
        ("€19", ["free"], 0, 1),
        ("", ["49 kg"], 0, 0),
        ("at 9:30", ["9.30", "9:30"], 1, 1),
        ("4.50 euros", ["€4.5"], 1, 1),
    ],
)
def test_numbers_are_compared_as_numbers(answer, right, same, recall):
    found = NumberMatch().compute(predictions=[answer], references=[right])
    assert found == {"number_match": same, "number_recall": recall}


def test_numbers_in_names_are_no_numbers():
    assert numbers("the slow one, not this one") == set() and numbers("1 year, one key, E12") == {"1"}
    assert numbers("Two bikes for €1,890.00, from 9:30, model C2") == {"2", "1890", "9:30"}
