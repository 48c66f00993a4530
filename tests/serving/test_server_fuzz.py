"""Nonsense in every form that the OpenAPI schema allows and forbids: whatever is sent, the server never fails."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.serving.scripted import Server, in_loop
from tests.tools.optional import needs

POSTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
QUICK = settings(
    max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)


@needs("schemathesis", extra="test")
def test_no_request_that_the_schema_describes_or_forbids_is_answered_with_500():
    import schemathesis

    server = Server(max_new_tokens=8, default_new_tokens=4)
    schema = schemathesis.openapi.from_asgi("/openapi.json", server.app)
    seen: dict[str, set[int]] = {}
    for result in schema.get_all_operations():
        probe_operation(result.ok(), seen)
    assert set(seen) >= set(POSTS) and 200 in set().union(*(seen[path] for path in POSTS)), seen


def probe_operation(operation, seen: dict[str, set[int]]) -> None:
    @settings(QUICK, max_examples=8)
    @given(case=operation.as_strategy())
    def probe(case):
        answer = case.call()
        seen.setdefault(operation.path, set()).add(answer.status_code)
        assert answer.status_code < 500, f"{operation.path}: {answer.text}"

    probe()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *("model", "messages", "max_tokens", "temperature", "n", "seed", "stop", "stream", "tools", "tool_choice"),
    *("response_format", "logprobs", "top_logprobs", "prompt", "input", "text", "instructions", "previous_response_id"),
]
FINE = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 4},
    "/v1/responses": {"input": "x", "max_output_tokens": 4},
    "/v1/embeddings": {"input": "x"},
}


@pytest.mark.parametrize("path", POSTS)
def test_a_good_request_with_one_field_of_nonsense_is_never_answered_with_500(path):
    server = Server(max_new_tokens=8, default_new_tokens=4)

    @QUICK
    @given(st.sampled_from(FIELDS), JSON)
    def probe(field, value):
        @in_loop
        async def send():
            content = json.dumps(FINE[path] | {field: value})
            answer = await server.http.post(path, content=content, headers={"content-type": "application/json"})
            assert answer.status_code < 500, answer.text

        send()

    probe()


def test_a_schema_of_nonsense_is_never_answered_with_500():
    server = Server()
    keywords = ["type", "properties", "items", "required", "enum", "anyOf", "$ref", "pattern", "minLength", "$defs"]
    schemas = st.dictionaries(st.sampled_from(keywords), JSON, max_size=4)

    @QUICK
    @given(schemas)
    def probe(schema):
        @in_loop
        async def send():
            wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
            tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
            for extra in ({"response_format": wanted}, {"tools": [tool]}):
                content = json.dumps(FINE[POSTS[0]] | {"max_tokens": 60} | extra)
                answer = await server.http.post(POSTS[0], content=content, headers={"content-type": "application/json"})
                assert answer.status_code < 500, (schema, answer.text)

        send()

    probe()
