"""What 06b_failures_and_cost and README.md may say of failures, journals and invoices, held against its outputs."""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections import Counter

import httpx2
import openai
import pytest
from helpers.hosted import CircuitBreaker, Outcome, Rates, Scripted, async_client, client, wait_after, written_chat
from helpers.trials import desk_job

from tests.tools.notebook import ROOT

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


def way(text: str) -> dict[str, tuple[int, ...]]:
    """Lost, paid twice, paid for nothing, and requests, by way."""
    found = re.findall(r"^(.+?) +lost +(\d+) · paid twice (\d+) · paid for nothing (\d+) · (\d+) requests", text, re.M)
    return {name: tuple(map(int, counts)) for name, *counts in found}


@pytest.fixture(scope="module")
def ways(printed) -> dict[str, tuple[int, ...]]:
    return way(printed["ways-loop"] + "\n" + printed["ways-client"] + "\n" + printed["run"])


# The job -------------------------------------------------------------------------------------------------------------


def test_the_first_request_of_each_ticket_fails_at_the_stated_rates(prose):
    tickets = desk_job.desk_tickets()
    assert len(set(tickets.values())) == len(tickets) == 200
    rates = Rates(desk_job.FAILURES, seed=desk_job.SEED)
    kinds = Counter(rates(0, desk_job.request_of(text) | STREAMED).kind for text in tickets.values())
    assert kinds == {"rate_limited": 20, "server_error": 10, "timeout": 4, "cut_off": 2, "answer": 164}
    assert kinds == {"answer": 164} | {kind: 200 * rate for kind, rate in desk_job.FAILURES.items()}
    for said in ("20 are refused with status 429", "10 with status 500", "4 *time out*", "2 *break off*", "18 %"):
        assert said in prose


def test_what_the_plain_loop_loses_and_pays(printed, prose):
    assert "164 answered, 36 lost" in printed["run-loop"] and "170 requests on the bill" in printed["run-loop"]
    assert "six of them are paid for" in prose and "the four timeouts and the two broken streams" in prose
    assert "200 tickets? 41 minutes" in printed["run-loop"] and "One minute of work takes 41" in prose
    assert 4 * openai.DEFAULT_TIMEOUT.read / 60 == 40 and "Forty of them are four timeouts of 600 seconds" in prose


def test_what_running_it_again_costs(printed, prose):
    twice, total = map(float, re.search(r"\$([\d.]+) of \$([\d.]+)", printed["loop-again"]).groups())
    assert 0.035 < twice / total < 0.045 and "That is 4 % of this bill" in prose


def test_the_client_sends_no_key_and_repeats_no_stream(printed, ways, prose):
    assert "idempotency key sent: None" in printed["no-key"] and openai.__version__.startswith("3.57")
    assert "OpenAI's client (3.57) makes such a key for each call" in prose
    made = openai.OpenAI(api_key="none")
    assert made._idempotency_header is None and made._idempotency_key() and made.max_retries == 2
    assert ways["5 retries, idempotency key, streamed"][:3] == (2, 0, 2)
    assert ways["5 retries"][1] > 4 and "pays twice for more than the four timeouts" in prose


def test_streaming_is_what_loses_labels_that_the_client_would_have_repeated(ways, prose):
    assert ways["2 retries (default), streamed"][0] > ways["2 retries (default)"][0]
    assert ways["5 retries, idempotency key"][:3] == (0, 0, 0) < ways["5 retries, idempotency key, streamed"][:3]
    assert "do not stream a batch" in prose


def test_where_keys_are_honored_the_runner_is_not_better(printed, ways, prose):
    assert ways["plain loop"][:3] == (36, 0, 6) and ways["plain loop, until complete"][0] == 0
    assert ways["runner"] == ways["5 retries, idempotency key"] and "no runner beats it" in prose
    bills = re.findall(r"(5 retries, idempotency key|runner) .*(\$[\d.]+)", printed["ways-client"] + printed["run"])
    assert len({money for name, money in bills if name == "runner"} | {money for _, money in bills[-2:]}) == 1


def test_a_restart_without_a_memory_costs_nothing_where_keys_are_honored_and_120_tickets_where_not(printed, prose):
    lines = re.findall(r"keys (\w+): 200 labels, (\d+) requests, (\d+) on the bill", printed["restart"])
    assert [name for name, *_ in lines] == ["honored", "ignored"]
    honored, ignored = (int(bill) for *_, bill in lines)
    assert honored == 200 and ignored >= 320 and "pays for 120 tickets once more" in prose


def test_where_keys_are_ignored_it_is(printed, prose):
    found = way(printed["ignoring"])
    assert found["plain loop, until complete"][:2] == (0, 8) and found["client, idempotency key"][1] > 4
    lost, twice, nothing, _ = found["runner"]
    assert twice == 0 and lost == nothing == 8 and "pay again for eight labels" in prose


def test_a_plain_loop_that_sets_doubts_aside_pays_for_nothing_twice_either(prose):
    tickets = desk_job.desk_tickets()
    service = desk_job.desk_service(desk_job.written_by_rules(tickets.values()), honors_keys=False)
    desk, answers, doubts = client(service, max_retries=0), {}, set()
    while len(answers) + len(doubts) < 200:
        for name in [name for name in tickets if name not in answers and name not in doubts]:
            try:
                stream = desk.chat.completions.create(**desk_job.request_of(tickets[name]), **STREAMED)
                answers[name] = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
            except (openai.RateLimitError, openai.InternalServerError):
                pass
            except openai.APIError:
                doubts.add(name)
    assert doubts and not desk_job.books(service, tickets, answers)["twice"]
    assert "the plain loop pays for nothing twice, either, if it sets aside what failed without a whole reply" in prose


def test_three_tickets_fit_into_the_budget(printed, prose):
    assert "nimbus-1 · 3 items: 3 done" in printed["with-key"] and "a budget of five cents" in prose


# Waiting -------------------------------------------------------------------------------------------------------------


def test_the_storm(page, prose):
    [cell] = [cell for cell in page.code if cell.id == "storm-figure"]
    alt = json.dumps([output.get("metadata", {}) for output in cell.outputs])
    found = re.findall(r"(\d+) requests until second (\d+)", alt)
    requests, seconds = zip(*[(int(n), int(end)) for n, end in found], strict=True)
    assert 0.4 < seconds[1] / seconds[0] < 0.6 and "in about half the time" in prose
    assert 0.6 < requests[1] / requests[0] < 0.72 and "with a third fewer requests" in prose


def test_two_layers_of_retries(printed, prose):
    made = openai.OpenAI(api_key="none")
    assert printed["layers"].strip() == f"{6 * (1 + made.max_retries)} requests for one label"


def test_a_breaker_sends_little_also_if_the_pauses_are_as_long_as_its_rest(prose):
    """An outage of 300 s; a failure takes a second, and each pause is half its ceiling."""
    now, alone = 0.0, 0
    for number in range(1, 500):
        alone += 1
        now += 1 + wait_after(number, 0.5, cap=30)
        if now >= 300:
            break
    breaker, shared, under_way = CircuitBreaker(failures=5, rest=30), 0, 0
    for second in range(300):
        for _ in range(under_way):
            breaker.failed(second)
        under_way = sum(breaker.wait(second) == 0 for _ in range(16))
        shared += under_way
    assert f"send {16 * alone} requests" in prose and f"they send {shared} (computed" in prose


def test_three_failures_are_doubts(printed, prose):
    assert len(re.findall(r"paid: 1", printed["kinds"])) == 3 and "Three of them are **doubts**" in prose
    assert "no error, and the text ''" in printed["kinds"]
    assert len(re.findall("another try: True", printed["kinds"])) == 4
    assert len(re.findall("another try: False", printed["kinds"])) == 2


# Kills ---------------------------------------------------------------------------------------------------------------


def test_the_kill_and_the_invoice(printed):
    done, doubts, billed = map(int, re.match(r"(\d+) done, (\d+) in doubt, (\d+) on", printed["kill"]).groups())
    assert 100 <= done < 200 and 0 < doubts <= 8 and done <= billed <= done + doubts
    assert "200 items: 200 done" in printed["resume"] and "200 on the bill" in printed["resume"]
    assert re.search(r"once +200 items", printed["reconciled"])
    assert len(re.findall(r"^(?:twice|nothing|unknown|missing) +0 items", printed["reconciled"], re.M)) == 4


def test_where_no_key_is_honored(printed):
    assert re.search(r"twice +0 items", printed["ignores"]) and re.search(r", \d+ in doubt", printed["ignores"])
    assert "200 items: 200 done" in printed["again"]


def test_three_requests_and_one_bill(printed, prose):
    assert printed["pay-once-run"].strip() == "3 requests, 1 on the bill"
    assert "Three requests, and one of them is paid for." in prose


def test_what_the_readme_says(ways):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert ways["plain loop"][:3] == (36, 0, 6)
    assert "a plain loop over 200 calls loses 36 of them and pays for six of these" in readme
    assert ways["5 retries, idempotency key"][:3] == (0, 0, 0)
    assert (
        "not streamed and with an idempotency key, the client's own retries lose none and pay for none twice" in readme
    )


# The appendix --------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(page, tmp_path, monkeypatch):
    """The names that the appendix's cells define in an empty folder, without the run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    names = {}
    for cell in page.code:
        if cell.id.startswith("own-") and cell.id != "own-save":
            exec(cell.source.split("\n\n\nown_rows")[0], names)
    names["AT_ONCE"] = 1
    return names


def start(own) -> dict[str, str]:
    """One start of the job; the last event of each row."""
    own["own_rows"], own["own_purse"] = asyncio.run(own["own_batch"]())
    return {event["id"]: event["event"] for event in own["own_state"]()[0].values()}


def replies_with(own, outcomes):
    """The service answers by a list: an error to raise, or a text; behind its end, "fine". Returns what was asked."""
    asked = []

    async def reply(client, text, key, worst):
        asked.append((text, key))
        outcome = outcomes.pop(0) if outcomes else "fine"
        if isinstance(outcome, Exception):
            raise outcome
        return "stop", outcome, 10, "req_1"

    own["own_reply"] = reply
    return asked


REQUEST = httpx2.Request("POST", "http://x/v1")
ANSWERED = {str(n): "done" for n in range(6)}


def refused(status: int, code: str | None = None) -> openai.APIStatusError:
    response = httpx2.Response(status, request=REQUEST, headers={"retry-after": "3"})
    return openai.APIStatusError("no", response=response, body={"code": code})


@pytest.fixture
def naps(monkeypatch):
    taken = []

    async def at_once(seconds):
        taken.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return taken


def test_the_stand_in_loses_one_reply(own, printed, naps):
    assert Counter(start(own).values()) == {"done": 5, "intent": 1}
    assert printed["own-save"].startswith("stand-in: 5 done, 1 in doubt")


def test_the_appendix_finishes_what_a_kill_left_and_asks_nothing_twice(own):
    replies_with(own, [])
    start(own)
    journal = own["OWN_JOURNAL"]
    whole = journal.read_text(encoding="utf-8")
    last = json.loads(whole.splitlines()[-1])
    assert last["event"] == "done"
    journal.write_text(whole[:-10], encoding="utf-8")  # torn: its row is in doubt, and no other
    asked = replies_with(own, [])
    assert start(own)[last["id"]] == "intent" and not asked
    own["SEND_DOUBTS"] = True
    assert start(own) == ANSWERED and len(asked) == 1


def test_the_appendix_waits_as_long_as_it_is_told_and_keeps_the_key(own, naps):
    asked = replies_with(own, [refused(429), refused(503), refused(400)])
    assert start(own) == ANSWERED | {"0": "refused"}
    assert [text for text, _ in asked[:3]] == ["What does part 0 cost?"] * 3 and len({key for _, key in asked[:3]}) == 1
    assert all(3 <= nap <= 4 for nap in naps) and len(naps) == 2


@pytest.mark.parametrize("final", [refused(401), refused(403), refused(404), refused(429, "insufficient_quota")])
def test_the_appendix_stops_where_no_row_would_do_better_and_goes_on_when_that_is_mended(own, naps, final):
    asked = replies_with(own, [final])
    assert start(own) == {"0": "stop"} and len(asked) == 1 and own["own_purse"]["stopped"]
    assert start(own) == ANSWERED


@pytest.mark.parametrize(
    "lost",
    [openai.APITimeoutError(request=REQUEST), ValueError("no whole reply"), refused(504)],
)
def test_the_appendix_leaves_a_doubt(own, naps, lost):
    asked = replies_with(own, [lost])
    assert start(own) == ANSWERED | {"0": "intent"} and len(asked) == 6
    assert start(own)["0"] == "intent" and len(asked) == 6
    own["SEND_DOUBTS"] = True
    assert start(own)["0"] == "done" and asked[-1] == asked[0]


def test_the_appendix_sends_again_where_nobody_answered_and_gives_up_for_today(own, naps):
    unreachable = openai.APIConnectionError(request=REQUEST)
    unreachable.__cause__ = httpx2.ConnectError("no")
    asked = replies_with(own, [unreachable] * own["TRIES"])
    assert start(own)["0"] == "again" and len(asked) == own["TRIES"] + 5
    assert start(own)["0"] == "done"


def test_the_appendix_keeps_its_budget_over_all_starts(own):
    own["BUDGET"] = 340  # a row may take 322, and takes 10
    asked = replies_with(own, [openai.APITimeoutError(request=REQUEST)])
    start(own)
    used = own["own_purse"]["used"]
    assert 300 < used <= 700 and 0 < len(asked) <= 6
    own["BUDGET"], before = used + 10, len(asked)
    own["SEND_DOUBTS"] = True
    start(own)
    assert len(asked) == before and own["own_purse"]["used"] == used


def test_the_appendix_saves_a_result_that_can_be_read(own, page, naps):
    replies_with(own, [refused(400), openai.APITimeoutError(request=REQUEST)])
    start(own)
    [cell] = [cell for cell in page.code if cell.id == "own-save"]
    exec(cell.source, own)
    with own["OWN_RESULT"].open(encoding="utf-8", newline="") as file:
        states = [row["state"] for row in csv.DictReader(file)]
    assert states == ["refused", "in doubt", "done", "done", "done", "done"]
    assert not any("helpers" in c.source for c in page.code if c.id.startswith("own-"))
    assert sum(c.id.startswith("own-") for c in page.code) == 7


def test_a_changed_row_is_another_piece_of_work_and_an_unchanged_one_is_not_sent_again(own):
    own["OWN_CSV"].write_text("id,text\n1,one\n2,two\n", encoding="utf-8")
    asked = replies_with(own, [])
    assert start(own) == {"1": "done", "2": "done"} and len(asked) == 2
    own["OWN_CSV"].write_text("id,text\n1,one\n2,changed\n", encoding="utf-8")
    start(own)
    assert [text for text, _ in asked] == ["one", "two", "changed"]
    own["MAX_TOKENS"] += 1  # a reply that was cut off may be whole now
    start(own)
    assert len(asked) == 5
    last = own["own_state"]()[0]
    assert {last[own["own_key"](row)]["event"] for row in own["own_rows"]} == {"done"}


def test_what_the_stand_in_said_is_no_result_of_another_service_or_model(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [cell] = [cell for cell in page.code if cell.id == "own-settings"]
    places = set()
    for url, model in ((None, "a"), ("https://one.example/v1", "a"), ("https://two.example/v1", "a"), (None, "b")):
        for name, value in (("OPENAI_BASE_URL", url), ("HANDS_ON_MODEL", model)):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        names = {}
        exec(cell.source, names)
        places |= {names["OWN_JOURNAL"], names["OWN_RESULT"]}
    assert len(places) == 8


def test_a_budget_that_stops_the_appendix_says_so(own, naps):
    asked = replies_with(own, [])
    own["BUDGET"] = 340  # a row may take 322, and takes 10
    states = start(own)
    assert 0 < len(states) < 6 and len(asked) == len(states)
    assert "of 340 are left" in own["own_purse"]["stopped"] and own["own_purse"]["used"] <= 340


@pytest.mark.parametrize(("asked", "least"), [("3", 3), ("1.5", 1.5), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0)])
def test_the_appendix_reads_how_long_it_is_to_wait(own, asked, least):
    response = httpx2.Response(429, request=REQUEST, headers={"retry-after": asked})
    pause = own["own_pause"](openai.APIStatusError("no", response=response, body=None), 0)
    assert least <= pause <= least + 0.5
    assert 0 <= own["own_pause"](openai.APIConnectionError(request=REQUEST), 0) <= 0.5


@pytest.mark.parametrize("kind", ["malformed", "page", "no usage", "length"])
def test_the_appendix_takes_no_page_for_a_reply_and_keeps_one_without_usage(own, kind):
    known = kind in ("malformed", "page")
    service = Scripted([Outcome(kind)] if known else ["one two three four"], models=("chat",))
    own["OWN_URL"], own["MAX_TOKENS"] = service.base_url, 2 if kind == "length" else 200
    desk = async_client(service, max_retries=0)
    if kind == "no usage":
        whole = written_chat.whole
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(written_chat, "whole", lambda *a: {n: v for n, v in whole(*a).items() if n != "usage"})
            reply = asyncio.run(own["own_reply"](desk, "Hello", "key", 99))
        assert reply[1:3] == ("one two three four", 99)
    elif kind == "length":
        assert asyncio.run(own["own_reply"](desk, "Hello", "key", 99))[0] == "length"
    else:
        with pytest.raises(ValueError):
            asyncio.run(own["own_reply"](desk, "Hello", "key", 99))


# The journal in its smallest form ------------------------------------------------------------------------------------


def test_the_first_event_behind_a_torn_line_is_not_lost(page, printed, tmp_path):
    names = {"course": tmp_path}
    for cell in page.code:
        if cell.id in ("small-journal", "small-journal-note", "small-journal-read"):
            exec(cell.source, names)
    names["note"](event="intent", item="a")
    for torn in ('{"event": "out', '{"event": "outcome", "item": "a"}'[:-1], "{"):
        with names["notes"].open("a", encoding="utf-8") as file:
            file.write(torn)
        names["note"](event="intent", item=torn)
    assert names["in_doubt"]() == ["a", '{"event": "out', '{"event": "outcome", "item": "a"', "{"]
    assert printed["small-journal-torn"].strip() == "in doubt: ['t002', 't003', 't004']"
