"""`POST /v1/responses`: OpenAI's newer API, which remembers the conversation under the id of its last reply.

    first = client.responses.create(model="chat", input="My name is Ada.")
    client.responses.create(model="chat", input="What is it?", previous_response_id=first.id)

Replies are kept in memory, the latest `STORED` of them, each for the key that made it: another key's id is
unknown. `store=False` keeps nothing. As in OpenAI's API, `instructions` are not carried over to the next reply.

What it does not do: run in the background, cut off the beginning of a conversation that is too long.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from helpers.old.serving.api_chat import arguments_of, chosen_form, text_of
from helpers.old.serving.errors import ApiError, Json
from helpers.old.serving.prompts import whole_tool
from helpers.old.serving.replies import Reply, arguments_text
from helpers.old.serving.requests import Usage
from helpers.old.serving.service import Service, announce, at, new_id
from helpers.old.serving.sse import EventStream, event
from helpers.old.serving.wire import FlatTool, Item, ResponsesRequest, TextFormat
from helpers.old.serving.writing import while_connected

STORED = 256
router = APIRouter()
Turns = list[dict[str, Any]]


@dataclass(frozen=True)
class Stored:
    """A reply, whose it is, and the conversation up to its end, instructions left out."""

    owner: str
    turns: Turns
    response: dict[str, Any]


class Store:
    """The latest replies by id."""

    def __init__(self, most: int) -> None:
        self.most, self._kept = most, OrderedDict[str, Stored]()

    def put(self, response_id: str, stored: Stored) -> None:
        self._kept[response_id] = stored
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def get(self, response_id: str, owner: str) -> Stored:
        """Raises ApiError 404 for an id that is unknown, forgotten or somebody else's."""
        stored = self._kept.get(response_id)
        if stored is None or stored.owner != owner:
            raise ApiError(404, f"There is no response {response_id!r}.", code="response_not_found")
        return stored

    def delete(self, response_id: str, owner: str) -> None:
        self.get(response_id, owner)
        del self._kept[response_id]


def store_of(request: Request) -> Store:
    state = request.app.state
    if not hasattr(state, "responses"):
        state.responses = Store(STORED)
    return state.responses


@router.post("/v1/responses")
async def create(body: ResponsesRequest, request: Request) -> Response:
    """Answer an input, after an earlier reply or alone."""
    service, call, owner = at(request)
    model = service.model(body.model)
    announce(call, model, bool(body.stream))
    tools = [whole_tool(tool.name, tool.description, tool.parameters) for tool in body.tools or []]
    wanted = (body.text and body.text.format) or TextFormat(type="text")
    if wanted.type == "json_schema" and wanted.schema_ is None:
        raise ApiError(400, "text.format of the type json_schema needs schema.", param="text.format")
    named = body.tool_choice if isinstance(body.tool_choice, str | None) else body.tool_choice.name
    form = chosen_form(wanted.type, wanted.schema_ if wanted.type == "json_schema" else None, tools, named)
    grammar = await while_connected(request, service.prompts.grammar(form))
    store = store_of(request)
    earlier = store.get(body.previous_response_id, owner.name).turns if body.previous_response_id else []
    turns = earlier + turns_of(body.input)
    told = [{"role": "system", "content": body.instructions}] if body.instructions else []
    offered = () if body.tool_choice == "none" else tools
    prompt = await asyncio.to_thread(service.prompts.chat, told + turns, offered)
    sampling = body.sampling(service.settings.temperature)
    asks = service.asks(prompt, 1, service.room(prompt, body.max_output_tokens), model, grammar, **sampling)
    writing = await while_connected(request, service.begin(call, owner, asks))
    making = Making(service, body, model.name, sampling, tools=bool(form.tools))

    def keep() -> dict[str, Any]:
        response = making.response(making.status, writing.usage)
        if body.store is not False:
            store.put(making.id, Stored(owner.name, turns + [making.turn()], response))
        return response

    async def whole() -> dict[str, Any]:
        async for _, piece in writing.pieces():
            making.reply.put(piece)
        return keep()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            for made in making.begin():
                yield made
            async for _, piece in writing.pieces():
                for made in making.words(making.reply.put(piece)):
                    yield made
            response = keep()
            for made in making.end():
                yield made
            yield making.event(f"response.{making.status}", response=response)
        except ApiError as error:
            call.error = error.message
            told = error.body()["error"]
            failed = making.response("failed", None) | {"error": {"code": "server_error", "message": error.message}}
            yield making.event("error", code=told["code"] or told["type"], message=told["message"], param=None)
            yield making.event("response.failed", response=failed)

    if body.stream:
        return EventStream(events(), writing.close)
    return Json(await while_connected(request, whole()))


@router.get("/v1/responses/{response_id}")
async def retrieve(response_id: str, request: Request) -> Response:
    """An earlier reply."""
    _, _, owner = at(request)
    return Json(store_of(request).get(response_id, owner.name).response)


@router.delete("/v1/responses/{response_id}")
async def delete(response_id: str, request: Request) -> Response:
    """Forget an earlier reply."""
    _, _, owner = at(request)
    store_of(request).delete(response_id, owner.name)
    return Json({"id": response_id, "object": "response", "deleted": True})


class Making:
    """One response while it is made, and the events that tell of it. A message begins with its first words."""

    def __init__(self, service: Service, body: ResponsesRequest, model: str, sampling: dict, tools: bool) -> None:
        self.service, self.body, self.model, self.sampling = service, body, model, sampling
        self.id, self.item_id, self.created = new_id("resp_"), new_id("msg_"), int(time.time())
        self.reply = Reply(tools)
        self.speaking = False
        self._number = -1
        self._calls: list[dict[str, Any]] | None = None

    def event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return event({"type": kind, "sequence_number": self._number} | fields, kind)

    def begin(self) -> Iterator[bytes]:
        for kind in ("created", "in_progress"):
            yield self.event(f"response.{kind}", response=self.response("in_progress", None))

    def words(self, shown: str) -> Iterator[bytes]:
        if not shown:
            return
        if not self.speaking:
            yield from self.open_message()
        yield self.event("response.output_text.delta", **self.place, delta=shown, logprobs=[])

    def open_message(self) -> Iterator[bytes]:
        self.speaking = True
        yield self.event("response.output_item.added", output_index=0, item=self.message("in_progress", []))
        yield self.event("response.content_part.added", **self.place, part=self.part(""))

    def end(self) -> Iterator[bytes]:
        if self.reply.calls:
            for index, item in enumerate(self.calls()):
                begun = item | {"arguments": "", "status": "in_progress"}
                place = {"item_id": item["id"], "output_index": index}
                yield self.event("response.output_item.added", output_index=index, item=begun)
                yield self.event("response.function_call_arguments.delta", **place, delta=item["arguments"])
                told = {"name": item["name"], "arguments": item["arguments"]}
                yield self.event("response.function_call_arguments.done", **place, **told)
                yield self.event("response.output_item.done", output_index=index, item=item)
            return
        if not self.speaking:
            yield from self.open_message()
        text = self.reply.text
        yield self.event("response.output_text.done", **self.place, text=text, logprobs=[])
        yield self.event("response.content_part.done", **self.place, part=self.part(text))
        yield self.event("response.output_item.done", output_index=0, item=self.output()[0])

    @property
    def place(self) -> dict[str, Any]:
        return {"item_id": self.item_id, "output_index": 0, "content_index": 0}

    @property
    def status(self) -> str:
        return "incomplete" if self.reply.finish_reason == "length" else "completed"

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def message(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self.item_id, "type": "message", "role": "assistant", "status": status, "content": content}

    def calls(self) -> list[dict[str, Any]]:
        if self._calls is None:  # their ids are drawn once
            self._calls = [
                {"id": new_id("fc_"), "type": "function_call", "call_id": new_id("call_"), "name": called.name}
                | {"arguments": arguments_text(called), "status": "completed"}
                for called in self.reply.calls
            ]
        return self._calls

    def output(self) -> list[dict[str, Any]]:
        return self.calls() or [self.message(self.status, [self.part(self.reply.text)])]

    def turn(self) -> dict[str, Any]:
        """The reply as the next request's prompt has it."""
        calls = [tuple(called) for called in self.reply.calls]
        return {"role": "assistant", "content": self.reply.words or "", "tool_calls": calls}

    def response(self, status: str, usage: Usage | None) -> dict[str, Any]:
        """The whole object, as OpenAI's API has it."""
        body = self.body
        given = body.model_dump(by_alias=True, exclude_none=True)
        incomplete = {"reason": "max_output_tokens"} if status == "incomplete" else None
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": incomplete,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "model": self.model,
            "output": self.output() if usage else [],
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "store": body.store is not False,
            "temperature": self.sampling["temperature"],
            "text": given.get("text") or {"format": {"type": "text"}},
            "tool_choice": given.get("tool_choice", "auto"),
            "tools": [flat(tool) for tool in body.tools or []],
            "top_p": self.sampling["top_p"],
            "truncation": "disabled",
            "usage": usage and response_usage(usage),
            "metadata": body.metadata or {},
        }


def flat(tool: FlatTool) -> dict[str, Any]:
    told = {"type": "function", "name": tool.name, "description": tool.description, "strict": False}
    return told | {"parameters": tool.parameters}


def response_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def turns_of(given: str | list[Item]) -> Turns:
    """An input as turns of a conversation. Raises ApiError 400 for items that lack what they need."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    turns: Turns = []
    for number, item in enumerate(given):
        if item.type == "function_call":
            if item.name is None:
                raise ApiError(400, f"input.{number}: a function_call needs a name.", param="input")
            turns.append({"role": "assistant", "tool_calls": [(item.name, arguments_of(item.arguments or ""))]})
        elif item.type == "function_call_output":
            turns.append({"role": "tool", "content": text_of(item.output)})
        elif item.type == "message":
            if item.role is None:
                raise ApiError(400, f"input.{number}: a message needs a role.", param="input")
            turns.append({"role": item.role, "content": text_of(item.content)})
    if not turns:
        raise ApiError(400, "The input has nothing to answer.", param="input")
    return turns
