"""longest_match: the longest start of a text that is a token, as WordPiece cuts."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def longest_match(text: str, vocabulary: Iterable[str], mark: str = "") -> str:
    """The longest start of `text` that is a token: `mark` + start must be in `vocabulary`.

    Returned without the mark; "" where no start of `text` is a token.
    """
    for end in range(len(text), 0, -1):
        if mark + text[:end] in vocabulary:
            return text[:end]
    return ""


ANSWER = """
def longest_match(text, vocabulary, mark=""):
    for end in range(len(text), 0, -1):
        if mark + text[:end] in vocabulary:
            return text[:end]
    return ""
"""
ASKED = "mark + text[:end]"
GIVEN = "return text[:end]"
OTHER_MARK = "the mark is what the caller passes; yours is always “##”."
CASE = "“B” and “b” are different letters: leave the text's case as it is."
TAKEN_OFF = "taking the mark off again also takes letters of the text; return text[:end], which never had it."
SLIPS = [
    ("len(text), 0, -1", "1, len(text) + 1", "you return the shortest token that fits; the longest wins."),
    (GIVEN, "return mark + text[:end]", "the mark belongs to the vocabulary's spelling, not to the result."),
    (ASKED, "text[:end]", "the vocabulary is asked without the mark; ask for `mark + start`."),
    (
        """
def longest_match(text, vocabulary, mark=""):
    parts = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)]
    return max((part for part in parts if mark + part in vocabulary), key=len, default="")
""",
        "you look for tokens anywhere in the text; only its start counts.",
    ),
    ("len(text), 0", "len(text) - 1, 0", "the whole text is never tried: text[:len(text)] can be a token too."),
    ('return ""', "return None", 'where nothing fits, return "", not None.'),
    ("0, -1", "1, -1", "a token of one letter is never tried: the last start to ask for is text[:1]."),
    (
        """
def longest_match(text, vocabulary, mark=""):
    end = 0
    while end < len(text) and mark + text[:end + 1] in vocabulary:
        end += 1
    return text[:end]
""",
        "you stop at the first start that is no token; a longer one may be one.",
    ),
    (
        ASKED,
        "text[:end] in vocabulary or mark + text[:end]",
        "inside a word, only tokens with the mark count; yours takes others as well.",
    ),
    (
        "len(text), 0",
        "min(len(text), 16), 0",
        "a token may have any length; yours looks at the first few letters only.",
    ),
    (ASKED, "('##' if mark else '') + text[:end]", OTHER_MARK),
    (ASKED, "'##' + text[:end]", OTHER_MARK),
    (ASKED, "mark + text.lower()[:end]", CASE),
    ([(ASKED, "mark + text.lower()[:end]"), (GIVEN, "return text.lower()[:end]")], CASE),
    (GIVEN, "return (mark + text[:end]).lstrip(mark)", TAKEN_OFF),
    (GIVEN, "return (mark + text[:end]).strip(mark)", TAKEN_OFF),
    (GIVEN, "return (mark + text[:end]).replace(mark, '')", TAKEN_OFF),
    (
        GIVEN,
        "return (mark + text[:end])[2 if mark else 0:]",
        "the mark need not be two letters long; return text[:end].",
    ),
]
REFUSED = [
    ('mark=""', "mark", "the argument `mark` needs a default value"),
    (GIVEN, "return end", "The kind of the result is wrong"),
]
RIGHT = [
    (GIVEN, "return (mark + text[:end]).removeprefix(mark)"),
    """
def longest_match(text, vocabulary, mark=""):
    while text and mark + text not in vocabulary:
        text = text[:-1]
    return text
""",
    """
def longest_match(text, vocabulary, mark=""):
    starts = [token[len(mark):] for token in vocabulary if token.startswith(mark)]
    return max((start for start in starts if text.startswith(start)), key=len, default="")
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = {"b", "bi", "bike", "##k", "##ke", "##ked", "##e", "ke", "road", "e", "##bi"}
    letters = {"a", "b", "ab", "bab", "##a", "##ba", "##ab", "##abba"}
    word = "".join(rng.choice(list("ab"), size=9))
    return [
        ("bikeroad", vocabulary, ""),
        ("bike", vocabulary, ""),  # the whole text is a token
        ("keroad", vocabulary, "##"),
        ("ked", vocabulary, "##"),
        ("bell", vocabulary, ""),  # one letter is all that fits
        ("elk", vocabulary, "##"),
        ("xbike", vocabulary, ""),  # a token stands inside, not at the start
        ("road", vocabulary, "##"),  # a token, but not inside a word
        ("", vocabulary, ""),
        (word, letters, ""),
        (word, letters, "##"),
        ("internationalization", {"i", "inter", "internationalization"}, ""),
        ("Bike", {"B", "bi", "bike"}, ""),  # "B" and "b" are different letters
        ("ked", {"k", "ked", "##ked", "▁k", "▁ke"}, "▁"),  # another mark
        ("#a", {"###a"}, "##"),  # the mark's letters stand in the text as well
        ("a##b", {"##a##b"}, "##"),
    ]


EXERCISE = Exercise(
    reference=longest_match,
    minutes=2,
    difficulty=1,
    hints=(
        "Which end do you start from, if the longest is to win?",
        "Ask for one start of the text after another, in an order in which the first that fits is the answer.",
        "Try the whole text first, then one letter less, and so on: count `end` down from `len(text)` to 1 with "
        "`range(len(text), 0, -1)`, ask whether `mark + text[:end]` is in the vocabulary, and return `text[:end]`. "
        "After the loop, return an empty string.",
    ),
    proves="the longest start wins, inside and at the start of a word, and what fits nowhere gives an empty string",
    properties=[Property("the result is a start of the text", lambda result, text, *_: text.startswith(result))],
)
