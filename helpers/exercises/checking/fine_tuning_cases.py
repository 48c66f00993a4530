"""Inputs of the exercises of 07_sft: answers, rows of tokens, schedules, micro-batches, trainings, tickets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.foundations.probability import IGNORED
from helpers.training.collation import Batch
from helpers.training.loop import accumulate
from helpers.training.losses import shift_labels

LABEL = {"intent": "return", "product": "Kite", "order_number": None, "urgency": "normal", "sentiment": "neutral"}


def match_cases(rng: Generator) -> list[tuple]:
    turned = dict(reversed(LABEL.items()))
    missing = {field: value for field, value in LABEL.items() if field != "order_number"}
    exchanged = LABEL | {"urgency": "neutral", "sentiment": "normal"}
    bare = dict.fromkeys(LABEL) | {"intent": "other", "urgency": "low", "sentiment": "positive"}
    spelled = {field: value and "".join(value) for field, value in LABEL.items()}  # equal texts, other objects
    return [
        (spelled, LABEL),
        (turned, LABEL),
        (turned | {"intent": "repair"}, LABEL),
        (None, LABEL),
        (missing, LABEL),  # what is not said is not null
        (LABEL | {"order_number": "VE-48213"}, LABEL),
        (LABEL | {"order_number": "None"}, LABEL),
        (exchanged, LABEL),  # the right values in the wrong places
        (LABEL | {"product": "kite"}, LABEL),
        (bare, LABEL),
        (bare, dict(reversed(bare.items()))),
        ({}, bare),
    ]


END = 2  # the token that ends a turn, and in most rows the padding too


def label_cases(rng: Generator) -> list[tuple]:
    def draw(n: int) -> list[int]:
        return rng.integers(10, 99, size=n).tolist()

    def chat(*sizes: tuple[int, int]) -> list[tuple[str, list[int]]]:
        turns = [(("prompt", [*draw(q), END, *draw(2)]), ("answer", [*draw(a), END])) for q, a in sizes]
        return [*(piece for turn in turns for piece in turn), ("prompt", draw(1))]

    one, two, three = chat((4, 3)), chat((3, 2), (2, 4)), chat((2, 1), (1, 2), (3, 1))
    return [
        (one, 15, END),
        (two, 24, END),
        (three, 26, 0),  # padding of its own
        (one[:2], sum(len(ids) for _, ids in one[:2]), END),  # no room left, and nothing behind the end
        (chat((5, 2)), 20, END),
        ([("prompt", draw(3)), ("answer", [5, END, 6, END])], 10, END),  # the end's id inside an answer
    ]


def ends_are_learned(result: Any, pieces: Sequence[tuple[str, Sequence[int]]], length: int, pad: int) -> bool:
    if not isinstance(result, tuple | list) or len(result) != 2:
        return True  # told elsewhere
    wanted = sum(list(ids).count(END) for who, ids in pieces if who == "answer")
    return len(result[1]) != length or list(result[1]).count(END) >= wanted


def shift_cases(rng: Generator) -> list[tuple]:
    def labels(rows: int, columns: int) -> Tensor:
        drawn = torch.tensor(rng.integers(3, 90, size=(rows, columns)))
        return drawn.masked_fill(torch.tensor(rng.random((rows, columns)) < 0.3), IGNORED)

    full = torch.tensor(rng.integers(3, 90, size=(4, 4)))  # square: a wrong axis keeps the shape
    return [(torch.tensor([[5, 6, 7]]),), (labels(3, 8),), (full,), (labels(1, 12),), (labels(5, 2),), (labels(2, 1),)]


def loss_cases(rng: Generator) -> list[tuple]:
    def case(rows: int, time: int, trained: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = torch.tensor(3 * rng.normal(size=(rows, time, 7)), dtype=torch.float32)
        return logits, torch.tensor(rng.integers(7, size=(rows, time))), trained

    def spans(time: int, *ends: tuple[int, int]) -> Tensor:
        places = torch.arange(time)
        return torch.stack([(places >= start) & (places < end) for start, end in ends])

    whole = spans(6, (0, 6), (0, 6))  # the first token is given, never asked
    logits, *given = case(2, 6, spans(6, (3, 6), (2, 4)))
    return [
        case(1, 8, spans(8, (4, 7))),
        (logits.requires_grad_(), *given),  # as in training
        case(2, 9, spans(9, (5, 9), (3, 5))),  # unequal answers
        case(2, 6, whole),
        case(3, 7, spans(7, (6, 7), (2, 6), (3, 4))),
        case(1, 5, torch.tensor([[False, True, False, True, True]])),  # two answers
        case(2, 4, spans(4, (2, 4), (0, 0))),  # nothing is trained in the second row
    ]


def schedule_cases(rng: Generator) -> list[tuple]:
    drawn = [(int(rng.integers(12, 90)), 10, 100) for _ in range(3)]
    return [
        (0, 10, 100),
        (3, 10, 100),
        (10, 10, 100),
        *drawn,
        (100, 10, 100),
        (130, 10, 100),  # behind the end
        (0, 0, 50),  # no warm-up
        (25, 0, 50, 0.1),
        (50, 5, 50, 0.2),
        (70, 5, 50, 0.2),
        (40, 5, 50, 0.2),
        (2, 6, 60, 0.5),
        (8, 8, 8),  # nothing but warm-up
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


def drive_accumulate(accumulate: Callable, parts: Parts) -> dict[str, Any] | None:
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


def accumulate_cases(rng: Generator) -> list[tuple]:
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
    whole = drive_accumulate(accumulate, parts)["gradient"]
    return result["gradient"] is not None and torch.allclose(result["gradient"], whole, atol=1e-5)


def checkpoint_cases(rng: Generator) -> list[tuple]:
    def training(n: int) -> dict[int, dict[str, float]]:
        losses = sorted(rng.uniform(0.05, 1.2, size=n).tolist(), reverse=True)
        dev, test = (rng.integers(20, 60, size=n) / 72 for _ in range(2))
        return {
            10 * (i + 1): {"loss": round(loss, 3), "dev": round(float(d), 4), "test": round(float(t), 4)}
            for i, (loss, d, t) in enumerate(zip(losses, dev, test, strict=True))
        }

    def scored(**dev: tuple[float, float, float]) -> dict[int, dict[str, float]]:
        return {int(step[1:]): dict(zip(("loss", "dev", "test"), row, strict=True)) for step, row in dev.items()}

    return [
        (training(6),),
        (training(9),),
        (scored(s10=(0.9, 0.40, 0.50), s20=(0.5, 0.60, 0.45), s30=(0.3, 0.55, 0.70), s40=(0.2, 0.50, 0.40)),),
        (scored(s5=(0.9, 0.3, 0.2), s10=(0.4, 0.6, 0.4), s15=(0.2, 0.6, 0.6), s20=(0.1, 0.6, 0.5)),),  # equals
        (scored(s20=(0.6, 0.5, 0.5), s40=(0.4, 0.4, 0.6), s60=(0.3, 0.7, 0.3), s80=(0.1, 0.2, 0.9)),),  # a dip first
        (scored(s0=(2.0, 0.0, 0.0)),),
        (scored(s0=(2.0, 0.5, 0.1), s60=(0.1, 0.2, 0.6)),),  # it was best before
        (scored(s5=(0.8, 0.6, 0.5), s10=(0.2, 0.4, 0.4), s15=(0.3, 0.5, 0.3)),),  # the loss rises at the end
    ]


def pick_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, groups: int) -> tuple[list[float], list[str]]:
        sure = [round(float(x), 3) for x in rng.uniform(0.05, 1, size=n)]
        return sure, [f"g{int(g)}" for g in rng.integers(groups, size=n)]

    return [
        (*drawn(12, 5), 3),
        (*drawn(20, 12), 6),
        (*drawn(8, 3), 5),  # more wanted than there are groups
        ([0.5, 0.2, 0.2, 0.9, 0.3], ["a", "b", "c", "d", "b"], 3),  # equals
        ([0.9, 0.1, 0.4, 0.3, 0.2], ["a", "a", "a", "b", "b"], 2),
        ([0.2, 0.3, 0.4, 0.25, 0.9], ["a", "b", "a", "a", "c"], 3),
        ([0.7, 0.6], ["a", "b"], 0),
        ([round(float(x), 1) for x in rng.uniform(size=60)], [f"g{i % 43}" for i in range(60)], 30),  # equals, in many
    ]
