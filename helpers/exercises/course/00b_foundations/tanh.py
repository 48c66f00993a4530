"""tanh: one more operation for the scalar engine, with its local derivative."""

from __future__ import annotations

import math
from collections.abc import Callable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.foundations.minimal import Value


def tanh(x: Value) -> Value:
    """tanh of one number, with its local derivative, 1 − tanh(x)², so that `backward` passes through it.

    x: a Value  →  a new Value whose `parents` is a list with one pair, (x, local derivative)
    """
    t = math.tanh(x.data)
    return Value(t, [(x, 1 - t**2)])


ANSWER = """
def tanh(x):
    t = math.tanh(x.data)
    return Value(t, [(x, 1 - t**2)])
"""
SLIPS = [
    ("1 - t**2", "1 - t", "the derivative is 1 − tanh(x)²: the square is missing."),
    ("1 - t**2", "1 - x.data**2", "you square the input; the derivative needs the square of the output."),
    ("1 - t**2", "t", "the local derivative is not the value itself; it is 1 − tanh(x)²."),
    ("1 - t**2", "1.0", "a local derivative of 1 belongs to a sum; that of tanh is 1 − tanh(x)²."),
    ("[(x, 1 - t**2)]", "[]", "the new value has no parent, so `backward` stops there."),
    ("1 - t**2", "t**2 - 1", "the sign is wrong: tanh rises everywhere, so its derivative is positive."),
    ("Value(t,", "Value(x.data,", "the new value holds x itself; it has to hold tanh(x)."),
]
REFUSED = [
    ("Value(t, [(x, 1 - t**2)])", "t", "It stops with an error when called as"),
    ("[(x, 1 - t**2)]", "(x, 1 - t**2)", "It stops with an error when called as"),
]
RIGHT = [
    ("1 - t**2", "(1 - t) * (1 + t)"),
    ("1 - t**2", "1 / math.cosh(x.data) ** 2"),
    ("[(x, 1 - t**2)]", "((x, 1 - t * t),)"),
]


def drive(tanh: Callable[[Value], Value], number: float, weight: float) -> dict[str, float]:
    """What tanh(weight · x) + x is, and its derivative with respect to x, for which two paths are added."""
    x = Value(number)
    bent = tanh(x * Value(weight))
    result = bent + x
    result.backward()
    return {"value": bent.data, "gradient": x.grad}


def cases(rng: Generator) -> list[tuple]:
    drawn = [(float(number), float(weight)) for number, weight in rng.normal(size=(3, 2)).round(2)]
    return [(0.0, 1.0), (0.7, 2.0), (-1.3, 0.5), (1.0, -1.5), *drawn]


EXERCISE = Exercise(
    reference=tanh,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "What do `__add__` and `__mul__` return?",
        "Like `__mul__`, return a new `Value` with two arguments: the number, and the list of parents, each with its "
        "local derivative. Here there is one parent.",
        "Compute the number from `x.data` with `math.tanh` and keep it. The list of parents holds a single pair: first "
        "`x`, then one minus the square of the number that you kept.",
    ),
    proves="value and derivative are right for both signs and at 0, also where two paths lead back to the same number",
)
