"""What three systems reply to the 30 tickets of data/hosted/contract.jsonl, as text: TF-IDF with rules, the shipped
adapter `tickets` held to each ticket's values, and the chat model that nobody taught, which writes what it likes. The
items and what they expect were written before any system had seen them, and not changed afterwards."""

from __future__ import annotations

from typing import Any

import torch

from helpers.assistants.tickets import answer_text, predict_labels
from helpers.evaluation.systems import load_model
from helpers.hosted.acceptance import load_contract

NAME = "06c_contract"
CASES: list[dict[str, Any]] = [{"system": name} for name in ("tickets-rules", "tickets", "tickets-untaught")]


def run(case: dict[str, Any]) -> dict[str, Any]:
    texts = [item.ticket for item in load_contract()]
    if case["system"] == "tickets-untaught":
        from transformers import AutoTokenizer

        from helpers.models import fetch
        from helpers.speed.fast_llama import FastLlama
        from helpers.transformer.llama import Llama

        folder = fetch("chat")
        model = FastLlama(Llama.from_pretrained(folder, torch.float32))
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return {"replies": predict_labels(model, tokenizer, texts).replies}
    replies = load_model(case["system"]).ask(texts)
    return {"replies": [answer_text(reply.answer) for reply in replies]}
