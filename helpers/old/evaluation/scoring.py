"""What one reply is worth: a scorer gives named values for one item; how they are put together is the harness's job.

    states_answer(item, reply)        # {"right": 1.0, "wrong answer given": 0.0, "abstained": 0.0, "no answer": 0.0}
    reads_fields(item, reply)         # {"right": 0.0, "intent": 1.0, …, "no answer": 0.0}

The first value is the one that a gate compares. A scorer of your own is a function (item, reply) → such a dict, with
the same names for every item. What these do not do: judge how an answer is worded, or what it says beside the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from helpers.old.evaluation.suites import Item
from helpers.old.evaluation.systems import Reply
from helpers.old.metrics.text import contains_answer
from helpers.old.velunda.tickets import FIELDS

Scorer = Callable[[Item, Reply], dict[str, float]]


def states_answer(item: Item, reply: Reply) -> dict[str, float]:
    """Is one of the accepted answers stated (`contains_answer`)? Where there is none: did the model abstain?

    No answer at all, or one that is no text, counts as "no answer": it is not right, and nobody is misled by it.
    """
    missing = not reply.abstained and not (isinstance(reply.answer, str) and reply.answer.strip())
    if item.accepted:
        right = not missing and not reply.abstained and contains_answer(reply.answer, item.accepted)
    else:
        right = reply.abstained
    return {
        "right": float(right),
        "wrong answer given": float(not right and not missing and not reply.abstained),
        "abstained": float(reply.abstained),
        "no answer": float(missing),
    }


def reads_fields(item: Item, reply: Reply) -> dict[str, float]:
    """Are all fields right, and each of them? An answer that is a text is searched for its first JSON object."""
    from helpers.old.assistants.tickets import exact_match, field_right, read_answer  # needs torch, which takes seconds

    fields: Any = read_answer(reply.answer) if isinstance(reply.answer, str) else reply.answer
    missing = not isinstance(fields, Mapping)
    label = item.fields or {}
    fields = None if missing else fields
    return {
        "right": float(exact_match(fields, label)),
        **{name: float(field_right(fields, label, name)) for name in FIELDS},
        "no answer": float(missing),
    }


SCORERS: dict[str, Scorer] = {"accepted": states_answer, "fields": reads_fields}
