"""votes_to_trust: from how many equal votes on does an answer go out unread?"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def votes_to_trust(votes: Sequence[int], right: Sequence[bool], wanted: float) -> int | None:
    """The smallest number of votes such that, of the answers with at least so many, the share `wanted` is right.

    votes: for each problem, how many samples gave the answer that won; right: was that answer right?
    Only numbers that stand in votes come into question. None if no number does.
    """
    for fewest in sorted(set(votes)):
        kept = [is_right for n, is_right in zip(votes, right, strict=True) if n >= fewest]
        if sum(kept) >= wanted * len(kept):
            return fewest
    return None


ANSWER = """
def votes_to_trust(votes, right, wanted):
    for fewest in sorted(set(votes)):
        kept = [is_right for n, is_right in zip(votes, right) if n >= fewest]
        if sum(kept) / len(kept) >= wanted:
            return fewest
    return None
"""
SHARE = "sum(kept) / len(kept) >= wanted"
SLIPS = [
    ("n >= fewest", "n == fewest", "answers with more votes go out as well: count all with at least so many."),
    ("n >= fewest", "n > fewest", "answers with exactly so many votes go out, too."),
    ("n >= fewest", "n <= fewest", "you keep the answers with few votes; those with many go out."),
    ("sorted(set(votes))", "sorted(set(votes), reverse=True)", "the smallest number counts: it lets most answers out."),
    (SHARE, "sum(kept) / len(kept) > wanted", "exactly the share that is wanted is enough."),
    (SHARE, "sum(kept) / len(votes) >= wanted", "divide by the answers that go out, not by all."),
    ("return None", "return max(votes) + 1", "where no number does, give None."),
    ("sorted(set(votes))", "range(1, max(votes) + 1)", "only numbers that stand in votes come into question."),
]
REFUSED = [("return fewest", "return True", "Expected an int, yours is a bool")]
RIGHT = [
    """
def votes_to_trust(votes, right, wanted):
    def share(fewest):
        kept = [bool(r) for v, r in zip(votes, right) if v >= fewest]
        return sum(kept) / len(kept)

    return min((fewest for fewest in set(votes) if share(fewest) >= wanted), default=None)
""",
]


def cases(rng: Generator) -> list[tuple]:
    votes = [int(number) for number in rng.integers(2, 10, size=40)]
    right = [bool(rng.random() < number / 9) for number in votes]
    return [
        ([9, 9, 5, 4, 2], [True, True, True, False, False], 0.9),
        ([9, 8, 7, 6], [True, True, True, False], 0.75),  # exactly three quarters
        ([9, 5, 5, 3], [False, True, True, True], 0.75),
        ([9, 7, 3], [False, False, True], 0.6),  # never
        ([9, 9, 4, 4], [True, False, True, True], 0.7),
        ([8, 6, 6, 2], [True, True, False, False], 0.9),
        ([5], [True], 1.0),
        (votes, right, 0.6),
        (votes, right, 0.8),
    ]


EXERCISE = Exercise(
    reference=votes_to_trust,
    minutes=4,
    difficulty=2,
    hints=(
        "If answers with six votes go out, do those with nine go out, too?",
        "Try each number that occurs, from the smallest: collect `right` of all answers with at least so many votes, "
        "and compare their share with `wanted`.",
        "`for fewest in sorted(set(votes))`: keep `right` where the votes are at least `fewest`; if "
        "`sum(kept) / len(kept) >= wanted`, return `fewest`. After the loop, None.",
    ),
    proves="the lowest limit that keeps the promise is found, answers above it included, and None where there is none",
)
