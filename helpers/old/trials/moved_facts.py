"""Pairs of facts that differ in one word, written for the course: data/facts/pairs.json.

    pair = Fact("The capital of {} is", "France", "Paris", "Italy", "Rome")
    pair.prompts()                  # "The capital of France is", "The capital of Italy is"

There are four families: capitals, languages, countries of cities, and opposites.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from helpers.files.paths import DATA

FILE = DATA / "facts" / "pairs.json"


@dataclass(frozen=True)
class Fact:
    """`subject` has `answer`, `other_subject` has `other_answer`; template: the prompt, with {} for the subject.

    Raises ValueError for a template without exactly one {} and for two equal subjects or answers.
    """

    template: str
    subject: str
    answer: str
    other_subject: str
    other_answer: str

    def __post_init__(self) -> None:
        if self.template.count("{}") != 1:
            raise ValueError(f"The template {self.template!r} needs one {{}}, where the subject goes.")
        if self.subject == self.other_subject or self.answer == self.other_answer:
            raise ValueError("A pair has two subjects with two different answers.")

    def prompts(self) -> tuple[str, str]:
        """The prompt about the subject, and the one about the other."""
        return self.template.format(self.subject), self.template.format(self.other_subject)

    def __str__(self) -> str:
        return f"{self.subject} → {self.other_subject}"


def facts(family: str) -> list[Fact]:
    """The pairs of one family, "capitals", "languages", "countries" or "opposites". Raises ValueError for another."""
    families = {entry["name"]: entry for entry in json.loads(FILE.read_text(encoding="utf-8"))["families"]}
    if family not in families:
        raise ValueError(f"There is no family {family!r} of facts: choose one of {', '.join(families)}.")
    return [Fact(families[family]["template"], *pair) for pair in families[family]["pairs"]]
