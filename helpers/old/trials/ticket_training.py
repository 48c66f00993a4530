"""Teaching the chat model to label tickets through LoRA.

    history = fine_tune(model, tokenizer, tickets, recipe_of(720, rate=2e-3), rank=8)

What it does not do: choose settings (they were chosen on dev), save adapters.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from helpers.lora import ALL_LINEAR, add_lora_, lora_layers
from helpers.old.assistants.tickets import ticket_chat
from helpers.old.foundations.probability import IGNORED
from helpers.old.training.chats import Example, encode_chat
from helpers.old.training.collation import Batch, collate
from helpers.old.training.loop import History, Recipe, train
from helpers.old.training.losses import loss_behind_prefix

RANK = 16
MAX_LENGTH = 512  # tokens; the longest ticket with its instruction and answer takes about half
Ticket = Mapping[str, Any]


def recipe_of(steps: int, *, rate: float = 1.5e-3, batch: int = 8, seed: int = 0) -> Recipe:
    """The settings of all fine-tunings here but their number of steps: a tenth of them warms up."""
    return Recipe(steps=steps, rate=rate, batch=batch, warmup=max(1, steps // 10), seed=seed)


def fine_tune(
    model: nn.Module,
    tokenizer: Any,
    tickets: Sequence[Ticket],
    recipe: Recipe,
    *,
    rank: int = RANK,
    targets: Sequence[str] = ALL_LINEAR,
    alike: bool = False,
    **options: Any,
) -> History:
    """Train a `Llama` on tickets through LoRA of the given rank; it keeps the corrections and ends in `eval()`.

    A model that has corrections already goes on with them. recipe.seed decides their start, too. alike: batches of
    tickets of about one length, a fifth fewer tokens where each ticket is seen once (`of_one_length`). options: for
    `train`, such as a title for the live figure or a folder for checkpoints. Raises like `train`.
    """
    examples = [encode_chat(tokenizer, ticket_chat(ticket), MAX_LENGTH) for ticket in tickets]
    if not lora_layers(model):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            add_lora_(model, rank, alpha=2 * rank, targets=targets)
    if alike:
        examples, recipe = of_one_length(examples, recipe.batch, recipe.seed), replace(recipe, batch=1)
        options["collate"] = lambda groups: rounded([example for group in groups for example in group])
    return train(model, examples, recipe, loss=loss_behind_prefix, **{"collate": rounded} | options)


def rounded(examples: Sequence[Example]) -> Batch:
    """`helpers.old.training.collate`, with rows of a length that is a multiple of 8: kernels fit each shape."""
    batch = collate(examples)
    width = -batch.ids.shape[1] % 8
    ids, mask = F.pad(batch.ids, (0, width)), F.pad(batch.mask, (0, width))
    return Batch(ids, F.pad(batch.labels, (0, width), value=IGNORED), mask)


def of_one_length(examples: Sequence[Example], size: int, seed: int, window: int = 8) -> list[list[Example]]:
    """Groups of `size` examples of similar length: `window` groups at a time are sorted, then cut; the rest is dropped.

    Examples stay near their place, so that neighbors that are phrased alike do not meet in one group.
    """
    rng, groups = random.Random(f"groups {seed}"), []
    for start in range(0, len(examples), size * window):
        some = sorted(examples[start : start + size * window], key=len)
        groups += [some[i : i + size] for i in range(0, len(some) - size + 1, size)]
    rng.shuffle(groups)
    return groups
