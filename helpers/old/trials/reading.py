"""Passages and questions that teach a model to answer from a text (`data/reading/`), and the handbook's as a test.

    rows = load_reading("train")
    rows[0].passage.text, rows[0].question, rows[0].answer      # "Not in the text." where the passage does not say it

The splits are whole domains: what is learned in a library is asked in a makerspace. No domain sells bicycles.

    alone(evidence_units(reading, split_units(reading.passage.text)))      # only the sentence or row that holds it

    gold_text(question)         # the handbook's passage around the answer, written out
    right_units(question)       # only the sentence or the row that holds it

What it does not do: write prompts. What a model is given of a passage is for whoever trains it to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.assistants.handbook import units_of
from helpers.files.paths import ROOT
from helpers.files.safe_files import DataUnavailable, numbered_lines
from helpers.old.assistants.handbook import handbook_chunks
from helpers.old.assistants.passages import NOT_THERE
from helpers.old.metrics.text import answer_words
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.units import Unit, write_out
from helpers.velunda.handbook import Document, Question, Span, load_handbook

FOLDER = ROOT / "data" / "reading"
DOMAINS = {
    "train": (
        *("library", "swimming_pool", "dental_practice", "hiking_hut", "bakery", "museum"),
        *("ferry_line", "shared_office", "campsite", "music_school", "washing_machine", "community_garden"),
    ),
    "dev": ("veterinary_clinic", "coffee_machine"),
    "test": ("recycling_center", "makerspace"),
}
KINDS = ("fact", "number", "yes", "no", "table", "condition", "two", "unanswerable")


@dataclass(frozen=True)
class Passage:
    """One page of Markdown, 70 to 170 words."""

    id: str
    domain: str
    title: str
    text: str


@dataclass(frozen=True)
class Reading:
    """A question about a passage, its answer in one short sentence, and the stretches of the passage that say it."""

    id: str
    passage: Passage
    kind: str
    question: str
    answer: str
    evidence: tuple[str, ...]


def load_reading(split: str, folder: Path = FOLDER) -> list[Reading]:
    """The questions of "train", "dev" or "test" with their passages, domain by domain.

    Raises ValueError for another split, DataUnavailable, in one sentence, for a file or line that does not fit.
    """
    if split not in DOMAINS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(DOMAINS)}.")
    return [row for domain in DOMAINS[split] for row in _of_domain(domain, folder)]


def _of_domain(domain: str, folder: Path) -> Iterator[Reading]:
    pages = {}
    for n, row in numbered_lines(folder / "passages" / f"{domain}.jsonl"):
        if set(row) != {"id", "domain", "title", "text"} or row["domain"] != domain or row["id"] in pages:
            raise DataUnavailable(f"passages/{domain}.jsonl, line {n} is no passage of its own of this domain.")
        pages[row["id"]] = Passage(**row)
    for n, row in numbered_lines(folder / "questions" / f"{domain}.jsonl"):
        page = pages.get(row.get("passage"))
        if page is None or row.get("kind") not in KINDS or not all(part in page.text for part in row["evidence"]):
            raise DataUnavailable(
                f"questions/{domain}.jsonl, line {n} does not fit its passage: it needs a passage of this domain, one "
                f"of the kinds {', '.join(KINDS)}, and evidence that stands in the passage."
            )
        yield Reading(row["id"], page, row["kind"], row["question"], row["answer"], tuple(row["evidence"]))


# Parts of a page ---------------------------------------------------------------------------------------------------


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


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word.isdigit()}


# What counts as right ------------------------------------------------------------------------------------------------


def right_on_page(text: str, reading: Reading) -> bool:
    """Is the answer the reference's in its words, or does it hold them all?"""
    if NOT_THERE in (text, reading.answer):
        return text == reading.answer
    if first_word(reading.answer) in ("yes", "no"):
        return first_word(text) == first_word(reading.answer)
    said, wanted = answer_words(text), answer_words(reading.answer)
    numbers = [word for word in wanted if word[0].isdigit()]
    return set(numbers or wanted) <= set(said) and sum(word in said for word in wanted) >= 0.5 * len(wanted)


def first_word(text: str) -> str:
    """In lower case, without the comma or point behind it; "" for an empty text."""
    return text.lower().replace(",", " ").replace(".", " ").split()[0] if text.split() else ""


# The handbook's questions --------------------------------------------------------------------------------------------


def right_units(question: Question) -> str:
    """The sentences and rows of the handbook in which a question's answer stands, each behind what stands above it."""
    return "\n".join(
        unit.with_headings for span in question.spans for unit in _units_at(span.document, span.start, span.end)
    )


def gold_text(question: Question) -> str:
    """The chunk around each of a question's passages, as it would be found, with its tables written out."""
    return "\n".join(chunk_text(chunk) for span in question.spans for chunk in [_chunk_around(span)])


def chunk_text(chunk: Chunk) -> str:
    """A chunk of the handbook, its sentences and rows one a line, under their headings."""
    return write_out(_units_at(chunk.document, chunk.start, chunk.end))


def _units_at(document: str, start: int, end: int) -> list[Unit]:
    return [unit for unit in units_of(_handbook()[document].text) if unit.start < end and start < unit.end]


@cache
def _handbook() -> dict[str, Document]:
    return load_handbook()


def _chunk_around(span: Span) -> Chunk:
    """The chunk that shows most of a passage."""
    chunks = [chunk for chunk in handbook_chunks() if chunk.document == span.document]
    return max(chunks, key=lambda chunk: min(span.end, chunk.end) - max(span.start, chunk.start))
