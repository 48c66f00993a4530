"""What 18_serving says in prose, held against what was recorded and printed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from helpers.files import RESULTS, read_json
from helpers.serving import Settings
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


# Weights and steps ---------------------------------------------------------------------------------------------------


def test_the_weights_of_the_chat_model(prose):
    weights = 134_515_008
    assert f"{weights / 1e6:.1f} million weights" in prose and f"{weights * 4 / 1e6:.0f} MB in all" in prose
    assert f"At 10 GB per second this takes {weights * 4 / 10e9 * 1e3:.0f} ms" in prose


def gaps_of(name: str) -> dict[int, float]:
    return by_clients(name, "ours", lambda run: run["gap_s"]["p50"])


def test_the_recorded_load(prose):
    ours, alone = rates("18_load", "ours"), rates("18_load", "ours, one at a time")
    assert f"from {ours[1]:.0f} with one client to {ours[16]:.0f} with sixteen, and to {ours[32]:.0f} with 32" in prose
    assert f"the server stays at {min(alone.values()):.0f} to {max(alone.values()):.0f} tokens per second" in prose


def test_where_the_formula_holds_and_where_it_fails(prose):
    fixed, per_row, off = {}, {}, {}
    for name in ("18_load", "18_peers"):
        gaps = gaps_of(name)
        per_row[name] = (gaps[16] - gaps[1]) / 15
        fixed[name] = gaps[1] - per_row[name]
        off[name] = {rows: gaps[rows] / (fixed[name] + rows * per_row[name]) - 1 for rows in gaps}
    assert max(abs(off["18_load"][rows]) for rows in (4, 8)) < 0.055, "right to 5 % at 4 and 8 rows"
    assert f"{100 * -off['18_load'][32]:.0f} % below it at 32" in prose
    assert f"a step took {100 * off['18_peers'][4]:.0f} % longer than predicted" in prose
    assert "a fixed time of 41 to 45 ms" in prose and "12 to 13 GB per second" in prose and "5 to 8 ms per row" in prose
    assert sorted(round(1e3 * each) for each in fixed.values()) == [41, 45]
    assert sorted(round(538.06 / (1e3 * each)) for each in fixed.values()) == [12, 13]
    assert sorted(int(1e3 * each) for each in per_row.values()) in ([5, 8], [5, 7])
    assert sorted(round(fixed[name] / per_row[name]) for name in fixed) in ([6, 8], [6, 7])
    assert "equal at 6 to 8 rows" in prose


def test_static_batching_leaves_rows_empty(printed):
    busy = dict(re.findall(r"^(continuous|static) .*rows busy (\d+)%", printed["mixed"], re.MULTILINE))
    assert int(busy["continuous"]) > int(busy["static"])


def test_memory_per_token_and_per_longest_reply(prose):
    per_token = 30 * 2 * 3 * 64 * 4
    assert f"= {per_token:,} bytes per token" in prose
    longest = Settings().max_new_tokens
    assert f"up to {longest:,} tokens here, so each request takes {longest * per_token / 1e6:.0f} MB" in prose
    assert Settings().cache_mb == 256 and Settings().page_size == 16
    assert f"written at the same time, {Settings().max_running} on this server" in prose


def test_three_ways_of_handing_out_memory(printed):
    longest, allowed, known = map(int, re.findall(r"(\d+) if ", printed["how-many-fit"]))
    paged = int(re.search(r"(\d+) with pages", printed["how-many-fit"]).group(1))
    assert longest < allowed < paged and known >= paged, "reserving is as good where the length is known"


def test_chunks_and_pages(prose):
    assert Settings().chunk == 64 and "read in pieces of 64 tokens per step" in prose


# Sections 3 to 6 -----------------------------------------------------------------------------------------------------


def test_continuous_batching_needs_the_fewest_steps(printed):
    steps, static, fewest = map(
        int, re.search(r"(\d+) steps instead of (\d+).* are (\d+)", printed["steps-needed"]).groups()
    )
    assert steps == fewest < static


def test_the_prefix_cache_as_recorded(prose):
    cold, warm = (
        run["first_token_s"]["p50"] for run in sorted(recorded("18_prefix"), key=lambda r: r["case"]["shared"])
    )
    assert f"is {cold:.2f} s if each request has a system prompt of its own, and {warm:.2f} s if all have" in prose
    assert all(run["requests"] == 4 for run in recorded("18_prefix")) and "four requests each" in prose


def test_a_name_at_the_front_shares_nothing(printed, prose):
    shared = [int(n) for n in re.findall(r"(\d+) of \d+ tokens", printed["where-name"])]
    assert shared[0] == 0 and shared[1] > 1500
    assert "nothing is shared" in prose


def test_the_size_of_the_adapter(prose):
    from safetensors import safe_open

    with safe_open(ROOT / "data/adapters/tickets/adapter_model.safetensors", "np") as file:
        numbers = sum(np.prod(file.get_slice(name).get_shape()) for name in file.keys())
    assert f"{numbers / 1e6:.1f} million numbers, {100 * numbers / 134_515_008:.1f} % of the model's weights" in prose


def test_the_adapter_fills_in_five_fields(printed):
    line = next(line for line in printed["both-models"].splitlines() if line.startswith("tickets:"))
    assert tuple(json.loads(line.removeprefix("tickets:"))) == FIELDS


# The curve -----------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_peers(prose):
    ours, llama, vllm = (rates("18_peers", name) for name in ("ours", "llama.cpp", "vLLM"))
    batched = rates("18_peers", "transformers serve --continuous-batching")
    plain = rates("18_peers", "transformers serve")
    assert 9 < min(plain.values()) and max(plain.values()) < 11.5 and "about 10 tokens per second" in prose
    wait = by_clients("18_peers", "transformers serve", lambda run: run["end_to_end_s"]["p50"])[32]
    assert f"with 32 clients, the median reply takes {wait:.0f} s" in prose
    best = [max(found.values()) for found in (batched, vllm, ours)]
    assert f"it rises to {best[0]:.0f}, **vLLM** to {best[1]:.0f} and *ours* to {best[2]:.0f}" in prose
    assert max(best) / min(best) < 1.55, "within a factor of 1.5"
    assert f"writes {llama[1]:.0f} tokens per second for a single client, {llama[1] / ours[1]:.1f} times" in prose
    assert llama[32] == pytest.approx(llama[1], rel=0.05), "no more for 32"
    int4 = rates("18_peers", "ours, int4")
    assert int4[1] > 1.2 * ours[1] and int4[16] < ours[16], "faster with one row, not with sixteen"


def test_llama_cpp_is_memory_bound_with_one_row_and_pays_for_each(prose):
    gaps = by_clients("18_peers", "llama.cpp", lambda run: run["gap_s"]["p50"])
    assert {run["weights"] for run in recorded("18_peers") if run["case"]["server"] == "llama.cpp"} == {"Q4_1"}
    assert (
        f"a step with one row takes {1e3 * gaps[1]:.1f} ms" in prose
        and f"{98 / (1e3 * gaps[1]):.0f} GB per second" in prose
    )
    assert f"four rows takes {int(1e3 * gaps[4])} ms and one with 16 takes {1e3 * gaps[16]:.0f} ms" in prose
    assert gaps[4] > 3.5 * gaps[1] and gaps[16] > 14 * gaps[1], "each row costs as much as the first"
    assert 538 / 98 == pytest.approx(5, rel=0.12), "a fifth of our bytes"


def test_how_much_two_recordings_differ(prose):
    first, second = rates("18_load", "ours"), rates("18_peers", "ours")
    told = (
        f"gave {first[16]:.0f} tokens per second at 16 clients and {first[32]:.0f} at 32, this one {second[16]:.0f} and"
    )
    assert f"{told} {second[32]:.0f}" in prose
    assert 0.15 < second[16] / first[16] - 1 < 0.25, "about 20 %"
    assert all(3.8 < found[16] / found[1] < 4.6 for found in (first, second)), "about four times"
    gains = [100 * (found[32] / found[16] - 1) for found in (first, second)]
    assert f"one recording gains {gains[0]:.0f} %, the other {gains[1]:.0f} %" in prose
    waits = [by_clients(name, "ours", lambda run: run["end_to_end_s"]["p50"]) for name in ("18_load", "18_peers")]
    factors = sorted(wait[32] / wait[16] for wait in waits)
    assert f"waits {factors[0]:.1f} to {factors[1]:.1f} times as long" in prose


def test_what_can_be_promised(printed, prose):
    lines = re.findall(r"^(.+?) +kept for (\d+) clients, with reserve (\d+)", printed["promise"], re.MULTILINE)
    kept = {name: (int(most), int(safe)) for name, most, safe in lines}
    batching = [found for name, found in kept.items() if name != "transformers serve"]
    assert "No server keeps the promise for 16 clients" in prose and max(most for most, _ in kept.values()) == 8
    assert all(most == 8 for most, _ in batching) and {1, 8} <= {safe for _, safe in batching}
    first = {
        run["case"]["server"]: run["first_token_s"]["p95"]
        for run in recorded("18_peers")
        if run["case"]["clients"] == 16
    }
    gap = {run["case"]["server"]: run["gap_s"]["p95"] for run in recorded("18_peers") if run["case"]["clients"] == 16}
    assert min(first.values()) > 2 and gap["ours"] > 0.25 and max(gap["llama.cpp"], gap["vLLM"]) < 0.2


def test_the_memory_of_the_servers(prose):
    most = {
        name: max(by_clients("18_peers", name, lambda run: run["memory_mb"]).values())
        for name in ("llama.cpp", "ours", "vLLM")
    }
    told = re.search(r"process uses (\d\.\d) GB; ours uses (\d\.\d) GB, vLLM (\d\.\d) GB", prose)
    for said, name in zip(told.groups(), most, strict=True):
        assert abs(float(said) - most[name] / 1000) < 0.07


def test_what_the_readme_says_of_serving():
    first, second = rates("18_load", "ours"), rates("18_peers", "ours")
    assert f"recorded twice: {first[1]:.0f} and {first[16]:.0f}, {second[1]:.0f} and {second[16]:.0f}" in README
    assert "it keeps a p95 promise for 8 readers and for 16 no longer" in README
