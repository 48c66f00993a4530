"""Is an accepted answer stated? Beside a reader's verdicts on answers in the manner of a small model, a quote, a row.

read_answers.jsonl: 233 answers to everyday and hard questions of the handbook. A language model read all of them before
`contains_answer` was written, and once more in a shuffled order: is this right for whoever asked? It knew the passage
and the right answer. The 114 answers marked held_out took no part in writing the function.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.metrics import contains_answer
from helpers.velunda import load_everyday
from helpers.velunda.answers import LIMITS, NEGATIONS, VERDICTS, spelled
from helpers.velunda.handbook import EVERYDAY

ACCEPTED = {row["id"]: row["accepted"] for row in map(json.loads, EVERYDAY.read_text(encoding="utf-8").splitlines())}
READ = [json.loads(line) for line in (Path(__file__).parent / "read_answers.jsonl").open(encoding="utf-8")]


def accepted(row: dict) -> list[str]:
    return row["accepted"] if "accepted" in row else ACCEPTED[row["question"]]


def naive(text: str, forms: list[str]) -> bool:
    return any(form.lower() in text.lower() for form in forms)


def share_of_agreement(judge, rows: list[dict], reading: str) -> float:
    return sum(judge(row["text"], accepted(row)) == row[reading] for row in rows) / len(rows)


@pytest.mark.parametrize("reading", ["first", "second"])
def test_it_judges_as_a_reader_does_where_looking_for_the_string_does_not(reading):
    held_out = [row for row in READ if row["held_out"]]
    assert (len(READ), len(held_out)) == (233, 114)
    for rows in (READ, held_out):
        assert share_of_agreement(contains_answer, rows, reading) >= 0.93
        assert share_of_agreement(naive, rows, reading) < 0.75


def test_both_readings_agree_and_right_and_wrong_are_about_as_many():
    assert sum(row["first"] == row["second"] for row in READ) == 232
    assert 0.4 < sum(row["first"] for row in READ) / len(READ) < 0.6
    assert len({(row["question"], row["text"]) for row in READ}) == len(READ)
    assert {row["way"] for row in READ} == {"written", "quoted", "row"}


def test_it_errs_in_both_directions_and_seldom():
    said = [(contains_answer(row["text"], accepted(row)), row["first"]) for row in READ]
    taken, missed = said.count((True, False)), said.count((False, True))
    assert taken <= 8 and missed <= 6


def test_the_reference_answer_to_every_everyday_question_is_accepted():
    for question in load_everyday():
        if question.answerable:
            assert contains_answer(question.answer, question.accepted), question.answer


def test_every_form_states_itself_in_a_sentence_too_and_not_where_it_is_denied():
    denied = 0
    for form in sorted({form for forms in ACCEPTED.values() for form in forms}):
        bare = spelled(form).replace("|", "").split()
        assert contains_answer(form, [form]), form
        if bare[0] not in VERDICTS:
            assert contains_answer(f"As far as I know, {form} is right.", [form]), form
        if NEGATIONS.isdisjoint(bare) and bare[0] not in {*LIMITS, *VERDICTS}:
            assert not contains_answer(f"It is not {form}.", [form]), form
            denied += 1
    assert denied > 200


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("It costs 2,490 €.", "2490 euros"),
        ("It costs EUR 2490.", "2,490 €"),
        ("It costs €2,490.00, tax included.", "2490 euro"),
        ("price 19 €", "€19"),
        ("It carries 40kg.", "40 kilograms"),
        ("It carries forty kilos.", "40 kg"),
        ("Every 300 kilometres.", "300 km"),
        ("up to 25 km/h", "25 kilometers per hour"),
        ("4.50 bar", "4.5 bar"),
        ("Pump it to 4 bar", "4.0 bar"),
        ("below 0 degrees Celsius", "0 °C"),
        ("at 20°C", "20 °C"),
        ("about sixty percent", "60 %"),
        ("twelve days", "12 days"),
        ("a 30-day period", "30 days"),
        ("from twenty-five years on", "25 years"),
        ("Between 3–8 kg", "3 to 8 kg"),
        ("6 and 12 payments", "six or twelve"),
        ("the 2A charger", "2 A"),
        ("10 hours and 45 minutes", "10 h 45 min"),
        ("28 Nm", "28 newton meters"),
        ("Use your phone’s own backup.", "phone's own backup"),
        ("Ask KAREN FRIIS.", "Karen Friis"),
        ("It doesn't fit.", "does not fit"),
        ("You cannot return it.", "can't return"),
        ("Form R-7.", "form R-7"),
        ("−5 °C is too cold", "-5 °C"),
        ("29 euros, on the left side", "left; 29 euros"),
        ("Not later than 30 days.", "30 days"),
        ("Don't charge it below 0 °C.", "0 °C"),
        ("It isn't 14 days, it is 30 days.", "30 days"),
        ("No, test rides are free.", "free"),
        ("No. Free for everybody.", "free"),
        ("Not before a workshop has seen it.", "before a workshop"),
        ("The answer to this question is: No.", "no"),
        ("Yes, in six or 12 parts.", "yes, 6 or 12"),
        ("You can pay in 6 or 12 parts.", "yes, 6 or 12"),
    ],
)
def test_it_is_stated_in_other_words_too(text, form):
    assert contains_answer(text, [form])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("It weighs 120 kg.", "12 kg"),
        ("112 days", "12 days"),
        ("4.55 bar", "4.5 bar"),
        ("14.5 bar", "4.5 bar"),
        ("1.890 €", "1,890 €"),  # the English way: a point divides
        ("11,890 euros", "1,890 euros"),
        ("twenty-five days", "five days"),
        ("sixteen days", "6 days"),
        ("5 weeks", "5 days"),
        ("22 pounds", "22 kg"),
        ("32 % of them", "32 °C"),
        ("5 °C is too cold", "-5 °C"),
        ("the 2 a-side game", "2 A"),
        ("code E14", "E1"),
        ("form R-70", "form R-7"),
        ("part R-7", "7"),
        ("Your lock needs a network.", "two"),
        ("It is not free.", "free"),
        ("It isn't really free.", "free"),
        ("It was never free", "free"),
        ("You don't need an identity card.", "identity card"),
        ("29 euros, on the right side", "left; 29 euros"),
        ("On the left side.", "left; 29 euros"),
        ("Yes, in 6 or 12 parts.", "no, 6 or 12"),
        ("No, not in 6 or 12 parts.", "yes, 6 or 12"),
        ("No, you can say yes only in a shop.", "yes"),
        ("I know that.", "no"),
        ("There is nobody", "no"),
        ("", "free"),
        ("?", "free"),
        ("Anything", "?"),
    ],
)
def test_it_is_not_stated(text, form):
    assert not contains_answer(text, [form])


def test_one_accepted_form_is_enough_but_a_first_word_that_says_the_opposite_outweighs_it():
    assert contains_answer("Mint.", ["yellow", "mint"]) and not contains_answer("Red.", ["yellow", "mint"])
    assert contains_answer("We deliver to Belgium.", ["yes", "Belgium"])
    assert not contains_answer("No, Belgium is too far.", ["yes", "Belgium"])
    assert contains_answer("No, Belgium is too far.", ["Belgium"])
    assert not contains_answer("anything", [])


@given(st.integers(0, 10**7), st.sampled_from(["{:,} €", "€{}", "{} euros", "EUR {:,}"]))
def test_a_sum_is_found_however_it_is_written_and_no_other_sum_is(n, spelling):
    text = f"In all it is {spelling.format(n)}, tax included."
    assert contains_answer(text, [f"{n} €"])
    assert not contains_answer(text, [f"{n + 1} €"]) and not contains_answer(text, [f"{n}1 €"])
