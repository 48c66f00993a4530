"""look_up: rows of −1 mean that nothing was found, not that the last text was."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def look_up(corpus: Sequence[str], rows: Sequence[int], scores: Sequence[float]) -> list[tuple[str, float]]:
    """The texts that an index found, each with its score, in the index's order.

    rows, scores: of the k best as FAISS gives them: row −1 where it found fewer than k
    """
    return [(corpus[row], score) for row, score in zip(rows, scores, strict=True) if row >= 0]


ANSWER = """
def look_up(corpus, rows, scores):
    return [(corpus[row], score) for row, score in zip(rows, scores) if row >= 0]
"""
A_COSINE = "a cosine below 0 is a find like others: ask for the row."
EACH_ROW = "an index that looks at a part only finds fewer than there are texts: ask each row."
SLIPS = [
    (" if row >= 0", "", "row −1 is still looked up, and Python takes it for the last text."),
    ("if row >= 0", "if row", "to Python, 0 is false and −1 is true: row 0 is lost, −1 stays."),
    ("row >= 0", "row > 0", "row 0 is lost, and it is a row like any other."),
    ("row >= 0", "score > 0", A_COSINE),
    ("row >= 0", "score >= 0", A_COSINE),
    ("row >= 0", "score > -1e30", "what FAISS writes beside row −1 is not always below all scores: ask for the row."),
    (
        [("return [", "return sorted(["), ("if row >= 0]", "if row >= 0], key=lambda pair: -pair[1])")],
        "the index's order stays: where scores are distances, the smallest comes first.",
    ),
    (
        """
def look_up(corpus, rows, scores):
    found = {}
    for row, score in zip(rows, scores):
        if row >= 0:
            found.setdefault(corpus[row], score)
    return list(found.items())
""",
        "two texts that read alike were both found; only rows of −1 go.",
    ),
    (
        """
def look_up(corpus, rows, scores):
    found = []
    for row, score in zip(rows, scores):
        if corpus[row] not in [text for text, _ in found]:
            found.append((corpus[row], score))
    return found
""",
        "a text that comes twice is dropped, but row −1 is still looked up.",
    ),
    (" if row >= 0]", "][:len(corpus)]", EACH_ROW),
    ("(corpus[row], score)", "corpus[row]", "each text comes with its score."),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("(corpus[row], score)", "[corpus[row], score]", "The kind of the result is wrong"),
    ("return [", "[", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    ("row >= 0", "row != -1"),
    """
def look_up(corpus, rows, scores):
    found = []
    for row, score in zip(rows, scores):
        if row < 0:
            break
        found.append((corpus[row], score))
    return found
""",
]


def cases(rng: Generator) -> list[tuple]:
    texts = [f"text {i}" for i in range(6)]
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
        (["Yes.", "No.", "Yes."], [2, 0, 1, -1], [0.9, 0.9, 0.1, nothing]),  # two texts alike
        (texts, [3, 5, 0, -1], [0.11, 0.48, 1.3, -nothing]),  # an index of distances: the smallest comes first
        (texts, [4, 2, 0], [0.2, 0.5, 0.9]),
    ]


EXERCISE = Exercise(
    reference=look_up,
    minutes=2,
    difficulty=1,
    hints=(
        "Ask for 3 of 2 texts and print `rows`. What is `corpus[-1]` in Python?",
        "Row −1 means that nothing more was found; to Python it means the last text. Leave such rows out, with "
        "their scores.",
        "Put a condition at the end of the comprehension that lets through rows from 0 on. Beware of `if row`, "
        "which would lose row 0 as well.",
    ),
    proves="rows of −1 are left out with their scores, and row 0, the last row and equal texts stay",
)
