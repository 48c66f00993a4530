"""What has come stays, whatever ends the stream."""

from __future__ import annotations

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from helpers.old.hosted import collect_stream


def chunk(finish_reason=None, **delta):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return made([choice])


def made(choices):
    return ChatCompletionChunk.model_validate(
        {"id": "c", "created": 0, "model": "m", "object": "chat.completion.chunk", "choices": choices}
    )


def piece(index, **fields):
    given = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return {"index": index, "function": given, **fields}


def broken():
    yield chunk(role="assistant", content="")
    yield chunk(content="Your order ")
    yield chunk(content="left")
    raise openai.APIConnectionError(request=httpx2.Request("POST", "http://testserver"))


def test_a_whole_reply_with_its_usage():
    stream = [chunk(role="assistant"), chunk(content="Yes"), chunk(content="."), chunk("stop"), made([])]
    assert collect_stream(stream) == {"text": "Yes.", "calls": [], "finish_reason": "stop", "error": None}


def test_a_broken_stream_keeps_its_text():
    assert collect_stream(broken()) == {
        "text": "Your order left",
        "calls": [],
        "finish_reason": None,
        "error": "APIConnectionError",
    }


def test_a_stream_that_ends_without_a_word_has_no_finish_reason():
    assert collect_stream([chunk(content="Your")])["finish_reason"] is None
    assert collect_stream([]) == {"text": "", "calls": [], "finish_reason": None, "error": None}


def test_pieces_of_calls_are_joined_by_their_index_and_stand_in_the_order_in_which_they_began():
    stream = [
        chunk(tool_calls=[piece(1, id="b", name="cancel", arguments="")]),
        chunk(tool_calls=[piece(0, id="a", name="look_up", arguments="")]),
        chunk(tool_calls=[piece(0, arguments='{"order": '), piece(1, arguments="{")]),
        chunk(tool_calls=[piece(1, arguments="}"), piece(0, arguments="7}")]),
        chunk("tool_calls"),
    ]
    assert collect_stream(stream)["calls"] == [
        {"id": "b", "name": "cancel", "arguments": "{}"},
        {"id": "a", "name": "look_up", "arguments": '{"order": 7}'},
    ]


def test_an_error_that_is_not_the_services_own_is_not_hidden():
    def faulty():
        yield chunk(content="a")
        raise KeyError("ours")

    with pytest.raises(KeyError):
        collect_stream(faulty())
