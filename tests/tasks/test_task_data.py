"""The written tasks: enough of each, balanced, apart, and every gold answer borne out by its text."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from helpers.old.tasks import load_guide, load_task, right_value
from helpers.old.tasks.reading import SPLITS

NAMES = ("classification", "extraction", "format_following")
RUN = 6  # words in a row that no two splits share


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.casefold())


def runs(text: str, n: int = RUN) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[i : i + n]) for i in range(len(said) - n + 1)}


def alike(one: set[str], other: set[str]) -> float:
    """Words in common over words in either."""
    return len(one & other) / len(one | other)


def texts(name: str, split: str) -> list[str]:
    """What is new in each item: the message, the notice, the task with its instruction."""
    items = load_task(name, split)
    return [item.prompt if name == "format_following" else item.text for item in items]


@pytest.mark.parametrize("name", NAMES)
def test_there_are_96_items_to_choose_on_and_120_to_report_on(name):
    assert [len(load_task(name, split)) for split in SPLITS] == [96, 120]


@pytest.mark.parametrize("name", NAMES)
def test_no_text_stands_twice_and_none_is_nearly_another(name):
    every = [text for split in SPLITS for text in texts(name, split)]
    assert len({tuple(words(text)) for text in every}) == len(every)
    said = [set(words(text)) for text in every]
    assert [pair for pair in combinations(said, 2) if alike(*pair) > 0.6] == []


@pytest.mark.parametrize("name", NAMES)
def test_dev_and_test_share_no_six_words_in_a_row(name):
    dev, test = (set().union(*map(runs, texts(name, split))) for split in SPLITS)
    assert dev & test == set()


def test_no_task_and_no_instruction_serves_both_splits():
    dev, test = (load_task("format_following", split) for split in SPLITS)
    for part in ("task", "instruction"):
        first, second = ({tuple(words(getattr(item, part))) for item in items} for items in (dev, test))
        assert first & second == set(), part


def test_nothing_is_about_the_bicycle_company():
    for name in NAMES:
        said = {word for split in SPLITS for text in texts(name, split) for word in words(text)}
        assert not said & {"velunda", "kite", "otter", "heron", "wren", "lynx", "puffin", "utrecht", "ghent"}


# Messages


@pytest.mark.parametrize("split", SPLITS)
def test_each_desk_gets_equally_many_messages_and_a_fifth_or_more_name_another_desk(split):
    items = load_task("classification", split)
    labels = Counter(item.label for item in items)
    assert set(labels) == set(load_guide()["classification"]["labels"]) and len(set(labels.values())) == 1
    lured = Counter(item.label for item in items if item.lure)
    assert min(lured[label] / labels[label] for label in labels) >= 0.2
    assert len({item.voice for item in items}) >= 8


def test_naming_the_desk_gives_away_few_messages():
    for split in SPLITS:
        items = load_task("classification", split)
        assert sum(item.label in words(item.text) for item in items) <= 0.1 * len(items)


# Notices


@pytest.mark.parametrize("split", SPLITS)
def test_what_is_stated_stands_in_the_text_and_accepts_itself(split):
    for item in load_task("extraction", split):
        for name, forms in item.fields.items():
            if forms is not None:
                assert forms[0].casefold() in item.text.casefold(), (item.id, name)
                assert all(right_value(form, forms) for form in forms) and not right_value(None, forms)


@pytest.mark.parametrize("split", SPLITS)
def test_kinds_are_balanced_and_a_sixth_of_the_fields_are_absent(split):
    items = load_task("extraction", split)
    assert len(set(Counter(item.kind for item in items).values())) == 1
    absent = [forms is None for item in items for forms in item.fields.values()]
    assert 1 / 6 <= sum(absent) / len(absent) <= 1 / 3
    assert all(2 <= len(item.fields) <= 4 for item in items)


def test_every_field_is_absent_somewhere_and_stated_more_often():
    for kind, about in load_guide()["extraction"]["kinds"].items():
        items = [item for split in SPLITS for item in load_task("extraction", split) if item.kind == kind]
        for name in about["fields"]:
            absent = sum(item.fields[name] is None for item in items)
            assert 0 <= absent < len(items) / 2, (kind, name)


def test_all_of_the_text_is_no_right_value():
    items = [item for split in SPLITS for item in load_task("extraction", split)]
    assert not any(right_value(item.text, forms) for item in items for forms in item.fields.values())


# Instructions


@pytest.mark.parametrize("split", SPLITS)
def test_kinds_of_form_are_balanced(split):
    kinds = Counter(item.kind for item in load_task("format_following", split))
    assert len(kinds) == 24 and len(set(kinds.values())) == 1


@pytest.mark.parametrize("part", ["task", "instruction", "prompt"])
def test_a_parrot_follows_hardly_any_instruction(part):
    """Saying what was asked is no reply, though a form such as "without a comma" is kept by it."""
    items = [item for split in SPLITS for item in load_task("format_following", split)]
    assert sum(item.followed(getattr(item, part)) for item in items) <= 0.1 * len(items)


def test_a_good_reply_to_another_task_follows_hardly_any_instruction():
    """Each item's reply keeps to its own form and topic, not to those of the ten items after it."""
    items = [item for split in SPLITS for item in load_task("format_following", split)]
    pairs = [(item, items[(i + step) % len(items)]) for i, item in enumerate(items) for step in range(1, 11)]
    assert all(item.followed(item.reply) for item in items)
    assert sum(item.followed(other.reply) for item, other in pairs) <= 0.01 * len(pairs)


def test_parameters_named_in_an_instruction_are_those_checked():
    """Texts to begin or end with, to use or to avoid stand in the instruction in so many words."""
    for split in SPLITS:
        for item in load_task("format_following", split):
            for check in item.checks[:-1]:
                text = str(check.parameters.get("text"))
                if check.name in ("begins_with", "ends_with", "includes") and any(map(str.isalpha, text)):
                    assert text in item.instruction, item.id
                if check.name in ("json_object", "labeled"):
                    named = check.parameters.get("keys") or check.parameters["labels"]
                    assert all(name in item.instruction for name in named), item.id
