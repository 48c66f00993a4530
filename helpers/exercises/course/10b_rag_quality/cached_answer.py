"""cached_answer: an answer is kept as long as the search finds, for its question, what the answer was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property

Cache = dict[str, tuple[Any, Any]]


def cached_answer(question: str, cache: Cache, find: Callable, read: Callable) -> Any:
    """The answer to the question: a kept one if the search finds what that was made from, else a new one, kept.

    cache: question → (passages, answer), which this function fills
    find: question → the passages that the search finds now, a tuple, best first; fast, so it may be called every time
    read: (question, passages) → the answer; slow, so it is called only where it must be
    """
    passages = find(question)
    if question not in cache or cache[question][0] != passages:
        cache[question] = passages, read(question, passages)
    return cache[question][1]


ANSWER = """
def cached_answer(question, cache, find, read):
    passages = find(question)
    if question in cache:
        then, answer = cache[question]
        if then == passages:
            return answer
    answer = read(question, passages)
    cache[question] = (passages, answer)
    return answer
"""
STALE = "the handbook has changed, and the old answer is given: compare what was found then with what is found now."
KEPT = "after a change, keep the new answer with the new passages; now it is read again every time."
SLIPS = [
    ("if then == passages:", "if True:", STALE),
    (
        "    passages = find(question)\n    if question in cache:",
        "    if question in cache:\n        passages = cache[question][0]",
        STALE,
    ),
    (
        "    passages = find(question)\n    if question in cache:\n        then, answer = cache[question]\n"
        "        if then == passages:\n            return answer\n",
        "    if question in cache:\n        return cache[question][1]\n    passages = find(question)\n",
        STALE,
    ),
    ("if then == passages:", "if len(then) == len(passages):", "as many passages as before may say something else."),
    (
        "if then == passages:",
        "if then[:1] == passages[:1]:",
        "the first passage is as it was, and another one has changed: compare all of them.",
    ),
    (
        "if then == passages:",
        "if set(then) <= set(passages):",
        "a new document may answer better: what is new among the passages counts, too.",
    ),
    (
        "if then == passages:",
        "if set(passages) <= set(then):",
        "a passage has gone, and with it perhaps what was answered: compare all of them.",
    ),
    (
        "if then == passages:",
        "if set(then) == set(passages):",
        "the same passages in another order may be answered otherwise: compare the tuples as they are.",
    ),
    (
        "if then == passages:",
        "if sorted(then) == sorted(passages):",
        "the same passages in another order may be answered otherwise: compare the tuples as they are.",
    ),
    (
        "if then == passages:",
        "if set(then) & set(passages):",
        "one passage is as it was, and others have changed: compare all of them.",
    ),
    (
        "if then == passages:",
        "if then == passages and answer:",
        "an empty answer is an answer, too: it was kept, and is read again every time.",
    ),
    (
        "if question in cache:",
        "if cache.get(question, (None, None))[1]:",
        "an empty answer is an answer, too: it was kept, and is read again every time.",
    ),
    (
        [
            ("then, answer = cache[question]", "answer, then = cache[question]"),
            ("(passages, answer)\n    return", "(answer, passages)\n    return"),
        ],
        "an entry is (passages, answer), in this order; what was kept before in that form is not recognized.",
    ),
    ("    cache[question] = (passages, answer)\n", "", "nothing is kept, so that every question is read again."),
    (
        "if then == passages:",
        "if False:",
        "you read every time; where the passages are the ones kept with an answer, give that answer.",
    ),
    (
        "    cache[question] = (passages, answer)\n",
        "    if question not in cache:\n        cache[question] = (passages, answer)\n",
        KEPT,
    ),
    (
        "    cache[question] = (passages, answer)\n",
        "    cache[question] = (cache[question][0] if question in cache else passages, answer)\n",
        KEPT,
    ),
    (
        "    passages = find(question)\n    if question in cache:\n        then, answer = cache[question]\n"
        "        if then == passages:\n            return answer\n    answer = read(question, passages)\n"
        "    cache[question] = (passages, answer)\n",
        "    passages = find(question)\n    if passages not in cache:\n"
        "        cache[passages] = (passages, read(question, passages))\n    answer = cache[passages][1]\n",
        "two questions that find the same passages may have different answers: the question is the key.",
    ),
    (
        "    answer = read(question, passages)\n    cache[question]",
        "    cache.clear()\n    answer = read(question, passages)\n    cache[question]",
        "other questions' answers are thrown away, though nothing they were made from has changed.",
    ),
    (
        "            return answer\n    answer",
        "            return answer\n        cache.clear()\n    answer",
        "one change throws all answers away, also those that were made from something else.",
    ),
]
RIGHT = [
    """
def cached_answer(question, cache, find, read):
    now = find(question)
    kept = cache.get(question)
    if kept is None or kept[0] != now:
        kept = cache[question] = (now, read(question, now))
    return kept[1]
""",
]
REFUSED = [
    ("read(question, passages)", "read(question)", "It stops with an error"),
    ("(passages, answer)\n    return answer", "(passages, answer)\n    return passages", ""),
]


def cases(rng: Generator) -> list[tuple]:
    """Days of a help desk: what is asked ("ask", question), what changes ("put", document, text), ("drop", document),
    and what was kept the day before ("kept", question)."""
    price, weight = "price of the Wren", "weight of the Wren"
    start = [("put", "prices", "price Wren 1890"), ("put", "manual", "weight Wren 16"), ("put", "hours", "open at 8")]
    other = ("ask", "open when")

    def drawn(n: int) -> tuple[list[tuple]]:
        events = list(start)
        for _ in range(n):
            kind = rng.random()
            if kind < 0.7:
                events.append(("ask", [price, weight, "open when", "Wren"][int(rng.integers(4))]))
            else:
                name = ["prices", "manual", "hours", "news"][int(rng.integers(4))]
                words = ["price", "weight", "Wren", "open", "at"]
                said = " ".join(words[int(i)] for i in rng.integers(len(words), size=3))
                events.append(("put", name, f"{said} {int(rng.integers(1000))}"))
        return (events,)

    return [
        ([*start, ("ask", price)],),
        ([*start, ("ask", price), ("ask", price), ("ask", price)],),
        ([*start, ("ask", price), ("put", "prices", "price Wren 1990"), ("ask", price), ("ask", price)],),
        ([*start, ("ask", price), ("put", "manual", "weight Wren 17"), ("ask", price)],),  # not the first passage
        ([*start, ("ask", price), ("put", "offer", "new price Wren 990"), ("ask", price)],),  # a new document
        ([*start, ("ask", price), ("drop", "manual"), ("ask", price)],),
        ([*start, ("ask", price), other, ("put", "prices", "price Wren 1990"), ("ask", price), other],),
        ([*start, ("ask", price), ("ask", "Wren of the price"), ("ask", price)],),  # the same passages
        ([*start, ("ask", price), other, ("ask", price), other],),
        ([*start, ("ask", price), ("drop", "prices"), start[0], ("ask", price)],),  # the same ones in another order
        ([*start, ("ask", "is a dog allowed"), ("ask", "is a dog allowed")],),  # nothing is found, an empty answer
        ([*start, ("kept", price), ("ask", price), ("ask", price)],),
        drawn(12),
        drawn(20),
    ]


def drive(cached_answer: Callable, events: Sequence[tuple]) -> dict[str, dict[str, Any]]:
    """Each question in the order asked, with its answer and how often something has been read until then."""
    documents: dict[str, str] = {}
    cache: Cache = {}
    read_so_far: int = 0
    told: dict[str, dict[str, Any]] = {}

    def find(question: str) -> tuple[str, ...]:
        asked = set(question.split())
        return tuple(text for text in documents.values() if asked & set(text.split()))

    def read(question: str, passages: tuple[str, ...]) -> str:
        nonlocal read_so_far
        read_so_far += 1
        return f"{question}: {' | '.join(passages)}" if passages else ""

    for kind, *what in events:
        if kind == "put":
            documents[what[0]] = what[1]
        elif kind == "drop":
            del documents[what[0]]
        elif kind == "kept":
            passages = find(what[0])
            cache[what[0]] = (passages, read(what[0], passages))
        else:
            answer = cached_answer(what[0], cache, find, read)
            told[f"question {len(told) + 1}: {what[0]}"] = {"answer": answer, "readings so far": read_so_far}
    return told


def read_today(events: Sequence[tuple]) -> dict[str, dict[str, Any]]:
    return drive(lambda question, cache, find, read: read(question, find(question)), events)


def never_stale(result: dict[str, dict[str, Any]], events: Sequence[tuple]) -> bool:
    return all(result[asked]["answer"] == fresh["answer"] for asked, fresh in read_today(events).items())


def stale(result: dict[str, dict[str, Any]], events: Sequence[tuple]) -> str:
    """The first answer that is out of date, as a story."""
    for asked, fresh in read_today(events).items():
        if (yours := result[asked]["answer"]) != fresh["answer"]:
            return (
                f"In this story, documents are put, dropped and asked about. At {asked}, reading would give "
                f'"{fresh["answer"]}"; yours gives "{yours}".'
            )
    return ""


EXERCISE = Exercise(
    reference=cached_answer,
    drive=drive,
    minutes=5,
    difficulty=2,
    hints=(
        "A price has changed since the answer was kept. What could you still look up quickly that would tell you?",
        "Call `find` first, always. If the question is in the cache and the passages kept there are the ones that "
        "were found just now, give the kept answer. Otherwise read, keep passages and answer, and give the answer.",
        "`cache[question]` is a pair: what was found when the answer was made, and the answer. Compare its first part "
        "with what `find(question)` gives now; tuples are equal if all their parts are. A new pair takes the old one's "
        "place under the same key.",
    ),
    proves="no stale answer after an edit, a removal or a new document, and nothing is read twice without need",
    properties=[Property("each answer is the one that would be read today", never_stale, evidence=stale)],
)
