"""Judging summaries of Velunda's reports: a cheap baseline, and whether what they say is true.

    lead_1(text)                                              # a summary that costs nothing
    judge(summary, report)                                    # what of it is right, slot by slot
    is_true(summary, report)                                  # all of it?

A summary is read back into the slots that its report was made from (`helpers.old.velunda.stated`), and each slot is
compared with the report's: names, numbers, and also cause, part, symptom, system, cure and the people affected. So a
number counts as right only in its role: "for 107 minutes" is wrong where 107 is an estimate, "680 guests" for 680
riders. The recorded summaries of the test reports that this comparison does not find true, many of them because they
follow none of the eight patterns, were read beside their reports, and there the reader's verdict counts.

What it does not do: judge other texts than these reports, or sentences that neither follow a pattern nor were read
(they count as not true, whether they are or not); ask whether the important things were chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from helpers.files.safe_files import numbered_lines
from helpers.old.assistants.reports import unsupported
from helpers.old.metrics.grouped import Score
from helpers.old.metrics.text import rouge1
from helpers.old.velunda.reports import FACTS, FOLDER, WORDED, load_reports, stated
from helpers.retrieval.chunking import sentences

READ = FOLDER.parent / "read_summaries.jsonl"

# Baselines -------------------------------------------------------------------------------------------------------


def lead_1(text: str) -> str:
    """The first sentence: what a newspaper puts first is what matters, and reports are often written so."""
    return sentences(text)[0]


# Truth -----------------------------------------------------------------------------------------------------------


def judge(summary: str, report: Mapping[str, Any]) -> dict[str, bool]:
    """For each slot that a summary states: is it what the report says there?

    report: one with "words", from `generate_reports(…, words=True)`. Empty for a summary that follows no pattern.
    """
    return {slot: value == report["words"].get(slot) for slot, value in (stated(summary) or {}).items()}


class ReadSummary(NamedTuple):
    """What a reader says of a summary: is all of it true? fault: the kind of its first mistake, None where it is true;
    "sense" where each word is right and a price or a distance stands where it makes no sense ("after 392 euros")."""

    true: bool
    fault: str | None
    why: str


@cache
def read_summaries() -> Mapping[tuple[str, str], ReadSummary]:
    """Verdicts by the report's text and the summary. Raises DataUnavailable if the file is missing or damaged."""
    texts = [report["text"] for report in load_reports("test")]
    rows = (row for _, row in numbered_lines(READ))
    return {(texts[row["report"]], row["summary"]): ReadSummary(row["true"], row["fault"], row["why"]) for row in rows}


def was_read(summary: str, report: Mapping[str, Any]) -> ReadSummary | None:
    """The reader's verdict on this summary of this report, or None."""
    return read_summaries().get((report["text"], summary))


def is_true(summary: str, report: Mapping[str, Any]) -> bool:
    """True if everything that the summary says is right, each thing in its role.

    As read, if it was read; else by the slots of its pattern. False for one without a pattern that was not read.
    """
    if (read := was_read(summary, report)) is not None:
        return read.true
    verdicts = judge(summary, report)
    return bool(verdicts) and all(verdicts.values())


# Scores with intervals -------------------------------------------------------------------------------------------


def scores(written: Sequence[str], reports: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means over the reports: ROUGE-1, share that follows a pattern, share without an unsupported word, share true."""
    rows = list(zip(written, reports, strict=True))
    return {
        "rouge1": float(np.mean([rouge1(summary, report["summary"]) for summary, report in rows])),
        "fluent": float(np.mean([stated(summary) is not None for summary, _ in rows])),
        "supported": float(np.mean([not unsupported(summary, report["text"]) for summary, report in rows])),
        "true": float(np.mean([is_true(summary, report) for summary, report in rows])),
    }


def right_by_kind(written: Sequence[str], reports: Sequence[Mapping[str, Any]]) -> dict[str, Score]:
    """For each slot: how often it was right, of how often it was stated, frame by frame."""
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for summary, report in zip(written, reports, strict=True):
        for slot, right in judge(summary, report).items():
            found[slot].append((report["frame"], right))
    return {slot: Score.of(found[slot]) for slot in (*FACTS, *WORDED) if slot in found}
