"""The handbook and its questions: complete, in agreement with the canon, every passage where its question says."""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter

import pytest

from helpers.velunda import canon, load_handbook
from helpers.velunda.handbook import FOLDER, KINDS, QUESTIONS, STATUSES
from tests.tools.handbook import content_words, lines, located, questions, runs, spans
from tests.velunda.test_company import numbers_in

WORLD = canon()
DOCUMENTS = load_handbook()
TEXTS = {name: document.text for name, document in DOCUMENTS.items()}
ASKED = questions()
RUNS = {name: runs(text, 4) for name, text in TEXTS.items()}
DOCUMENT_KINDS = {"policy", "manual", "price list", "release note", "incident report", "meeting note"}
TERMS = {term["id"]: term["rule"] for term in WORLD["terms"]}
VARIANTS = {v["name"]: v | {"colors": p.get("colors")} for p in WORLD["products"] for v in p["variants"]}
ACCESSORIES = {p["name"]: p for p in WORLD["products"] if p["group"] == "accessory"}
PARTS = {part["name"]: part["price_eur"] for part in WORLD["parts"]}
SINCE = {p["name"]: p["since"] for p in WORLD["people"]} | {s["manager"]: s["opened"] for s in WORLD["shops"]}

# Each term of the canon, and where the handbook words it out.
WORDED = {
    "warranty-drive": ("warranty-terms", "| motor and battery | 24 |"),
    "warranty-frame": ("warranty-terms", "| frame | 60 |"),
    "warranty-accessories": ("warranty-terms", "| accessories | 24 |"),
    "warranty-capacity": ("warranty-terms", "less than 70% of its capacity within the 24 months is replaced"),
    "warranty-wear": ("warranty-terms", "Normal wear on tires, brake pads and chain."),
    "warranty-opened": ("warranty-terms", "A battery that was opened outside a Velunda workshop: no free repair"),
    "warranty-papers": ("warranty-terms", "that of the invoice and that of the frame"),
    "warranty-owner": ("warranty-terms", "as long as the invoice is handed on"),
    "returns-days": ("returns-policy", "within 30 days of receiving it, provided it was ridden for no more than 50"),
    "returns-accessories": ("returns-policy", "Unused accessories go back within 30 days"),
    "returns-helmets": ("returns-policy", "Helmets that were worn are not taken back."),
    "returns-refund": ("returns-policy", "within 7 business days after the goods have reached the warehouse"),
    "returns-pickup": ("returns-policy", "Collection at home costs 39 euros for a bicycle"),
    "returns-battery": ("returns-policy", "in its original box with the dangerous goods label on it"),
    "delivery-time": ("delivery-terms", "within 2 business days, and reaches the door within 3 business days"),
    "delivery-cost": ("delivery-terms", "| a bicycle | 49 € |\n| accessories, order below 150 € | 5 € |"),
    "delivery-countries": ("delivery-terms", "Belgium, Germany, Denmark, Austria, France and Luxembourg."),
    "delivery-card": ("delivery-terms", "It waits for 10 days"),
    "delivery-batteries": ("delivery-of-batteries", "By road they take four days longer than other goods"),
    "delivery-change": ("changing-orders", "an order can be changed or canceled free of charge"),
    "delivery-damage": ("damage-in-transit", "within 5 days of delivery and sends photos of the box and of the part"),
    "repair-inspection": ("repair-terms", "due at 300 kilometers, takes about 45 minutes and is free"),
    "repair-yearly": ("repair-terms", "every 2,000 kilometers or once a year, whichever comes earlier, at 79 euros"),
    "repair-approval": ("repair-terms", "more than 90 euros, work begins only when the customer has agreed"),
    "repair-hour": ("repair-terms", "One hour of work is 72 euros"),
    "repair-time": ("repair-terms", "- 5 business days as a rule.\n- 10 business days when a part has to be ordered."),
    "repair-loan": ("repair-terms", "Longer than 5 business days means a claim to a substitute"),
    "repair-key": ("repair-terms", "With the key to the battery lock."),
    "repair-parts": ("repair-terms", "spare parts are kept for 8 years"),
    "leasing-term": ("leasing-by-employers", "runs for 36 months. It begins at a price of 1,500 euros"),
    "leasing-end": ("leasing-by-employers", "| buy the bicycle | 17% of its price |"),
    "leasing-installments": ("installments", "over 6 or 12 installments, without interest"),
    "insurance-price": ("insurance-terms", "| up to 3,500 € | 9.90 € |\n| above 3,500 € | 14.90 € |"),
    "insurance-lock": ("insurance-terms", "A lock worth at least 100 euros is asked for. The Anchor satisfies this."),
    "insurance-theft": ("theft-procedure", "Police and Velunda must both know within 3 days."),
    "insurance-excess": ("insurance-terms", "The customer bears 100 euros of every claim."),
    "data-access": ("data-protection-customers", "You receive the copy within 30 days"),
    "data-invoices": ("data-protection-customers", "invoices for 7 years, even after your account is gone"),
    "data-rides": ("data-protection-customers", "stay on your phone unless you share them"),
    "data-tickets": ("retention-of-records", "| support messages | 24 months |"),
    "support-hours": ("support-desk-rules", "Monday to Saturday, from 8 to 18 o'clock, by mail and chat"),
    "support-safety": ("safety-escalation", "We call you within 2 hours."),
    "support-goodwill": ("support-desk-rules", "up to 50 euros of goodwill per case, without asking. More needs Yara"),
    "battery-storage": ("battery-handling", "until three lights are on, which is about 60%"),
    "battery-cold": ("battery-handling", "Indoors for at least 4 hours first"),
    "battery-range": ("battery-handling", "a range that can drop by up to 30%"),
    "battery-daily": ("battery-handling", "80% is enough for everyday riding. Charge to 100% when a long trip"),
    "battery-charger": ("charger-two-ampere", "| three red blinks | the plug is not firmly in the socket |"),
    "battery-water": ("battery-handling", "Never wash it with a pressure washer"),
    "battery-case": ("battery-handling", "Never open the case. The cells are live even when the display shows 0%."),
}
# What superseded documents say that the canon's history says has changed since: document, piece, date, term.
OUTDATED = [
    ("returns-policy-2019", "You have 14 days to change your mind.", "2022-06", "returns-days"),
    ("returns-policy-2019", "| we have it collected at home | 29 euros |", "2024-04", "returns-pickup"),
    ("warranty-terms-2021", "12 months on the battery", "2023-01", "warranty-drive"),
    ("repair-terms-2022", "65 euros, everywhere, for all models", "2025-02", "repair-hour"),
    ("insurance-terms-2023", "the first 150 euros are the customer's own", "2026-06", "insurance-excess"),
]
# Prices outside the price lists: document, piece, what the canon calls it.
PRICED = [
    ("anchor-manual", "the Anchor, at 119 euros", "Anchor"),
    ("shell-guide", "costs 89 euros", "Shell"),
    ("satchel-manual", "| price | 109 euros |", "Satchel"),
    ("beacon-manual", "a light cable for 14 euros", "light cable"),
    ("charger-four-ampere", "109 euros, with a fan", "charger 4 A"),
    ("firmware-by-cable", "The firmware cable, 24 euros.", "firmware cable"),
    ("error-codes", "a motor plug costs 12 euros", "motor plug"),
    ("first-inspection-checklist", "so the pair at 18 euros goes on the bill", "pair of brake pads"),
    ("lynx-manual", "The part costs 18 euros; the work", "fork seal"),
    ("lynx-manual", "It costs 15 euros and saves a day.", "derailleur hanger"),
    ("cleaning-and-winter", "makes 22 euros, and the work on top", "wheel bearing"),
    ("meeting-otter-sold-out-2025", "a Perch at no charge or 149 euros off", "Perch"),
]


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


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_speaks_of_a_product_code_or_weekday_that_never_was(name):
    text, year = TEXTS[name], DOCUMENTS[name].date.year
    early = [p["name"] for p in WORLD["products"] if re.search(rf"\b{p['name']}", text) and p["released"] > year]
    assert not early
    called = set(re.findall(r"Velunda ([A-Z][a-z]+)", text))
    assert called <= {p["name"] for p in WORLD["products"]} | {"Ride", "Go"}
    assert set(re.findall(r"\bE\d\d\b", text)) <= {code["code"] for code in WORLD["error_codes"]}
    for day, month, number, other in re.findall(
        r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, ([A-Z][a-z]+) (\d{1,2})\b(?:, (\d{4}))?", text
    ):
        date = datetime.datetime.strptime(f"{other or year} {month} {number}", "%Y %B %d")
        assert f"{date:%a}" == day, f"{day}, {month} {number}, {other or year}"


def test_titles_are_unique_and_near_twins_are_not_copies():
    assert len({document.title for document in DOCUMENTS.values()}) == len(DOCUMENTS)
    sequences = {name: runs(text, 8) for name, text in TEXTS.items()}
    shared = {pair: sequences[pair[0]] & sequences[pair[1]] for pair in itertools.combinations(sequences, 2)}
    # rows of the two price lists of parts, and the same table in two manuals, may agree; running text may not
    assert not {pair: words for pair, words in shared.items() if len(words) > 8}


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


def test_labor_is_the_hourly_rate_times_the_minutes():
    [rate] = numbers_in(TERMS["repair-hour"])
    jobs = [row for row in rows("workshop-price-list") if row[1].isdigit()]
    assert len(jobs) >= 20
    for job, minutes, labor in jobs:
        assert int(minutes) * float(rate) / 60 == pytest.approx(euros(labor)), job


def test_every_term_of_the_canon_is_worded_out_with_its_numbers():
    assert set(WORDED) == set(TERMS)
    for term, (name, piece) in WORDED.items():
        assert DOCUMENTS[name].status == "current" and piece in TEXTS[name], (term, name)
        assert numbers_in(piece) <= numbers_in(TERMS[term]), (term, piece)


@pytest.mark.parametrize(("name", "piece", "month", "term"), OUTDATED)
def test_what_is_superseded_says_what_held_before(name, piece, month, term):
    [change] = [event["what"] for event in WORLD["history"] if event["date"] == month]
    assert DOCUMENTS[name].status == "superseded" and DOCUMENTS[name].date.isoformat()[:7] < month
    assert piece in TEXTS[name] and numbers_in(piece) <= numbers_in(change)
    assert WORDED[term][0] == DOCUMENTS[name].replaced_by and not numbers_in(piece) & numbers_in(TERMS[term])


@pytest.mark.parametrize(("name", "piece", "what"), PRICED)
def test_a_price_in_passing_is_the_canons(name, piece, what):
    price = PARTS[what] if what in PARTS else VARIANTS[what]["price_eur"]
    assert piece in TEXTS[name] and str(price) in numbers_in(piece)


def test_the_error_codes_mean_what_the_canon_says():
    for code in WORLD["error_codes"]:
        said = f"**{code['code']}, {code['meaning']}.**"
        assert said in TEXTS["error-codes"], said


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


def copied(question: str) -> list[str]:
    """Documents with four content words in a row that the question says, too."""
    asked = runs(question, 4)
    return [name for name, said in RUNS.items() if asked & said]


def test_no_question_copies_four_content_words_in_a_row_from_any_document():
    assert not {q["id"]: copied(q["question"]) for q in ASKED if copied(q["question"])}


def test_a_planted_copy_and_a_planted_stale_quote_are_found():
    example = next(q for q in ASKED if q["kind"] == "paraphrase")
    assert example["document"] in copied(f"Is it true that {example['quote']}")
    with pytest.raises(ValueError, match="0 times, not once"):
        located({**example, "quote": "what nobody wrote"}, TEXTS)
    with pytest.raises(ValueError, match="not once"):
        located({**example, "quote": "the"}, TEXTS)


def test_paraphrases_share_few_words_with_their_passage():
    def shared(question):
        passage = set(content_words(question["quote"]))
        return len(passage & set(content_words(question["question"]))) / len(passage)

    means = {kind: [shared(q) for q in ASKED if q["kind"] == kind] for kind in ("paraphrase", "exact term", "number")}
    assert max(means["paraphrase"]) <= 0.3
    for kind in ("exact term", "number"):
        assert sum(means["paraphrase"]) / len(means["paraphrase"]) < sum(means[kind]) / len(means[kind]), kind


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
