"""Judging summaries of Velunda's reports: a cheap baseline, and whether what they say is true.

    lead_1(text)                                              # a summary that costs nothing
    stated(summary)                                           # {"minutes": "107", "person": "Tomasz Wilk", …}
    judge(summary, report)                                    # what of it is right, by kind

`stated` reads a summary back into the slots that its report was made from, so a number counts as right only in its
role: "for 107 minutes" is wrong where 107 is an estimate. It knows the eight patterns of data/velunda/reports.

What it does not do: judge other texts than these reports, or sentences that follow none of the patterns; compare the
cause, system, part, error code or group of people ("680 guests" for 680 riders is right to it); ask whether the
important things were chosen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from helpers.assistants.reports import unsupported
from helpers.metrics.grouped import Score
from helpers.metrics.text import rouge1, sentences
from helpers.velunda.reports import FACTS, load_report_frames

NAME = r"[A-Z][\w-]*"
SHAPES = {
    **dict.fromkeys(("mech", "person"), rf"{NAME}(?: (?:de |van )?{NAME})*"),
    "owner": rf"M(?:r|rs|s)\. {NAME}",
    **dict.fromkeys(("shop", "bike", "weekday"), NAME),
    **dict.fromkeys(("km", "hours", "price", "cost", "minutes", "n"), r"\d+"),
}


# Baselines -------------------------------------------------------------------------------------------------------


def lead_1(text: str) -> str:
    """The first sentence: what a newspaper puts first is what matters, and reports are often written so."""
    return sentences(text)[0]


# Truth -----------------------------------------------------------------------------------------------------------


@cache
def _patterns() -> list[re.Pattern[str]]:
    """The ways in which summaries are put, each as an expression with a group for every slot."""

    def expression(summary: str) -> str:
        parts = re.split(r"\{(\w+)\}", summary)
        return "".join(f"(?P<{p}>{SHAPES.get(p, '.+?')})" if i % 2 else re.escape(p) for i, p in enumerate(parts))

    return [re.compile(expression(summary)) for summary in sorted({f.summary for f in load_report_frames()})]


def stated(summary: str) -> dict[str, str] | None:
    """What a summary says, by slot; None if it follows none of the patterns."""
    for pattern in _patterns():
        # a sentence that begins with a slot begins with its capital letter, which `.+?` reads as well
        if match := pattern.fullmatch(summary.strip()):
            return match.groupdict()
    return None


def judge(summary: str, report: Mapping[str, Any]) -> dict[str, bool]:
    """For each name and number that a summary states, by slot: is it what the report says?

    report: one with "words", from `generate_reports(…, words=True)`. Empty for a summary that follows no pattern.
    """
    said = stated(summary) or {}
    return {slot: value == report["words"].get(slot) for slot, value in said.items() if slot in FACTS}


def is_true(summary: str, report: Mapping[str, Any]) -> bool:
    """True if the summary follows a pattern and every name and number in it is right in its role."""
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
    """For each kind of name or number: how often it was right, of how often it was stated, frame by frame."""
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for summary, report in zip(written, reports, strict=True):
        for slot, right in judge(summary, report).items():
            found[slot].append((report["frame"], right))
    return {slot: Score.of(found[slot]) for slot in FACTS if slot in found}
