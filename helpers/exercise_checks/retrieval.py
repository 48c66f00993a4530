"""Exercises of 10_rag: a rank, windows of sentences, BM25, nearest vectors, fusion, rows that are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from helpers.bm25_index import bm25_score
from helpers.chunking import pack_units
from helpers.exercise_checks.spec import Exercise, Mistake
from helpers.hybrid_index import reciprocal_rank_fusion
from helpers.retrieval_metrics import reciprocal_rank
from helpers.vector_index import cosine_top_k


def look_up(corpus: Sequence[str], rows: Sequence[int], scores: Sequence[float]) -> list[tuple[str, float]]:
    """The texts that an index found, each with its score, in the index's order.

    rows, scores: of the k best as FAISS gives them: row −1 where it found fewer than k
    """
    return [(corpus[row], score) for row, score in zip(rows, scores, strict=True) if row != -1]


def planted_look_up(corpus: Sequence[str], rows: Sequence[int], scores: Sequence[float]) -> list[tuple[str, float]]:
    """The version that stands in the notebook: row −1 is Python's name for the last text."""
    return [(corpus[row], score) for row, score in zip(rows, scores)]  # noqa: B905


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _names(rng: Generator, n: int) -> list[str]:
    """The names p0 … of n passages in a random order."""
    return [f"p{i}" for i in rng.permutation(n)]


def _rank_cases(rng: Generator) -> list[tuple]:
    drawn = _names(rng, 12)
    return [
        (["p3", "p7", "p1"], {"p7"}),
        (["p3", "p7", "p1"], {"p1", "p7"}),  # the second relevant one does not count
        (["p3", "p7", "p1"], {"p3"}),
        (["p3", "p7", "p1"], {"p9"}),
        (drawn, set(drawn[4:7])),
        (drawn, {drawn[-1]}),
        ([], {"p1"}),
        (["p2", "p5"], {"p1", "p5", "p8"}),
    ]


def _window_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, longest: int) -> list[int]:
        return rng.integers(1, longest, size=n).tolist()

    return [
        ([3, 3, 3, 3], 7, 3),
        (drawn(14, 20), 40, 12),
        (drawn(25, 30), 64, 20),
        (drawn(9, 30), 30, 29),
        ([5, 4, 6, 2, 7, 3], 11, 0),  # no overlap
        ([4, 50, 4, 3], 20, 5),  # one too long
        ([60, 70], 20, 5),
        ([2, 2, 9, 2], 10, 5),  # the overlap leaves no room for what comes next
        ([3, 4, 13, 2, 2, 2], 20, 8),
        ([5, 5, 5], 15, 5),  # all of it fits
        ([8], 8, 4),
        ([], 10, 2),
    ]


def _bm25_cases(rng: Generator) -> list[tuple]:
    vocabulary = ["battery", "brake", "charger", "cold", "display", "e05", "lever", "motor", "rain", "the"]

    def text(n: int) -> list[str]:
        return [vocabulary[i] for i in rng.integers(len(vocabulary), size=n)]

    corpus = [text(int(n)) for n in rng.integers(4, 16, size=7)]
    small = [["the", "battery", "is", "cold"], ["the", "brake"], ["the", "battery", "battery", "of", "the", "kite"]]
    return [
        (["battery"], small[0], small),
        (["the", "battery"], small[2], small),
        (["battery", "battery"], small[0], small),  # a word that is asked twice
        (["heron"], small[1], small),  # nobody has it
        (["brake", "kite"], small[1], small),
        ([], small[0], small),
        (["the"], small[1], small),  # all have it
        *((text(4), document, corpus) for document in corpus[:3]),
        (text(5), corpus[4], corpus, 0.9, 0.4),
        (text(3), corpus[5], corpus, 2.0, 0.0),  # length does not count
        (text(3), corpus[6], corpus, 1.2, 1.0),
    ]


def _vector_cases(rng: Generator) -> list[tuple]:
    def drawn(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * rng.uniform(0.1, 9, size=(*shape[:-1], 1))).astype(np.float32)

    axes = np.eye(3, dtype=np.float32)
    equals = np.stack([axes[1], 2 * axes[0], axes[2], axes[0], 5 * axes[0], -axes[0]])
    return [
        (drawn(8), drawn(20, 8), 3),
        (drawn(5), drawn(7, 5), 1),
        (drawn(16), drawn(50, 16), 10),
        (drawn(6), drawn(6, 6), 6),  # a wrong axis keeps the shape
        (drawn(4), drawn(3, 4), 5),  # k above N
        (3 * axes[0], equals, 4),  # equal cosines
        (-axes[0], equals, 2),
        (drawn(2), drawn(1, 2), 1),
    ]


def _fusion_cases(rng: Generator) -> list[tuple]:
    dense, sparse, third = (_names(rng, 9)[:n] for n in (6, 5, 7))
    return [
        ([["a", "b"], ["b", "c"]],),
        ([["a", "b"], ["b", "a"]],),  # equal scores
        ([dense, sparse],),
        ([dense, sparse, third],),
        ([dense, sparse], [1.0, 3.0]),
        ([dense, sparse], [0.0, 1.0]),
        ([dense, sparse, third], [0.5, 2.0, 1.0], 10),
        ([["a", "b", "c"], ["d", "e"]], None, 0),
        ([["c", "a", "b"]],),
        ([[], ["a"]],),
        ([],),
    ]


def _row_cases(rng: Generator) -> list[tuple]:
    texts = [f"Passage number {i}." for i in range(6)]
    nothing = -3.4028234663852886e38  # what FAISS writes beside row −1
    order = [int(i) for i in rng.permutation(6)]
    scores = sorted((round(float(s), 3) for s in rng.uniform(-0.2, 1, size=6)), reverse=True)
    return [
        (["The Kite weighs 21.4 kg.", "The Wren folds."], [0, 1, -1], [0.71, 0.2, nothing]),
        (["The Kite weighs 21.4 kg.", "The Wren folds."], [1, 0, -1], [0.64, 0.31, nothing]),
        (texts, order, scores),
        (texts, order[:4], scores[:4]),
        (texts, [*order[:3], -1, -1], [*scores[:3], nothing, nothing]),
        (texts, [5, 0, -1, -1], [0.4, -0.1, nothing, nothing]),  # the last text is found, too; a cosine below 0
        (["one"], [0, -1, -1, -1], [0.5, *[nothing] * 3]),
        (texts, [-1, -1], [nothing, nothing]),
        ([], [-1], [nothing]),
        (["Yes.", "No.", "Yes."], [2, 0, 1, -1], [0.9, 0.9, 0.1, nothing]),  # two texts alike
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

NOTEBOOK = "10_rag"
EXERCISES = [
    Exercise(
        name="reciprocal_rank",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=1,
        reference=reciprocal_rank,
        cases=_rank_cases,
        hints=(
            "The right passage comes third. How much is that search worth?",
            "Walk through what was found with its ranks, and leave at the first that is relevant. What do you return "
            "if you come to the end?",
            "`enumerate(ranked, start=1)` gives ranks that begin with 1. Inside the loop: if the passage is in "
            "`relevant`, return 1 over the rank. Behind the loop: 0.0.",
        ),
        proves="the first relevant passage decides, ranks begin with 1, and nothing found gives 0",
        mistakes=[],
    ),
    Exercise(
        name="pack_sentences",
        notebook=NOTEBOOK,
        minutes=6,
        difficulty=2,
        reference=pack_units,
        cases=_window_cases,
        hints=(
            "Two questions at each window: how far does it reach, and how far do you step back before the next one?",
            "Move `last` on while the next sentence still fits. Then let the next `first` step back from `last`, one "
            "sentence at a time, while two sums allow it: that of the sentences shared, and that together with the "
            "sentence behind them.",
            "Inside a loop over windows: `last = first + 1`, then raise it while `sum(lengths[first:last + 1])` is at "
            "most `size`. Note (first, last); at the end of the list, stop. Else start `back` at `last` and lower it "
            "by one while `back - 1` is above `first`, `sum(lengths[back - 1:last])` is at most `overlap` and "
            "`sum(lengths[back - 1:last + 1])` at most `size`. The next window begins there.",
        ),
        proves="no sentence is cut or lost, no window is too long, and overlaps are as large as they may be",
        mistakes=[],
    ),
    Exercise(
        name="bm25_score",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=2,
        reference=bm25_score,
        cases=_bm25_cases,
        hints=(
            "Which of count, length and rarity are the same for every word of the query?",
            "`length` belongs to the document: compute it once. Then loop over the query's words and add up. For the "
            "rarity, count the *documents* that have the word, not the places where it stands.",
            "`sum(word in text for text in corpus)` is n, `document.count(word)` is the count, and `math.log` is the "
            "natural logarithm. The mean number of words: the sum of all lengths, divided by `len(corpus)`.",
        ),
        proves="rare words, repeated words and short documents weigh as the formula says, for any k1 and b",
        mistakes=[],
    ),
    Exercise(
        name="cosine_top_k",
        notebook=NOTEBOOK,
        minutes=3,
        difficulty=1,
        reference=cosine_top_k,
        cases=_vector_cases,
        hints=(
            "A vector ten times as long points the same way. What must its length not change?",
            "Divide each vector, and the query, by its own length (`np.linalg.norm`, with an axis for the rows). After "
            "that, one product gives all cosines. Sort them, largest first.",
            "`np.linalg.norm(vectors, axis=1, keepdims=True)` has the shape (N, 1), so it divides row by row. "
            '`np.argsort` sorts upwards: give it the negative cosines, and `kind="stable"` to keep equals in order. '
            "A slice of the first k is no error where there are fewer.",
        ),
        proves="the angle alone decides, whatever the lengths; equals keep their order, and k may exceed N",
        mistakes=[],
    ),
    Exercise(
        name="reciprocal_rank_fusion",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=1,
        reference=reciprocal_rank_fusion,
        cases=_fusion_cases,
        hints=(
            "BM25 says 14.2, the cosine is 0.61. You cannot add these. What can you add?",
            "A dictionary from item to score. Go through the rankings, and through each with its ranks, and add to "
            "what the item has already. At the end, sort the pairs by score.",
            "`scores.get(item, 0.0)` is what an item has so far, `enumerate(ranking, start=1)` gives the ranks. Skip a "
            "ranking whose weight is 0. `sorted` keeps equals in the order in which the dictionary got them; sort by "
            "the negative score, since `reverse=True` keeps it as well.",
        ),
        proves="ranks alone count, from 1; weights, c, items of one ranking only, ties and empty rankings",
        mistakes=[],
    ),
    Exercise(
        name="look_up",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=1,
        reference=look_up,
        planted=planted_look_up,
        cases=_row_cases,
        hints=(
            "Ask for 3 of 2 texts and print `rows`. What is `corpus[-1]` in Python?",
            "Row −1 means that nothing more was found. To Python it means the last text, so that text comes again. "
            "Rows of −1 have to be left out, with their scores.",
            "Put a condition at the end of the comprehension that lets through rows from 0 on. Beware of `if row`, "
            "which would lose row 0 as well.",
        ),
        proves="rows of −1 are left out with their scores, and row 0, the last row and equal texts stay",
        mistakes=[Mistake(planted_look_up, "row −1 is still looked up, and Python takes it for the last text.")],
    ),
]
