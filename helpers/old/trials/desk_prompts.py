"""Which of nine desks does a ticket belong to? The prompts that notebook 12 compares, and what was recorded of them.

    run = continued("wants")                          # or RECORD.find("list", first=0)
    found = choices(run, "pmi")                              # one desk per ticket
    marks(found, run["case"])                                # right or not, in the order of the tickets
    gain(one, other, run["case"])                            # paired over families of phrasing
    points(gain(one, other, run["case"]))                    # "+12 points (95 % CI +3 to +24)"

What it does not do: ask a model (`tests/benchmarks/sweep_patterns.py` does, and the notebook).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import torch

from helpers.old.metrics.grouped import Score
from helpers.old.prompting.scoring import calibrated, length_normalized, pmi
from helpers.old.trials.records import Record
from helpers.old.trials.routing import ASK, LABELS
from helpers.old.velunda.tickets import load_tickets
from helpers.stats.intervals import PairedDifference, paired_bootstrap

RECORD, ROUTING = Record("12_patterns"), Record("05_routing")
DESKS = {  # intent → its name in a list, what a message of this kind is about, and what the customer does
    "order_status": ("order status", "where the order is and when it will arrive", "asks where an order is"),
    "change_order": (
        "change order",
        "canceling or changing an order that has not come yet",
        "wants to change or cancel an order",
    ),
    "delivery_problem": (
        "delivery problem",
        "a parcel that came damaged, wrong or incomplete",
        "received a wrong, damaged or incomplete delivery",
    ),
    "return": ("return", "sending something back for a refund", "wants to send something back"),
    "repair": ("repair", "a defect or a repair in the workshop", "reports a defect or wants a repair"),
    "billing": ("billing", "a payment, a charge or an invoice", "has a problem with a payment or an invoice"),
    "advice": (
        "advice",
        "a question about products, prices, shops or terms",
        "asks a question about products, shops or prices",
    ),
    "account": (
        "account",
        "the login, the app or personal data",
        "needs help with the login, the app or personal data",
    ),
    "other": ("other", "nothing that the support desk can act on", "wants nothing that the support desk can do"),
}
INTENTS = list(DESKS)
NAMES = [name for name, *_ in DESKS.values()]
ABOUT = [about for _, about, _ in DESKS.values()]
WANTS = [wants for *_, wants in DESKS.values()]
MESSAGE = "Message from a customer of a bicycle maker:\n{message}\n\n"
CONTINUED = {  # a text that goes on with the label: its beginning, and the nine ways to go on
    "wants": (MESSAGE + "In short, the customer", WANTS),
    "about": (MESSAGE + "This message is about", ABOUT),
    "sentence": (ASK, list(LABELS.values())),
}
FOUR = ("return", "repair", "billing", "account")  # the desks on which all orders of four examples are tried
SORT = "You sort messages to the support desk of a bicycle maker. Answer with one label."
QUESTION = "What is this message from a customer of a bicycle maker about?"
PERSONA = "You are a helpful assistant who gives concise, accurate answers."
WAYS: dict[str, list[tuple[str, str]]] = {  # how the ticket is asked about: the turns of the chat
    "after": [("user", f"{{text}}\n\n{QUESTION}")],
    "before": [("user", f"{QUESTION}\n\n{{text}}")],
    "system": [("system", QUESTION), ("user", "{text}")],
    "persona": [("system", PERSONA), ("user", f"{{text}}\n\n{QUESTION}")],
}
RULES = ("likelihood", "normalized", "pmi", "calibrated", "batch")


def turns(way: str, text: str) -> list[dict[str, str]]:
    """The messages of one of WAYS about a ticket."""
    return [{"role": role, "content": content.replace("{text}", text)} for role, content in WAYS[way]]


def one_per_family(tickets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first ticket of each family of phrasing, in order: tickets of one family are nearly the same."""
    first: dict[str, Mapping[str, Any]] = {}
    for ticket in tickets:
        first.setdefault(ticket["family"], ticket)
    return list(first.values())


def asked(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tickets that a recorded case was measured on."""
    tickets = load_tickets(case.get("split", "dev"))
    tickets = one_per_family(tickets) if case.get("families") else tickets
    return [ticket for ticket in tickets if ticket["label"]["intent"] in case.get("desks", INTENTS)]


def started(way: str, message: str) -> str:
    """The beginning of a text that goes on with a label, by one of CONTINUED."""
    return CONTINUED[way][0].replace("{message}", message)


def going_on(way: str) -> list[str]:
    """The nine labels as such a text goes on with them: with the space that parts words."""
    return [f" {label}" for label in CONTINUED[way][1]]


def continued(way: str) -> dict[str, Any]:
    """The scores of one of CONTINUED behind the dev tickets, recorded in 05, and without a ticket, recorded in 12."""
    case = {"way": way, "split": "dev"}
    [found] = [run for run in ROUTING.read()["runs"] if run["case"] == case]
    return {"case": case, "scores": found["scores"]} | {
        k: RECORD.find("empty", way=way)[k] for k in ("empty", "lengths")
    }


def one_each(found: Sequence[str], case: Mapping[str, Any]) -> list[str]:
    """Of one answer per ticket of the case, those to the first ticket of each family."""
    tickets = asked(case)
    first = {id(ticket) for ticket in one_per_family(tickets)}
    return [answer for answer, ticket in zip(found, tickets, strict=True) if id(ticket) in first]


def decide(scores: torch.Tensor, rule: str, empty: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The place of the chosen label for each row of scores (N, L), by one of RULES.

    empty: (F, L), the scores behind a prompt with no ticket, first the one without any text; lengths: (L,).
    """
    if rule not in RULES:
        raise ValueError(f"rule is one of {', '.join(RULES)}, not {rule!r}.")
    corrected = {
        "likelihood": lambda: scores,
        "normalized": lambda: length_normalized(scores, lengths),
        "pmi": lambda: pmi(scores, empty[0]),
        "calibrated": lambda: calibrated(scores, empty),
        "batch": lambda: pmi(scores, scores.mean(0)),
    }[rule]()
    return corrected.argmax(-1)


def choices(run: Mapping[str, Any], rule: str = "likelihood") -> list[str]:
    """The desk that a rule chooses for each ticket of a recorded run."""
    scores, lengths = torch.tensor(run["scores"]), torch.tensor(run["lengths"])
    empty = torch.tensor(run["empty"]) if "empty" in run else torch.zeros(1, scores.shape[1])
    desks = run["case"].get("desks", INTENTS)
    return [desks[place] for place in decide(scores, rule, empty, lengths).tolist()]


def marks(found: Sequence[str | None], case: Mapping[str, Any]) -> list[bool]:
    """For each ticket of the case: is it the right desk?"""
    return [desk == ticket["label"]["intent"] for desk, ticket in zip(found, asked(case), strict=True)]


def score(found: Sequence[str | None], case: Mapping[str, Any]) -> Score:
    """The share of right desks, with an interval that draws whole families."""
    families = [ticket["family"] for ticket in asked(case)]
    return Score.of(zip(families, marks(found, case), strict=True))


def gain(one: Sequence[str | None], other: Sequence[str | None], case: Mapping[str, Any]) -> PairedDifference:
    """How much larger the first one's share of right desks is, paired by family."""
    families = [ticket["family"] for ticket in asked(case)]
    return paired_bootstrap(*(_by_family(marks(found, case), families) for found in (one, other)))


def points(difference: PairedDifference) -> str:
    """A paired difference of shares, for the page: "+12 points (95 % CI +3 to +24)"."""
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.difference:+.0f} points (95 % CI {low:+.0f} to {high:+.0f})"


def _by_family(right: Sequence[bool], families: Sequence[str]) -> list[float]:
    rows: dict[str, list[float]] = defaultdict(list)
    for mark, family in zip(right, families, strict=True):
        rows[family].append(float(mark))
    return [fmean(row) for row in rows.values()]
