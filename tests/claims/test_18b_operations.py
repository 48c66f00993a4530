"""What 18b_operations may say of broken servers, limits, queues and long prompts, held against data and outputs."""

from __future__ import annotations

import ast
import asyncio
import json
import random
import re
import threading
import time
import urllib.request
from contextlib import aclosing, contextmanager
from datetime import date
from email.utils import formatdate
from http.client import IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import numpy as np
import openai
import pytest
import yaml
from helpers.serving.limits import Limits

from helpers.files import RESULTS, read_json
from helpers.serving import Curve, Settings, simulate_queue

CHUNKS = {run["case"]["chunk"]: run for run in read_json(RESULTS / "18_chunk.json")["runs"]}
FIRST = "first_token_of_the_long_one_s"


# A broken server -----------------------------------------------------------------------------------------------------


def test_twelve_customers_and_one_careless_program(printed, prose):
    assert "12 of 12 raise APIConnectionError" in printed["noticed"]
    [answer] = re.findall(r"ten lines of the standard library: '(.*)'", printed["noticed"])
    assert len(ast.literal_eval(f"'{answer}'")) == int(re.search(r"(\d+) characters\s*$", printed["noticed"])[1]) > 20
    assert "12 of 12 answered" in printed["recovered"]
    assert "12 of 12 running replies finished, exit status 0" in printed["drained"]
    assert "each of the twelve gets an `APIConnectionError`" in prose


def test_the_order_numbers_are_no_neighbors(printed):

    drawn = random.Random(18).sample(range(10000, 100000), 13)
    assert all(abs(a - b) > 1 for a in drawn for b in drawn if a is not b)
    assert f"VE-{drawn[0]}" in printed["kill"]


def names_of(page, *cells: str) -> dict:
    """What these cells define, outside of the notebook."""
    found = {"openai": openai, "json": json, "random": random, "asyncio": asyncio, "time": time}
    for cell in page.code:
        if cell.id in cells:
            exec(cell.source, found)
    return found


def test_what_may_pass_and_how_long_the_loop_waits(page):

    names = names_of(page, "retries")
    request = httpx2.Request("POST", "http://desk/v1/chat/completions")

    def refusal(status: int, **headers: str) -> openai.APIStatusError:
        answer = httpx2.Response(status, headers=headers, request=request)
        return openai.APIStatusError("refused", response=answer, body=None)

    in_a_stream = openai.APIError("the engine failed", request=request, body=None)
    passing = [openai.APIConnectionError(request=request), in_a_stream, refusal(408), refusal(429), refusal(503)]
    assert all(map(names["may_pass"], passing))
    assert not any(map(names["may_pass"], map(refusal, (400, 401, 403, 404, 422))))
    waits = [names["pause"](refusal(503, **{"retry-after": "3"}), 1) for _ in range(200)]
    assert 3 <= min(waits) < 3.2 and 5.8 < max(waits) <= 6
    for tries, least in ((1, 1), (2, 2), (3, 4), (9, 4)):
        assert least <= names["pause"](None, tries) <= 2 * least
    assert 1 <= names["pause"](refusal(503, **{"retry-after": "0"}), 1) <= 2  # no busy loop
    in_a_minute = refusal(503, **{"retry-after": formatdate(time.time() + 60, usegmt=True)})
    assert 58 <= names["pause"](in_a_minute, 1) <= 120
    for odd in ("soon", "-5", formatdate(0, usegmt=True)):
        assert 1 <= names["pause"](refusal(503, **{"retry-after": odd}), 1) <= 2


def asked_until_ended(page, *replies, **options):
    """The number of requests, and what the loop said, where each request gets the next of these replies."""
    names, left, asked = names_of(page, "retries", "until-ended"), list(replies), []

    async def ask(client, order, came):
        asked.append(order)
        reply = left.pop(0) if len(left) > 1 else left[0]
        came += [chunk for chunk in reply if not isinstance(chunk, Exception)]
        for error in reply:
            if isinstance(error, Exception):
                raise error

    names |= {"ask": ask, "pause": lambda error, tries: 0}
    try:
        said = asyncio.run(names["ask_until_ended"](None, "VE-1", came := [], **options))
    except (TimeoutError, openai.APIError) as error:
        said = type(error).__name__
    return len(asked), said, came


def test_only_a_missing_reason_or_an_error_that_may_pass_is_asked_again(page, prose):
    cut = [("half", None), openai.APIConnectionError(request=httpx2.Request("POST", "http://desk"))]
    silent, whole = [("half", None)], [("all", None), ("", "stop")]
    assert asked_until_ended(page, cut, silent, whole) == (3, 3, whole)
    for reason in ("length", "content_filter", "tool_calls", "one of next year"):
        assert asked_until_ended(page, [("part", reason)])[:2] == (1, 1)
    assert asked_until_ended(page, silent, most=7)[:2] == (7, "TimeoutError")
    assert "A reply that came with a `finish_reason` is final" in prose


@contextmanager
def desk_that_cuts():
    """The address of a server that breaks off each stream after one chunk, and the list of the requests it got."""
    asked = []

    class Cutting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(self.path)
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "chat"}
            chunk["choices"] = [{"index": 0, "delta": {"content": "half"}, "finish_reason": None}]
            line = f"data: {json.dumps(chunk)}\n\n".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.close_connection = True  # without the chunk of length 0 that ends a reply

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cutting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_max_retries_does_not_repeat_a_stream_that_broke_midway(prose):
    assert "it does not repeat a stream that broke after it had begun" in prose
    with desk_that_cuts() as (address, asked):
        client, came = openai.OpenAI(base_url=address, api_key="none", max_retries=2), []
        question = [{"role": "user", "content": "?"}]
        with pytest.raises(openai.APIConnectionError):
            for chunk in client.chat.completions.create(model="chat", messages=question, stream=True):
                came.append(chunk.choices[0].delta.content)
    assert came == ["half"] and len(asked) == 1


def test_the_loop_over_lines_is_silent_and_read_is_not(prose):
    assert "the loop over `urllib`'s lines ends silently (its `read()` would raise `IncompleteRead`)" in prose
    with desk_that_cuts() as (address, _):
        with urllib.request.urlopen(address, data=b"{}") as lines:
            assert sum(line.startswith(b"data: ") for line in lines) == 1
        with urllib.request.urlopen(address, data=b"{}") as answer, pytest.raises(IncompleteRead):
            answer.read()


def test_the_client_sleeps_exactly_what_retry_after_says():
    client = openai.OpenAI(api_key="none")
    options = openai._models.FinalRequestOptions(method="post", url="/")

    for told in ("1", "7"):
        waits = {client._calculate_retry_timeout(2, options, httpx2.Headers({"retry-after": told})) for _ in range(5)}
        assert waits == {float(told)}


# Limits and queues ---------------------------------------------------------------------------------------------------


def test_what_the_limits_said(printed):
    lines = printed["refused"].splitlines()
    assert lines[0].startswith("guess: 401 AuthenticationError")
    assert (
        printed["refused"].count("anna: answered") == 5
        and "anna: 429 RateLimitError, Retry-After: " in printed["refused"]
    )


def test_keys_are_not_stored_and_logs_hold_no_text(printed):
    assert "'sha256': '" in printed["keys"]
    line = ast.literal_eval(printed["log-line"].strip())
    assert line["request_id"] == "case-4711" and not {"prompt", "messages", "reply"} & line.keys()


def test_five_per_second_may_be_nine(printed, prose):
    assert [line.split()[-1] for line in printed["limits"].splitlines()] == ["●●●●●●●●●·", "●·●·●·●·●·"]
    assert "admitted 9 in the first second" in prose


def test_the_server_counts_in_a_moving_window(prose):
    assert "a *moving window*" in prose and type(Limits().moving).__name__ == "MovingWindowRateLimiter"


def quarters(text: str) -> list[tuple[int, int]]:
    """Per quarter of a second, the requests that were answered and refused."""
    return [(blocks.count("█"), blocks.count("░")) for blocks in re.findall(r"\d s  ([█░]*)$", text, re.MULTILINE)]


def test_between_8_and_16_of_a_burst_are_answered(printed, prose):
    for cell in ("herd-sdk", "herd-jitter"):
        answered, refused = quarters(printed[cell])[0]
        assert answered + refused == 24 and 8 <= answered <= 16
    assert "somewhere between 8 and 16 are answered at once" in prose


def test_jitter_takes_the_herd_apart(printed):
    herd, spread = (quarters(printed[cell])[1:] for cell in ("herd-sdk", "herd-jitter"))
    returned = quarters(printed["herd-sdk"])[0][1]
    assert max(map(sum, herd)) == returned  # all that were refused, in one quarter of a second
    assert f"they return at most {max(map(sum, herd))} per quarter second" in printed["herd-sdk"]
    assert f"they return at most {max(map(sum, spread))} per quarter second" in printed["herd-jitter"]
    assert f"{sum(again for _, again in spread)} refusals follow" in printed["herd-jitter"]
    together = max(map(sum, spread)) / quarters(printed["herd-jitter"])[0][1]
    assert together < 0.75 and sum(answered for answered, _ in quarters(printed["herd-jitter"])) == 24


def test_the_simulated_server_is_the_one_that_runs(printed, prose, page):
    guarded = next(cell.source for cell in page.code if cell.id == "guarded")
    assert "max_running=8" in guarded and "bits=8" in guarded and "8-bit weights, 8 requests at once" in prose
    runs = read_json(RESULTS / "18_load.json")["runs"]
    load = {run["case"]["clients"]: run for run in runs if run["case"]["server"] == "ours, int8"}
    few = [clients for clients in load if clients <= 8]
    curve = Curve.measured(few, [load[clients]["tokens_per_s"] / 200 for clients in few], max_running=8)
    assert all(load[clients]["weights"] == "int8" for clients in few)
    assert load[8]["tokens_per_s"] <= load[4]["tokens_per_s"] and "no more tokens per second than four" in prose
    rate, late = 1.2 * curve.most, []
    for seed in range(4):
        waits = simulate_queue(curve, rate=rate, requests=round(rate * 4500), seed=seed).waits
        late.append(waits[-len(waits) // 10 :].mean())
    assert f"with four seeds it was {min(late):.0f} to {max(late):,.0f}" in prose
    found = re.findall(r"(\d+)% refused; the others wait (\d+) s to begin, the last tenth (\d+) s", printed["late"])
    (none, _, long), (some, short, _) = (map(int, row) for row in found)
    assert f"{curve.most:.2f} replies per second, 8 waiting requests mean up to {8 / curve.most:.0f} seconds" in prose
    assert int(10 * curve.most) == 2 and "a promise of 10 seconds allows 2." in prose
    assert none == 0 and long == round(late[0]) and 15 <= some <= 25 and 15 <= short <= 25
    assert 0.2 * 75 * 60 == 900 and 0.95 * 900 == 855 and "900 seconds, and 855 on average" in prose


# One long prompt -----------------------------------------------------------------------------------------------------


def test_the_recorded_knob():
    assert set(CHUNKS) >= {16, 64, 2048} and all(run["prompt_tokens"] > 1200 for run in CHUNKS.values())
    assert CHUNKS[2048]["longest_step_s"] > 8 * CHUNKS[64]["longest_step_s"]
    assert Settings().chunk == 64


def test_what_the_text_says_of_three_chunks(prose):
    pause, first = ({chunk: run[name] for chunk, run in CHUNKS.items()} for name in ("longest_step_s", FIRST))
    assert f"At 2,048, the longest step takes {pause[2048]:.0f} processor seconds" in prose
    assert f"At 64 it takes {pause[64]:.1f}," in prose
    assert f"after {first[64]:.0f} seconds instead of {first[2048]:.0f}" in prose
    assert pause[16] < pause[64] and f"but now the long prompt needs {first[16]:.0f}." in prose


def pauses_of(text: str) -> dict[str, float]:
    found = re.search(
        r"by pauses:  (\d+) of (\d+) .*p95 ([\d.]+) s\nby readers: (\d+) of 6 .*pauses is ([\d.]+) s", text
    )
    return dict(zip(("long", "all", "p95", "readers", "longest"), map(float, found.groups()), strict=True))


def test_pauses_hide_what_readers_meet(printed, prose):
    before = pauses_of(printed["pauses"])
    assert before["long"] == before["readers"] == 6 and before["p95"] < 1 < before["longest"]
    assert before["long"] / before["all"] < 0.05 and 36 <= before["all"] / 6 < 40
    assert 6 * 199 == 1194 and "6 of 1,194 pauses, 0.5 %" in prose
    spans = re.findall(r"longest pause from ([\d.]+) s to ([\d.]+) s", printed["pauses"])
    assert len(spans) == 6 and np.ptp(np.array(spans, dtype=float), axis=0).max() < 0.2  # the same moment


def test_the_mended_server_pauses_shorter_and_at_a_price(printed):
    before, after = pauses_of(printed["pauses"]), pauses_of(printed["mended"])
    assert after["longest"] < before["longest"] and after["readers"] < before["readers"]
    assert after["p95"] > before["p95"]  # each piece of the long prompt makes a short pause
    (fell, to), _ = re.findall(r"([\d.]+) → ([\d.]+) s", printed["mended"])
    assert float(to) < float(fell)


def test_one_alert_for_a_dead_server_and_one_below_the_promise(page, prose):
    [rules] = re.findall(r"```yaml\n(.*?)```", page.prose, re.DOTALL)
    down, slow = yaml.safe_load(rules)["groups"][0]["rules"]
    assert re.fullmatch(r"up\{.*\} == 0", down["expr"]) and down["labels"] == {"severity": "page"}
    share, threshold, least = re.fullmatch(
        r"1 - (.*) > ([\d.]+) and sum\(increase\(.*\)\) >= (\d+)", slow["expr"]
    ).groups()
    assert set(re.findall(r"desk_\w+", share)) == {f"desk_longest_pause_seconds_{end}" for end in ("bucket", "count")}
    assert 'le="1.0"' in share and float(threshold) < 0.05 and slow["labels"] == {"severity": "ticket"}
    assert f"at least {least} replies are asked for" in prose and "The rules below were not tried" in prose


# Hang-ups ------------------------------------------------------------------------------------------------------------


def test_places_were_taken_and_came_back(printed):
    taken = ast.literal_eval(printed["leaving"].split("at once: ")[1])
    assert 1 <= taken["llm_running"] <= 8 and taken["llm_pages{state=used}"] >= 1
    assert ast.literal_eval(printed["returned"].split("afterwards: ")[1]) == dict.fromkeys(taken, 0.0)


def test_the_colleague_leaks_and_the_repaired_loop_does_not(printed):
    leaking = [tuple(map(int, re.findall(r"\d+", line))) for line in printed["colleague"].splitlines()]
    assert [(row[1], row[3]) for row in leaking] == [(8, 4), (4, 2), (2, 1), (1, 1)]
    assert printed["repaired"].count("8 of 8 served, then 8 of 8 places free") == 4


def test_an_async_generator_waits_to_be_closed(printed):
    assert printed["async-stream"].splitlines() == ["after the break", "the place is given back"]


def test_aclosing_gives_the_place_back_at_the_end_of_its_block(page):
    told: list[str] = []
    source = next(cell.source for cell in page.code if cell.id == "async-stream").split("\n\n\nstream")[0]
    names = {"print": told.append}
    exec(source, names)

    async def left_early() -> None:
        async with aclosing(names["streaming"]()) as stream:
            async for _ in stream:
                break
        told.append("after the block")

    asyncio.run(left_early())
    assert told == ["the place is given back", "after the block"]


# The runbook ---------------------------------------------------------------------------------------------------------


EVENTS = ("kill -9", "SIGTERM", "full queue", "a long prompt", "hang-ups")


def rows_of(table: str) -> dict[str, list[str]]:
    lines = ([part.strip() for part in line.split("|")[1:-1]] for line in table.splitlines())
    return {row[0]: row[1:] for row in lines if row and row[0] in EVENTS}


def test_every_protection_in_the_runbook_was_tried(printed, page):
    [cell] = [cell for cell in page.code if cell.id == "runbook"]
    [table] = [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]
    rows = rows_of(table)
    assert tuple(rows) == EVENTS and "not tried" not in table
    assert all(re.search(r"\(\d{4}-\d\d-\d\d\)$", seen) for row in rows.values() for seen in row[:2])
    assert [event for event in EVENTS if rows[event][2] == "yours to write"] == ["full queue", "hang-ups"]
    assert rows["SIGTERM"][0].startswith("as `kill -9` above: 12 of 12 replies cut off")
    assert rows["SIGTERM"][1].startswith("draining: 12 of 12 running replies finished")
    assert re.match(r"this server, \d+ hang-ups: 0 places and 0 pages still taken", rows["hang-ups"][1])
    free = int(re.findall(r"then (\d) of 8 places free", printed["colleague"])[-1])
    assert f"a toy loop that leaks: {8 - free} of 8 places lost" in rows["hang-ups"][0]
    assert "exit: 0" in printed["stopped"] and rows["full queue"][0].startswith("simulated")


def test_a_second_evening_keeps_what_the_first_one_tried(page, tmp_path):
    class Stopped:
        def stop(self):
            return 0

    def evening(*notes):
        names = {"course": tmp_path, "json": json, "server": Stopped(), "keys_file": tmp_path / "keys"}
        names |= {"display": lambda shown: None, "Markdown": str, "print": lambda *told: None}
        (tmp_path / "keys").touch()
        cells = {cell.id: cell.source for cell in page.code}
        exec(cells["note"], names)
        for event, found in notes:
            names["note"](event, **found)
        for _ in range(2):  # as somebody does who writes the two lines after the first run
            exec("\n".join(cells[cell] for cell in ("stopped", "first-steps", "runbook")), names)
        return rows_of((tmp_path / "build/portfolio/18b_runbook.md").read_text(encoding="utf-8"))

    nothing = evening()
    assert all(row[:2] == ["not tried", "not tried"] for row in nothing.values())
    evening(("kill -9", {"without": "half", "here": "twelve"}))
    second = evening(("hang-ups", {"here": "none taken"}))
    today = date.today()
    assert second["kill -9"][:2] == [f"half ({today})", f"twelve ({today})"]
    assert second["hang-ups"][:2] == ["not tried", f"none taken ({today})"]
    assert second["SIGTERM"][:2] == ["not tried", "not tried"]
