"""Which facts, hidden in texts of several lengths, the chat model finds: five passwords in one text, each of them alone
in the same place, and five facts of different kinds. Seeds that the notebook does not use."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from helpers.models import chat_model, fetch
from helpers.old.trials.needles import Haystack, ask, haystack
from helpers.transformer import Llama

NAME = "02c_needles"
SEEDS = range(1, 7)
CASES = [{"length": n, "hidden": "five alike", "seed": seed} for seed in SEEDS for n in (256, 512, 1024, 2048)]
CASES += [{"length": 2048, "hidden": "five unlike", "seed": seed} for seed in SEEDS]
CASES += [{"length": 2048, "hidden": "one alone", "seed": seed} for seed in SEEDS[:4]]


@cache
def loaded() -> tuple[Llama, Any]:
    return Llama.from_pretrained(fetch("chat"), dtype=torch.bfloat16), chat_model()[1]


def run(case: dict) -> dict:
    """found and said: for the fact of each fifth, from the first to the last."""
    tokenizer, where = loaded()[1], {"length": case["length"], "seed": case["seed"]}
    if case["hidden"] == "one alone":
        texts = [haystack(tokenizer, **where, only=fifth) for fifth in range(5)]
    else:
        texts = [haystack(tokenizer, **where, alike=case["hidden"] == "five alike")]
    replies = answered(texts)
    return {"found": [said == word for said, word in replies], "said": [said for said, _ in replies]}


@torch.no_grad()
def answered(texts: list[Haystack]) -> list[tuple[str, str]]:
    """(what the model says, what is right) for each question about each text; what two texts share is read once."""
    model, tokenizer = loaded()
    length = texts[0].ids.shape[1]
    kv, before, replies = model.new_cache(1, length + 20), torch.full((length,), -1), []
    for text in texts:
        same = int((text.ids[0] == before).long().cumprod(0).sum())  # tokens until the first difference
        kv.truncate(min(same, length - 1))
        model(text.ids[:, kv.length :], kv, last_only=True)
        replies += [(ask(model, tokenizer, kv, question), word) for question, word in text.answers.items()]
        before = text.ids[0]
    return replies
