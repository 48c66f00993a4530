"""How hard the tasks are for the untaught model: the record fits today's items, and the card says what it holds."""

from __future__ import annotations

import pytest

from helpers.files.paths import DATA, RESULTS
from helpers.files.safe_files import read_json, read_text
from helpers.old.tasks.reading import SPLITS
from tests.benchmarks.sweep_tasks import measured

ROWS = (  # task, way, measure, how the card calls it
    ("classification", "scores", "likelihood", "the most probable label"),
    ("classification", "scores", "pmi", "the same, corrected for how probable it is anyway (PMI)"),
    ("classification", "words", "words", "for comparison: TF-IDF, fitted on dev"),
    ("extraction", "one example", "fields", "a JSON object behind one example: fields"),
    ("extraction", "one example", "all", "the same: texts with all fields right"),
    ("format_following", "one example", "form", "behind one example: the form is kept"),
    ("format_following", "one example", "followed", "the same, and it is about the topic"),
)


@pytest.fixture(scope="module")
def record():
    runs = read_json(RESULTS / "12_tasks.json")["runs"]
    return {(run["case"]["task"], run["case"]["split"], run["case"]["way"]): run for run in runs}


def share(marks: str) -> float:
    """Right ones, in percent."""
    return 100 * marks.count("1") / len(marks)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("task", ["classification", "extraction", "format_following"])
def test_no_set_is_too_easy_or_too_hard_for_the_untaught_model(record, task, split):
    shares = [share(record[task, split, way][measure]) for name, way, measure, _ in ROWS[:2] + ROWS[3:] if name == task]
    assert any(20 <= percent <= 80 for percent in shares), shares


def test_there_is_a_mark_for_each_item_that_was_measured(record):
    for (task, *_), run in record.items():
        items = measured(run["case"])
        if task == "extraction":
            absent = [forms is None for item in items for forms in item.fields.values()]
            assert [len(run[name]) for name in ("all", "readable", "fields")] == [len(items)] * 2 + [len(absent)]
            assert [len(run["absent"]), len(run["stated"])] == [sum(absent), len(absent) - sum(absent)]
        else:
            assert {len(marks) for marks in run.values() if isinstance(marks, str)} == {len(items)}


def test_the_card_shows_the_record(record):
    card = read_text(DATA / "tasks" / "README.md")
    for task, way, measure, said in ROWS:
        dev, test = (f"{share(record[task, split, way][measure]):.0f} %" for split in SPLITS)
        assert f"| {task} | {said} | {dev} | {test} |" in card, (task, measure, dev, test)
    asked, listed = record["format_following", "dev", "asked"]["form"], record["classification", "dev", "list"]["list"]
    said = " ".join(card.split())
    assert f"keeps the form of {asked.count('1')} of the {len(asked)} dev items" in said
    assert f"names the right one for {listed.count('1')} of {len(listed)} messages" in said
