"""collect_stream: join what has come of a streamed reply, also when the connection breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import httpx2
from numpy.random import Generator
from openai import APIConnectionError, APIError
from openai.types.chat import ChatCompletionChunk

from helpers.exercises.checking.spec import Exercise
from helpers.old.hosted import streams


def collect_stream(stream: Iterable[ChatCompletionChunk]) -> dict[str, Any]:
    """What has come of a streamed chat completion, also if the stream breaks.

    stream: chunks, as the client gives them. Each has at most one choice; the chunk with the usage has none. A choice
    has a delta, whose content (a piece of text) and tool_calls may be None. A tool call comes in pieces, and those of
    several calls may alternate: piece.index says which call it belongs to (a number may be left out), the first piece
    of a call has its id and function.name, and all of its function.arguments joined are the arguments.

    Returned: "text"; "calls", in the order in which they began, each a dict of "id", "name", "arguments" (a text);
    "finish_reason", None if none came; "error", the name of the class of the APIError that ended the stream, or None.
    What came before an APIError is kept. Any other error reaches the caller. The stream is read to its end, also behind
    the finish_reason.
    """
    return streams.collect_stream(stream)


ANSWER = """
def collect_stream(stream):
    text, calls, finish_reason, error = "", {}, None, None
    try:
        for chunk in stream:
            if not chunk.choices:
                continue
            choice = chunk.choices[0]
            text += choice.delta.content or ""
            finish_reason = choice.finish_reason or finish_reason
            for piece in choice.delta.tool_calls or []:
                if piece.index not in calls:
                    calls[piece.index] = {"id": piece.id, "name": piece.function.name, "arguments": ""}
                calls[piece.index]["arguments"] += piece.function.arguments or ""
    except APIError as broken:
        error = type(broken).__name__
    return {"text": text, "calls": list(calls.values()), "finish_reason": finish_reason, "error": error}
"""
SKIPPED = """            if not chunk.choices:
                continue
"""
JOINED = """                if piece.index not in calls:
                    calls[piece.index] = {"id": piece.id, "name": piece.function.name, "arguments": ""}
                calls[piece.index]["arguments"] += piece.function.arguments or ""
"""
TO_THE_LAST = """                if piece.id:
                    calls[len(calls)] = {"id": piece.id, "name": piece.function.name, "arguments": ""}
                calls[len(calls) - 1]["arguments"] += piece.function.arguments or ""
"""
KEPT = "        error = type(broken).__name__\n"
DROPPED = '        text, error = "", type(broken).__name__\n'
NO_CHOICE = "the chunk with the usage has an empty list of choices: skip it."
LAST_CALL = (
    "a piece is joined to the call that began last, but pieces of several calls may alternate: `piece.index` says "
    "which call it belongs to."
)
LOST = "what came before the break is thrown away: keep the text."
SLIPS = [
    (
        """
def collect_stream(stream):
    text, calls, finish_reason, error = "", [], None, None
    try:
        for chunk in stream:
            choice = chunk.choices[0]
            text += choice.delta.content or ""
            finish_reason = choice.finish_reason or finish_reason
            for piece in choice.delta.tool_calls or []:
                if piece.id:
                    calls.append({"id": piece.id, "name": piece.function.name, "arguments": ""})
                calls[-1]["arguments"] += piece.function.arguments or ""
    except APIError as broken:
        text, error = "", type(broken).__name__
    return {"text": text, "calls": calls, "finish_reason": finish_reason, "error": error}
""",
        NO_CHOICE,
    ),
    (SKIPPED, "", NO_CHOICE),
    ([(SKIPPED, ""), (JOINED, TO_THE_LAST)], NO_CHOICE),
    ([(SKIPPED, ""), (KEPT, DROPPED)], NO_CHOICE),
    ([(SKIPPED, ""), (JOINED, TO_THE_LAST), (KEPT, DROPPED)], NO_CHOICE),
    (JOINED, TO_THE_LAST, LAST_CALL),
    (KEPT, DROPPED, LOST),
    ([(JOINED, TO_THE_LAST), (KEPT, DROPPED)], LOST + " And " + LAST_CALL),
    (
        KEPT,
        '        text, calls, error = "", {}, type(broken).__name__\n',
        "what came before the break is thrown away: keep the text and the calls.",
    ),
    (KEPT, KEPT + "        calls = {}\n", "the calls that came before the break are thrown away."),
    (
        KEPT,
        '        error, finish_reason = type(broken).__name__, "error"\n',
        "no finish_reason came, so it stays None: only the server may say why a reply ended.",
    ),
    (KEPT, "        error = str(broken)\n", "`error` is the name of the class, `type(broken).__name__`."),
    (KEPT, "        error = broken\n", "`error` is a text, the name of the class: `type(broken).__name__`."),
    (KEPT, "        pass\n", "the error is swallowed: half a reply looks like a whole one. Return its name."),
    (
        "except APIError",
        "except Exception",
        "an error that is not the service's, such as a bug in your own code, is hidden: catch APIError only.",
    ),
    (
        "except APIError",
        "except ConnectionError",
        "the error reaches the caller, and what has come is lost: catch `APIError`, which is no ConnectionError of "
        "Python, and return what there is.",
    ),
    (
        "except APIError",
        "except __import__('openai').APIConnectionError",
        "a service may also report a failure inside the stream, which is an APIError and no APIConnectionError.",
    ),
    (
        'choice.delta.content or ""',
        "choice.delta.content",
        "a delta may have no text: its content is None, which cannot be added.",
    ),
    ("choice.delta.tool_calls or []", "choice.delta.tool_calls", "most deltas have no tool calls: None is no list."),
    (
        [
            (SKIPPED, ""),
            ("    except APIError as broken:\n", "    except (APIError, IndexError) as broken:\n"),
        ],
        "the chunk without choices ends your loop as if it were a break: nothing behind it is read. Skip it.",
    ),
    (
        JOINED,
        """                calls[piece.index]["arguments"] += piece.function.arguments or ""
""",
        "a piece is joined to a call that has not begun: begin one where its index is new.",
    ),
    (
        [
            ('error = "", {}, None', 'error = "", [], None'),
            (JOINED, """                calls[piece.index]["arguments"] += piece.function.arguments or ""\n"""),
            ("list(calls.values())", "calls"),
        ],
        "a piece is joined to a call that has not begun: begin one where its index is new.",
    ),
    (
        "                continue\n",
        "                break\n",
        "a chunk without choices need not be the last one: skip it and go on.",
    ),
    (
        'calls[piece.index]["arguments"] += piece.function.arguments or ""',
        'calls[piece.index]["arguments"] = piece.function.arguments or ""',
        "the arguments come in pieces: join them, instead of keeping the last piece.",
    ),
    (
        "list(calls.values())",
        "calls",
        "`calls` is a list of dictionaries, without the indexes: `list(calls.values())`.",
    ),
    (
        "finish_reason = choice.finish_reason or finish_reason",
        'finish_reason = choice.finish_reason or "stop"',
        "a stream without a finish_reason is not finished: return None.",
    ),
]
SLIPS += [
    (
        "choice.finish_reason or finish_reason",
        "choice.finish_reason",
        "a chunk behind the one with the finish_reason may have a choice without one: keep the reason that came.",
    ),
    (
        "            finish_reason = choice.finish_reason or finish_reason\n",
        "            finish_reason = choice.finish_reason or finish_reason\n            if finish_reason:\n"
        "                break\n",
        "you leave the loop at the finish_reason, but an error may come behind it: read the stream to its end.",
    ),
    (
        "list(calls.values())",
        "[calls[index] for index in sorted(calls)]",
        "a call with a higher index may begin first: keep the calls in the order in which they began.",
    ),
    (
        [
            ('error = "", {}, None', 'error = "", [], None'),
            (
                JOINED,
                """                if piece.id:
                    calls.append({"id": piece.id, "name": piece.function.name, "arguments": ""})
                calls[piece.index]["arguments"] += piece.function.arguments or ""
""",
            ),
            ("list(calls.values())", "calls"),
        ],
        "`piece.index` is the number of a call and no place in your list: a number may be left out.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("            text += choice.delta.content", "            text = choice.delta.content", "is wrong"),
    ('{"text": text, ', "{", "missing: 'text'"),
]
RIGHT = [
    """
def collect_stream(stream):
    whole = {"text": "", "calls": [], "finish_reason": None, "error": None}
    place = {}
    chunks = iter(stream)
    while True:
        try:
            chunk = next(chunks)
        except StopIteration:
            return whole
        except APIError as error:
            return whole | {"error": error.__class__.__name__}
        for choice in chunk.choices:
            if choice.delta.content is not None:
                whole["text"] += choice.delta.content
            if choice.finish_reason is not None:
                whole["finish_reason"] = choice.finish_reason
            for piece in choice.delta.tool_calls or ():
                if piece.index not in place:
                    place[piece.index] = len(whole["calls"])
                    whole["calls"].append({"id": piece.id, "name": piece.function.name, "arguments": ""})
                whole["calls"][place[piece.index]]["arguments"] += piece.function.arguments or ""
""",
]

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/chat/completions")
Event = str | dict[str, Any]


def chunks_of(events: list[Event]) -> Iterator[ChatCompletionChunk]:
    """A client's chunks from events in short: a delta, a "finish_reason", a piece of a "call", or how it ends."""
    for event in events:
        if event == "the connection breaks":
            raise APIConnectionError(request=REQUEST)
        if event == "the service reports an error":
            raise APIError("The server had an error.", request=REQUEST, body=None)
        if event == "a bug raises KeyError":
            raise KeyError("chunk")
        yield _chunk([] if event == "usage" else [_choice(dict(event))])


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    delta: dict[str, Any] = {"content": event.get("content")}
    if "call" in event:
        function = {"name": event.get("name"), "arguments": event.get("arguments")}
        delta["tool_calls"] = [{"index": event["call"], "id": event.get("id"), "function": function}]
    return {"index": 0, "delta": delta, "finish_reason": event.get("finish_reason")}


def _chunk(choices: list[dict[str, Any]]) -> ChatCompletionChunk:
    body = {"id": "chatcmpl-1", "created": 0, "model": "m", "object": "chat.completion.chunk", "choices": choices}
    return ChatCompletionChunk.model_validate(body)


def drive(collect: Any, events: list[Event]) -> Any:
    """What the function makes of the events, or the error that it lets through."""
    try:
        return collect(chunks_of(events))
    except KeyError as error:
        if error.args == ("chunk",):
            return "KeyError reaches the caller"
        raise


def cases(rng: Generator) -> list[tuple]:
    number = int(rng.integers(10_000, 99_999))
    text = [{"content": word} for word in ("Your ", f"VE-{number} ", "left.")]
    begun = [{"call": 0, "id": "call_a", "name": "order_info"}, {"call": 0, "arguments": '{"order": '}]
    one = [*begun, {"call": 0, "arguments": f'"VE-{number}"}}'}]
    two = [
        {"call": 0, "id": "call_a", "name": "order_info", "arguments": ""},
        {"call": 1, "id": "call_b", "name": "shop_price", "arguments": ""},
        {"call": 0, "arguments": f'{{"order": {number}'},
        {"call": 1, "arguments": '{"thing": '},
        {"call": 0, "arguments": "}"},
        {"call": 1, "arguments": '"bell"}'},
    ]
    stop, called, broken = {"finish_reason": "stop"}, {"finish_reason": "tool_calls"}, "the connection breaks"
    return [
        ([*text, stop],),
        ([{"content": ""}, *text, stop, "usage"],),
        ([*text[:2], broken],),
        ([text[0], "the service reports an error"],),
        (text,),
        ([*text[:2], {"finish_reason": "length"}],),
        ([*one, called],),
        ([*two, called, "usage"],),
        ([*(event | {"call": 2 * event["call"] + 1} for event in two), called],),  # calls number 1 and 3
        ([{**event, "call": 5 - event["call"]} for event in two] + [called],),  # the higher index begins first
        ([text[0], stop, {"content": None}],),
        ([*text, stop, "the service reports an error"],),
        (["usage", text[0], *begun, broken],),
        ([broken],),
        ([],),
        ([*text[:2], "a bug raises KeyError"],),
    ]


EXERCISE = Exercise(
    reference=collect_stream,
    minutes=7,
    difficulty=2,
    drive=drive,
    hints=(
        "There are three defects. Read the description sentence by sentence, and look for the line that does not "
        "obey it.",
        "First: which chunk has no choice, and what does `choices[0]` do there? Second: to which call does a piece "
        "go, if two calls alternate? Third: what is left of the text after a break?",
        "Skip a chunk whose list of choices is empty. Keep the calls in a dictionary by `piece.index`, begin one where "
        "the index is new, and return its values as a list. In the `except` block set the error only.",
    ),
    proves="text and calls are joined from their pieces and kept at a break, and the caller learns how it ended",
)
