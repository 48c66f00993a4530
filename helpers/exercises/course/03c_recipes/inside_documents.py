"""inside_documents: documents packed into one row; neither attention nor loss crosses a border between them."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def inside_documents(row: Tensor, end: int) -> tuple[Tensor, Tensor]:
    """Who may look at whom, and which predictions count, in a row of documents of which each ends with the token `end`.

    row: (T + 1,) ids; an end token belongs to the document that it ends. Inputs are row[:-1], targets row[1:].
    Returns may_look, (T, T) bool: input i (row) may look at input j (column) if j is not behind i and belongs to the
    same document; and counts, (T,) bool: target i counts if it belongs to the same document as input i.
    """
    ends = (row == end).long()
    document = ends.cumsum(0) - ends  # how many documents ended before each token
    inputs, targets = document[:-1], document[1:]
    may_look = (inputs[:, None] == inputs[None, :]).tril()
    return may_look, inputs == targets


ANSWER = """
def inside_documents(row, end):
    number, current = [], 0
    for token in row.tolist():
        number.append(current)
        if token == end:
            current += 1
    number = torch.tensor(number)
    inputs, targets = number[:-1], number[1:]
    same = inputs[:, None] == inputs[None, :]
    past = torch.ones(len(inputs), len(inputs)).tril().bool()
    return same & past, inputs == targets
"""
LOOP = """        number.append(current)
        if token == end:
            current += 1
"""
SLIPS = [
    (
        LOOP,
        "        if token == end:\n            current += 1\n        number.append(current)\n",
        "an end token is counted to the document behind it: it belongs to the one that it ends.",
    ),
    ("same & past", "past", "attention crosses the borders: only tokens of the same document may be looked at."),
    ("same & past", "same", "a token sees what comes after it in its document: j must not be behind i."),
    ("same & past", "(same & past).T", "rows and columns are exchanged: the row is who looks."),
    (".tril()", ".tril(-1)", "a token may look at itself, too."),
    (
        "inputs == targets",
        "row[:-1] != row[1:]",
        "you compare tokens: two equal letters in a row are still a prediction. Compare their documents.",
    ),
    (
        "inputs == targets",
        "torch.ones(len(inputs)).bool()",
        "behind an end token, the first token of the next document is to be predicted from nothing of it: that target "
        "does not count.",
    ),
    (
        "inputs == targets",
        "row[1:] != end",
        "the end token is worth learning: what does not count is the token behind it.",
    ),
    ("same & past, inputs == targets", "inputs == targets, same & past", "the mask comes first, then what counts."),
    (
        "    return same",
        "    same = row[:-1, None] == row[None, :-1]\n    return same",
        "you compare tokens, and equal letters are not one document: number the documents first.",
    ),
]
REFUSED = [
    ("inputs, targets = number[:-1], number[1:]", "inputs, targets = number, number", "shape"),
    ("return same & past", "return (same & past).float()", "dtype"),
]
RIGHT = [
    """
def inside_documents(row, end):
    is_end = row == end
    starts = torch.cat([torch.tensor([True]), is_end[:-1]]).long().cumsum(0)
    T = len(row) - 1
    may_look = torch.zeros(T, T, dtype=torch.bool)
    for i in range(T):
        for j in range(i + 1):
            may_look[i, j] = starts[i] == starts[j]
    return may_look, ~is_end[:-1]
""",
    """
def inside_documents(row, end):
    counts = row[:-1] != end
    before = torch.cumsum((~counts).int(), 0) - (~counts).int()
    return torch.tril(before[:, None] == before), counts
""",
]


def cases(rng: Generator) -> list[tuple]:
    def row(*ids: int) -> Tensor:
        return torch.tensor(ids)

    return [
        (row(1, 2, 0, 3, 4, 0), 0),
        (row(1, 1, 0, 1, 1, 1), 0),  # equal letters on both sides
        (row(5, 6, 7, 8), 9),  # one document, cut off before its end
        (row(3, 3, 3, 3, 3), 3),  # nothing but ends, as in padding
        (row(0, 1, 2, 0, 0, 4, 4, 0), 0),  # an empty document
        (row(2, 7), 7),
        (row(7, 2), 7),
        (torch.tensor(rng.integers(0, 4, size=17)), 0),
        (torch.tensor(rng.integers(0, 7, size=23)), 5),
    ]


def _sees_itself(result: tuple[Tensor, Tensor], *_: object) -> bool:
    return bool(result[0].diagonal().all())


def _is_causal(result: tuple[Tensor, Tensor], *_: object) -> bool:
    return not bool(result[0].triu(1).any())


EXERCISE = Exercise(
    reference=inside_documents,
    minutes=7,
    difficulty=3,
    hints=(
        "Write the row `a b . c d .` with `.` as the end, and under each token the number of its document.",
        "Number the documents: the number grows *behind* each end. Two inputs may see each other if their numbers "
        "are equal and the key is not behind the query. When is the number of a target that of its input?",
        "Make a tensor with the number of each token. Cut it as the row is cut into inputs and targets. A column of "
        "the inputs' numbers compared with a row of them gives a (T, T) table; its lower triangle is the mask. Numbers "
        "of inputs and targets, compared place by place, say what counts.",
    ),
    proves="no look and no loss crosses a border, ends belong to their documents, and empty documents are allowed",
    properties=[
        Property("every token sees itself", _sees_itself),
        Property("nobody sees what comes later", _is_causal),
    ],
)
