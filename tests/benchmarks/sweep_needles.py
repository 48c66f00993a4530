"""Which of five passwords, hidden in texts of several lengths, the chat model finds: as it is, and with its rotations
slowed fourfold in three ways. Seeds that the notebook does not use."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from helpers.attention import RopeScaling
from helpers.models import chat_model, fetch
from helpers.transformer import Llama
from helpers.trials.needles import ask, haystack, right, stretched

NAME = "02c_needles"
FACTOR, SCALINGS = 4.0, ("linear", "ntk", "yarn")
PLAIN = [{"length": n, "scaling": None, "seed": seed} for seed in range(1, 7) for n in (256, 512, 1024, 2048)]
SCALED = [{"length": n, "scaling": kind, "seed": seed} for seed in (1, 2, 3) for n in (512, 2048) for kind in SCALINGS]
CASES = PLAIN + SCALED


@cache
def loaded() -> tuple[Llama, Any]:
    return Llama.from_pretrained(fetch("chat"), dtype=torch.bfloat16), chat_model()[1]


@torch.no_grad()
def run(case: dict) -> dict:
    model, tokenizer = loaded()
    kind = case["scaling"]
    scaling = RopeScaling(kind, FACTOR, trained_len=model.config.max_len) if kind else None
    hay = haystack(tokenizer, case["length"], case["seed"])
    with stretched(model, scaling):
        kv = model.new_cache(1, case["length"] + 20)
        model(hay.ids, kv, last_only=True)
        said = [ask(model, tokenizer, kv, place) for place in hay.passwords]
    words = hay.passwords.values()
    return {"found": [right(tokenizer, s, word) for s, word in zip(said, words, strict=True)], "said": said}
