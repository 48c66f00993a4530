"""A mixture of experts at equal active parameters: eight feed-forward networks per layer of which a token passes one,
against the model with one of them (equally many operations) and a model with one that is eight times as wide (equally
many parameters), on half a million characters. Two more show what does it: without the balance, and with a router that
stays as it was drawn. The first three once more on eight times as many characters. "ms per step" is the tenth
percentile over steps."""

from __future__ import annotations

import numpy as np

from helpers.old.pretraining import Recipe, count_parameters, expert_loads, pretrain
from helpers.old.trials.scaling_runs import judge, make_model, recipe_for, text_data

NAME = "03b_experts"
SIZE, TOKENS, SEEDS = "32x2", 512_000, (0, 1, 2)
MORE_TOKENS, MORE_SEEDS = 8 * TOKENS, (0, 1)
KINDS = {
    "one network": {},
    "eight experts": {"n_experts": 8},
    "eight experts, no balance": {"n_experts": 8, "balance": 0.0},
    "eight experts, fixed router": {"n_experts": 8, "learned_router": False},
    "eight times as wide": {"wider": 8},
}
CASES = [
    *({"case": kind, "size": SIZE, "tokens": TOKENS, "seed": seed} for seed in SEEDS for kind in KINDS),
    *(
        {"case": kind, "size": SIZE, "tokens": MORE_TOKENS, "seed": seed}
        for seed in MORE_SEEDS
        for kind in list(KINDS)[:3]
    ),
]


def run(case: dict) -> dict:
    model, data = make_model(case["size"], case["seed"], **KINDS[case["case"]]), text_data()
    recipe: Recipe = recipe_for(case["tokens"], case["seed"])
    trained = pretrain(model, data, recipe, evaluate_windows=1)
    counts = count_parameters(model)
    judged = judge(model, data)
    loads = expert_loads(model).tolist() if "experts" in case["case"] else []
    return {
        **judged,
        "total": counts.total,
        "multiplied": counts.multiplied,
        "ms per step": round(1000 * float(np.quantile(np.diff([0.0, *trained.seconds]), 0.1)), 2),
        "loads": [[round(share, 4) for share in layer] for layer in loads],
    }
