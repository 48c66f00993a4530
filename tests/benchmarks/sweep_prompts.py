"""The templates of data/prompts with the chat model: whether each reply is right, on the sets of
helpers.old.prompting, for the same content without instruction ("bare"), the first draft and the second version, which
was settled on few dev items (10 to 36, one to three ways each, not recorded); greedy. Then the optimizer: edits of a
prompt that sorts messages, kept by two rules on 30 dev messages, each result scored once on 60 test messages."""

from __future__ import annotations

from functools import cache
from typing import Any

NAME = "12_prompts"
CHOSEN = {
    "customer_support": "2.0.0",
    "extraction": "2.0.0",
    "classification": "2.0.0",
    "question_answering": "2.0.0",
}
N_TEST, N_DEV, N_SORTED = 60, 30, 60
CASES = [
    *({"set": name, "prompt": prompt} for name, chosen in CHOSEN.items() for prompt in (chosen, "1.0.0", "bare")),
    {"optimizer": "greater"},
    {"optimizer": "interval"},
]


def run(case: dict) -> dict:
    if "set" in case:
        return measured(case["set"], case["prompt"])
    return optimized(case["optimizer"])


@cache
def reader() -> tuple[Any, Any]:
    from helpers.old.speed import FastLlama
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model()
    return FastLlama(model), tokenizer


def measured(name: str, prompt: str) -> dict:
    """Which test items are right, what was replied, and how many tokens the prompts have on average."""
    from helpers.old.prompting import ask, bare, load, load_set, prompt_ids, render, right

    model, tokenizer = reader()
    template = bare(load(name, "1.0.0")) if prompt == "bare" else load(name, prompt)
    items = load_set(name, "test")[:N_TEST]
    replies = ask(model, tokenizer, template, [item.given for item in items], batch=N_TEST)
    tokens = sum(len(prompt_ids(tokenizer, render(template, **item.given))) for item in items) / len(items)
    verdicts = "".join(str(int(right(item, reply))) for item, reply in zip(items, replies, strict=True))
    asked = [list(item.given.values())[-1] for item in items]  # what the user wrote
    return {"right": verdicts, "asked": asked, "replies": replies, "prompt_tokens": round(tokens, 1)}


def sorted_right(template: Any, split: str, n: int) -> list[int]:
    """Is each of the first n messages of a split sorted to its desk?"""
    from helpers.old.prompting import ask
    from helpers.old.tasks import load_messages

    messages = load_messages(split)[:n]
    replies = ask(*reader(), template, [{"message": message.text} for message in messages])
    return [int(reply == message.label) for reply, message in zip(replies, messages, strict=True)]


def optimized(rule: str) -> dict:
    """The optimizer's history on dev, and start and end on dev and test."""
    from helpers.old.prompting import optimize
    from helpers.old.trials.prompt_edits import EDITS, START

    known: dict[Any, list[int]] = {}

    def measure(template: Any) -> list[int]:
        if template.turns not in known:
            known[template.turns] = sorted_right(template, "dev", N_DEV)
        return known[template.turns]

    found = optimize(START, EDITS, measure, rule=rule, rounds=1)
    history = [
        {"edit": t.edit, "gain": t.gain.difference, "low": t.gain.low, "high": t.gain.high, "kept": t.kept}
        for t in found.history
    ]
    ends = {"start": START, "end": found.prompt}
    return {
        "history": history,
        "kept": list(found.kept),
        "dev": {name: text(measure(template)) for name, template in ends.items()},
        "test": {name: text(sorted_right(template, "test", N_SORTED)) for name, template in ends.items()},
    }


def text(verdicts: list[int]) -> str:
    return "".join(map(str, verdicts))
