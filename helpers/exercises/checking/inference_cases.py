"""Inputs of the exercises of 05_inference, how they are called, and what shows where a property does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor


def drive_transform(make: Callable, setting: float, logits: Tensor, ids: Tensor | None = None) -> Any:
    """Make the transform and apply it."""
    transform = make(setting)
    if not callable(transform):  # the check then says what is wrong with it
        return transform
    return transform(logits) if ids is None else transform(logits, ids)


def _normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def temperature_cases(rng: Generator) -> list[tuple]:
    removed = _normal(rng, 2, 4)
    removed[0, 1] = -torch.inf
    return [
        (2.0, _normal(rng, 1, 5)),
        (0.5, _normal(rng, 3, 4, scale=5)),
        (1.0, _normal(rng, 2, 3)),
        (0.1, _normal(rng, 2, 6)),
        (1.7, removed),
        (0.7, _normal(rng, 1, 7) + 300),
        (1.3, _normal(rng, 2, 4), torch.tensor([[0, 2], [3, 3]])),  # a sampler hands over the text so far
    ]


def _logits(*rows: Sequence[float]) -> Tensor:
    """Logits whose softmax is the given probabilities."""
    return torch.tensor(rows).log()


def top_p_cases(rng: Generator) -> list[tuple]:
    return [  # no sum hits p exactly: there, rounding decides
        (0.65, _logits([0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.3, 0.2])),  # 0.4, and the 0.3 that crosses 0.65
        (0.5, _logits([0.05, 0.05, 0.9])),  # the first alone is above p
        (0.9, _logits([0.05, 0.15, 0.3, 0.5], [0.5, 0.3, 0.15, 0.05])),
        (1.0, _normal(rng, 2, 5)),
        (0.8, _normal(rng, 3, 12, scale=2)),
        (0.95, _normal(rng, 2, 40) - 50),
        (0.3, _normal(rng, 1, 6, scale=0.1)),
        (0.6, _normal(rng, 2, 5), torch.tensor([[0, 2], [3, 3]])),
    ]


def min_p_cases(rng: Generator) -> list[tuple]:
    return [
        (0.3, _logits([0.1, 0.5, 0.2, 0.2])),  # 0.2 is above 0.3 · 0.5, and below 0.3
        (0.5, _logits([0.05, 0.9, 0.05], [0.3, 0.36, 0.34])),  # a sure row and an unsure one
        (1.0, torch.tensor([[1.0, 3.0, 3.0, 0.0]])),  # equals the likeliest
        (0.0, _normal(rng, 2, 4)),
        (0.1, _normal(rng, 3, 12, scale=2)),
        (0.05, _normal(rng, 2, 40, scale=3) - 20),
        (0.2, _normal(rng, 1, 6) + 5),
        (0.1, torch.tensor([[100.0, 95.0, 99.0]])),  # exp of these is infinite in float32
        (0.4, _normal(rng, 2, 5), torch.tensor([[0, 2], [3, 3]])),
    ]


def penalty_cases(rng: Generator) -> list[tuple]:
    def ids(*shape: int, below: int) -> Tensor:
        return torch.tensor(rng.integers(below, size=shape))

    return [
        (2.0, torch.tensor([[4.0, -4.0, 1.0, -1.0]]), torch.tensor([[0, 1]])),
        (1.3, _normal(rng, 2, 6, scale=3), ids(2, 4, below=6)),
        (1.5, _normal(rng, 1, 5, scale=2), torch.tensor([[3, 3, 3, 1]])),  # often said
        (1.2, _normal(rng, 2, 5) - 6, torch.tensor([[0, 1], [3, 4]])),  # only negative scores
        (1.0, _normal(rng, 1, 4), ids(1, 3, below=4)),
        (1.1, _normal(rng, 3, 9, scale=4), ids(3, 12, below=9)),
        (1.8, _normal(rng, 2, 5)),  # called without ids
    ]


def perplexity_cases(rng: Generator) -> list[tuple]:
    def case(T: int, V: int, start: int, scale: float = 1.0) -> tuple:
        return _normal(rng, T, V, scale=scale), torch.tensor(rng.integers(V, size=T)), start

    rare = torch.zeros(9, 4)
    rare[3, 2] = -120.0  # its probability rounds to 0, its log does not
    sure = _normal(rng, 400, 6, scale=3)  # so many factors below 1 that their product is 0 in any precision
    return [
        case(5, 7, 1),
        case(9, 4, 3, 2.0),
        case(6, 6, 5, 3.0),  # one token to judge
        (torch.zeros(4, 8), torch.tensor([1, 2, 3, 4]), 1),
        (sure * 4, torch.tensor(rng.integers(6, size=400)), 1),
        case(12, 5, 6, 2.0),
        (_normal(rng, 3, 5) + 200, torch.tensor(rng.integers(5, size=3)), 2),
        (rare, torch.full((9,), 2), 1),
    ]


def changed(result: Tensor, p: float, logits: Tensor, ids: Tensor | None = None) -> str:
    """Where a logit became something else that is not -inf."""
    row, token = ((result != logits) & (result != -torch.inf)).nonzero()[0].tolist()
    return f"At [{row}, {token}], the logit {logits[row, token]:.6g} became {result[row, token]:.6g}."


def raised(result: Tensor, r: float, logits: Tensor, ids: Tensor | None = None) -> str:
    """Where a score rose."""
    row, token = (~(result <= logits + 1e-6)).nonzero()[0].tolist()
    return f"At [{row}, {token}], the logit {logits[row, token]:.6g} became {result[row, token]:.6g}."


class TinyTokenizer:
    """Tokens are bytes; token 0 is the special one that ends a reply."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = [b"<end>", *tokens]

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        kept = [int(i) for i in ids if int(i) or not skip_special_tokens]
        return b"".join(self.tokens[i] for i in kept).decode("utf-8", errors="replace")


def drive_reply(read: Callable, tokens: list[bytes], ids: list[int], stop: tuple[str, ...]) -> str:
    """Call `read` with a tiny tokenizer that has `tokens` as 1, 2, 3, …"""
    return read(TinyTokenizer(tokens), ids, stop)


def reply_cases(rng: Generator) -> list[tuple]:
    chat = [b"Yes", b".", b"\n", b"User", b":", b" User", b" ok", b"Us"]
    bike = "🚲".encode()
    marks = [bike[:2], bike[2:], b" ride", "é".encode()[:1], "é".encode()[1:], b"END", b" E", b"ND"]
    said = [b"user", b":", b" ", b"User", b"Stop", b'."', b" Then", b'").', b" No"]
    drawn = [int(i) for i in rng.integers(1, 9, size=12)]
    return [
        (chat, [1, 2, 3, 4, 5, 7], ("\nUser:",)),
        (chat, [1, 2, 3, 8, 7, 2], ("\nUser:",)),  # begun, and never finished
        (chat, [1, 6, 5, 1, 2, 3], ("\n", " User:")),  # the one that is listed last comes first
        (chat, [1, 4, 5, 7, 4, 5, 7], ("User:",)),  # it comes twice
        (chat, [1, 2, 0], ()),
        (marks, [3, 1, 2, 3, 4, 5], ()),
        (marks, [1, 2, 3, 7, 8, 3], (" END", "END")),
        (marks, [4, 5, 6, 1, 2], ("END",)),
        (chat, drawn, ("ok.", "User User")),
        (said, [1, 2, 3, 4, 2], ("User:",)),  # capitals count
        (said, [5, 6, 7], (".",)),  # the stop ends in the middle of a token
        (said, [5, 8, 9], (".", '"')),  # two stops in one token
        (chat, [7, 2, 3], ("\nUser:",)),  # white space at both ends
    ]


def setting_cases(rng: Generator) -> list[tuple]:
    def spread(middle: float, width: float, n: int = 5) -> list[float]:
        return [round(float(x), 3) for x in rng.normal(middle, width, size=n)]

    names = ("greedy", "t=0.5", "t=1", "t=1.5")
    measured = {name: spread(5 * 2.0**i, 0.1 + i) for i, name in enumerate(names)}
    variety = dict(zip(names, (0.35, 0.55, 0.8, 0.97), strict=True))
    nine = [4.0, 4.0, 4.0, 4.0, 5.0, 6.0, 6.0, 6.0, 6.0]  # 5 ± 1/3; with the deviation of one run, 5 ± 1
    wide = {"steady": [9.0, 9.2, 8.8, 9.1], "lucky": [4.0, 4.0, 4.0, 24.0]}  # equal means, not equal chance
    return [
        (variety, measured, 15.0),
        (variety, measured, 30.0),
        (variety, measured, 1.0),
        (variety, measured, 1000.0),
        ({"steady": 0.6, "lucky": 0.9}, wide, 10.0),
        (
            {"x": 0.6, "y": 0.4, "z": 0.8, "w": 0.9},
            {"x": [3.0, 3.0], "y": [6.0, 6.0], "z": [8.0, 8.0], "w": [9.0, 9.0]},
            8.0,
        ),
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 6.9),  # 6 ± 1, and ± 0.7 with the wrong deviation
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 5.5),
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 6.0, 7.0, 6.0], "b": [2.0, 2.1, 1.9, 2.0]}, 6.6),  # 6 ± 0.4
        ({"a": 0.2, "b": 0.1}, {"a": [5.0, 7.0], "b": [2.0, 2.1]}, 7.2),  # √(n − 1) would make it 6 ± 1.4
        ({"wide": 0.9, "dull": 0.6}, {"wide": [5.0, 5.2], "dull": [9.0, 9.1]}, 10.0),  # varied and probable
        ({"dull": 0.6, "wide": 0.9, "odd": 0.7}, {"wide": [9.0, 9.2], "odd": [4.0, 4.1], "dull": [2.0, 2.1]}, 5.0),
        ({"a": 0.5, "b": 0.4}, {"a": [4.0, 5.0, 6.0, 5.0, 5.0], "b": [1.0, 1.1]}, 5.5),  # 5 ± 0.32, one run of 6
        *(({"a": 0.2, "b": 0.1}, {"a": nine, "b": [2.0, 2.1]}, limit) for limit in (5.2, 5.5, 5.8)),
        ({"p": 0.9, "q": 0.4, "r": 0.1}, {"p": [4.0, 4.1], "q": [2.0, 2.1], "r": [3.0, 3.1]}, 6.0),
        ({"m": 0.5, "n": 0.4, "o": 0.9}, {"m": [5.0, 5.1], "n": [4.0, 5.8], "o": [2.0, 2.1]}, 7.0),
        ({}, {}, 3.0),
    ]
