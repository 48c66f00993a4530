"""nearest_examples: the solved examples most similar to a ticket, the most similar one last."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.prompting.examples import nearest


def nearest_examples(vectors: NDArray, query: NDArray, n: int) -> list[int]:
    """Places of the n examples with the highest cosine to the query, in rising order: the most similar one last.

    vectors: (P, D), one row per solved example, of any length; query: (D,); n: at least 1
    """
    return nearest(vectors, query, n)


ANSWER = """
def nearest_examples(vectors, query, n):
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    cosines = vectors @ query / lengths
    return np.argsort(cosines)[-n:].tolist()
"""
SLIPS = [
    (
        "vectors @ query / lengths",
        "vectors @ query",
        "long vectors win, as by the dot product alone: divide by each vector's own length (`np.linalg.norm` with "
        "`axis=1`).",
    ),
    (
        "cosines = vectors @ query / lengths",
        "cosines = -np.linalg.norm(vectors - query, axis=1)",
        "you take the smallest distance; of vectors of different lengths, that is another order than the cosine's.",
    ),
    (
        "np.argsort(cosines)[-n:]",
        "np.argsort(cosines)[-n:][::-1]",
        "the most similar one stands last, next to the query; yours is first.",
    ),
    (
        "np.argsort(cosines)[-n:]",
        "np.argsort(-cosines)[:n]",
        "the most similar one stands last, next to the query; yours is first.",
    ),
    (
        "np.argsort(cosines)[-n:]",
        "np.argsort(cosines)[:n]",
        "these are the least similar ones; argsort goes from small to large.",
    ),
    (
        "np.argsort(cosines)[-n:]",
        "np.sort(np.argsort(cosines)[-n:])",
        "you put them in the pool's order; the most similar one stands last.",
    ),
    (
        "np.argsort(cosines)[-n:]",
        "np.argsort(np.abs(cosines))[-n:]",
        "a cosine near −1 points the other way: no absolute values.",
    ),
    ("np.argsort(cosines)[-n:]", "np.argsort(cosines)[-n - 1 : -1]", "the most similar example is left out."),
    ("np.argsort(cosines)[-n:]", "np.argsort(cosines)", "only n examples are asked for."),
]
REFUSED = [
    (".tolist()", "", "The kind of the result"),
    ("np.argsort(cosines)[-n:]", "np.sort(cosines)[-n:]", "Expected an int"),
]
RIGHT = [
    """
def nearest_examples(vectors, query, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = unit @ query
    return sorted(range(len(vectors)), key=lambda i: similar[i])[-n:]
""",
    """
def nearest_examples(vectors, query, n):
    def cosine(row):
        return float(np.dot(row, query) / np.sqrt(np.dot(row, row)))

    found = sorted(((cosine(row), i) for i, row in enumerate(vectors)), reverse=True)[:n]
    return [i for _, i in reversed(found)]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(P: int, D: int, n: int, lengths: bool = True) -> tuple:
        vectors = rng.normal(size=(P, D))
        if lengths:
            vectors = vectors * rng.uniform(0.1, 9, size=(P, 1))
        return vectors, rng.normal(size=D) * rng.uniform(0.2, 5), n

    toy = np.array([[1.0, 0.0], [0.0, 5.0], [3.0, 3.0], [-1.0, 0.1], [1.0, 0.05]])
    return [
        (toy, np.array([2.0, 0.0]), 3),
        (toy, np.array([-4.0, 0.0]), 2),
        drawn(8, 4, 3),
        drawn(12, 6, 5),
        drawn(20, 3, 1),
        drawn(6, 16, 6),
        drawn(30, 8, 4, lengths=False),
    ]


EXERCISE = Exercise(
    reference=nearest_examples,
    minutes=4,
    difficulty=2,
    hints=(
        "What makes two vectors similar, if one of them is ten times as long as the other?",
        "The cosine is the dot product divided by the product of both lengths. Sort the places by it, and keep the n "
        "highest in rising order.",
        "`vectors @ query` gives all dot products at once, and `np.linalg.norm(vectors, axis=1)` all lengths. "
        "`np.argsort` goes from the lowest to the highest, so the n last places are already in the order wanted.",
    ),
    proves="examples are chosen by cosine, whatever the vectors' lengths, and the most similar one stands last",
    properties=[Property("there are n places, none of them twice", lambda r, v, q, n: len(set(r)) == len(r) == n)],
)
