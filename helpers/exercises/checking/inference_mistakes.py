"""Wrong versions of the exercises of 05_inference, each of which learners write; `inference` names the cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, pstdev, stdev
from typing import Any

import torch
from torch import Tensor

Transform = Callable[..., Tensor]

# temperature ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def heated(result: Callable[[Tensor, float], Tensor]) -> Callable[[float], Transform]:
    """`temperature` that gives `result(logits, t)` instead of logits / t."""

    def make(t: float) -> Transform:
        if t <= 0:
            raise ValueError("not positive")
        return lambda logits, ids=None: result(logits, t)

    return make


# top_p ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def nucleus(
    *,
    crossing: str = "stays",
    order_of: str = "vocabulary",
    keep: str = "head",
    inverted: bool = False,
    shared: str = "nothing",
    removed: float = -torch.inf,
    gives: str = "logits",
    dim: int = -1,
) -> Callable[[float], Transform]:
    """`top_p` with one thing done wrong."""

    def make(p: float) -> Transform:
        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            falling, order = logits.sort(dim, descending=keep == "head")
            if shared == "order":
                order = order[:1].expand_as(order)
                falling = logits.gather(-1, order)
            weights = falling.softmax(dim)
            out = weights.cumsum(dim) - weights >= p
            if crossing != "stays":
                out = weights.cumsum(dim) > p
            if crossing == "goes, unless it is the first":
                out[..., 0] = False
            out = ~out if inverted else out
            if order_of == "vocabulary":
                out = torch.zeros_like(out).scatter(dim, order, out)
            elif order_of == "gather":
                out = out.gather(dim, order)
            out = out[:1].expand_as(out) if shared == "mask" else out
            values = {
                "logits": logits,
                "sorted": falling,
                "probabilities": logits.softmax(-1),
                "log": logits.log_softmax(-1),
            }
            if order_of == "gather, all":
                return falling.masked_fill(out, removed).gather(dim, order)
            result = values["log" if gives == "renormalized" else gives].masked_fill(out, removed)
            return result.log_softmax(-1) if gives == "renormalized" else result

        return variant

    return make


def nucleus_single(limit: Callable[[float], float]) -> Callable[[float], Transform]:
    """`top_p` that compares each probability by itself with `limit(p)`."""
    return lambda p: lambda logits, ids=None: logits.masked_fill(logits.softmax(-1) < limit(p), -torch.inf)


def nucleus_of_logits(p: float) -> Transform:
    def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        falling, order = logits.sort(-1, descending=True)
        out = falling.cumsum(-1) - falling >= p
        return logits.masked_fill(torch.zeros_like(out).scatter(-1, order, out), -torch.inf)

    return variant


# min_p ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def least(
    *,
    limit: str = "p · best",
    over: int | None = -1,
    test: str = "<",
    removed: float = -torch.inf,
    values_are: str = "probabilities",
    best_of: str = "values",
    gives: str = "logits",
) -> Callable[[float], Transform]:
    """`min_p` with one thing done wrong; `over` is the axis of the maximum, None for the whole batch."""

    def make(p: float) -> Transform:
        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            probabilities = logits.softmax(-1)
            kinds = {
                "probabilities": probabilities,
                "logits": logits,
                "exp": logits.exp(),
                "columns": logits.softmax(0),
            }
            values = kinds[values_are]
            source = logits if best_of == "logits" else values
            best = source.amax() if over is None else source.amax(over, keepdim=True)
            low = {"p · best": p * best, "p": p, "best − p": best - p, "(1 − p) · best": (1 - p) * best}[limit]
            out = {"<": values < low, "<=": values <= low, ">": values > low, ">=": values >= low}[test]
            if gives == "renormalized":
                return logits.masked_fill(out, removed).log_softmax(-1)
            return (probabilities if gives == "probabilities" else logits).masked_fill(out, removed)

        return variant

    return make


# repetition_penalty ──────────────────────────────────────────────────────────────────────────────────────────────────


def penalty(
    *,
    positive: str = "divide",
    negative: str = "multiply",
    counted: bool = False,
    last_only: bool = False,
    shared: str = "nothing",
    inverted: bool = False,
    first: Callable[[Tensor], Tensor] = lambda logits: logits,
) -> Callable[[float], Transform]:
    """`repetition_penalty` with one thing done wrong; `first` is done to the logits before."""

    def make(r: float) -> Transform:
        def change(logits: Tensor, how: str, times: Tensor) -> Tensor:
            if how == "subtract":
                return logits - r * times
            return logits * r ** {"multiply": times, "divide": -times, "leave": 0 * times}[how]

        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            if ids is None:
                return logits
            logits = first(logits)
            ids = ids[:, -1:] if last_only else ids
            ids = ids[:1].expand(len(logits), -1) if shared == "first row" else ids
            ids = ids.flatten().expand(len(logits), -1) if shared == "all rows" else ids
            times = torch.zeros_like(logits).scatter_add(-1, ids, torch.ones_like(ids, dtype=logits.dtype))
            times = (times == 0).to(logits.dtype) if inverted else times if counted else times.clamp(max=1)
            return torch.where(logits < 0, change(logits, negative, times), change(logits, positive, times))

        return variant

    return make


# text_perplexity ─────────────────────────────────────────────────────────────────────────────────────────────────────


def surprise(
    *,
    shift: int = 1,
    sign: int = -1,
    end: str = "exp",
    whole: bool = False,
    late: int = 0,
    from_zero: bool = False,
    log: Callable[[Tensor], Tensor] = lambda rows: rows.log_softmax(-1),
    last: int | None = None,
) -> Callable[..., float]:
    """`text_perplexity` with one thing done wrong."""

    def variant(logits: Tensor, ids: Tensor, start: int = 1) -> float:
        start = max(1, (1 if whole else start) + late)
        first = 0 if from_zero else start - shift
        rows = log(logits[first : first + len(ids) - start])
        found = sign * rows.gather(-1, ids[start:, None])[:last, 0]
        if end == "mean of each":
            return float(found.exp().mean())
        if end == "product":
            product = (-found).exp().prod()
            return float(product ** (-1 / len(found)))
        loss = found.sum() / len(ids) if end == "mean of all" else found.sum() if end == "sum" else found.mean()
        return float(loss if end == "loss" else 2**loss if end == "base 2" else loss.exp())

    return variant


# reply_text ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reply(*, pieces: bool = False, cut: str = "first", special: bool = False) -> Callable[..., str]:
    """`reply_text` with one thing done wrong."""

    def variant(tokenizer: Any, ids: Sequence[int], stop: Sequence[str] = ()) -> str:
        if cut.startswith("growing"):
            return _grown(tokenizer, ids, stop, cut)
        groups = [[i] for i in ids] if pieces else [list(ids)]
        text = "".join(tokenizer.decode(group, skip_special_tokens=not special) for group in groups)
        return _cut(text, list(stop), cut)

    return variant


def _grown(tokenizer: Any, ids: Sequence[int], stop: Sequence[str], how: str) -> str:
    text = ""
    for n in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[:n], skip_special_tokens=True)
        for word in stop:
            if how == "growing, end" and text.endswith(word):
                return text.removesuffix(word)
            if how == "growing, listed" and word in text:
                return text[: text.find(word)]
    return text


def _cut(text: str, stop: list[str], how: str) -> str:
    if how == "any case":
        places = [text.lower().find(word.lower()) for word in stop]
        return text[: min((i for i in places if i >= 0), default=len(text))]
    if how == "pattern":
        return re.split("|".join(stop), text)[0] if stop else text
    if how in ("stripped", "stripped at the end"):
        text = _cut(text, stop, "first")
        return text.strip() if how == "stripped" else text.rstrip()
    held = [word for word in stop if word in text]
    if not held or how == "never":
        return text
    if how == "end":
        return next((text.removesuffix(word) for word in held if text.endswith(word)), text)
    if how == "first listed":
        return text[: text.find(held[0])]
    if how == "last":
        return text[: max(text.rfind(word) for word in held)]
    first = min(held, key=text.find)
    return text[: text.find(first) + (len(first) if how == "behind" else 0)]


# choose_setting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(
    *,
    error: float = 1,
    over: Callable[[int], float] = lambda n: n**0.5,
    high: Callable[[Sequence[float]], float] | None = None,
    sample: bool = True,
    best: str = "most varied",
    ignore: bool = False,
    strict: bool = False,
    by_order: bool = False,
) -> Callable[..., str | None]:
    """`choose_setting` with one thing done wrong; `high` replaces what is compared with the limit."""

    def bound(runs: Sequence[float]) -> float:
        return mean(runs) + error * (stdev(runs) if sample else pstdev(runs)) / over(len(runs))

    measure = high or bound

    def variant(
        diversity: Mapping[str, float], perplexities: Mapping[str, Sequence[float]], limit: float
    ) -> str | None:
        if by_order:
            perplexities = dict(zip(diversity, perplexities.values(), strict=True))
        allowed = [
            name
            for name, runs in perplexities.items()
            if ignore or (measure(runs) < limit if strict else measure(runs) <= limit)
        ]
        if best in ("first", "last"):
            return next(iter(allowed if best == "first" else reversed(allowed)), None)
        keys: dict[str, Callable[[str], float]] = {
            "most varied": lambda name: diversity[name],
            "least varied": lambda name: -diversity[name],
            "lowest": lambda name: -mean(perplexities[name]),
            "highest": lambda name: mean(perplexities[name]),
            "closest": lambda name: measure(perplexities[name]),
            "ratio": lambda name: diversity[name] / mean(perplexities[name]),
        }
        if best == "alphabet":
            return max(allowed, default=None)
        return max(allowed, key=keys[best], default=None)

    return variant
