"""What counts as the same value, and what does not."""

from __future__ import annotations

import pytest

from helpers.old.tasks import normalized, right_fields, right_value
from helpers.old.tasks.reading import Notice


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ("On the 6th of May", "May 6"),
        ("6 May", "may 6."),
        ("Wed, 8 Oct.", "Wednesday 8 October"),
        ("the 21st", "21st"),
        ("7:30 p.m.", "19:30"),
        ("7:30 PM", "19:30"),
        ("8pm", "20:00"),
        ("09:15", "9:15"),
        ("12 pm", "12:00"),
        ("12 am", "0:00"),
        ("€8.00", "8 euros"),
        ("8 €", "8 euros"),
        ("8 EUR", "8 euros"),
        ("$45", "45 dollars"),
        ("£15", "15 pounds"),
        ("“the old mill”".strip("“”"), "old mill"),
        ("at the town hall", "town hall"),
        (14, "14"),
    ],
)
def test_other_spellings_of_the_same_value_are_right(said, accepted):
    assert right_value(said, [accepted]) and right_value(said, ["something else", accepted])


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ("May 7", "May 6"),
        ("June 6", "May 6"),
        ("7:30 am", "19:30"),
        ("9:15", "19:15"),
        ("8 euros", "80 euros"),
        ("8 euros", "8 dollars"),
        ("8.50 euros", "8.05 euros"),
        ("Saturday, May 6, at nine in the old mill", "May 6"),
        ("", "May 6"),
        (None, "May 6"),
        ("null", "May 6"),
        (["May 6"], "May 6"),
        ({"day": "May 6"}, "May 6"),
    ],
)
def test_another_value_or_more_than_the_value_is_wrong(said, accepted):
    assert not right_value(said, [accepted])


@pytest.mark.parametrize("said", [None, "null", "None", "", "-", "Not stated.", "not mentioned", "N/A", "unknown"])
def test_what_the_text_does_not_say_is_right_if_nothing_is_said(said):
    assert right_value(said, None)


@pytest.mark.parametrize("said", ["May 6", 0, "0", "nobody", False, [], "nowhere"])
def test_a_value_for_what_the_text_does_not_say_is_wrong(said):
    assert not right_value(said, None)


def test_each_field_counts_and_one_that_is_not_there_is_wrong():
    notice = Notice("e", "trip", "From Bonn at nine.", {"from": ("Bonn",), "to": None, "time": ("nine", "9:00")})
    assert right_fields({"from": "bonn", "to": None, "time": "09:00"}, notice) == dict.fromkeys(notice.fields, True)
    assert right_fields({"from": "Bonn", "time": "ten"}, notice) == {"from": True, "to": False, "time": False}


def test_normalizing_twice_changes_nothing():
    for text in ("On the 6th of May", "7:30 p.m.", "€8.00", "8 EUR", "Wed, 8 Oct.", "the old mill", "12 am", "$45"):
        assert normalized(normalized(text)) == normalized(text)
