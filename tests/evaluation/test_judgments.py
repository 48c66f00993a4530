"""Pairs of answers and their ratings: balanced, complete, as the card counts them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from helpers.files import DataUnavailable, read_jsonl
from helpers.files.paths import DATA
from helpers.old.evaluation import CRITERIA, load_pairs, load_ratings
from helpers.old.evaluation.judgments import ANSWERS, FOLDER
from helpers.velunda import load_handbook

PAIRS = load_pairs()
COMPOSED = ("short", "long", "slip")  # written for this set by a language model
SYSTEMS = ("quoted", "written", "closed book", "reader", *COMPOSED)
HANDBOOK = {row["id"]: row for name in ("everyday", "questions") for row in read_jsonl(DATA / f"velunda/{name}.jsonl")}
GOLD = read_jsonl(ANSWERS)


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
