"""Pairs of answers, the sheets that raters fill in, and what comes back: balanced, blind, in the right order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

from helpers.files import DataUnavailable, read_jsonl
from helpers.files.paths import DATA, RESULTS
from helpers.old.evaluation import CRITERIA, agreement, load_pairs, load_ratings, signed
from helpers.old.evaluation.judgments import ANSWERS, COMPOSED, FOLDER, RECORDED, SYSTEMS
from helpers.velunda import load_handbook
from tests.tools.judgment_sheets import SheetError, add_rater, blank_sheet, exchanged, main, read_filled

PAIRS = load_pairs()
HANDBOOK = {row["id"]: row for name in ("everyday", "questions") for row in read_jsonl(DATA / f"velunda/{name}.jsonl")}
GOLD = read_jsonl(ANSWERS)
SIDES = [(pair, answer) for pair in PAIRS for answer in (pair.a, pair.b)]


def recorded_answers() -> dict[tuple[str, str], str]:
    """The text of every (question, system) of RECORDED, from the records of 10 and 10b."""
    runs = {
        name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["runs"]
        for name in ("10_answers", "10_written", "10b_rag_quality")
    }

    def rows(name: str, field: str, **case) -> list[dict]:
        (run,) = [run for run in runs[name] if case.items() <= run["case"].items()]
        return run[field]

    found = {}
    for split in ("dev", "test"):
        for stratum, prefix in (("everyday", "e"), ("hard", "q")):
            ids = [key for key, row in HANDBOOK.items() if row["split"] == split and key.startswith(prefix)]
            for system, case in (("quoted", "quotes"), ("reader", "reader")):
                own = rows("10_answers", "rows", case=case, split=split, stratum=stratum)
                found |= {(key, system): row["text"] for key, row in zip(ids, own, strict=True)}
        asked = {row["question"]: key for key, row in HANDBOOK.items() if key.startswith("e")}
        for system, passages in (("closed book", 0), ("written", 3)):
            own = rows("10_written", "rows", split=split, passages=passages)
            found |= {(asked[row["question"]], system): row["reply"] for row in own}
        hard = [key for key, row in HANDBOOK.items() if row["split"] == split and key.startswith("q")]
        for system, case in (("closed book", {"case": "closed-book"}), ("written", {"case": "answers", "every": 1})):
            own = rows("10b_rag_quality", "trials", split=split, **case)
            found |= {(key, system): row["text"] for key, row in zip(hard, own, strict=True)}
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


def test_recorded_answers_are_verbatim_and_at_least_half_of_all():
    recorded = recorded_answers()
    own = [row for row in GOLD if row["system"] in RECORDED]
    assert all(row["text"] == recorded[row["question_id"], row["system"]] for row in own)
    assert 2 * len(own) >= len(GOLD)


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


# Sheets --------------------------------------------------------------------------------------------------------------


def filled(seed: int, prefer=lambda pair: "a") -> list[dict]:
    """The sheet of a rater who prefers `a` or `b`, in the pair's own order, whatever stands first."""
    other, swapped = {"a": "b", "b": "a"}, exchanged(PAIRS, seed)
    by_id = {pair.id: prefer(pair) for pair in PAIRS}
    seen = {key: other.get(value, value) if key in swapped else value for key, value in by_id.items()}
    return [{**row, **dict.fromkeys(CRITERIA, seen[row["pair"]])} for row in blank_sheet(PAIRS, seed)]


def test_a_sheet_names_neither_system_nor_gold_nor_reference():
    allowed = {"pair", "question", "document", "quote", "passage", "a", "b", *CRITERIA}
    rows = blank_sheet(PAIRS, 1)
    assert all(set(row) == allowed and all(row[name] is None for name in CRITERIA) for row in rows)
    hidden = [replace(pair, reference="", a=replace(pair.a, system="", right=False), split="") for pair in PAIRS]
    assert blank_sheet(hidden, 1) == rows, "a sheet depends on what raters must not see"


def test_sheets_differ_in_order_and_sides_and_show_each_pair_once():
    sheets = [blank_sheet(PAIRS, seed) for seed in (1, 2, 3)]
    orders = {tuple(row["pair"] for row in sheet) for sheet in sheets}
    assert len(orders) == 3 and all(sorted(order) == [pair.id for pair in PAIRS] for order in orders)
    assert [len(exchanged(PAIRS, seed)) for seed in (1, 2, 3)] == [75, 75, 75]
    assert len({frozenset(exchanged(PAIRS, seed)) for seed in (1, 2, 3)}) == 3


def test_what_a_rater_prefers_comes_back_in_the_pairs_own_order():
    def right_one(pair):
        return "tie" if pair.a.right == pair.b.right else "a" if pair.a.right else "b"

    for seed in (1, 2):
        rows = read_filled(filled(seed, right_one), PAIRS, seed, "first")
        assert [row["pair"] for row in rows] == [pair.id for pair in PAIRS]
        assert all(row[name] == right_one(pair) for row, pair in zip(rows, PAIRS, strict=True) for name in CRITERIA)


def broken(change) -> list[dict]:
    rows = filled(1)
    change(rows)
    return rows


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.pop(), "The sheet lacks 1 of 150 pairs"),
        (lambda rows: rows[0].update(overall=None), "Row 1 of the sheet has no overall: fill it in."),
        (lambda rows: rows[3].pop("fluency"), "Row 4 of the sheet has no fluency"),
        (lambda rows: rows[2].update(overall="A"), "is 'A' and not one of a, b, tie, cannot tell"),
        (lambda rows: rows[2].update(overall=["a"]), r"is \['a'\] and not one of"),
        (lambda rows: rows[0].update(pair="p999"), "there is no pair 'p999'"),
        (lambda rows: rows[0].update(pair=["p001"]), "there is no pair"),
        (lambda rows: rows.append(rows[0]), "Row 151 .* is there twice"),
        (lambda rows: rows[0].update(a=rows[0]["b"], b=rows[0]["a"]), "shows other answers than the sheet of seed 1"),
    ],
    ids=["lacking", "none", "no criterion", "value", "list", "unknown", "pair is a list", "twice", "sides"],
)
def test_a_sheet_that_is_incomplete_or_malformed_is_refused(change, said):
    with pytest.raises(SheetError, match=said):
        read_filled(broken(change), PAIRS, 1, "first")


def test_a_sheet_read_with_another_seed_is_refused():
    with pytest.raises(SheetError, match="shows other answers than the sheet of seed 2"):
        read_filled(filled(1), PAIRS, 2, "first")


def test_a_rater_needs_a_name():
    with pytest.raises(SheetError, match="The rater has no name"):
        read_filled(filled(1), PAIRS, 1, " ")


def test_raters_are_added_and_replaced(tmp_path):
    path = tmp_path / "ratings.jsonl"
    for rater, value in (("first", "a"), ("second", "b"), ("first", "tie")):
        add_rater(read_filled(filled(1, lambda pair, value=value: value), PAIRS, 1, rater), path)
    assert Counter((each.rater, each.overall) for each in load_ratings(path=path)) == {
        ("first", "tie"): 150,
        ("second", "b"): 150,
    }
    assert {each.pair for each in load_ratings("second", "test", path)} == {pair.id for pair in load_pairs("test")}


def test_the_command_makes_a_sheet_and_says_what_it_cannot_read(tmp_path, capsys):
    sheet = tmp_path / "sheet.jsonl"
    assert main(["blank", "1", str(sheet)]) == 0
    assert read_jsonl(sheet) == blank_sheet(PAIRS, 1)
    assert main(["filled", "1", "first", str(sheet)]) == 1
    assert main(["blank"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Row 1 of the sheet has no fluency: fill it in.",
        "Say `blank SEED SHEET` or `filled SEED RATER SHEET`.",
    ]


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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_card_says_how_often_a_rater_prefers_what_stood_first(seed):
    swapped, rater = exchanged(PAIRS, seed), f"rater {seed}"
    first = {pair.id: "b" if pair.id in swapped else "a" for pair in PAIRS}
    found = agreement(signed({each.pair: each.overall for each in load_ratings(rater)}), first, PAIRS)
    assert f"| `{rater}` | {found} |" in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert found.low < 0.5 < found.high, "the card says that no rater is seen to favor a place"
