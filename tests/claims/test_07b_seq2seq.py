"""What 07b_seq2seq says of summaries in words and numbers, held against what was recorded and against the data."""

from __future__ import annotations

import json
from statistics import mean

import pytest

from helpers.metrics import rouge1
from helpers.trials.summaries import lead_1
from helpers.trials.summary_training import BEAMS, RECIPE, REPORTS, held_out
from helpers.velunda import generate_reports, load_report_frames, load_reports
from tests.benchmarks.sweep_seq2seq import CURES, DEV, MORE
from tests.tools.notebook import ROOT

RUNS = json.loads((ROOT / "data" / "results" / "07b_seq2seq.json").read_text(encoding="utf-8"))["runs"]
TEST = [run for run in RUNS if run["case"]["split"] == "test"]


def of(cure: str, way: str, score: str) -> list[float]:
    return [run["scores"][way][score] for run in TEST if run["case"]["cure"] == cure]


def paired(cure: str) -> list[tuple[float, float]]:
    """ROUGE-1 of each seed, written freely and limited."""
    return list(zip(of(cure, "free", "rouge1"), of(cure, "limited", "rouge1"), strict=True))


def kind(way: str, slot: str, cure: str = "none") -> tuple[int, int]:
    """Over the seeds of a cure: how often right, of how often stated."""
    counts = [run["by_kind"][way].get(slot, [0, 0]) for run in TEST if run["case"]["cure"] == cure]
    return sum(right for right, _ in counts), sum(stated for _, stated in counts)


def test_three_cures_of_three_seeds_each_and_weights_compared_on_dev_alone():
    assert list(CURES) == ["none", "more data", "weight"] and REPORTS == 1500 and MORE == 8 * REPORTS
    for cure in CURES:
        seeds = [run["case"]["seed"] for run in TEST if run["case"]["cure"] == cure]
        assert sorted(seeds) == [1, 2, 3] and RECIPE.seed not in seeds
    weights = {run["case"]["weight"]: run["scores"]["limited"] for run in RUNS if run["case"]["split"] == "dev"}
    assert len(weights) == len(DEV)
    best = max(weights, key=lambda weight: (weights[weight]["true"], weights[weight]["rouge1"]))
    assert CURES["weight"]["weight"] == best


def test_a_small_t5_beats_the_first_sentence_in_rouge_and_is_hardly_ever_true():
    lead = mean(rouge1(lead_1(r["text"]), r["summary"]) for r in held_out("test"))
    assert lead == pytest.approx(0.44, abs=0.005)  # "lead-1 has about 0.4"
    assert min(of("none", "free", "rouge1")) > lead
    assert min(of("none", "free", "fluent")) > 0.9
    assert max(true for cure in CURES for true in of(cure, "free", "true")) <= 0.03  # "at most three in a hundred"


def test_customers_are_never_right_and_models_nearly_always():
    right, stated = kind("free", "owner")
    assert right == 0 and stated > 100
    right, stated = kind("free", "bike")
    assert right / stated > 0.9
    for slot in ("km", "minutes", "n"):
        right, stated = kind("free", slot)
        assert right / stated < 0.25, slot
    held, known = ({r["words"]["owner"] for r in generate_reports(3000, 0, split, words=True) if "owner" in r["words"]}
                   for split in ("test", "train"))  # fmt: skip
    assert not {owner.split()[1] for owner in held} & {owner.split()[1] for owner in known}


def test_the_limit_makes_true_what_neither_weights_nor_data_do_and_leaves_wrong_roles():
    for cure in CURES:
        assert max(of(cure, "free", "true")) < min(of(cure, "limited", "true"))
        assert min(of(cure, "limited", "supported")) > 0.95 and max(of(cure, "free", "supported")) < 0.05
        assert all(0.55 < score < 0.7 for way in ("free", "limited") for score in of(cure, way, "rouge1"))
        assert 0.25 < mean(of(cure, "limited", "true")) < 0.33  # "about three in ten"
        assert max(of(cure, "limited", "fluent")) < min(of(cure, "free", "fluent")) - 0.1  # the price
    gains = [b - a for cure in CURES for a, b in paired(cure)]
    assert min(gains) > 0 and f"{mean(gains):.2f}" == "0.05", "all that ROUGE sees of it"
    right, stated = kind("limited", "owner")
    assert right / stated > 0.95
    right, stated = kind("limited", "minutes")
    assert right / stated < 0.75  # a number of the report, in another role


def test_the_frames_of_test_are_unseen_and_summaries_follow_eight_patterns():
    assert len({r["frame"] for r in load_reports("test")}) == 20
    assert not {r["frame"] for r in load_reports("test")} & {r["frame"] for r in load_reports("train")}
    assert len({frame.summary for frame in load_report_frames()}) == 8 and BEAMS == 4
