"""The messages to sort: enough of each, balanced, apart."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from helpers.old.tasks import load_guide, load_messages
from helpers.old.tasks.reading import SPLITS

RUN = 6  # words in a row that the splits do not share


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.casefold())


def runs(text: str, n: int = RUN) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[i : i + n]) for i in range(len(said) - n + 1)}


def alike(one: set[str], other: set[str]) -> float:
    """Words in common over words in either."""
    return len(one & other) / len(one | other)


def test_no_text_stands_twice_and_none_is_nearly_another():
    every = [message.text for split in SPLITS for message in load_messages(split)]
    assert len({tuple(words(text)) for text in every}) == len(every) == 96 + 120
    said = [set(words(text)) for text in every]
    assert [pair for pair in combinations(said, 2) if alike(*pair) > 0.6] == []


def test_dev_and_test_share_no_six_words_in_a_row():
    dev, test = (set().union(*(runs(message.text) for message in load_messages(split))) for split in SPLITS)
    assert dev & test == set()


def test_nothing_is_about_the_bicycle_company():
    said = {word for split in SPLITS for message in load_messages(split) for word in words(message.text)}
    assert not said & {"velunda", "kite", "otter", "heron", "wren", "lynx", "puffin", "utrecht", "ghent"}


@pytest.mark.parametrize("split", SPLITS)
def test_each_desk_gets_equally_many_messages_and_a_fifth_or_more_name_another_desk(split):
    items = load_messages(split)
    labels = Counter(item.label for item in items)
    assert set(labels) == set(load_guide()["classification"]["labels"]) and len(set(labels.values())) == 1
    lured = Counter(item.label for item in items if item.lure)
    assert min(lured[label] / labels[label] for label in labels) >= 0.2
    assert len({item.voice for item in items}) >= 8
    assert sum(item.label in words(item.text) for item in items) <= 0.1 * len(items)
