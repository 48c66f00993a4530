"""whole_topics: hold out whole documents that are not read; the planted bug looks only at what was read before them."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.corpora import stretches


def whole_topics(documents: list[str], every: int) -> tuple[list[str], list[str]]:
    """Hold out every `every`-th document (counted from 1), whole: (documents to train on, held out), in their order.

    A held-out document is dropped if more than a tenth of its stretches stands in any documents to train on.
    """
    train = [text for number, text in enumerate(documents, start=1) if number % every]
    read = set().union(*(stretches(text) for text in train))
    asked = documents[every - 1 :: every]
    return train, [text for text in asked if len(stretches(text) & read) <= 0.1 * len(stretches(text))]


ANSWER = """
def whole_topics(documents, every):
    train, asked, read = [], [], set()
    for number, text in enumerate(documents, start=1):
        if number % every == 0:
            asked.append(text)
        else:
            train.append(text)
            read |= stretches(text)
    held_out = []
    for text in asked:
        pieces = stretches(text)
        if len(pieces & read) <= 0.1 * len(pieces):
            held_out.append(text)
    return train, held_out
"""
FIRST = "you hold out the first of every group; it is the last one, counted from 1."
KEPT = "nothing is dropped: a held-out document that repeats one to train on is judged all the same."
LATER = "a held-out document is compared only with what was read before it; a copy that is trained on later is missed."
BODY = ANSWER.partition("every):\n")[2]
ONE_PASS = """    train, held_out, read = [], [], set()
    for number, text in enumerate(documents, start=1):
        if number % every:
            train.append(text)
            read |= stretches(text)
        elif len(stretches(text) & read) <= 0.1 * len(stretches(text)):
            held_out.append(text)
    return train, held_out
"""
DROPPED = "if len(pieces & read) <= 0.1 * len(pieces):"
SLIPS = [
    ([(BODY, ONE_PASS)], "the planted bug is still there: " + LATER),
    (
        [(BODY, ONE_PASS.replace("if number % every:", "if number % every != 0 or len(stretches(text) & read) > 5:"))],
        "a document that repeats earlier ones is trained on instead of dropped: hold out every `every`-th, then drop.",
    ),
    (
        [("read |= stretches(text)", "pass"), (DROPPED, DROPPED + "\n            read |= pieces")],
        "you compare held-out documents with each other; compare them with those to train on.",
    ),
    (
        DROPPED,
        DROPPED + "\n            read |= pieces",
        "a held-out document that repeats another held-out one is dropped, too; only what is trained on counts.",
    ),
    (
        "            train.append(text)\n            read |= stretches(text)\n",
        "            train.append(text)\n        read |= stretches(text)\n",
        "a document's own stretches count as read, so every held-out document is dropped.",
    ),
    ("if len(pieces & read) <= 0.1 * len(pieces):", "if True:", KEPT),
    ("if len(pieces & read) <= 0.1 * len(pieces):", "if text not in train:", KEPT),
    (
        "if len(pieces & read) <= 0.1 * len(pieces):",
        "if not any(text in other for other in train):",
        "you drop only what stands word for word inside another document; near-copies stay.",
    ),
    (
        "<= 0.1 * len(pieces)",
        "== 0",
        "one shared stretch is enough for you to drop a document; up to a tenth of them may be shared.",
    ),
    ("<= 0.1 *", "<= 0.5 *", "you drop only what shares more than half; the limit is a tenth."),
    ("<= 0.1 * len(pieces)", "<= 0.1 * len(read)", "the share is of the document's own stretches, not of all read."),
    ("<= 0.1 *", "> 0.1 *", "you keep exactly those that were read; drop them instead."),
    ("start=1", "start=0", FIRST),
    ("number % every == 0", "number % every == 1", FIRST),
    (
        "return train, held_out",
        "return held_out, train",
        "the two lists are exchanged: documents to train on come first.",
    ),
    (
        "        else:\n            train.append(text)\n            read |= stretches(text)\n",
        "        train.append(text)\n        if number % every:\n            read |= stretches(text)\n",
        "a document that is held out is also trained on: put it into one of the two lists.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("return train, held_out", "train, held_out", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def whole_topics(documents, every):
    held_out = documents[every - 1 :: every]
    train = [text for i, text in enumerate(documents) if i % every != every - 1]
    read = {piece for text in train for piece in stretches(text)}
    def share(text):
        pieces = stretches(text)
        return sum(piece in read for piece in pieces) / len(pieces)
    return train, [text for text in held_out if share(text) <= 0.1]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(length: int) -> str:
        return "".join("abcdefghij"[j] for j in rng.integers(10, size=length))

    def reread(text: str) -> str:  # the same text with a word more
        return text[:90] + " indeed " + text[90:]

    a, b, c, d, e, f = (drawn(180) for _ in range(6))
    lines = "\n".join(a[i : i + 30] for i in range(0, 180, 30))
    spaced = " ".join(a[i : i + 30] for i in range(0, 180, 30))
    return [
        ([a, b, c, d, e, f], 3),
        ([a, b, reread(a), c, d, e], 3),  # repeats an earlier document, nearly
        ([b, c, reread(a), a, d, e], 3),  # repeats a later one: one pass misses it
        ([b, reread(c), c, reread(b)], 2),  # both
        ([a, b, d[:59] + drawn(90), d], 3),  # ten of its hundred stretches are read: just allowed
        ([a, b, d[:60] + drawn(89), d], 3),  # eleven: dropped
        ([a, b, c, d, e, reread(c)], 3),  # repeats another held-out document only: both stay
        ([lines, spaced, b, c], 2),  # equal but for white space
        ([a, c, a[40:110], b], 3),  # stands word for word inside a longer one
        ([a, b], 3),  # nothing is held out
    ]


def _unread(result: object, documents: list[str], every: int) -> bool:
    train, held_out = result
    read = set().union(*(stretches(text) for text in train))
    return all(len(stretches(text) & read) <= 0.1 * len(stretches(text)) for text in held_out)


EXERCISE = Exercise(
    reference=whole_topics,
    minutes=7,
    difficulty=2,
    hints=(
        "When the third of ten documents is looked at, what does `read` hold, and what not yet?",
        "Documents that come later are trained on as well. When is the first moment at which you know all that is "
        "trained on?",
        "Go through the documents twice: first put each one on its side and collect the stretches of all that is "
        "trained on; then go through those that are to be held out, and keep the ones that share little of it.",
    ),
    proves="whole documents are held out, and hardly anything of them is read in training, before or after them",
    properties=[Property("of each held-out document, at most a tenth of the stretches is trained on", _unread)],
)
