"""What a minute of training teaches, seed by seed: the live run of 07_sft with seeds that the notebook does not use,
read on the same tickets of dev. The first of them is judged on all of dev and test every few steps, too, which is what
choosing a checkpoint needs. Counts of right tickets a family; nothing was chosen on test."""

from __future__ import annotations

from typing import Any

from tests.benchmarks import sweep_sft

NAME = "07_minute"
LIVE = {"steps": 40, "batch": 2}
N_DEV = 24  # the first of dev: what the notebook reads after its own run
CASES = [{"seed": 1, "every": 10}, {"seed": 2}, {"seed": 3}, {"seed": 4}]


def run(case: dict) -> dict:
    from helpers.old.trials.ticket_training import fine_tune, recipe_of
    from helpers.old.velunda import load_tickets

    model, tokenizer = sweep_sft.base_model()
    dev, test = load_tickets("dev"), load_tickets("test")

    def judged(model: Any, step: int) -> dict:
        return {} if step == 0 else {"dev": read(model, tokenizer, dev), "test": read(model, tokenizer, test)}

    looks = {"evaluate": judged, "evaluate_every": case["every"]} if "every" in case else {}
    recipe = recipe_of(**LIVE, seed=case["seed"])
    history = fine_tune(model, tokenizer, load_tickets("train"), recipe, **looks)
    by_step = {str(step): found for step, found in history.evaluations.items() if found}
    found = sweep_sft.trained(history) | {"dev": {"scores": read(model, tokenizer, dev[:N_DEV])}}
    return found | ({"by step": by_step} if by_step else {})


def read(model: Any, tokenizer: Any, tickets: list) -> dict:
    """Scores by field, as counts of right tickets a family."""
    from helpers.old.assistants.tickets import predict_labels, score_fields

    found = predict_labels(model, tokenizer, [ticket["text"] for ticket in tickets], batch=24)
    return sweep_sft.to_json(score_fields(found.labels, tickets))
