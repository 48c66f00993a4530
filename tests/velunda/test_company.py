"""Velunda's canon: README and JSON agree, it does not contradict itself, and no text of the course contradicts it."""

from __future__ import annotations

import json
import re

import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.velunda import canon, order_numbers, parallel_texts, products_named
from helpers.velunda import company as velunda
from tests.tools.canon import CARD, blocks, filled, tables
from tests.tools.notebook import ROOT

WORLD = canon()
TERMS = {term["id"]: term["rule"] for term in WORLD["terms"]}
BICYCLES = {p["name"]: p for p in WORLD["products"] if p["group"] == "bicycle"}

# A piece of an English customer sentence, and the term that says the same: every number of the sentence stands in it.
SAID_ELSEWHERE = {
    "If you will not ride": "battery-storage",
    "Charge the battery only": "battery-charger",
    "is colder than 0 °C": "battery-cold",
    "your range can drop": "battery-range",
    "Never open the battery case": "battery-case",
    "pressure washer": "battery-water",
    "For everyday riding": "battery-daily",
    "key to the battery lock": "repair-key",
    "The first inspection": "repair-inspection",
    "May we go ahead": "repair-approval",
    "The warranty on the motor": "warranty-drive",
    "Normal wear": "warranty-wear",
    "opened outside our workshop": "warranty-opened",
    "keep your invoice": "warranty-papers",
    "You may return": "returns-days",
    "in its original box": "returns-battery",
    "We refund": "returns-refund",
    "helmets that have already been worn": "returns-helmets",
    "left our warehouse this morning": "delivery-time",
    "leaves a card": "delivery-card",
}


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])\d[\d,.]*\d|(?<![\w-])\d", text))


def test_the_readme_shows_what_the_json_says():
    card = CARD.read_text(encoding="utf-8")
    assert sorted(blocks(card)) == sorted(tables(WORLD))
    assert filled(card, WORLD) == card, "run `python -m tests.tools.canon`"


def test_a_price_changed_in_the_json_alone_is_noticed():
    changed = canon()
    changed["products"][0]["variants"][0]["price_eur"] += 1
    card = CARD.read_text(encoding="utf-8")
    assert filled(card, changed) != card


@pytest.mark.parametrize("piece", SAID_ELSEWHERE)
def test_the_customer_sentences_say_what_the_terms_say(piece):
    [sentence] = [s for s in parallel_texts()["English"] if piece in s]
    missing = numbers_in(sentence) - numbers_in(TERMS[SAID_ELSEWHERE[piece]])
    assert not missing, f"{sentence!r} says {sorted(missing)}, {TERMS[SAID_ELSEWHERE[piece]]!r} does not."


def test_the_customer_sentences_give_each_number_that_the_terms_turn_on():
    told = {"warranty-drive": "24", "returns-days": "50", "repair-inspection": "300", "returns-refund": "7"}
    for name, number in told.items():
        assert number in numbers_in(TERMS[name])
        assert any(
            number in numbers_in(s)
            for s in parallel_texts()["English"]
            for p, t in SAID_ELSEWHERE.items()
            if t == name and p in s
        )


def texts_of_the_course():
    for path in sorted([*(ROOT / "data/velunda").rglob("*.json*"), *(ROOT / "notebooks").glob("*.ipynb")]):
        if path.name == "canon.json":
            continue
        raw = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            raw = "\n".join("".join(cell["source"]) for cell in json.loads(raw)["cells"])
        yield path.name, raw


def test_every_model_that_a_text_calls_velundas_is_in_the_canon():
    called = {
        (file, name) for file, text in texts_of_the_course() for name in re.findall(r"Velunda ([A-Z][a-z]+)", text)
    }
    known = {p["name"] for p in WORLD["products"]} | {"Ride", "Go"}
    assert {name for _, name in called} >= {"Kite", "Otter"}
    assert not {(file, name) for file, name in called if name not in known}


def test_every_order_number_in_the_texts_has_five_digits():
    [form] = [n["pattern"] for n in WORLD["numbers"] if n["what"] == "order"]
    texts = list(texts_of_the_course())
    written = [(file, n.replace(" ", "")) for file, text in texts for n in re.findall(r"\bVE-\d+(?: \d\d\b)?", text)]
    assert len({file for file, _ in written}) >= 3 and not [pair for pair in written if not re.fullmatch(form, pair[1])]


def test_every_example_of_a_number_has_its_form():
    for number in WORLD["numbers"]:
        assert re.fullmatch(number["pattern"], number["example"]), number


def test_no_name_stands_twice_and_no_spelling_means_two_products():
    for part, key in {
        "products": "name",
        "shops": "city",
        "people": "name",
        "error_codes": "code",
        "terms": "id",
    }.items():
        names = [row[key] for row in WORLD[part]]
        assert len(names) == len(set(names)), part
    spellings = [s.lower() for p in WORLD["products"] for s in (p["name"], *p["spellings"])]
    assert len(spellings) == len(set(spellings))


def test_every_bicycle_has_a_spare_battery_and_its_longer_variant_costs_and_weighs_more():
    packs = {int(part["name"].split()[1]) for part in WORLD["parts"] if part["name"].endswith("Wh")}
    for bicycle in BICYCLES.values():
        sizes = [v["battery_wh"] // (2 if v["name"].endswith("Duo") else 1) for v in bicycle["variants"]]
        assert set(sizes) <= packs, bicycle["name"]
        for small, large in zip(bicycle["variants"], bicycle["variants"][1:], strict=False):
            for key in ("price_eur", "weight_kg", "battery_wh", "range_km"):
                assert small[key] < large[key], (bicycle["name"], key)


def test_what_the_canon_names_elsewhere_exists():
    assert all(set(p.get("fits", [])) <= set(BICYCLES) for p in WORLD["products"])
    assert {event["owner"] for event in WORLD["history"]} <= {person["name"] for person in WORLD["people"]}
    dates = [event["date"] for event in WORLD["history"]]
    assert dates == sorted(dates) and dates[-1] <= WORLD["as_of"]
    anchor = next(p for p in WORLD["products"] if p["name"] == "Anchor")["variants"][0]["price_eur"]
    asked = re.search(r"at least (\d+) euros", TERMS["insurance-lock"])
    assert asked and anchor >= int(asked[1])


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
