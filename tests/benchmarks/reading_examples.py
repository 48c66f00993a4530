"""What the adapter "reader" is trained on: the questions of `data/reading`, each with several texts to answer from.

    rows = training_rows(load_reading("train"), seed=0)
    rows[0].question, rows[0].text, rows[0].answer

| text                             | why                                                                             |
|----------------------------------|---------------------------------------------------------------------------------|
| the units of the evidence alone  | what a search with quotes gives: one sentence, or one row of a table written out |
| them among two others of the page | the right one must be found                                                    |
| the whole page, written out      | as a passage                                                                    |
| other units of the page only     | "Not in the text.": what is near is not the answer (for one question in seven)  |

An unanswerable question gets the same texts, the page's units that share most words with it among them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from helpers.assistants.passages import NOT_THERE
from helpers.retrieval.units import Unit, split_units, write_out
from helpers.trials.reading import Passage, Reading


class Row(NamedTuple):
    """One example: a question, the text to answer from, the right answer; `page` groups those with the same text."""

    question: str
    text: str
    answer: str
    page: str


def training_rows(readings: Sequence[Reading], seed: int, wrong_text: float = 0.15) -> list[Row]:
    """Three or four rows for each question. wrong_text: the share of answerable questions that also get a text without
    the answer."""
    rng, rows = random.Random(f"rows {seed}"), []
    for reading in readings:
        units = split_units(reading.passage.text)
        right = evidence_units(reading, units) or nearest(reading.question, units, 1)
        others = [unit for unit in units if unit not in right]
        near = nearest(reading.question, others, 4)
        some = rng.sample(near, min(2, len(near)))
        page = _titled(reading.passage, write_out(units))
        texts = {"alone": alone(right), "among": in_order([*right, *some]), "page": page}
        rows += [
            Row(reading.question, text, reading.answer, f"{way} {reading.passage.id}") for way, text in texts.items()
        ]
        if reading.kind != "unanswerable" and near and rng.random() < wrong_text:
            text = alone(near[:1]) if rng.random() < 0.5 else in_order(near[:3])
            rows.append(Row(reading.question, text, NOT_THERE, "wrong"))
    return rows


def evidence_units(reading: Reading, units: Sequence[Unit]) -> list[Unit]:
    """The units in which the evidence stands, in the page's order."""
    text = reading.passage.text
    spans = [(text.index(part), text.index(part) + len(part)) for part in reading.evidence]
    return [unit for unit in units if any(unit.start < end and start < unit.end for start, end in spans)]


def alone(units: Sequence[Unit]) -> str:
    """Each unit on a line, with what stands above it."""
    return "\n".join(unit.with_headings for unit in units)


def in_order(units: Sequence[Unit]) -> str:
    return alone(sorted(units, key=lambda unit: unit.start))


def nearest(question: str, units: Sequence[Unit], n: int) -> list[Unit]:
    """The n units that share most words with the question, those that share most first."""
    asked = _words(question)
    return sorted(units, key=lambda unit: (-len(asked & _words(unit.with_headings)), unit.start))[:n]


def _titled(passage: Passage, text: str) -> str:
    return f"{passage.title}:\n{text}"


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word.isdigit()}
