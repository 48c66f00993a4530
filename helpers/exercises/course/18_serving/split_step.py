"""split_step: what a step of a batch is made of. A fixed part, a part per row, and where they meet."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def split_step(one: float, many: float, rows: int) -> tuple[float, float, float]:
    """What a step is made of: (fixed seconds, seconds per row, number of rows for which both parts take as long).

    A step with n rows takes fixed + n · seconds per row. one: seconds of a step with 1 row; many: of a step with `rows`
    rows, 2 or more. The number of rows need not be whole.
    """
    per_row = (many - one) / (rows - 1)
    fixed = one - per_row
    return fixed, per_row, fixed / per_row


ANSWER = """
def split_step(one, many, rows):
    per_row = (many - one) / (rows - 1)
    fixed = one - per_row
    crossing = fixed / per_row
    return fixed, per_row, crossing
"""
SLIPS = [
    (
        "(many - one) / (rows - 1)",
        "(many - one) / rows",
        "between the two steps lie `rows` − 1 more rows, since the shorter one has a row as well.",
    ),
    (
        "(many - one) / (rows - 1)",
        "many / rows",
        "that gives each row a share of the fixed part: subtract the two steps first, so that it drops out.",
    ),
    ("fixed = one - per_row", "fixed = one", "a step with 1 row contains that row's own work, too: subtract it."),
    ("fixed = one - per_row", "fixed = many - per_row", "a step with many rows contains the work of all of them."),
    (
        "crossing = fixed / per_row",
        "crossing = per_row / fixed",
        "the crossing is the n for which n · per_row equals fixed: the quotient is the other way round.",
    ),
    (
        "crossing = fixed / per_row",
        "crossing = one / per_row",
        "at the crossing the rows' work equals the fixed part, not the whole step with 1 row.",
    ),
    (
        "return fixed, per_row, crossing",
        "return per_row, fixed, crossing",
        "the fixed part comes first, then the part per row.",
    ),
]
PLANTED = SLIPS[2]
REFUSED = [("return fixed, per_row, crossing", "return fixed, per_row", "")]
RIGHT = [
    """
def split_step(one, many, rows):
    fixed = (rows * one - many) / (rows - 1)
    return fixed, one - fixed, fixed / (one - fixed)
""",
]


def cases(rng: Generator) -> list[tuple]:
    found = [(0.053, 0.173, 16), (0.06, 0.07, 2), (0.05, 0.08, 4)]
    for rows in (3, 8, 32):
        fixed, per_row = float(rng.uniform(0.02, 0.2)), float(rng.uniform(1e-3, 0.02))
        found.append((fixed + per_row, fixed + rows * per_row, rows))
    return found


EXERCISE = Exercise(
    reference=split_step,
    minutes=2,
    difficulty=1,
    hints=(
        "Write the formula down twice, for 1 row and for `rows` rows. Which part drops out if you subtract the two?",
        "The difference of the two steps is the work of `rows` − 1 rows. A step with 1 row is the fixed part and the "
        "work of one row.",
        "`(many - one) / (rows - 1)` is the time per row; subtract it once from `one` to get the fixed part. Both "
        "parts are equal where n · per_row = fixed.",
    ),
    proves="two steps give the fixed part and the part per row, and where a batch becomes compute-bound",
)
