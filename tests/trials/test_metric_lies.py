"""Bad answers that metrics love: each attack does what it says, and the cheap metrics fall for the ones they should."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.metrics import BLEU, ROUGE, Containment, NumberMatch, TokenF1, numbers
from helpers.old.trials.metric_lies import (
    ATTACKS,
    QUESTIONS,
    as_table,
    by,
    fooled,
    hedged,
    mean_scores,
    negated,
    other_number,
    padded,
    word_salad,
)


def test_negation_works_in_both_directions():
    assert negated("A new display costs 129 euros.") == "A new display does not cost 129 euros."
    assert negated("The Perch does not fit the Wren.") == "The Perch does fit the Wren."
    assert negated("You must not ride.") == "You must ride."
    assert negated("You can change it.") == "You can not change it."
    assert negated("Take the bus.") == "Do not take the bus."
    assert negated("Never mind.") == "It is not true: Never mind."


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("It costs 129 euros.", "It costs 921 euros."),
        ("up to 22 kg", "up to 44 kg"),
        ("every 200 km", "every 400 km"),
        ("runs for two years", "runs for four years"),
        ("with E12 and C2", None),
    ],
)
def test_another_number_is_another_number(text, changed):
    assert other_number(text) == changed


def test_every_reference_is_spoiled_by_every_attack():
    rng = np.random.default_rng(0)
    for question in QUESTIONS:
        reference = question.reference
        spoiled = {name: attack(reference, rng) for name, attack in ATTACKS.items()}
        assert all(bad != reference and bad != question.right for bad in spoiled.values())
        assert sorted(spoiled["word salad"].split()) == sorted(reference.split())
        assert not negated(reference).startswith("It is not true")  # its verb is known
        assert negated(reference) in hedged(reference) and reference in hedged(reference)
        assert negated(reference) in padded(reference)
        assert (spoiled["other number"] is None) == (not numbers(reference))
        if spoiled["other number"]:
            assert numbers(spoiled["other number"]) != numbers(reference)
    assert len({q.question for q in QUESTIONS}) == len(QUESTIONS) == 16


def test_right_answers_have_the_references_numbers_and_other_words():
    for question in QUESTIONS:
        assert numbers(question.right) <= numbers(question.reference) | {"24"}  # "two years" is 24 months
        assert TokenF1().each(predictions=[question.right], references=[question.reference])["token_f1"][0] < 0.8


def test_each_metric_is_fooled_where_it_is_blind():
    judges = {
        "ROUGE-1": by(ROUGE(), "rouge1"),
        "BLEU": by(BLEU(), "bleu"),
        "containment": by(Containment(), "containment"),
        "number match": by(NumberMatch(), "number_match"),
    }
    found = fooled(judges)
    assert found["ROUGE-1"]["word salad"] == (16, 16)  # it does not see order
    k, n = found["BLEU"]["negation"]
    assert k > 0.8 * n
    assert found["containment"]["answer and opposite"] == (16, 16)  # the reference stands there word for word
    k, n = found["number match"]["other number"]
    assert (k, n) == (1, 11)  # "24 months" instead of "two years"
    assert fooled(judges) == found


def test_lower_is_better_turns_the_comparison():
    class Length:
        def each(self, predictions, references):
            return {"length": [float(len(text)) for text in predictions]}

    longer, shorter = fooled(
        {"long": by(Length(), "length"), "short": by(Length(), "length", lower_is_better=True)}
    ).values()
    assert longer["padding"] == (16, 16) and shorter["padding"] == (0, 16)


def test_mean_scores_stand_beside_those_of_the_right_answers():
    judge = by(ROUGE(), "rouge1")
    found = mean_scores({"ROUGE-1": judge})["ROUGE-1"]
    assert list(found) == ["right", *ATTACKS]
    right = judge([q.right for q in QUESTIONS], [q.reference for q in QUESTIONS])
    assert found["right"] == pytest.approx(np.mean(right))
    assert found["word salad"] == pytest.approx(1.0) and found["right"] < 0.5 < found["negation"] < 1
    assert as_table({"ROUGE-1": {"right": 0.256}}).splitlines()[2] == "| ROUGE-1 | 0.26 |"


def test_the_table_has_a_row_per_metric():
    table = as_table({"a": {"negation": (3, 16), "padding": (0, 16)}, "b": {"negation": (1, 16), "padding": (2, 16)}})
    assert table.splitlines()[0] == "| metric | negation | padding |"
    assert table.splitlines()[2:] == ["| a | 3 of 16 | 0 of 16 |", "| b | 1 of 16 | 2 of 16 |"]


def test_a_salad_keeps_the_words():
    salad = word_salad("a b c d e f", np.random.default_rng(1))
    assert salad != "a b c d e f" and sorted(salad.split()) == list("abcdef")
