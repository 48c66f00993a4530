"""The adapter "steps": the chat model taught to write out the steps of word problems."""

from __future__ import annotations

import time
from typing import Any

NAME = "12_steps"
RECIPE = {"steps": 480, "batch": 6, "rate": 2e-3, "rank": 8, "seed": 0}
MIX = (1, 2, 2, 3, 3, 4)  # numbers of steps of the problems trained on
WATCHED = 24  # dev problems that are solved while it trains


def train_adapter(reply: str, steps: int, batch: int, rate: float, rank: int, seed: int) -> tuple[Any, Any, dict]:
    """History, folder of the adapter, what was read. A training that was stopped goes on in build/sweeps."""
    import torch

    from helpers.adapters import BASE
    from helpers.lora import save_adapter
    from helpers.tasks import generate_problems
    from helpers.training.state import read_progress
    from helpers.trials.step_training import batches, fine_tune, shared_beginning, tokens_read
    from helpers.trials.ticket_training import recipe_of
    from tests.benchmarks.sweep_sft import base_model
    from tests.benchmarks.sweeps import KEPT

    model, tokenizer = base_model(torch.bfloat16)
    problems = generate_problems(steps * batch, "train", seed, MIX)
    groups = batches(tokenizer, problems, reply, batch, seed)
    watched = generate_problems(WATCHED, "dev", seed, (2, 3))
    kept = KEPT / f"{NAME}_{reply}"
    saved = read_progress(kept)
    before = max((found["seconds"] for found in saved["history"]["evaluations"].values()), default=0) if saved else 0
    start = time.perf_counter()

    def look(model: Any, step: int) -> dict:
        found = {} if step == 0 else {"right": right_of(model, tokenizer, watched, reply), "of": WATCHED}
        found["seconds"] = round(before + time.perf_counter() - start, 1)
        print(step, found, flush=True)
        return found

    recipe = recipe_of(len(groups), rate=rate, batch=1, seed=seed)
    options = {"folder": kept, "save_every": 20, "evaluate": look, "evaluate_every": len(groups) // 3}
    history = fine_tune(model, groups, recipe, rank, **options)
    folder = KEPT / "adapters" / ("steps" if reply == "trace" else "answers")
    save_adapter(model, folder, base=BASE)
    shared = shared_beginning([example for group in groups for example in group])
    read = {
        "steps": len(groups),
        "problems": len(problems),
        "rows": sum(map(len, groups)),
        "tokens": tokens_read(groups, shared),
    }
    return history, folder, read


def right_of(model: Any, tokenizer: Any, problems: Any, reply: str) -> int:
    """How many of the problems are answered rightly."""
    from helpers.generation import greedy_replies
    from helpers.prompting.voting import final_answer

    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": problem.text}], add_generation_prompt=True, tokenize=True, return_dict=False
        )
        for problem in problems
    ]
    found = greedy_replies(model, tokenizer, prompts, 90 if reply == "trace" else 12, batch=12)
    return sum(final_answer(reply.text) == problem.answer for reply, problem in zip(found, problems, strict=True))
