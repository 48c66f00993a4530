"""A page as the units that can answer a question: its sentences, and each row of a table written out.

    units = split_units("## Prices\\n\\n| item | price | weight |\\n|---|---|---|\\n| lock | 119 € | 1.6 kg |")
    units[0].text             # "item: lock, price: 119 €, weight: 1.6 kg"
    units[0].with_headings    # "Prices: item: lock, price: 119 €, weight: 1.6 kg"
    write_out(units)          # the page again, a unit a line, under its headings

A row of a table says nothing without the names of its columns, which stand lines above it. Small models take the wrong
column; written out, each number stands beside its name. An item of a list bears the sentence that announces the list.
What it does not do: cells that span columns, tables without a row of names (they stay as they are written).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from helpers.retrieval.chunking import headings_of, sentence_spans

RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")  # | --- | :-: |
ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s+")
MARKS = re.compile(r"\*\*|__|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")  # bold and italic


@dataclass(frozen=True)
class Unit:
    """One sentence or row; `source[start:end]` is where it stands. headings: those above it, the outermost first.

    above: the sentence that announces the list in which it is an item, or "". row: is it a row of a table?
    """

    text: str
    start: int
    end: int
    headings: tuple[str, ...]
    above: str = ""
    row: bool = False

    @property
    def with_headings(self) -> str:
        """The unit behind what stands above it, in one line: `Prices › Locks: item: lock, price: 119 €`."""
        path = " › ".join(self.headings)
        return ": ".join(part for part in (path, self.above.rstrip(":"), self.text) if part)


def split_units(text: str) -> list[Unit]:
    """The units of a Markdown text in their order; headings and the rows that name columns are none of their own."""
    above, paths = headings_of(text)
    borders = [start for start, _, _ in above]
    found: list[Unit] = []
    columns: list[str] = []
    announced, listed, row_before, start_before = "", "", "", -1
    for start, end in _whole_items(text):
        if start in borders:
            columns, announced, listed, row_before = [], "", "", ""
            continue
        raw = text[start:end]
        headings = paths[bisect_right(borders, start)]
        if raw.lstrip().startswith("|"):
            if RULE.fullmatch(raw):
                columns = cells(row_before)
                found = [unit for unit in found if unit.start != start_before]
                continue
            written = row(cells(raw), columns) if columns else _plain(raw)
            found.append(Unit(written, start, end, headings, row=True))
            row_before, start_before = raw, start
            continue
        columns = []
        item = ITEM.match(raw)
        mark = item[0][0] if item and not item[0][0].isdigit() else "1" if item else ""
        if mark and announced and listed in ("", mark):
            listed = mark
        elif mark or not _goes_on(text, found, start):  # another list, or a paragraph
            announced, listed = "", ""
        written = _plain(raw[item.end() :] if item else raw)
        if written:
            found.append(Unit(written, start, end, headings, announced if written != announced else ""))
        if written.endswith(":") and not item:
            announced, listed = written, ""
    return found


def write_out(units: Sequence[Unit]) -> str:
    """Units as a text: one a line, and what stands above several of them once, on a line of its own."""
    lines: list[str] = []
    for headings, group in groupby(units, key=lambda unit: unit.headings):
        if headings:
            lines.append(" › ".join(headings) + ":")
        for above, items in groupby(group, key=lambda unit: unit.above):
            if above and (not lines or lines[-1] != above):
                lines.append(above)
            lines += [f"- {unit.text}" if above else unit.text for unit in items]
    return "\n".join(lines)


def cells(line: str) -> list[str]:
    """What stands between the bars of a table's row, without marks of bold and italic."""
    return [_plain(cell) for cell in line.strip().strip("|").split("|")]


def row(values: Sequence[str], columns: Sequence[str]) -> str:
    """A row of a table as a text, each value behind its column's name; empty cells are left out.

    >>> row(["lock", "119 €"], ["item", "price"])
    'item: lock, price: 119 €'
    """
    named = zip(columns, values, strict=False)
    return ", ".join(f"{column}: {value}" if column else value for column, value in named if value)


def _whole_items(text: str) -> list[tuple[int, int]]:
    """`sentence_spans`, with the number of an item ("1.") and its first sentence as one."""
    spans: list[tuple[int, int]] = []
    number = None
    for start, end in sentence_spans(text):
        if ITEM.fullmatch(text[start:end] + " "):
            number = start
            continue
        spans.append((start if number is None else number, end))
        number = None
    return spans


def _goes_on(text: str, found: Sequence[Unit], start: int) -> bool:
    """Does a sentence stand in the paragraph of the unit before it?"""
    return bool(found) and "\n" not in text[found[-1].end : start]


def _plain(text: str) -> str:
    return MARKS.sub("", " ".join(text.split())).strip()
