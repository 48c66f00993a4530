"""majority: the answer that most samples give; of several, the one that came first; no answer is no vote."""

from __future__ import annotations

from collections import Counter

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise
from helpers.old.prompting.voting import majority

ANSWER = """
def majority(answers):
    if not answers:
        raise ValueError("There is nothing to vote on.")
    votes = Counter(answer for answer in answers if answer is not None)
    return votes.most_common(1)[0][0] if votes else None
"""
VOTES = "Counter(answer for answer in answers if answer is not None)"
BEST = "votes.most_common(1)[0][0] if votes else None"
FIRST = "where several have the most votes, the one that came first wins."
SLIPS = [
    (VOTES, "Counter(answers)", "None votes in yours: a reply without a number has no answer."),
    (VOTES, "Counter(answer for answer in answers if answer)", "0 is an answer like any other; only None is none."),
    (BEST, "max(votes, key=lambda answer: (votes[answer], answer)) if votes else None", FIRST),
    (BEST, "max(reversed(votes), key=votes.get) if votes else None", FIRST),
    (BEST, "min(votes, key=votes.get) if votes else None", "yours takes the rarest answer."),
    (BEST, "max(votes) if votes else None", "yours takes the largest number, not the most frequent one."),
    (BEST, "sorted(votes.elements())[len(list(votes.elements())) // 2] if votes else None", "yours is the median."),
    (
        BEST,
        "next((a for a, n in votes.items() if 2 * n > len(answers)), None)",
        "more than half is not needed: the most frequent answer wins.",
    ),
]
REFUSED = [
    (BEST, "votes.most_common(1)[0] if votes else None", "The kind of the result is wrong"),
    ('raise ValueError("There is nothing to vote on.")', "return None", "ValueError"),
]
RIGHT = [
    (BEST, "max(votes, key=votes.get, default=None)"),
    """
def majority(answers):
    if len(answers) == 0:
        raise ValueError("nobody voted")
    best, most = None, 0
    for answer in answers:
        if answer is not None and answers.count(answer) > most:
            best, most = answer, answers.count(answer)
    return best
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [int(number) for number in rng.integers(1, 6, size=9)]
    return [
        ([24, 18, 24],),
        ([18, 24, 24],),
        ([20, 7, 7, 20, 3],),  # a tie: 20 came first
        ([7, 20, 20, 7],),
        ([None, None, None, 5],),
        ([0, 0, 3],),
        ([None, 4, 9, 9, None],),
        ([None, None],),
        ([12],),
        ([1, 30, 30, 2, 3, 4, 5],),  # two of seven are enough
        (drawn,),
    ]


EXERCISE = Exercise(
    reference=majority,
    minutes=3,
    difficulty=1,
    hints=(
        "What should [20, 7, 7, 20] give, and what [None, None, 5]?",
        "Leave None out, count the others, and take the most frequent. A dict and a Counter keep the order in which "
        "things came, and `max` takes the first of several.",
        "`Counter(…)` counts, and `max(votes, key=votes.get, default=None)` gives the most frequent answer, the first "
        "of several, and None if nothing was counted. Raise a ValueError for an empty list before that.",
    ),
    raises=[BadInput(([],), ValueError, "nobody has voted")],
    proves="the most frequent answer wins, the first of several, and no answer is no vote",
)
