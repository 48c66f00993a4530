"""reader_waits: does a streamed text stay ahead of its reader? A late piece matters only to a reader without text."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def reader_waits(arrivals: list[float], pace: float) -> float:
    """Seconds that a reader has to wait, all in all, while a reply is being written.

    arrivals: when each piece of the text arrived, in seconds; one or more. pace: pieces that the reader takes in per
    second, beginning when the first one is there. So the reader wants piece k, counted from 0, k / pace seconds after
    the first. The wait is the largest delay of a piece behind that moment, 0 if none is late.
    """
    return max(at - arrivals[0] - k / pace for k, at in enumerate(arrivals))


ANSWER = """
def reader_waits(arrivals, pace):
    longest = 0.0
    for k in range(1, len(arrivals)):
        wanted = arrivals[0] + k / pace
        longest = max(longest, arrivals[k] - wanted)
    return longest
"""
WANTED = "arrivals[0] + k / pace"
SLIPS = [
    (
        WANTED,
        "arrivals[k - 1] + 1 / pace",
        "each gap is judged by itself; a reader who still has text does not wait, and small delays add up.",
    ),
    (WANTED, "k / pace", "the reader begins when the first piece is there, not when the clock shows 0."),
    (
        WANTED,
        "arrivals[0] + k * pace",
        "`pace` is pieces per second, so k pieces take k / pace seconds, not k · pace.",
    ),
    (
        WANTED,
        "arrivals[0] + (k + 1) / pace",
        "the first piece, number 0, is there when the reader begins; piece k is wanted k / pace seconds later.",
    ),
    (
        "longest = max(longest, arrivals[k] - wanted)",
        "longest = arrivals[k] - wanted",
        "only the last piece counts here; any piece may be the one that is most late.",
    ),
    (
        "longest = max(longest, arrivals[k] - wanted)",
        "longest += max(0.0, arrivals[k] - wanted)",
        "the delays are added; but a delay that was there before is waited for only once, so take the largest.",
    ),
    (
        "longest = max(longest, arrivals[k] - wanted)",
        "longest = max(longest, wanted - arrivals[k])",
        "that is how far the text is ahead; the wait is how far it is behind.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("    return longest", "    longest", "Did you forget `return`?")]
RIGHT = [
    """
def reader_waits(arrivals, pace):
    late = [at - (arrivals[0] + k / pace) for k, at in enumerate(arrivals)]
    return max(late)
""",
    """
def reader_waits(arrivals, pace):
    clock, waited = arrivals[0], 0.0
    for at in arrivals[1:]:
        clock += 1 / pace
        if at > clock:
            waited += at - clock
            clock = at
    return waited
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = []
    for n, pace in ((5, 4.0), (12, 5.0), (30, 6.0)):
        drawn.append((rng.uniform(0, 9) + rng.exponential(1 / pace, size=n).cumsum(), pace))
    return [
        ([1.0, 1.3, 1.6, 1.9], 5.0),  # each gap is a little too long
        ([2.0, 2.1, 2.2, 2.5], 5.0),  # one gap is too long, but the text is ahead
        ([0.5, 0.6, 1.8, 1.9, 2.0], 5.0),
        ([3.0], 5.0),
        ([0.0, 0.1, 0.2, 0.3], 5.0),
        ([7.0, 8.0, 8.1, 8.2, 9.5, 9.6], 2.0),
        *[([round(float(at), 3) for at in arrivals], pace) for arrivals, pace in drawn],
    ]


EXERCISE = Exercise(
    reference=reader_waits,
    minutes=2,
    difficulty=1,
    hints=(
        "Pieces arrive at 1.0, 1.3, 1.6 and 1.9 s, and five per second are read. When does the reader want the last?",
        "The reader wants piece k at a moment that depends on the first arrival and on k alone, not on the arrival of "
        "the piece before.",
        "Counted from the first arrival, piece k is wanted after k / pace seconds. Exchange the moment at which a "
        "piece is wanted; the loop and the maximum are right.",
    ),
    proves="small delays add up, text that is ahead makes up for a long gap, and the clock may begin anywhere",
)
