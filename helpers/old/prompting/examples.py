"""Which solved examples stand in a few-shot prompt, and in what order: fixed, nearest, diverse.

    vectors = embedder().encode([text for text, _ in pool], normalize_embeddings=True)       # (P, D)
    balanced(labels, 8)                     # places in the pool: each label in turn
    nearest(vectors, query, 8)              # those most like the query, the most similar one last
    diverse(vectors, 8)                     # those least like each other
    example_turns([("Where is my bike?", "order status")])      # as turns of a chat

All give places (indices), so one pool of texts, labels and vectors serves them all. What it does not do: look at the
query's label, train a selector, or check that the pool holds no near-duplicate of the test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def balanced(labels: Sequence[str], n: int) -> list[int]:
    """Places of `n` fixed examples: the first of each label in the order of first sight, then the second of each …

    Every query gets the same ones, so that a prompt with them can be read once for all queries. Raises ValueError for
    more examples than there are.

    >>> balanced(["a", "a", "b", "a"], 3)
    [0, 2, 1]
    """
    _require(n, len(labels))
    places: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        places[label].append(i)
    rounds = range(max(map(len, places.values()), default=0))
    return [found[k] for k in rounds for found in places.values() if k < len(found)][:n]


def nearest(vectors: ArrayLike, query: ArrayLike, n: int) -> list[int]:
    """Places of the `n` examples most similar to the query, by cosine; the most similar one last, next to the query.

    vectors: (P, D), query: (D,), of any lengths but 0. Of equally similar ones, the first in the pool. Raises
    ValueError for shapes that do not fit, vectors of length 0, and more examples than there are.

    Liu et al., “What Makes Good In-Context Examples for GPT-3?”, 2022.
    """
    pool, one = _unit(vectors, 2), _unit(query, 1)
    if pool.shape[1] != len(one):
        raise ValueError(f"The query has {len(one)} dimensions and the pool {pool.shape[1]}: encode both alike.")
    _require(n, len(pool))
    by_similarity = np.argsort(-(pool @ one), kind="stable")[:n]
    return by_similarity[::-1].tolist()


def diverse(vectors: ArrayLike, n: int) -> list[int]:
    """Places of `n` examples that are unlike each other: first the most central, then always the one that is least
    similar to its most similar chosen one.

    vectors: (P, D). Every query gets the same ones. Raises ValueError like `nearest`. Farthest-point traversal
    (Gonzalez, 1985); for examples in prompts, see Su et al., “Selective Annotation”, 2022.
    """
    pool = _unit(vectors, 2)
    _require(n, len(pool))
    if n == 0:
        return []
    chosen = [int((pool @ pool.mean(0)).argmax())]
    closest = pool @ pool[chosen[0]]  # (P,), how similar each is to its most similar chosen one
    while len(chosen) < n:
        closest[chosen] = np.inf  # never again
        chosen.append(int(closest.argmin()))
        closest = np.maximum(closest, pool @ pool[chosen[-1]])
    return chosen


def example_turns(examples: Iterable[tuple[str, str]], ask: str = "{text}") -> list[dict[str, str]]:
    """Solved examples as turns of a chat, a user's and the assistant's for each: the form the model was trained on.

    examples: (text, answer); ask: how a text is asked about, with the one place {text}, filled as it stands.
    """
    turns = []
    for text, answer in examples:
        turns.append({"role": "user", "content": ask.replace("{text}", text)})
        turns.append({"role": "assistant", "content": answer})
    return turns


def _unit(vectors: ArrayLike, dimensions: int) -> NDArray:
    """The vectors at length 1."""
    array = np.asarray(vectors, dtype=float)
    if array.ndim != dimensions or array.size == 0:
        shape = "(P, D)" if dimensions == 2 else "(D,)"
        raise ValueError(f"Vectors have the shape {shape}, not {array.shape}.")
    lengths = np.linalg.norm(array, axis=-1, keepdims=True)
    if not (lengths > 0).all():
        raise ValueError("A vector of length 0 has no direction, so nothing is similar to it.")
    return array / lengths


def _require(n: int, there: int) -> None:
    if not 0 <= n <= there:
        raise ValueError(f"The pool has {there} examples, so {n} of them cannot be chosen.")
