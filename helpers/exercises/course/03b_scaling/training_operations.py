"""training_operations: what a training step costs, counted from the shapes of the matrices."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def training_operations(matrices: list[tuple[int, int]], tokens: int) -> int:
    """Operations to train on so many tokens: forward and backward pass.

    matrices: (rows, columns) of every matrix that a token is multiplied with. A multiplication is one operation and an
    addition is another one. The backward pass needs two products for each product of the forward pass.
    """
    return 6 * tokens * sum(rows * columns for rows, columns in matrices)


ANSWER = """
def training_operations(matrices, tokens):
    numbers = 0
    for rows, columns in matrices:
        numbers += rows * columns
    forward = 2 * numbers * tokens
    backward = 2 * forward
    return forward + backward
"""
FOUR = "you count four operations for each number and token: two on the way forward and four on the way back make six."
SLIPS = [
    (
        "forward = 2 * numbers * tokens",
        "forward = numbers * tokens",
        "each number of a matrix is multiplied with something, and the product is added to a sum: two operations.",
    ),
    (
        "backward = 2 * forward",
        "backward = forward",
        FOUR,
    ),
    ("return forward + backward", "return forward", "that is reading only: add the backward pass."),
    ("return forward + backward", "return backward", FOUR),
    (
        "numbers += rows * columns",
        "numbers += rows + columns",
        "a matrix has rows times columns numbers.",
    ),
    ("forward = 2 * numbers * tokens", "forward = 2 * numbers", "that is one token: multiply by `tokens`."),
    (
        "backward = 2 * forward",
        "backward = 3 * forward",
        "three times the forward pass is all of it: the backward pass alone is twice.",
    ),
]
RIGHT = [
    """
def training_operations(matrices, tokens):
    return sum(6 * tokens * a * b for a, b in matrices)
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for _ in range(4):
        shapes = [(int(a), int(b)) for a, b in rng.integers(2, 200, size=(int(rng.integers(2, 9)), 2))]
        drawn.append((shapes, int(rng.integers(2, 2000))))
    return [([(4, 3)], 1), ([(4, 3), (3, 4)], 10), *drawn]


EXERCISE = Exercise(
    reference=training_operations,
    minutes=2,
    difficulty=1,
    hints=(
        "A vector of 3 numbers is multiplied with a matrix of 4 rows and 3 columns. How many multiplications are "
        "there, and how many additions?",
        "One token costs 2 · rows · columns in each matrix on the way forward, and twice as much on the way back. How "
        "many operations is that together?",
        "Add up rows · columns over all matrices. That many multiplications and as many additions make the forward "
        "pass of one token; the whole step takes three times as much, "
        "because the way back costs twice the way forward, and this for each of the tokens.",
    ),
    proves="it counts the forward pass, the backward pass, every matrix and every token",
)
