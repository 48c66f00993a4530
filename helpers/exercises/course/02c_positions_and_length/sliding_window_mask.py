"""sliding_window_mask: a query sees itself, the few tokens before it and the first ones of the text, none ahead."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def sliding_window_mask(T: int, window: int, n_global: int = 0) -> Tensor:
    """Which keys (columns) each query (row) may see: itself, the `window` − 1 before it, and the first `n_global`.

    (T, T) bool, True where it may look; nobody sees the future.
    """
    query, key = torch.arange(T)[:, None], torch.arange(T)[None, :]  # (T, 1) and (1, T)
    near, first = key > query - window, key < n_global
    return (key <= query) & (near | first)  # (T, T)


SEEN = "(key <= query) & (near | first)"
SLIPS = [
    ("key > query", "key >= query", "the window is one too wide: the query itself is one of the `window`."),
    (
        [("query - window", "query - window + 1"), ("near | first", "near | first | (key == query)")],
        "the window is one too narrow.",
    ),
    ("near | first", "near", "the first n_global tokens are not let through."),
    (" & (near | first)", "", "this is the causal mask; the window is missing."),
    ("key < n_global", "key <= n_global", "one global token too many: they are 0 … n_global − 1."),
    (SEEN, f"~({SEEN})", "the mask is inverted: True is where a query may look."),
    (SEEN, f"({SEEN}).T", "queries and keys are swapped: queries go down, keys across."),
    ("near | first", "near & first", "a key is seen if it is near *or* one of the first; yours asks for both."),
    ("query - window", "query - window + n_global", "the global tokens do not shorten the window."),
    ("key < n_global", "query < n_global", "n_global counts keys, which all later queries see, not queries."),
    ("(key <= query) & ", "", "keys after the query are let through: key ≤ query is missing."),
]
REFUSED = [
    (SEEN, "(key <= query) & near | first", "the global tokens too"),
    ("query - window", "query - window + 1", "the window counts the query itself"),
    ("key <= query", "key < query", "the window counts the query itself"),
    (SEEN, f"({SEEN}).float()", "The dtype of the result is wrong"),
]
RIGHT = [
    (SEEN, "((query - key >= 0) & (query - key < window)) | ((key < n_global) & (query >= key))"),
    """
def sliding_window_mask(T, window, n_global=0):
    full, first = torch.ones(T, T, dtype=torch.bool), torch.arange(T) < n_global
    return full.tril() & (full.triu(1 - window) | first)
""",
    """
def sliding_window_mask(T, window, n_global=0):
    rows = [[j <= i and (i - j < window or j < n_global) for j in range(T)] for i in range(T)]
    return torch.tensor(rows)
""",
]


def cases(rng: Generator) -> list[tuple]:
    T = int(rng.integers(8, 15))
    return [(5, 2, 0), (6, 3, 1), (T, 4, 2), (7, 1, 0), (4, 9, 0), (1, 1, 1), (6, 2, 4), (5, 1, 5)]


EXERCISE = Exercise(
    reference=sliding_window_mask,
    minutes=3,
    difficulty=2,
    hints=(
        "Write the row of one query by hand: T = 5, window = 2, query 3. Which keys does it see?",
        "Put the queries' numbers in a column and the keys' in a row; comparing them gives a (T, T) table at once. "
        "Three questions: is the key not in the future, is it near, is it one of the first?",
        "A key is near if it is greater than query − window, global if it is smaller than n_global. It is seen "
        "where near or global holds, and at the same time key ≤ query; use `|` and `&` with brackets.",
    ),
    proves="windows of 1, shorter and longer than the text, with and without global tokens, none ahead",
    properties=[
        Property(
            "nobody sees the future",
            lambda result, *_: not bool(result.triu(1).any()),
            "combine everything with key ≤ query, the global tokens too.",
        ),
        Property(
            "every query sees itself",
            lambda result, *_: bool(result.diagonal().all()),
            "the window counts the query itself: window = 1 is the diagonal.",
        ),
    ],
)
