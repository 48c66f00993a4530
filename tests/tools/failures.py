"""Forty failures of the course's assistants, drawn by chance: `python -m tests.tools.failures` writes them.

Every dev item that a recorded run counts as wrong is a candidate; of each assistant, as many are drawn as its share of
wrong items asks for. Only what the ticket reader said has to be asked again, since its record keeps marks, not answers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from helpers.old.assistants.tickets import answer_text
from helpers.old.evaluation.failures import FAILURES
from helpers.old.trials.recorded_outputs import ASSISTANTS, Output, outputs
from helpers.old.velunda.tickets import load_tickets

N, SEED = 40, 14


@cache
def wrong() -> dict[str, tuple[list[Output], int]]:
    """For each assistant: the wrong outputs on dev, and of how many they are."""
    found = {name: outputs(name) for name in ASSISTANTS}
    return {name: ([each for each in said if not each.right], len(said)) for name, said in found.items()}


def counts() -> dict[str, tuple[int, int]]:
    """For each assistant: how many dev items it fails, of how many."""
    return {name: (len(failed), n) for name, (failed, n) in wrong().items()}


def shares(failed: Mapping[str, tuple[int, int]], n: int = N) -> dict[str, int]:
    """How many of `n` failures each assistant gives: in proportion to its share of failed items, largest rest first."""
    rates = {name: wrong / asked for name, (wrong, asked) in failed.items()}
    exact = {name: n * rate / sum(rates.values()) for name, rate in rates.items()}
    whole = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[: n - sum(whole.values())]:
        whole[name] += 1
    return whole


def drawn() -> list[dict[str, Any]]:
    """The forty, in random order, each with its id, none with the input of another; tickets without their answers."""
    take, chosen = shares(counts()), []
    for name, (failed, _) in wrong().items():
        drawn_before = {each.input for _, each in chosen}
        left = [each for each in failed if each.input not in drawn_before]
        chosen += [(name, each) for each in random.Random(f"{SEED} {name}").sample(left, take[name])]
    random.Random(SEED).shuffle(chosen)
    return [_row(f"f{n:02d}", name, each) for n, (name, each) in enumerate(chosen, 1)]


def _row(number: str, assistant: str, each: Output) -> dict[str, Any]:
    said = {"input": each.input, "context": each.context, "output": each.output, "expected": each.expected}
    return {"id": number, "assistant": assistant, **said, "accepted": list(each.accepted), "source": each.source}


def asked_again() -> dict[str, str]:
    """What the ticket reader says to each dev ticket, as text (two minutes on one core)."""
    from helpers.old.assistants import ticket_reader

    texts = [ticket["text"] for ticket in load_tickets("dev")]
    return {text: answer_text(label) for text, label in zip(texts, ticket_reader().many(texts), strict=True)}


if __name__ == "__main__":
    again = asked_again()
    rows = [row | {"output": row["output"] or again[row["input"]]} for row in drawn()]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    FAILURES.write_text(lines, encoding="utf-8", newline="\n")
