"""What 02c says in words, held against the recorded results and the arithmetic."""

from __future__ import annotations

import json
import re

import pytest
import torch

from helpers.attention import alibi_bias, fused_attention, rope_frequencies, scaled_dot_product_attention
from helpers.exercises.checking import registry
from helpers.files import RESULTS
from helpers.measuring import largest_tensor
from helpers.memory import ARCHITECTURES, GIB, kv_cache_bytes, weights_bytes
from helpers.trials.needles import haystack
from tests.trials.test_needles import Letters

RESULTS = RESULTS


@pytest.fixture(scope="module")
def mean_losses() -> dict[str, dict[int, float]]:
    runs = json.loads((RESULTS / "02c_length.json").read_text(encoding="utf-8"))["runs"]
    found: dict[str, list] = {}
    for run in runs:
        found.setdefault(run["case"]["positions"], []).append(run["losses"])
        for kind, losses in run.get("scaled", {}).items():
            found.setdefault(kind, []).append(losses)
    assert all(len(losses) == 8 for losses in found.values())
    return {name: {n: sum(x[str(n)] for x in f) / 8 for n in (32, 64, 128, 256)} for name, f in found.items()}


@pytest.fixture(scope="module")
def needles() -> list[dict]:
    return json.loads((RESULTS / "02c_needles.json").read_text(encoding="utf-8"))["runs"]


SIX = ("none", "learned", "sinusoidal", "rope", "alibi", "t5")


def test_rope_is_best_at_the_trained_length_and_worst_at_eight_times(mean_losses):
    assert min(SIX, key=lambda n: mean_losses[n][32]) == "rope"
    assert sorted(SIX, key=lambda n: mean_losses[n][32])[1] == "sinusoidal"
    assert max(SIX, key=lambda n: mean_losses[n][256]) == "rope"


def test_learned_positions_are_no_better_than_none_after_so_short_a_training(mean_losses):
    assert abs(mean_losses["learned"][32] - mean_losses["none"][32]) < 0.05


def test_alibi_loses_least_and_never_gains(mean_losses):
    rises = {name: mean_losses[name][256] - mean_losses[name][32] for name in SIX}
    assert min(rises, key=rises.get) == "alibi" and rises["alibi"] > 0
    assert all(rises[name] < 0.1 for name in ("alibi", "t5", "none")) and rises["rope"] > 0.4


def test_ntk_and_yarn_mend_twice_the_length_and_nothing_mends_eight_times(mean_losses):
    home, rope = mean_losses["rope"][32], mean_losses["rope"]
    for kind in ("ntk", "yarn"):
        assert mean_losses[kind][64] - home < 0.5 * (rope[64] - home)
    assert mean_losses["linear"][64] > rope[64]
    assert all(mean_losses[kind][256] > home + 0.2 for kind in ("linear", "ntk", "yarn"))
    assert min(("linear", "ntk", "yarn"), key=lambda kind: mean_losses[kind][256]) == "yarn"


def found_in(needles: list[dict], length: int, scaling: str | None, seeds: range = range(9)) -> list[list[bool]]:
    """For each text, which of its five passwords were found."""
    return [
        run["found"]
        for run in needles
        if (run["case"]["length"], run["case"]["scaling"]) == (length, scaling) and run["case"]["seed"] in seeds
    ]


def test_passwords_near_the_end_are_found_and_those_at_the_start_are_not(needles):
    long = found_in(needles, 2048, None)
    assert len(long) == 6 and all(found[4] for found in long) and not any(found[0] for found in long)


def test_most_passwords_are_found_at_256_tokens_and_less_than_half_beyond(needles):
    shares = {n: sum(map(sum, found_in(needles, n, None))) / 30 for n in (256, 512, 1024, 2048)}
    assert shares.pop(256) > 0.75 and max(shares.values()) < 0.5


def test_most_wrong_answers_are_another_password_and_over_half_are_the_last_one(needles):
    wrong, other, last = 0, 0, 0
    for run in needles:
        if run["case"]["scaling"] is None and run["case"]["length"] >= 512:
            passwords = [*haystack(Letters(), 2000, run["case"]["seed"]).passwords.values()]  # drawn before any hay
            missed = [said for said, found in zip(run["said"], run["found"], strict=True) if not found]
            wrong += len(missed)
            other += sum(said in passwords for said in missed)
            last += sum(said == passwords[-1] for said in missed)
    assert wrong > 40 and other > 0.8 * wrong and last > 0.5 * wrong


def test_linear_scaling_leaves_no_password_and_the_others_do_no_great_harm(needles):
    for length in (512, 2048):
        hits = {k: sum(map(sum, found_in(needles, length, k, range(4)))) for k in (None, "linear", "ntk", "yarn")}
        assert hits["linear"] == 0 and all(abs(hits[kind] - hits[None]) <= 2 for kind in ("ntk", "yarn"))


def test_five_words_back_a_steep_head_loses_over_a_point_and_the_next_less_than_a_third():
    bias = alibi_bias(4, 6)[:, 5, 0]
    assert bias[0] < -1 and -1 / 3 < bias[1] < 0


def test_at_short_distances_most_pairs_have_hardly_turned():
    """Of the chat model's 32 pairs, five tokens apart: angles below one radian."""
    assert (5 * rope_frequencies(64, 100_000.0) < 1).float().mean() > 0.75


def test_the_cache_of_an_8b_model_at_128k():
    big = ARCHITECTURES["Llama-3.1-8B"]
    mha, gqa, mqa = (kv_cache_bytes(big.layers, n, big.head_dim, 131_072) for n in (big.heads, big.kv_heads, 1))
    weights = weights_bytes(big.n_parameters, "bf16")
    assert gqa * 4 == mha and mqa * 32 == mha and mha > 4 * weights
    assert gqa == pytest.approx(weights, rel=0.1)


def test_the_design_that_is_defended_fits_and_the_next_does_not():
    assert registry()["choose_kv_heads"].reference(24, 28, 128, 65_536, 4 * GIB) == 4


def test_fused_attention_stores_no_table_of_scores():
    def largest(attention, n):
        return largest_tensor(lambda q: attention(q, q, q), torch.ones(1, 1, n, 8))

    assert largest(scaled_dot_product_attention, 512) == 4 * largest(scaled_dot_product_attention, 256) == 4 * 512**2
    assert largest(fused_attention, 512) == 2 * largest(fused_attention, 256) == 4 * 512 * 8


def test_the_committed_live_run_of_rope_is_outside_of_95_percent_and_inside_99():
    book = json.loads((RESULTS.parents[1] / "notebooks/02c_positions_and_length.ipynb").read_text(encoding="utf-8"))
    (cell,) = (cell for cell in book["cells"] if cell["id"] == "length-check")
    printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
    rise, _, high, _, highest = map(float, re.findall(r"\d\.\d\d", re.search("rope: .*", printed)[0]))
    assert high < rise < highest
