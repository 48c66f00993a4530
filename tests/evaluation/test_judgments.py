"""Pairs of answers and their ratings: balanced, complete, as the card counts them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations

import pytest

from helpers.files import DataUnavailable, read_jsonl
from helpers.files.paths import DATA, RESULTS
from helpers.old.evaluation import CRITERIA, load_pairs, load_ratings
from helpers.old.evaluation.judgments import ANSWERS, FOLDER
from helpers.velunda import load_handbook

PAIRS = load_pairs()
COMPOSED = ("short", "long", "slip")  # written for this set by a language model
SYSTEMS = ("quoted", "written", "closed book", "reader", *COMPOSED)
HANDBOOK = {row["id"]: row for name in ("everyday", "questions") for row in read_jsonl(DATA / f"velunda/{name}.jsonl")}
GOLD = read_jsonl(ANSWERS)
SIDES = [(pair, answer) for pair in PAIRS for answer in (pair.a, pair.b)]


def recorded_answers() -> dict[tuple[str, str], str]:
    """The text of every (question, system) whose record is kept, that of 10."""
    runs = json.loads((RESULTS / "10_answers.json").read_text(encoding="utf-8"))["runs"]
    found = {}
    for split in ("dev", "test"):
        for stratum, prefix in (("everyday", "e"), ("hard", "q")):
            ids = [key for key, row in HANDBOOK.items() if row["split"] == split and key.startswith(prefix)]
            for system, case in (("quoted", "quotes"), ("reader", "reader")):
                wanted = {"case": case, "split": split, "stratum": stratum}
                (run,) = [run for run in runs if wanted.items() <= run["case"].items()]
                found |= {(key, system): row["text"] for key, row in zip(ids, run["rows"], strict=True)}
    return found


# The pairs -----------------------------------------------------------------------------------------------------------


def test_150_pairs_over_50_questions_whose_split_is_the_handbooks():
    assert len({pair.id for pair in PAIRS}) == len(PAIRS) == 150
    assert {pair.id for pair in load_pairs("dev")} | {pair.id for pair in load_pairs("test")} == {p.id for p in PAIRS}
    assert Counter(Counter(pair.question_id for pair in PAIRS).values()) == {3: 50}
    assert Counter({pair.question_id: pair.split for pair in PAIRS}.values()) == {"dev": 30, "test": 20}


def test_question_reference_and_passage_are_the_handbooks():
    documents = load_handbook()
    for pair in PAIRS:
        row = HANDBOOK[pair.question_id]
        assert (pair.question, pair.split) == (row["question"], row["split"])
        assert (pair.document, pair.quote) == (row["document"], row["quote"])
        assert pair.reference == (row["answer"] or "The handbook does not say.")
        if pair.document is None:
            assert pair.passage is None
        else:
            assert documents[pair.document].status == "current"
            assert pair.quote in pair.passage and pair.passage in documents[pair.document].text


def test_recorded_answers_are_verbatim():
    recorded = recorded_answers()
    own = [row for row in GOLD if (row["question_id"], row["system"]) in recorded]
    assert all(row["text"] == recorded[row["question_id"], row["system"]] for row in own)
    assert {row["system"] for row in own} == {"quoted", "reader"}


def test_each_answer_stands_once_and_is_in_a_pair():
    stated = {(row["question_id"], row["system"]): row["text"] for row in GOLD}
    assert len(stated) == len(GOLD)
    assert {(pair.question_id, answer.system): answer.text for pair, answer in SIDES} == stated
    assert all(pair.a.system != pair.b.system and pair.a.text != pair.b.text for pair in PAIRS)
    assert len({(pair.question_id, frozenset((pair.a.system, pair.b.system))) for pair in PAIRS}) == 150


def test_slips_are_wrong_and_say_what_was_changed_and_the_other_composed_ones_are_right():
    for row in GOLD:
        if row["system"] in COMPOSED:
            assert row["right"] == (row["system"] != "slip"), row
        assert (row["changed"] in ("number", "negation", "condition", "invented")) == (row["system"] == "slip"), row


@pytest.mark.parametrize("split", ["dev", "test"])
def test_every_two_systems_meet_in_each_split_so_that_all_can_be_ranked(split):
    met = Counter(frozenset((pair.a.system, pair.b.system)) for pair in load_pairs(split))
    assert set(met) == {frozenset(two) for two in combinations(SYSTEMS, 2)}
    assert max(met.values()) - min(met.values()) <= 2


def test_neither_place_length_nor_system_gives_the_right_answer_away():
    first, second = (Counter(getattr(pair, side).system for pair in PAIRS) for side in "ab")
    assert all(abs(first[system] - second[system]) <= 1 for system in SYSTEMS)
    one = [pair for pair in PAIRS if pair.a.right != pair.b.right]
    assert abs(2 * sum(pair.a.right for pair in one) - len(one)) <= 3
    longer = sum((len(pair.a.text) > len(pair.b.text)) == pair.a.right for pair in one)
    assert abs(2 * longer - len(one)) <= 3


def test_the_card_counts_what_is_there():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for system in SYSTEMS:
        own = [row for row in GOLD if row["system"] == system]
        lengths = sorted(len(row["text"].split()) for row in own)
        middle = (lengths[(len(own) - 1) // 2] + lengths[len(own) // 2]) / 2
        sides = [sum(getattr(pair, side).system == system for pair in PAIRS) for side in "ab"]
        cells = [len(own), sum(row["right"] for row in own), f"{middle:g} ({lengths[0]}–{lengths[-1]})", *sides]
        assert f"| `{system}` | {' | '.join(map(str, cells))} |" in card
    for name, how_many in (("both right", 2), ("exactly one right", 1), ("both wrong", 0)):
        counts = [sum(pair.a.right + pair.b.right == how_many for pair in load_pairs(s)) for s in ("dev", "test", None)]
        assert f"| {name} | {' | '.join(map(str, counts))} |" in card


# Ratings -------------------------------------------------------------------------------------------------------------


RATING = {"pair": "p001", "rater": "first", **dict.fromkeys(CRITERIA, "a")}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**RATING, "overall": "maybe"}], "overall of p001 is 'maybe' and not one of a, b, tie, cannot tell"),
        ([{**RATING, "pair": "p151"}], "there is no pair 'p151'"),
        ([RATING, RATING], "first rated p001 twice"),
        ([{key: value for key, value in RATING.items() if key != "rater"}], "line 1, has no 'rater': add it."),
    ],
    ids=["value", "pair", "twice", "field"],
)
def test_broken_ratings_are_refused_in_one_sentence(rows, said, tmp_path):
    path = tmp_path / "ratings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataUnavailable, match=said):
        load_ratings(path=path)


def test_a_rater_or_split_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "ratings.jsonl"
    path.write_text(json.dumps(RATING) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="There is no rater 'fourth': choose one of first."):
        load_ratings("fourth", path=path)
    with pytest.raises(ValueError, match="There is no split 'train': choose one of dev, test."):
        load_pairs("train")


def test_every_rater_rated_every_pair():
    rated = Counter((each.rater, each.pair) for each in load_ratings())
    raters = ("rater 1", "rater 2", "rater 3")
    assert rated == Counter((rater, pair.id) for rater in raters for pair in PAIRS)


def test_the_card_counts_where_raters_are_unanimous():
    said = {pair.id: set() for pair in PAIRS}
    for each in load_ratings():
        said[each.pair].add(each.overall)
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, how_many in (("both right", 2), ("exactly one right", 1), ("both wrong", 0)):
        own = [pair for pair in PAIRS if pair.a.right + pair.b.right == how_many]
        assert f"| {name} | {len(own)} | {sum(len(said[pair.id]) == 1 for pair in own)} |" in card
