"""The load generator counts and times what a server does: against a scripted server, over real sockets."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.benchmarks import load
from tests.benchmarks.load_records import Load, Reply, Request, mixed_requests, percentiles
from tests.serving.sse_server import Script, serve

STORY = ["Once", " upon", " a", " time"]


def run(script, drive):
    async def both():
        async with serve(script) as url:
            return await drive(url)

    return asyncio.run(both())


def closed(script, requests, clients, **options):
    return run(script, lambda url: load.closed_loop(url, requests, clients, **options))


def timed(due, *arrivals, end):
    return Reply(Request(()), due, sent=due, arrivals=list(arrivals), end=end, finish="stop")


def test_a_closed_loop_keeps_as_many_requests_under_way_as_it_has_clients():
    script = Script(lambda body: STORY)
    found = closed(script, mixed_requests(12), 4)
    assert script.most_running == 4 and len(script.asked) == 12
    assert [reply.text for reply in found.replies] == ["Once upon a time"] * 12
    assert {body["model"] for body in script.asked} == {"scripted"} and all(body["stream"] for body in script.asked)


def test_a_single_client_waits_for_each_reply():
    script = Script(lambda body: STORY)
    found = closed(script, mixed_requests(5), 1)
    assert script.most_running == 1
    assert all(later.sent >= earlier.end for earlier, later in zip(found.replies, found.replies[1:], strict=False))


def test_an_open_loop_does_not_wait_for_a_slow_server():
    script = Script(lambda body: STORY, wait=lambda n: 0.5)
    found = run(script, lambda url: load.open_loop(url, mixed_requests(20), rate=400, seed=1))
    assert script.most_running == 20 and found.summary()["answered"] == 20
    assert min(found.first_token()) >= 0.5


def test_an_open_loop_times_from_the_moment_a_request_was_due():
    late = Reply(Request(()), due=1.0, sent=3.0, arrivals=[4.0, 4.5], end=5.0, finish="stop")
    found = Load((late,), 0.1)
    assert found.first_token() == [3.0] and found.end_to_end() == [4.0] and found.summary()["sent_late_s"] == 2.0


def test_arrivals_of_an_open_loop_have_the_rate_that_was_asked_for():
    script = Script(lambda body: ["x"])
    found = run(script, lambda url: load.open_loop(url, mixed_requests(200), rate=500, seed=3))
    due = sorted(reply.due for reply in found.replies)
    assert 199 / (due[-1] - due[0]) == pytest.approx(500, rel=0.25)  # four standard errors of 199 exponential waits


def test_percentiles_of_known_times():
    found = Load((timed(0, 1, 2, 4, end=4), timed(0, 3, 6, end=7)), client_seconds=3.5).summary()
    assert found["seconds"] == 7 and found["client_cores"] == 0.5
    assert found["first_token_s"]["p50"] == 2.0 and found["end_to_end_s"]["p99"] == pytest.approx(6.97)
    assert found["gap_s"]["p50"] == 2.0  # gaps 1, 2 and 3
    assert found["tokens"] == 5 and found["counted_by"] == "pieces of text"
    assert percentiles([]) is None


def test_the_servers_count_of_tokens_is_believed():
    found = closed(Script(lambda body: STORY), mixed_requests(2), 1).summary()
    assert found["tokens"] == 80 and found["counted_by"] == "server"
    assert found["prompt_tokens"] == 18 and found["cached_tokens"] == 14
    assert closed(Script(lambda body: STORY, usage=False), mixed_requests(2), 1).summary()["tokens"] == 8


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(lambda body: STORY, status=lambda n: 503), "HTTP 503"),
        (Script(lambda body: ["Once", None]), "RemoteProtocolError"),
        (Script(lambda body: STORY, ending="none"), "cut off"),
        (Script(lambda body: STORY, ending="error"), "error in the stream"),
        (Script(lambda body: STORY, ending="broken"), "broken event"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_is_counted_by_its_kind(script, kind):
    found = closed(script, mixed_requests(3), 2).summary()
    assert found["errors"] == {kind: 3} and found["answered"] == 0 and found["tokens"] == 0


def test_only_the_refused_requests_are_errors():
    found = closed(Script(lambda body: STORY, status=lambda n: 503 if n % 3 == 0 else 200), mixed_requests(9), 3)
    assert found.summary()["errors"] == {"HTTP 503": 3} and found.summary()["answered"] == 6


def test_a_reply_that_went_to_the_wrong_client_is_found():
    requests = mixed_requests(4, tokens=(32, 32), nonces=True)
    nonces = [request.nonce for request in requests]
    assert len(set(nonces)) == 4

    def asked(body):
        return body["response_format"]["json_schema"]["schema"]["properties"]["nonce"]["const"]

    right = closed(Script(lambda body: ['{"nonce": "', asked(body), '"}']), requests, 4)
    assert right.errors == {}
    other = dict(zip(nonces, nonces[1:] + nonces[:1], strict=True))
    crossed = closed(Script(lambda body: ['{"nonce": "', other[asked(body)], '"}']), requests, 4)
    assert crossed.errors == {"wrong nonce": 4}


def test_a_client_that_hangs_up_leaves_the_server():
    script = Script(lambda body: ["x"] * 5000)

    async def drive(url):
        found = await load.closed_loop(url, [Request((), leave_after=2)] * 3, clients=3)
        while script.running:  # the server notices within a few pieces
            await asyncio.sleep(0.01)
        return found

    found = run(script, lambda url: asyncio.wait_for(drive(url), 10))
    assert script.hung_up == 3 and found.summary()["left"] == 3
    assert found.summary()["errors"] == {} and found.summary()["answered"] == 0


def test_a_server_that_is_not_there_is_an_error_of_each_request():
    found = asyncio.run(load.closed_loop("http://127.0.0.1:9/v1", mixed_requests(2), 2, model="x"))
    assert found.summary()["errors"] == {"ConnectError": 2} and found.summary()["first_token_s"] is None
    assert "ConnectError × 2" in str(found)


def test_shared_prefixes_are_the_same_text_and_others_are_not():
    requests = mixed_requests(40, shared=0.5, system_tokens=400, seed=2)
    systems = [request.messages[0]["content"] for request in requests]
    common = max(systems, key=systems.count)
    assert 10 <= systems.count(common) <= 30
    others = [text for text in systems if text != common]
    assert len(set(others)) == len(others)
    assert all(1700 <= len(text) <= 1800 for text in systems)
    assert len({request.messages[1]["content"] for request in requests}) == 40


def test_lengths_are_mixed_as_asked():
    requests = mixed_requests(300, tokens=(8, 12), pasted=0.3, seed=5)
    assert {request.max_tokens for request in requests} == {8, 9, 10, 11, 12}
    assert 60 <= sum(len(request.messages[0]["content"]) > 1000 for request in requests) <= 120
    assert requests == mixed_requests(300, tokens=(8, 12), pasted=0.3, seed=5) != mixed_requests(300, seed=6)


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": 1, "tokens": (9, 8)}, {"n": 1, "shared": 1.5}, {"n": 1, "pasted": -1}]
)
def test_an_impossible_load_is_refused(wrong):
    with pytest.raises(ValueError):
        mixed_requests(**wrong)


@pytest.mark.parametrize("clients", [0, -1])
def test_loops_refuse_what_never_ends(clients):
    with pytest.raises(ValueError, match="needs a client"):
        asyncio.run(load.closed_loop("http://x", mixed_requests(1), clients))
    with pytest.raises(ValueError, match="positive rate"):
        asyncio.run(load.open_loop("http://x", mixed_requests(1), rate=clients))


def test_the_command_prints_one_line_per_level(capsys):
    async def drive(url):
        arguments = ["--base-url", url, "--clients", "1", "2", "--json"]
        return await asyncio.to_thread(load.main, arguments)

    assert run(Script(lambda body: STORY), drive) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["clients"], line["answered"]) for line in lines] == [(1, 2), (2, 4)]


def test_the_command_says_in_one_sentence_that_nobody_answers(capsys):
    assert load.main(["--base-url", "http://127.0.0.1:9/v1"]) == 1
    assert capsys.readouterr().err.startswith("No load on http://127.0.0.1:9/v1: ")
