"""The texts of notebook 14b's experiment, read a second time: is each right, and why where the rule says otherwise?

    first = by_rule("test")                        # (131, 2) booleans: quoted, read
    again = by_reading("test")                     # the same texts, as a language model read them
    contradicted("test", [12, 40])                 # of these questions, the texts on which the two verdicts differ
    show_texts(contradicted("test", [12, 40]))     # … as a list that unfolds

`data/judgments/second_reading.jsonl` holds the verdicts, `data/judgments/README.md` says by which rules and by whom.

What this does not do: show that a reader who is another model, or a person, would decide alike.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from helpers.display.boxes import emit
from helpers.files.safe_files import DataUnavailable, numbered_lines
from helpers.old.evaluation.judgments import FOLDER
from helpers.old.trials.handbook_answers import compared, says_answer

SYSTEMS = ("quoted", "reader")
FILE = FOLDER / "second_reading.jsonl"


@dataclass(frozen=True)
class Reading:
    """One text: is it right, could another reader decide otherwise, and why it is (not) where the rule differs."""

    right: bool
    doubtful: bool
    why: str | None = None


@dataclass(frozen=True)
class Contradiction:
    """A text on which rule and reading differ. `right`: by the reading, and not by the rule."""

    question: str
    answer: str | None
    system: str
    text: str
    right: bool
    doubtful: bool
    why: str


def by_rule(split: str) -> NDArray:
    """Is each text right by `says_answer`? (n, 2) booleans, quoted and read, in the order of `compared`."""
    return np.array([[says_answer(question, text) for text in texts] for question, *texts in compared(split)])


def by_reading(split: str) -> NDArray:
    """Is each text right by the second reading? (n, 2) booleans, like `by_rule`."""
    return np.array([[each.right for each in row] for row in readings(split)])


def doubtful(split: str) -> NDArray:
    """Could another reader decide otherwise? (n, 2) booleans, like `by_rule`."""
    return np.array([[each.doubtful for each in row] for row in readings(split)])


@cache
def readings(split: str) -> list[tuple[Reading, Reading]]:
    """The second reading of both texts of each question, in the order of `compared`.

    Raises DataUnavailable, in one sentence, where a text was not read.
    """
    found = {}
    for _, row in numbered_lines(FILE):
        key = (row.pop("split"), row.pop("question"), row.pop("system"))
        found[key] = Reading(**row)
    try:
        return [tuple(found[split, q.question, name] for name in SYSTEMS) for q, _, _ in compared(split)]
    except KeyError as error:
        raise DataUnavailable(f"{FILE.name} has no verdict on {error.args[0]}: correct the file.") from None


def contradicted(split: str, rows: Iterable[int]) -> list[Contradiction]:
    """Of these questions, given by their place in `compared`, the texts whose two verdicts differ."""
    both, read, found = compared(split), readings(split), []
    for row in rows:
        question, *texts = both[row]
        for name, text, reading in zip(SYSTEMS, texts, read[row], strict=True):
            if says_answer(question, text) != reading.right:
                why = reading.why or ""
                found.append(
                    Contradiction(question.question, question.answer, name, text, reading.right, reading.doubtful, why)
                )
    return found


def show_texts(found: Iterable[Contradiction]) -> None:
    """The texts as a list that unfolds, or as plain text: question, reference, text, both verdicts and the reason."""
    lines, parts = [], []
    for each in found:
        rule, again = ("fails", "right") if each.right else ("passes", "wrong")
        verdict = f"rule {rule} it, second reading: {again}{' (arguable)' if each.doubtful else ''}"
        text = " ".join(each.text.split())
        lines += [f"{each.system}: {each.question}", f"    reference  {each.answer}", f"    text       {text}"]
        lines += [f"    {verdict}: {each.why}", ""]
        parts.append(
            f'<details style="margin:6px 0"><summary style="cursor:pointer"><strong>{each.system}</strong> '
            f"{html.escape(each.question)}</summary><p>reference: {html.escape(each.answer or '')}<br>"
            f"text: {html.escape(text)}<br>{verdict}: {html.escape(each.why)}</p></details>"
        )
    emit("\n".join(lines).rstrip(), f"<div>{''.join(parts)}</div>")
