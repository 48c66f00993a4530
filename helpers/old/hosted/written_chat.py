"""A scripted reply as Chat Completions: whole, or as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from helpers.old.hosted.written import Written


def usage(written: Written) -> dict[str, Any]:
    return {
        "prompt_tokens": written.prompt,
        "completion_tokens": written.completion,
        "total_tokens": written.prompt + written.completion,
        "prompt_tokens_details": {"cached_tokens": written.cached},
        "completion_tokens_details": {"reasoning_tokens": written.reasoning},
    }


def whole(request_id: str, model: str, written: Written) -> dict[str, Any]:
    """The body of a reply."""
    message = {"role": "assistant", "content": written.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": written.finish}
    return head(request_id, model, "chat.completion") | {"choices": [choice], "usage": usage(written)}


def chunks(request_id: str, model: str, written: Written, wants_usage: bool) -> Iterator[dict[str, Any]]:
    """The events of a stream, one per token."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return head(request_id, model, "chat.completion.chunk") | {"choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in written.shown:
        yield chunk({"content": piece})
    yield chunk({}, written.finish)
    if wants_usage:
        yield head(request_id, model, "chat.completion.chunk") | {"choices": [], "usage": usage(written)}


def head(request_id: str, model: str, kind: str) -> dict[str, Any]:
    told = {"id": request_id.replace("req", "chatcmpl"), "object": kind, "created": 0, "model": model}
    return told | {"system_fingerprint": f"fp_{model}"}
