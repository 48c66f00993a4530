"""rank_for_budget: the largest rank whose adapter file stays within a budget."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def rank_for_budget(sizes: Sequence[tuple[int, int]], budget: int, bytes_per_number: int = 2) -> int:
    """The largest rank at which A and B of all these matrices take at most `budget` bytes; 0 if rank 1 takes more.

    sizes: (in, out) of each corrected matrix. No rank is larger than the smallest side of any of the matrices.
    """
    one = bytes_per_number * sum(n_in + n_out for n_in, n_out in sizes)
    return min(budget // one, *(min(size) for size in sizes))


ANSWER = """
def rank_for_budget(sizes, budget, bytes_per_number=2):
    bytes_per_rank = bytes_per_number * sum(n_in + n_out for n_in, n_out in sizes)
    largest = min(min(size) for size in sizes)
    return min(budget // bytes_per_rank, largest)
"""
SLIPS = [
    ("budget // bytes_per_rank", "budget / bytes_per_rank", "a rank is a whole number: divide with `//`."),
    ("bytes_per_number * sum", "2 * sum", "`bytes_per_number` is not used: a number does not always take two bytes."),
    (
        "sum(n_in + n_out for n_in, n_out in sizes)",
        "sum(sizes[0])",
        "only the first matrix is counted: sum over all of them.",
    ),
    (
        "sum(n_in + n_out for n_in, n_out in sizes)",
        "len(sizes) * sum(sizes[0])",
        "the matrices are not all of the size of the first one: sum over all of them.",
    ),
    (
        "min(budget // bytes_per_rank, largest)",
        "min(round(budget / bytes_per_rank), largest)",
        "`round` can go up, which is over the budget: round down with `//`.",
    ),
    (
        "budget // bytes_per_rank",
        "(budget - 1) // bytes_per_rank",
        "at most the budget: a file of exactly that size fits, too.",
    ),
    ("n_in + n_out", "n_in * n_out", "that is the size of the matrix itself; A and B together have rank · (in + out)."),
    ("n_in + n_out", "n_in", "only A is counted; B has rank · out numbers."),
    ("n_in + n_out", "n_out", "only B is counted; A has rank · in numbers."),
    ("bytes_per_number * sum", "sum", "you count numbers; the budget is in bytes."),
    ("n_in + n_out", "2 * max(n_in, n_out)", "not all matrices are square: A has rank · in, B rank · out."),
    (
        "min(budget // bytes_per_rank, largest)",
        "budget // bytes_per_rank",
        "no rank exceeds the smallest side of a matrix.",
    ),
    (
        "min(min(size) for size in sizes)",
        "max(min(size) for size in sizes)",
        "the narrowest of all the matrices sets the limit.",
    ),
    (
        "min(min(size) for size in sizes)",
        "min(size[0] for size in sizes)",
        "only the inputs limit your rank; the outputs do, too.",
    ),
    (
        "min(budget // bytes_per_rank, largest)",
        "min(max(1, budget // bytes_per_rank), largest)",
        "where rank 1 does not fit, the answer is 0.",
    ),
    ("budget // bytes_per_rank", "-(-budget // bytes_per_rank)", "you round up, which is over the budget: round down."),
]
RIGHT = [
    """
def rank_for_budget(sizes, budget, bytes_per_number=2):
    rank = 0
    limit = min(side for size in sizes for side in size)
    while rank < limit and bytes_per_number * (rank + 1) * sum(map(sum, sizes)) <= budget:
        rank += 1
    return rank
""",
]
ATTENTION = [(576, 576), (576, 192), (576, 192), (576, 576)]
FEED_FORWARD = [(576, 1536), (576, 1536), (1536, 576)]


def cases(rng: Generator) -> list[tuple]:
    wide = [(int(a), int(b)) for a, b in rng.integers(200, 900, size=(5, 2))]
    return [
        ([(10, 30)], 2 * 3 * 40, 2),  # to the byte
        ([(10, 30)], 2 * 3 * 40 - 1, 2),
        ([(10, 30)], 4 * 3 * 40, 4),
        ([(10, 30), (20, 12)], 700, 2),
        ([(40, 8), (50, 60)], 1_000_000, 2),  # the narrowest matrix is the limit
        ([(8, 40)], 1_000_000, 4),
        (ATTENTION, 100, 2),  # not even rank 1
        (wide, 100_000, 2),
        (30 * (ATTENTION + FEED_FORWARD), 5_000_000, 2),
        (30 * ATTENTION, 5_000_000, 2),
        (30 * FEED_FORWARD, 5_000_000, 2),
        (30 * FEED_FORWARD, 5_000_000, 4),
    ]


EXERCISE = Exercise(
    reference=rank_for_budget,
    minutes=3,
    difficulty=1,
    hints=(
        "How many numbers does one more rank add to a matrix of 576 by 1,536?",
        "A gets one more row of `in` numbers and B one more column of `out` numbers, in each of the matrices."
        " That is the price of one rank.",
        "Sum in + out over all matrices and multiply by the bytes of one number: the price of one rank. The "
        "budget divided by it, rounded down, is the rank; take the smaller of it and of the smallest side of "
        "any matrix.",
    ),
    proves="the price of a rank over unequal matrices, to the byte, and the limits at both ends",
)
