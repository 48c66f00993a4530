"""inside_documents: pack documents into one row, and cut windows that cross no border between them."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def inside_documents(lengths: list[int], length: int) -> list[int]:
    """Where windows begin that cross no border between documents.

    The documents stand one behind the other in one long row of tokens; lengths: tokens of each. A window takes
    length + 1 tokens: `length` inputs and, one place later, `length` targets. In each document the first window begins
    at its first token, and the next one begins at the last token of the window before, so that every token but a
    document's first is a target once. A rest that is too short for a window is left out.
    """
    starts, first = [], 0
    for n in lengths:
        starts += range(first, first + n - length, length)
        first += n
    return starts


ANSWER = """
def inside_documents(lengths, length):
    starts = []
    first = 0
    for n in lengths:
        start = first
        while start + length + 1 <= first + n:
            starts.append(start)
            start += length
        first += n
    return starts
"""
SLIPS = [
    (
        "start += length",
        "start += length + 1",
        "the last token of a window is then never an input: step by `length`.",
    ),
    (
        "start + length + 1 <= first + n",
        "start + length <= first + n",
        "the last target of a window falls into the next document: a window takes length + 1 tokens.",
    ),
    (
        "start + length + 1 <= first + n",
        "start + length + 1 < first + n",
        "a window that fits exactly is left out: it may end at the document's last token.",
    ),
    (
        "start + length + 1 <= first + n",
        "start < first + n",
        "windows begin in every place, also where too few tokens are left: the rest of a document is left out.",
    ),
    ("start = first", "start = 0", "every document begins at 0; in the row it begins behind those before it."),
    (
        [("    first = 0\n", "    first = start = 0\n"), ("        start = first\n", "")],
        "a window goes on where the last one ended, across the border: begin again at each document's first token.",
    ),
    ("first += n", "first += n + 1", "the documents stand directly one behind the other, without a token between."),
    (
        "starts.append(start)",
        "starts.append(start - first)",
        "you count from the document's start; count in the row.",
    ),
    (
        "start += length",
        "start += 1",
        "windows begin at every token, so a token is a target many times; step by `length`.",
    ),
]
REFUSED = [
    ("    return starts", "    starts", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def inside_documents(lengths, length):
    starts, first = [], 0
    for n in lengths:
        starts += [first + k * length for k in range(max(0, n - 1) // length)]
        first += n
    return starts
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [int(n) for n in rng.integers(1, 40, size=8)]
    return [
        ([10], 4),
        ([9], 4),  # two windows that fit exactly
        ([5, 5, 5], 4),
        ([4, 9, 3, 12], 4),  # the first and the third are too short
        ([7, 7], 3),
        ([3, 2, 1], 5),
        ([], 4),
        (drawn, 6),
        (drawn, 1),
    ]


EXERCISE = Exercise(
    reference=inside_documents,
    minutes=6,
    difficulty=2,
    hints=(
        "Draw a document of nine tokens and windows with four targets. Which token is in two windows?",
        "Keep where the current document begins in the row. Inside it, step by `length` as long as length + 1 tokens "
        "fit before its end.",
        "Keep `first`, which grows by n after each document. The starts of one document are a `range` from `first` in "
        "steps of `length`, whose end is chosen so that start + length is still a place of this document.",
    ),
    proves="every token but a document's first is a target once, and no window crosses a border",
)
