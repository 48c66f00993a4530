"""Forty recorded failures of the course's assistants, and what readers found wrong in each: `data/failures/`.

    failures = load_failures()
    failures[0].input, failures[0].output, failures[0].expected
    codes = load_codes("language model 1")              # what one coder says of each failure
    counts(codes)                                       # {"refused in view": 12, "neighbor's value": 8, …}
    by_assistant(codes, failures)                       # the same for each assistant
    load_categories()                                   # what each category means, in the order in which they are tried

A code is a few words about what went wrong; a category is what several codes have in common. What this does not do:
decide which of two coders is right. `helpers.stats` measures how far they agree: `paired(first, second)` lines them up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable, numbered_lines, read_json, shown, unavailable

FOLDER = DATA / "failures"
FAILURES, CODES, CATEGORIES = FOLDER / "failures.jsonl", FOLDER / "codes.jsonl", FOLDER / "categories.json"


@dataclass(frozen=True)
class Failure:
    """What an assistant was given, what it said, and what would have been right.

    assistant: one of ASSISTANTS. context: what it had in front of it, by name, and what the search had found.
    accepted: strings of which a right answer states one; empty where the right answer is worded freely. source: the
    recorded run that it comes from.
    """

    id: str
    assistant: str
    input: str
    context: dict[str, str]
    output: str
    expected: str
    accepted: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Code:
    """What one coder says of one failure: in own words, and as a category ("" while it is only coded freely)."""

    failure: str
    coder: str
    open_code: str
    category: str


def load_failures(path: Path = FAILURES) -> list[Failure]:
    """The failures in their order, which was drawn by chance.

    Raises DataUnavailable, in one sentence, where the file is missing or broken, or an id stands twice.
    """
    found: dict[str, Failure] = {}
    for number, row in _rows(path, Failure):
        if row["id"] in found:
            raise DataUnavailable(
                f"{Path(path).name}, line {number}: {row['id']} stands there twice; keep one of them."
            )
        found[row["id"]] = Failure(**{**row, "accepted": tuple(row["accepted"])})
    return list(found.values())


def load_codes(coder: str | None = None, path: Path = CODES) -> list[Code]:
    """The codes of one coder, or of all, in the order of the file.

    Raises ValueError for a coder that is not there, and DataUnavailable, in one sentence, where the file is missing or
    broken, codes a failure that does not exist, names an unknown category, or has a failure coded twice by one coder.
    """
    known, categories, found = {failure.id for failure in load_failures()}, load_categories(), {}
    for number, row in _rows(path, Code):
        code, problem = Code(**row), None
        if code.failure not in known:
            problem = f"there is no failure {code.failure!r}"
        elif code.category not in categories and code.category != "none":
            problem = f"there is no category {code.category!r}"
        elif (code.coder, code.failure) in found:
            problem = f"{code.coder} has coded {code.failure} before"
        if problem:
            raise DataUnavailable(f"{Path(path).name}, line {number}: {problem}; correct the line.")
        found[code.coder, code.failure] = code
    coders = tuple(dict.fromkeys(name for name, _ in found))
    if coder is not None and coder not in coders:
        raise ValueError(f"There is no coder {coder!r}: choose one of {', '.join(coders)}.")
    return [code for code in found.values() if coder in (None, code.coder)]


def load_categories(path: Path = CATEGORIES) -> dict[str, str]:
    """The categories and what each means, in the order in which a coder tries them: the first that fits is taken.

    Raises DataUnavailable, in one sentence, where the file is missing or broken.
    """
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(row) == {"name", "means"} for row in rows):
        raise unavailable(path, damaged=True)
    return {row["name"]: row["means"] for row in rows}


def counts(codes: Iterable[Code]) -> dict[str, int]:
    """How many failures are in each category, the commonest first; equally common ones in the order they came.

    A code without a category is not counted. Raises ValueError where a failure is coded twice: count one coder at once.
    """
    return dict(Counter(code.category for code in _once(codes) if code.category).most_common())


def _once(codes: Iterable[Code]) -> list[Code]:
    codes = list(codes)
    twice = [name for name, n in Counter(code.failure for code in codes).items() if n > 1]
    if twice:
        raise ValueError(f"{twice[0]} is coded more than once: give the codes of one coder at a time.")
    return codes


def _rows(path: Path, kind: type) -> Iterator[tuple[int, dict[str, Any]]]:
    wanted = {field.name for field in fields(kind)}
    for number, row in numbered_lines(path):
        if set(row) != wanted:
            where = f"{shown(path)}, line {number}"
            raise DataUnavailable(f"{where}: it must hold {', '.join(sorted(wanted))} and nothing else.")
        yield number, row
