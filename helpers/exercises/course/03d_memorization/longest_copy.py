"""longest_copy: the longest stretch of a sample that stands, character for character, in the training text."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def longest_copy(sample: str, text: str) -> str:
    """The longest stretch of `sample` that stands in `text`; the first of several equally long ones, "" for none."""
    best = ""
    for start in range(len(sample)):
        while start + len(best) < len(sample) and (longer := sample[start : start + len(best) + 1]) in text:
            best = longer
    return best


ANSWER = """
def longest_copy(sample, text):
    best = ""
    for start in range(len(sample)):
        end = start + len(best) + 1
        while end <= len(sample) and sample[start:end] in text:
            best = sample[start:end]
            end += 1
    return best
"""
SLIPS = [
    (
        "            best = sample[start:end]\n",
        "            best = max(best, sample[start:end])\n",
        "`max` of two texts is the later one in the alphabet: compare their lengths.",
    ),
    (
        "for start in range(len(sample)):",
        "for start in range(1):",
        "only stretches from the beginning of the sample are looked for: it may begin anywhere.",
    ),
    (
        "for start in range(len(sample)):\n        end = start",
        "for start in range(0, len(sample), 10):\n        end = start",
        "only every tenth place of the sample may begin a stretch: try all of them.",
    ),
    (
        "end <= len(sample)",
        "end < len(sample)",
        "the last character of the sample never belongs to a stretch.",
    ),
    (
        "        while end <= len(sample) and sample[start:end] in text:\n            best = sample[start:end]\n",
        "        while end <= len(sample) and (cut := sample[start:end].strip()) in text:\n            best = cut\n",
        "white space is cut off: the stretch is compared character for character.",
    ),
    (
        "        end = start + len(best) + 1\n        while end <= len(sample) and sample[start:end] in text:\n",
        "        end = start + len(best)\n        while end <= len(sample) and sample[start:end] in text:\n",
        "a later stretch of the same length replaces the first one: ask for one character more.",
    ),
]
WHOLE = ANSWER.split("\n", 2)[2]
SLIPS.append(
    (
        WHOLE,
        """    from difflib import SequenceMatcher

    found = SequenceMatcher(None, sample, text).find_longest_match()
    return sample[found.a : found.a + found.size]
""",
        "`SequenceMatcher` drops frequent characters of texts above 200: say `autojunk=False`, or search yourself.",
    )
)
REFUSED = [("    return best", "    return len(best)", "Expected")]
RIGHT = [
    """
def longest_copy(sample, text):
    for length in range(len(sample), 0, -1):
        for start in range(len(sample) - length + 1):
            if sample[start : start + length] in text:
                return sample[start : start + length]
    return ""
""",
    """
def longest_copy(sample, text):
    best, start = "", 0
    for end in range(1, len(sample) + 1):
        while sample[start:end] not in text:
            start += 1
        if end - start > len(best):
            best = sample[start:end]
    return best
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int) -> str:
        return "".join("ab c"[int(i)] for i in rng.integers(4, size=n))

    text = "The for statement is used to iterate over the elements of a sequence."
    return [
        ("xx is used to yy", text),
        ("over the elements", text),
        ("ZZ", text),
        ("xx is used to iterate over yy", text * 8),  # longer than 200 characters
        ("", text),
        ("the end of a sequence.", text),
        ("  is used  ", text),
        ("z used and over", "it is used over and over"),
        ("ab then cd", "xx cd yy ab zz"),
        *[(drawn(30), drawn(60)) for _ in range(5)],
    ]


def _stands(result: object, sample: str, text: str) -> bool:
    return isinstance(result, str) and result in sample and result in text


EXERCISE = Exercise(
    reference=longest_copy,
    minutes=5,
    difficulty=2,
    hints=(
        "How do you ask Python whether one text stands in another one?",
        "Try every place of the sample as a beginning. From there, how long a stretch still stands in the text? Keep "
        "the longest one so far.",
        "For each beginning, ask for a stretch that is one character longer than the best so far; while it stands in "
        "the text, keep it and ask for one more. So every question is asked only once.",
    ),
    proves="the stretch may begin anywhere and end with the sample, and is the first of the longest ones",
    properties=[Property("the stretch stands in the sample and in the text", _stands)],
)
