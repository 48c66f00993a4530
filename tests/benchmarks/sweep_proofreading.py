"""Words that are easily confused, decided by the chat model and by counted neighbors. Each row is a word that has a
partner: whether it is a mistake, log p of the text as it stands and with the partner instead (nats), and whether
counting would change it. Sentences: each gap filled with the right word, then with the wrong one. Mail: one ticket of
each family, as it is, where the mistakes are the customers' own."""

from __future__ import annotations

from functools import cache
from typing import Any

from transformers import AutoTokenizer

from helpers.models import fetch
from helpers.old.trials import proofreading
from helpers.transformer import Llama

NAME = "05_proofreading"
CASES: list[dict[str, Any]] = [
    {"text": text, "split": split} for text in ("sentences", "mail") for split in ("dev", "test")
]


@cache
def loaded() -> tuple[Llama, Any]:
    return Llama.from_pretrained(fetch("chat")).requires_grad_(False), AutoTokenizer.from_pretrained(fetch("chat"))


def run(case: dict[str, Any]) -> dict[str, Any]:
    words = in_sentences(case["split"]) if case["text"] == "sentences" else in_mail(case["split"])
    return {"words": words}


def in_sentences(split: str) -> list[dict[str, Any]]:
    words = []
    for number, row in enumerate(proofreading.confused_words(split)):
        before, after = row["sentence"].split("*")
        for word, other in (row["words"], row["words"][::-1]):
            texts = [before + choice + after for choice in (word, other)]
            scores = [proofreading.log_prob(*loaded(), text) for text in texts]
            place = (len(before), word, other)
            words.append(
                as_row(number, place, word != row["right"], scores, proofreading.by_neighbors(texts[0], place))
            )
    return words


def in_mail(split: str) -> list[dict[str, Any]]:
    words = []
    for number, ticket in enumerate(proofreading.mail(split)):
        found, scores = proofreading.word_scores(*loaded(), ticket["text"], proofreading.partners())
        for place, row in zip(found, scores.tolist(), strict=True):
            mistake = (ticket["family"], place[1]) in proofreading.MAIL_MISTAKES[split]
            words.append(as_row(number, place, mistake, row, proofreading.by_neighbors(ticket["text"], place)))
    return words


def as_row(text: int, place: proofreading.Place, mistake: bool, scores: list[float], counted: bool) -> dict[str, Any]:
    row = dict(zip(("at", "word", "other"), place, strict=True))
    return {
        "text": text,
        **row,
        "mistake": mistake,
        "scores": [round(score, 3) for score in scores],
        "counted": counted,
    }
