"""longest_common: what ROUGE-L counts. Words in the same order, with gaps allowed on both sides."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def longest_common(ours: list[str], theirs: list[str]) -> int:
    """The length of the longest sequence of words that both lists hold in the same order; gaps are allowed."""
    row = [0] * (len(theirs) + 1)
    for word in ours:
        corner = 0  # what stood to the upper left
        for j, other in enumerate(theirs, start=1):
            row[j], corner = (corner + 1 if word == other else max(row[j], row[j - 1])), row[j]
    return row[-1]


ANSWER = """
def longest_common(ours, theirs):
    table = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i, word in enumerate(ours, start=1):
        for j, other in enumerate(theirs, start=1):
            if word == other:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]
"""
ELSE = "table[i][j] = max(table[i - 1][j], table[i][j - 1])"
WHOLE = ANSWER.split("\n", 2)[2]
SLIPS = [
    (
        WHOLE,
        "    from collections import Counter\n    return (Counter(ours) & Counter(theirs)).total()\n",
        "shared words in any order are ROUGE-1's count: a sequence needs the same order on both sides.",
    ),
    (
        WHOLE,
        """    best, table = 0, [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i, word in enumerate(ours, start=1):
        for j, other in enumerate(theirs, start=1):
            if word == other:
                table[i][j] = table[i - 1][j - 1] + 1
                best = max(best, table[i][j])
    return best
""",
        "that is the longest run without gaps: between two shared words, others may stand on either side.",
    ),
    (
        WHOLE,
        """    place, found = 0, 0
    for word in ours:
        if word in theirs[place:]:
            place = theirs.index(word, place) + 1
            found += 1
    return found
""",
        "taking each word at the first chance can skip better ones: compare taking a word with leaving it.",
    ),
    (
        "table[i - 1][j - 1] + 1",
        "table[i - 1][j] + 1",
        "a word that is used is used up on both sides: go on from i − 1 *and* j − 1.",
    ),
    (ELSE, "table[i][j] = table[i - 1][j]", "either side may skip a word: take the larger of the two."),
]
REFUSED = [("return table[-1][-1]", "return table[-1]", "kind of the result is wrong")]
RIGHT = [
    """
def longest_common(ours, theirs):
    from functools import cache

    @cache
    def longest(i, j):
        if i == len(ours) or j == len(theirs):
            return 0
        if ours[i] == theirs[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    return longest(0, 0)
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = ["wait", "at", "least", "4", "hours"]

    def some() -> list[str]:
        return [str(word) for word in rng.choice(vocabulary, size=int(rng.integers(4, 11)))]

    said = "wait at least 4 hours".split()
    return [
        (said, said),
        ("wait 4 long hours".split(), said),
        ("hours 4 least at wait".split(), said),
        ("hours wait at least".split(), said),
        ("least wait at least".split(), "wait at least".split()),
        (["hours", "hours"], ["hours"]),
        ([], said),
        (said, []),
        *((some(), some()) for _ in range(6)),
    ]


EXERCISE = Exercise(
    reference=longest_common,
    minutes=6,
    difficulty=2,
    hints=(
        "Compare the last words. If they are equal, what remains? If not, which two smaller problems?",
        "Fill a table: `table[i][j]` is the answer for the first i words of one list and the first j of the other.",
        "The first row and column are 0. Equal words: `table[i - 1][j - 1] + 1`. Different ones: the larger of "
        "`table[i - 1][j]` and `table[i][j - 1]`.",
    ),
    proves="order counts, gaps are allowed on both sides, and no word is used twice",
)
