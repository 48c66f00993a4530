"""step_seconds: what one step of a batch costs. The weights are read once, however many rows there are."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def step_seconds(rows: int, weight_bytes: float, bytes_per_second: float, seconds_per_row: float) -> float:
    """Seconds of one step: all weights are read from memory, and then each row is computed with them.

    rows: requests that get their next token at this step. bytes_per_second: how fast weights are read.
    """
    return weight_bytes / bytes_per_second + rows * seconds_per_row


ANSWER = """
def step_seconds(rows, weight_bytes, bytes_per_second, seconds_per_row):
    reading = weight_bytes / bytes_per_second
    computing = rows * seconds_per_row
    return reading + computing
"""
READING = "reading = weight_bytes / bytes_per_second"
SLIPS = [
    (
        READING,
        "reading = rows * weight_bytes / bytes_per_second",
        "the weights are still read once per row: a step reads them once for all rows.",
    ),
    (
        "return reading + computing",
        "return rows * (reading + computing)",
        "this multiplies by the rows twice, and reads the weights once per row.",
    ),
    ("computing = rows * seconds_per_row", "computing = seconds_per_row", "each row has to be computed: rows times."),
    (READING, "reading = bytes_per_second / weight_bytes", "bytes divided by bytes per second are seconds."),
    (
        READING,
        "reading = weight_bytes / bytes_per_second / rows",
        "that is each row's share of the reading; the step takes all of it.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("return reading + computing", "return reading", "Expected")]
RIGHT = [
    """
def step_seconds(rows, weight_bytes, bytes_per_second, seconds_per_row):
    return sum([seconds_per_row] * rows, start=weight_bytes / bytes_per_second)
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [
        (
            int(rng.integers(2, 40)),
            float(rng.uniform(1e8, 1e9)),
            float(rng.uniform(5e9, 5e10)),
            float(rng.uniform(1e-3, 0.02)),
        )
        for _ in range(4)
    ]
    return [(1, 538e6, 10e9, 0.005), (16, 538e6, 10e9, 0.005), (32, 135e6, 20e9, 0.0), *drawn]


EXERCISE = Exercise(
    reference=step_seconds,
    minutes=2,
    difficulty=1,
    hints=(
        "What does the function say about 16 rows whose own work takes no time at all? What should it say?",
        "A step is one pass of the model over all rows together. How often does it fetch the weights from memory?",
        "The reading takes `weight_bytes / bytes_per_second`, whatever `rows` is; only the computing grows with it.",
    ),
    proves="the weights are read once per step, and each row adds its own computing",
)
