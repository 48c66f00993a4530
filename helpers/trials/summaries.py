"""Judging summaries of Velunda's reports: a cheap baseline, and whether what they say is true.

    lead_1(text)                                              # a summary that costs nothing
    judge(summary, report)                                    # what of it is right, slot by slot
    is_true(summary, report)                                  # all of it?

A summary is read back into the slots that its report was made from (`helpers.velunda.stated`), and each slot is
compared with the report's: names, numbers, and also cause, part, symptom, system, cure and the people affected. So a
number counts as right only in its role: "for 107 minutes" is wrong where 107 is an estimate, "680 guests" for 680
riders.

What it does not do: judge other texts than these reports, or sentences that follow none of the eight patterns (they
count as not true, whether they are or not); ask whether the important things were chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from helpers.assistants.reports import unsupported
from helpers.metrics.grouped import Score
from helpers.metrics.text import rouge1, sentences
from helpers.velunda.reports import FACTS, WORDED, stated

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


def is_true(summary: str, report: Mapping[str, Any]) -> bool:
    """True if the summary follows a pattern and everything that it says is right, each thing in its role."""
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
