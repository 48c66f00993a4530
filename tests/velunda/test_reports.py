"""The reports with summaries: enough frames, unseen ones in test, facts that the text bears out, a serious lead-1."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.old.metrics import rouge1
from helpers.old.trials.summaries import is_true
from helpers.old.velunda import fill_report, generate_reports, load_report_frames, load_reports, reports
from helpers.old.velunda.reports import FOLDER, MORE, SPLITS
from helpers.retrieval.chunking import sentences
from helpers.velunda import canon
from tests.tools.reports import lines
from tests.tools.tickets import word_sequences

DATA = {split: load_reports(split) for split in SPLITS}
EVERY = [report for split in SPLITS for report in DATA[split]]
FRAMES = load_report_frames()
PAIRS = list(itertools.combinations(SPLITS, 2))


def facts_kept(text, facts):
    """The share of names and numbers that stand in the text, as whole words."""
    return np.mean([bool(re.search(rf"(?<!\w){re.escape(fact)}(?!\w)", text)) for fact in facts])


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


def test_the_further_training_frames_follow_the_same_patterns_and_share_no_five_words_with_dev_and_test():
    more = load_report_frames(MORE)
    assert len(more) >= 100 and {frame.summary for frame in more} == {frame.summary for frame in FRAMES}
    assert not {frame.name for frame in more} & {frame.name for frame in FRAMES}
    judged = word_sequences([*own_words("dev"), *own_words("test")], 5)
    assert not word_sequences(own_words(MORE), 5) & judged
    for frame in more:
        made = [fill_report(frame, random.Random(seed)) for seed in range(6)]
        assert len({report["text"] for report in made}) == 6, frame.name
        assert all(is_true(report["summary"], report) for report in made), frame.name


def test_owners_in_dev_and_test_are_unknown_in_train():
    owners = {
        split: {m for r in made for m in re.findall(r"\bM(?:r|s|rs)\. (\w+)", r["text"])}
        for split, made in {**DATA, "train": generate_reports(3000, seed=5)}.items()
    }
    assert min(map(len, owners.values())) >= 15
    assert not owners["train"] & (owners["dev"] | owners["test"])


@pytest.mark.parametrize("split", SPLITS)
def test_reports_have_five_to_eight_sentences_and_bear_out_their_one_sentence_summaries(split):
    for report in DATA[split]:
        text, summary, facts = report["text"], report["summary"], report["facts"]
        assert 5 <= len(sentences(text)) <= 8 and len(sentences(summary)) == 1, report
        assert facts and facts_kept(text, facts) == facts_kept(summary, facts) == 1, report
        numbers = re.findall(r"\bE?\d+\b", summary)
        assert numbers == [n for n in numbers if n in facts], report
        assert not re.search(r"[{}⟦⟧|]|\s\s|\ba [Oo]tter", text + summary), report


def test_every_report_holds_numbers_that_its_summary_must_not_give():
    tempting = [set(re.findall(r"\d+", r["text"])) - set(re.findall(r"\d+", r["summary"])) for r in EVERY]
    assert np.mean([bool(numbers) for numbers in tempting]) >= 0.8


def test_the_first_sentence_is_a_serious_summary_but_misses_most_facts():
    lead = [(sentences(r["text"])[0], r) for r in DATA["test"]]
    score = np.mean([rouge1(first, r["summary"]) for first, r in lead])
    facts = np.mean([facts_kept(first, r["facts"]) for first, r in lead])
    assert 0.25 <= score <= 0.6
    assert facts <= 0.5


def test_the_canon_knows_prices_people_and_places_of_the_workshop_reports():
    prices = {part["name"]: part["price_eur"] for part in canon()["parts"]}
    mechanics = {name: shop["city"] for shop in canon()["shops"] for name in shop["mechanics"]}
    people = {person["name"] for person in canon()["people"]}
    pieces = reports._pieces()
    assert {fault["part"] for fault in pieces["faults"]} <= set(prices)
    assert set(pieces["people"]) <= people
    for report in EVERY:
        if found := re.fullmatch(
            r"In (\w+), (.+?) replaced the (.+) of .+ in (\d) hours for (\d+) euros\.", report["summary"]
        ):
            shop, mechanic, part, hours, cost = found.groups()
            assert mechanics[mechanic] == shop
            assert int(cost) == 72 * int(hours) + prices[part]
    assert any("72 euros" in term["rule"] for term in canon()["terms"] if term["id"] == "repair-hour")


def test_three_thousand_training_reports_differ_and_repeat_for_a_seed():
    made = generate_reports(3000, seed=0)
    assert len({r["text"] for r in made}) == 3000
    assert len({r["summary"] for r in made}) >= 2900
    assert {r["frame"] for r in made} == {frame.name for frame in load_report_frames("train")}
    assert made[:100] == generate_reports(3000, seed=0)[:100] != generate_reports(3000, seed=1)[:100]


@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("The cat, 12!", "a dog", 0.0),
        ("", "a dog", 0.0),
        ("the the the cat", "the cat", 2 * 2 / (4 + 2)),
        ("Mr. Fuchs's Kite", "the Kite of Mr. Fuchs", 2 * 3 / (4 + 5)),
    ],
)
def test_rouge1_counts_shared_words(text, reference, score):
    assert rouge1(text, reference) == pytest.approx(score)


def test_rouge1_equals_the_published_package():
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1"], use_stemmer=False)
    for report in DATA["test"]:
        first = sentences(report["text"])[0]
        published = scorer.score(report["summary"], first)["rouge1"].fmeasure
        assert rouge1(first, report["summary"]) == pytest.approx(published, abs=1e-12)


def test_a_wrong_number_costs_a_fact_and_hardly_any_rouge():
    report = DATA["test"][0]
    fact = next(f for f in report["facts"] if f.isdigit())
    lie = re.sub(rf"\b{fact}\b", "999", report["summary"])
    assert facts_kept(lie, report["facts"]) < 1 and rouge1(lie, report["summary"]) > 0.85
    assert facts_kept(f"it took 1{fact} hours, not a{fact}", [fact]) == 0


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
