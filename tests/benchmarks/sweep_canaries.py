"""Secrets planted in the training text 0, 1, 10 and 100 times: their exposure in bits, and whether the model writes
them by itself, after a short and after a long run of the course's recipe."""

from __future__ import annotations

NAME = "03d_canaries"
SEEDS = (0, 1, 2)
STEPS = (220, 660)
CASES = [{"case": "planted", "steps": steps, "seed": seed} for seed in SEEDS for steps in STEPS]


def run(case: dict) -> dict:
    from helpers.old.pretraining import Characters, TokenData, pretrain, python_reference
    from helpers.old.trials import canaries
    from helpers.old.trials.recipes import COURSE

    plain, seed = python_reference(), case["seed"]
    train, held_out = (plain.tokenizer.decode(part.ids.tolist()) for part in (plain.train, plain.held_out))
    secrets = canaries.make_canaries(seed=seed)
    planted = canaries.plant(train, secrets, seed)
    data = TokenData.of_texts(planted, held_out, Characters.train(planted + held_out))
    model, recipe = COURSE.make(data.vocab_size, case["steps"], seed)
    run = pretrain(model, data, recipe)
    ranks = [canaries.rank(model, data.tokenizer, secret) for secret in secrets]
    return {
        "nats": round(run.validation[case["steps"]], 4),
        "training loss": round(sum(run.losses[-20:]) / 20, 4),
        "epochs": round(recipe.tokens / len(data.train), 2),
        "canaries": [
            {
                "planted": secret.count,
                "rank": rank,
                "exposure": round(canaries.exposure(rank), 2),
                "written": canaries.extracted(model, data.tokenizer, secret),
            }
            for secret, rank in zip(secrets, ranks, strict=True)
        ],
    }
