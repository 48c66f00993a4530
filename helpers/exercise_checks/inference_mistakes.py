"""Wrong versions of the exercises of 05_inference, each of which learners write; `inference` names the cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean, pstdev, stdev
from typing import Any

import torch
from torch import Tensor

Transform = Callable[..., Tensor]

# temperature ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _positive(t: float) -> None:
    if t <= 0:
        raise ValueError("not positive")


def temperature_times(t: float) -> Transform:
    _positive(t)
    return lambda logits, ids=None: logits * t


def temperature_on_probabilities(t: float) -> Transform:
    _positive(t)
    return lambda logits, ids=None: (logits / t).softmax(-1)


def temperature_ignored(t: float) -> Transform:
    _positive(t)
    return lambda logits, ids=None: logits


# top_p ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def nucleus(
    *,
    crossing: bool = True,
    unsort: bool = True,
    keep: str = "head",
    shared: bool = False,
    removed: float = -torch.inf,
) -> Callable[[float], Transform]:
    """`top_p` with one thing done wrong."""

    def make(p: float) -> Transform:
        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            falling, order = logits.sort(-1, descending=keep == "head")
            if shared:
                order = order[:1].expand_as(order)
                falling = logits.gather(-1, order)
            weights = falling.softmax(-1)
            before = weights.cumsum(-1) - (weights if crossing else 0)
            out = before >= p if crossing else before > p
            if not crossing:
                out[..., 0] = False
            if unsort:
                out = torch.zeros_like(out).scatter(-1, order, out)
            return logits.masked_fill(out, removed)

        return variant

    return make


def nucleus_single(p: float) -> Transform:
    return lambda logits, ids=None: logits.masked_fill(logits.softmax(-1) < p, -torch.inf)


def nucleus_of_logits(p: float) -> Transform:
    def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        falling, order = logits.sort(-1, descending=True)
        out = falling.cumsum(-1) - falling >= p
        return logits.masked_fill(torch.zeros_like(out).scatter(-1, order, out), -torch.inf)

    return variant


# min_p ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def least(
    *,
    relative: bool = True,
    whole: bool = False,
    removed: float = -torch.inf,
    of_logits: bool = False,
    inverted: bool = False,
) -> Callable[[float], Transform]:
    """`min_p` with one thing done wrong."""

    def make(p: float) -> Transform:
        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            values = logits if of_logits else logits.softmax(-1)
            best = values.amax() if whole else values.amax(-1, keepdim=True)
            low = values < (p * best if relative else p)
            return logits.masked_fill(~low if inverted else low, removed)

        return variant

    return make


# repetition_penalty ──────────────────────────────────────────────────────────────────────────────────────────────────


def penalty(
    *,
    signed: bool = True,
    counted: bool = False,
    last_only: bool = False,
    shared: bool = False,
    inverted: bool = False,
    subtract: bool = False,
) -> Callable[[float], Transform]:
    """`repetition_penalty` with one thing done wrong."""

    def make(r: float) -> Transform:
        def variant(logits: Tensor, ids: Tensor | None = None) -> Tensor:
            if ids is None:
                return logits
            ids = ids[:, -1:] if last_only else ids
            ids = ids[:1].expand(len(logits), -1) if shared else ids
            times = torch.zeros_like(logits).scatter_add(-1, ids, torch.ones_like(ids, dtype=logits.dtype))
            times = (times == 0).to(logits.dtype) if inverted else times if counted else times.clamp(max=1)
            if subtract:
                return logits - r * times
            factor = r**times
            return torch.where((logits < 0) & torch.tensor(signed), logits * factor, logits / factor)

        return variant

    return make


# text_perplexity ─────────────────────────────────────────────────────────────────────────────────────────────────────


def surprise(
    *, shift: int = 1, sign: int = -1, end: str = "exp", whole: bool = False, late: int = 0, from_zero: bool = False
) -> Callable[..., float]:
    """`text_perplexity` with one thing done wrong."""

    def variant(logits: Tensor, ids: Tensor, start: int = 1) -> float:
        start = max(1, (1 if whole else start) + late)
        first = 0 if from_zero else start - shift
        rows = logits[first : first + len(ids) - start].log_softmax(-1)
        found = sign * rows.gather(-1, ids[start:, None])[:, 0]
        if end == "mean of each":
            return float(found.exp().mean())
        if end == "product":
            product = (-found).exp().prod()
            return float(product ** (-1 / len(found)))
        loss = found.sum() if end == "sum" else found.mean()
        return float(loss if end == "loss" else 2**loss if end == "base 2" else loss.exp())

    return variant


# reply_text ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reply(*, pieces: bool = False, cut: str = "first", special: bool = False) -> Callable[..., str]:
    """`reply_text` with one thing done wrong."""

    def variant(tokenizer: Any, ids: Sequence[int], stop: Sequence[str] = ()) -> str:
        groups = [[i] for i in ids] if pieces else [list(ids)]
        text = "".join(tokenizer.decode(group, skip_special_tokens=not special) for group in groups)
        return _cut(text, list(stop), cut)

    return variant


def _cut(text: str, stop: list[str], how: str) -> str:
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
    error: int = 1,
    over_root: bool = True,
    sample: bool = True,
    best: str = "most varied",
    ignore: bool = False,
    strict: bool = False,
) -> Callable[..., str | None]:
    """`choose_setting` with one thing done wrong."""

    def variant(
        diversity: Mapping[str, float], perplexities: Mapping[str, Sequence[float]], limit: float
    ) -> str | None:
        def high(runs: Sequence[float]) -> float:
            deviation = stdev(runs) if sample else pstdev(runs)
            return mean(runs) + error * deviation / (len(runs) ** 0.5 if over_root else 1)

        allowed = [
            name
            for name, runs in perplexities.items()
            if ignore or (high(runs) < limit if strict else high(runs) <= limit)
        ]
        if best == "first":
            return next(iter(allowed), None)
        keys: dict[str, Callable[[str], float]] = {
            "most varied": lambda name: diversity[name],
            "least varied": lambda name: -diversity[name],
            "perplexity": lambda name: -mean(perplexities[name]),
        }
        return max(allowed, key=keys[best], default=None)

    return variant
