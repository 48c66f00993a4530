"""How well tickets in unseen phrasings are read: TF-IDF and rules, the chat model with and without solved examples, and
tuned: on 25, 100 and 300 training tickets (three subsets each), with wrong labels, and on fresh fillings of all
training frames, read within a form, with what that costs elsewhere. Counts of right tickets a family, on dev and on
test; nothing was chosen on test."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any

from helpers.old.assistants.tickets import allowed_values
from helpers.old.trials.ticket_training import LABELS

NAME = "07_sft"
SIZES, SEEDS = (25, 100, 300), (0, 1, 2)
SHOTS = (3, 6, 9)  # tried on dev; the best goes to test
SHORT = {"steps": 60, "batch": 4}  # for training on few tickets, and for wrong labels
MAIN = {"steps": 320, "batch": 8, "rate": 2e-3, "rank": 16, "misspelled": 0.4}
FORM = {"within": allowed_values}  # for `read`: replies that cannot leave the form
CASES = [
    {"case": "baseline"},
    {"case": "zero-shot"},
    {"case": "main", **MAIN},
    {"case": "few-shot"},
    *({"case": "form", "shots": shots} for shots in (0, 6)),  # 6 was the best on dev without the form
    *({"case": "tuned", "n": n, "seed": SEEDS[0]} for n in SIZES),
    *({"case": "broken", "labels": labels, "n": 100, "seed": SEEDS[0]} for labels in LABELS[1:]),
    *({"case": "tuned", "n": n, "seed": seed} for seed in SEEDS[1:] for n in SIZES),
]
WATCHED = 4  # place in dev of the ticket that is read along


def run(case: dict) -> dict:
    kinds = {
        "baseline": baseline,
        "zero-shot": zero_shot,
        "few-shot": few_shot,
        "form": form,
        "tuned": tuned,
        "broken": broken,
        "main": main_run,
    }
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def baseline() -> dict:
    from helpers.old.assistants.ticket_baseline import fit_baseline
    from helpers.old.assistants.tickets import score_fields
    from helpers.old.velunda import load_tickets

    fitted, found = fit_baseline(load_tickets("train")), {}
    for split in ("dev", "test"):
        tickets = load_tickets(split)
        start = time.perf_counter()
        scores = score_fields(fitted.predict([ticket["text"] for ticket in tickets]), tickets)
        seconds = round(time.perf_counter() - start, 3)
        found[split] = {"scores": to_json(scores), "reading": {"seconds": seconds}}
    return found


def zero_shot() -> dict:
    model, tokenizer = base_model()
    return {split: read(model, tokenizer, split) for split in ("dev", "test")}


def few_shot() -> dict:
    from helpers.old.assistants.tickets import pick_shots
    from helpers.old.velunda import load_tickets

    model, tokenizer = base_model()
    train = load_tickets("train")
    tried = {n: read(model, tokenizer, "dev", pick_shots(train, n)) for n in SHOTS}
    best = max(SHOTS, key=lambda n: (exact(tried[n]), -n))
    shots = pick_shots(train, best)
    return {
        "shots": best,
        "tried": {str(n): found for n, found in tried.items()},
        "dev": tried[best],
        "test": read(model, tokenizer, "test", shots),
        "test, nothing shared": cost(model, tokenizer, "test", shots, n=24),
    }


def form(shots: int) -> dict:
    """The model without training, within the form: what of the gain is the form's."""
    from helpers.old.assistants.tickets import pick_shots
    from helpers.old.velunda import load_tickets

    model, tokenizer = base_model()
    shown = pick_shots(load_tickets("train"), shots)
    return {split: read(model, tokenizer, split, shown, **FORM) for split in ("dev", "test")}


def tuned(n: int, seed: int) -> dict:
    from helpers.old.trials.ticket_training import fine_tune, recipe_of, subset
    from helpers.old.velunda import load_tickets

    model, tokenizer = base_model()
    history = fine_tune(model, tokenizer, subset(load_tickets("train"), n, seed), recipe_of(**SHORT, seed=seed))
    return trained(history) | {split: read(model, tokenizer, split) for split in ("dev", "test")}


def broken(labels: str, n: int, seed: int) -> dict:
    from helpers.old.trials.ticket_training import fine_tune, recipe_of, subset
    from helpers.old.velunda import load_tickets

    model, tokenizer = base_model()
    tickets = subset(load_tickets("train"), n, seed)
    history = fine_tune(model, tokenizer, tickets, recipe_of(**SHORT, seed=seed), labels=labels)
    return trained(history) | {"dev": read(model, tokenizer, "dev")}


def main_run(**settings: Any) -> dict:
    """The adapter stays in build/sweeps, for whoever wants to ask the tuned model more."""
    from helpers.lora import without_lora
    from helpers.old.trials.forgetting import general_ability
    from helpers.old.velunda import load_frames

    model, tokenizer, history = train_main(**settings)
    free, within = read(model, tokenizer, "dev"), read(model, tokenizer, "dev", **FORM)
    better = exact(within) >= exact(free)  # dev decides how test is read
    found = {"dev, free": free, "dev": within if better else free, "form": better}
    found["test"] = read(model, tokenizer, "test", **(FORM if better else {}))
    after = general_ability(model, tokenizer)
    with without_lora(model):
        before = general_ability(model, tokenizer)
    return (
        {"frames": len(load_frames("train")), "tickets": settings["steps"] * settings["batch"]}
        | trained(history)
        | {"watched": {str(step): reply for step, reply in history.evaluations.items()}}
        | found
        | {"forgetting": {"before": ability(before), "after": ability(after)}}
    )


def train_main(steps: int, batch: int, rate: float, rank: int, misspelled: float) -> tuple[Any, Any, Any]:
    """Model, tokenizer and history, in float32 everywhere. A training that was stopped goes on in build/sweeps."""
    import torch

    from helpers.adapters import BASE
    from helpers.old.lora import save_adapter
    from helpers.old.trials.ticket_training import fine_tune, recipe_of
    from helpers.old.velunda import load_tickets
    from tests.benchmarks.fresh_tickets import generate
    from tests.benchmarks.sweeps import KEPT
    from tests.benchmarks.ticket_noise import noisy

    model, tokenizer = base_model(torch.float32)
    tickets = noisy(generate(steps * batch, seed=0), seed=0, share=misspelled)
    recipe = recipe_of(steps, rate=rate, batch=batch)
    looks = {"watch": load_tickets("dev")[WATCHED], "watch_every": steps // 10}
    kept = {"folder": KEPT / NAME, "save_every": steps // 16}
    history = fine_tune(model, tokenizer, tickets, recipe, rank=rank, alike=True, **looks, **kept)
    save_adapter(model, KEPT / "adapters" / "tickets", base=BASE)
    return model, tokenizer, history


def base_model(dtype: Any = None) -> tuple[Any, Any]:
    """The course's own Llama with the chat model's weights, by default in the precision that is fast here, and the
    tokenizer."""
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.scale import matrix_dtype
    from helpers.transformer import Llama

    folder = fetch("chat")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Llama.from_pretrained(folder, dtype or matrix_dtype()), tokenizer


def read(model: Any, tokenizer: Any, split: str, shots: Any = (), **options: Any) -> dict:
    """Scores of a split, and what reading it took. A tuned model is merged and read as a FastLlama, half the time."""
    from helpers.lora import lora_layers, merge_lora_
    from helpers.old.assistants.tickets import predict_labels, score_fields
    from helpers.old.speed import FastLlama
    from helpers.old.velunda import load_tickets

    tickets = load_tickets(split)
    reader = FastLlama(merge_lora_(deepcopy(model)) if lora_layers(model) else model)
    found = predict_labels(reader, tokenizer, [ticket["text"] for ticket in tickets], shots=shots, batch=54, **options)
    scores = score_fields(found.labels, tickets)
    return {"scores": to_json(scores), "reading": took(found)}


def cost(model: Any, tokenizer: Any, split: str, shots: Any, n: int) -> dict:
    """What reading n tickets takes where every prompt is read from its beginning."""
    from helpers.old.assistants.tickets import predict_labels
    from helpers.old.velunda import load_tickets

    texts = [ticket["text"] for ticket in load_tickets(split)[:n]]
    return took(predict_labels(model, tokenizer, texts, shots=shots, batch=24, share_prefix=False))


def took(found: Any) -> dict:
    return {
        "replies": len(found.replies),
        "without an object": sum(label is None for label in found.labels),
        "without an end": found.unended,
        "tokens read": found.prompt_tokens,
        "tokens written": found.new_tokens,
        "seconds": round(found.seconds, 1),
    }


def exact(found: dict) -> int:
    """Tickets of which all five fields were right."""
    from helpers.old.metrics import Score

    return Score.from_json(found["scores"]["exact"]).right


def to_json(scores: Any) -> dict:
    return {field: score.to_json() for field, score in scores.items()}


def trained(history: Any) -> dict:
    return {"losses": [round(loss, 4) for loss in history.losses]}


def ability(found: Any) -> dict:
    return {"perplexity": round(found.perplexity, 2), "right": found.right, "of": found.of, "replies": found.replies}
