"""The adapter "tickets": the chat model taught to label tickets, on fillings of all training families and of the
further ones, scored as saved, in a form, on dev, test and the fresh split, beside TF-IDF with rules on the same
families. How sure each field was, and whether it was right, is kept ticket by ticket. Nothing was chosen on test or
fresh."""

from __future__ import annotations

import random
from typing import Any

NAME = "07_tickets"
CASES = [{"steps": 720, "batch": 8, "rate": 2e-3, "rank": 8, "misspelled": 0.4, "seed": 0}]
SPLITS = ("dev", "test", "fresh")


def run(case: dict) -> dict:
    from helpers.old.assistants.taught import taught_model
    from helpers.old.metrics import Score
    from tests.benchmarks.tuning import trained
    from tests.tools.model_cards import entry, score_row

    history, folder = train_tickets(**case)
    model, tokenizer = taught_model(folder)  # the file, rounded to bfloat16
    found = {split: read(model, tokenizer, split) for split in SPLITS}
    found["baseline"] = baseline()
    rows = [
        score_row(f"all five fields, {what}", Score.from_json(found[split]["scores"]["exact"]))
        for what, split in (("test", "test"), ("fresh test", "fresh"))
    ]
    told = entry(
        folder,
        summary="Reads a ticket to Velunda into five fields: intent, product, order number, urgency, sentiment.",
        data=[
            "data/velunda/tickets/frames.txt (train) and more_frames.txt, filled by chance, names misspelled in part",
            "never shown: the families, order numbers and last misspellings of dev, test and fresh",
        ],
        recipe=case,
        scores=rows,
        limits=[
            "Scores hold for replies in a form (helpers.old.assistants.allowed_values), not for free ones.",
            "English only; products and labels of one invented company.",
        ],
    )
    return trained(history) | found | {"adapter": told}


def train_tickets(steps: int, batch: int, rate: float, rank: int, misspelled: float, seed: int) -> tuple[Any, Any]:
    """History, and the folder of the adapter. A training that was stopped goes on in build/sweeps."""
    import torch

    from helpers.adapters import BASE
    from helpers.old.lora import save_adapter
    from helpers.old.trials.ticket_training import fine_tune, recipe_of
    from tests.benchmarks.sweeps import KEPT
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.bfloat16)
    recipe = recipe_of(steps, rate=rate, batch=batch, seed=seed)
    kept = {"folder": KEPT / NAME, "save_every": 25}
    history = fine_tune(model, tokenizer, rows(steps * batch, misspelled, seed), recipe, rank=rank, alike=True, **kept)
    folder = KEPT / "adapters" / "tickets"
    save_adapter(model, folder, base=BASE)
    return history, folder


def rows(n: int, misspelled: float, seed: int) -> list[dict]:
    """The tickets that the adapter is trained on, in order."""
    from helpers.old.velunda import fill, fill_different, load_frames
    from helpers.old.velunda.tickets import MORE
    from tests.benchmarks.ticket_noise import noisy

    frames = [*load_frames("train"), *load_frames(MORE)]
    return noisy(fill_different(n, frames, fill, random.Random(f"tickets {seed}"), 20), seed, misspelled)


def read(model: Any, tokenizer: Any, split: str) -> dict:
    """Scores of a split, and for each ticket and field how sure the model was and whether it was right."""
    from helpers.old.assistants import allowed_values, predict_labels, score_fields
    from helpers.old.velunda import FIELDS, load_tickets
    from tests.benchmarks.tuning import to_json, took

    tickets = load_tickets(split)
    texts = [ticket["text"] for ticket in tickets]
    found = predict_labels(model, tokenizer, texts, batch=18, within=allowed_values)
    sure = {field: [round(row[field], 4) for row in found.sure] for field in FIELDS}
    pairs = list(zip(found.labels, tickets, strict=True))
    right = {
        field: "".join(str(int(said[field] == ticket["label"][field])) for said, ticket in pairs) for field in FIELDS
    }
    scores = to_json(score_fields(found.labels, tickets))
    return {"scores": scores, "reading": took(found), "sure": sure, "right": right}


def baseline() -> dict:
    """TF-IDF and rules, fitted on all families that the adapter has seen; also which tickets it has all right."""
    from helpers.old.assistants import exact_match, score_fields
    from helpers.old.assistants.ticket_baseline import fit_baseline
    from helpers.old.velunda import load_tickets
    from helpers.old.velunda.tickets import MORE
    from tests.benchmarks.tuning import to_json

    fitted, found = fit_baseline([*load_tickets("train"), *load_tickets(MORE)]), {}
    for split in SPLITS:
        tickets = load_tickets(split)
        labels = fitted.predict([ticket["text"] for ticket in tickets])
        exact = "".join(
            str(int(exact_match(said, ticket["label"]))) for said, ticket in zip(labels, tickets, strict=True)
        )
        found[split] = {"scores": to_json(score_fields(labels, tickets)), "exact": exact}
    return found
