"""`POST /v1/chat/completions`, whole or as a stream.

    curl localhost:8000/v1/chat/completions -H "Content-Type: application/json" \\
         -d '{"model": "chat", "messages": [{"role": "user", "content": "Hello!"}], "stream": true}'

The order: which model, which prompt, which form, then the engine, then OpenAI's JSON around what it writes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from helpers.old.prompting.tools import read_object
from helpers.old.serving.errors import ApiError, Json
from helpers.old.serving.prompts import Form, whole_tool
from helpers.old.serving.replies import Reply, TokenTexts, arguments_text
from helpers.old.serving.service import announce, at, new_id, usage_fields
from helpers.old.serving.sse import DONE, EventStream, event
from helpers.old.serving.wire import ChatRequest, Message, ResponseFormat
from helpers.old.serving.writing import Writing, while_connected

router = APIRouter()


@router.post("/v1/chat/completions")
async def chat_completions(body: ChatRequest, request: Request) -> Response:
    """Answer a conversation."""
    service, call, owner = at(request)
    model = service.model(body.model)
    announce(call, model, bool(body.stream))
    tools = [
        whole_tool(tool.function.name, tool.function.description, tool.function.parameters) for tool in body.tools or []
    ]
    form = reply_form(body.response_format, tools, body.tool_choice)
    grammar = await while_connected(request, service.prompts.grammar(form))
    messages = [as_told(message) for message in body.messages]
    prompt = await asyncio.to_thread(service.prompts.chat, messages, () if body.tool_choice == "none" else tools)
    asks = service.asks(
        prompt,
        body.n or 1,
        service.room(prompt, body.max_completion_tokens or body.max_tokens),
        model,
        grammar,
        seed=body.seed,
        stop=body.stops,
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        **body.sampling(service.settings.temperature),
    )
    writing = await while_connected(request, service.begin(call, owner, asks))
    replies = [Reply(tools=bool(form.tools)) for _ in asks]
    texts, top = TokenTexts(service.backend.tokenizer), body.top_logprobs or 0
    head = {"id": new_id("chatcmpl-"), "created": int(time.time()), "model": model.name}
    head["system_fingerprint"] = model.fingerprint

    def logprobs_of(found: list) -> dict[str, Any] | None:
        return {"content": texts.chat(found, top), "refusal": None} if body.logprobs else None

    async def whole() -> dict[str, Any]:
        async for choice, piece in writing.pieces():
            replies[choice].put(piece)
        choices = [
            {
                "index": index,
                "message": message_of(reply),
                "logprobs": logprobs_of(reply.logprobs),
                "finish_reason": reply.finish_reason,
            }
            for index, reply in enumerate(replies)
        ]
        usage = usage_fields(writing.usage)
        return head | {"object": "chat.completion", "choices": choices, "usage": usage}

    async def chunks() -> AsyncGenerator[dict[str, Any], None]:
        begun: set[int] = set()
        async for choice, piece in writing.pieces():
            shown = replies[choice].put(piece)
            if choice not in begun:
                begun.add(choice)
                yield chunk(choice, {"role": "assistant", "content": ""})
            if replies[choice].calls:
                calls = [{"index": i} | called for i, called in enumerate(calls_of(replies[choice]))]
                yield chunk(choice, {"tool_calls": calls})
            elif shown or piece.logprobs:
                yield chunk(choice, {"content": shown}, logprobs_of(list(piece.logprobs)))
            if piece.finish:
                yield chunk(choice, {}, finish=replies[choice].finish_reason)

    def chunk(index: int, delta: dict, logprobs: dict | None = None, finish: str | None = None) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return head | {"object": "chat.completion.chunk", "choices": [choice]}

    if not body.stream:
        return Json(await while_connected(request, whole()))
    wants_usage = bool(body.stream_options and body.stream_options.include_usage)
    last = head | {"object": "chat.completion.chunk", "choices": []}
    return EventStream(events(writing, chunks(), last if wants_usage else None), writing.close)


# What /v1/responses uses too ------------------------------------------------------------------------------------------


async def events(
    writing: Writing, chunks: AsyncGenerator[dict[str, Any], None], last: dict[str, Any] | None
) -> AsyncGenerator[bytes, None]:
    """Chunks as events. last: a chunk that gets the usage, where the client asked for it.

    A failure in the middle becomes an event, which OpenAI's client raises as an APIError.
    """
    try:
        async for chunk in chunks:
            yield event(chunk if last is None else chunk | {"usage": None})
        if last is not None:
            yield event(last | {"usage": usage_fields(writing.usage)})
    except ApiError as error:
        writing.call.error = error.message
        yield event(error.body())
    yield DONE


def as_told(message: Message) -> dict[str, Any]:
    """A message as `Prompts.chat` takes it. Raises ApiError 400 for what is no text."""
    calls = [(called.function.name, arguments_of(called.function.arguments)) for called in message.tool_calls or []]
    return {"role": message.role, "content": text_of(message.content), "tool_calls": calls}


def text_of(content: Any) -> str:
    """The text of a message's content. Raises ApiError 400 for pictures and other parts."""
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.text is None and part.refusal is None:
            raise ApiError(400, f"This model reads text only, and a message has a part of the type {part.type!r}.")
    return "\n".join(part.text if part.text is not None else part.refusal for part in content)


def arguments_of(text: str) -> dict[str, Any]:
    try:
        found = read_object(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError(400, "The arguments of an earlier call are no JSON object.")
    return found


def reply_form(wanted: ResponseFormat | None, tools: list[dict[str, Any]], choice: Any) -> Form:
    """What the reply may look like. Raises ApiError 400 for wishes that contradict each other."""
    kind = wanted.type if wanted else "text"
    if kind == "json_schema" and wanted.json_schema is None:
        raise ApiError(400, "response_format of the type json_schema needs json_schema.", param="response_format")
    schema = wanted.json_schema.schema_ if kind == "json_schema" else None
    return chosen_form(kind, schema, tools, choice if isinstance(choice, str | None) else choice.function.name)


def chosen_form(kind: str, schema: dict[str, Any] | None, tools: list[dict[str, Any]], choice: str | None) -> Form:
    """choice: "none", "auto", "required", or the name of one tool."""
    names = [tool["function"]["name"] for tool in tools]
    if len(set(names)) < len(names):
        raise ApiError(400, "Two tools have the same name.", param="tools")
    if not tools and choice not in (None, "none", "auto"):
        raise ApiError(400, "tool_choice names a tool, and there are no tools.", param="tool_choice")
    if choice not in (None, "none", "auto", "required") and choice not in names:
        raise ApiError(400, f"There is no tool {choice!r}: tools has {', '.join(names)}.", param="tool_choice")
    if kind != "text":
        if tools and choice != "none":
            raise ApiError(400, "A reply is held to a schema or may call tools, not both: set tool_choice to none.")
        return Form(schema=schema, any_json=schema is None)
    if not tools or choice == "none":
        return Form()
    chosen = tools if choice in (None, "auto", "required") else [tools[names.index(choice)]]
    return Form(tools=tuple(chosen), words=choice in (None, "auto"))


def calls_of(reply: Reply) -> list[dict[str, Any]]:
    """A reply's calls as the chat API writes them."""
    return [
        {
            "id": new_id("call_"),
            "type": "function",
            "function": {"name": called.name, "arguments": arguments_text(called)},
        }
        for called in reply.calls
    ]


def message_of(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.words, "refusal": None}
    return message | ({"tool_calls": calls_of(reply)} if reply.calls else {})
