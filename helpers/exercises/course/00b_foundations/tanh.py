"""tanh: one more operation for the scalar engine, with its local derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.foundations.minimal import Value


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
NO_PAIRS = "`parents` is a list of pairs, `[(x, local derivative)]`, also where there is only one."
SLIPS = [
    ("1 - t**2", "1 - t", "the derivative is 1 − tanh(x)²: the square is missing."),
    ("1 - t**2", "1 - x.data**2", "you square the input; the derivative needs the square of the output."),
    ("1 - t**2", "t", "the local derivative is not the value itself; it is 1 − tanh(x)²."),
    ("1 - t**2", "1.0", "a local derivative of 1 belongs to a sum; that of tanh is 1 − tanh(x)²."),
    ("[(x, 1 - t**2)]", "[]", "the new value has no parent, so `backward` stops there."),
    ("1 - t**2", "t**2 - 1", "the sign is wrong: tanh rises everywhere, so its derivative is positive."),
    ("Value(t,", "Value(x.data,", "the new value holds x itself; it has to hold tanh(x)."),
    (
        "1 - t**2",
        "(1 - t**2) * x.grad",
        "`x.grad` is still 0 when tanh runs. Store the local derivative; `backward` multiplies it later.",
    ),
    ("(x, 1", "(Value(x.data), 1", "the parent is a copy of x, so `x` itself never gets a gradient: store `x`."),
    ("Value(t, [(x, 1 - t**2)])", "t", "it returns a plain number; wrap it: `Value(number, parents)`."),
    ("[(x, 1 - t**2)]", "(x, 1 - t**2)", NO_PAIRS),
    ("[(x, 1 - t**2)]", "[x, 1 - t**2]", NO_PAIRS),
    ("(x, 1 - t**2)", "(1 - t**2, x)", "the pair is in the wrong order: first the parent, then its local derivative."),
    (
        """
def tanh(x):
    x.data = math.tanh(x.data)
    return x
""",
        "you change `x` and return it; the engine needs a new Value that has `x` as its parent.",
    ),
    ("math.tanh(x.data)", "math.tanh(x)", "`math.tanh` takes a number, and `x` is a Value: the number is `x.data`."),
]
REFUSED = [
    ("[(x, 1 - t**2)]", "[(x, 1 - t**2), (x, 1 - t**2)]", "Expected 1 item at"),
]
RIGHT = [
    ("1 - t**2", "(1 - t) * (1 + t)"),
    ("1 - t**2", "1 / math.cosh(x.data) ** 2"),
    ("[(x, 1 - t**2)]", "((x, 1 - t * t),)"),
]


def drive(tanh: Callable[[Value], Value], x: float) -> dict[str, Any]:
    """What `tanh` returns for `x`, and the derivative of 3 · tanh(x) + x, to which two paths lead."""
    start = Value(x)
    bent = tanh(start)
    if not isinstance(bent, Value):
        raise TypeError(f"tanh returned {type(bent).__name__} where the engine needs a Value")
    told = {"data": bent.data, "parents": _named(bent.parents, start), "x afterwards": start.data}
    (bent * Value(3.0) + start).backward()
    return {**told, "x.grad after (tanh(x) * Value(3.0) + x).backward()": start.grad}


def _named(parents: Any, start: Value) -> list[str]:
    """Of each pair of a Value and a number, whose Value it is; TypeError that shows what is there instead."""
    for pair in parents:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], Value)):
            shown = ", ".join(type(part).__name__ for part in pair) if isinstance(pair, list | tuple) else ""
            there = f"({shown})" if shown else type(pair).__name__
            raise TypeError(f"`parents` holds {there} where a pair (Value, number) should stand")
    return ["x" if value is start else "another Value" for value, _ in parents]


def cases(rng: Generator) -> list[tuple]:
    return [(0.7,), (0.0,), (-1.3,), (1.0,), *((float(number),) for number in rng.normal(size=3).round(2))]


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
