"""final_answer: a reply is full of numbers, and the one that counts follows the last "answer"."""

from __future__ import annotations

import re

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.prompting.voting import final_answer

ANSWER = r"""
def final_answer(text):
    numbers = re.findall(r"answer[^\d-]*(-?\d[\d,]*)", text, re.IGNORECASE)
    numbers = numbers or re.findall(r"-?\d[\d,]*", text)
    return int(numbers[-1].replace(",", "")) if numbers else None
"""
BEHIND = r'numbers = re.findall(r"answer[^\d-]*(-?\d[\d,]*)", text, re.IGNORECASE)'
ALL = r'numbers or re.findall(r"-?\d[\d,]*", text)'
FIRST = "the first number counts in yours, and that is one of the story; the one that follows the last “answer” counts."
COMMA = "a comma ends the number in yours: 1,200 is one number."
LAST = "the last number of all counts in yours; the one right behind the last “answer” counts."
SLIPS = [
    (
        r"""
def final_answer(text):
    found = re.search(r"\d+", text)
    return int(found[0]) if found else None
""",
        FIRST,
    ),
    ("numbers[-1]", "numbers[0]", FIRST),
    (BEHIND, "numbers = []", LAST),
    (BEHIND, BEHIND.replace("answer", "answer: "), "“The answer is 7” has no colon."),
    (BEHIND, BEHIND.replace(", re.IGNORECASE", ""), "“Answer” may begin with a capital letter: ignore the case."),
    (
        [(BEHIND, BEHIND.replace(r"\d[\d,]*", r"\d+")), (ALL, ALL.replace(r"\d[\d,]*", r"\d+"))],
        COMMA,
    ),
    (ALL, "numbers", "a reply without the word “answer” may still end with a number: take the last one."),
    (
        [
            (BEHIND, BEHIND.replace(r"[^\d-]*(-?\d", r"\D*(\d")),
            (ALL, ALL.replace("-?", "")),
        ],
        "the minus sign is lost: −5 is a number, too.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    (" if numbers else None", "", "It stops with an error"),
    ('int(numbers[-1].replace(",", ""))', 'numbers[-1].replace(",", "")', "The kind of the result is wrong"),
]
RIGHT = [
    r"""
def final_answer(text):
    place = text.lower().rfind("answer")
    behind = re.findall(r"-?[\d,]*\d", text[place:]) if place >= 0 else []
    if behind:
        return int(behind[0].replace(",", ""))
    numbers = re.findall(r"-?[\d,]*\d", text)
    return int(numbers[-1].replace(",", "")) if numbers else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    a, b = (int(number) for number in rng.integers(3, 10, size=2))
    thousands = f"{int(rng.integers(1, 9))},{int(rng.integers(100, 999))}"
    return [
        (f"Rolls: {a} × {b} = {a * b}\nAnswer: {a * b}",),
        (f"Rolls: {a} × {b} = {a * b}\nGood rolls: {a * b} - 2 = {a * b - 2}\nAnswer: {a * b - 2} rolls",),
        (f"Answer: {thousands}",),
        (f"There are {a} shelves. The answer is {thousands}.",),
        (f"First I take {a}, then {b}, which makes {a + b}",),
        (f"Answer: {a}. Let me check this: {a} - 1 = {a - 1}, so it holds.",),
        (f"Answer: {a}\nThat was wrong.\nANSWER: {b + 10}",),
        (f"So the answer is {a}, since {a} + {b} is {a + b}.",),
        ("The answer is **-5**.",),
        ("It is -12",),
        ("I cannot say.",),
        ("",),
    ]


EXERCISE = Exercise(
    reference=final_answer,
    minutes=2,
    difficulty=1,
    hints=(
        "Which number of “4 × 6 = 24, Answer: 24 rolls” does the function give? Which one should it give?",
        "`re.findall` gives all numbers, `re.search` the first. Look right behind the word “answer” first, in capitals "
        "or not, and only if nothing stands there among all numbers.",
        '`re.findall(r"answer[^\\d-]*(-?\\d[\\d,]*)", text, re.IGNORECASE)` gives the number behind each “answer”. '
        r"Take the last, without its commas. If the list is empty, use `-?\d[\d,]*` on the whole text.",
    ),
    proves="the number behind the last “answer” counts, commas, signs and units around it or not, or else the last",
)
