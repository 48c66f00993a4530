"""first_wrong_line: a chain of steps is as good as its first false one."""

from __future__ import annotations

import re

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def first_wrong_line(trace: str) -> str | None:
    """The first line of a reply whose arithmetic is false, as it is written there; None where there is none.

    A line is checked if it ends with a calculation of two whole numbers, such as "Rolls: 4 × 6 = 24"; the signs are
    × / + -. A division is false if it leaves a remainder. All other lines are passed over.
    """
    for line in trace.splitlines():
        found = re.search(r"(-?\d+) ([×/+-]) (\d+) = (-?\d+)$", line)
        if not found:
            continue
        left, right, result = int(found[1]), int(found[3]), int(found[4])
        holds = {
            "×": left * right == result,
            "/": right != 0 and right * result == left,
            "+": left + right == result,
            "-": left - right == result,
        }
        if not holds[found[2]]:
            return line
    return None


ANSWER = r"""
def first_wrong_line(trace):
    for line in trace.splitlines():
        found = re.search(r"(-?\d+) ([×/+-]) (\d+) = (-?\d+)$", line)
        if found:
            left, sign, right, result = found.groups()
            left, right, result = int(left), int(right), int(result)
            if sign == "/":
                holds = result * right == left and right != 0
            elif sign == "×":
                holds = left * right == result
            else:
                holds = (left + right if sign == "+" else left - right) == result
            if not holds:
                return line
    return None
"""
DIVIDED = "holds = result * right == left and right != 0"
SLIPS = [
    (DIVIDED, "holds = right != 0 and left // right == result", "44 / 9 = 4 leaves a remainder, so it is false."),
    (DIVIDED, "holds = right != 0 and round(left / right) == result", "44 / 9 = 5 leaves a remainder: it is false."),
    (r"= (-?\d+)$", r"= (-?\d)", "only the first digit of a result is read in yours: 6 × 4 = 20 has the result 20."),
    (r"= (-?\d+)$", r"= (\d+)$", "3 - 5 = -2 is right, and 3 - 5 = -3 is false: a result may have a minus sign."),
    (
        [
            ("    for line in", "    wrong = None\n    for line in"),
            ("return line\n    return None", "wrong = line\n    return wrong"),
        ],
        "the last false line is given; the first one counts.",
    ),
    ("return line\n", "return line.partition(': ')[2]\n", "give the whole line, with what stands before the colon."),
    (
        "            if not holds:\n                return line\n    return None",
        "            return None if holds else line\n    return None",
        "yours ends at the first line that it checks; the next one may be false.",
    ),
]
REFUSED = [("return line\n", "return found[0]\n", "Expected")]
RIGHT = [
    r"""
def first_wrong_line(trace):
    for line in trace.split("\n"):
        found = re.search(r"(-?\d+) (.) (\d+) = (-?\d+)$", line)
        if found is None or found[2] not in "×/+-":
            continue
        a, b, c = int(found[1]), int(found[3]), int(found[4])
        results = {"×": [a * b], "+": [a + b], "-": [a - b], "/": [a // b] if b and a % b == 0 else []}
        if c not in results[found[2]]:
            return line
""",
]


def cases(rng: Generator) -> list[tuple]:
    a, b = (int(number) for number in rng.integers(3, 10, size=2))
    c = int(rng.integers(1, 9))
    right, less = f"Rolls: {a} × {b} = {a * b}", f"Good rolls: {a * b} - {c} = {a * b - c}"
    return [
        (f"{right}\n{less}\nAnswer: {a * b - c}",),
        (f"{right}\nGood rolls: {a * b} - {c} = {a * b - c + 1}\nAnswer: {a * b - c + 1}",),
        (f"Rolls: {a} × {b} = {a * b + 10}\nGood rolls: {a * b + 10} - {c} = {a * b + 10 + c}\nAnswer: 3",),
        (f"{right}\nBags: {a * b} / {b} = {a}\nAnswer: {a}",),
        ("Stacks: 44 / 9 = 5\nAnswer: 5",),
        ("Stacks: 44 / 9 = 4\nAnswer: 4",),
        ("Sacks: 12 / 0 = 12",),
        ("Missing: 3 - 5 = -2",),
        (f"{right}\nMissing: 3 - 5 = -3",),
        ("Then: -2 + 5 = 3\nThen: -2 + 5 = 7",),
        ("Rolls: 6 × 4 = 20\nAnswer: 20",),
        (f"Let us think.\n{right}\nThat is a lot.\nTogether: 9 + 9 = 99\nAnswer: 99",),
        ("I cannot say.",),
        ("",),
    ]


EXERCISE = Exercise(
    reference=first_wrong_line,
    minutes=5,
    difficulty=2,
    hints=(
        "Which lines of a reply can be checked at all, and how do you check a division without rounding?",
        "Go through the lines in their order. A regular expression finds two numbers, the sign between them and the "
        "result; work the result out and compare. Leave at the first line that does not agree.",
        r"`re.search(r\"(-?\d+) ([×/+-]) (\d+) = (-?\d+)$\", line)` gives the four parts as texts: turn three of them "
        "into numbers. A division holds if result × right is left (and right is not 0). After the loop, return None.",
    ),
    proves="the first false line is found, remainders, minus signs and lines without a calculation included",
)
