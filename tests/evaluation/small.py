"""A small suite, and models that say what they are told and count how often they are asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.old.evaluation.suites import Item, Suite
from helpers.old.evaluation.systems import Model, Reply


def suite_of(n: int, slices: Sequence[str] = ("all",), group: int = 1) -> Suite:
    """n questions whose right answer is their number, in turn in each slice; `group` neighbors belong together."""
    return Suite(
        "numbers",
        tuple(
            Item(f"q{i}", f"What is number {i}?", slices[i % len(slices)], f"g{i // group}", accepted=(f"it is {i}",))
            for i in range(n)
        ),
    )


class Scripted:
    """A model that answers by a rule and notes what it was asked. rule: input → anything that is a reply."""

    def __init__(self, rule: Callable[[str], Any], name: str = "scripted", batch: int = 1, **identity: Any) -> None:
        self.asked: list[str] = []
        self.rule = rule
        self.model = Model(name, {"rule": name} | identity, lambda: self._answer, batch)

    def _answer(self, texts: Sequence[str]) -> list[Reply]:
        self.asked += texts
        return [said if isinstance(said := self.rule(text), Reply) else Reply(said) for text in texts]


def right_but(*wrong: int) -> Callable[[str], str]:
    """The rule that gives the right number, except for these questions."""

    def rule(text: str) -> str:
        number = int("".join(letter for letter in text if letter.isdigit()))
        return "it is unclear" if number in wrong else f"it is {number}"

    return rule


def write_suite(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
