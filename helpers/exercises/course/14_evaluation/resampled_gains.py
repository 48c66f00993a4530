"""resampled_gains: which of two metrics agrees better with the raters, and could it be luck of the questions?"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from helpers.exercises.checking.spec import Exercise


def resampled_gains(a: NDArray, b: NDArray, question: NDArray, draws: NDArray) -> NDArray:
    """The mean of a − b over the pairs of each draw of questions.

    a, b: (N,) what two metrics score on the same pairs. question: (N,) the number of each pair's question, 0 to Q − 1.
    draws: (R, D) numbers of questions; each row is one resample, and a question that is drawn twice counts twice.
    →  (R,): per row, the sum of a − b over all pairs of its questions, divided by how many pairs these are.
    """
    gains = np.bincount(question, weights=np.asarray(a, float) - np.asarray(b, float))
    pairs = np.bincount(question)
    return gains[draws].sum(1) / pairs[draws].sum(1)


ANSWER = """
def resampled_gains(a, b, question, draws):
    means = []
    for row in draws:
        gains = np.concatenate([(a - b)[question == drawn] for drawn in row])
        means.append(gains.mean())
    return np.array(means)
"""
GAINS = "np.concatenate([(a - b)[question == drawn] for drawn in row])"
SLIPS = [
    (
        "for drawn in row]",
        "for drawn in set(row.tolist())]",
        "a question that is drawn twice counts twice; a set keeps it once.",
    ),
    (GAINS, "(a - b)[np.isin(question, row)]", "a question that is drawn twice counts twice; a set keeps it once."),
    (
        "(a - b)[question == drawn] for",
        "[(a - b)[question == drawn].mean()] for",
        "questions with more pairs weigh more: take the mean over pairs, not the mean of the questions' means.",
    ),
    (GAINS, "(a - b)[row]", "row holds numbers of questions, not of pairs: draw all pairs of each question."),
    (
        "(a - b)[question == drawn]",
        "np.abs(a - b)[question == drawn]",
        "the sign says who is ahead: take no absolute value.",
    ),
    ("(a - b)[question == drawn]", "(b - a)[question == drawn]", "it is a minus b."),
]
REFUSED = [("return np.array(means)", "return np.array(means).mean()", "")]
RIGHT = [
    """
def resampled_gains(a, b, question, draws):
    questions = int(question.max()) + 1
    times = np.array([np.bincount(row, minlength=questions) for row in draws])[:, question]
    return (times * (a - b)).sum(axis=1) / times.sum(axis=1)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(questions: int, pairs: int, rows: int) -> tuple:
        question = np.concatenate([np.arange(questions), rng.integers(questions, size=pairs - questions)])
        a, b = (rng.choice([0.0, 0.5, 1.0], size=pairs) for _ in range(2))
        return a, b, rng.permutation(question), rng.integers(questions, size=(rows, questions))

    by_hand = (np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 0, 1]))
    return [
        (*by_hand, np.array([[0, 1], [0, 0], [1, 1]])),
        drawn(4, 9, 3),
        drawn(5, 11, 6),
        drawn(2, 7, 4),
        drawn(8, 20, 5),
    ]


EXERCISE = Exercise(
    reference=resampled_gains,
    minutes=6,
    difficulty=2,
    hints=(
        "Which pairs belong to the draw [0, 0, 3], and how often does each of them count?",
        "For each row of draws, collect a − b of all pairs whose question was drawn, once per draw; take the mean.",
        "Two calls of `np.bincount` with the questions' numbers give, for all questions at once, the sum of a − b (by "
        "`weights=`) and how many pairs there are. Index both by `draws`, add up along each row, and divide.",
    ),
    proves="whole questions are drawn, as often as the draw says, and pairs are averaged",
)
