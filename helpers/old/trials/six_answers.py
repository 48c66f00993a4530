"""Six answers to one customer's question, two of them dangerous.

    case = load_six()
    case.answers[1].kind, case.answers[1].text                   # "dangerous", "Let the battery lie …"

The answers were written for the notebook, the dangerous ones close to the reference, as copied text with one wrong word
is. What this does not do: show how often such answers occur. `data/judgments` has answers that no metric was built for.
"""

from __future__ import annotations

from dataclasses import dataclass

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json

FILE = DATA / "evaluation" / "six_answers.json"


@dataclass(frozen=True)
class Answer:
    """One answer; kind: one of KINDS."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Case:
    """A question, what the handbook says (quote), a reference, what a right answer states, six answers."""

    question: str
    document: str
    quote: str
    reference: str
    accepted: tuple[str, ...]
    answers: tuple[Answer, ...]


def load_six() -> Case:
    """The question and its six answers. Raises DataUnavailable where the file is missing or broken."""
    row = read_json(FILE)
    answers = tuple(Answer(**answer) for answer in row["answers"])
    return Case(**{**row, "accepted": tuple(row["accepted"]), "answers": answers})
