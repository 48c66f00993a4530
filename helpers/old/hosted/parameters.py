"""The parameters of both APIs, read from the installed client's own signatures.

    for row in compared():
        print(row.chat, row.responses, row.kind)     # max_completion_tokens  max_output_tokens  renamed

So the table is right for the version that is installed, whatever a page says. Only what cannot be seen in a signature,
that two names mean the same, is written down here; a test holds that each of these names is still there.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses

NOT_OF_THE_API = ("self", "extra_headers", "extra_query", "extra_body", "timeout")  # these steer the client
SAME = {  # Chat Completions → Responses, where the name differs
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text",
    "reasoning_effort": "reasoning",
}


@dataclass(frozen=True)
class Row:
    """One parameter. kind: "same name", "renamed", "only Chat Completions" or "only Responses"."""

    chat: str
    responses: str
    kind: str


def names_of(api: str) -> list[str]:
    """The names that "chat" or "responses" takes in the installed client, in its order."""
    create = {"chat": Completions.create, "responses": Responses.create}[api]
    return [name for name in inspect.signature(create).parameters if name not in NOT_OF_THE_API]


def compared() -> list[Row]:
    """Both APIs side by side: what has the same name, what is called otherwise, what only one of them has."""
    chat, responses = names_of("chat"), names_of("responses")
    rows = [Row(name, name, "same name") for name in chat if name in responses]
    rows += [Row(name, SAME[name], "renamed") for name in chat if SAME.get(name) in responses and name not in responses]
    taken = {row.chat for row in rows}, {row.responses for row in rows}
    rows += [Row(name, "", "only Chat Completions") for name in chat if name not in taken[0]]
    return rows + [Row("", name, "only Responses") for name in responses if name not in taken[1]]
