"""Teaching the chat model to label tickets, rightly or with one of the mistakes that everybody makes once.

    history = fine_tune(model, tokenizer, load_tickets("train"), RECIPE, watch=ticket)
    fine_tune(model, tokenizer, tickets, RECIPE, labels="no stop")          # a disaster, on purpose

| labels            | what is trained                                                                             |
|-------------------|---------------------------------------------------------------------------------------------|
| "answer"          | the answer and the token that ends it                                                       |
| "no mask"         | everything: instruction and ticket too                                                      |
| "mask one late"   | the answer without its first token, and the line break behind its end                       |
| "labels one early"| at each place the token *after* the next, because both the data and the loss shift          |
| "no stop"         | the answer without the token that ends it, as where labels are masked by the padding's id   |

What it does not do: choose settings (they were chosen on dev; tests/benchmarks/sweep_sft.py says how), save adapters.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from helpers.lora import ALL_LINEAR, add_lora_, lora_layers
from helpers.old.assistants.tickets import predict_labels, ticket_chat
from helpers.old.foundations.probability import IGNORED
from helpers.old.training.chats import Example, encode_chat
from helpers.old.training.collation import Batch, collate
from helpers.old.training.loop import History, Recipe, train
from helpers.old.training.losses import loss_behind_prefix
from helpers.plots.token_boxes import spell

LABELS = ("answer", "no mask", "mask one late", "labels one early", "no stop")
RANK = 16
MAX_LENGTH = 512  # tokens; the longest ticket with its instruction and answer takes about half
Ticket = Mapping[str, Any]


def recipe_of(steps: int, *, rate: float = 1.5e-3, batch: int = 8, seed: int = 0) -> Recipe:
    """The settings of all fine-tunings here but their number of steps: a tenth of them warms up."""
    return Recipe(steps=steps, rate=rate, batch=batch, warmup=max(1, steps // 10), seed=seed)


def encode_tickets(tokenizer: Any, tickets: Sequence[Ticket], labels: str = "answer") -> list[Example]:
    """Tickets as examples to train on, with one of LABELS. Raises ValueError for another name."""
    if labels not in LABELS:
        raise ValueError(f"labels is one of {', '.join(LABELS)}, not {labels!r}.")
    examples = [encode_chat(tokenizer, ticket_chat(ticket), MAX_LENGTH) for ticket in tickets]
    return [spoil(example, labels, tokenizer.eos_token_id) for example in examples]


def spoil(example: Example, labels: str, eos_id: int) -> Example:
    """The example with its labels as a frequent mistake makes them; "answer" leaves it as it is."""
    ids, right = example.ids, example.labels
    if labels == "no mask":
        return Example(ids, list(ids))
    if labels == "mask one late":
        trained = [False, *example.trained[:-1]]
        return Example(ids, [i if is_trained else IGNORED for i, is_trained in zip(ids, trained, strict=True)])
    if labels == "labels one early":
        return Example(ids, [*right[1:], IGNORED])
    if labels == "no stop":
        return Example(ids, [IGNORED if label == eos_id else label for label in right])
    return example


def fine_tune(
    model: nn.Module,
    tokenizer: Any,
    tickets: Sequence[Ticket],
    recipe: Recipe,
    *,
    rank: int = RANK,
    targets: Sequence[str] = ALL_LINEAR,
    labels: str = "answer",
    watch: Ticket | None = None,
    watch_every: int = 10,
    show: Callable[[str], None] = print,
    alike: bool = False,
    **options: Any,
) -> History:
    """Train a `Llama` on tickets through LoRA of the given rank; it keeps the corrections and ends in `eval()`.

    A model that has corrections already goes on with them. recipe.seed decides their start, too. labels: one of
    LABELS. watch: a ticket that is not among the others, whose reply is shown every `watch_every` steps, and kept in
    `history.evaluations`. alike: batches of tickets of about one length, a fifth fewer tokens where each ticket is seen
    once (`of_one_length`). options: for `train`, such as a title for the live figure or a folder for checkpoints.
    Raises ValueError for other labels, and like `train`.
    """
    examples = encode_tickets(tokenizer, tickets, labels)
    if not lora_layers(model):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            add_lora_(model, rank, alpha=2 * rank, targets=targets)
    if watch is not None:
        options |= {"evaluate": read_along(tokenizer, watch, show), "evaluate_every": watch_every}
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


def read_along(tokenizer: Any, ticket: Ticket, show: Callable[[str], None] = print) -> Callable[[nn.Module, int], str]:
    """For `train(evaluate=…)`: what the model says to one ticket by now, a line a look, and kept with the history.

    At most 48 tokens; "…" says that it would have gone on.
    """

    def look(model: nn.Module, step: int) -> str:
        found = predict_labels(model, tokenizer, [ticket["text"]], max_new_tokens=48)
        reply = spell(found.replies[0]).replace("·", " ") + (" …" if found.unended else "")
        show(f"step {step:>4}   {reply}")
        return reply

    return look


def subset(tickets: Sequence[Ticket], n: int, seed: int) -> list[Ticket]:
    """`n` of the tickets by chance: for one seed, a larger subset holds every smaller one.

    Raises ValueError where there are fewer.
    """
    if not 1 <= n <= len(tickets):
        raise ValueError(f"There are {len(tickets)} tickets to choose from, so {n} of them cannot be drawn.")
    return random.Random(f"subset {seed}").sample(list(tickets), len(tickets))[:n]
