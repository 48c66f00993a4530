"""What 07_sft says beside the recorded trainings: of the live minute, the chat template, the libraries."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import numpy as np
import pytest

from helpers.memory import ARCHITECTURES
from helpers.metrics import Score
from helpers.models import fetch
from helpers.stats import prediction_interval
from helpers.training import MARKED_TEMPLATE
from helpers.trials.ticket_training import RANK
from helpers.trials.tickets_recorded import before_after, find, scores
from helpers.velunda import FIELDS, load_tickets
from tests.benchmarks import sweep_sft, sweep_sft_minute
from tests.tools.notebook import ROOT, course

TUNED = "fine-tuned, in a form"


@pytest.fixture(scope="module")
def minutes() -> list[dict]:
    return json.loads((ROOT / "data/results/07_minute.json").read_text(encoding="utf-8"))["runs"]


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"))


def source(name: str) -> str:
    return next(cell.source for cell in course().page("07_sft").code if cell.get("id") == name)


def test_splits_are_as_large_as_the_text_says():
    sizes = {
        split: (len(rows), len({t["family"] for t in rows}))
        for split, rows in ((s, load_tickets(s)) for s in ("dev", "test"))
    }
    assert sizes == {"dev": (72, 36), "test": (162, 81)}


def test_adapters_are_4_9_million_numbers_and_all_weights_would_need_2_gb():
    shape = ARCHITECTURES["SmolLM2-135M"]
    assert shape.lora_parameters(RANK) == pytest.approx(4.9e6, rel=0.01)
    assert 16 * shape.n_parameters == pytest.approx(2.15e9, rel=0.01)  # float32 weights, gradients, Adam's two moments


def test_padding_is_the_end_of_a_turn_and_the_template_marks_nothing(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    assert "generation %}" not in tokenizer.chat_template and "generation %}" in MARKED_TEMPLATE


def test_trl_trains_on_everything_unless_told_otherwise():
    from trl import SFTConfig

    defaults = {field.name: field.default for field in fields(SFTConfig)}
    assert defaults["assistant_only_loss"] is False
    assert "max_length" in defaults and "max_seq_length" not in defaults and "dataset_text_field" in defaults


def test_the_notebook_trains_as_the_recorded_minutes_did(minutes):
    steps, batch = re.search(
        r"recipe_of\(dial\.pick\(smoke=\d+, laptop=(\d+)\), batch=(\d+)\)", source("live")
    ).groups()
    assert {"steps": int(steps), "batch": int(batch)} == sweep_sft_minute.LIVE
    assert int(steps) <= 60
    assert f"laptop={sweep_sft_minute.N_DEV})" in source("live-point")
    assert 0 not in {run["case"]["seed"] for run in minutes}, "the notebook's own seed has to be left out"


def test_without_examples_no_reply_of_234_holds_a_json_object():
    readings = [find("zero-shot")[split]["reading"] for split in ("dev", "test")]
    assert sum(reading["replies"] for reading in readings) == 234
    assert all(reading["without an object"] == reading["replies"] for reading in readings)


def test_the_recorded_run_was_as_long_as_the_text_says():
    assert (sweep_sft.MAIN["steps"], sweep_sft.MAIN["batch"], sweep_sft.MAIN["misspelled"]) == (320, 8, 0.4)
    assert round(find("main")["seconds"] / 3600, 1) == 1.0  # "after a recorded hour on one core"


def test_the_last_lines_say_what_was_recorded():
    rows = before_after()
    shares = {name: round(100 * rows[name]["exact"].share) for name in rows}
    assert (shares[TUNED], shares["TF-IDF and rules"], shares["zero-shot"]) == (68, 43, 0)
    assert rows[TUNED]["exact"].by_family[0] > rows["TF-IDF and rules"]["exact"].by_family[1]
    forgotten = find("main")["forgetting"]
    assert forgotten["after"]["right"] < forgotten["before"]["right"] / 2  # "as an assistant it is gone"
    assert round(forgotten["after"]["perplexity"] / forgotten["before"]["perplexity"], 1) == 1.4  # "two fifths"


def test_the_fields_lie_as_the_picture_is_described():
    few, cheap, tuned = (before_after()[name] for name in ("few-shot", "TF-IDF and rules", TUNED))
    assert all(0.1 <= few[field].share <= 0.7 for field in FIELDS) and few["exact"].right == 0
    for field in ("product", "order_number"):
        assert cheap[field].share > 0.9 and tuned[field].share > 0.9
    gains = {row: tuned[row].share - cheap[row].share for row in ("intent", "urgency", "sentiment", "exact")}
    assert min(gains.values()) > 0 and sorted(gains, key=gains.get)[-2:] == ["sentiment", "exact"]


def test_a_minute_teaches_names_better_than_wants(minutes):
    """ "names mostly right, numbers often, and of what customers want hardly more than chance knows" """
    found = [scores(run, "dev") for run in minutes]
    product, number, intent = (
        np.mean([f[field].share for f in found]) for field in ("product", "order_number", "intent")
    )
    assert product > 0.5 and product > number > intent + 0.2
    assert intent < 0.25  # of nine intents, evenly spread, one in nine is chance


def test_mistakes_and_few_tickets_were_trained_for_60_steps():
    assert sweep_sft.SHORT["steps"] == 60  # "60 steps each, on 100 tickets", "always 60 steps"
    assert {case["n"] for case in sweep_sft.CASES if case["case"] == "broken"} == {100}


def test_recorded_minutes_foretell_something(minutes):
    shares = [np.mean([scores(run, "dev")[field].share for field in FIELDS]) for run in minutes]
    low, high = prediction_interval(shares)
    assert 0 < low < high < 1
    assert all(scores(run, "dev")["exact"].n == sweep_sft_minute.N_DEV for run in minutes)


def test_one_minute_was_judged_every_few_steps_on_all_tickets(minutes):
    steps = minutes[0]["by step"]
    assert len(steps) >= 4 and str(sweep_sft_minute.LIVE["steps"]) in steps
    for found in steps.values():
        assert Score.from_json(found["dev"]["exact"]).n == 72 and Score.from_json(found["test"]["exact"]).n == 162


def test_the_chosen_checkpoint_is_ahead_of_the_others_by_one_to_three_tickets(minutes):
    right = [Score.from_json(found["dev"]["exact"]).right for found in minutes[0]["by step"].values()]
    assert {max(right) - other for other in right} - {0} <= {1, 2, 3} and len(set(right)) > 1
