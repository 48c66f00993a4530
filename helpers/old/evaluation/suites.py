"""Suites: questions, what a right answer says, and to which slice each belongs. `data/suites/`, a card beside them.

    suite = load_suite("handbook")                     # data/suites/handbook.jsonl; a path loads a suite of your own
    suite.items[0].input, suite.items[0].accepted
    leaked(suite, training_texts)                      # the items whose input stands in a text that was trained on
    load_suite("tickets", training=texts)              # refuses the suite where there are any

One JSON object per line, with an `id` and a `slice`, and either what is asked and answered or where that stands:

    {"id": "q1", "input": "Do you sell skis?", "accepted": [], "slice": "unanswerable"}
    {"id": "t1", "input": "Where is my Kite?", "fields": {"intent": "order_status", …}, "slice": "normal"}
    {"id": "e002", "source": "velunda/everyday.jsonl", "slice": "terms and prices"}

`accepted`: texts of which a right answer states one; an empty list where the right answer is to say nothing. `fields`:
the right value of each. `group` (optional): items that share a phrasing are mostly right or wrong together, so that
intervals draw them together.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import numbered_lines, read_jsonl
from helpers.old.velunda.tickets import FIELDS

FOLDER = DATA / "suites"
LONG = 5  # words from which on an input that stands inside of a longer text counts as leaked


class SuiteError(ValueError):
    """A suite is unknown or cannot be used; the message is one sentence that says what to change."""


@dataclass(frozen=True)
class Item:
    """One question. Of `accepted` and `fields` exactly one is given; items of one `group` are drawn together."""

    id: str
    input: str
    slice: str
    group: str
    accepted: tuple[str, ...] | None = None
    fields: Mapping[str, str | None] | None = None

    @property
    def kind(self) -> str:
        """How a reply is scored: "accepted" or "fields"."""
        return "fields" if self.accepted is None else "accepted"

    @property
    def expected(self) -> Any:
        """What a right answer says, as JSON."""
        return dict(self.fields or {}) if self.accepted is None else list(self.accepted)


@dataclass(frozen=True)
class Suite:
    """Items of one kind, in the file's order."""

    name: str
    items: tuple[Item, ...]

    @property
    def kind(self) -> str:
        return self.items[0].kind

    @property
    def slices(self) -> tuple[str, ...]:
        """Their names, in the order of first use."""
        return tuple(dict.fromkeys(item.slice for item in self.items))

    @property
    def digest(self) -> str:
        """Ten characters that change with any item: two results belong together only if theirs are equal."""
        rows = [[item.id, item.input, item.slice, item.group, item.expected] for item in self.items]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:10]

    def sample(self, n: int | None, seed: int = 0) -> Suite:
        """n items by chance, in the suite's order; all for None. A larger sample of one seed holds the smaller one.

        Raises SuiteError for fewer than 1.
        """
        if n is None or n >= len(self.items):
            return self
        if n < 1:
            raise SuiteError(f"A sample of {n} items leaves nothing to evaluate: take at least 1.")
        order = random.Random(seed).sample(range(len(self.items)), len(self.items))
        return replace(self, items=tuple(self.items[i] for i in sorted(order[:n])))


def suites(folder: Path = FOLDER) -> list[str]:
    """The names of the suites in a folder."""
    return sorted(path.stem for path in Path(folder).glob("*.jsonl"))


def load_suite(name: str | os.PathLike, training: Iterable[str] | None = None, folder: Path = FOLDER) -> Suite:
    """A suite by its name, or by the path of its file. training: texts that a model was trained on.

    Raises SuiteError for an unknown name, a row that is incomplete, an id or an input that stands there twice, and an
    input that stands in `training`; DataUnavailable for a file that is no JSON lines.
    """
    path = Path(name) if str(name).endswith(".jsonl") else Path(folder) / f"{name}.jsonl"
    if not path.is_file():
        raise SuiteError(
            f"There is no suite {str(name)!r}: known are {', '.join(suites(folder))}, or name a .jsonl file."
        )
    sources: dict[str, dict[str, dict[str, Any]]] = {}
    items = [_item(row, f"{path.name}, line {line}", sources) for line, row in numbered_lines(path)]
    suite = Suite(path.stem, tuple(items))
    _require_one_kind(suite)
    _require_no_doubles(suite)
    if training is not None and (found := leaked(suite, training)):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise SuiteError(
            f"The item {found[0].id!r}{more} of the suite {suite.name} stands in the training texts: a model that has "
            "seen it is not tested by it, so take it out of one of the two."
        )
    return suite


def normalized(text: str) -> str:
    """Small letters and digits, one space between words: how inputs are compared.

    >>> normalized("  Where's my KITE?! ")
    'where s my kite'
    """
    return " ".join(re.findall(r"\w+", text.casefold()))


def leaked(suite: Suite, training: Iterable[str]) -> list[Item]:
    """The items whose input is one of these texts, or stands inside of one (from 5 words on), spelling aside.

    What it does not find: an input that was trained on in other words.
    """
    texts = {normalized(text) for text in training}
    everything = f" {' | '.join(sorted(texts))} "
    found = []
    for item in suite.items:
        words = normalized(item.input)
        inside = len(words.split()) >= LONG and f" {words} " in everything
        if words in texts or inside:
            found.append(item)
    return found


# Reading a row -------------------------------------------------------------------------------------------------------


def _item(row: Mapping[str, Any], where: str, sources: dict[str, dict[str, dict[str, Any]]]) -> Item:
    for name in ("id", "slice"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise SuiteError(f"{where} has no {name!r}: add it.")
    if "source" in row:
        row = _looked_up(row, where, sources)
    if not isinstance(row.get("input"), str) or not row["input"].strip():
        raise SuiteError(f"{where} ({row['id']}) has no 'input': a suite asks something.")
    if ("accepted" in row) == ("fields" in row):
        raise SuiteError(
            f"{where} ({row['id']}) needs one of 'accepted' and 'fields', which say what a right answer is."
        )
    shared = {"id": row["id"], "input": row["input"], "slice": row["slice"], "group": row.get("group") or row["id"]}
    if "fields" in row:
        fields = row["fields"]
        if not isinstance(fields, dict) or set(fields) != set(FIELDS):
            raise SuiteError(f"{where} ({row['id']}) has other 'fields' than {', '.join(FIELDS)}.")
        return Item(**shared, fields=fields)
    accepted = row["accepted"]
    if not isinstance(accepted, list) or not all(isinstance(text, str) and text.strip() for text in accepted):
        raise SuiteError(f"{where} ({row['id']}) has 'accepted' that is no list of texts; [] where nothing answers.")
    return Item(**shared, accepted=tuple(accepted))


def _looked_up(row: Mapping[str, Any], where: str, sources: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    source = row["source"]
    if source not in sources:
        if source not in SOURCES:
            raise SuiteError(f"{where} names the source {source!r}: known are {', '.join(SOURCES)}.")
        sources[source] = SOURCES[source](read_jsonl(DATA / source))
    if row["id"] not in sources[source]:
        raise SuiteError(f"{where} names {row['id']!r}, and data/{source} has no such item.")
    return {**sources[source][row["id"]], **row}


def _everyday(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["id"]: {"input": row["question"], "accepted": row.get("accepted", [])} for row in rows}


def _tickets(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Tickets have no ids: each is known by its family and its place in it, "fx26-1"."""
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        seen[row["family"]] += 1
        found[f"{row['family']}-{seen[row['family']]}"] = {
            "input": row["text"],
            "fields": row["label"],
            "group": row["family"],
        }
    return found


SOURCES = {"velunda/everyday.jsonl": _everyday, "velunda/tickets/fresh.jsonl": _tickets}


def _require_one_kind(suite: Suite) -> None:
    if len({item.kind for item in suite.items}) > 1:
        raise SuiteError(f"The suite {suite.name} mixes 'accepted' and 'fields': make two suites of it.")


def _require_no_doubles(suite: Suite) -> None:
    for what, of, cure in (
        ("id", lambda item: item.id, "give each item an id of its own"),
        ("input", lambda item: normalized(item.input), "remove one, since it would count twice"),
    ):
        first: dict[str, Item] = {}
        for item in suite.items:
            other = first.setdefault(of(item), item)
            if other is not item:
                both = f"{other.id!r} twice" if what == "id" else f"the input of {other.id!r} again as {item.id!r}"
                raise SuiteError(f"The suite {suite.name} has {both}: {cure}.")
