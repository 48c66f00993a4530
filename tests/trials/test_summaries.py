"""Judging summaries: baselines, ROUGE as published, what the source does not bear out, and facts in their roles."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.assistants import unsupported
from helpers.metrics import rouge1, unigram_f1
from helpers.trials.summaries import (
    by_frame,
    central_sentence,
    is_true,
    judge,
    lead_1,
    right_by_kind,
    rouge,
    scores,
    stated,
    with_interval,
)
from helpers.velunda import generate_reports, load_report_frames, load_reports

TEST = generate_reports(120, 0, "test", words=True)
INCIDENT = next(r for r in TEST if r["summary"].startswith("Because") and "est" in r["words"])


def test_the_generator_gives_the_committed_reports_with_what_they_say():
    bare = [{key: value for key, value in report.items() if key != "words"} for report in TEST]
    assert bare == load_reports("test") == generate_reports(120, 0, "test")
    for report in TEST:
        text = report["text"].lower()
        assert all(word.lower() in text for word in report["words"].values()), report


def test_every_reference_is_read_back_supported_and_true():
    for split in ("train", "dev", "test"):
        for report in generate_reports(200, 3, split, words=True):
            assert not unsupported(report["summary"], report["text"])
            assert is_true(report["summary"], report), report
            verdicts = judge(report["summary"], report)
            assert len(verdicts) == len([f for f in report["facts"] if not f.startswith("E0")])


def test_each_of_the_eight_patterns_is_read_slot_by_slot():
    for pattern in {frame.summary for frame in load_report_frames()}:
        report = next(r for r in generate_reports(120, 1, words=True) if stated(r["summary"]))
        assert stated(report["summary"])
        slots = {part.split("}")[0] for part in pattern.split("{")[1:]}
        found = [stated(r["summary"]) for r in generate_reports(120, 1) if set(stated(r["summary"])) == slots]
        assert found and all(all(values.values()) for values in found)


def test_a_number_that_the_report_has_in_another_role_is_supported_and_wrong():
    right, estimate = INCIDENT["words"]["minutes"], INCIDENT["words"]["est"]
    lie = INCIDENT["summary"].replace(f"for {right} minutes", f"for {estimate} minutes")
    assert lie != INCIDENT["summary"]
    assert not unsupported(lie, INCIDENT["text"])
    assert judge(lie, INCIDENT)["minutes"] is False and not is_true(lie, INCIDENT)
    assert rouge1(lie, INCIDENT["summary"]) > 0.85


def test_what_follows_no_pattern_states_nothing_and_is_not_true():
    for text in ("", "The app the app.", f"{INCIDENT['summary']} And more."):
        assert stated(text) is None and judge(text, INCIDENT) == {} and not is_true(text, INCIDENT)


def test_the_central_sentence_shares_most_with_the_others_and_lead_1_is_the_first():
    text = "It rained. The display of the Kite broke. Wout replaced the display of the Kite. Nobody was hurt."
    assert lead_1(text) == "It rained."
    assert central_sentence(text) in ("The display of the Kite broke.", "Wout replaced the display of the Kite.")


def test_the_cheap_baselines_are_serious_and_never_invent():
    for baseline, least in ((lead_1, 0.25), (central_sentence, 0.2)):
        found = scores([baseline(r["text"]) for r in TEST], TEST)
        assert found["rouge1"] >= least and found["supported"] == 1.0 and found["true"] == 0.0


def test_rouge_is_the_packages_and_rouge_1_is_ours():
    pytest.importorskip("rouge_score")
    for report in TEST[:40]:
        first = lead_1(report["text"])
        found = rouge(first, report["summary"])
        assert set(found) == {"rouge1", "rouge2", "rougeL"}
        assert found["rouge1"] == pytest.approx(rouge1(first, report["summary"]), abs=1e-12)
        assert found["rouge2"] <= found["rouge1"] + 1e-12


def test_unigram_f1_counts_words_as_often_as_both_have_them():
    assert unigram_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 * 2 / 6)
    assert unigram_f1([], ["a"]) == unigram_f1([], []) == unigram_f1(["a"], ["b"]) == 0.0


def test_means_and_intervals_are_over_frames():
    rows = [{"frame": "a"}] * 3 + [{"frame": "b"}]
    assert by_frame([1, 1, 1, 0], rows) == [1.0, 0.0]
    mean, (low, high) = with_interval([1, 1, 1, 0], rows)
    assert mean == 0.5 and (low, high) == (0.0, 1.0)


def test_counts_by_kind_are_of_what_was_stated():
    said = [r["summary"] for r in TEST]
    counts = right_by_kind(said, TEST)
    assert all(score.right == score.n for score in counts.values())
    assert sum(score.n for score in counts.values()) == sum(len(judge(r["summary"], r)) for r in TEST)
    assert sum(counts["minutes"].families.values()) < counts["minutes"].n, "several reports of one frame are one draw"
    shifted = right_by_kind(said, [*TEST[1:], TEST[0]])
    assert shifted["minutes"].share < 1 / 2
    assert np.isclose(scores(said, TEST)["true"], 1.0)
