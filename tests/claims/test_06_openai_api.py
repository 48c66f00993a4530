"""What 06_openai_api says in prose, held against what was recorded and printed, and against the installed client."""

from __future__ import annotations

import re

import openai
import pytest

from helpers.files import RESULTS, read_json
from helpers.hosted import CLAUSES, DECLARED, KINDS, Outcome, Scripted, client, compared, load_prices, replay
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
NUMBERS = {12: "twelve"}
ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def recorded() -> dict[tuple[str, str], dict[str, bool | None]]:
    runs = read_json(RESULTS / "06_clauses.json")["runs"]
    return {
        (run["case"]["server"], run["case"]["api"]): {clause["name"]: clause["held"] for clause in run["clauses"]}
        for run in runs
    }


# The client -----------------------------------------------------------------------------------------------------------


def test_the_clients_defaults(prose):
    made = openai.OpenAI(api_key="none")
    assert made.timeout.read == 600 and made.max_retries == 2
    assert "The defaults wait 600 seconds, three times" in prose


def test_what_only_one_of_the_apis_has(prose):
    only = {row.chat for row in compared() if row.kind == "only Chat Completions"}
    assert {"seed", "n", "stop", "logit_bias"} <= only
    assert "`seed`, `n`, `stop` and `logit_bias` exist in Chat Completions only" in prose


def test_a_stream_that_has_begun_is_not_sent_again(printed):
    assert "1 request sent, 62 tokens of reply billed" in printed["naive-stream"]
    service = Scripted([Outcome("cut_off", tokens=20)])
    with pytest.raises(openai.APIConnectionError):
        list(client(service, max_retries=5).chat.completions.create(**ASKED, stream=True))
    assert len(service.requests) == 1
    service = Scripted([Outcome("unreachable"), Outcome("unreachable")])
    client(service, max_retries=2).chat.completions.create(**ASKED, stream=True)
    assert len(service.requests) == 3  # one that has not begun is


def test_a_hung_call_lasts_half_an_hour_and_is_billed_three_times(prose, printed):
    assert "after 30 minutes" in printed["hang"] and "requests sent: 3, billed: 3" in printed["hang"]
    assert "Half an hour: 600 seconds, three times. And three bills" in prose


def test_a_timeout_is_a_limit_on_silence(printed):
    lines = printed["silence"].splitlines()
    assert "APITimeoutError after 20 seconds" in lines[0] and "2000 pieces after 40 seconds" in lines[1]


# Tokens and money -----------------------------------------------------------------------------------------------------


def test_both_apis_read_the_same_tokens(printed):
    rows = [
        re.findall(r"\d+", line.split(":", 1)[1]) for line in printed["state"].splitlines() if "tokens read" in line
    ]
    assert rows[0] == rows[1] and len(rows) == 2 and len(rows[0]) == 5


def test_tokens_are_counted_exactly_and_the_rule_of_thumb_is_not(prose, printed):
    found = {}
    for line in printed["count-check"].splitlines():
        name, *_ = line.split("  ")
        read, counted, rule = re.findall(r"(\d+)", line.split("the server")[1])
        assert read == counted, line
        found[name.split(" the")[0].strip()] = abs(int(rule) / int(read) - 1)
    assert found.pop("English") < 0.1 and min(found.values()) > 0.15


def test_written_tokens_mostly_cost_four_to_eight_times_as_much_as_read_ones(prose):
    factors = [price.output / price.input for price in load_prices().values() if price.output]
    assert sum(3.99 <= factor <= 8.01 for factor in factors) > 0.7 * len(factors)
    assert "mostly four to eight times as high" in prose


def test_hidden_reasoning_eats_the_limit(printed):
    assert "limit 100: '', incomplete; billed 100 written tokens, 100 of them hidden" in printed["reasoning"]
    assert "billed 305 written tokens, 300 of them hidden" in printed["reasoning"]


# Endings --------------------------------------------------------------------------------------------------------------


def test_the_one_liner_is_right_once_and_wrong_eight_times(prose, printed):
    lines = printed["one-liner"].splitlines()
    counts = {look: sum(look in line for line in lines) for look in (" right ", "silently wrong", " raises ")}
    assert counts == {" right ": 1, "silently wrong": 8, " raises ": 6} and len(lines) == 15
    assert sum(line.rstrip().endswith("''") for line in lines) == 5  # empty strings
    assert "One right, eight silently wrong." in prose and "Five times it gives the empty string" in prose
    assert sum("no openai.OpenAIError" in line for line in lines) == 2
    assert "Of fifteen endings, the usual one-liner gets eight wrong without a sign" in prose
    assert "the usual line of code gets one right, raises at six and gets eight wrong without a sign" in README


def test_ask_tells_every_ending(printed):
    assert "told rightly: 15 of 15" in printed["ask-endings"]


def test_every_outcome_of_the_scripted_service_is_an_ending_of_the_list(page):
    source = next(cell.source for cell in page.code if cell.id == "endings")
    played = set(re.findall(r'Outcome\("(\w+)"', source)) | {"answer"}
    assert set(KINDS) - played == {"cut_off", "overloaded"}  # a stream's, in section 1; and another 5xx


# The contract ---------------------------------------------------------------------------------------------------------


def test_there_are_twelve_clauses(prose):
    assert f"puts {NUMBERS[len(CLAUSES)]} such clauses" in prose
    assert f"a contract of {NUMBERS[len(CLAUSES)]} clauses" in prose


def test_the_record_is_what_each_back_end_declares(recorded):
    for (server, api), found in recorded.items():
        assert {name for name, held in found.items() if held} == DECLARED[server][api], (server, api)


def test_what_transformers_serve_ignores(prose, recorded):
    chat, responses = recorded["transformers serve", "chat"], recorded["transformers serve", "responses"]
    ignored = ("keeps a schema", "repeats with a seed", "log-probabilities", "several replies", "calls a tool")
    assert not any(chat[name] for name in ignored) and not responses["remembers"]
    runs = read_json(RESULTS / "06_clauses.json")["runs"]
    said = {
        clause["name"]: clause["said"]
        for run in runs
        for clause in run["clauses"]
        if run["case"] == {"server": "transformers serve", "api": "chat"}
    }
    assert all("APIError" not in said[name] and "Error code" not in said[name] for name in ignored)  # no refusal
    assert "400" in said["refuses an unknown model"] and "Timeout" in said["refuses a long prompt"]
    assert "n=2 gives one reply" in said["several replies"]
    assert (
        "`transformers serve` accepts a schema, a seed, log-probabilities, `n=2`, a tool that has to be called" in prose
    )


def test_the_table_shows_what_was_recorded(printed, recorded):
    chat, responses = printed["contract"].split("responses ")
    for text, api in ((chat, "chat"), (responses, "responses")):
        rows = [line for line in text.splitlines()[1:] if line.strip()]
        ours = {line[2:28].strip() for line in rows if line[28:36].strip() == "holds"}
        theirs = {line[2:28].strip() for line in rows if line[37:43].strip() == "holds"}
        assert (ours, theirs) == (DECLARED["course"][api], DECLARED["transformers serve"][api])
    assert not recorded["transformers serve", "responses"]["keeps a limit"]


def test_a_cut_reply_passes_for_a_whole_one_where_the_limit_is_not_told(prose):
    [said] = [
        clause["said"]
        for run in read_json(RESULTS / "06_clauses.json")["runs"]
        if run["case"] == {"server": "transformers serve", "api": "responses"}
        for clause in run["clauses"]
        if clause["name"] == "keeps a limit"
    ]
    assert said == "Broken: it gives None as the reason for its end"
    assert "a reply that was cut has the status “completed” and passes for a whole one" in prose


def test_the_clauses_ask_without_a_stream_as_ask_does(page):
    service = Scripted()
    list(replay(client(service), "nimbus-2", "responses", ("answers", "keeps a limit", "keeps a schema")))
    assert [sent["body"].get("stream") for sent in service.requests] == [False] * 3
    source = next(cell.source for cell in page.code if cell.id == "ask")
    assert '{"stream": False} | extra' in source


def test_a_median_letter_is_answered_sooner_and_each_call_takes_longer(prose, printed):
    rows = [[float(n) for n in re.findall(r"([\d.]+) s\b", line)] for line in printed["bursts"].splitlines()]
    job, there, served = zip(*rows, strict=True)
    assert job[0] > job[1] > job[2] and there[0] > there[1] > there[2] and served[0] < served[1] < served[2]
    assert "so does the wait for the median answer" in prose


def test_the_appendix_pays_with_two_consents_only_and_keeps_no_empty_answer(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.delenv("HANDS_ON_ALLOW_PAID", raising=False)
    sources = {cell.id: cell.source for cell in page.code}
    service = Scripted([Outcome(text=" "), *[Outcome(text="Three words here.")] * 9])
    space = {"client": openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none")}
    exec(sources["own-files"], space)
    assert "127.0.0.1" in str(space["own_client"].base_url)

    def start() -> list[str]:
        exec(sources["own-ask"], space)
        exec(sources["own-run"], space)
        return [entry["ended"] for entry in space["own_entries"]().values()]

    space["own_client"], space["own_model"] = client(service), "nimbus-2"
    assert start() == ["empty", "stop", "stop"] and len(service.requests) == 3
    assert start() == ["stop"] * 3 and len(service.requests) == 4  # only the empty one is asked again
    space["OWN_CSV"].write_text("text\nMine.\n", encoding="utf-8-sig")
    start()
    assert len(service.requests) == 5  # another text, though its row has an answer
    space["own_model"] = "nimbus-2-mini"
    assert not {key for *_, key in space["own_rows"]()} & set(space["own_entries"]())


# What the page shows --------------------------------------------------------------------------------------------------


def test_no_key_is_in_any_output(page, printed):
    for name, text in printed.items():
        assert not re.search(r"sk-\w{6,}", text), name


def test_the_tool_gives_the_dates_of_the_books_and_no_order_of_somebody_else(printed):
    for line in printed["tool-round"].splitlines()[:3]:
        said, books = re.findall(r"\d{4}-\d{2}-\d{2}", line)
        assert said == books
    assert '"you have no order VE-34140"' in printed["wrong-calls"]
