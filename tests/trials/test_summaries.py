"""Judging summaries: baselines, ROUGE as published, what the source does not bear out, and each slot in its role."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.assistants import unsupported
from helpers.old.metrics import rouge1, unigram_f1
from helpers.old.trials.summaries import (
    is_true,
    judge,
    lead_1,
    right_by_kind,
    scores,
)
from helpers.old.velunda import generate_reports, load_report_frames, load_reports, stated
from helpers.old.velunda.reports import FACTS, WORDED

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
            facts = [slot for slot in verdicts if slot in FACTS]
            assert len(facts) == len([f for f in report["facts"] if not f.startswith("E0")])


def test_each_of_the_eight_patterns_is_read_slot_by_slot():
    for pattern in {frame.summary for frame in load_report_frames()}:
        report = next(r for r in generate_reports(120, 1, words=True) if stated(r["summary"]))
        assert stated(report["summary"])
        slots = stated_slots(pattern)
        found = [stated(r["summary"]) for r in generate_reports(120, 1) if set(stated(r["summary"])) == slots]
        assert found and all(all(values.values()) for values in found)


def test_a_number_that_the_report_has_in_another_role_is_supported_and_wrong():
    right, estimate = INCIDENT["words"]["minutes"], INCIDENT["words"]["est"]
    lie = INCIDENT["summary"].replace(f"for {right} minutes", f"for {estimate} minutes")
    assert lie != INCIDENT["summary"]
    assert not unsupported(lie, INCIDENT["text"])
    assert judge(lie, INCIDENT)["minutes"] is False and not is_true(lie, INCIDENT)
    assert rouge1(lie, INCIDENT["summary"]) > 0.85


def test_every_slot_of_every_pattern_is_compared():
    """Whatever a summary says in a slot, something else there is wrong: cause, part and group of people, too."""
    reports = generate_reports(200, 3, "train", words=True)
    for pattern in {frame.summary for frame in load_report_frames()}:
        named = stated_slots(pattern)
        report = next(r for r in reports if set(stated(r["summary"])) == named)
        for slot in named:
            value = report["words"][slot]
            others = [r["words"][slot] for r in reports if r["words"].get(slot, value) != value]
            lie = pattern.format(**{**report["words"], slot: others[0]})
            assert judge(lie, report) == {other: other != slot for other in named}, (slot, lie)
            assert not is_true(lie, report)
    assert {s for frame in load_report_frames() for s in stated_slots(frame.summary)} <= {*FACTS, *WORDED}


def stated_slots(pattern: str) -> set[str]:
    return {part.split("}")[0] for part in pattern.split("{")[1:]}


def test_words_of_no_list_are_read_and_wrong():
    report = TEST[0]  # "… the app …": what the system is called may hold several words, and so may its failure
    lies = {
        "reason": "Because of a flood, the app logged everybody out for 107 minutes and 680 riders were affected.",
        "system": "Because of a wrong clock, the web shop logged everybody out for 107 minutes and 680 riders were "
        "affected.",
        "failure": "Because of a wrong clock, the app ate the mail for 107 minutes and 680 riders were affected.",
        "who": "Because of a wrong clock, the app logged everybody out for 107 minutes and 680 horses were affected.",
    }
    for slot, lie in lies.items():
        assert not unsupported(lie, report["text"]) or slot == "system"
        assert [name for name, right in judge(lie, report).items() if not right] == [slot]
    true = lies["who"].replace("horses", "riders")
    assert is_true(true, report) and stated(true)["system"] == "app"


def test_what_the_report_does_not_say_is_wrong_even_where_it_may_be_so():
    report = next(r for r in TEST if "weekday" not in r["words"] and "person" in r["words"] and "cure" in r["words"])
    words = {"weekday": "Monday", **report["words"]}
    said = f"{words['person']} {words['cure']} after the {words['system']} had failed for {words['minutes']} minutes"
    assert judge(f"{said} on Monday.", report)["weekday"] is False


def test_what_follows_no_pattern_states_nothing_and_is_not_true():
    for text in ("", "The app the app.", f"{INCIDENT['summary']} And more."):
        assert stated(text) is None and judge(text, INCIDENT) == {} and not is_true(text, INCIDENT)


def test_the_first_sentence_is_a_serious_baseline_and_never_invents():
    assert lead_1("It rained. The display of the Kite broke.") == "It rained."
    found = scores([lead_1(r["text"]) for r in TEST], TEST)
    assert found["rouge1"] >= 0.25 and found["supported"] == 1.0 and found["true"] == 0.0


def test_unigram_f1_counts_words_as_often_as_both_have_them():
    assert unigram_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 * 2 / 6)
    assert unigram_f1([], ["a"]) == unigram_f1([], []) == unigram_f1(["a"], ["b"]) == 0.0


def test_counts_by_kind_are_of_what_was_stated():
    said = [r["summary"] for r in TEST]
    counts = right_by_kind(said, TEST)
    assert all(score.right == score.n for score in counts.values())
    assert sum(score.n for score in counts.values()) == sum(len(judge(r["summary"], r)) for r in TEST)
    assert sum(counts["minutes"].families.values()) < counts["minutes"].n, "several reports of one frame are one draw"
    shifted = right_by_kind(said, [*TEST[1:], TEST[0]])
    assert shifted["minutes"].share < 1 / 2
    assert np.isclose(scores(said, TEST)["true"], 1.0)


def test_a_trained_adapter_of_the_same_matrices_is_the_shipped_file(tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    from helpers.adapters import ADAPTERS, WEIGHTS, read_adapter
    from tests.benchmarks.sweep_summaries import keep_shipped

    shipped, folder = ADAPTERS / "summaries", tmp_path / "summaries"
    shutil.copytree(shipped, folder)
    tensors, marks = load_file(shipped / WEIGHTS), {"format": "pt", "base_sha256": read_adapter(shipped).checksum}
    save_file(tensors, folder / WEIGHTS, marks)  # the order of the marks is left to chance
    assert keep_shipped(folder) and (folder / WEIGHTS).read_bytes() == (shipped / WEIGHTS).read_bytes()
    assert not keep_shipped(folder, tmp_path / "none")
    first = min(tensors)
    for others, said in (tensors | {first: tensors[first] + 1}, marks), (tensors, marks | {"base_sha256": "0"}):
        save_file(others, folder / WEIGHTS, said)
        assert not keep_shipped(folder)
        assert (folder / WEIGHTS).read_bytes() != (shipped / WEIGHTS).read_bytes()


def test_every_recorded_summary_that_the_slots_deny_was_read_and_nothing_else():
    import json

    from helpers.files import RESULTS
    from helpers.old.trials.summaries import READ, read_summaries

    [run] = json.loads((RESULTS / "07b_summaries.json").read_text(encoding="utf-8"))["runs"]
    written = run["test"]["written"]
    recorded = {
        (report["text"], summary)
        for way in ("greedy", "published")
        for summary, report in zip(written[way], TEST, strict=True)
        if summary is not None and not (judge(summary, report) and all(judge(summary, report).values()))
    }
    assert recorded == {*read_summaries()}
    assert len(READ.read_text(encoding="utf-8").splitlines()) == len(recorded) == 69  # as the data card says


def test_a_verdict_has_a_reason_a_true_one_no_fault_and_goes_before_the_slots():
    from helpers.old.trials.summaries import read_summaries, was_read

    for (text, summary), read in read_summaries().items():
        report = next(r for r in TEST if r["text"] == text)
        assert was_read(summary, report) == read and is_true(summary, report) is read.true
        assert read.why and read.true == (read.fault is None)
        assert not (read.true and unsupported(summary, text))
        assert (read.fault == "invented") <= bool(unsupported(summary, text))
    true = [summary for (_, summary), read in read_summaries().items() if read.true]
    assert len(true) == 9 and sum(stated(summary) is None for summary in true) == 8
    assert sum(read.fault == "sense" for read in read_summaries().values()) == 12
    assert was_read(TEST[0]["summary"], TEST[0]) is None
