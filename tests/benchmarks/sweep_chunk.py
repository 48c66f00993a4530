"""A long prompt arrives while others are being answered: the engine writes six replies; after eight tokens each, a
seventh request comes, whose prompt has 1,500 tokens. The engine reads at most 16, 64, 256 or 2,048 tokens of a
prompt per step. How long is the longest step, in which all six stand still, and when has the seventh its first
token? Seconds of one processor, so that other programs on the machine hardly change them. Int8 weights, one thread,
no prefix cache."""

from __future__ import annotations

import time
from functools import cache
from statistics import median
from typing import Any

import torch
from transformers import AutoTokenizer

from helpers.models import fetch
from helpers.old.serving import Ask, Engine
from helpers.old.speed import FastLlama
from helpers.quantization import quantize_
from helpers.scale import matrix_dtype
from helpers.velunda import load_handbook

NAME = "18_chunk"
CASES = [{"chunk": chunk} for chunk in (16, 64, 256, 2048)]
OTHERS, BEFORE, LONG = 6, 8, 1500


def run(case: dict) -> dict:
    torch.set_num_threads(1)
    model, tokenizer, text = parts()
    engine = Engine(model, tokenizer, chunk=case["chunk"], prefix_cache=False)
    for number in range(OTHERS):
        engine.submit(Ask(prompt=tuple(text[300 * number : 300 * number + 40]), max_new_tokens=400))
    for _ in range(OTHERS + BEFORE):
        engine.step()
    before = [timed(engine)[0] for _ in range(BEFORE)]
    long = engine.submit(Ask(prompt=tuple(text[3000 : 3000 + LONG]), max_new_tokens=2))
    steps, wrote = [], False
    while not wrote:
        seconds, pieces = timed(engine)
        steps.append(seconds)
        wrote = bool(pieces.get(long) and pieces[long].tokens)
    return {
        "step_before_s": round(median(before), 3),
        "longest_step_s": round(max(steps), 3),
        "first_token_of_the_long_one_s": round(sum(steps), 3),
        "steps": len(steps),
        "running": engine.stats.running,
        "prompt_tokens": LONG,
    }


def timed(engine: Engine) -> tuple[float, dict[str, Any]]:
    """Processor seconds of a step, and what it gave."""
    began = time.process_time()
    pieces = engine.step()
    return time.process_time() - began, pieces


@cache
def parts() -> tuple[FastLlama, Any, list[int]]:
    """The model, its tokenizer, and the handbook in its tokens."""
    folder = fetch("chat")
    model = FastLlama.from_pretrained(folder, matrix_dtype())
    quantize_(model, bits=8, skip=["head"])
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    text = "\n".join(document.text for document in load_handbook().values())
    return model, tokenizer, tokenizer(text)["input_ids"]
