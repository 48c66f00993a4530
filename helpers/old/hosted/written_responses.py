"""A scripted reply as the Responses API has it: a list of output items, whole or as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from helpers.old.hosted.written import Written


def usage(written: Written) -> dict[str, Any]:
    return {
        "input_tokens": written.prompt,
        "input_tokens_details": {"cached_tokens": written.cached, "cache_write_tokens": 0},
        "output_tokens": written.completion,
        "output_tokens_details": {"reasoning_tokens": written.reasoning},
        "total_tokens": written.prompt + written.completion,
    }


def items(request_id: str, written: Written) -> list[dict[str, Any]]:
    """The output: hidden reasoning, commentary, calls or the answer, each an item of its own."""
    made: list[dict[str, Any]] = []
    name = request_id.removeprefix("req_")
    if written.reasoning:
        made.append({"id": f"rs_{name}", "type": "reasoning", "summary": []})
    for i, (tool, arguments) in enumerate(written.calls):
        item = {"id": f"fc_{name}_{i}", "type": "function_call", "call_id": f"call_{i}", "name": tool}
        made.append(item | {"arguments": arguments, "status": "completed"})
    if written.aside:
        made.append(message(f"msg_{name}_0", text_part("".join(written.aside)), "completed", "commentary"))
    if written.shown or not (written.calls or written.reasoning):
        part = {"type": "refusal", "refusal": written.text} if written.refused else text_part(written.text)
        status = "completed" if written.finish == "stop" else "incomplete"
        made.append(message(f"msg_{name}_1", part, status, "final_answer" if written.aside else None))
    return made


def text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message(item_id: str, part: dict[str, Any], status: str, phase: str | None) -> dict[str, Any]:
    made = {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": [part]}
    return made | ({"phase": phase} if phase else {})


INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def whole(request_id: str, model: str, body: dict[str, Any], written: Written, done: bool = True) -> dict[str, Any]:
    """The response. done: False while it is written, without output and usage."""
    reason = INCOMPLETE.get(written.finish)
    status = "in_progress" if not done else "incomplete" if reason else "completed"
    return {
        "id": request_id.replace("req", "resp"),
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason and done else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model,
        "output": items(request_id, written) if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "store": body.get("store") is not False,
        "temperature": body.get("temperature"),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "top_p": body.get("top_p"),
        "truncation": "disabled",
        "usage": usage(written) if done else None,
        "metadata": body.get("metadata") or {},
    }


def failure(request_id: str, model: str, body: dict[str, Any], written: Written) -> dict[str, Any]:
    """A response that says that it failed."""
    error = {"code": "server_error", "message": "The model failed while it was writing."}
    return whole(request_id, model, body, written, done=False) | {"status": "failed", "error": error}


def events(request_id: str, model: str, body: dict[str, Any], written: Written) -> Iterator[dict[str, Any]]:
    """The events of a stream: the response begins, each item grows, the response is complete."""
    number = -1

    def event(kind: str, **fields: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {"type": kind, "sequence_number": number} | fields

    begun = whole(request_id, model, body, written, done=False)
    yield event("response.created", response=begun)
    for index, item in enumerate(items(request_id, written)):
        yield event("response.output_item.added", output_index=index, item=opened(item))
        place = {"item_id": item["id"], "output_index": index}
        if item["type"] == "function_call":
            yield event("response.function_call_arguments.delta", **place, delta=item["arguments"])
            told = {"name": item["name"], "arguments": item["arguments"]}
            yield event("response.function_call_arguments.done", **place, **told)
        if item["type"] == "message":
            place["content_index"] = 0
            part = item["content"][0]
            field = "refusal" if part["type"] == "refusal" else "text"
            name, extra = (field, {}) if field == "refusal" else ("output_text", {"logprobs": []})
            yield event("response.content_part.added", **place, part=part | {field: ""})
            for piece in written.aside if item.get("phase") == "commentary" else written.shown:
                yield event(f"response.{name}.delta", **place, delta=piece, **extra)
            yield event(f"response.{name}.done", **place, **{field: part[field]}, **extra)
            yield event("response.content_part.done", **place, part=part)
        yield event("response.output_item.done", output_index=index, item=item)
    ended = whole(request_id, model, body, written)
    yield event(f"response.{ended['status']}", response=ended)


def opened(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it begins."""
    empty = {"message": {"content": []}, "function_call": {"arguments": ""}}.get(item["type"], {})
    return item | empty | ({"status": "in_progress"} if "status" in item else {})
