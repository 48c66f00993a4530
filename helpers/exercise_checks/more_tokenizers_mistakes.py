"""Wrong versions of the exercises of 01b_more_tokenizers, each of which learners write; `more_tokenizers` names why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

# longest_match ───────────────────────────────────────────────────────────────────────────────────────────────────────


def match(
    *,
    pick: Callable[..., str] = max,
    marked: bool = False,
    anywhere: bool = False,
    whole: bool = True,
    otherwise: str | None = "",
) -> Callable[..., str | None]:
    """`longest_match` with one thing done wrong."""

    def variant(text: str, vocabulary: Iterable[str], mark: str = "") -> str | None:
        starts = range(len(text)) if anywhere else range(1)
        parts = [text[i:j] for i in starts for j in range(i + 1, len(text) + whole)]
        found = [part for part in parts if mark + part in vocabulary]
        return (mark if marked else "") + pick(found, key=len) if found else otherwise

    return variant


def mark_ignored(text: str, vocabulary: Iterable[str], mark: str = "") -> str:
    return match()(text, vocabulary)


# best_cut ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cut(
    *,
    add_best: bool = True,
    pick: Callable[..., tuple] = max,
    key: Callable[[tuple], float] = lambda found: found[0],
    combine: Callable[[float, float], float] = lambda before, score: before + score,
    starts: Callable[[int], range] = range,
    second: Callable[[int, int], int] = lambda start, end: start,
    otherwise: tuple = (-math.inf, 0),
) -> Callable[..., tuple]:
    """`best_cut` with one thing done wrong."""

    def variant(word: str, end: int, best: Sequence[float], scores: Mapping[str, float]) -> tuple:
        found = []
        for start in starts(end):
            if word[start:end] in scores:
                score = scores[word[start:end]]
                found.append((combine(best[start], score) if add_best else score, start))
        if not found:
            return otherwise
        total, start = pick(found, key=key)
        return total, second(start, end)

    return variant


# least_trained ───────────────────────────────────────────────────────────────────────────────────────────────────────


def to_center(table: Tensor, unused: Sequence[int]) -> Tensor:
    return (table - table[list(unused)].mean(0)).norm(dim=1)


def least(
    *,
    distance: Callable[[Tensor, Sequence[int]], Tensor] = to_center,
    descending: bool = False,
    leave_out: bool = True,
    cut_first: bool = False,
) -> Callable[..., list[int]]:
    """`least_trained` with one thing done wrong."""

    def variant(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
        order = distance(table, unused).argsort(descending=descending).tolist()
        if cut_first:
            return [i for i in order[:k] if i not in set(unused)]
        return [i for i in order if not leave_out or i not in set(unused)][:k]

    return variant


def norms(table: Tensor, unused: Sequence[int]) -> Tensor:
    return table.norm(dim=1)


def to_everything(table: Tensor, unused: Sequence[int]) -> Tensor:
    return (table - table.mean(0)).norm(dim=1)


def to_first(table: Tensor, unused: Sequence[int]) -> Tensor:
    return (table - table[unused[0]]).norm(dim=1)


def angle(table: Tensor, unused: Sequence[int]) -> Tensor:
    return -torch.nn.functional.cosine_similarity(table, table[list(unused)].mean(0, keepdim=True))


# move_embeddings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def move(
    *,
    known: Callable[[Tensor, int, int], Tensor] = lambda old, i, old_id: old[old_id],
    fresh: Callable[[Tensor], Tensor] = lambda rows: rows.mean(0),
    always_pieces: bool = False,
) -> Callable[..., Tensor]:
    """`move_embeddings` with one thing done wrong."""

    def variant(
        old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
    ) -> Tensor:
        rows = []
        for i, token in enumerate(new_tokens):
            kept = token in old_ids and not always_pieces
            rows.append(known(old, i, old_ids[token]) if kept else fresh(old[list(pieces[i])]))
        return torch.stack(rows)

    return variant


def zeros_for_new(rows: Tensor) -> Tensor:
    return torch.zeros_like(rows[0])
