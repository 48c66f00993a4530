"""move_embeddings: a row goes with its token's spelling to a new vocabulary, not with its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def move_embeddings(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    """Rows for a new vocabulary: an old token keeps its row, a new one gets its pieces' mean.

    old: (V, d); old_ids: token -> row of `old`; pieces[i]: the old ids that spell new_tokens[i]
    →  (len(new_tokens), d)
    """
    rows = []
    for token, spelled in zip(new_tokens, pieces, strict=True):
        rows.append(old[old_ids[token]] if token in old_ids else old[list(spelled)].mean(dim=0))
    return torch.stack(rows)


ANSWER = """
def move_embeddings(old, old_ids, new_tokens, pieces):
    new = old.new_empty(len(new_tokens), old.shape[1])
    for i, token in enumerate(new_tokens):
        if token in old_ids:
            new[i] = old[old_ids[token]]
        else:
            new[i] = old[pieces[i]].mean(dim=0)
    return new
"""
KEPT = "old[old_ids[token]]"
FRESH = "old[pieces[i]].mean(dim=0)"
ANOTHER = "row i of the old table belongs to another token."
MORE = "there may be more new tokens than old rows; make a table of len(new_tokens) rows."
ONE_NUMBER = "`.mean()` without dim=0 makes one number of all rows; a row of means is asked for."
SLIPS = [
    (KEPT, "old[i]", ANOTHER),
    ([(KEPT, "old[i]"), (FRESH, "old[pieces[i][0]]")], ANOTHER),
    (
        "new[i] = old[old_ids[token]]",
        "new[old_ids[token]] = old[i]",
        "old and new are swapped: row `old_ids[token]` of the old table becomes row i of the new one.",
    ),
    (FRESH, "old[pieces[i]].sum(dim=0)", "a new token gets the sum of its pieces; take the mean."),
    (FRESH, "old[pieces[i][0]]", "a new token gets only its first piece's row."),
    (FRESH, "old[pieces[i][-1]]", "a new token gets only its last piece's row."),
    (FRESH, "0", "a new token gets zeros; take the mean of its pieces."),
    (KEPT, FRESH, "a token that has an old id keeps its own row, even where the old tokenizer would cut it."),
    ("token in old_ids", "old_ids.get(token)", "id 0 counts as False, but it is an id: ask `token in old_ids`."),
    ("old.new_empty(len(new_tokens), old.shape[1])", "old[:len(new_tokens)].clone()", MORE),
    ("token in old_ids", "token in old_ids and i < len(old)", MORE),
    (FRESH, "old[pieces[i]].mean()", ONE_NUMBER),
    (
        """
def move_embeddings(old, old_ids, new_tokens, pieces):
    rows = []
    for token, ids in zip(new_tokens, pieces):
        rows.append(old[old_ids[token]] if token in old_ids else old[ids].mean())
    return torch.stack(rows)
""",
        ONE_NUMBER,
    ),
    (
        KEPT,
        "old_ids[token]",
        "this writes the id itself into the row; take the row of `old` that stands at that id.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("return new", "return list(new)", "The kind of the result is wrong"),
    ([(KEPT, "old[i]"), (FRESH, "old[pieces[i]].sum(dim=0)")], "It stops with an error when called as"),
    ("    return new", "", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def move_embeddings(old, old_ids, new_tokens, pieces):
    new = old.new_empty(len(new_tokens), old.shape[1])
    for i, (token, parts) in enumerate(zip(new_tokens, pieces)):
        ids = [old_ids[token]] if token in old_ids else parts
        new[i] = old[ids].sum(0) / len(ids)
    return new
""",
    """
def move_embeddings(old, old_ids, new_tokens, pieces):
    ids = [[old_ids[t]] if t in old_ids else p for t, p in zip(new_tokens, pieces)]
    return torch.stack([old[i].mean(0) for i in ids])
""",
]


def cases(rng: Generator) -> list[tuple]:
    def table(size: int, width: int) -> Tensor:
        return torch.tensor(rng.normal(size=(size, width)).round(1), dtype=torch.float32)

    old_ids = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b" c": 4, b" ": 5, b"abc": 6}
    return [
        (table(7, 3), old_ids, [b"c", b"bc", b"ab", b"a"], [[2], [1, 2], [3], [0]]),
        (table(7, 4), old_ids, [b"abc c", b"b"], [[6, 4], [1]]),
        (table(7, 2), old_ids, [b" c", b"cab", b"c", b"cabc", b" "], [[4], [2, 3], [2], [2, 6], [5]]),
        # "abc" has a row, although the old tokenizer would cut it
        (table(7, 5), old_ids, [b"b", b"abc", b"aab"], [[1], [3, 2], [0, 3]]),
        (table(9, 3), {b"x": 8, b"y": 0}, [b"y", b"x", b"xyx"], [[0], [8], [8, 0, 8]]),
        (table(3, 2), {b"ab": 0, b"a": 1, b"b": 2}, [b"ab"], [[1, 2]]),  # the same for id 0
        # more new tokens than old rows
        (table(3, 2), {b"xy": 2, b"y": 0, b"x": 1}, [b"yy", b"x", b"yx", b"y", b"xx", b"xy"],
         [[0, 0], [1], [0, 1], [0], [1, 1], [1, 0]]),
    ]  # fmt: skip


EXERCISE = Exercise(
    reference=move_embeddings,
    minutes=2,
    difficulty=1,
    hints=(
        "Two branches fill a row. Try each by hand on a vocabulary of three.",
        "`i` counts the new tokens. In the old vocabulary, the same token may have had another number.",
        "`old_ids[token]` is the number that this token had; take that row instead of `old[i]`. The rest is right.",
    ),
    proves="tokens keep their own rows at their new places, and new ones get the mean of their pieces",
)
