"""Pairs of answers to customers' questions, and which of the two raters prefer: `data/judgments/`.

    pairs = load_pairs("test")
    pairs[0].a.system, pairs[0].a.text, pairs[0].a.right      # who answered, what, and whether the handbook agrees
    ratings = load_ratings(rater="rater 1")
    ratings[0].pair, ratings[0].overall                       # "p001", "a": one of VALUES

Each pair shows two systems' answers to one question. Each of three raters, runs of a language model, has compared all
pairs blind, once by each of CRITERIA; `data/judgments/RUBRIC.md` defines them. A rating speaks of `a` and `b` as the
pair does, whatever order the rater saw them in.

What this does not do: decide which rater is right, or merge several of them (`preferences.majority`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable, numbered_lines

FOLDER = DATA / "judgments"
PAIRS, ANSWERS, RATINGS = FOLDER / "pairs.jsonl", FOLDER / "answers.jsonl", FOLDER / "ratings.jsonl"
SPLITS = ("dev", "test")
CRITERIA = ("fluency", "relevance", "correctness", "factuality", "overall")
VALUES = ("a", "b", "tie", "cannot tell")


@dataclass(frozen=True)
class SystemAnswer:
    """One system's answer, and whether it is right by the handbook's passage (the authors' gold, unseen by raters)."""

    system: str
    text: str
    right: bool


@dataclass(frozen=True)
class Pair:
    """Two answers to one question. document, quote, passage: what settles it, all None where the handbook does not."""

    id: str
    question_id: str
    question: str
    document: str | None
    quote: str | None
    passage: str | None
    reference: str
    a: SystemAnswer
    b: SystemAnswer
    split: str


@dataclass(frozen=True)
class Rating:
    """What one rater says of one pair, by each of CRITERIA: one of VALUES, in the pair's own order."""

    pair: str
    rater: str
    fluency: str
    relevance: str
    correctness: str
    factuality: str
    overall: str


def load_pairs(split: str | None = None) -> list[Pair]:
    """The pairs of "dev" or "test", or of both; no question is in both.

    Raises ValueError for another split, and DataUnavailable where the files are missing or broken.
    """
    _require("split", split, SPLITS)
    right = {(row["question_id"], row["system"]): row["right"] for row in _rows(ANSWERS, "question_id", "right")}

    def answer(row: Mapping[str, Any], side: str) -> SystemAnswer:
        return SystemAnswer(**row[side], right=right[row["question_id"], row[side]["system"]])

    rows = [row for row in _rows(PAIRS, *Pair.__dataclass_fields__) if split in (None, row["split"])]
    return [Pair(**{**row, "a": answer(row, "a"), "b": answer(row, "b")}) for row in rows]


def load_ratings(rater: str | None = None, split: str | None = None, path: Path = RATINGS) -> list[Rating]:
    """All raters' ratings, or one rater's, of all pairs or of a split's, in the order of the file.

    Raises ValueError for a rater or split that is not there. Raises DataUnavailable, in one sentence, for a file that
    is missing or broken, a value that is none of VALUES, an unknown pair, or a pair that one rater rated twice.
    """
    of_split = {pair.id for pair in load_pairs(split)}
    known = of_split if split is None else {pair.id for pair in load_pairs()}
    ratings: dict[tuple[str, str], Rating] = {}
    for row in _rows(path, "pair", "rater", *CRITERIA):
        problem = rating_problem(row, known)
        key = (str(row["rater"]), str(row["pair"]))
        if problem is None and key in ratings:
            problem = f"{row['rater']} rated {row['pair']} twice"
        if problem is not None:
            raise DataUnavailable(f"{Path(path).name} cannot be used, since {problem}: correct the file.")
        ratings[key] = Rating(**row)
    _require("rater", rater, tuple(dict.fromkeys(each.rater for each in ratings.values())))
    return [each for each in ratings.values() if rater in (None, each.rater) and each.pair in of_split]


def rating_problem(row: Mapping[str, Any], pairs: set[str]) -> str | None:
    """What is wrong with a row that has a pair and a value for each of CRITERIA, as half a sentence, or None."""
    if not isinstance(row["pair"], str) or row["pair"] not in pairs:
        return f"there is no pair {row['pair']!r}"
    for criterion in CRITERIA:
        if row[criterion] not in VALUES:
            return f"{criterion} of {row['pair']} is {row[criterion]!r} and not one of {', '.join(VALUES)}"
    return None


def _rows(path: Path, *fields: str) -> Iterator[dict[str, Any]]:
    """The objects of a file, each with these fields. Raises DataUnavailable for one that lacks a field."""
    for number, row in numbered_lines(path):
        missing = [field for field in fields if field not in row]
        if missing:
            raise DataUnavailable(f"{Path(path).name}, line {number}, has no {missing[0]!r}: add it.")
        yield row


def _require(what: str, given: str | None, known: tuple[str, ...]) -> None:
    if given is not None and given not in known:
        raise ValueError(f"There is no {what} {given!r}: choose one of {', '.join(known)}.")
