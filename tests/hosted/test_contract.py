"""One contract, replayed against each back end: what it declares must hold, and what it does not declare must not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest

from helpers.hosted import CLAUSES, DECLARED, Outcome, Scripted, client, replay
from helpers.serving import start_server
from tests.benchmarks.peers import NotHere, started

APIS = ("chat", "responses")
LONG = "refuses a long prompt"


def found(asking: openai.OpenAI, model: str, api: str, names=tuple(CLAUSES)) -> dict[str, bool | None]:
    return {clause.name: clause.held for clause in replay(asking, model, api, names)}


@pytest.fixture(scope="module")
def course() -> Iterator[openai.OpenAI]:
    with start_server(embedder=False) as server:
        yield openai.OpenAI(api_key="none", base_url=server.base_url, max_retries=0)


@pytest.mark.parametrize("api", APIS)
def test_the_scripted_service_holds_what_it_declares_and_nothing_else(api: str) -> None:
    held = found(client(Scripted()), "nimbus-2", api)
    assert {name for name, yes in held.items() if yes} == DECLARED["scripted"][api]


@pytest.mark.parametrize("api", APIS)
def test_the_courses_server_holds_what_it_declares_and_nothing_else(course: openai.OpenAI, api: str) -> None:
    held = found(course, "chat", api)
    assert {name for name, yes in held.items() if yes} == DECLARED["course"][api]


def test_transformers_serve_holds_what_is_declared_for_it() -> None:
    """A long prompt is left out: it computes on it for minutes, and answers nobody else until then."""
    names = [name for name in CLAUSES if name != LONG]
    try:
        with started("transformers serve", seconds=90) as server:
            asking = openai.OpenAI(api_key="none", base_url=server.base_url, max_retries=0, timeout=60)
            for api in APIS:
                held = found(asking, server.model, api, [name for name in names if name in DECLARED[server.name][api]])
                assert {name for name, yes in held.items() if yes} == DECLARED[server.name][api]
    except NotHere as error:
        pytest.skip(str(error))


def scripted(script, **options) -> dict[str, bool | None]:
    name = options.pop("name")
    return found(client(Scripted(script, **options), max_retries=0), "nimbus-2", options.get("api", "chat"), [name])


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("answers", [""]),
        ("answers", [Outcome("malformed")]),
        ("streams", ["one", "two"]),
        ("streams", ["one", Outcome("cut_off", text="one", tokens=0)]),
        ("keeps a limit", ["short"]),
        ("keeps a schema", ['{"color": 3}']),
        ("keeps a schema", [Outcome("refusal", text="No.")]),
        ("calls a tool", [Outcome("tool_calls", calls=(("find_oder", '{"order_number": "VE-20417"}'),))]),
        ("calls a tool", [Outcome("tool_calls", calls=(("find_order", '{"number": "VE-20417"}'),))]),
        ("calls a tool", [Outcome("tool_calls", calls=(("find_order", '{"order_number": '),))]),
        ("repeats with a seed", ["a", "b", "c", "d", "e", "f"]),
        ("repeats with a seed", ["a"] * 6),
    ],
)
def test_a_reply_that_breaks_a_clause_is_found(name: str, script: list) -> None:
    assert scripted(script, name=name) == {name: False}


def test_a_reply_that_holds_a_clause_is_accepted() -> None:
    call = Outcome("tool_calls", calls=(("find_order", json.dumps({"order_number": "VE-20417"})),))
    assert scripted([call], name="calls a tool") == {"calls a tool": True}
    assert scripted(['{"color": "blue"}'], name="keeps a schema") == {"keeps a schema": True}
    assert scripted(["z", "a", "a", "b", "a", "a"], name="repeats with a seed") == {"repeats with a seed": True}


def test_what_an_api_does_not_have_is_neither_held_nor_broken() -> None:
    assert found(client(Scripted()), "nimbus-2", "responses", ["repeats with a seed"]) == {"repeats with a seed": None}
