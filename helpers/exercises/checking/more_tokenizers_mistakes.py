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
    shortest: int = 1,
    longest: int = 1_000,
    either: bool = False,
    asked: Callable[[str], str] = str,
    undo: Callable[[str, str], str] | None = None,
) -> Callable[..., str | None]:
    """`longest_match` with one thing done wrong."""

    def variant(text: str, vocabulary: Iterable[str], mark: str = "") -> str | None:
        starts = range(len(text)) if anywhere else range(1)
        parts = [text[i:j] for i in starts for j in range(i + shortest, min(len(text), longest) + whole)]
        found = [part for part in parts if mark + asked(part) in vocabulary or (either and part in vocabulary)]
        if not found:
            return otherwise
        best = pick(found, key=len)
        return undo(mark + best, mark) if undo else (mark if marked else "") + best

    return variant


def lstrip(token: str, mark: str) -> str:
    return token.lstrip(mark)


def strip(token: str, mark: str) -> str:
    return token.strip(mark)


def replace(token: str, mark: str) -> str:
    return token.replace(mark, "")


def two_off(token: str, mark: str) -> str:
    return token[2:] if mark else token


def up_to_the_first_gap(text: str, vocabulary: Iterable[str], mark: str = "") -> str:
    end = 0
    while end < len(text) and mark + text[: end + 1] in vocabulary:
        end += 1
    return text[:end]


def lowered(text: str, vocabulary: Iterable[str], mark: str = "") -> str | None:
    return match()(text.lower(), vocabulary, mark)


def other_mark(fixed: str, always: bool) -> Callable[..., str | None]:
    """A mark that stands in the code instead of the one that is passed."""
    return lambda text, vocabulary, mark="": match()(text, vocabulary, fixed if mark or always else "")


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
    token: Callable[[str, int, int], str] = lambda word, start, end: word[start:end],
    default: float | None = None,
    falsy: bool = False,
) -> Callable[..., tuple]:
    """`best_cut` with one thing done wrong."""

    def variant(word: str, end: int, best: Sequence[float], scores: Mapping[str, float]) -> tuple:
        found = []
        for start in starts(end):
            score = scores.get(token(word, start, end), default)
            if score or (score is not None and not falsy):
                found.append((combine(best[start], score) if add_best else score, start))
        if not found:
            return otherwise
        total, start = pick(found, key=key)
        return total, second(start, end)

    return variant


def start_value(low: float) -> Callable[..., tuple]:
    """The best total so far begins at a number."""

    def variant(*args: object) -> tuple:
        total, start = cut()(*args)
        return (total, start) if total > low else (low, 0)

    return variant


def swapped(none: tuple) -> Callable[..., tuple]:
    """(start, score); `none` where no token ends."""

    def variant(*args: object) -> tuple:
        total, start = cut()(*args)
        return none if total == -math.inf else (start, total)

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


def to_sum(table: Tensor, unused: Sequence[int]) -> Tensor:
    return (table - table[list(unused)].sum(0)).norm(dim=1)


def absolute(table: Tensor, unused: Sequence[int]) -> Tensor:
    return (table - table[list(unused)].mean(0)).abs().sum(1)


def to_any(table: Tensor, unused: Sequence[int]) -> Tensor:
    return torch.cdist(table, table[list(unused)]).min(1).values


def first_places_off(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
    return to_center(table, unused).argsort()[len(unused) :][:k].tolist()


def filtered(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
    keep = [i for i in range(len(table)) if i not in set(unused)]
    return to_center(table, unused)[keep].argsort()[:k].tolist()


def stand_in(far: float) -> Callable[..., list[int]]:
    """The unused rows get a large distance instead of an infinite one."""

    def variant(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
        distance = to_center(table, unused)
        distance[list(unused)] = far
        return distance.argsort()[:k].tolist()

    return variant


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


def filled(
    *,
    kept: Callable[[Tensor, int], Tensor | int] = lambda old, old_id: old[old_id],
    fresh: Callable[[Tensor], Tensor] = lambda rows: rows.mean(0),
) -> Callable[..., Tensor]:
    """The same with a new table that is written row by row, so that a single number fills a whole row."""

    def variant(
        old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
    ) -> Tensor:
        new = old.new_empty(len(new_tokens), old.shape[1])
        for i, token in enumerate(new_tokens):
            new[i] = kept(old, old_ids[token]) if token in old_ids else fresh(old[list(pieces[i])])
        return new

    return variant


def id_as_row(old: Tensor, i: int, old_id: int) -> Tensor:
    return torch.full_like(old[0], old_id)


def falsy_id(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    known = {token: i for token, i in old_ids.items() if i}
    return move()(old, known, new_tokens, pieces)


def part_of_old(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    new = old[: len(new_tokens)].clone()
    for i, row in enumerate(move()(old, old_ids, new_tokens, pieces)):
        new[i] = row
    return new


def within_old(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    known = {token: old_ids[token] for token in new_tokens[: len(old)] if token in old_ids}
    return move()(old, known, new_tokens, pieces)
