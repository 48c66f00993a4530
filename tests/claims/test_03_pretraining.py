"""What 03_pretraining says in prose, held against the text, the models and the recorded runs."""

from __future__ import annotations

import math

import pytest

from helpers.corpora import language_reference
from helpers.pretraining import NGram, bits_per_byte, python_reference
from helpers.transformer import GPT, GPTConfig
from helpers.transformer.checkpoints import shapes_only
from helpers.trials.recipes import HISTORY


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


def test_dropping_exact_copies_alone_leaves_a_large_leak():
    documents = [text for _, text in language_reference()]
    train = [text for number, text in enumerate(documents, start=1) if number % 10]
    held_out = [text for text in documents[9::10] if not any(text in other for other in train)]
    seen = {text[i : i + 50] for text in train for i in range(len(text) - 50)}
    asked = [text[i : i + 50] in seen for text in held_out for i in range(0, len(text) - 50, 50)]
    assert sum(asked) / len(asked) > 0.2


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


def trained() -> dict[str, dict]:
    return {name: HISTORY.find(name, seed=0) for name in ("bag of vectors", "LSTM", "GPT")}


def test_one_run_each_for_the_same_time_with_about_as_many_parameters():
    paces = HISTORY.find("seconds per step")["paces"]
    for name, run in trained().items():
        assert run["steps"] * paces[name] == pytest.approx(500 * paces["GPT"], rel=0.01)
        assert run["numbers"] == pytest.approx(0.8e6, rel=0.05)
    assert (trained()["LSTM"]["steps"], trained()["GPT"]["steps"]) == (1260, 500)
    assert (round(paces["LSTM"], 2), round(paces["GPT"], 2)) == (0.18, 0.46)
    assert round(500 * paces["GPT"]) == 229
    assert [round(trained()[name]["seconds of training"]) for name in ("LSTM", "GPT")] == [347, 337]


def test_who_is_ahead():
    """Bits per byte, as the README has them, and the order of all."""
    bits = {name: run["bits per byte"] for name, run in trained().items()}
    bits |= {order: HISTORY.find("n-gram", order=order)["bits per byte"] for order in (5, 7)}
    assert (round(bits["GPT"], 2), round(bits[7], 2), round(bits["LSTM"], 2)) == (1.70, 1.72, 1.66)
    assert bits["LSTM"] < bits["GPT"] < bits[7] < bits[5] < bits["bag of vectors"]
    xz, gzip = (HISTORY.find(name)["bits per byte"] for name in ("xz", "gzip"))
    assert 0 < xz - bits[5] < 0.1 < 0.5 < gzip - xz  # "comes close to a table of order 5"


def test_what_far_context_tells():
    curves = {name: {int(k): v for k, v in run["by context"].items()} for name, run in trained().items()}
    far = {name: curve[16] - curve[63] for name, curve in curves.items()}
    assert 1.7 < far["GPT"] / far["LSTM"] < 2.5  # "about twice as much"
    assert far["GPT"] / math.log(2) == pytest.approx(0.03, abs=0.002)
    assert far["LSTM"] / math.log(2) == pytest.approx(0.015, abs=0.002)
    assert curves["bag of vectors"][4] == pytest.approx(curves["bag of vectors"][63], abs=1e-3)
    table = HISTORY.find("n-gram", order=5)["by context"]
    assert table["4"] == table["63"] < table["3"]
    tables = [HISTORY.find("n-gram", order=order)["by context"] for order in range(1, 9)]
    for seen in (1, 2, 3, 4, 6):  # "up to six characters of context, a table is better than every network"
        assert min(table[str(seen)] for table in tables) < min(curve[seen] for curve in curves.values())


def test_where_the_context_is_new():
    runs = trained() | {order: HISTORY.find("n-gram", order=order) for order in (5, 7)}
    for run in runs.values():
        assert run["nats where not seen"] > 1.5 * run["nats where seen"]  # "more than half as much again"
        assert run["share not seen"] == pytest.approx(1 / 8, abs=0.01)
    new = {name: run["nats where not seen"] for name, run in runs.items()}
    assert 0 < new[7] - new["GPT"] < 0.1 and new["LSTM"] > new[7]  # "the GPT is, and the LSTM is not"
    assert (new[7] - new["GPT"]) / math.log(2) == pytest.approx(0.04, abs=0.005)
