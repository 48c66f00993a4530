"""What the trials with the untaught chat model gave: its choices were made on dev, and what was found stays found."""

from __future__ import annotations

import json

import numpy as np

from helpers.old.trials.answers import POOL, K, handbook_chunks, judge, witnesses
from helpers.old.trials.answers_recorded import (
    MINIMA,
    WAYS,
    chosen_minimum,
    find,
    judged,
    pools,
    recorded,
    separation,
)
from helpers.old.trials.question_pairs import at, load_pairs, pair_cosines
from helpers.old.trials.readers import agreement, beside, between_readers, first_rule, load_read_verdicts
from helpers.retrieval.citations import MINIMUM
from helpers.stats import wilson
from helpers.velunda import load_questions
from tests.benchmarks import sweep_rag_quality


def test_the_record_holds_every_case_of_the_sweep_and_every_question():
    assert [run["case"] for run in recorded()["runs"]] == json.loads(json.dumps(sweep_rag_quality.CASES))
    for split in ("dev", "test"):
        questions = load_questions(split)
        assert all(len(judged(split)[way]) == len(questions) for way in WAYS)
        assert len(pools(split)) == sum(question.answerable for question in questions)
        assert all(len(pool.scores) == len(pool.shows) == POOL for pool in pools(split))


def test_the_number_of_passages_was_chosen_on_dev():
    questions, right = load_questions("dev"), {}
    places = {(chunk.document, chunk.start, chunk.end): chunk for chunk in handbook_chunks()}
    for k in (K, *sweep_rag_quality.DEPTHS):
        rows = find("answers", split="dev", k=k, every=1 if k == K else 3)["trials"]
        rows = rows[::3] if k == K else rows
        verdicts = [
            judge(
                row["text"],
                question,
                witnesses(question, [places[tuple(at)] for at in row["found"]], places.values()),
                MINIMUM,
            )
            for question, row in zip(questions[::3], rows, strict=True)
        ]
        right[k] = sum(verdict.right for verdict in verdicts)
    assert max(right, key=lambda k: (right[k], -k)) == K


def test_the_minimum_of_support_was_chosen_on_dev():
    minimum, of_read, of_closed = separation("dev")
    assert minimum == chosen_minimum() and MINIMA[0] < minimum < MINIMA[-1]
    assert of_read > 0.8 and of_closed < 0.2
    assert separation("dev", plain=True)[0] == MINIMUM, "the default where the question is not known"


def test_the_mended_rule_agrees_with_a_reader_on_fresh_answers():
    before, after = (agreement(read) for read in ("before", "after"))
    for name in ("right", "made up"):
        assert 0.55 < after[name].kappa < 0.9 and abs(after[name].reader - after[name].other) <= 3
        assert after[name].same <= before[name].same, "on what it was mended by, it does better"
    assert (after["made up"].other, after["made up"].reader) == (30, 28)
    for read in ("before", "after"):
        first = agreement(read, first_rule)["made up"]
        assert first.kappa < 0.3 and first.other - first.reader >= 15, "it called whatever has a number made up"
    for reader, misled in (("first", 4), ("second", 6)):  # a quotation that answers another question
        found = [each for v, each in beside(load_read_verdicts(reader=reader)) if v.way == "quoted" and v.made_up]
        assert len(found) == misled and not any(each.verdict.hallucinated for each in found), "the rule sees none"


def test_two_readers_agree_far_more_than_the_rule_does_with_either():
    readers = between_readers("after")["made up"]
    assert readers.kappa > 0.9
    for reader in ("first", "second"):
        rule = agreement("after", reader=reader)["made up"]
        assert 0.5 < rule.kappa < 0.65 and wilson(rule.same, rule.n)[1] < wilson(readers.same, readers.n)[0]


def test_near_misses_are_nearer_than_paraphrases_at_every_threshold():
    from helpers.models import embedder

    encoder = embedder()
    for split in ("dev", "test"):
        pairs = load_pairs(split)
        cosines, same = pair_cosines(pairs, encoder), [pair.same for pair in pairs]
        for threshold in np.linspace(0.6, 0.98, 39):
            hits = at(threshold, cosines, same)
            assert hits.wrong > hits.served
