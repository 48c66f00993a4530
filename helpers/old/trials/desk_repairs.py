"""Three repairs of 06c around a model that labels tickets, and what the model was recorded to say.

    quiet("HELLO!!! WHERE IS IT???")                      # "Hello! Where is it?": for a ticket that shouts
    question_of("We moved. Which shop is open?")          # "Which shop is open?": what to ask again
    ask(["Where is my Kite? The order is VE-90311."])     # text → reply as JSON: recorded, or else asked live

The repairs were written after the contract's replies had been seen. HELD_BACK has wordings of the repaired items that
were written before any repair had been run on them, two per item.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from helpers.files.paths import RESULTS
from helpers.files.safe_files import read_json
from helpers.old.assistants.tickets import answer_text
from helpers.old.velunda.tickets import FRESH, load_tickets

HELD_BACK = {
    "c06": (
        "On my Heron, the brakes fade on every descent; yesterday I ran into a fence.",
        "Nothing slows my Heron down in front: the pads are new, the lever is pulled, and it rolls on.",
    ),
    "c11": (
        "I WANT TO KNOW AT ONCE!!! WHICH COLOR CAN I HAVE THE PUFFIN IN???",
        "NOBODY ANSWERS HERE!!! IS THERE A YELLOW PUFFIN OR NOT???",
    ),
    "c18": (
        "First of all, greetings from the coast, where it rains, and from my aunt, who is well. I could go on like "
        "this for hours. Now to my question: are your shops open on Saturdays?",
        "We have a new kitchen, the cat has found her chair in it, and my brother sings in a choir. I know, I should "
        "come to the point. Please tell me which shop I can visit on a Saturday.",
    ),
}


def quiet(ticket: str) -> str:
    """A ticket of which more than half is in capitals, in ordinary writing; any other as it is."""
    letters = [sign for sign in ticket if sign.isalpha()]
    if sum(sign.isupper() for sign in letters) <= len(letters) / 2:
        return ticket
    once = re.sub(r"([!?])\1+", r"\1", ticket)
    return " ".join(sentence.capitalize() for sentence in re.split(r"(?<=[.!?])\s+", once))


def question_of(ticket: str) -> str:
    """The sentences that have a question mark; "" where there is none."""
    return " ".join(sentence for sentence in re.split(r"(?<=[.!?])\s+", ticket) if "?" in sentence)


@cache
def _kept(system: str) -> dict[str, str]:
    """Text → reply, from data/results/06c_contract.json and, for the tickets of `fresh`, from 14_suites.json."""
    found: dict[str, str] = {}
    for run in read_json(RESULTS / "06c_contract.json")["runs"]:
        if run["case"]["system"] == system:
            found |= run["replies"]
    for run in read_json(RESULTS / "14_suites.json")["runs"]:
        if run["case"] == {"suite": "tickets", "model": system}:
            for row, reply in zip(load_tickets(FRESH), run["replies"], strict=True):
                found[row["text"]] = answer_text(reply["answer"])
    return found


@cache
def _model(system: str) -> Any:
    from helpers.old.evaluation.systems import load_model

    return load_model(system)


def ask(texts: Iterable[str], system: str = "tickets", live: bool = False) -> dict[str, str]:
    """Text → what the system replies, as JSON text: recorded where a sweep has it, else asked live.

    live: ask all of them, recorded or not. The model is loaded when it is first needed, and decodes greedily, so that
    it repeats itself. Raises ModelUnavailable.
    """
    texts = list(texts)
    kept = {} if live else _kept(system)
    new = [text for text in dict.fromkeys(texts) if text not in kept]
    answers = _model(system).ask(new) if new else []
    asked = {text: answer_text(reply.answer) for text, reply in zip(new, answers, strict=True)}
    return {text: asked[text] if text in asked else kept[text] for text in texts}
