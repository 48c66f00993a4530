"""pack_sentences: windows of whole sentences that overlap as much as they may."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.retrieval.chunking import pack_units

ANSWER = """
def pack_sentences(lengths, size, overlap):
    windows, first, n = [], 0, len(lengths)
    while first < n:
        last = first + 1
        while last < n and sum(lengths[first:last + 1]) <= size:
            last += 1
        windows.append((first, last))
        if last == n:
            break
        back = last
        while back - 1 > first and sum(lengths[back - 1:last]) <= overlap:
            if sum(lengths[back - 1:last + 1]) > size:
                break
            back -= 1
        first = back
    return windows
"""
SHARED = "sum(lengths[back - 1:last]) <= overlap"
NO_ROOM_ASKED = ("            if sum(lengths[back - 1:last + 1]) > size:\n                break\n", "")
TAIL = [("last == n", "first == n - 1"), ("first = back", "first = max(back, first + 1)")]
CUT_WHEN_FULL = """
def pack_sentences(lengths, size, overlap):
    windows, first, total = [], 0, 0
    for i, length in enumerate(lengths):
        if total + length > size:
            windows.append((first, i))
            first, total = i, 0
        total += length
    return windows
"""
NOTHING_SHARED = "windows share nothing: step back before the next one begins."
NOTHING_SHARED_AND_LOST = "windows share nothing, and the last one, not full, is lost."
SENTENCES = "`overlap` counts tokens, not sentences."
AT_LEAST = "windows share more than `overlap`: it is the most, not the least."
NO_ROOM = "what is shared leaves no room for the sentence behind it, so a window says nothing new: share less."
SKIPPED = "a sentence is skipped between windows."
SLIPS = [
    ("first = back", "first = last", NOTHING_SHARED),
    ("<= overlap", "< overlap", "sentences of exactly `overlap` tokens are shared, too: `<=`."),
    (SHARED, "last - back < overlap", SENTENCES),
    ([(SHARED, "last - back < overlap"), NO_ROOM_ASKED], SENTENCES),
    (SHARED, "sum(lengths[back:last]) < overlap", AT_LEAST),
    ([(SHARED, "sum(lengths[back:last]) < overlap"), NO_ROOM_ASKED], AT_LEAST),
    ([NO_ROOM_ASKED, *TAIL], NO_ROOM),
    ([NO_ROOM_ASKED], NO_ROOM),
    (TAIL, "once a window ends with the last sentence, another one says nothing new."),
    ("<= size", "< size", "a window of exactly `size` tokens is allowed: `<=`."),
    ("first:last + 1", "first:last", "windows are one sentence too long: ask whether the *next* one fits."),
    ("first = back", "first = back + 1", SKIPPED),
    ("first = back", "first = last + 1", SKIPPED),
    (
        "(first, last)",
        "(first, last - 1)",
        "`last` is the first sentence that is *not* in the window, as in a slice.",
    ),
    (
        "(first, last)",
        "list(range(first, last))",
        "give each window as the pair (first, last), not as its sentences.",
    ),
    (
        "last = first + 1",
        """if lengths[first] > size:
            first += 1
            continue
        last = first + 1""",
        "a sentence longer than `size` is left out; it stands alone in a window.",
    ),
    ([("first = back", "first = last"), ("return windows", "return windows[:-1]")], NOTHING_SHARED_AND_LOST),
    (CUT_WHEN_FULL, NOTHING_SHARED_AND_LOST),
    (CUT_WHEN_FULL.replace("return windows", "return windows + [(first, len(lengths))]"), NOTHING_SHARED),
    ("return windows", "return windows[:-1]", "the last window is lost: it need not be full."),
]
REFUSED = [
    (
        """
def pack_sentences(lengths, size, overlap):
    return [(i, i + 1) for i in range(len(lengths))]
""",
        "Expected 3 items, yours has 4",
    ),
]
RIGHT = [
    ("back - 1 > first and ", ""),
    """
def pack_sentences(lengths, size, overlap):
    starts, windows = [0], []
    while lengths:
        first = starts[-1]
        fitting = [e for e in range(first + 1, len(lengths) + 1) if e == first + 1 or sum(lengths[first:e]) <= size]
        end = max(fitting)
        windows.append((first, end))
        if end >= len(lengths):
            return windows
        starts.append(
            min(
                b
                for b in range(first + 1, end + 1)
                if b == end or (sum(lengths[b:end]) <= overlap and sum(lengths[b : end + 1]) <= size)
            )
        )
    return windows
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, longest: int) -> list[int]:
        return rng.integers(1, longest, size=n).tolist()

    return [
        ([3, 3, 3, 3], 7, 3),
        (drawn(14, 20), 40, 12),
        (drawn(25, 30), 64, 20),
        (drawn(9, 30), 30, 29),
        ([5, 4, 6, 2, 7, 3], 11, 0),  # no overlap
        ([4, 50, 4, 3], 20, 5),  # one too long
        ([60, 70], 20, 5),
        ([2, 2, 9, 2], 10, 5),  # the overlap leaves no room for what comes next
        ([3, 4, 13, 2, 2, 2], 20, 8),
        ([5, 5, 5], 15, 5),  # all of it fits
        ([8], 8, 4),
        ([], 10, 2),
    ]


def covers(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return {i for first, last in result for i in range(first, last)} == set(range(len(lengths)))


def fits(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return all(last - first < 2 or sum(lengths[first:last]) <= size for first, last in result)


def moves_on(result: Any, lengths: Sequence[int], size: int, overlap: int) -> bool:
    return all(one[1] < other[1] for one, other in pairwise(result))


EXERCISE = Exercise(
    reference=pack_units,
    minutes=10,
    difficulty=2,
    hints=(
        "Two questions at each window: how far does it reach, and how far do you step back before the next one?",
        "Move `last` on while the next sentence still fits. Then let the next `first` step back from `last`, one "
        "sentence at a time, while two sums allow it: that of the sentences shared, and that together with the "
        "sentence behind them.",
        "Inside a loop over windows: `last = first + 1`, then raise it while `sum(lengths[first:last + 1])` is at "
        "most `size`. Note (first, last); at the end of the list, stop. Else start `back` at `last` and lower it "
        "by one while `sum(lengths[back - 1:last])` is at most `overlap` and `sum(lengths[back - 1:last + 1])` at "
        "most `size`. The next window begins there.",
    ),
    proves="no sentence is cut or lost, no window is too long, and overlaps are as large as they may be",
    properties=[
        Property("every sentence stands in a window", covers, "a sentence is lost between or behind windows."),
        Property("no window of two sentences or more is longer than `size`", fits),
        Property("a window ends later than the one before it", moves_on, "a window says nothing new."),
    ],
)
