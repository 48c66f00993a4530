"""Wrong versions of the exercises of 10_rag, each of which learners write; `retrieval` names the cause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# reciprocal_rank ─────────────────────────────────────────────────────────────────────────────────────────────────────


def ranked_by(
    out: Callable[[list[int], int, int], float], *, start: int = 1, missing: float = 0.0
) -> Callable[[Sequence[str], Collection[str]], float]:
    """Something else made of the ranks of the relevant passages. out: (ranks, how many relevant, how many found)."""

    def variant(ranked: Sequence[str], relevant: Collection[str]) -> float:
        ranks = [rank for rank, item in enumerate(ranked, start) if item in relevant]
        return out(ranks, len(relevant), len(ranked)) if ranks else missing

    return variant


# pack_sentences ──────────────────────────────────────────────────────────────────────────────────────────────────────

Windows = list[tuple[int, int]]


def windows(
    *,
    share: str = "tokens",
    fits: str = "at most",
    room: bool = True,
    stop: str = "at the end",
    last: int = 0,
    skip: int = 0,
    out: str = "pairs",
) -> Callable[[Sequence[int], int, int], Any]:
    """Windows that grow, overlap or end in another way.

    share: "tokens" | "below" | "sentences" | "at least" | "none"
    room: must what is shared leave room for what comes next
    stop: "at the end" | "tail", which adds windows that say nothing new.
    """

    def variant(lengths: Sequence[int], size: int, overlap: int) -> Any:
        found: Windows = []
        n, first = len(lengths), 0
        while first < n and len(found) <= 2 * n:
            end = first + 1
            while end < n and _fits(lengths, first, end, size, fits):
                end += 1
            found.append((first, end))
            if end == n and (stop == "at the end" or first == n - 1):
                break
            back = end
            while back - 1 > first and _shares(lengths, back, end, overlap, share):
                if room and end < n and sum(lengths[back - 1 : end + 1]) > size:
                    break
                back -= 1
            first = skip + (max(back, first + 1) if stop == "tail" else back)
        if out == "lists":
            return [list(range(a, b)) for a, b in found]
        return [(a, b + last) for a, b in found]

    return variant


def _fits(lengths: Sequence[int], first: int, end: int, size: int, fits: str) -> bool:
    if fits == "one too many":
        return sum(lengths[first:end]) <= size
    total = sum(lengths[first : end + 1])
    return total <= size if fits == "at most" else total < size


def _shares(lengths: Sequence[int], back: int, end: int, overlap: int, share: str) -> bool:
    if share == "none":
        return False
    if share == "sentences":
        return end - back < overlap
    if share == "at least":
        return sum(lengths[back:end]) < overlap
    if share == "below":
        return sum(lengths[back - 1 : end]) < overlap
    return sum(lengths[back - 1 : end]) <= overlap


def long_ones_lost(lengths: Sequence[int], size: int, overlap: int) -> Windows:
    """Sentences longer than a window are left out."""
    kept = [i for i, length in enumerate(lengths) if length <= size]
    found = windows()([lengths[i] for i in kept], size, overlap)
    return [(kept[a], kept[b - 1] + 1) for a, b in found]


def cut_when_full(last: bool = True) -> Callable[[Sequence[int], int, int], Windows]:
    """One pass over the sentences that closes a window where the next one does not fit, and shares nothing."""

    def variant(lengths: Sequence[int], size: int, overlap: int) -> Windows:
        found, first, total = [], 0, 0
        for i, length in enumerate(lengths):
            if total + length > size:
                found.append((first, i))
                first, total = i, 0
            total += length
        return [*found, (first, len(lengths))] if last else found

    return variant


def last_window_lost(share: str = "tokens") -> Callable[[Sequence[int], int, int], Windows]:
    """A window is noted only once it is full."""
    return lambda lengths, size, overlap: windows(share=share)(lengths, size, overlap)[:-1]


# cosine_top_k ────────────────────────────────────────────────────────────────────────────────────────────────────────


def nearest_by(
    *,
    vectors_by: str = "own length",
    query_by: str = "own length",
    order: str = "down",
    out: str = "rows, cosines",
) -> Callable[[NDArray, NDArray, int], Any]:
    """Other lengths, another order, another result."""

    def variant(query: NDArray, vectors: NDArray, k: int) -> Any:
        lengths = {
            "own length": np.linalg.norm(vectors, axis=1, keepdims=True),
            "one length for all": np.linalg.norm(vectors),
            "columns": np.linalg.norm(vectors, axis=0, keepdims=True),
            "sum": np.abs(vectors).sum(axis=1, keepdims=True),
            "nothing": np.float32(1),
        }[vectors_by]
        size = np.linalg.norm(query)
        own = {"own length": size, "multiplied": 1 / size, "nothing": np.float32(1)}[query_by]
        near = (vectors / lengths) @ (query / own)
        best = {
            "down": lambda: np.argsort(-near, kind="stable")[:k],
            "up": lambda: np.argsort(near, kind="stable")[:k],
            "reversed": lambda: np.argsort(near, kind="stable")[::-1][:k],
            "not stable, up": lambda: np.argsort(near)[:k],
            "not stable": lambda: np.argsort(-near)[:k],
            "not stable, reversed": lambda: np.argsort(near)[::-1][:k],
            "rows rise": lambda: np.sort(np.argsort(-near, kind="stable")[:k]),
        }[order]()
        return {"rows, cosines": (best, near[best]), "cosines, rows": (near[best], best), "all": (best, near)}[out]

    return variant


def by_distance(query: NDArray, vectors: NDArray, k: int) -> Any:
    """The nearest points, not the smallest angles."""
    cosines = nearest_by(out="all")(query, vectors, k)[1]
    best = np.argsort(np.linalg.norm(vectors - query, axis=1), kind="stable")[:k]
    return best, cosines[best]


# reciprocal_rank_fusion ──────────────────────────────────────────────────────────────────────────────────────────────


def fused(
    *,
    start: int = 1,
    worth: Callable[[float, float, int], float] = lambda weight, c, rank: weight / (c + rank),
    collect: str = "add",
    keep: str = "all",
    order: str = "down",
    skip: bool = True,
    c_is: float | None = None,
    weighted: bool = True,
    divide: str = "nothing",
    out: str = "pairs",
) -> Callable[..., Any]:
    """Fusion with other ranks, another worth of a rank, another way to collect, keep, sort or return."""

    def variant(rankings: Sequence[Sequence[str]], weights: Sequence[float] | None = None, c: float = 60) -> Any:
        given = [1.0] * len(rankings) if weights is None or not weighted else list(weights)
        scores: dict[str, float] = {}
        for ranking, weight in zip(rankings, given, strict=True):
            for rank, item in enumerate(ranking if weight or not skip else (), start):
                value = worth(weight, c if c_is is None else c_is, rank)
                before = scores.get(item, 0.0)
                scores[item] = {"add": before + value, "last": value, "best": max(before, value)}[collect]
        if keep == "shared":
            scores = {item: score for item, score in scores.items() if all(item in ranking for ranking in rankings)}
        share = {"nothing": 1.0, "rankings": len(rankings) or 1, "weights": sum(given) or 1}[divide]
        pairs = [(item, score / share) for item, score in scores.items()]
        keys: dict[str, Callable[[tuple[str, float]], Any]] = {
            "down": lambda pair: -pair[1],
            "up": lambda pair: pair[1],
            "by name": lambda pair: (-pair[1], pair[0]),
        }
        pairs = pairs if order == "as met" else sorted(pairs, key=keys[order])
        return {"pairs": pairs, "items": [item for item, _ in pairs], "dictionary": dict(pairs)}[out]

    return variant
