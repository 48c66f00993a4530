"""A conversation that fits: old turns go, whole, until the rest is within a budget of tokens.

A turn is a user message with all that answers it, up to the next user message: replies, tool calls and the results of
tools. A tool's result without its call is refused by the API, and an answer without its question misleads the model,
so a turn stays or goes as a whole.

    turns([system, user_1, reply_1, user_2, call, result, reply_2])
    -> [[user_1, reply_1], [user_2, call, result, reply_2]]

What it does not do: it sums up nothing (what is dropped is forgotten), and it keeps no prefix. The first message behind
the system message is another one after each truncation, so a cache of prefixes finds the system message only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Message = dict[str, Any]
INSTRUCTIONS = ("system", "developer")


def turns(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages without instructions, in turns. What stands before the first user message is a turn of its own."""
    found: list[list[Message]] = []
    for message in messages:
        if message["role"] in INSTRUCTIONS:
            continue
        if message["role"] == "user" or not found:
            found.append([])
        found[-1].append(message)
    return found


def truncate_conversation(messages: Sequence[Message], budget: int, count: Callable[[Message], int]) -> list[Message]:
    """The instructions and as many of the newest turns as fit into `budget` tokens, in their order.

    count: the tokens of one message, with what the chat template puts around it. The newest turn is never dropped:
    ValueError where it and the instructions do not fit. `messages` stays as it is.
    """
    old, kept = turns(messages), list(messages)
    while sum(map(count, kept)) > budget:
        if len(old) <= 1:
            needed = sum(map(count, kept))
            raise ValueError(f"The newest turn and the instructions take {needed} tokens, and the budget is {budget}.")
        kept = _without_first(kept, len(old.pop(0)))
    return kept


def _without_first(messages: list[Message], n: int) -> list[Message]:
    """The messages without the first n that are no instructions."""
    spoken = [i for i, message in enumerate(messages) if message["role"] not in INSTRUCTIONS]
    gone = set(spoken[:n])
    return [message for i, message in enumerate(messages) if i not in gone]
