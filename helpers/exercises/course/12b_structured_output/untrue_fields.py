"""untrue_fields: a note that fits its schema may still say what the letter does not."""

from __future__ import annotations

import json
from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def untrue_fields(reply: str, letter: str, products: Sequence[str], numbers: Sequence[str]) -> list[str]:
    """Which fields of a valid note its letter does not bear out, in this order:

    "evidence": it is empty, or no run of whole words of the letter. Words are what `split()` gives, so a comma or a
    full stop belongs to its word.
    "product", "order_number": a value that the letter does not name, or null although it names one.
    reply: a JSON object with evidence, product, order_number and wants. products, numbers: what the letter names
    """
    note, untrue = json.loads(reply), []
    words, quoted = letter.split(), note["evidence"].split()
    n = len(quoted)
    if not n or all(words[k : k + n] != quoted for k in range(len(words))):
        untrue.append("evidence")
    if note["product"] not in (products or [None]):
        untrue.append("product")
    if note["order_number"] not in (numbers or [None]):
        untrue.append("order_number")
    return untrue


ANSWER = """
def untrue_fields(reply, letter, products, numbers):
    note = json.loads(reply)
    untrue = []
    words = " ".join(letter.split())
    quote = " ".join(note["evidence"].split())
    if not quote or f" {quote} " not in f" {words} ":
        untrue.append("evidence")
    if note["product"] not in (products or [None]):
        untrue.append("product")
    if note["order_number"] not in (numbers or [None]):
        untrue.append("order_number")
    return untrue
"""
WHOLE = 'if not quote or f" {quote} " not in f" {words} ":'
PRODUCT = 'note["product"] not in (products or [None])'
NUMBER = 'note["order_number"] not in (numbers or [None])'
PART = "part of a word passes in yours: “art” stands in “part”, and is no word of the letter."
NEVER = "you refuse every null; where the letter names none, null is the right value."
ALWAYS = "you accept every null; where the letter names one, null leaves it out."
STRIPPED = "you compare without punctuation; split at spaces, and a comma or a full stop belongs to its word."
PLAIN = "str.maketrans('', '', '.,?!;:')"
SLIPS = [
    (WHOLE, 'if note["evidence"] not in letter:', PART),
    (WHOLE, "if not quote or quote not in words:", PART),
    (
        WHOLE,
        "if not set(quote.split()) <= set(words.split()) or not quote:",
        "the words have to stand side by side in the letter, in this order.",
    ),
    (
        WHOLE,
        'if not quote or f" {quote.lower()} " not in f" {words.lower()} ":',
        "capitals count: evidence is copied as it is written.",
    ),
    (WHOLE, 'if f" {quote} " not in f" {words} " and quote:', "an empty evidence shows nothing."),
    (
        WHOLE,
        f'if not quote or f" {{quote.translate({PLAIN})}} " not in f" {{words.translate({PLAIN})}} ":',
        STRIPPED,
    ),
    (
        WHOLE,
        r'if not quote or not __import__("re").search(r"(?<!\w)" + __import__("re").escape(quote) + r"(?!\w)", words):',
        STRIPPED,
    ),
    (PRODUCT, 'note["product"] not in products', NEVER),
    (NUMBER, 'note["order_number"] not in numbers', NEVER),
    ([(PRODUCT, 'note["product"] not in products'), (NUMBER, 'note["order_number"] not in numbers')], NEVER),
    (PRODUCT, 'note["product"] not in (None, *products)', ALWAYS),
    (NUMBER, 'note["order_number"] not in (None, *numbers)', ALWAYS),
    (
        [
            (PRODUCT, 'note["product"] not in (None, *products)'),
            (NUMBER, 'note["order_number"] not in (None, *numbers)'),
        ],
        ALWAYS,
    ),
    (
        PRODUCT,
        '(note["product"] or "") not in letter or (note["product"] is None and products)',
        "a customer may misspell a name; `products` holds what the rules found, whatever its spelling.",
    ),
    (
        NUMBER,
        '(note["order_number"] or "") not in letter or (note["order_number"] is None and numbers)',
        "customers write order numbers in many ways; compare with `numbers`.",
    ),
    (PRODUCT, 'note["product"] != (products or [None])[0]', "a letter may name several products; any of them will do."),
    ("    return untrue\n", "    return untrue[:1]\n", "you give the first only; name all."),
    ("    return untrue\n", "    return sorted(untrue)\n", "keep them in the order of the docstring."),
]
REFUSED = [("    return untrue\n", "    return not untrue\n", "Expected")]
RIGHT = [
    """
def untrue_fields(reply, letter, products, numbers):
    note = json.loads(reply)
    words = letter.split()
    runs = {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    checks = {
        "evidence": tuple(note["evidence"].split()) in runs,
        "product": note["product"] in products if products else note["product"] is None,
        "order_number": note["order_number"] in numbers if numbers else note["order_number"] is None,
    }
    return [name for name, holds in checks.items() if not holds]
""",
]


def cases(rng: Generator) -> list[tuple]:
    digits = int(rng.integers(10_000, 99_999))
    letter = f"The front light of my Kyte went dark, a week before our party. Order ve {digits}. Can you mend it?"
    found = (["Kite"], [f"VE-{digits}"])
    nameless = "No bell rings. Why?"

    def note(evidence: str, product: str | None, number: str | None) -> str:
        values = {"evidence": evidence, "product": product, "order_number": number, "wants": "a repair"}
        return json.dumps(values)

    told, number = "Can you mend it?", f"VE-{digits}"
    return [
        (note(told, "Kite", number), letter, *found),
        (note("No bell rings.", None, None), nameless, [], []),
        (note(told, None, None), letter, *found),
        (note(told, "Kite", None), letter, *found),
        (note(told, None, number), letter, *found),
        (note(told, "Otter", "VE-12345"), letter, *found),
        (note("front light of my Kyte", "Kite", number), letter, *found),
        (note("art", "Kite", number), letter, *found),
        (note("light of my Kite went dark,", "Kite", number), letter, *found),  # mended, so not copied
        (note("can you mend it?", "Kite", number), letter, *found),
        (note("Can you mend it", "Kite", number), letter, *found),  # without its question mark
        (note("went dark", "Kite", number), letter, *found),
        (note("mend dark, light", "Kite", None), letter, *found),
        (note("", "Kite", None), letter, *found),
        (note(told, "Kyte", f"ve {digits}"), letter, *found),
        (note("No bell rings.", "Kite", None), nameless, [], []),
        (note("Why?", None, "VE-12345"), nameless, [], []),
        (note("Why the Otter?", "Otter", None), "A Wren is small. Why the Otter?", ["Wren", "Otter"], []),
        (note("bell rings. Why", "Wren", "VE-12345"), nameless, [], []),
    ]


EXERCISE = Exercise(
    minutes=5,
    difficulty=2,
    reference=untrue_fields,
    hints=(
        "Which of the fields can be held against a list that you are given, and which needs the letter itself?",
        "Evidence is a run of whole words: split letter and evidence into words and look for the shorter list in the "
        "longer one. For the other two, what may stand there if the list is empty?",
        "Collect names in a list. For evidence join the words with single spaces and put a space before and behind "
        "both texts, so that a part of a word is not found; an empty one never counts. A product has to be among "
        "`products`, or None if that list is empty; a number likewise.",
    ),
    proves="a field is refused where the letter does not bear it out, parts of words, empty quotes and missing values "
    "included",
)
