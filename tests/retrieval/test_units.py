"""Pages as sentences and written-out rows: nothing is lost, and each number stands beside its column's name."""

from __future__ import annotations

import re

import pytest

from helpers.old.trials.reading import load_reading
from helpers.retrieval import split_units, write_out
from helpers.velunda import load_handbook

PAGE = """# Hut

Open from May. Bring **slippers**.

## Prices

| bed | member | guest |
| --- | :-: | --- |
| room | 21 € | 34 € |
| *hall* | 12 € | |

Please bring:

- a towel
- a lamp, if you have one

1. Pay at the door. Cash only.
2. Sleep.
"""


def test_rows_are_written_out_and_items_bear_the_sentence_that_announces_them():
    units = split_units(PAGE)
    assert [unit.text for unit in units] == [
        *("Open from May.", "Bring slippers.", "bed: room, member: 21 €, guest: 34 €", "bed: hall, member: 12 €"),
        *("Please bring:", "a towel", "a lamp, if you have one", "Pay at the door.", "Cash only.", "Sleep."),
    ]
    by_text = {unit.text: unit for unit in units}
    assert by_text["a towel"].with_headings == "Hut › Prices: Please bring: a towel"
    assert by_text["Sleep."].above == "" and by_text["Open from May."].headings == ("Hut",)
    assert PAGE[by_text["a towel"].start : by_text["a towel"].end] == "- a towel"


def test_written_out_a_heading_stands_once_above_what_it_heads():
    written = write_out(split_units(PAGE)).split("\n")
    assert written[:3] == ["Hut:", "Open from May.", "Bring slippers."]
    assert written.count("Hut › Prices:") == 1 and written.count("Please bring:") == 1 and "- a towel" in written


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a title", "| a | b |\n|---|---|"])
def test_a_page_without_sentences_or_rows_has_no_units(text):
    assert split_units(text) == [] and write_out([]) == ""


def test_a_table_without_a_row_of_names_stays_as_it_is_written():
    assert [unit.text for unit in split_units("| 1 | 2 |\n| 3 | 4 |")] == ["| 1 | 2 |", "| 3 | 4 |"]


def test_no_word_of_the_handbook_is_lost():
    for document in load_handbook().values():
        units = split_units(document.text)
        kept = set(re.findall(r"\w+", " ".join(unit.with_headings for unit in units)))
        missing = set(re.findall(r"\w+", document.text)) - kept
        rows = re.findall(r"^\|.*\|$", document.text, re.MULTILINE)
        allowed = set(re.findall(r"\w+", " ".join(rows))) | set(re.findall(r"^(\d+)[.)]", document.text, re.MULTILINE))
        assert missing <= allowed, (
            document.name,
            missing - allowed,
        )  # a column whose cells are empty, an item's number


def test_every_row_that_answers_a_question_names_the_number_of_the_answer():
    for reading in load_reading("dev"):
        units = split_units(reading.passage.text)
        written = " ".join(unit.text for unit in units)
        assert all(number in written for number in re.findall(r"\d+", reading.answer)), reading.id
