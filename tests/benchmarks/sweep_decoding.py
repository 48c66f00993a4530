"""How varied and how probable text is under decoding settings: temperature x top-p, temperature x min-p, greedy, and
greedy with a repetition penalty. One run is a trial of helpers.old.trials.openings: twelve openings, 64 tokens each.
Seeds that the notebook does not use. distinct is the share of distinct pairs in a run, perplexity the model's own."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from transformers import AutoTokenizer

from helpers.generation import greedy, min_p, repetition_penalty, sample, temperature, top_p
from helpers.models import fetch
from helpers.old.trials.openings import trials
from helpers.transformer import Llama

NAME = "05_decoding"
N_NEW, REPEATS = 64, 4
CASES = [{"temperature": 0}, {"temperature": 0, "penalty": 1.2}]
CASES += [{"temperature": t, "top_p": p} for t in (0.5, 0.7, 1.0, 1.3) for p in (0.5, 0.8, 0.95, 1.0)]
CASES += [{"temperature": t, "min_p": 0.1} for t in (0.7, 1.0, 1.3)]


def sampler(case: dict[str, float], generator: torch.Generator) -> Any:
    """The sampler of one case."""
    if not case["temperature"]:
        return (
            (lambda logits, ids: greedy(repetition_penalty(case["penalty"])(logits, ids)))
            if "penalty" in case
            else greedy
        )
    cut = top_p(case["top_p"]) if "top_p" in case else min_p(case["min_p"])
    return sample(temperature(case["temperature"]), cut, generator=generator)


@cache
def loaded() -> tuple[Llama, Any]:
    return Llama.from_pretrained(fetch("chat")).requires_grad_(False), AutoTokenizer.from_pretrained(fetch("chat"))


def run(case: dict[str, float]) -> dict:
    generator = torch.Generator().manual_seed(1 + CASES.index(case))
    repeats = REPEATS if case["temperature"] else 1  # greedy says the same every time
    found = trials(*loaded(), sampler(case, generator), N_NEW, repeats)
    return {"distinct": [round(t.distinct, 4) for t in found], "perplexity": [round(t.perplexity, 3) for t in found]}
