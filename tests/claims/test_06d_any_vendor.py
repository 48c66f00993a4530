"""What 06d_any_vendor and README.md say of other vendors, held against what was recorded, printed and installed."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import openai
import pytest
from helpers.hosted import CLAUSES, DECLARED, Scripted, client, compared, load_vendors, price_of, replay
from helpers.hosted.contracts import LEAST
from helpers.hosted.parameters import names_of

from helpers.files import RESULTS, read_json
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
NUMBERS = {4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 10: "ten", 11: "eleven", 12: "twelve"}
SERVING = Path(find_spec("transformers").origin).parent / "cli/serving/utils.py"
SERVERS = ("course", "transformers serve")


@pytest.fixture(scope="module")
def recorded() -> dict[tuple[str, str], dict[str, dict]]:
    runs = read_json(RESULTS / "06_clauses.json")["runs"]
    return {
        (run["case"]["server"], run["case"]["api"]): {clause["name"]: clause for clause in run["clauses"]}
        for run in runs
    }


def applies(recorded, api: str) -> set[str]:
    return {name for name, clause in recorded["course", api].items() if clause["held"] is not None}


# Two services ---------------------------------------------------------------------------------------------------------


def test_both_answer_with_200_and_only_one_does_what_was_asked(prose, printed):
    ours, theirs = printed["promise"].splitlines()
    assert "status 200: 2 of 2 replies, with" in ours and "status 200: 1 of 2 replies, without" in theirs
    assert "Both answer with status 200" in prose
    refused, ignored = printed["unknown"].splitlines()
    assert "BadRequestError" in refused and "no_such_argument" in refused and "as if nothing" in ignored


def test_the_table_of_vendors(prose, printed):
    vendors = load_vendors()
    others = [vendor for vendor in vendors if vendor.name != "this course's server"]
    assert len(vendors) == 8 and f"documentation of {NUMBERS[len(others)]} services" in prose
    assert [vendor.name for vendor in others if vendor.previous_response_id] == ["OpenAI"]
    assert "Of the seven, one remembers by default, the vendor that invented the parameter" in prose
    assert f"is at {NUMBERS[sum(v.responses for v in vendors)]} of the eight rows by now" in prose
    assert "1 services" in printed["vendors"]


# Both APIs ------------------------------------------------------------------------------------------------------------


def test_what_only_one_of_the_apis_has(prose):
    only = {row.chat for row in compared() if row.kind == "only Chat Completions"}
    assert {"seed", "n", "stop", "logit_bias"} <= only
    assert "`seed`, `n`, `stop` and `logit_bias` exist in Chat Completions only" in prose


def test_about_half_of_the_names_are_in_both(prose, printed):
    names = names_of("chat")
    share = sum(name in names_of("responses") for name in names) / len(names)
    assert f"{round(100 * share)} %" in printed["parameters-table"]
    assert 0.45 < share < 0.55 and "About half of the names are in both" in prose
    assert {"verbosity", "functions", "tools", "stream_options"} <= set(names)


def test_the_limit_has_three_names(prose):
    assert {"max_tokens", "max_completion_tokens"} <= set(names_of("chat"))
    assert "max_output_tokens" in names_of("responses") and "The limit on a reply has three names" in prose


# What else comes back -------------------------------------------------------------------------------------------------


def test_the_letter_shares_no_telling_word_with_its_page(page, printed):
    source = next(cell.source for cell in page.code if cell.id == "embeddings")
    letter = set(re.findall(r"\w+", re.search(r'LETTER = "(.*?)"', source)[1].lower()))
    assert not letter & {"returns", "refunds"}
    assert "the page: Returns and refunds" in printed["embeddings"]


def test_the_same_seed_drew_the_same_reply(prose, printed):
    first, second, other = ast.literal_eval(printed["seed-logprobs"].splitlines()[0])
    assert first == second != other and "Both draws with seed 1 are the same here" in prose


def test_the_cache_is_lost_with_the_first_token(printed):
    shares = [int(n) for n in re.findall(r"(\d+)% cached", printed["cache"])]
    assert shares[1] > 90 and shares[0] < 10 and shares[2] < 10


def test_a_cached_token_costs_a_tenth(prose):
    price = price_of("gpt-5.6-luna")
    assert price.cached == pytest.approx(price.input / 10) and "Cached tokens cost a tenth here" in prose


def test_a_median_letter_is_answered_sooner_and_each_call_takes_longer(prose, printed):
    pattern = r"replies after +([\d.]+) s.*?answered after +([\d.]+) s, +([\d.]+) s"
    found = re.findall(pattern, printed["bursts"], re.DOTALL)
    job, there, served = zip(*[[float(n) for n in row] for row in found], strict=True)
    assert len(job) == 3 and printed["bursts"].count("32 replies") == 3
    assert job[0] > job[1] > job[2] and there[0] > there[1] > there[2] and served[2] > 1.5 * served[0]
    assert "so does the wait for the median answer" in prose


def test_failures_stand_beside_the_replies(prose, printed):
    assert "of 32 calls: 29 replies, 3 failures, {'InternalServerError'}" in printed["stumbling"]
    assert "the other replies are all there, and the failures beside them" in prose


# The contract ---------------------------------------------------------------------------------------------------------


def test_there_are_twelve_clauses_and_not_all_fit_both_apis(prose, recorded):
    assert f"puts {NUMBERS[len(CLAUSES)]} such **clauses**" in prose
    chat, responses = (len(applies(recorded, api)) for api in ("chat", "responses"))
    assert f"{NUMBERS[chat]} apply to Chat Completions, {NUMBERS[responses]} to Responses" in prose


def test_the_record_is_what_each_back_end_declares(recorded):
    for (server, api), found in recorded.items():
        held = {name for name, clause in found.items() if clause["held"]}
        assert held == DECLARED[server][api], (server, api)


def test_how_many_both_keep(recorded, printed):
    both = {}
    for api in ("chat", "responses"):
        names = applies(recorded, api)
        both[api] = sum(all(recorded[server, api][name]["held"] for server in SERVERS) for name in names)
        assert f"{api}: of {len(names)} clauses, both hold {both[api]}" in printed["contract"]
    assert f"both keep {both['chat']} of {len(applies(recorded, 'chat'))} clauses of a contract" in README
    assert f"and {both['responses']} of {len(applies(recorded, 'responses'))} in the other (recorded)" in README


def test_what_transformers_serve_ignores(prose, recorded):
    chat, responses = recorded["transformers serve", "chat"], recorded["transformers serve", "responses"]
    ignored = ("keeps a schema", "repeats with a seed", "log-probabilities", "several replies", "calls a tool")
    assert not any(chat[name]["held"] for name in ignored) and not responses["remembers"]["held"]
    said = {name: clause["said"] for name, clause in chat.items()}
    assert all("APIError" not in said[name] and "Error code" not in said[name] for name in ignored)  # no refusal
    assert "400" in said["refuses an unknown model"] and "Timeout" in said["refuses a long prompt"]
    assert "n=2 gives one reply" in said["several replies"]
    assert "every seed gives the same reply" in said["repeats with a seed"]
    assert "With `temperature=1` it writes the same text for every seed" in prose
    assert "`transformers serve` accepts a schema, log-probabilities, `n=2`, a tool that has to be called" in prose


def test_a_cut_reply_passes_for_a_whole_one_where_the_limit_is_not_told(prose, recorded):
    said = recorded["transformers serve", "responses"]["keeps a limit"]["said"]
    assert said == "Broken: it gives None as the reason for its end"
    assert "so one that was cut at the limit passes for a whole one" in prose


def test_the_clauses_ask_without_a_stream_and_with_room_enough(prose):
    service = Scripted()
    list(replay(client(service), "nimbus-2", "responses", ("answers", "keeps a limit", "keeps a schema")))
    assert [sent["body"].get("stream") for sent in service.requests] == [False] * 3
    assert min(sent["body"]["max_output_tokens"] for sent in service.requests) == LEAST == 16
    assert "with a limit of 16 tokens unless you name another" in prose


def test_the_learners_clause_holds_at_one_service_and_breaks_at_the_other(printed):
    lines = printed["own-replay"].splitlines()
    assert len(lines) == 4
    assert all(("holds" in line) == line.startswith("course") for line in lines)


@pytest.mark.skipif(not SERVING.exists(), reason="this version of transformers has no server")
def test_what_the_source_of_transformers_serve_says_of_names_and_seeds(prose):
    source = SERVING.read_text(encoding="utf-8")
    assert 'status_code=422, detail=f"Unexpected fields in the request' in source
    assert 'set_torch_seed(body["seed"])' in source
    assert "it refuses a name that it does not know with an error 422" in prose


def test_the_program_works_where_its_clauses_hold(prose, printed):
    found = re.findall(
        r"^(.+): keeps (\d) of 4; not: (.*)\n +letters read rightly: (\d) of 8", printed["everywhere"], re.M
    )
    assert [row[:3] for row in found] == [
        ("course's server", "4", "–"),
        ("scripted", "2", "keeps a schema, refuses the unknown"),
        ("Stratus (scripted)", "3", "keeps a schema"),
    ]
    ours, *others = (int(row[3]) for row in found)
    assert "without the Heron that it names" in prose and "[(None, 'VE-20417')]" in printed["everywhere"]
    assert others == [0, 0] and f"reads {NUMBERS[ours]} of the eight letters rightly" in prose
    assert f"reads {NUMBERS[ours]} of eight letters there" in README


def test_no_key_is_in_any_output(printed):
    assert openai.api_key is None
    for name, text in printed.items():
        assert not re.search(r"sk-\w{6,}", text), name
