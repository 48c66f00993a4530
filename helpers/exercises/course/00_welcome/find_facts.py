"""find_facts: for each question the most similar fact, or None where none is similar enough."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property


def find_facts(similarities: Tensor, minimum: float) -> list[int | None]:
    """For each question the index of its most similar fact, or None where even that one lies below `minimum`.

    similarities: (questions, facts), cosine similarities  →  one index or None per question
    """
    found: list[int | None] = []
    for similarity, index in zip(*similarities.max(dim=1), strict=True):
        found.append(int(index) if similarity >= minimum else None)
    return found


ANSWER = """
def find_facts(similarities, minimum):
    found = []
    for row in similarities:
        best = int(row.argmax())
        if row[best] >= minimum:
            found.append(best)
        else:
            found.append(None)
    return found
"""
ONE = "you give one entry in all; every row of `similarities` is a question and needs an entry of its own."
VALUE = "this is the similarity; wanted is its index, the place where it stands in the row."
NEVER = "Compare the best similarity with it, too."
FALSY = "index 0 counts as false, so the first fact is taken for none; let only the comparison with `minimum` decide."
SLIPS = [
    ("row[best] >= minimum", "True", "you never give None; compare the best similarity with `minimum`."),
    (">=", ">", "a similarity of exactly `minimum` is enough: `>=`, not `>`."),
    ("row[best] >= minimum", "row[best] <= minimum", "the comparison is the wrong way round."),
    ("argmax", "argmin", "you take the least similar fact; take the most similar one."),
    (
        "in similarities",
        "in similarities.T",
        "you go through the facts; each question is a row of `similarities` and needs one entry.",
    ),
    (
        "int(row.argmax())",
        "int((row >= minimum).float().argmax())",
        "you take the first fact that reaches `minimum`; another one may be more similar.",
    ),
    ("found.append(best)", "found.append(float(row[best]))", VALUE),
    ("found.append(best)", "found.append(row[best])", VALUE),
    ("in similarities", "in [similarities.flatten()]", ONE),
    ([("in similarities", "in [similarities.flatten()]"), ("return found", "return found[0]")], ONE),
    ("row[best] >= minimum", "row.mean() >= minimum", "the most similar fact decides, not the mean over all of them."),
    (
        "row[best] >= minimum",
        "similarities.max() >= minimum",
        "you compare `minimum` with the largest similarity of all questions; each row has its own.",
    ),
    ("found.append(best)", "found.append(best or None)", FALSY),
    ("row[best] >= minimum", "best and row[best] >= minimum", FALSY),
    ([("row[best] >= minimum", "True"), ("found.append(best)", "found.append(best or None)")], f"{FALSY} {NEVER}"),
    ("found.append(None)", "pass", "a question without a fact still needs its entry, None."),
    (
        "found.append(None)",
        "found.append(-1)",
        "-1 would be read as the last fact; None cannot be mistaken for an index.",
    ),
    (
        "int(row.argmax())",
        "int(similarities.argmax()) % len(row)",
        "you look for the best of all questions at once; each row has a best fact of its own.",
    ),
]
REFUSED = [
    ("return found", "return torch.tensor([-1 if i is None else i for i in found])", "The kind of the result is wrong"),
    ("return found", "found", "Did you forget `return`?"),
]
RIGHT = [
    """
def find_facts(similarities, minimum):
    best, where = similarities.max(dim=-1)
    return [i if s >= minimum else None for s, i in zip(best.tolist(), where.tolist())]
""",
    """
def find_facts(similarities, minimum):
    order = similarities.argsort(dim=1, descending=True)[:, 0]
    return [None if similarities[q, f].item() < minimum else f.item() for q, f in enumerate(order)]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(questions: int, facts: int) -> Tensor:
        return torch.tensor(rng.uniform(-0.2, 0.95, size=(questions, facts)), dtype=torch.float32)

    return [
        (torch.tensor([[0.25, 0.75, 0.625], [0.125, 0.25, 0.0]]), 0.5),
        (torch.tensor([[0.5, 0.25], [0.25, 0.375]]), 0.5),  # exactly the minimum
        (torch.tensor([[0.25, 0.125], [0.375, 0.0]]), 0.5),  # no question has a fact
        (torch.tensor([[0.75, 0.125], [0.375, 0.0]]), 0.5),  # only one has, and it is the first fact
        (drawn(3, 3), 0.6),  # as many questions as facts
        (drawn(4, 6), 0.5),
        (drawn(2, 5), 0.9),
        (drawn(1, 1), 0.0),
        (drawn(5, 2), 0.75),
    ]


EXERCISE = Exercise(
    reference=find_facts,
    minutes=4,
    difficulty=2,
    hints=(
        "A row of `similarities` belongs to one question. What are the two things you need to know about a row?",
        "You need the largest value of the row and the index at which it stands. The value decides between the index "
        "and None.",
        "Loop over the rows. `row.argmax()` is the index, to be made an int, and `row.max()` the value; append the "
        "index if the value is at least `minimum`, else None. Every row gets exactly one entry.",
    ),
    proves="the most similar fact of each question, None below the minimum, the minimum itself is enough",
    properties=[
        Property("there is one entry per question", lambda result, similarities, _: len(result) == len(similarities)),
    ],
)
