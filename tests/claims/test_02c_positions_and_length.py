"""What 02c says in words, held against the recorded results and the arithmetic."""

from __future__ import annotations

import json
import re
from math import exp, pi

import numpy as np
import pytest

from helpers.attention import alibi_slopes, rope_frequencies
from helpers.exercises.checking import registry
from helpers.files import RESULTS
from helpers.memory import ARCHITECTURES, GIB, kv_cache_bytes, weights_bytes
from helpers.trials.needles import haystack
from tests.trials.test_needles import Letters

NOTEBOOK = RESULTS.parents[1] / "notebooks/02c_positions_and_length.ipynb"


def printed(name: str) -> str:
    """What a cell of the committed notebook prints."""
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    (cell,) = (cell for cell in book["cells"] if cell["id"] == name)
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]


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
    assert max(SIX, key=lambda n: mean_losses[n][256]) == "rope"


def test_sinusoidal_and_learned_positions_rise_at_64_bytes_and_then_stay(mean_losses):
    for name, least in (("sinusoidal", 0.2), ("learned", 0.08)):
        assert mean_losses[name][64] - mean_losses[name][32] > least
        assert abs(mean_losses[name][256] - mean_losses[name][64]) < 0.05


def test_learned_positions_are_no_better_than_none_after_so_short_a_training(mean_losses):
    assert abs(mean_losses["learned"][32] - mean_losses["none"][32]) < 0.05


def test_alibi_loses_least_and_never_gains(mean_losses):
    rises = {name: mean_losses[name][256] - mean_losses[name][32] for name in SIX}
    assert min(rises, key=rises.get) == "alibi" and rises["alibi"] > 0
    assert all(0 <= rises[name] < 0.1 for name in ("alibi", "t5", "none")) and rises["rope"] > 0.4


def test_ntk_and_yarn_mend_most_at_twice_the_length_and_nothing_mends_eight_times(mean_losses):
    home, rope = mean_losses["rope"][32], mean_losses["rope"]
    for kind in ("ntk", "yarn"):
        assert mean_losses[kind][64] - home < 0.5 * (rope[64] - home)
    assert mean_losses["linear"][64] > rope[64]
    assert all(mean_losses[kind][256] > home + 0.2 for kind in ("linear", "ntk", "yarn"))
    assert min(("linear", "ntk", "yarn"), key=lambda kind: mean_losses[kind][256]) == "yarn"


def test_the_two_live_models_rise_and_stay_as_the_recorded_ones_do():
    rope, alibi = (
        [float(loss) for loss in re.findall(r": (\d\.\d\d)", line)] for line in printed("train-two").splitlines()
    )
    assert rope[-1] - rope[0] > 0.3 and abs(alibi[-1] - alibi[0]) < 0.03


def found_in(needles: list[dict], hidden: str, length: int) -> np.ndarray:
    """(texts, 5): whether the fact in each fifth was found."""
    return np.array(
        [run["found"] for run in needles if (run["case"]["hidden"], run["case"]["length"]) == (hidden, length)]
    )


def test_among_look_alikes_only_the_last_password_is_always_found(needles):
    alike = found_in(needles, "five alike", 2048)
    assert alike.shape == (6, 5) and alike[:, 4].all() and not alike[:, 0].any() and alike.mean(0)[:4].max() <= 0.5


def test_look_alikes_are_mostly_found_at_256_tokens_and_less_than_half_from_512_on(needles):
    shares = {n: found_in(needles, "five alike", n).mean() for n in (256, 512, 1024, 2048)}
    assert shares.pop(256) > 0.75 and max(shares.values()) < 0.5


def test_most_wrong_answers_are_another_password_and_over_half_are_the_last_one(needles):
    wrong, other, last = 0, 0, 0
    for run in needles:
        if run["case"]["hidden"] == "five alike" and run["case"]["length"] >= 512:
            passwords = answers(run["case"])
            missed = [said for said, found in zip(run["said"], run["found"], strict=True) if not found]
            wrong += len(missed)
            other += sum(said in passwords for said in missed)
            last += sum(said == passwords[-1] for said in missed)
    assert wrong > 40 and other > 0.8 * wrong and last > 0.5 * wrong


def answers(case: dict) -> list[str]:
    """The five passwords of a case; they are drawn before any hay, so the tokenizer does not matter."""
    return list(haystack(Letters(), 2000, case["seed"]).answers.values())


def test_alone_or_unlike_the_others_every_fact_is_found(needles):
    assert found_in(needles, "five unlike", 2048).shape == (6, 5) and found_in(needles, "five unlike", 2048).all()
    assert found_in(needles, "one alone", 2048).shape == (4, 5) and found_in(needles, "one alone", 2048).all()


def test_the_right_token_gets_about_a_seventh_of_its_probability_without_positions():
    before, after = numbers(printed("no-positions-run"))
    assert 1 / 8 < exp(before - after) < 1 / 6


def test_the_copied_convention_is_normal_for_16_tokens_and_two_nats_off_after_64():
    library, copied, yours = (numbers(line) for line in printed("convention-losses").splitlines()[2:])
    assert abs(copied[0] - library[0]) < 0.1 and 1.7 < copied[3] - library[3] < 2.5
    assert copied[0] - library[0] < copied[1] - library[1] < copied[3] - library[3]
    assert max(abs(one - other) for one, other in zip(library, yours, strict=True)) < 0.1
    assert "Paris" in printed("copied-rope").splitlines()[0]
    assert 0 < int(re.search(r"(\d+)%", printed("convention-losses").splitlines()[3])[1]) < 50


def test_the_window_with_its_sink_costs_about_a_sixth_of_the_plain_one_and_is_not_free():
    every, plain, kept = numbers(printed("window-loss"))
    assert plain - every > 1 and 1 / 8 < (kept - every) / (plain - every) < 1 / 5


def test_the_example_of_alibi():
    assert exp(-5 / 4) == pytest.approx(0.29, abs=0.005) and exp(-5 / 256) == pytest.approx(0.98, abs=0.005)
    assert alibi_slopes(4).tolist() == [2**-2, 2**-4, 2**-6, 2**-8]


def test_the_slowest_pair_hardly_moves_in_thousands_of_tokens():
    """Of the chat model's 32 pairs."""
    frequencies = rope_frequencies(64, 100_000.0)
    assert 5_000 * frequencies[-1] < 0.1 and 2 * pi / frequencies[0] == pytest.approx(6.28, abs=0.01)


def test_a_few_tokens_on_most_pairs_have_hardly_turned():
    """Of the chat model's 32 pairs, five tokens apart: angles below one radian."""
    assert (5 * rope_frequencies(64, 100_000.0) < 1).float().mean() > 0.75


def test_the_cache_of_an_8b_model_at_128k():
    big = ARCHITECTURES["Llama-3.1-8B"]
    assert (big.n_parameters, big.layers, big.d_model) == (8_030_261_248, 32, 4096)
    assert (big.heads, big.kv_heads, big.head_dim) == (32, 8, 128)
    mha, gqa, mqa = (kv_cache_bytes(big.layers, n, big.head_dim, 131_072) for n in (big.heads, big.kv_heads, 1))
    weights = weights_bytes(big.n_parameters, "bf16")
    assert gqa * 4 == mha and mqa * 32 == mha and mha > 4 * weights
    assert gqa == pytest.approx(weights, rel=0.1)


def test_the_cache_of_the_chat_model_takes_23_040_bytes_per_token():
    assert kv_cache_bytes(30, 3, 64, 1) == 2 * 30 * 3 * 64 * 2 == 23_040


def test_attention_overtakes_the_weights_at_thousands_and_at_tens_of_thousands_of_tokens():
    small, large = (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) tokens", printed("crossover")))
    assert 2_000 < small < 9_000 and 20_000 < large < 90_000


def test_the_design_that_is_defended_fits_and_the_next_does_not():
    assert registry()["choose_kv_heads"].reference(24, 28, 128, 65_536, 4 * GIB) == 4
