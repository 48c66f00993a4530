"""What 02c says in words, held against the recorded results and the arithmetic."""

from __future__ import annotations

import json
import re
from math import exp, pi

import numpy as np
import pytest
import torch
from helpers.memory import ARCHITECTURES, kv_cache_bytes, weights_bytes
from helpers.trials.lengths import byte_pair_loss
from helpers.trials.needles import haystack

from helpers.attention import RopeScaling, alibi_bias, alibi_slopes, rope_frequencies
from helpers.exercises.checking import registry
from helpers.files import RESULTS
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


SHOWN = ("none", "sinusoidal", "rope", "alibi")
SIX = (*SHOWN, "learned", "t5")


def test_rope_and_sinusoidal_are_best_at_the_trained_length_and_rope_is_worst_at_eight_times(mean_losses):
    assert set(sorted(SHOWN, key=lambda n: mean_losses[n][32])[:2]) == {"rope", "sinusoidal"}
    assert min(SHOWN, key=lambda n: mean_losses[n][32]) == max(SIX, key=lambda n: mean_losses[n][256]) == "rope"


def test_sinusoidal_positions_jump_at_64_bytes_and_then_stay(mean_losses):
    losses = mean_losses["sinusoidal"]
    assert losses[64] - losses[32] > 0.2 and abs(losses[256] - losses[64]) < 0.05


def test_no_scheme_beats_a_table_of_byte_pairs_on_average(mean_losses):
    assert min(mean_losses[name][n] for name in SHOWN for n in (32, 64, 128, 256)) > byte_pair_loss()


def test_alibi_loses_least_and_never_gains(mean_losses):
    rises = {name: mean_losses[name][256] - mean_losses[name][32] for name in SIX}
    assert min(rises, key=rises.get) == "alibi" and rises["alibi"] > 0
    assert all(0 <= rises[name] < 0.1 for name in ("alibi", "t5", "none")) and rises["rope"] > 0.4


def test_slowed_rotations_mend_what_the_text_says(recorded_ropes):
    """Of the damage, in the mean of eight seeds paired by seed: (3,) at 64, 128 and 256 bytes."""
    trained = recorded_ropes["as trained"]
    damage = (trained - trained[:, :1]).mean(0)[1:]
    mended = {k: (trained - recorded_ropes[k]).mean(0)[1:] / damage for k in ("linear", "yarn")}
    assert mended["yarn"][0] > 0.5 and mended["yarn"][2] == pytest.approx(0.4, abs=0.03)
    assert (recorded_ropes["yarn"] < trained)[:, 1:].all()
    for at in (1, 2, 3):  # "linear scaling does not help at any length": no gain whose interval lies above 0
        gain = (trained - recorded_ropes["linear"])[:, at]
        assert gain.mean() - 2.36 * gain.std(ddof=1) / 8**0.5 < 0
    assert all((recorded_ropes[k][:, 3] - trained[:, 0]).mean() > 0.2 for k in mended)


@pytest.fixture(scope="module")
def recorded_ropes() -> dict[str, np.ndarray]:
    """(8, 4) losses for RoPE as trained and with slowed rotations."""
    runs = json.loads((RESULTS / "02c_length.json").read_text(encoding="utf-8"))["runs"]
    runs = [run for run in runs if "scaled" in run]
    found = {k: [run["scaled"][k] for run in runs] for k in ("linear", "ntk", "yarn")}
    found["as trained"] = [run["losses"] for run in runs]
    return {k: np.array([[x[str(n)] for n in (32, 64, 128, 256)] for x in losses]) for k, losses in found.items()}


def test_each_length_was_recorded_with_its_own_factor(recorded_ropes):
    """At the trained length the factor is 1, so all recipes are equal there."""
    for kind in ("linear", "ntk", "yarn"):
        assert recorded_ropes[kind][:, 0] == pytest.approx(recorded_ropes["as trained"][:, 0], abs=1e-3)


def test_the_lines_on_the_page_are_the_recipes_that_were_recorded():
    plain, rows = rope_frequencies(16, 10_000.0), printed("slowed").splitlines()
    for row, kind in zip(rows[1:], ("linear", "yarn"), strict=True):
        times = plain / rope_frequencies(16, 10_000.0, RopeScaling(kind, 8.0, trained_len=32))
        assert numbers(row) == pytest.approx(times.tolist(), abs=0.06)
    yarn = (plain / rope_frequencies(16, 10_000.0, RopeScaling("yarn", 8.0, trained_len=32))).tolist()
    assert yarn[0] == pytest.approx(1) and yarn[2:] == pytest.approx([8.0] * 6)  # many turns, and less than one
    assert yarn[1] < 2  # "nearly keeps the two fast pairs"
    turns = numbers(rows[0])
    assert turns[0] == pytest.approx(5, abs=0.1) and turns[1] > 1 > turns[2]  # "five turns in 31 bytes"


def test_with_distances_limited_there_is_no_damage():
    trained, window, limited = (
        [float(loss) for loss in re.findall(r": (\d\.\d\d)", line)] for line in printed("far-controls").splitlines()
    )
    assert trained[-1] - trained[0] > 0.3 and abs(limited[-1] - limited[0]) < (trained[-1] - trained[0]) / 10
    assert abs(window[-1] - window[0]) < 0.03  # "this model loses nothing with it"


def test_the_live_model_rises_as_the_recorded_ones_do():
    rope = [float(loss) for loss in re.findall(r": (\d\.\d\d)", printed("train-two"))]
    assert len(rope) == 4 and rope[-1] - rope[0] > 0.3
    low, high, live = numbers(printed("length-figure").splitlines()[1])
    assert live == rope[-1] > high > low + 0.3  # "ends above all eight of them", "seeds differ by several tenths"


def test_at_the_trained_length_rope_is_below_alibi_in_six_of_eight_seeds():
    runs = json.loads((RESULTS / "02c_length.json").read_text(encoding="utf-8"))["runs"]
    rope, alibi = (
        np.array([run["losses"]["32"] for run in runs if run["case"]["positions"] == name])
        for name in ("rope", "alibi")
    )
    assert (rope < alibi).sum() == 6


def found_in(needles: list[dict], hidden: str, length: int) -> np.ndarray:
    """(texts, 5): whether the fact in each fifth was found."""
    return np.array(
        [run["found"] for run in needles if (run["case"]["hidden"], run["case"]["length"]) == (hidden, length)]
    )


def hiding() -> dict:
    """The names that the cell `hide` of the committed notebook defines."""
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    (cell,) = (cell for cell in book["cells"] if cell["id"] == "hide")
    names = {"torch": torch, "tokenizer": Letters()}
    exec("".join(cell["source"]), names)
    return names


def test_the_notebook_hides_facts_where_the_recorded_runs_had_them():
    names = hiding()
    recorded = haystack(Letters(), 1200, seed=3)
    text = Letters().decode(recorded.ids[0].tolist())
    hay = text
    for start, answer in recorded.answers.items():
        hay = hay.replace(f"\n{start} {answer}.\n", "")
    assert torch.equal(names["hide"](recorded.answers, Letters().encode(hay), 1200), recorded.ids)


def test_the_live_needles_show_both_explanations():
    alike, unlike = printed("needles").splitlines(), printed("needles-unlike").splitlines()
    right = [line.startswith("✓") for line in alike]
    passwords = [re.search(r"… (\w+)\. It says '(.*)'", line).groups() for line in alike]
    assert right == [False, False, False, True, True]  # "the first three"
    answers = {answer for answer, _ in passwords}
    said = [said for (_, said), found in zip(passwords, right, strict=True) if not found]
    assert sum(word in answers for word in said) == 2  # "two of the three wrong answers are another password"
    assert len(unlike) == 5 and all(line.startswith("✓") for line in unlike)


def test_the_prices_are_confused_together_and_each_is_found_alone_in_its_own_place():
    lines = printed("own-facts").splitlines()
    together, alone = lines[:5], lines[6:11]
    assert sum(line.startswith("✓") for line in together) < 3 and all(line.startswith("✓") for line in alone)
    said = re.findall(r"It says '(.*)'", "".join(f"{line}\n" for line in together))
    assert "10 euros" in said and not any("… 10 euros" in line for line in together)  # "in none of the five sentences"


def test_a_fact_alone_stands_where_it_stood_among_the_others():
    names = hiding()
    facts = {f"The price of {name} is": f"{n} euros" for n, name in enumerate(("a lamp", "a tire", "one pedal"))}
    hay = Letters().encode("".join(chr(97 + i % 26) for i in range(2000)))
    together = names["hide"](facts, hay, 600)[0].tolist()
    for start, answer in facts.items():
        alone = names["hide"](facts, hay, 600, only=start)[0].tolist()
        needle = Letters().encode(f"\n{start} {answer}.\n")
        (place,) = (i for i in range(600) if together[i : i + len(needle)] == needle)
        assert alone[place : place + len(needle)] == needle and len(alone) == 600
        rest = alone[:place] + alone[place + len(needle) :]
        assert rest == hay[: 600 - len(needle)]  # nothing else is hidden


def test_among_look_alikes_only_the_last_password_is_always_found(needles):
    alike = found_in(needles, "five alike", 2048)
    assert alike.shape == (6, 5) and alike[:, 4].all() and not alike[:, 0].any() and alike.mean(0)[:4].max() <= 0.5


def test_look_alikes_are_mostly_found_at_256_tokens_and_less_than_half_from_512_on(needles):
    shares = {n: found_in(needles, "five alike", n).mean() for n in (256, 512, 1024, 2048)}
    assert shares.pop(256) > 0.75 and max(shares.values()) < 0.5


def test_at_2048_tokens_nearly_all_wrong_answers_are_the_last_password(needles):
    runs = [run for run in needles if run["case"]["hidden"] == "five alike" and run["case"]["length"] == 2048]
    wrong = [
        said == run["said"][-1] for run in runs for said, ok in zip(run["said"], run["found"], strict=True) if not ok
    ]
    assert len(wrong) == 19 and sum(wrong) == 18
    at_512 = re.search(r"of (\d+) wrong.*, (\d+) none of the five", printed("needles-table").splitlines()[1])
    assert at_512.groups() == ("17", "5")  # "5 of the 17 wrong answers are no password of the text"


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


def test_the_first_token_is_worth_about_a_nat_and_another_token_nothing():
    every, plain, first, other = numbers(re.sub("63 |64 |20", "", printed("window-loss")))
    assert plain - every == pytest.approx(1, abs=0.25) and abs(other - plain) < 0.1
    assert first - every == pytest.approx(0.1, abs=0.05)  # "about a tenth of a nat"
    gain, low, high = numbers(re.sub("token 20", "", printed("window-figure")))[:3]
    assert low < 0 < high and abs(gain) < 0.1


def test_the_example_of_alibi():
    assert exp(-5 / 4) == pytest.approx(0.29, abs=0.005) and exp(-5 / 256) == pytest.approx(0.98, abs=0.005)
    assert alibi_slopes(4).tolist() == [2**-2, 2**-4, 2**-6, 2**-8] and 20 * alibi_slopes(4)[0] == 5


@pytest.mark.parametrize("T", [1, 5, 9])
def test_the_bias_of_the_exercise_is_the_models(T):
    slope = float(alibi_slopes(4)[0])
    later = torch.ones(T, T).triu(1).bool()
    expected = alibi_bias(4, T)[0].masked_fill(later, -torch.inf)
    assert torch.equal(registry()["alibi_bias"].reference(T, slope), expected)


def test_the_table_of_scores_grows_with_the_square_and_what_is_fused_in_proportion():
    lines = [re.search(r"([\d.]+) MB, +([\d.]+) ms", line).groups() for line in printed("cost").splitlines()[1:]]
    both = list(zip(lines[0::2], lines[1::2], strict=True))  # naive, fused
    rows = [[float(size) for size, _ in pair] for pair in both]
    times = [[float(spent) for _, spent in pair] for pair in both]
    assert len(rows) == 4
    assert all(late > 2 * early for early, late in zip(times[2], times[3], strict=True))  # "the last doubling"
    for (table, output), (longer, more) in zip(rows, rows[1:], strict=False):  # twice the tokens
        assert longer / table == pytest.approx(4, rel=0.01) and more / output == pytest.approx(2, rel=0.02)


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
    assert (weights + gqa) / weights == pytest.approx(2, abs=0.1)  # read for each written token
    assert gqa == pytest.approx(weights, rel=0.1)


def test_the_cache_of_the_chat_model_takes_23_040_bytes_per_token():
    assert kv_cache_bytes(30, 3, 64, 1) == 2 * 30 * 3 * 64 * 2 == 23_040


def test_attention_overtakes_the_weights_at_thousands_and_at_tens_of_thousands_of_tokens():
    small, large = (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) tokens", printed("crossover")))
    assert 2_000 < small < 9_000 and 20_000 < large < 90_000
