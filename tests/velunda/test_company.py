"""Velunda's canon: README and JSON agree, it does not contradict itself, and no text of the course contradicts it."""

from __future__ import annotations

import re

import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.velunda import canon, order_numbers, products_named
from helpers.velunda import company as velunda
from tests.tools.canon import CARD, blocks, filled, tables

WORLD = canon()


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])\d[\d,.]*\d|(?<![\w-])\d", text))


def test_the_readme_shows_what_the_json_says():
    card = CARD.read_text(encoding="utf-8")
    assert sorted(blocks(card)) == sorted(tables(WORLD))
    assert filled(card, WORLD) == card, "run `python -m tests.tools.canon`"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("VE-48213", ["VE-48213"]),
        ("ve 48213, and later ve48 213", ["VE-48213"]),
        ("not VE-10542 but VE-48 213", ["VE-10542", "VE-48213"]),
        ("order no. 48213", ["VE-48213"]),
        ("order: #48213", ["VE-48213"]),
        ("order VE-4821", []),
        ("order 482130", []),
        ("VE-482130", []),
        ("I have 48213 reasons", []),
        ("we five 48213", []),
    ],
)
def test_an_order_number_is_found_as_customers_write_it(text, numbers):
    assert order_numbers(text) == numbers


def test_products_are_found_in_any_spelling_and_in_order():
    for product in WORLD["products"]:
        for spelled in (product["name"], *product["spellings"]):
            assert products_named(f"The {spelled}, please.") == [product["name"]]
            assert products_named(f"two {spelled.lower()}s") == [product["name"]]
    assert products_named("a lynx, no, an Oter; or the Lynx?") == ["Lynx", "Otter"]
    assert products_named("kitesurfing with herons' friends at Otterton") == ["Heron"]


def test_a_missing_or_damaged_canon_is_told_in_one_sentence(tmp_path, monkeypatch):
    file = tmp_path / "data" / "velunda" / "canon.json"
    monkeypatch.setattr(velunda, "FILE", file)
    monkeypatch.setattr(safe_files, "ROOT", tmp_path)
    file.parent.mkdir(parents=True)
    for content in (None, "{"):
        if content is not None:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(DataUnavailable, match="git checkout -- data/velunda/canon.json"):
            canon()
