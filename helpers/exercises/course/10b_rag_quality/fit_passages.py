"""fit_passages: the best passages that a prompt has room for, whole, with the reply's room kept free."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise


def fit_passages(lengths: Sequence[int], budget: int, question: int, reply: int) -> list[int]:
    """Which passages stand in the prompt: whole ones, the best first, as long as there is room. Numbers from 0.

    lengths: tokens of each passage, the best passage first; budget: tokens of everything together, the question with
    its instructions (`question` tokens), the passages, and the answer to come (`reply` tokens kept free)
    A passage that does not fit is left out; a later, shorter one may still get in.
    Raises ValueError where question and reply alone are more than the budget.
    """
    room = budget - question - reply
    if room < 0:
        raise ValueError(f"Question and reply take {question + reply} tokens, and the budget is {budget}.")
    chosen = []
    for number, length in enumerate(lengths):
        if length <= room:
            chosen.append(number)
            room -= length
    return chosen


SHORT_FIRST = ("enumerate(lengths)", "sorted(enumerate(lengths), key=lambda pair: pair[1])")
BEST_LEFT_OUT = "short ones first fits more, but the best one may be left out."
SLIPS = [
    (
        "room -= length",
        """room -= length
        else:
            break""",
        "you stop at the first that does not fit; a later, shorter one may still get in.",
    ),
    (" - reply", "", "no room is kept for the reply, so the answer would be cut off."),
    (" - question", "", "the question's tokens are not counted."),
    (" - question - reply", "", "neither question nor reply is counted; passages get what is left by them."),
    ("<= room", "< room", "a passage that fills the room exactly fits: `<=`."),
    ("            room -= length\n", "", "the room does not get smaller when a passage takes its part."),
    ("length <= room", "room > 0", "the passage that does not fit gets in; the prompt is too long."),
    (*SHORT_FIRST, BEST_LEFT_OUT),
    ([SHORT_FIRST, ("return chosen", "return sorted(chosen)")], BEST_LEFT_OUT),
    (
        "enumerate(lengths)",
        "sorted(enumerate(lengths), key=lambda pair: -pair[1])",
        "the order is that of rank, not of length.",
    ),
    ("enumerate(lengths)", "reversed(list(enumerate(lengths)))", "you begin with the worst passage."),
    ("return chosen", "return [lengths[i] for i in chosen]", "give the passages' numbers, not their lengths."),
    ("return chosen", "return len(chosen)", "give the numbers of the passages, not how many they are."),
    ("enumerate(lengths)", "enumerate(lengths, start=1)", "numbers begin with 0."),
]
REFUSED = [
    ("raise ValueError", "return []  # ", "should raise ValueError, because question and reply alone"),
    ("raise ValueError", "raise AssertionError", "it raises AssertionError"),
]
RIGHT = [
    """
def fit_passages(lengths, budget, question, reply):
    if question + reply > budget:
        raise ValueError(f"{question} + {reply} > {budget}")
    used, numbers = question + reply, []
    for i in range(len(lengths)):
        if used + lengths[i] > budget:
            continue
        used += lengths[i]
        numbers += [i]
    return numbers
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int) -> list[int]:
        return rng.integers(40, 260, size=n).tolist()

    return [
        ([200, 180, 90, 60], 512, 100, 40),
        ([300, 120, 500, 80, 60], 400, 60, 40),  # the best one fills it
        ([350, 120, 500, 80, 60], 400, 60, 40),  # even the best one may be left out
        (drawn(10), 1024, 90, 48),
        (drawn(20), 2048, 130, 64),
        ([100, 100, 100], 340, 100, 40),  # exactly full
        ([100, 100, 101], 340, 100, 40),
        ([500, 600], 400, 100, 40),  # none fits
        ([10, 5], 150, 100, 50),  # no room at all
        ([], 300, 100, 40),
        ([50] * 6, 300, 20, 100),
    ]


EXERCISE = Exercise(
    reference=fit_passages,
    minutes=5,
    difficulty=2,
    raises=[
        BadInput(([20, 30], 100, 80, 40), ValueError, "question and reply alone take 120 of 100 tokens"),
        BadInput(([], 60, 61, 0), ValueError, "the question alone takes 61 of 60 tokens"),
    ],
    hints=(
        "The model's context holds what it reads *and* what it writes. How much is left for passages?",
        "Start with the room that question and reply leave. Go through the passages in order; take one if it fits "
        "into what is left, and then less is left. One that does not fit is passed over, and you go on.",
        "`enumerate(lengths)` gives number and length. Compare the length with the room by `<=`, so that a passage "
        "that fills it exactly gets in. Use no `break`. Before the loop: where the room is below 0, raise a "
        "ValueError that says so.",
    ),
    proves="the reply's room is kept, whole passages only, and shorter ones behind a long one still get in",
)
