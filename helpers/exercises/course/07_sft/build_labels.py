"""build_labels: answers and the tokens that end them are trained on, prompts and padding never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.foundations.probability import IGNORED


def build_labels(pieces: Sequence[tuple[str, Sequence[int]]], length: int, pad: int) -> tuple[list[int], list[int]]:
    """One row for training: the ids of all pieces, and as labels those of the answers, −100 elsewhere.

    pieces: ("prompt", ids) and ("answer", ids) in turn, the last of either kind; an answer ends with the token that
    ends a turn
    →  ids and labels, two lists of `length`, which is enough for all pieces; padded on the right,
    ids with `pad`, labels with −100
    """
    ids: list[int] = []
    labels: list[int] = []
    for who, tokens in pieces:
        ids += tokens
        labels += tokens if who == "answer" else [IGNORED] * len(tokens)
    room = length - len(ids)
    return ids + [pad] * room, labels + [IGNORED] * room


ANSWER = """
def build_labels(pieces, length, pad):
    ids, labels = [], []
    for who, tokens in pieces:
        for token in tokens:
            ids.append(token)
            labels.append(token if who == "answer" else -100)
    room = length - len(ids)
    return ids + [pad] * room, labels + [-100] * room
"""
RULE = 'who == "answer"'
PADDED = "ids + [pad] * room, labels + [-100] * room"
PADDING_ID = "you mask every token with the id of padding, and the end of an answer has that id."
END_LOST = "the last token of each answer, which ends it, is left out."
TOKEN_ID = "what is not trained gets −100, not a token's id."
SLIPS = [
    (RULE, 'who == "answer" and token != pad', PADDING_ID),
    (RULE, "token != pad", PADDING_ID),
    ("else -100)", 'else -100)\n        if who == "answer":\n            labels[-1] = -100', END_LOST),
    ("in tokens:", 'in tokens[:-1] if who == "answer" else tokens:', END_LOST),
    (RULE, "tokens is pieces[-1][1]", "you train on the last piece, whatever it is; train on all answers."),
    (RULE, "True", "the prompts are trained on as well; only answers are."),
    ([(RULE, "True"), ("[-100] * room", "[pad] * room")], "everything is trained on, even padding."),
    ("[-100] * room", "[pad] * room", "padding is trained on: its label is −100."),
    (RULE, 'who == "prompt"', "you train on the prompts; train on the answers."),
    (
        RULE,
        'who == "answer" or token == 2',
        "the ends of prompts are trained on as well; only those of answers are.",
    ),
    (
        "labels + [-100] * room",
        "labels[1:] + [-100] * (room + 1)",
        "labels stand at their own token's place here; they are shifted later.",
    ),
    ("labels + [-100]", "[-100] + labels[:-1] + [-100]", "your labels stand one place too far to the right."),
    (
        RULE,
        'tokens is [ids for who, ids in pieces if who == "answer"][-1]',
        "only the last answer is trained on; each is.",
    ),
    (
        RULE,
        'tokens is [ids for who, ids in pieces if who == "answer"][0]',
        "only the first answer is trained on; each is.",
    ),
    (
        RULE,
        'who == "answer" or any(label != -100 for label in labels)',
        "behind the first answer you train on everything, the next prompt too.",
    ),
    (PADDED, "[pad] * room + ids, [-100] * room + labels", "you pad on the left; here on the right."),
    (PADDED, "ids, labels", "the row is not padded to `length`."),
    (
        [("else -100", "else 0"), ("[-100] * room", "[0] * room")],
        "0 is a token like any other; what is not trained gets −100.",
    ),
    ([("else -100", "else 2"), ("[-100] * room", "[2] * room")], TOKEN_ID),
    ([("else -100", "else pad"), ("[-100] * room", "[pad] * room")], TOKEN_ID),
    (
        "labels + [-100] * room",
        "labels + ([pad] + [-100] * room)[:room]",
        "the first place of padding is trained; the end of the answer stands before it and is trained already.",
    ),
    (PADDED, "labels + [-100] * room, ids + [pad] * room", "ids come first, then labels."),
]
REFUSED = [("[-100] * room", "[0] * room", "First difference")]
RIGHT = [
    """
def build_labels(pieces, length, pad):
    ids = [token for _, tokens in pieces for token in tokens]
    trained = [who == "answer" for who, tokens in pieces for _ in tokens]
    labels = [token if yes else -100 for token, yes in zip(ids, trained)]
    return (ids + length * [pad])[:length], (labels + length * [-100])[:length]
""",
]
END = 2  # the token that ends a turn, and in most rows the padding too


def cases(rng: Generator) -> list[tuple]:
    def draw(n: int) -> list[int]:
        return rng.integers(10, 99, size=n).tolist()

    def chat(*sizes: tuple[int, int]) -> list[tuple[str, list[int]]]:
        turns = [(("prompt", [*draw(q), END, *draw(2)]), ("answer", [*draw(a), END])) for q, a in sizes]
        return [*(piece for turn in turns for piece in turn), ("prompt", draw(1))]

    one, two, three = chat((4, 3)), chat((3, 2), (2, 4)), chat((2, 1), (1, 2), (3, 1))
    return [
        (one, 15, END),
        (two, 24, END),
        (three, 26, 0),  # padding of its own
        (one[:2], sum(len(ids) for _, ids in one[:2]), END),  # no room left, and nothing behind the end
        (chat((5, 2)), 20, END),
        ([("prompt", draw(3)), ("answer", [5, END, 6, END])], 10, END),  # the end's id inside an answer
    ]


def ends_are_learned(result: Any, pieces: Sequence[tuple[str, Sequence[int]]], length: int, pad: int) -> bool:
    if not isinstance(result, tuple | list) or len(result) != 2:
        return True  # told elsewhere
    wanted = sum(list(ids).count(END) for who, ids in pieces if who == "answer")
    return len(result[1]) != length or list(result[1]).count(END) >= wanted


EXERCISE = Exercise(
    reference=build_labels,
    minutes=4,
    difficulty=2,
    hints=(
        "Which of these tokens will the model have to write by itself one day?",
        "Go through the pieces. Of an answer, all ids are labels, its end included; of a prompt, none. Only then "
        "pad, with a label of −100 for each place.",
        "Keep two lists that grow together. Never ask whether an id equals `pad`: the token that ends an answer has "
        "the same id. Find padding by its position: it fills the last `length - len(ids)` places.",
    ),
    proves="answers with their ends are trained, prompts and padding never, also where end and padding are one id",
    properties=[Property("the end of every answer is trained", ends_are_learned)],
)
