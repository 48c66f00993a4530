"""Wrong versions of the exercises of 10b_rag_quality, each of which learners write; `rag_quality` names the cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.stats import paired_bootstrap

# recall_at_k ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def recalled(
    *, over: str = "relevant", cut: int | None = 0, count: str = "once"
) -> Callable[[Sequence[str], Collection[str], int], float]:
    """Divided by something else, cut elsewhere (None: nowhere), or counted in another way."""

    def variant(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
        first = list(ranked if cut is None else ranked[: k + cut])
        found = sum(item in relevant for item in first) if count == "each place" else len(set(first) & set(relevant))
        if count == "any":
            return float(found > 0)
        if count == "all":
            return float(found == len(relevant))
        if count == "number":
            return found
        sizes = {"relevant": len(relevant), "k": k, "found": len(first), "at most k": min(k, len(relevant))}
        return found / sizes[over] if sizes[over] else 0.0

    return variant


# ndcg_at_k ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def gained(
    *,
    worth: Callable[[int], float] = lambda rank: 1 / math.log2(rank + 1),
    over: str = "best for k",
    repeats: bool = False,
    cut: bool = True,
    start: int = 1,
) -> Callable[[Sequence[str], Collection[str], int], float]:
    """Other worths of ranks, another sum below the line, repeated passages counted, no cut."""

    def variant(ranked: Sequence[str], relevant: Collection[str], k: int = 10) -> float:
        ranks, seen = [], set()
        for rank, item in enumerate(ranked[:k] if cut else ranked, start):
            if item in relevant and (repeats or item not in seen):
                ranks.append(rank)
                seen.add(item)
        ideal = {
            "best for k": min(k, len(relevant)),
            "all relevant": len(relevant),
            "k": k,
            "those found": len(ranks),
            "all that came": min(k, len(relevant), len(ranked)),
        }
        if over in ideal:
            below = sum(worth(rank) for rank in range(start, ideal[over] + start))
        else:
            below = {"nothing": 1, "relevant": len(relevant)}[over]
        return sum(map(worth, ranks)) / below if below else 0.0

    return variant


# fit_passages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def fitted(
    *,
    taken: tuple[str, ...] = ("question", "reply"),
    skip: bool = True,
    strict: bool = False,
    order: str = "rank",
    shrinks: bool = True,
    over: bool = False,
    out: str = "numbers",
    start: int = 0,
) -> Callable[[Sequence[int], int, int, int], Any]:
    """Another room, another order, a stop at the first that does not fit, or another result.

    taken: what the room is made smaller by; over: the one that does not fit gets in as the last.
    """

    def variant(lengths: Sequence[int], budget: int, question: int, reply: int) -> Any:
        room = budget - sum({"question": question, "reply": reply}[part] for part in taken)
        if room < 0:
            raise ValueError("There is no room.")
        chosen = []
        keys: dict[str, Callable[[int], Any]] = {
            "rank": lambda i: i,
            "shortest": lambda i: lengths[i],
            "longest": lambda i: -lengths[i],
            "reversed": lambda i: -i,
        }
        for number in sorted(range(len(lengths)), key=keys[order]):
            fits = lengths[number] < room if strict else lengths[number] <= room
            if fits or (over and room > 0):
                chosen.append(number)
                room -= lengths[number] if shrinks else 0
            elif not skip:
                break
        if out == "tokens":
            return sum(lengths[i] for i in chosen)
        return {"numbers": [i + start for i in chosen], "lengths": [lengths[i] for i in chosen], "count": len(chosen)}[
            out
        ]

    return variant


def as_many_as_possible(lengths: Sequence[int], budget: int, question: int, reply: int) -> list[int]:
    """The shortest first, given back in order of rank: more passages, and worse ones."""
    return sorted(fitted(order="shortest")(lengths, budget, question, reply))


# threshold_on_dev ────────────────────────────────────────────────────────────────────────────────────────────────────


def calibrated(
    *,
    given: Callable[[float, float], bool] = lambda sure, threshold: sure >= threshold,
    keeps: Callable[[float, float], bool] = lambda risk, most: risk <= most,
    pick: Callable[[list[float]], float] = min,
    over: str = "given",
    of: str = "wrong",
    none: float = math.inf,
    stops: bool = False,
    tried: str = "confidences",
) -> Callable[[Sequence[float], Sequence[bool], float], float]:
    """Other answers given, another promise, another pick among those that keep it.

    over: "given" | "all", what wrong ones are divided by; stops: at the first threshold, from above, that fails.
    """

    def variant(confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> float:
        candidates = {
            "confidences": sorted(set(confidences), reverse=True),
            "hundredths": [n / 100 for n in range(100, -1, -1)],
            "of right ones": sorted({c for c, right in zip(confidences, correct, strict=True) if right}, reverse=True),
        }[tried]
        kept = []
        for threshold in candidates:
            verdicts = [
                right for sure, right in zip(confidences, correct, strict=True) if given(float(sure), threshold)
            ]
            if not verdicts:
                continue
            counted = verdicts.count(of == "right")
            if keeps(counted / (len(verdicts) if over == "given" else len(correct)), max_risk):
                kept.append(threshold)
            elif stops:
                break
        return pick(kept) if kept else none

    return variant


def one_by_one(
    confidences: Sequence[float], correct: Sequence[bool], max_risk: float, *, ordered: bool = True
) -> float:
    """Answers are let in singly, so that two of equal confidence can be parted."""
    order = sorted(range(len(correct)), key=lambda i: -confidences[i]) if ordered else range(len(correct))
    wrong, best = 0, math.inf
    for n, i in enumerate(order, start=1):
        wrong += not correct[i]
        if wrong / n <= max_risk:
            best = confidences[i]
    return best


def in_the_order_given(confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> float:
    return one_by_one(confidences, correct, max_risk, ordered=False)


# find_the_leak ───────────────────────────────────────────────────────────────────────────────────────────────────────


def evaluated(
    *,
    chosen_on: tuple[str, ...] = ("dev",),
    measured_on: tuple[str, ...] = ("test",),
    searched: str = "all",
    last: bool = False,
    per: str = "length",
    out: str = "both",
) -> Callable[..., Any]:
    """The evaluation with other questions to choose or measure on, or other documents to search.

    searched: "all" | "asked", those that answer any question | "asked here", those of the questions measured on.
    """

    def variant(
        questions: Sequence[Mapping[str, Any]], documents: Mapping[str, Sequence[str]], powers: Sequence[float], k: int
    ) -> Any:
        def recall(splits: tuple[str, ...], power: float) -> float:
            asked = [q for q in questions if q["split"] in splits]
            needed = {q["document"] for q in (questions if searched == "asked" else asked)}
            found = 0
            for question in asked:
                words = set(question["words"])
                scores = {
                    name: len(words & set(text)) / (len(text) if per == "length" else len(set(text))) ** power
                    for name, text in documents.items()
                    if searched == "all" or name in needed
                }
                found += question["document"] in sorted(scores, key=lambda name: -scores[name])[:k]
            return found / len(asked)

        tried = list(reversed(powers)) if last else powers
        best = max(tried, key=lambda power: recall(chosen_on, power))
        result = recall(measured_on, best)
        return {"both": (best, result), "recall": result, "power": best}[out]

    return variant


# first_failures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def repaired_first(
    *,
    by: str = "sum of gains",
    trusted: str = "low",
    swapped: bool = False,
    order: str = "down",
    losses: bool = True,
    out: str = "kinds",
) -> Callable[[Sequence[str], Sequence[float], Sequence[float]], Any]:
    """Kinds in the order of another key, or kept by another test.

    by: "sum of gains" | "mean gain" | "failures" | "lowest now" | "lowest sum" | "highest repaired" | "questions";
    trusted: "low" | "not below" (low ≥ 0) | "difference" | "high" | "all", of all questions together | "no test".
    """

    def variant(kind: Sequence[str], now: Sequence[float], repaired: Sequence[float]) -> Any:
        keys = {}
        everyone = paired_bootstrap(repaired, now)
        for name in dict.fromkeys(kind):
            own = [i for i, other in enumerate(kind) if other == name]
            before, after = np.array([now[i] for i in own]), np.array([repaired[i] for i in own])
            found = paired_bootstrap(before, after) if swapped else paired_bootstrap(after, before)
            kept = {
                "low": found.low > 0,
                "not below": found.low >= 0,
                "difference": found.difference > 0,
                "high": found.high > 0,
                "all": everyone.low > 0,
                "no test": True,
            }[trusted]
            gains = after - before if losses else np.maximum(after - before, 0)
            key = {
                "sum of gains": gains.sum(),
                "mean gain": gains.mean(),
                "low": found.low,
                "failures": (before < 1).sum(),
                "lowest now": -before.mean(),
                "lowest sum": (1 - before).sum(),
                "highest repaired": after.sum(),
                "questions": len(own),
                "none": 0,
            }[by]
            if kept:
                keys[name] = float(key)
        names = sorted(keys, key=lambda name: keys[name] if order == "up" else -keys[name])
        return {"kinds": names, "pairs": [(name, keys[name]) for name in names], "gains": [keys[n] for n in names]}[out]

    return variant
