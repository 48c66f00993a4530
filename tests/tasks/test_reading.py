"""The written tasks are read whole or refused in one sentence that says where."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from helpers.files.safe_files import DataUnavailable
from helpers.old.tasks import load_guide, load_task
from helpers.old.tasks.reading import FOLDER

NAMES = ("classification", "extraction", "format_following")


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "tasks")


def change_first(folder, name, **changes):
    """The dev file of a task with other values in its first line."""
    path = folder / name / "dev.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | changes), *rest]), encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_items_of_a_task_cannot_be_changed(name):
    item = load_task(name, "dev")[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.id = "other"
    if name == "extraction":
        with pytest.raises(TypeError):
            item.fields["who"] = ("nobody",)


def test_another_task_or_split_is_refused_with_the_choice():
    with pytest.raises(ValueError, match="no task 'sorting': choose one of classification, extraction, format_foll"):
        load_task("sorting", "dev")
    with pytest.raises(ValueError, match="no split 'train': choose one of dev, test"):
        load_task("extraction", "train")


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("classification", {"label": "attic"}, "line 1 has the label 'attic': it is one of library, workshop"),
        ("classification", {"lure": "attic"}, "line 1 has the label 'attic'"),
        ("classification", {"label": "garden", "lure": "garden"}, "line 1 has its own label 'garden' as lure"),
        ("classification", {"text": " "}, "line 1 has no 'text'"),
        ("classification", {"id": "c-dev-002"}, "line 2 has the id 'c-dev-002' of an earlier line"),
        ("extraction", {"kind": "poem"}, "line 1 has the kind 'poem': it is one of appointment, event"),
        (
            "extraction",
            {"kind": "bill", "fields": {"amount": None}},
            "than its kind: write amount, due, number",
        ),
        (
            "extraction",
            {"kind": "parcel", "fields": {"number": "7", "place": None}},
            "has 'number' as '7': write a list of spellings, or null",
        ),
        ("extraction", {"kind": "parcel", "fields": {"number": [], "place": None}}, "has 'number' as []"),
        ("format_following", {"checks": []}, "line 1 needs a list of two checks or more"),
        (
            "format_following",
            {"checks": [{"name": "rhymes"}, {"name": "mentions", "any_of": ["a"]}]},
            "line 1: There is no check 'rhymes'",
        ),
        (
            "format_following",
            {"checks": [{"name": "bullets"}, {"name": "mentions", "any_of": ["a"]}]},
            "line 1: The check bullets does not take {}",
        ),
        (
            "format_following",
            {"checks": [{"name": "mentions", "any_of": ["a"]}, {"name": "lowercase"}]},
            "does not end with the one check of the topic",
        ),
        ("format_following", {"reply": None}, "line 1 has no 'reply'"),
        ("format_following", {"reply": "?"}, "line 1 has a reply that does not pass its own checks: '?'"),
    ],
)
def test_a_line_that_does_not_fit_is_named(copied, name, changes, why):
    change_first(copied, name, **changes)
    with pytest.raises(DataUnavailable) as refused:
        load_task(name, "dev", folder=copied)
    assert why in str(refused.value) and f"{name}/dev.jsonl, line" in str(refused.value)


def test_a_missing_file_and_a_damaged_guide_are_named(copied):
    (copied / "extraction" / "test.jsonl").unlink()
    with pytest.raises(DataUnavailable, match=r"test\.jsonl cannot be read"):
        load_task("extraction", "test", folder=copied)
    for damage in ("{}", '{"classification": {"labels": {}}, "extraction": {"kinds": {}}}', "[1]", "nonsense"):
        (copied / "guide.json").write_text(damage, encoding="utf-8")
        with pytest.raises(DataUnavailable, match=r"guide\.json is damaged"):
            load_guide(copied)


def test_a_reply_follows_an_instruction_if_form_and_topic_are_right():
    item = next(i for i in load_task("format_following", "dev") if i.prompt.startswith("Which animals live on a farm?"))
    assert item.followed(item.reply) and item.followed("- cows\n- goats\n- hens")
    assert item.form_kept("- one\n- two\n- three") and not item.followed("- one\n- two\n- three")
    assert not item.form_kept("cows, goats, hens") and not item.followed("cows, goats, hens")


def test_the_task_said_again_does_not_follow_an_instruction():
    item = next(i for i in load_task("format_following", "dev") if i.task.startswith("Cheer up a friend"))
    assert item.form_kept(item.task) and not item.followed(item.task) and item.followed(item.reply)
