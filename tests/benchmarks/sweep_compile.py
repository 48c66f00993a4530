"""Tokens a second of the library's generate as it is, with a static cache, and with that cache and a forward pass
compiled by torch.compile, in turns: batch 1, 16 new tokens, three rounds. "first_seconds" is the first call of each,
which compiles."""

from __future__ import annotations

import statistics
import time
from typing import Any

NAME = "05b_compile"
CASES = ["float32"]
NEW, ROUNDS = 16, 3


def run(case: str) -> dict:
    import torch
    from transformers.utils import logging

    from helpers.models import chat_model
    from helpers.speed import race
    from helpers.trials.ladder import PROMPT

    logging.disable_progress_bar()
    model, tokenizer = chat_model(getattr(torch, case))
    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    plain, compiled = model.forward, torch.compile(model.forward, fullgraph=True)

    def write(forward: Any, **options: Any) -> torch.Tensor:
        model.forward = forward
        return model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False, **options
        )

    runs = {
        "as it is": lambda: write(plain),
        "static cache": lambda: write(plain, cache_implementation="static"),
        "compiled": lambda: write(compiled, cache_implementation="static"),
    }
    first, texts = {}, {}
    for name, write_once in runs.items():
        start = time.perf_counter()
        texts[name] = write_once()
        first[name] = round(time.perf_counter() - start, 1)
    seconds = race(runs, ROUNDS)
    return {
        "first_seconds": first,
        "tokens_per_s": {name: [round(NEW / s, 2) for s in times] for name, times in seconds.items()},
        "times": {
            name: round(statistics.median(a / b for a, b in zip(seconds["as it is"], times, strict=True)), 2)
            for name, times in seconds.items()
        },
        "same_text": {name: bool(torch.equal(text, texts["as it is"])) for name, text in texts.items()},
    }
