"""accumulate: the gradient and the mean of one big batch, from micro-batches of which one is in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.exercises.checking.spec import Exercise, Property
from helpers.foundations.probability import IGNORED
from helpers.training.collation import Batch
from helpers.training.loop import accumulate
from helpers.training.losses import shift_labels

ANSWER = """
def accumulate(model, batches, loss):
    count = sum(batch.n_labels for batch in batches)
    mean = 0.0
    for batch in batches:
        part = loss(model, batch) / count
        part.backward()  # adds to the gradients that are there
        mean += part.item()
    return mean
"""
COUNT = "sum(batch.n_labels for batch in batches)"
MEAN_OF_MEANS = "a mean of the batches' means: a label in a short answer weighs more than one in a long one."
BY_BATCHES = "you divide by the number of batches; divide by all labels."
SLIPS = [
    ("/ count", "/ batch.n_labels / len(batches)", MEAN_OF_MEANS),
    ([("/ count", "/ batch.n_labels"), ("return mean", "return mean / len(batches)")], MEAN_OF_MEANS),
    ("/ count", "/ batch.n_labels", "each batch is divided by its own labels, so their sum is no mean at all."),
    (" / count", "", "nothing is divided: this is the sum over all labels."),
    (COUNT, "len(batches)", BY_BATCHES),
    ([(" / count", ""), ("return mean", "return mean / len(batches)")], BY_BATCHES),
    ("batch.n_labels", "len(batch.ids)", "you divide by the number of texts; divide by all labels."),
    ("batch.n_labels", "batch.ids.numel()", "you divide by all tokens; most of them are not trained."),
    (
        "batch.n_labels",
        "(batch.labels != -100).sum()",
        "you count a row's first label, which no logits are held against: use `n_labels`.",
    ),
    (
        [(COUNT, "0"), ("        part = ", "        count += batch.n_labels\n        part = ")],
        "the count is still growing: count all batches first.",
    ),
    (
        """
def accumulate(model, batches, loss):
    count = sum(batch.n_labels for batch in batches)
    mean = 0.0
    for batch in batches:
        mean = mean + loss(model, batch) / count
        mean.backward(retain_graph=True)
    return mean.item()
""",
        "you go backward through the sum so far: earlier parts are added again.",
    ),
    (
        [
            (" / count", ""),
            ("return mean", "for p in model.parameters():\n        p.grad /= count\n    return mean / count"),
        ],
        "what stood in the gradients before is divided too; divide each part.",
    ),
    (COUNT, "batches[-1].n_labels", "you divide by the labels of the last batch alone."),
    ("part.backward()", "pass", "`.backward()` is missing: nothing is learned."),
    (
        "        part = ",
        "        model.zero_grad()\n        part = ",
        "gradients are cleared between batches: the last one remains.",
    ),
    ("    mean = 0.0", "    model.zero_grad()\n    mean = 0.0", "you clear the gradients; add to what is there."),
    ("mean += part", "mean = part", "you return the last batch's part; add up all parts."),
    (
        [(" / count", ""), ("return mean", "return mean / count")],
        "the number is right, but the gradient is that of the undivided sum.",
    ),
]
REFUSED = [
    (
        """
def accumulate(model, batches, loss):
    mean = sum(loss(model, batch) for batch in batches) / sum(batch.n_labels for batch in batches)
    mean.backward()
    return mean.item()
""",
        "2 parts were waiting for `.backward()` at once",
    ),
    ("return mean", "return torch.tensor(mean)", "take the plain number out with `.item()`"),
    ("    return mean", "", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    ("batch.n_labels", "int((batch.labels[:, 1:] != -100).sum())"),
    """
def accumulate(model, batches, loss):
    labels = [batch.n_labels for batch in batches]
    mean = 0
    for batch in batches:
        share = loss(model, batch).div(sum(labels))
        share.backward()
        mean = mean + float(share.detach())
    return mean
""",
]


class Bigram(nn.Module):
    """The smallest model that can be trained: one row of logits for each token."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        drawn = torch.randn(9, 9, generator=torch.Generator().manual_seed(seed))
        self.table = nn.Parameter(drawn)

    def forward(self, ids: Tensor) -> Tensor:
        return self.table[ids]  # (B, T, V)


def bigram_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The *sum* of the surprise at a batch's labels."""
    targets = shift_labels(batch.labels)
    logits = model(batch.ids).flatten(0, 1)
    return F.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED, reduction="sum")


class Parts:
    """Micro-batches with so many labels in each of their rows; reads as the arguments that the learner's code gets."""

    def __init__(self, labels: list[list[int]], seed: int, had: float = 0.0) -> None:
        self.labels, self.seed, self.had = labels, seed, had  # had: what stood in the gradient before

    def __repr__(self) -> str:
        batches = " and ".join(str(sum(rows)) for rows in self.labels)
        return f"model, batches of {batches} labels, loss" + (", gradients not empty" if self.had else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parts) and vars(self) == vars(other)


def drive(accumulate: Callable, parts: Parts) -> dict[str, Any] | None:
    """What comes back, what stands in the gradient, and how many parts waited for their backward at once.

    None where nothing comes back.
    """
    labels, had, seed = parts.labels, parts.had, parts.seed
    gone: list[int] = []
    made, waiting = 0, 0

    def watched_loss(model: nn.Module, batch: Batch) -> Tensor:
        nonlocal made, waiting
        value = bigram_loss(model, batch)
        if value.requires_grad:  # not where a learner only looks, under no_grad
            value.register_hook(lambda _, number=made: gone.append(number))
            made += 1
            waiting = max(waiting, made - len(set(gone)))
        return value

    model, generator = Bigram(seed), torch.Generator().manual_seed(seed)
    if had:
        model.table.grad = torch.full_like(model.table, had)
    batches = []
    for rows in labels:
        ids = torch.randint(9, (len(rows), 12), generator=generator)
        trained = torch.arange(12) >= 12 - torch.tensor(rows)[:, None]
        trained[:, 0] = True  # a label that nothing is held against: no token stands before it
        batches.append(Batch(ids, torch.where(trained, ids, IGNORED)))
    mean = accumulate(model, batches, watched_loss)
    gradient = None if model.table.grad is None else model.table.grad.clone()
    return None if mean is None else {"mean": mean, "gradient": gradient, "parts waiting": waiting}


def cases(rng: Generator) -> list[tuple]:
    return [
        (Parts([[3, 9], [1, 1]], seed=0),),
        (Parts([[2], [10], [5]], seed=1),),
        (Parts([[4, 4]], seed=2),),  # one batch
        (Parts([[1, 2, 3], [11]], seed=3, had=0.5),),
        (Parts([[6], [6], [6], [1]], seed=4),),
        (Parts([[8, 0], [2, 1]], seed=5),),
    ]


def big_batch(result: Any, parts: Parts) -> bool:
    """Cutting the batch into rows of one must not matter."""
    whole = drive(accumulate, parts)["gradient"]
    return result["gradient"] is not None and torch.allclose(result["gradient"], whole, atol=1e-5)


EXERCISE = Exercise(
    reference=accumulate,
    minutes=4,
    difficulty=3,
    drive=drive,
    hints=(
        "Two micro-batches: one with 2 labels, one with 20. Should a label of the first weigh ten times as much?",
        "Count the labels of all batches first. Then, for each batch, divide its *sum* by that count and call "
        "`.backward()`, which adds to the gradients that are there.",
        "`batch.n_labels` says how many labels a batch has; the total is a sum over all batches. "
        "`loss(model, batch)` gives a sum, so divide it by the total. Add up the `.item()` of the parts and "
        "return that. Clear no gradients: that is the caller's business.",
    ),
    proves="gradient and mean are those of one big batch, however unequal the parts, of which one is in memory",
    properties=[
        Property(
            "the gradient is that of one big batch",
            big_batch,
            evidence=lambda result, *_: (
                "There is no gradient at all." if result["gradient"] is None else "Yours is another one."
            ),
        ),
        Property(
            "only one part is in memory",
            lambda result, *_: result["parts waiting"] <= 1,
            "`.backward()` comes too late: call it on each part before the next one is computed.",
            evidence=lambda result, *_: f"{result['parts waiting']} parts were waiting for `.backward()` at once.",
        ),
    ],
)
