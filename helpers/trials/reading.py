"""Passages and questions that teach a model to answer from a text: `data/reading/`.

    rows = load_reading("train")
    rows[0].passage.text, rows[0].question, rows[0].answer      # "Not in the text." where the passage does not say it

The splits are whole domains: what is learned in a library is asked in a makerspace. No domain sells bicycles.

What it does not do: write prompts. What a model is given of a passage is for whoever trains it to decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.files.paths import ROOT
from helpers.files.safe_files import DataUnavailable, numbered_lines

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
NOT_THERE = "Not in the text."


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
