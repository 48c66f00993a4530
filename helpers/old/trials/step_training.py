"""Teaching the chat model to write out the steps of a word problem; and its control, which is taught the answer alone.

    groups = batches(tokenizer, problems, "trace", size=8, seed=0)
    control = batches(tokenizer, problems, "answer", size=8, seed=0)     # as many groups, as many tokens read
    history = fine_tune(model, groups, recipe_of(len(groups), batch=1))

The same problems, the same number of steps, the same number of tokens read: the control's replies are shorter, so its
groups hold more problems, and once it has seen all it begins again. What is compared is what the replies teach.

What it does not do: choose settings, save adapters.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from helpers.lora import add_lora_, lora_layers
from helpers.old.foundations.probability import IGNORED
from helpers.old.tasks.word_problems import Problem, Step
from helpers.old.training.chats import Example, encode_chat
from helpers.old.training.loop import History, Recipe, train
from helpers.old.training.losses import loss_behind_prefix
from helpers.old.trials.ticket_training import of_one_length, rounded

REPLIES = ("trace", "answer")
MAX_LENGTH, WINDOW, LINES = 320, 8, 12


def problem_chat(problem: Problem, reply: str = "trace") -> list[dict[str, str]]:
    """The problem as the user's message and as the reply its steps with the answer, or the answer alone."""
    if reply not in REPLIES:
        raise ValueError(f"reply is one of {', '.join(REPLIES)}, not {reply!r}.")
    said = problem.trace if reply == "trace" else f"Answer: {problem.answer}"
    return [{"role": "user", "content": problem.text}, {"role": "assistant", "content": said}]


def drill(tokenizer: Any, steps: Sequence[Step]) -> Example:
    """Calculations alone, one a line, of which only the results are trained: "4 × 6 = **24**"."""
    lines = [str(step).partition(": ")[2] for step in steps]
    chat = [{"role": "user", "content": "Calculate."}, {"role": "assistant", "content": "\n".join(lines)}]
    example = encode_chat(tokenizer, chat, MAX_LENGTH)
    labels, inside = [], False
    for token, label in zip(example.ids, example.labels, strict=True):
        written = tokenizer.decode([token])
        inside = (inside or "=" in written) and "\n" not in written
        labels.append(label if inside and written.isdigit() else IGNORED)
    return Example(example.ids, labels)


def drills(tokenizer: Any, problems: Sequence[Problem], n: int, seed: int) -> list[Example]:
    """`n` rows of LINES calculations each, drawn from the steps of the problems."""
    rng, steps = random.Random(f"drills {seed}"), [step for problem in problems for step in problem.steps]
    return [drill(tokenizer, rng.sample(steps, LINES)) for _ in range(n)]


def batches(
    tokenizer: Any, problems: Sequence[Problem], reply: str, size: int, seed: int, n_drills: int = 0
) -> list[list[Example]]:
    """What is read in each step: groups of `size` rows, problems with their traces; or, for "answer", groups that hold
    the answers alone and as many tokens.

    n_drills: how many rows of calculations (`drills`) are mixed in, the same ones for both. Rows of about one length
    come together. The tokens of WINDOW groups are equal to within one row.
    """
    calculations = drills(tokenizer, problems, n_drills, seed)
    traces, rows = (
        _shuffled([*(encode_chat(tokenizer, problem_chat(p, kind), MAX_LENGTH) for p in problems), *calculations], seed)
        for kind in ("trace", reply)
    )
    groups = of_one_length(traces, size, seed, WINDOW)
    if reply == "trace":
        return groups
    shared = shared_beginning([*traces, *rows])
    stream, found, credit = _again_and_again(rows, seed), [], 0
    for start in range(0, len(groups), WINDOW):
        window = groups[start : start + WINDOW]
        credit += tokens_read(window, shared)
        some = []
        while credit > 0:
            some.append(next(stream))
            credit -= len(some[-1]) - shared
        some.sort(key=len)
        cuts = [round(i * len(some) / len(window)) for i in range(len(window) + 1)]
        found += [some[a:b] for a, b in pairwise(cuts)]
    random.Random(f"groups {seed}").shuffle(found)
    return found


def _shuffled(examples: list[Example], seed: int) -> list[Example]:
    random.Random(f"order {seed}").shuffle(examples)
    return examples


def shared_beginning(examples: Sequence[Example]) -> int:
    """With how many tokens do all examples begin? They are read once for each group."""
    n = 0
    while all(len(example) > n and example.ids[n] == examples[0].ids[n] for example in examples):
        n += 1
    return n


def tokens_read(groups: Sequence[Sequence[Example]], shared: int) -> int:
    """Tokens of problems and replies, without what all begin with."""
    return sum(len(example) - shared for group in groups for example in group)


def _again_and_again(examples: Sequence[Example], seed: int) -> Iterator[Example]:
    yield from examples
    rng, order = random.Random(f"again {seed}"), list(examples)
    while True:
        rng.shuffle(order)
        yield from order


def fine_tune(
    model: nn.Module,
    groups: Sequence[list[Example]],
    recipe: Recipe,
    rank: int,
    *,
    folder: str | os.PathLike | None = None,
    **options: Any,
) -> History:
    """Train a `Llama` through LoRA on all linear layers, one group a step (recipe.batch is 1); options: for `train`."""
    if not lora_layers(model):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            add_lora_(model, rank, alpha=2 * rank)
    options = {"collate": lambda some: rounded([e for group in some for e in group])} | options
    return train(model, groups, recipe, loss=loss_behind_prefix, folder=folder, **options)
