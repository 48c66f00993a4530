"""What 06_openai_api says in prose, held against what it printed, and against the installed client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import openai
import pytest
from helpers.hosted import KINDS, Outcome, Scripted, client, how_it_ended, load_prices

from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
ASKED = {"model": "nimbus-2", "messages": [{"role": "user", "content": "Hi"}]}


# The client -----------------------------------------------------------------------------------------------------------


def test_the_clients_defaults(prose):
    made = openai.OpenAI(api_key="none")
    assert made.timeout.read == 600 and made.max_retries == 2
    assert "The defaults wait 600 seconds, three times" in prose


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
        re.findall(r"\d+", line.split(":", 1)[1])
        for line in printed["state-read"].splitlines()
        if "tokens read" in line
    ]
    assert rows[0] == rows[1] and len(rows) == 2 and len(rows[0]) == 5


def test_tokens_are_counted_exactly_and_the_rule_of_thumb_is_not(prose, printed):
    found = {}
    for line in printed["count-check"].splitlines():
        name, *_ = line.split("  ")
        read, counted, text, rule = (int(n) for n in re.findall(r"(\d+)", line.split("the server")[1]))
        assert read == counted, line
        assert read - text in range(25, 36), "about 30 tokens are the template and the default rules"
        found[name.split(" the")[0].strip()] = text / rule
    assert "About 30 tokens of each prompt are the template and the default rules" in prose
    assert abs(found.pop("English") - 1) < 0.15 and min(found.values()) > 1.4
    assert max(found, key=found.get) == "order numbers" and "above all for order numbers" in prose


def test_written_tokens_mostly_cost_four_to_eight_times_as_much_as_read_ones(prose):
    factors = [price.output / price.input for price in load_prices().values() if price.output]
    assert sum(3.99 <= factor <= 8.01 for factor in factors) > 0.7 * len(factors)
    assert "mostly four to eight times as high" in prose


def test_hidden_reasoning_eats_the_limit(printed):
    assert "limit 100: '', incomplete; billed 100 written tokens, 100 of them hidden" in printed["reasoning"]
    assert "billed 305 written tokens, 300 of them hidden" in printed["reasoning"]


# Endings --------------------------------------------------------------------------------------------------------------


def test_the_one_liner_is_right_once_and_eight_replies_with_status_200_are_not_what_they_seem(prose, printed):
    lines = printed["one-liner"].splitlines()
    counts = {
        look: sum(look in line for line in lines) for look in (" right ", "like an answer", "empty text", " raises ")
    }
    assert counts == {" right ": 1, "like an answer": 3, "empty text": 5, " raises ": 6} and len(lines) == 15
    assert all((line.rstrip().endswith("''")) == ("empty text" in line) for line in lines)
    assert "One is right. Six raise" in prose and "Five of them are the empty string" in prose
    assert "Three look like an answer and are none" in prose
    assert sum("no openai.OpenAIError" in line for line in lines) == 2
    assert "the usual one-liner gets one right; three others look like an answer, and five come as empty text" in prose
    assert "the usual line of code gets one right and raises at six; three look like an answer and are none" in README


def test_a_refusal_in_plain_words_is_whole(prose):
    reply = client(Scripted(["I'm sorry, but I can't help with that."])).responses.create(model="nimbus-2", input="Hi")
    assert how_it_ended(reply) == "whole" and "many refusals are ordinary text" in prose


def test_ask_tells_every_ending(printed):
    assert "told rightly: 15 of 15" in printed["ask-endings"]


def test_the_desk_shows_a_whole_answer_or_says_that_a_person_will_write(prose, printed):
    line, desk = printed["desk-endings"].splitlines()
    assert line.startswith("one line:") and desk.startswith("desk:")
    for told in ("'the answer': 1", "'something that is no answer': 3", "'nothing': 5", "'an error page': 6"):
        assert told in line, told
    assert "'the answer': 2" in desk and "'a colleague will write': 13" in desk
    assert "three customers read something that is no answer, five read nothing, and six see an error page" in prose


def test_the_package_says_that_instructions_are_not_carried_over(prose):
    from openai.types.responses import response_create_params

    source = Path(response_create_params.__file__).read_text(encoding="utf-8")
    assert "response will not be carried over to the next response" in source
    assert "`instructions` are *not* carried over by the id" in prose


def test_every_outcome_of_the_scripted_service_is_an_ending_of_the_list(page):
    source = next(cell.source for cell in page.code if cell.id == "endings")
    played = set(re.findall(r'Outcome\("(\w+)"', source)) | {"answer"}
    assert set(KINDS) - played == {"cut_off", "overloaded"}  # a stream's, in section 1; and another 5xx


# The script to take home ----------------------------------------------------------------------------------------------


def script(page) -> str:
    own = [cell.source for cell in page.code if cell.id.startswith("own-")]
    assert len(own) == 8
    return "\n\n".join(own)


def test_the_appendix_runs_in_an_empty_file_without_any_consent(page, tmp_path):
    file = tmp_path / "own.py"
    file.write_text(script(page), encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "OWN_", "HANDS_ON", "PYTHONPATH"))}

    def start(**more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "own.py"], cwd=tmp_path, env=clean | more, capture_output=True, text=True
        )

    for _ in range(2):
        ran = start()
        assert ran.returncode == 0, ran.stderr
        assert "come from a stand-in" in ran.stdout and ran.stdout.count("whole    ") == 3
    journal = tmp_path / "build/06_own/journal.jsonl"
    assert sum(bool(line.strip()) for line in journal.read_text().splitlines()) == 3  # the second start asked nothing
    ran = start(OPENAI_API_KEY="none")  # one consent is none
    assert "come from a stand-in" in ran.stdout
    rows = "\n".join(f"letter {n}" for n in range(60))
    (tmp_path / "build/06_own/own_letters.csv").write_text(f"text\n{rows}\n")
    ran = start(OPENAI_API_KEY="none", HANDS_ON_ALLOW_PAID="1")
    assert ran.returncode and ran.stderr.startswith("Not started: 60 rows could cost $0.2"), ran.stderr


@pytest.fixture
def own(page, tmp_path, monkeypatch):
    """Start the script at a scripted service, in its own folder; the endings by row, in order."""
    monkeypatch.chdir(tmp_path)

    def start(service: Scripted, **changed) -> list[str]:
        space: dict = {}
        *defined, plan, write = [cell.source for cell in page.code if cell.id.startswith("own-")]
        for source in defined:
            exec(source, space)
        space |= {"own_connect": lambda: (client(service, max_retries=0), "nimbus-2", True), **changed}
        exec(plan, space)
        exec(write, space)
        return [space["own_entries"]()[key]["ended"] for _, key in space["own_rows"]("nimbus-2")]

    return start


def test_the_appendix_leaves_room_for_thoughts_and_pays_for_a_cut_reply_once(own):
    assert own(Scripted([Outcome(text="Three words here.", reasoning=300)] * 3)) == ["whole"] * 3
    (Path.cwd() / "build/06_own/journal.jsonl").unlink()
    service = Scripted([Outcome(reasoning=300)] * 9)
    assert own(service, OWN_LIMIT=100) == ["cut"] * 3 and len(service.invoice.lines) == 3
    assert own(service, OWN_LIMIT=100) == ["cut"] * 3 and len(service.invoice.lines) == 3
    assert own(service, OWN_LIMIT=500) == ["whole"] * 3 and len(service.invoice.lines) == 6


def test_the_appendix_asks_again_what_was_empty_or_failed_and_another_text(own):
    service = Scripted([" ", Outcome("server_error"), Outcome("page")])
    assert own(service) == ["empty", "failed: 500", "failed"]
    assert own(service) == ["whole"] * 3 and len(service.requests) == 6
    (Path.cwd() / "build/06_own/own_letters.csv").write_text("text\nMine.\n", encoding="utf-8-sig")
    assert own(service) == ["whole"] and len(service.requests) == 7


def test_the_appendix_stops_at_a_wrong_key_or_argument_with_one_sentence(own):
    wrong = Scripted(key="another")
    wrong_client = openai.OpenAI(
        api_key="mine", base_url=wrong.base_url, max_retries=0, http_client=httpx2.Client(transport=wrong)
    )
    for connect, said in (
        (lambda: (wrong_client, "nimbus-2", True), "Incorrect API key"),
        (lambda: (client(Scripted(least=5000), max_retries=0), "nimbus-2", True), "expected a value"),
    ):
        with pytest.raises(SystemExit, match=said):
            own(Scripted(), own_connect=connect)
    assert len(wrong.requests) == 1


def test_the_appendix_does_not_start_what_could_cost_too_much(own):
    service = Scripted()
    with pytest.raises(SystemExit, match="Not started"):
        own(service, OWN_DOLLARS=0.001)
    assert not service.requests


# What the page shows --------------------------------------------------------------------------------------------------


def test_no_key_is_in_any_output(page, printed):
    for name, text in printed.items():
        assert not re.search(r"sk-\w{6,}", text), name


def test_the_tool_gives_the_dates_of_the_books_and_no_order_of_somebody_else(printed):
    for line in printed["tool-round"].splitlines()[:3]:
        said, books = re.findall(r"\d{4}-\d{2}-\d{2}", line)
        assert said == books
    assert '"you have no order VE-34140"' in printed["wrong-calls"]
