"""What 18_serving says in prose, held against what was recorded and printed."""

from __future__ import annotations

import inspect
import json
import re

import numpy as np
import pytest

from helpers.files import RESULTS, read_json
from helpers.serving import Engine, Settings
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
FIELDS = ("intent", "product", "order_number", "urgency", "sentiment")


def recorded(name: str) -> list[dict]:
    return read_json(RESULTS / f"{name}.json")["runs"]


def by_clients(name: str, server: str, value) -> dict[int, float]:
    runs = [run for run in recorded(name) if run["case"]["server"] == server and "tokens_per_s" in run]
    return {run["case"]["clients"]: value(run) for run in runs}


def rates(name: str, server: str) -> dict[int, float]:
    return by_clients(name, server, lambda run: run["tokens_per_s"])


def both(value) -> list[dict[int, float]]:
    """The value by clients in both recordings of the course's server in float32."""
    return [by_clients(name, "ours", value) for name in ("18_load", "18_peers")]


# Weights and steps ---------------------------------------------------------------------------------------------------


def test_the_weights_of_the_chat_model(prose):
    weights = 134_515_008
    assert f"{weights / 1e6:.1f} million weights" in prose and f"{weights * 4 / 1e6:.0f} MB in all" in prose


def split(gaps: dict[int, float]) -> tuple[float, float]:
    """(fixed seconds, seconds per row), from steps with 1 and 16 rows."""
    per_row = (gaps[16] - gaps[1]) / 15
    return gaps[1] - per_row, per_row


def test_the_recorded_load(prose):
    ours, alone = rates("18_load", "ours"), rates("18_load", "ours, one at a time")
    assert f"goes from {ours[1]:.0f} with one client to {ours[8]:.0f} with eight, {ours[16]:.0f} with sixteen" in prose
    assert f"and {ours[32]:.0f} with 32" in prose
    assert f"the server stays at {min(alone.values()):.0f} to {max(alone.values()):.0f} tokens per second" in prose


def test_what_doubling_the_rows_at_the_crossing_does(prose):
    fixed, per_row = split(both(lambda run: run["gap_s"]["p50"])[0])
    rows = fixed / per_row
    step, doubled = fixed + rows * per_row, fixed + 2 * rows * per_row
    assert doubled / step == pytest.approx(1.5) and "the step takes 1.5 times as long" in prose
    assert (
        rows / step == pytest.approx(0.5 / per_row) and "half of the tokens per second that it can ever reach" in prose
    )


def recorded_split(name: str, server: str) -> tuple[float, float]:
    return split(by_clients(name, server, lambda run: run["gap_s"]["p50"]))


def test_how_much_of_the_fixed_time_is_fetching(printed, prose):
    lines = printed["fetching"].splitlines()
    assert [line[:14].strip() for line in lines] == [
        *("ours", "ours, bfloat16", "ours, int8", "ours, int4"),
        *("ours", "ours, int4"),
    ], "all precisions of both recordings"
    fetching, fixed, per_row = [], [], []
    for name in ("18_load", "18_peers"):
        whole, one_row = recorded_split(name, "ours")
        fixed.append(1e3 * whole)
        per_row.append(1e3 * one_row)
        for server, n_bytes in (("ours, bfloat16", 2), ("ours, int8", 1), ("ours, int4", 0.5)):
            if any(run["case"]["server"] == server for run in recorded(name)):
                fetching.append(1e3 * (whole - recorded_split(name, server)[0]) / (1 - n_bytes / 4))
    assert len(fetching) == 4
    spans = f"fetching takes {min(fetching):.0f} to {max(fetching):.0f} of the {min(fixed):.0f} to {max(fixed):.0f} ms"
    assert f"{spans}: about half, and not all" in prose and max(fetching) < 0.8 * min(fixed)
    assert 0.4 < np.mean(fetching) / np.mean(fixed) < 0.65
    assert f"has {per_row[0]:.1f} ms in one recording and {per_row[1]:.1f} in the other" in prose
    bfloat16 = recorded_split("18_load", "ours, bfloat16")
    assert f"in bfloat16 it is even {1e3 * bfloat16[1]:.1f} ms" in prose
    saved = recorded_split("18_load", "ours")[0] - bfloat16[0]
    assert f"If half of the bytes save {1e3 * saved:.0f} ms" in prose
    assert all(recorded_split("18_load", f"ours, {each}")[1] >= per_row[0] / 1e3 - 1e-6 for each in ("int8", "int4"))
    assert recorded_split("18_peers", "ours, int4")[1] > per_row[1] / 1e3, "fewer bytes make no row shorter"


def test_what_the_formula_leaves_out(prose):
    step = by_clients("18_load", "ours", lambda run: run["gap_s"]["p50"])[16]
    said = f"16 rows in {1e3 * step:.0f} ms are {16 / step:.0f} tokens per second, and the figure, "
    assert said + f"whose rates count whole bursts, shows {rates('18_load', 'ours')[16]:.0f}" in prose


def test_how_rough_the_formula_is(prose):
    off = []
    for gaps in both(lambda run: run["gap_s"]["p50"]):
        fixed, per_row = split(gaps)
        off += [100 * (gaps[rows] / (fixed + rows * per_row) - 1) for rows in (4, 8)]
    assert f"steps with 4 and 8 rows took {min(off):.0f} to {max(off):.0f} % longer than it says" in prose


def test_memory_per_token_and_what_a_step_reads(prose):
    per_token = 30 * 2 * 3 * 64 * 4
    assert f"= {per_token:,} bytes per token" in prose
    texts = 16 * 2048 * per_token
    assert f"Sixteen texts of 2,048 tokens have {texts / 1e9:.1f} GB, almost three times the weights" in prose
    assert 2.7 < texts / (134_515_008 * 4) < 3
    assert Settings().cache_mb == 256 and Settings().page_size == 16


def test_two_ways_of_handing_out_memory(printed, prose):
    reserved, paged = map(int, re.findall(r"(\d+) (?:if|with)", printed["how-many-fit"]))
    assert 3 * reserved < paged
    assert "many allow 512 and get 60" in prose


def test_chunks_and_pages(prose):
    assert Settings().chunk == 64 and "reads long prompts in pieces of 64 tokens per step" in prose
    assert f"at most {Settings().page_size - 1} with pages of {Settings().page_size} tokens" in prose


# Sections 3 to 5 -----------------------------------------------------------------------------------------------------


def test_continuous_batching_needs_the_fewest_steps(printed):
    steps, static, fewest = map(
        int, re.search(r"(\d+) steps instead of (\d+).* are (\d+)", printed["steps-needed"]).groups()
    )
    assert steps == fewest < static


def test_the_methods_that_are_shown_do_what_is_said_of_them(printed, prose):
    shown = "".join(inspect.getsource(method) for method in (Engine._admit, Engine._take_over))
    assert shown.count("\n") < 30 and "_admit" in printed["show-engine"] and "_take_over" in printed["show-engine"]
    for name in ("max_running", "_next_key", "pool.share"):
        assert name in shown and f"`{name}`" in prose


def test_a_name_at_the_front_shares_nothing(printed, prose):
    shared = [int(n) for n in re.findall(r"(\d+) of \d+ tokens", printed["where-name"])]
    assert shared[0] == 0 and shared[1] > 1500
    assert "nothing is shared" in prose


# The curve and the promise -------------------------------------------------------------------------------------------


def test_what_is_said_of_the_peers(prose):
    ours, llama, vllm = (rates("18_peers", name) for name in ("ours", "llama.cpp", "vLLM"))
    batched = rates("18_peers", "transformers serve --continuous-batching")
    plain = rates("18_peers", "transformers serve")
    assert 9 < min(plain.values()) and max(plain.values()) < 11.5 and "about 10 tokens per second" in prose
    gains = [found[16] / found[1] for found in (ours, vllm, batched)]
    assert 4 < min(gains) and max(gains) < 5.05 and "write 4 to 5 times as much for 16 clients as for one" in prose
    assert f"writes {llama[1]:.0f} tokens per second for a single client, {llama[1] / ours[1]:.1f} times" in prose
    assert llama[32] == pytest.approx(llama[1], rel=0.05), "no more for 32"
    int4 = rates("18_peers", "ours, int4")
    assert f"*ours, int4* writes {int4[1]:.0f} for a single client" in prose


def test_where_llama_cpp_is_ahead_and_where_it_is_level(prose):
    assert {run["weights"] for run in recorded("18_peers") if run["case"]["server"] == "llama.cpp"} == {"Q4_1"}
    waits = {
        name: by_clients("18_peers", name, lambda run: run["end_to_end_s"]["p50"])
        for name in {run["case"]["server"] for run in recorded("18_peers")}
    }
    llama = waits.pop("llama.cpp")
    for clients in (1, 4, 8):
        assert llama[clients] < min(found[clients] for found in waits.values()) / 1.33
    for clients in (16, 32):
        assert 1 / 1.33 < llama[clients] / min(found[clients] for found in waits.values()) < 1.33
    assert "Up to 8 clients its replies are whole first, and at 16 and 32 it is level with the best" in prose


def test_how_much_two_recordings_differ(prose):
    first, second = rates("18_load", "ours"), rates("18_peers", "ours")
    assert f"*ours* has {first[16]:.0f} tokens per second at 16 clients; here it has {second[16]:.0f}" in prose
    int4 = rates("18_load", "ours, int4"), rates("18_peers", "ours, int4")
    assert f"even went from {int4[0][4]:.0f} to {int4[1][4]:.0f}" in prose
    apart = [abs(np.log(a[n] / b[n])) for a, b in ((first, second), int4) for n in a]
    assert sum(each > np.log(4 / 3) for each in apart) == 1, "all pairs but that one differ by less than a third"


def test_at_the_upper_end_the_wait_grows_faster(prose):
    assert "Towards the upper end of each line, the wait grows faster than the work done" in prose
    for server in {run["case"]["server"] for run in recorded("18_peers")}:
        rate, wait = (
            by_clients("18_peers", server, value)
            for value in (lambda run: run["tokens_per_s"], lambda run: run["end_to_end_s"]["p50"])
        )
        assert wait[32] / wait[16] > rate[32] / rate[16], server


def test_why_llama_cpp_gains_nothing(prose):
    fixed, per_row = recorded_split("18_peers", "llama.cpp")
    assert f"gives a fixed time of {1e3 * fixed:.1f} ms and {1e3 * per_row:.1f} ms per row" in prose
    (fixed, per_row), (fixed_int4, per_row_int4) = (recorded_split("18_peers", name) for name in ("ours", "ours, int4"))
    assert (
        fixed_int4 < fixed
        and per_row_int4 > per_row
        and rates("18_peers", "ours, int4")[16] < rates("18_peers", "ours")[16]
    )


def test_the_reserve_is_what_the_recordings_differ_by(prose):
    apart = []
    for value in (lambda run: run["first_token_s"]["p95"], lambda run: run["gap_s"]["p95"]):
        one, other = both(value)
        apart += [max(one[n], other[n]) / min(one[n], other[n]) - 1 for n in one]
    assert f"differ by up to {100 * max(apart):.0f} %" in prose and max(apart) < 0.35


def test_on_how_few_requests_a_verdict_rests(prose):
    requests = {name: by_clients(name, "ours", lambda run: run["requests"]) for name in ("18_load", "18_peers")}
    assert [requests[name][n] for n in (4, 8, 16) for name in ("18_peers", "18_load")] == [4, 8, 8, 8, 16, 16]
    assert "with 4 clients has 4 requests, or 8 in the recording of section 2; one with 16 has 16" in prose
    twice = {run["case"]["server"] for run in recorded("18_load")} & {
        run["case"]["server"] for run in recorded("18_peers")
    }
    assert twice == {"ours", "ours, int4"} and "*Ours* and *ours, int4* were recorded twice" in prose
    first = [run for run in recorded("18_load") if run["case"] == {"server": "ours", "clients": 8}][0]
    assert max(first["first_token_s"]["p95"] / 2, first["gap_s"]["p95"] / 0.2) * 1.35 <= 1
    assert "by its first recording alone, as the rivals are by their only one, *ours* would keep it for 8, too" in prose


def test_what_can_be_promised(printed, prose):
    lines = {
        line[:42].strip(): dict(re.findall(r"(\d+): (\w+)", line[42:])) for line in printed["promise"].splitlines()
    }
    kept = {name: [int(n) for n, verdict in found.items() if verdict == "kept"] for name, found in lines.items()}
    assert [name for name, found in kept.items() if 8 in found] == ["llama.cpp"]
    assert max(kept["ours"]) == max(kept["vLLM"]) == 4
    assert "For 8 clients, only llama.cpp keeps the promise with this reserve; *ours* and vLLM keep it for 4" in prose
    assert lines["llama.cpp"]["16"] == "undecided" and lines["ours, int4"]["4"] == "undecided"
    assert {found["16"] for name, found in lines.items() if name != "llama.cpp"} == {"broken"}
    vllm = by_clients("18_peers", "vLLM", lambda run: run["first_token_s"]["p95"])[16]
    assert f"vLLM's first tokens come after {vllm:.1f} s" in prose and vllm > 2 * 1.35
    gaps, waits = both(lambda run: run["gap_s"]["p95"]), both(lambda run: run["first_token_s"]["p95"])
    assert min(found[16] for found in gaps) > 0.2 * 1.35 and max(found[16] for found in waits) < 2 * 1.35, "it stutters"


def test_from_clients_to_users(printed, prose):
    found = [tuple(map(int, each)) for each in re.findall(r"(\d+) clients .* (\d+) users", printed["users"])]
    for (clients, users), name in zip(found, ("ours", "llama.cpp"), strict=True):
        seconds = by_clients("18_peers", name, lambda run: run["end_to_end_s"]["p50"])[clients]
        assert users == round(clients * (seconds + 30) / seconds)
    seconds = by_clients("18_peers", "ours", lambda run: run["end_to_end_s"]["p50"])[4]
    assert f"one of {seconds:.1f} s (*ours* with 4 clients) is read and thought about for 30 s" in prose


def test_the_quiz_on_the_speed_while_a_reply_streams():
    [asked] = [each for each in read_json(ROOT / "data/quizzes/18.json")["questions"] if each["id"] == "curve"]
    first = by_clients("18_peers", "ours", lambda run: run["first_token_s"]["p50"])[32]
    whole = by_clients("18_peers", "ours", lambda run: run["end_to_end_s"]["p50"])[32]
    rate = rates("18_peers", "ours")[32]
    assert f"writes {rate:.0f} tokens per second for 32 clients together" in asked["question"]
    assert f"after {first:.0f} s" in asked["question"] and f"after {whole:.0f} s" in asked["question"]
    assert 3.5 < 31 / (whole - first) < 4.5


def test_what_the_readme_says_of_serving():
    first, second = rates("18_load", "ours"), rates("18_peers", "ours")
    assert f"recorded twice: {first[1]:.0f} and {first[16]:.0f}, {second[1]:.0f} and {second[16]:.0f}" in README
    assert all(3.8 < found[16] / found[1] < 4.6 for found in (first, second)), "about four times"
    assert "keeps a p95 promise for 8 clients, this server and vLLM for 4" in README
    assert "for 16, llama.cpp is undecided, and the others break it" in README


# The appendix --------------------------------------------------------------------------------------------------------


def test_the_size_of_the_adapter(prose):
    from safetensors import safe_open

    with safe_open(ROOT / "data/adapters/tickets/adapter_model.safetensors", "np") as file:
        numbers = sum(np.prod(file.get_slice(name).get_shape()) for name in file.keys())
    assert f"{numbers / 1e6:.1f} million numbers, {100 * numbers / 134_515_008:.1f} % of the model's weights" in prose


def test_the_adapter_fills_in_five_fields(printed):
    line = next(line for line in printed["both-models"].splitlines() if line.startswith("tickets:"))
    assert tuple(json.loads(line.removeprefix("tickets:"))) == FIELDS
