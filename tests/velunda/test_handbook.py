"""The handbook and its questions: complete, in agreement with the canon, every passage where its question says."""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter

import pytest

from helpers.velunda import canon, load_handbook
from helpers.velunda.handbook import FOLDER, KINDS, QUESTIONS, STATUSES
from tests.tools.handbook import content_words, lines, questions, spans
from tests.velunda.test_company import numbers_in

WORLD = canon()
DOCUMENTS = load_handbook()
TEXTS = {name: document.text for name, document in DOCUMENTS.items()}
ASKED = questions()
DOCUMENT_KINDS = {"policy", "manual", "price list", "release note", "incident report", "meeting note"}
VARIANTS = {v["name"]: v | {"colors": p.get("colors")} for p in WORLD["products"] for v in p["variants"]}
ACCESSORIES = {p["name"]: p for p in WORLD["products"] if p["group"] == "accessory"}
PARTS = {part["name"]: part["price_eur"] for part in WORLD["parts"]}
SINCE = {p["name"]: p["since"] for p in WORLD["people"]} | {s["manager"]: s["opened"] for s in WORLD["shops"]}


def rows(name: str) -> list[list[str]]:
    """The cells of all table rows of a document, rules left out."""
    found = re.findall(r"^\| (.*) \|$", TEXTS[name], re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in found if not line.startswith("---")]


def euros(cell: str) -> float:
    return float(cell.replace(",", "").removesuffix(" €"))


# The documents -------------------------------------------------------------------------------------------------------


def test_there_are_enough_documents_of_every_kind_and_of_the_promised_length():
    assert len(TEXTS) >= 60
    assert {document.kind for document in DOCUMENTS.values()} == DOCUMENT_KINDS
    lengths = {name: len(text.split()) for name, text in TEXTS.items()}
    assert not {name: n for name, n in lengths.items() if not 300 <= n <= 900}
    assert {document.status for document in DOCUMENTS.values()} == set(STATUSES)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=lambda document: document.name)
def test_the_front_matter_is_complete_and_true(document):
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", document.name)
    assert document.text.startswith(f"# {document.title}\n")
    assert datetime.date(2017, 5, 1) <= document.date <= datetime.date.fromisoformat(WORLD["as_of"])
    assert document.owner in SINCE and SINCE[document.owner] <= document.date.year
    assert (document.status == "superseded") == (document.replaced_by is not None)
    if document.replaced_by:
        assert DOCUMENTS[document.replaced_by].date > document.date
    # a reader has to look at dates: no text says of itself that it is out of date
    assert not re.search(r"supersede|replaced by this", document.text, re.IGNORECASE)


def test_the_price_lists_agree_with_the_canon():
    names = [name for name in DOCUMENTS if name.startswith("price-list-") and name.endswith("2026")]
    listed = {row[0]: row for name in names for row in rows(name)}
    assert (set(VARIANTS) | set(PARTS)) - set(listed) == {"Magpie 300"}
    for name, row in listed.items():
        if name in VARIANTS or name in PARTS:
            assert euros(row[-1]) == (VARIANTS[name]["price_eur"] if name in VARIANTS else PARTS[name]), row
    for name, product in ACCESSORIES.items():
        weight, fits = listed[name][2:4]
        assert weight == f"{VARIANTS[name]['weight_kg']} kg"
        if name not in ("Beacon", "Anchor", "Shell"):
            assert fits.split(", ") == product["fits"]
    for name, bicycle in VARIANTS.items():
        if name in listed and name not in ACCESSORIES:
            colors, battery, weight, distance = listed[name][2:6]
            assert colors.split(", ") == bicycle["colors"], name
            assert (battery, weight, distance) == (
                *(f"{bicycle['battery_wh']} Wh", f"{bicycle['weight_kg']} kg", f"{bicycle['range_km']} km"),
            ), name


@pytest.mark.parametrize("model", sorted({p["name"] for p in WORLD["products"] if p["group"] == "bicycle"}))
def test_the_table_of_each_manual_agrees_with_the_canon(model):
    table = {row[0]: row[1:] for row in rows(f"{model.lower()}-manual")}
    weights = [f"{VARIANTS[name]['weight_kg']:.1f} kg" for name in table["what"]]
    ranges = [f"{VARIANTS[name]['range_km']} km" for name in table["what"]]
    assert table["weight"] == weights and table["range (flat, 20 °C, weakest mode)"] == ranges
    for name, cell in zip(table["what"], table["battery"], strict=True):
        assert f"{VARIANTS[name]['battery_wh']} Wh" in cell


# The questions -------------------------------------------------------------------------------------------------------


def test_there_are_enough_questions_and_every_kind_stands_in_both_halves():
    assert len(ASKED) >= 160
    assert [q["id"] for q in ASKED] == [f"q{n:03}" for n in range(1, len(ASKED) + 1)]
    counts = Counter((q["kind"], q["split"]) for q in ASKED)
    assert set(counts) == set(itertools.product(KINDS, ("dev", "test")))
    assert min(counts.values()) >= 10
    assert counts["unanswerable", "dev"] + counts["unanswerable", "test"] >= 25
    for kind in KINDS:
        assert abs(counts[kind, "dev"] - counts[kind, "test"]) <= 1, kind


def test_the_committed_file_is_what_the_quotes_give():
    assert QUESTIONS.read_text(encoding="utf-8") == lines(), "run `python -m tests.tools.handbook`"


@pytest.mark.parametrize("asked", ASKED, ids=lambda q: q["id"])
def test_the_passages_exist_once_and_bear_the_answer(asked):
    found = list(spans(asked))
    assert len(found) == {"unanswerable": 0, "two documents": 2}.get(asked["kind"], 1)
    assert len({name for name, *_ in found}) == len(found)
    for name, quote, start, end in found:
        assert TEXTS[name][start:end] == quote and TEXTS[name].count(quote) == 1
        assert 2 <= len(quote.replace("|", " ").split()) <= 25, quote
    if not found:
        assert asked["answer"] is asked["document"] is asked["start"] is asked["end"] is None
        return
    assert 1 <= len(asked["answer"].split()) <= 12
    if asked["kind"] in ("number", "newest version wins"):
        assert numbers_in(asked["answer"]) <= numbers_in(found[0][1]), asked["answer"]
    if asked["kind"] == "newest version wins":
        assert asked["document"] in {document.replaced_by for document in DOCUMENTS.values()}


def test_no_question_stands_twice_and_the_halves_share_no_passage():
    bags = {q["id"]: set(content_words(q["question"])) for q in ASKED}
    pairs = itertools.combinations(bags, 2)
    assert not [(a, b) for a, b in pairs if len(bags[a] & bags[b]) > 0.6 * len(bags[a] | bags[b])]
    places = {split: [s for q in ASKED if q["split"] == split for s in spans(q)] for split in ("dev", "test")}
    shared = [
        (a[1], b[1])
        for a, b in itertools.product(places["dev"], places["test"])
        if a[0] == b[0] and a[2] < b[3] and b[2] < a[3]
    ]
    assert not shared


def test_the_data_card_counts_right():
    card = (FOLDER.parent.parent / "README.md").read_text(encoding="utf-8")
    kinds = Counter(document.kind for document in DOCUMENTS.values())
    plural = {"policy": "policies"} | {kind: f"{kind}s" for kind in DOCUMENT_KINDS - {"policy"}}
    told = ", ".join(f"{kinds[kind]} {plural[kind]}" for kind in sorted(kinds, key=lambda k: (-kinds[k], k)))
    assert f"{len(TEXTS)} documents ({told})" in card
    statuses = Counter(document.status for document in DOCUMENTS.values())
    assert f"{statuses['superseded']} of them superseded" in card
    used = [{name for q in ASKED if q["split"] == split for name, *_ in spans(q)} for split in ("dev", "test")]
    assert f"{len(used[0] & used[1])} documents serve both halves" in card
    negated = [q["answer"] for q in ASKED if q["kind"] == "negation"]
    assert f"{sum(answer.startswith('no') for answer in negated)} of the {len(negated)} negation questions" in card
    splits, by_kind = Counter(q["split"] for q in ASKED), Counter(q["kind"] for q in ASKED)
    assert f"{len(ASKED)} questions" in card and f"dev {splits['dev']}, test {splits['test']}" in card
    for kind in KINDS:
        assert f"| {kind} | {by_kind[kind]} |" in card, kind
