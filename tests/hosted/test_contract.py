"""One contract, replayed against each back end: what it declares must hold, and what it does not declare must not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import openai
import pytest

from helpers.old.hosted import CLAUSES, DECLARED, Allowance, Outcome, Scripted, client, price_of, replay
from helpers.old.hosted.contracts import LEAST
from helpers.old.serving import start_server
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


# The clauses themselves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
def test_no_clause_sends_a_limit_that_responses_refuses(api: str) -> None:
    service = Scripted(least=LEAST, strict=True)
    held = found(client(service, max_retries=0), "nimbus-2", api)
    assert {name for name, yes in held.items() if yes} == DECLARED["scripted"][api]
    limits = [sent["body"].get("max_completion_tokens") or sent["body"].get("max_output_tokens")
              for sent in service.requests if sent["body"]]  # fmt: skip
    assert limits and min(limits) >= LEAST


@pytest.mark.parametrize("api", APIS)
def test_a_model_that_thinks_is_given_room_for_it(api: str) -> None:
    script = [Outcome(reasoning=300)] * 9
    names = ("answers", "keeps a limit")
    asking = client(Scripted(script), max_retries=0)
    assert [clause.held for clause in replay(asking, "nimbus-2", api, names, thought=400)] == [True, True]
    assert not next(replay(asking, "nimbus-2", api, ("answers",))).held


@pytest.mark.parametrize("context", [3000, 400_000])
def test_the_long_prompt_is_longer_than_the_context_that_is_declared(context: int) -> None:
    service = Scripted(context=context)
    assert found(client(service), "nimbus-2", "chat", [LONG]) == {LONG: True}
    assert service.invoice.lines[-1]["prompt_tokens"] < 100  # the long one is refused, and not billed


def test_a_service_that_declares_no_context_is_not_judged_by_it_unless_it_is_given() -> None:
    class Silent(Scripted):
        def _look_up(self, method, path):
            sending = super()._look_up(method, path)
            sending.flow = [(0.0, sending.flow[0][1].replace(b"max_model_len", b"something"))]
            return sending

    service = Silent(context=400_000)
    [clause] = replay(client(service), "nimbus-2", "chat", [LONG])
    assert clause.held is None and "does not declare" in clause.said and not service.invoice.lines
    assert [c.held for c in replay(client(service), "nimbus-2", "chat", [LONG], context=400_000)] == [True]
    assert [c.held for c in replay(client(service), "nimbus-2", "chat", [LONG], context=8192)] == [False]


def test_a_service_that_refuses_everything_does_not_hold_that_it_refuses_long_prompts() -> None:
    assert found(client(Scripted(least=1000), max_retries=0), "nimbus-2", "chat", [LONG]) == {LONG: False}


def test_a_clause_of_your_own_is_a_function_and_a_failing_assert_is_a_no_with_its_sentence() -> None:
    def says_please(asking):
        assert "Please" in asking.text(asking.create("Hi")), "it does not say please"

    def fails_bare(asking):
        assert not asking.model

    def looks_up(asking):
        {}["choices"]

    own = (says_please, "answers", fails_bare, looks_up)
    for api in APIS:
        clauses = list(replay(client(Scripted(["Please wait.", "Yes.", "No."])), "nimbus-2", api, own))
        assert [(c.name, c.held) for c in clauses] == [
            ("says please", True), ("answers", True), ("fails bare", False), ("looks up", False)
        ]  # fmt: skip
        [clause] = replay(client(Scripted(["Wait."])), "nimbus-2", api, [says_please])
        assert clause.held is False and clause.said.startswith("AssertionError: it does not say please")


def test_a_bound_on_money_says_nothing_of_the_service() -> None:
    allowance = Allowance(0.0, price_of)
    web = httpx2.Client(transport=Scripted(), event_hooks={"request": [allowance.reserve]})
    asking = openai.OpenAI(api_key="scripted", base_url=Scripted.base_url, http_client=web)
    [clause] = replay(asking, "nimbus-2", "chat", ["answers"])
    assert clause.held is None and "could cost" in clause.said


def test_a_misspelt_clause_is_named() -> None:
    with pytest.raises(ValueError, match="no clause 'keeps a shcema'"):
        list(replay(client(Scripted()), "nimbus-2", "chat", ["keeps a shcema"]))
