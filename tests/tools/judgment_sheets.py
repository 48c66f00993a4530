"""Blind sheets for raters of `data/judgments/`, and filled ones turned into its ratings.

    python -m tests.tools.judgment_sheets blank 1 sheet1.jsonl               # for one rater, by seed 1
    python -m tests.tools.judgment_sheets filled 1 first filled1.jsonl       # adds rater "first" to ratings.jsonl

A sheet has all pairs in an order of its own and shows question, passage and two answers, which are exchanged in half of
the pairs, by chance. It says neither which system wrote an answer nor which is right. The seed alone tells order and
exchange, so a filled sheet is read with the seed that made it. A filled sheet has one JSON object per pair: `pair` and
a value for each criterion of RUBRIC.md, and may repeat what the sheet shows.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.files.safe_files import DataUnavailable, numbered_lines, read_jsonl, write_atomically
from helpers.old.evaluation.judgments import CRITERIA, RATINGS, Pair, load_pairs, rating_problem

SHOWN = ("question", "document", "quote", "passage")
EXCHANGED = {"a": "b", "b": "a"}  # ties stay what they are
USAGE = "Say `blank SEED SHEET` or `filled SEED RATER SHEET`."


class SheetError(ValueError):
    """A filled sheet that is incomplete or malformed; the message is one sentence."""


def exchanged(pairs: Sequence[Pair], seed: int) -> set[str]:
    """The pairs, half of them, of which the sheet of this seed shows b as A."""
    return set(random.Random(f"exchanged {seed}").sample(sorted(pair.id for pair in pairs), len(pairs) // 2))


def blank_sheet(pairs: Sequence[Pair], seed: int) -> list[dict[str, Any]]:
    """One row per pair, shuffled: the question, the passage, both answers as A and B, and the criteria, still None."""
    rows, swapped = [], exchanged(pairs, seed)
    for pair in pairs:
        first, second = (pair.b, pair.a) if pair.id in swapped else (pair.a, pair.b)
        shown = {name: getattr(pair, name) for name in SHOWN}
        rows.append({"pair": pair.id, **shown, "a": first.text, "b": second.text, **dict.fromkeys(CRITERIA)})
    random.Random(seed).shuffle(rows)
    return rows


def sides(row: dict[str, Any]) -> list[tuple[str, str]]:
    """The answers that a row of a sheet shows, each with its side."""
    return [(side, row[side]) for side in EXCHANGED]


def read_filled(rows: Sequence[dict[str, Any]], pairs: Sequence[Pair], seed: int, rater: str) -> list[dict[str, str]]:
    """The rows of ratings.jsonl that a filled sheet gives, in the order of the pairs.

    Raises SheetError for a row without a pair or a criterion, for a value that is not allowed, for a pair that is
    unknown, missing or there twice, for an answer that stands on the other side in the sheet of this seed, and for a
    rater without a name.
    """
    if not rater.strip():
        raise SheetError("The rater has no name: give one.")
    given: dict[str, dict[str, str]] = {}
    blank, swapped = {row["pair"]: row for row in blank_sheet(pairs, seed)}, exchanged(pairs, seed)
    for number, row in enumerate(rows, start=1):
        missing = [name for name in ("pair", *CRITERIA) if row.get(name) is None]
        if missing:
            raise SheetError(f"Row {number} of the sheet has no {missing[0]}: fill it in.")
        problem = rating_problem(row, set(blank))
        if problem is None and row["pair"] in given:
            problem = f"{row['pair']} is there twice"
        if problem is None and any(row.get(side, text) != text for side, text in sides(blank[row["pair"]])):
            problem = f"{row['pair']} shows other answers than the sheet of seed {seed}"
        if problem is not None:
            raise SheetError(f"Row {number} of the sheet cannot be used, since {problem}.")
        swap = EXCHANGED if row["pair"] in swapped else {}
        given[row["pair"]] = {name: swap.get(row[name], row[name]) for name in CRITERIA}
    lacking = [pair.id for pair in pairs if pair.id not in given]
    if lacking:
        raise SheetError(f"The sheet lacks {len(lacking)} of {len(pairs)} pairs, the first of them {lacking[0]}.")
    return [{"pair": pair.id, "rater": rater, **given[pair.id]} for pair in pairs]


def add_rater(rows: Sequence[dict[str, str]], path: Path = RATINGS) -> None:
    """Write a rater's rows behind those of the other raters; the rater's older ones are replaced."""
    kept = [row for row in read_jsonl(path) if row["rater"] != rows[0]["rater"]] if path.is_file() else []
    write_rows([*kept, *rows], path)


def write_rows(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One JSON object a line, the file whole or not at all."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def main(arguments: Sequence[str]) -> int:
    """Make a blank sheet or read a filled one. Gives 1, after one sentence, where that is impossible."""
    try:
        match list(arguments):
            case ["blank", seed, sheet]:
                rows = blank_sheet(load_pairs(), int(seed))
                write_rows(rows, Path(sheet))
                print(f"{sheet}: {len(rows)} pairs.")
            case ["filled", seed, rater, sheet]:
                rows = read_filled([row for _, row in numbered_lines(sheet)], load_pairs(), int(seed), rater)
                add_rater(rows)
                print(f"{RATINGS.name}: {len(rows)} pairs by {rater}.")
            case _:
                raise SheetError(USAGE)
    except (ValueError, DataUnavailable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
