"""The same tickets as a multiple-choice task for the harness of the course and for lm-eval, both in float32 on one
thread: acc, acc_norm, the largest difference of two log-probabilities in nats, and seconds of one processor core. right
without the usual: the choice whose score is furthest above its mean over these tickets, for comparison."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from helpers.evaluation import load_suite, run_suite
from helpers.evaluation.lm_eval_task import CHOICES, likelihood_model, lm_eval_accuracy, picks_intent, write_task
from helpers.models import fetch
from helpers.transformer import Llama

NAME = "14_lm_eval"
CASES: list[dict[str, Any]] = [{"suite": "tickets", "items": 36, "seed": 0}]


def run(case: dict[str, Any]) -> dict[str, Any]:
    suite, folder = load_suite(case["suite"]).sample(case["items"], case["seed"]), fetch("chat")
    model, tokenizer = Llama.from_pretrained(folder, torch.float32), AutoTokenizer.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as place:
        start = time.process_time()
        ours = run_suite(likelihood_model(model, tokenizer, "chat"), suite, scorer=picks_intent, folder=Path(place))
        middle = time.process_time()
        theirs = lm_eval_accuracy(place, write_task(place, suite), folder)
        end = time.process_time()
    nats = torch.tensor([list(reply.answer.values()) for reply in ours.replies])
    right = torch.tensor([list(CHOICES).index(item.fields["intent"]) for item in suite.items])
    return {
        "harness": {name: ours.share(name).mean for name in ("acc", "acc_norm")},
        "lm-eval": {name: theirs[name] for name in ("acc", "acc_norm")},
        "largest difference": float((nats - torch.tensor(theirs["nats"])).abs().max()),
        "cpu seconds": {"harness": round(middle - start, 1), "lm-eval": round(end - middle, 1)},
        "right without the usual": float(((nats - nats.mean(0)).argmax(1) == right).float().mean()),
        "choices": list(CHOICES.values()),
    }
