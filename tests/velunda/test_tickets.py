"""The labeled tickets: enough of them, none twice, no leak between splits, labels that the text bears out."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter

import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.old.velunda import FIELDS, load_frames, load_tickets, tickets
from helpers.old.velunda.tickets import FOLDER, FRESH, MORE, SPLITS
from helpers.velunda import canon, order_numbers, products_named
from helpers.velunda import tickets as loading
from tests.benchmarks import fresh_tickets
from tests.benchmarks.fresh_tickets import generate
from tests.tools.tickets import lines, word_sequences

WORLD = canon()
ALL = (*SPLITS, FRESH, MORE)
DATA = {split: load_tickets(split) for split in ALL}
EVERY = [ticket for split in ALL for ticket in DATA[split]]
FRESH_FRAMES = load_frames(FRESH)
MORE_FRAMES = load_frames(MORE)
FRAMES = {frame.family: frame for frame in [*load_frames(), *FRESH_FRAMES, *MORE_FRAMES]}
VALUES = {
    "intent": [i["name"] for i in WORLD["intents"]],
    "product": [None, *(p["name"] for p in WORLD["products"])],
    "urgency": WORLD["urgency"],
    "sentiment": WORLD["sentiment"],
}


def texts(split):
    return [ticket["text"] for ticket in DATA[split]]


def test_there_are_enough_tickets_families_and_voices():
    assert len(DATA["train"]) >= 300 and len(DATA["dev"]) >= 60 and len(DATA["test"]) >= 120
    assert len(FRAMES) == len(load_frames()) + len(FRESH_FRAMES) + len(MORE_FRAMES) and len(load_frames()) >= 150
    assert len({frame.voice for frame in FRAMES.values()}) >= 6
    for split in ALL:
        assert Counter(t["label"]["intent"] for t in DATA[split]).keys() == set(VALUES["intent"]), split


def test_the_data_card_counts_right():
    card = (FOLDER.parent.parent / "README.md").read_text(encoding="utf-8")
    counts = ", ".join(f"{split} {len(DATA[split])}" for split in SPLITS)
    total = sum(len(DATA[split]) for split in SPLITS)
    assert f"{total} support tickets in {len(load_frames())} families of phrasing" in card and counts in card
    assert f"a second test split: {len(DATA[FRESH])} tickets in {len(FRESH_FRAMES)} families" in card
    assert f"the {len({t['family'] for t in DATA['test']})} test families, not the {len(DATA['test'])} tickets" in card


@pytest.mark.parametrize("split", ALL)
def test_the_committed_file_is_what_the_frames_give(split):
    committed = (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8")
    assert committed == lines(split), "run `python -m tests.tools.tickets`"


def test_no_text_stands_twice_not_even_with_other_names_and_numbers():
    bare = [re.sub(r"\W+", " ", re.sub(r"\d", "0", t["text"].lower())) for t in EVERY]
    assert len(set(bare)) == len(EVERY)


TOLD_APART = [pair for pair in itertools.combinations(ALL, 2) if set(pair) != {"train", MORE}]  # both are trained on


@pytest.mark.parametrize("pair", TOLD_APART, ids="-".join)
def test_two_splits_share_no_family_and_no_six_words_in_a_row(pair):
    first, second = pair
    assert not {t["family"] for t in DATA[first]} & {t["family"] for t in DATA[second]}
    shared = word_sequences(texts(first), 6) & word_sequences(texts(second), 6)
    assert not shared, sorted(" ".join(words) for words in shared)


def test_generated_training_tickets_share_no_six_words_with_the_other_splits():
    made = word_sequences((t["text"] for t in generate(3000, seed=1)), 6)
    for split in ("dev", "test", FRESH):
        shared = made & word_sequences(texts(split), 6)
        assert not shared, sorted(" ".join(words) for words in shared)


def problem(ticket):
    """What is wrong with a ticket's label, by the text alone; None if nothing is."""
    text, label = ticket["text"], ticket["label"]
    if not 15 <= len(text.split()) <= 90:
        return f"{len(text.split())} words"
    if tuple(label) != FIELDS or any(label[field] not in values for field, values in VALUES.items()):
        return "a field or a value that the guide does not know"
    number, product = label["order_number"], label["product"]
    if number is not None and not (re.fullmatch(r"VE-\d{5}", number) and number in order_numbers(text)):
        return "the order number does not stand in the text"
    if product is not None and product not in products_named(text):
        return "the product does not stand in the text"
    return "leftovers of the frame" if re.search(r"[{}⟦⟧|]|\s\s| =", text) else None


@pytest.mark.parametrize("split", ALL)
def test_the_labels_are_complete_and_their_names_and_numbers_stand_in_the_text(split):
    wrong = {ticket["family"]: found for ticket in DATA[split] if (found := problem(ticket))}
    assert not wrong


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"text": "Too short."}, "2 words"),
        ({"intent": "theft"}, "does not know"),
        ({"order_number": "VE-00000"}, "order number does not stand"),
        ({"product": "Magpie"}, "product does not stand"),
    ],
)
def test_a_planted_wrong_label_is_found(change, found):
    ticket = {**DATA["dev"][0], "label": {**DATA["dev"][0]["label"]}}
    (ticket if "text" in change else ticket["label"]).update(change)
    assert found in problem(ticket)


def test_the_generator_repeats_itself_for_a_seed_and_differs_for_another():
    assert generate(50, seed=3) == generate(50, seed=3)
    assert generate(50, seed=3) != generate(50, seed=4)
    made = generate(1000, seed=0)
    assert len({t["text"] for t in made}) == 1000
    assert {t["family"] for t in made} == {t["family"] for t in DATA["train"]}
    assert {t["family"] for t in generate(30, seed=0, split="dev")} <= {t["family"] for t in DATA["dev"]}


def test_bad_requests_and_damaged_files_are_told_in_one_sentence(tmp_path, monkeypatch):
    for call in (load_tickets, lambda split: generate(1, 0, split)):
        with pytest.raises(ValueError, match="no split 'validation': choose one of train, dev, test"):
            call("validation")
    with pytest.raises(ValueError, match="different texts, not 100"):
        monkeypatch.setattr(fresh_tickets, "load_frames", lambda split: [FRAMES["ot07"]])
        generate(100, 0)
    monkeypatch.undo()
    folder = tmp_path / "data" / "velunda" / "tickets"
    folder.mkdir(parents=True)
    monkeypatch.setattr(tickets, "FOLDER", folder)
    monkeypatch.setattr(loading, "FOLDER", folder)
    monkeypatch.setattr(safe_files, "ROOT", tmp_path)
    with pytest.raises(DataUnavailable, match="git checkout -- data/velunda/tickets/dev.jsonl"):
        load_tickets("dev")
    (folder / "dev.jsonl").write_text(json.dumps(EVERY[0])[:-3], encoding="utf-8")
    with pytest.raises(DataUnavailable, match="line 1 is broken JSON .*: restore the file with `git checkout -- data"):
        load_tickets("dev")
    (folder / "frames.txt").write_text("== train\n\n# os01 curt order_status\nWhere?\n", encoding="utf-8")
    with pytest.raises(ValueError, match="begins with five words"):
        load_frames()
    (folder / "frames.txt").write_text("== train\n\n# a b c low neutral\nWhere is my {car}?\n", encoding="utf-8")
    with pytest.raises(ValueError, match="neither a slot nor a choice"):
        generate(1, 0)
