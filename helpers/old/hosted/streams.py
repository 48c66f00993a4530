"""What has come of a streamed reply, however the stream ends.

A stream of the Chat Completions API is a sequence of chunks, each with a delta: a piece of text, or pieces of tool
calls. A call's arguments come in pieces, too, and pieces of several calls may come in turns, so they are joined by
their `index`. The last chunk may hold the usage and no choice at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai import APIError


def collect_stream(stream: Iterable[Any]) -> dict[str, Any]:
    """What has come of a streamed chat completion (n = 1), also where the connection breaks.

    stream: chunks as `client.chat.completions.create(stream=True, …)` gives them. Returned: `text`, the joined content;
    `calls`, in the order in which they began, each a dictionary of `id`, `name` and `arguments` (a text, joined);
    `finish_reason`, None where none came; `error`, the name of the `openai.APIError` that ended the stream, or None.
    """
    text, calls, finish_reason, error = "", {}, None, None
    try:
        for chunk in stream:
            for choice in chunk.choices:  # none in the chunk that holds the usage
                text += choice.delta.content or ""
                finish_reason = choice.finish_reason or finish_reason
                for piece in choice.delta.tool_calls or ():
                    call = calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
                    call["id"] = piece.id or call["id"]
                    if piece.function is not None:
                        call["name"] = piece.function.name or call["name"]
                        call["arguments"] += piece.function.arguments or ""
    except APIError as broken:  # the connection is gone, or the service reports a failure in the stream
        error = type(broken).__name__
    return {"text": text, "calls": list(calls.values()), "finish_reason": finish_reason, "error": error}
