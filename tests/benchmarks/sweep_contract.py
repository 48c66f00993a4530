"""What two systems reply to every wording of data/hosted/contract.jsonl and to the wordings held back from 06c's
repairs, as text: TF-IDF with rules, and the shipped adapter `tickets` held to each ticket's values. The first wording
of each item and what it expects were written before any system had seen them; the others (`again`) afterwards, and
before any system had seen those. "repairs": what the adapter replies where 06c asks it something else than the ticket:
the ticket in ordinary writing, or only its question, for items and fresh tickets whose first label is `other`."""

from __future__ import annotations

from typing import Any

from helpers.files.paths import RESULTS
from helpers.files.safe_files import read_json
from helpers.old.assistants.tickets import answer_text
from helpers.old.evaluation.systems import load_model
from helpers.old.hosted.acceptance import load_contract
from helpers.old.trials.desk_repairs import HELD_BACK, question_of, quiet
from helpers.old.velunda.tickets import FRESH, load_tickets

NAME = "06c_contract"
LABELED_OTHER = ("c09", "c18", "c25")
CASES: list[dict[str, Any]] = [
    {"system": "tickets-rules", "asked": "wordings"},
    {"system": "tickets", "asked": "wordings"},
    {"system": "tickets", "asked": "repairs"},
]


def wordings() -> list[str]:
    held_back = [text for texts in HELD_BACK.values() for text in texts]
    return [text for item in load_contract() for text in item.wordings] + held_back


def repairs() -> list[str]:
    runs = read_json(RESULTS / "14_suites.json")["runs"]
    [kept] = [run["replies"] for run in runs if run["case"] == {"suite": "tickets", "model": "tickets"}]
    fresh = [row["text"] for row, reply in zip(load_tickets(FRESH), kept, strict=True) if _other(reply)]
    asked = [text for item in load_contract() if item.id in LABELED_OTHER for text in item.wordings]
    questions = [question_of(text) for text in [*asked, *HELD_BACK["c18"], *fresh]]
    return [text for text in dict.fromkeys([*map(quiet, wordings()), *questions]) if text and text not in wordings()]


def _other(reply: dict[str, Any]) -> bool:
    return reply["answer"]["intent"] == "other"


def run(case: dict[str, Any]) -> dict[str, Any]:
    texts = wordings() if case["asked"] == "wordings" else repairs()
    replies = load_model(case["system"]).ask(texts)
    return {"replies": {text: answer_text(reply.answer) for text, reply in zip(texts, replies, strict=True)}}
