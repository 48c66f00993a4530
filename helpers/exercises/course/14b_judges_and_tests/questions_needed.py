"""questions_needed: how many questions tell a gain from luck, if both systems answer the same ones?"""

from __future__ import annotations

from math import ceil

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise


def questions_needed(gain: float, discordance: float, errors: float = 2.8) -> int:
    """The fewest questions for which the gain is at least `errors` standard errors of its mean.

    gain: the true difference of both shares of right answers, such as 0.03. discordance: the share of questions that
    exactly one system gets right, at least |gain|. Each question gives +1, −1 or 0. Raises ValueError for no gain.
    """
    if gain == 0:
        raise ValueError("No number of questions shows a gain that is not there.")
    variance = discordance - gain**2
    return max(1, ceil(errors**2 * variance / gain**2))


ANSWER = """
from math import ceil


def questions_needed(gain, discordance, errors=2.8):
    if gain == 0:
        raise ValueError("there is no gain")
    variance = discordance - gain**2
    return ceil(errors**2 * variance / gain**2)
"""
SLIPS = [
    (
        "discordance - gain**2",
        "discordance",
        "the variance is the mean of the squares minus the square of the mean, gain².",
    ),
    (
        "discordance - gain**2",
        "discordance * (1 - discordance)",
        "a question gives +1, −1 or 0; its mean is the gain, not the discordance.",
    ),
    ("discordance - gain**2", "discordance - gain", "the square of the mean is gain², not the gain."),
    (
        "ceil(errors**2 * variance / gain**2)",
        "int(errors**2 * variance / gain**2)",
        "round up: with one question fewer it is not enough.",
    ),
    (
        "errors**2 * variance",
        "errors * variance",
        "the standard error falls with the square root of n, so `errors` is squared.",
    ),
    ("/ gain**2)", "/ abs(gain))", "the standard error falls with the square root of n, so divide by gain²."),
    ("errors**2 * variance / gain**2", "errors * variance**0.5 / abs(gain)", "this is √n: square it."),
]
RIGHT = [
    """
import math


def questions_needed(gain, discordance, errors=2.8):
    if not gain:
        raise ValueError("there is no gain")
    spread = math.sqrt(discordance - gain * gain)
    return math.ceil((errors * spread / gain) ** 2)
""",
]


def cases(rng: Generator) -> list[tuple]:
    gain = round(float(rng.uniform(0.021, 0.049)), 3)
    return [
        (0.03, 0.15),
        (0.03, 0.15, 2.8),
        (-0.03, 0.15),
        (gain, 0.2),
        (gain, 0.1, 1.96),
        (0.08, 0.3),
        (0.3, 0.37, 2.0),
        (0.2, 0.25, 3.1),
    ]


EXERCISE = Exercise(
    reference=questions_needed,
    minutes=5,
    difficulty=2,
    hints=(
        "What is the variance of a number that is +1, −1 or 0?",
        "The mean square is the discordance, so the variance is discordance − gain². The standard error of a mean of n "
        "is √(variance / n).",
        "The gain has to be `errors` times √(variance / n). Solved for n: errors² · (discordance − gain²) / gain², "
        "rounded up with `math.ceil`. Raise a ValueError for a gain of 0.",
    ),
    raises=[BadInput((0.0, 0.15), ValueError, "no number of questions shows a gain that is not there")],
    proves="the number of questions grows with the discordance and with one over the square of the gain",
)
