"""The reports with summaries: enough frames, unseen ones in test, facts that the text bears out, a serious lead-1."""

from __future__ import annotations

import itertools
import re

import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.old.velunda import fill_report, generate_reports, load_report_frames, load_reports, reports
from helpers.old.velunda.reports import FOLDER, SPLITS
from helpers.retrieval.chunking import sentences
from tests.tools.reports import lines
from tests.tools.tickets import word_sequences

DATA = {split: load_reports(split) for split in SPLITS}
EVERY = [report for split in SPLITS for report in DATA[split]]
FRAMES = load_report_frames()
PAIRS = list(itertools.combinations(SPLITS, 2))


def own_words(split):
    """What the frames of a split say by themselves: the stretches between slots and choices, and the options."""
    return [part for frame in load_report_frames(split) for part in re.split(r"[{}|]", frame.text)]


def test_there_are_enough_reports_and_frames_of_both_kinds():
    assert len({frame.name for frame in FRAMES}) == len(FRAMES) >= 60
    assert len(DATA["test"]) >= 100 and len({r["frame"] for r in DATA["test"]}) >= 20
    for split in SPLITS:
        kinds = [frame.name[:2] for frame in load_report_frames(split)]
        assert min(kinds.count("ws"), kinds.count("in")) >= 5
        assert {r["frame"] for r in DATA[split]} == {frame.name for frame in load_report_frames(split)}


def test_the_data_card_counts_right():
    card = (FOLDER.parent.parent / "README.md").read_text(encoding="utf-8")
    counts = ", ".join(f"{split} {len(DATA[split])}" for split in ("dev", "test"))
    assert f"{len(EVERY)} workshop and incident reports" in card and f"from {len(FRAMES)} frames" in card
    assert f"train {len(DATA['train'])} (" in card and counts in card
    assert len({frame.summary for frame in FRAMES}) == 8 and "eight patterns" in " ".join(card.split())


@pytest.mark.parametrize("split", SPLITS)
def test_the_committed_file_is_what_the_frames_give(split):
    committed = (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8")
    assert committed == lines(split), "run `python -m tests.tools.reports`"


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_two_splits_share_no_frame_and_no_five_words_that_a_frame_says_in_a_row(pair):
    first, second = pair
    assert not {r["frame"] for r in DATA[first]} & {r["frame"] for r in DATA[second]}
    shared = word_sequences(own_words(first), 5) & word_sequences(own_words(second), 5)
    assert not shared, sorted(" ".join(words) for words in shared)


def test_owners_in_dev_and_test_are_unknown_in_train():
    owners = {
        split: {m for r in made for m in re.findall(r"\bM(?:r|s|rs)\. (\w+)", r["text"])}
        for split, made in {**DATA, "train": generate_reports(3000, seed=5)}.items()
    }
    assert min(map(len, owners.values())) >= 15
    assert not owners["train"] & (owners["dev"] | owners["test"])


def test_three_thousand_training_reports_differ_and_repeat_for_a_seed():
    made = generate_reports(3000, seed=0)
    assert len({r["text"] for r in made}) == 3000
    assert len({r["summary"] for r in made}) >= 2900
    assert {r["frame"] for r in made} == {frame.name for frame in load_report_frames("train")}
    assert made[:100] == generate_reports(3000, seed=0)[:100] != generate_reports(3000, seed=1)[:100]


def test_sentences_do_not_end_at_a_title():
    assert sentences("Mr. Haas came. 72 euros were paid. Mrs. Lang left.") == [
        "Mr. Haas came.",
        "72 euros were paid.",
        "Mrs. Lang left.",
    ]


def test_bad_requests_and_damaged_files_are_told_in_one_sentence(tmp_path, monkeypatch):
    for call in (load_reports, lambda split: generate_reports(1, 0, split)):
        with pytest.raises(ValueError, match="no split 'valid': choose one of train, dev, test"):
            call("valid")
    frame = FRAMES[0]
    with pytest.raises(ValueError, match="summary says minutes|neither a slot"):
        fill_report(type(frame)("ws99", "train", "A {bike}.", "After {minutes} minutes."), reports.random.Random(0))
    with pytest.raises(ValueError, match="ws98: the summary says hours, the text does not"):
        fill_report(type(frame)("ws98", "train", "A {bike}.", "{hours} hours."), reports.random.Random(0))
    monkeypatch.setattr(reports, "load_report_frames", lambda split: [type(frame)("ws97", "train", "A {b|c}.", "No.")])
    with pytest.raises(ValueError, match="gave 2 different texts, not 5"):
        generate_reports(5, 0)
    monkeypatch.undo()
    folder = tmp_path / "data" / "velunda" / "reports"
    folder.mkdir(parents=True)
    monkeypatch.setattr(reports, "FOLDER", folder)
    monkeypatch.setattr(safe_files, "ROOT", tmp_path)
    with pytest.raises(DataUnavailable, match="git checkout -- data/velunda/reports/test.jsonl"):
        load_reports("test")
    (folder / "test.jsonl").write_text('{"text": ', encoding="utf-8")
    with pytest.raises(DataUnavailable, match="line 1 is broken JSON .*: restore the file with `git checkout -- data"):
        load_reports("test")
    (folder / "frames.txt").write_text("== train\n\n# ws01\nA bike came.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no summary"):
        load_report_frames()
