"""whole_topics: hold out whole documents; the planted bug holds out windows, which overlap what is trained on."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def whole_topics(documents: list[str], every: int) -> tuple[list[str], list[str]]:
    """Hold out every `every`-th document, whole: (documents to train on, documents held out), each in their order.

    Documents are counted from 1, so `every`=3 holds out the third, the sixth and so on. A document that is held out
    and stands word for word inside one to train on is dropped from what is held out: it was read in training.
    """
    train = [text for number, text in enumerate(documents, start=1) if number % every]
    held_out = [text for number, text in enumerate(documents, start=1) if number % every == 0]
    return train, [text for text in held_out if not any(text in other for other in train)]


ANSWER = """
def whole_topics(documents, every):
    train, held_out = [], []
    for number, text in enumerate(documents, start=1):
        if number % every == 0:
            held_out.append(text)
        else:
            train.append(text)
    unread = [text for text in held_out if not any(text in other for other in train)]
    return train, unread
"""
INNER = """        if number % every == 0:
            held_out.append(text)
        else:
            train.append(text)
"""
KEPT = "a held-out document that stands word for word inside one to train on is still judged: drop it."
FIRST = "you hold out the first of every group; it is the last one, counted from 1."
UNREAD = "[text for text in held_out if not any(text in other for other in train)]"
SLIPS = [
    (
        [
            (
                INNER,
                "        train.append(text)\n        if number % every == 0:\n            held_out.append(text)\n",
            ),
            (UNREAD, "held_out"),
        ],
        "the planted bug is still there: a document that is held out is also trained on.",
    ),
    (
        INNER,
        "        train.append(text)\n        if number % every == 0:\n            held_out.append(text)\n",
        "a document that is held out is also trained on, so each of them was read: put it into one of the two lists.",
    ),
    (UNREAD, "held_out", KEPT),
    (UNREAD, "[text for text in held_out if text not in train]", KEPT),
    ("start=1", "start=0", FIRST),
    ("number % every == 0", "number % every == 1", FIRST),
    (
        "any(text in other for other in train)",
        "any(other in text for other in train)",
        "you drop a held-out document that contains one to train on; it is the other way round.",
    ),
    (
        "any(text in other for other in train)",
        "all(text in other for other in train)",
        KEPT,
    ),
    ("return train, unread", "return unread, train", "the two lists are exchanged: what is trained on comes first."),
    (
        "unread = " + UNREAD,
        "unread = [text for text in held_out if any(text in other for other in train)]",
        "you keep exactly those that were read; drop them instead.",
    ),
    (
        [
            (
                "unread = " + UNREAD,
                "unread = held_out\n    train = [t for t in train if not any(h in t for h in held_out)]",
            )
        ],
        "you drop documents to train on; drop the held-out ones that stand in them.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("return train, unread", "train, unread", "It returns None. Did you forget `return`?"),
]
RIGHT = [
    """
def whole_topics(documents, every):
    held_out = documents[every - 1 :: every]
    train = [text for i, text in enumerate(documents) if i % every != every - 1]
    joined = "\\0".join(train)
    return train, [text for text in held_out if text not in joined]
""",
]


def cases(rng: Generator) -> list[tuple]:
    words = [f"topic {i} " + "".join("abcdef"[j] for j in rng.integers(6, size=8)) for i in range(12)]
    repeated = [*words[:5], words[0][2:10], *words[5:7], words[6][:9], words[7]]  # 6th and 9th stand in others
    return [
        (words[:6], 3),
        (words, 4),
        (words[:5], 2),
        (repeated, 3),
        ([words[0], words[1], words[0]], 3),  # the very same document twice
        ([words[0][:9], words[0], words[1], words[2]], 2),  # one to train on stands in a held-out one
        (words[:2], 3),  # nothing is held out
    ]


def _apart(result: object, documents: list[str], every: int) -> bool:
    train, held_out = result
    return not any(text in other for text in held_out for other in train)


EXERCISE = Exercise(
    reference=whole_topics,
    minutes=6,
    difficulty=2,
    hints=(
        "Take one document that is held out. In which of the two lists does it stand?",
        "A document goes into exactly one list. Then look at each held-out text: is it a part of any text to train on?",
        "An `else` sends every document into exactly one list. At the end, go through what is held out and keep a text "
        "only if it is part of no text to train on; `text in other` says whether one text is part of another.",
    ),
    proves="whole documents are held out, and none of them was read in training",
    properties=[Property("nothing that is held out stands in what is trained on", _apart)],
)
