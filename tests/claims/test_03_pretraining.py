"""What 03_pretraining says in prose, held against the text, the models and the recorded runs."""

from __future__ import annotations

import importlib
import math
import statistics

import numpy as np
import pytest
import torch
from helpers.corpora import language_reference, stretches
from helpers.pretraining import Characters, NGram, Recipe, TokenData, bits_per_byte, python_reference
from helpers.trials.recipes import COURSE, HISTORY, RACE
from scipy.stats import t

from helpers.transformer import GPT, GPTConfig
from helpers.transformer.checkpoints import shapes_only
from tests.tools.notebook import ROOT, course


@pytest.fixture(scope="module")
def data():
    return python_reference()


def test_the_text(data):
    """A third of a megabyte, 103 characters; about three tenths of the topics repeat parts of longer ones."""
    assert 0.3e6 < data.train.n_bytes < 0.4e6 and data.vocab_size == pytest.approx(103, abs=3)
    assert math.log(103) == pytest.approx(4.63, abs=0.005)
    whole = language_reference()
    assert 0.2 < 1 - len(whole.distinct()) / len(whole) < 0.4
    assert 200 * 24 * 64 == 307_200  # "a few hundred thousand times"


def test_sizes():
    for config, millions in ((GPTConfig(103, max_len=64), 0.8), (GPTConfig(103, 768, 12, 12, max_len=64), 85)):
        with shapes_only():
            model = GPT(config)
        assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.02)
    assert 50_257 * 768 / 1e6 == pytest.approx(39, abs=0.5) and 85 + 39 == 124  # GPT-2's table of tokens


def held_out_topics() -> tuple[list[str], list[str]]:
    """Every tenth topic held out: (the others, these)."""
    documents = [text for _, text in language_reference()]
    return [text for number, text in enumerate(documents, start=1) if number % 10], documents[9::10]


def test_every_tenth_topic_stands_in_others_and_the_planted_bug_keeps_them():
    train, held_out = held_out_topics()
    read = set().union(*map(stretches, train))
    asked = set().union(*map(stretches, held_out))
    assert len(asked & read) / len(asked) > 0.2
    exercise = importlib.import_module("helpers.exercises.course.03_pretraining.whole_topics")
    space = {"stretches": stretches}
    exec(f"def planted(documents, every):\n{exercise.ONE_PASS}", space)
    kept = space["planted"]([text for _, text in language_reference()], 10)[1]
    asked = set().union(*map(stretches, kept))
    assert len(asked & read) / len(asked) > 0.2  # "the leak stays as large as before"


def test_what_a_leak_is_worth_to_a_table():
    """The same held-out text, with and without the five topics in which most of its copies stand."""
    train, held_out = held_out_topics()
    asked = set().union(*map(stretches, held_out))
    without = [text for text in train if len(stretches(text) & asked) <= 20]
    assert len(train) - len(without) == pytest.approx(5, abs=2)
    assert sum(map(len, without)) / sum(map(len, train)) == pytest.approx(5 / 6, abs=0.05)  # "a sixth less text"

    def bits(part: list[str]) -> float:
        texts = ["\n\n".join(part), "\n\n".join(held_out)]
        data = TokenData.of_texts(*texts, Characters.train("".join(texts)))
        return NGram.count(data.train, data.vocab_size, 7).surprise(data.held_out).bits_per_byte

    assert bits(train) == pytest.approx(1.33, abs=0.1) and bits(without) == pytest.approx(1.76, abs=0.1)


def test_the_example_of_bits_per_byte():
    assert bits_per_byte(2.77, 40 / 10) == pytest.approx(1.0, abs=0.005)


def test_the_example_of_smoothing():
    counts, discount = {"e": 6, "a": 2, "i": 1}, 0.75
    assert [count - discount for count in counts.values()] == [5.25, 1.25, 0.25]
    assert discount * len(counts) / sum(counts.values()) == pytest.approx(0.25)


def test_the_table_has_about_as_many_counts_as_the_text_characters(data):
    table = NGram.count(data.train, data.vocab_size, 7)
    assert table.n_counts == pytest.approx(len(data.train), rel=0.15)
    assert table.n_counts == pytest.approx(326_000, rel=0.1)
    bits = [
        NGram.count(data.train, data.vocab_size, order).surprise(data.held_out).bits_per_byte for order in (6, 7, 8)
    ]
    assert 0 < bits[1] - bits[2] < 0.01  # "order 8 gains less than 0.01 bits on order 7"


NAMES = ("bag of vectors", "LSTM", "GPT")


def trained(name: str) -> list[dict]:
    """The three runs of a network."""
    return [HISTORY.find(name, seed=seed) for seed in range(3)]


def mean_bits(name: str, where: str = "nats") -> float:
    """Bits per byte, the mean of three runs: of all tokens, or of a part of them."""
    return statistics.mean(run[where] * run["bits per byte"] / run["nats"] for run in trained(name))


def test_three_runs_each_for_the_same_planned_time_with_about_as_many_parameters():
    paces = HISTORY.find("seconds per step")["paces"]
    for name in NAMES:
        for run in trained(name):
            assert run["steps"] * paces[name] == pytest.approx(500 * paces["GPT"], rel=0.01)
            assert run["numbers"] == pytest.approx(0.8e6, rel=0.05)
    assert (trained("LSTM")[0]["steps"], trained("GPT")[0]["steps"]) == (1063, 500)
    assert (round(paces["LSTM"], 3), round(paces["GPT"], 3), round(500 * paces["GPT"])) == (0.032, 0.067, 34)
    assert min(run["seconds of training"] for name in NAMES for run in trained(name)) > 170  # "at least five times"


def test_who_is_ahead():
    """Bits per byte in the prose, and the order of all: each network by the worst or best of its three runs."""
    bits = {name: [run["bits per byte"] for run in trained(name)] for name in NAMES}
    tables = {order: HISTORY.find("n-gram", order=order)["bits per byte"] for order in range(1, 9)}
    assert (round(mean_bits("GPT"), 2), round(tables[7], 2), round(mean_bits("LSTM"), 2)) == (1.70, 1.72, 1.66)
    assert max(bits["LSTM"]) < min(bits["GPT"]) <= max(bits["GPT"]) < min(tables.values())
    assert min(tables.values()) < tables[5] < min(bits["bag of vectors"])
    xz, gzip, chat = (HISTORY.find(name)["bits per byte"] for name in ("xz", "gzip", "chat model"))
    assert 0 < xz - tables[5] < 0.1 < 0.5 < gzip - xz  # "comes close to a table of order 5"
    assert round(chat, 2) == 0.80 and HISTORY.find("chat model")["tokens"] > 1500


def test_what_far_context_tells():
    curves = {name: [{int(k): v for k, v in run["by context"].items()} for run in trained(name)] for name in NAMES}
    assert all(curve[4] == pytest.approx(curve[63], abs=1e-3) for curve in curves["bag of vectors"])
    tables = [HISTORY.find("n-gram", order=order)["by context"] for order in range(1, 9)]
    for seen in (1, 2, 3, 4, 6):  # "up to six characters of context, a table is better than every network"
        assert min(table[str(seen)] for table in tables) < min(c[seen] for rows in curves.values() for c in rows)
    assert min(table["63"] for table in tables) == min(table["8"] for table in tables)

    def far(name: str) -> list[float]:
        return [(curve[8] - curve[63]) / math.log(2) for curve in curves[name]]

    assert round(statistics.mean(far("GPT")), 2) == 0.07 and round(statistics.mean(far("LSTM")), 2) == 0.05
    assert max(far("GPT")) - min(far("GPT")) > 0.02  # "single runs of the GPT differ by more than these 0.02 bits"


def test_where_the_context_is_new():
    runs = [run for name in NAMES for run in trained(name)] + [HISTORY.find("n-gram", order=n) for n in (5, 7)]
    for run in runs:
        assert run["nats where not seen"] > 1.5 * run["nats where seen"]  # "more than half as much again"
        assert run["share not seen"] == pytest.approx(1 / 8, abs=0.01)
    table = HISTORY.find("n-gram", order=7)["nats where not seen"]
    gpt, lstm = ([run["nats where not seen"] for run in trained(name)] for name in ("GPT", "LSTM"))
    assert max(gpt) < table and min(lstm) < table < max(lstm)  # "in all three runs"; "in two of three"
    assert sum(x < table for x in lstm) == 2


def text(name: str) -> str:
    """The words of a cell, or of README.md, in one line."""
    if name == "README":
        return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    return next(" ".join(c.source.split()) for c in course().page("03_pretraining").nb.cells if c.id == name)


SHARES = (0.15, 0.2, 0.25, 0.35, 0.5)


def raced() -> tuple[list[float], list[list[float]]]:
    """nanoGPT's final losses by seed, and the course's at each share."""
    goals = [RACE.find("nanoGPT", seed=seed)["nats"] for seed in range(5)]
    return goals, [[RACE.find("course", share=share, seed=seed)["nats"] for share in SHARES] for seed in range(5)]


def test_how_many_times_as_fast():
    """Notebook and README name the factor that the record gives, with an interval over seeds of both and the timing."""
    goals, losses = (np.array(found) for found in raced())

    def factor(row, goal) -> float:
        return 1 / np.interp(-goal, -row, SHARES)

    rounds = RACE.find("seconds per step")["rounds"]
    spreads = [
        [factor(losses.mean(0), goal) for goal in goals],
        [factor(row, goals.mean()) for row in losses],
        np.divide(rounds["course"], rounds["nanoGPT"]),
    ]
    parts = [(np.log(found).var(ddof=1) / len(found), len(found) - 1) for found in spreads]
    variance = sum(part for part, _ in parts)
    reach = math.exp(t.ppf(0.975, variance**2 / sum(part**2 / n for part, n in parts)) * math.sqrt(variance))
    middle = factor(losses.mean(0), goals.mean())
    said = f"{middle:.1f} times as fast (95 % CI {middle / reach:.1f}–{middle * reach:.1f}"
    assert said in text("race-md") and said in text("README")
    assert f"{middle:.1f} times as fast" in text("ending")
    assert f"it comes to {losses[:, -1].mean():.2f} nats instead of {goals.mean():.2f}" in text("race-md")
    assert losses[:, 2].max() < goals.min() and losses[:, 1].max() > goals.min()  # the live point: 25 %


def test_what_the_end_of_the_schedule_is_worth():
    short, long = (RACE.find("course", share=share, seed=0) for share in (0.2, 0.5))
    assert (short["steps"], long["steps"]) == (195, 488) and 183 < 0.4 * 488  # its rate comes down after 195 steps
    said = (
        f"one of 195 steps ends at {short['nats']:.2f} nats, while one of 488 steps, still at its full rate after 183"
    )
    assert f"{said}, is at {long['validation']['183']:.2f}" in text("loop-md")


def test_what_is_equal_in_the_race():
    pace = RACE.find("seconds per step")
    assert pace["threads"] == 2 and pace["commit"].startswith("3adf61e") and "(commit 3adf61e)" in text("race")
    ratios = [c / n for c, n in zip(pace["rounds"]["course"], pace["rounds"]["nanoGPT"], strict=True)]
    assert f"a step of the course took {min(ratios):.2f} to {max(ratios):.2f} times as long" in text("race-md")
    sizes = {RACE.find("nanoGPT", seed=0)["parameters"], RACE.find("course", share=0.25, seed=0)["parameters"]}
    assert sizes == {808_960, 804_864} and all(f"{size:,} parameters" in text("race") for size in sizes)
    for seed in range(5):
        assert RACE.find("nanoGPT", seed=seed)["steps"] == 2000
        for share in SHARES:
            steps = RACE.find("course", share=share, seed=seed)["steps"]
            assert steps * pace["course"] == pytest.approx(share * 2000 * pace["nanoGPT"], rel=0.01)


def test_the_recipe_of_section_1_is_the_one_that_raced():
    model, recipe = COURSE.make(103, 244)
    assert recipe == Recipe(steps=244)
    torch.manual_seed(0)
    again = GPT(GPTConfig(103, max_len=64, d_model=128, n_layers=4))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_every_point_of_the_race_lies_above_the_table():
    goals, course_losses = raced()
    assert HISTORY.find("n-gram", order=7)["nats"] < min(goals + [row[-1] for row in course_losses])
    assert HISTORY.find("n-gram", order=7)["nats"] < min(goals) - 0.2  # README: at that loss the table is still better
