"""Which of nine requests a ticket makes, read without a labeled example: by the likelihood of one sentence per label
(three ways of asking, compared on dev; one of them on test), by letting the model write the label, by an encoder; and
TF-IDF with logistic regression, trained on n labeled families, five draws each. Scores are log-probabilities in nats,
one row per ticket in the order of the file; the encoder's are cosines. hits: right of 162."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from helpers.generation import generate, reply_text
from helpers.models import embedder, fetch
from helpers.old.assistants.ticket_baseline import fit_baseline
from helpers.old.trials.routing import ASK, LABELS, label_log_probs
from helpers.old.velunda import load_tickets
from helpers.transformer import Llama

NAME = "05_routing"
THING = ["where the order is and when it will arrive", "canceling or changing an order that has not come yet",
         "a parcel that came damaged, wrong or incomplete", "sending something back for a refund",
         "a defect or a repair in the workshop", "a payment, a charge or an invoice",
         "a question about products, prices, shops or terms", "the login, the app or personal data",
         "nothing that the support desk can act on"]  # fmt: skip
ACTION = ["asks where an order is", "wants to change or cancel an order",
          "received a wrong, damaged or incomplete delivery", "wants to send something back",
          "reports a defect or wants a repair", "has a problem with a payment or an invoice",
          "asks a question about products, shops or prices", "needs help with the login, the app or personal data",
          "wants nothing that the support desk can do"]  # fmt: skip
HEAD = "Message from a customer of a bicycle maker:\n{message}\n\n"
WAYS = {
    "sentence": (ASK, LABELS),
    "about": (HEAD + "This message is about", dict(zip(LABELS, THING, strict=True))),
    "wants": (HEAD + "In short, the customer", dict(zip(LABELS, ACTION, strict=True))),
}
LABELED = (36, 72, 144, 288, 648)
CASES: list[dict[str, Any]] = [{"way": way, "split": "dev"} for way in WAYS]
CASES += [{"way": "sentence", "split": "test"}, {"way": "written", "split": "test", "every": 3}]
CASES += [{"way": "encoder", "split": "test"}, *({"way": "tf-idf", "labeled": n} for n in LABELED)]


@cache
def loaded() -> tuple[Llama, Any]:
    return Llama.from_pretrained(fetch("chat")).requires_grad_(False), AutoTokenizer.from_pretrained(fetch("chat"))


def written(message: str) -> str:
    """What the model writes if it is shown the message and a list of the labels, greedily."""
    model, tokenizer = loaded()
    options = "\n".join(f"- {label}" for label in LABELS)
    question = f"Message from a customer:\n{message}\n\nWhich of these does the customer want?\n{options}\n\n"
    question += "Answer with one of them, and nothing else."
    turns = [{"role": "user", "content": question}]
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    return reply_text(tokenizer, generate(model, ids, 10)[0, len(ids) :].tolist()).strip()


def run(case: dict[str, Any]) -> dict[str, Any]:
    tickets = load_tickets(case.get("split", "test"))[:: case.get("every", 1)]
    texts = [ticket["text"] for ticket in tickets]
    if case["way"] in WAYS:
        ask, labels = WAYS[case["way"]]
        return {"scores": [rounded(label_log_probs(*loaded(), text, labels, ask)) for text in texts]}
    if case["way"] == "written":
        return {"replies": [written(text) for text in texts]}
    if case["way"] == "encoder":
        encoder = embedder()
        cosines = encoder.encode(texts) @ encoder.encode(list(LABELS.values())).T
        return {"scores": [rounded(row) for row in cosines]}
    families = {ticket["family"]: ticket for ticket in load_tickets("train")}
    hits = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(list(families))[: case["labeled"]]
        said = fit_baseline([families[name] for name in order]).predict(texts)
        hits.append(sum(a["intent"] == t["label"]["intent"] for a, t in zip(said, tickets, strict=True)))
    return {"hits": hits}


def rounded(row: Any) -> list[float]:
    return [round(float(value), 3) for value in torch.as_tensor(row)]
