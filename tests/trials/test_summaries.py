"""Judging summaries: baselines, ROUGE as published, what the source does not bear out, and each slot in its role."""

from __future__ import annotations

import pytest

from helpers.old.assistants import unsupported
from helpers.old.metrics import unigram_f1
from helpers.old.trials.summaries import (
    is_true,
    judge,
    lead_1,
    scores,
)
from helpers.old.velunda import generate_reports, load_reports
from helpers.old.velunda.reports import FACTS

TEST = generate_reports(120, 0, "test", words=True)


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


def test_the_first_sentence_is_a_serious_baseline_and_never_invents():
    assert lead_1("It rained. The display of the Kite broke.") == "It rained."
    found = scores([lead_1(r["text"]) for r in TEST], TEST)
    assert found["rouge1"] >= 0.25 and found["supported"] == 1.0 and found["true"] == 0.0


def test_unigram_f1_counts_words_as_often_as_both_have_them():
    assert unigram_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 * 2 / 6)
    assert unigram_f1([], ["a"]) == unigram_f1([], []) == unigram_f1(["a"], ["b"]) == 0.0


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
