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
from collections.abc import Sequence
from typing import NamedTuple

from helpers.old.assistants.passages import NOT_THERE
from helpers.old.trials.reading import Passage, Reading, alone, evidence_units, in_order, nearest
from helpers.retrieval.units import split_units, write_out


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


def _titled(passage: Passage, text: str) -> str:
    return f"{passage.title}:\n{text}"
