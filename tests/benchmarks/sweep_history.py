"""Seventy-seven years of language models on one text by one measure, bits per byte of held-out text: counts of runs of
characters (orders 1 to 8), a bag of vectors, an LSTM and a GPT, the last three trained for equally long on one machine;
what each gains from more context; surprise where the five characters before were seen in training and where they were
not. Horizons: gzip and xz, and a pretrained chat model (which has probably read the text, and has 4-bit weights)."""

from __future__ import annotations

import gzip
import json
import lzma
import math
import statistics
import time

NAME = "03_history"
ORDERS = (1, 2, 3, 4, 5, 6, 7, 8)
TRAINED = ("bag of vectors", "LSTM", "GPT")
GPT_STEPS = 500
SEEDS = (0, 1, 2)
CONTEXTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 63)
PROMPT = "The "
CASES = [
    *({"case": "n-gram", "order": order} for order in ORDERS),
    {"case": "seconds per step"},
    *({"case": name, "seed": seed} for name in TRAINED for seed in SEEDS),
    {"case": "gzip"},
    {"case": "xz"},
    {"case": "chat model"},
]


def run(case: dict) -> dict:
    from helpers.old.pretraining import NGram, pretrain, python_reference, text_losses
    from helpers.old.trials.recipes import make_historical

    data, name = python_reference(), case["case"]
    text = data.tokenizer.decode(data.held_out.ids.tolist())
    before = data.tokenizer.decode(data.train.ids.tolist())
    if name == "gzip":
        return {"bits per byte": 8 * len(gzip.compress(text.encode(), 9)) / data.held_out.n_bytes}
    if name == "xz":
        alone, behind = (
            len(lzma.compress(t.encode(), preset=9 | lzma.PRESET_EXTREME)) for t in (before, before + text)
        )
        return {"bits per byte": 8 * (behind - alone) / data.held_out.n_bytes}
    if name == "chat model":
        return chat_model_bits(text[:8000])
    seen = NGram.count(data.train, data.vocab_size, 6).seen(data.held_out.ids)  # of tokens 5 and on
    if name == "n-gram":
        model = NGram.count(data.train, data.vocab_size, case["order"])
        losses = model.nats(data.held_out.ids)
        return {"numbers": model.n_counts} | judged(model, data, losses, case["order"] - 1, seen)
    if name == "seconds per step":
        return {"paces": paces(data)}
    pace = kept_paces()
    steps = round(GPT_STEPS * pace["GPT"] / pace[name])
    model, recipe = make_historical(name, data.vocab_size, steps, case["seed"])
    run = pretrain(model, data, recipe, evaluate_every=max(1, steps // 6))
    losses = text_losses(model, data.held_out, 64, 16).numpy()
    return {
        "numbers": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "seconds of training": round(run.seconds[-1], 1),
        "validation": {str(step): round(nats, 4) for step, nats in run.validation.items()},
        "training loss": round(statistics.mean(run.losses[-20:]), 4),
    } | judged(model, data, losses, 1, seen)


def judged(model, data, losses, first: int, seen) -> dict:
    """losses: surprise at the tokens from place `first` on; seen: of those from place 5 on."""
    from helpers.old.pretraining import bits_per_byte, continue_text, loss_by_context

    start = max(first, 5)
    behind, known = losses[start - first :], seen[start - 5 : start - 5 + len(losses) - (start - first)]
    return {
        "nats": round(float(behind.mean()), 4),
        "bits per byte": round(bits_per_byte(float(behind.mean()), data.held_out.bytes_per_token), 4),
        "nats where seen": round(float(behind[known].mean()), 4),
        "nats where not seen": round(float(behind[~known].mean()), 4),
        "share not seen": round(float((~known).mean()), 4),
        "by context": {str(k): round(v, 4) for k, v in loss_by_context(model, data.held_out, CONTEXTS).items()},
        "sample": continue_text(model, data.tokenizer, PROMPT, 160, 64),
    }


def paces(data, rounds: int = 5, steps: int = 6) -> dict[str, float]:
    """Seconds per step of each, in turns; the median of the rounds."""
    from helpers.old.pretraining import make_optimizer
    from helpers.old.pretraining.run import training_step
    from helpers.old.trials.recipes import make_historical

    made = {name: make_historical(name, data.vocab_size, 1000, 0) for name in TRAINED}
    optimizers = {name: make_optimizer(*pair) for name, pair in made.items()}
    times: dict[str, list[float]] = {name: [] for name in TRAINED}
    for turn in range(rounds):
        for name, (model, recipe) in made.items():
            start = time.perf_counter()
            for step in range(turn * steps, (turn + 1) * steps):
                rows = data.train.batch(step, recipe.batch, recipe.length)
                training_step(model, rows, optimizers[name], recipe)
            times[name].append((time.perf_counter() - start) / steps)
    return {name: round(statistics.median(found), 5) for name, found in times.items()}


def kept_paces() -> dict[str, float]:
    from tests.benchmarks.sweeps import KEPT, read_kept

    return read_kept(KEPT / f"{NAME}.jsonl")[json.dumps({"case": "seconds per step"}, sort_keys=True)]["paces"]


def chat_model_bits(text: str, window: int = 512) -> dict:
    """A pretrained model on the beginning of the held-out text, in windows of its tokens that overlap by half."""
    import torch

    from helpers.models import chat_model

    model, tokenizer = chat_model()
    ids = tokenizer(text, return_tensors="pt").input_ids[0]
    nats, counted = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(ids) - 1, window // 2):
            part = ids[start : start + window]
            log_p = model(part[None]).logits[0, :-1].float().log_softmax(-1)
            losses = -log_p.gather(1, part[1:, None])[:, 0]
            new = losses if start == 0 else losses[window // 2 - 1 :]
            nats, counted = nats + new.sum().item(), counted + len(new)
            if start + window >= len(ids):
                break
    return {"bits per byte": round(nats / math.log(2) / len(text.encode()), 4), "tokens": counted}
