"""cosine_top_k: the nearest vectors by their angle with the query, found by looking at all of them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.retrieval.vectors import cosine_top_k

ANSWER = """
def cosine_top_k(query, vectors, k):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    near = (vectors / lengths) @ (query / np.linalg.norm(query))
    best = np.argsort(-near, kind="stable")[:k]
    return best, near[best]
"""
OWN_LENGTH = "np.linalg.norm(vectors, axis=1, keepdims=True)"
BEST = 'np.argsort(-near, kind="stable")[:k]'
LONG_WIN = "long vectors win: divide each vector by its own length first."
FARTHEST = "`np.argsort` sorts upwards: these are the farthest."
TURNED = "turning the order around turns equals around, too: sort −cosines."
SLIPS = [
    ([("vectors / lengths", "vectors"), ("query / np.linalg.norm(query)", "query")], LONG_WIN),
    ("vectors / lengths", "vectors", LONG_WIN),
    (
        "query / np",
        "query * np",
        "you multiply by the query's length where you should divide: a / (b · c) needs its parentheses.",
    ),
    ("query / np.linalg.norm(query)", "query", "the rows are right; the query still has its own length."),
    (OWN_LENGTH, "np.linalg.norm(vectors)", "one length for the whole matrix: `axis=1` is missing."),
    ("axis=1", "axis=0", "you divide column by column; a vector is a row: `axis=1`."),
    (
        "np.linalg.norm(vectors, axis",
        "np.abs(vectors).sum(axis",
        "a length is the root of the sum of squares, `np.linalg.norm`.",
    ),
    ("-near", "near", FARTHEST),
    (BEST, "np.argsort(near)[:k]", FARTHEST),
    (BEST, 'np.argsort(near, kind="stable")[::-1][:k]', TURNED),
    (BEST, "np.argsort(near)[::-1][:k]", TURNED),
    (', kind="stable"', "", 'equal cosines lose their order in this sort; `kind="stable"` keeps it.'),
    (BEST, f"np.sort({BEST})", "these are the right rows; the best one comes first."),
    ("best, near[best]", "near[best], best", "rows come first, then cosines."),
    ("near[best]", "near", "give the cosines of these rows only, in the same order."),
    (
        BEST,
        'np.argsort(np.linalg.norm(vectors - query, axis=1), kind="stable")[:k]',
        "the nearest *point* is meant by a distance; here the smallest *angle*.",
    ),
]
REFUSED = [
    (", keepdims=True", "", "It stops with an error"),
    (BEST, "np.argpartition(-near, k - 1)[:k]", "It stops with an error"),
    (BEST, 'np.argsort(near, kind="stable")[-k:]', "First difference"),
    ("best, near[best]", "best", "Expected a tuple"),
    ("best, near[best]", "best.tolist(), near[best].tolist()", "Expected"),
    (
        "query / np.linalg.norm(query)",
        "query.astype(np.float64) / np.linalg.norm(query)",
        "Expected float32 at [1], yours is",
    ),
]
RIGHT = [
    """
def cosine_top_k(query, vectors, k):
    near = vectors @ query / (np.sqrt((vectors**2).sum(axis=1)) * np.sqrt((query**2).sum()))
    rows = sorted(range(len(near)), key=lambda row: -near[row])[:k]
    return np.array(rows), near[rows]
""",
    [
        (OWN_LENGTH, "np.linalg.norm(vectors, axis=1)"),
        ("vectors / lengths", "(vectors.T / lengths).T"),
        (BEST, "np.lexsort((np.arange(len(near)), -near))[: min(k, len(near))]"),
    ],
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * rng.uniform(0.1, 9, size=(*shape[:-1], 1))).astype(np.float32)

    axes = np.eye(3, dtype=np.float32)
    equals = np.stack([axes[1], 2 * axes[0], axes[2], axes[0], 5 * axes[0], -axes[0]])
    many = np.stack([(1 + row % 4) * axes[row**2 % 3] for row in range(200)])
    return [
        (drawn(8), drawn(20, 8), 3),
        (drawn(5), drawn(7, 5), 1),
        (drawn(16), drawn(50, 16), 10),
        (drawn(6), drawn(6, 6), 6),  # a wrong axis keeps the shape
        (drawn(4), drawn(3, 4), 5),  # k above N
        (3 * axes[0], equals, 4),  # equal cosines
        (-axes[0], equals, 2),
        (drawn(2), drawn(1, 2), 1),
        (axes[1], many, 150),  # so many equals that a sort that is not stable mixes them up
    ]


EXERCISE = Exercise(
    reference=cosine_top_k,
    minutes=3,
    difficulty=1,
    hints=(
        "A vector ten times as long points the same way. What must its length not change?",
        "Divide each vector, and the query, by its own length (`np.linalg.norm`, with an axis for the rows). After "
        "that, one product gives all cosines. Sort them, largest first.",
        "`np.linalg.norm(vectors, axis=1, keepdims=True)` has the shape (N, 1), so it divides row by row. "
        '`np.argsort` sorts upwards: give it the negative cosines, and `kind="stable"` to keep equals in order. '
        "A slice of the first k is no error where there are fewer.",
    ),
    proves="the angle alone decides, whatever the lengths; equals keep their order, and k may exceed N",
)
