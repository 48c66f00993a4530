"""What happens to a score if the suite leaks into the training data: the ticket baseline of 07 (TF-IDF and logistic
regression), trained on the course's training tickets; with the suite's first ticket of each family added; with the
suite's second ticket of each family added; and, as a control, with the first tickets of every other family added, so
that half of the second tickets have a sibling in the training data and half have none. Scored on first and second
tickets of the suite, and on the older test split, of which nothing leaked. `right`: one mark per ticket, all five
fields."""

from __future__ import annotations

from typing import Any

from helpers.old.assistants.ticket_baseline import fit_baseline
from helpers.old.evaluation import leaked, load_suite
from helpers.old.velunda.tickets import FIELDS, MORE, load_tickets

NAME = "14_contamination"
HALVES = ("first tickets of the families 1, 3, 5, …", "first tickets of the families 2, 4, 6, …")
CASES: list[dict[str, Any]] = [{"leak": leak} for leak in ("nothing", "first tickets", "second tickets", *HALVES)]


def run(case: dict[str, Any]) -> dict[str, Any]:
    suite = load_suite("tickets")
    rows = [{"text": item.input, "label": dict(item.fields or {})} for item in suite.items]
    first = [item.id.endswith("-1") for item in suite.items]
    firsts = [row for row, is_first in zip(rows, first, strict=True) if is_first]
    added = {
        "nothing": [],
        "first tickets": firsts,
        "second tickets": [row for row, is_first in zip(rows, first, strict=True) if not is_first],
        HALVES[0]: firsts[0::2],
        HALVES[1]: firsts[1::2],
    }[case["leak"]]
    model = fit_baseline([*load_tickets("train"), *load_tickets(MORE), *added])
    parts = {
        "first tickets": firsts,
        "second tickets": [row for row, is_first in zip(rows, first, strict=True) if not is_first],
        "older test split": load_tickets("test"),
    }
    texts = [row["text"] for row in added]
    return {
        "added": len(added),
        "found by leaked": {
            name: len({item.id for item in leaked(suite, texts)} & ids) for name, ids in _ids(suite).items()
        },
        "right": {name: _marks(model, part) for name, part in parts.items()},
    }


def _ids(suite: Any) -> dict[str, set[str]]:
    return {
        f"{name} tickets": {item.id for item in suite.items if item.id.endswith(end)}
        for name, end in (("first", "-1"), ("second", "-2"))
    }


def _marks(model: Any, rows: list[dict[str, Any]]) -> str:
    """ "1" for a ticket of which all fields are right, else "0", in order."""
    found = model.predict([row["text"] for row in rows])
    marks = (all(label[f] == row["label"][f] for f in FIELDS) for label, row in zip(found, rows, strict=True))
    return "".join("01"[mark] for mark in marks)
