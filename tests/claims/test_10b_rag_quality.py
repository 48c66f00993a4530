"""What 10b_rag_quality may say of the assistant's parts, promises and failures, held against what was recorded."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from helpers.metrics import calibrate_threshold, risk_bound, risk_coverage
from helpers.retrieval.rewriting import REPHRASE
from helpers.stats import PairedDifference, paired_bootstrap
from helpers.trials.answers_recorded import find, rewritten
from helpers.trials.handbook_answers import RECORD, answered, confidences
from helpers.trials.searches import search_scores
from helpers.velunda import load_everyday, load_handbook, load_questions

MAX_RISK = 0.4


def answerable(split: str, stratum: str) -> list[dict]:
    return [row for row in answered(split, stratum) if row["answerable"]]


def gain(split: str, stratum: str, better: str, before: str) -> PairedDifference:
    rows = answerable(split, stratum)
    values = [{**row, **row["shows"]} for row in rows]
    return paired_bootstrap(*([row[name] for row in values] for name in (better, before)))


def everyday_recorded() -> tuple[np.ndarray, np.ndarray]:
    """Scores and verdicts of all everyday questions, dev first."""
    both = [confidences(answered(split, "everyday")) for split in ("dev", "test")]
    return tuple(np.array([*dev, *test]) for dev, test in zip(*both, strict=True))


def promise_kept(max_risk: float, confidence: float | None, n_splits: int = 200) -> tuple[int, int, float]:
    """In how many new splits a promise is kept on the half that did not choose, in how many nothing is answered there,
    and which share of the questions gets an answer on average."""
    (sure, right), rng = everyday_recorded(), np.random.default_rng(0)
    kept, never, answers = 0, 0, 0
    for _ in range(n_splits):
        order = rng.permutation(len(sure))
        one, other = order[::2], order[1::2]
        limit = calibrate_threshold(sure[one], right[one], max_risk, confidence)
        given = right[other][sure[other] >= limit]
        kept += not len(given) or (~given).mean() <= max_risk
        never, answers = never + (not len(given)), answers + len(given) / len(other)
    return kept, never, answers / n_splits


def test_the_gold_sets_are_as_large_as_it_is_said():
    for split in ("dev", "test"):
        assert (len(load_everyday(split)), len(load_questions(split))) == (75, 90)
        kinds = Counter(question.kind for question in load_questions(split) if question.answerable)
        assert min(kinds.values()) >= 10 and max(kinds.values()) <= 17


def test_half_of_the_handbook_answers_the_everyday_questions():
    needed = {span.document for question in load_everyday() for span in question.spans}
    assert (len(needed), len(load_handbook())) == (38, 76)


def test_the_fused_search_stays_within_its_own_intervals_whatever_the_chunks_size():
    found = {size: search_scores("dev", size=size)["hybrid"] for size in (64, 96, 128, 200, 256)}
    for scores in found.values():
        low, high = scores.interval("ndcg@10")
        assert all(low < other.mean("ndcg@10") < high for other in found.values())


def test_reading_again_gains_on_hard_questions_and_is_not_shown_to_on_everyday_ones():
    assert gain("test", "hard", "cross-encoder", "filter").low > 0
    everyday = gain("test", "everyday", "cross-encoder", "filter")
    assert everyday.difference < 0 < everyday.high
    assert gain("dev", "everyday", "cross-encoder", "filter").difference > 0


def test_two_sentences_around_the_quote_gain_on_the_hard_set_and_lose_nowhere():
    assert gain("test", "hard", "right", "alone").low > 0
    assert gain("test", "everyday", "right", "alone").low >= 0


def test_the_reader_is_not_shown_to_be_better_or_worse_than_the_quote():
    written = RECORD.find("reader", split="test", stratum="everyday")["rows"]
    pairs = [(row["right"], own["right"]) for row, own in zip(written, answered("test", "everyday"), strict=True)
             if own["answerable"]]  # fmt: skip
    found = paired_bootstrap(*zip(*pairs, strict=True))
    assert found.low <= 0 <= found.high


def test_the_filter_wins_and_loses_a_few():
    rows = [row for split in ("dev", "test") for row in answered(split) if row["answerable"]]
    won = sum(row["shows"]["filter"] > row["shows"]["search"] for row in rows)
    lost = sum(row["shows"]["filter"] < row["shows"]["search"] for row in rows)
    assert 0 < won < 8 and 0 < lost < 8 and abs(won - lost) <= 2


def test_a_made_up_answer_or_another_wording_made_the_ranking_worse():
    asked = rewritten("test")["as asked"]
    for way in ("made-up answer", "rephrased"):
        assert paired_bootstrap(rewritten("test")[way], asked).high < 0
    assert find("rewriting")["written"][REPHRASE]


def test_the_surest_third_is_wrong_less_often_and_far_from_never():
    for stratum in ("everyday", "hard"):
        curve = risk_coverage(*confidences(answered("test", stratum)))
        third = curve.risk[np.searchsorted(curve.coverage, 1 / 3)]
        assert 0.2 < third < curve.risk[-1] - 0.1
        assert (curve.risk[curve.coverage > 0.1] > 0.2).all()


def test_a_promise_chosen_by_the_share_is_kept_in_fewer_than_half_of_the_splits():
    kept, never, answers = promise_kept(MAX_RISK, None)
    by_bound, refused, fewer = promise_kept(MAX_RISK, 0.9)
    assert kept < 100 and never == 0
    assert 1.5 * kept < by_bound < 180, "far more often, and not nine times of ten"
    assert refused > 40 and fewer < answers / 2


def test_the_promise_that_dev_chose_is_not_kept_on_test():
    limit = calibrate_threshold(*confidences(answered("dev", "everyday")), MAX_RISK, 0.9)
    given = [row["right"] for row in answered("test", "everyday") if row["score"] >= limit]
    assert 0.45 < given.count(False) / len(given) < 0.55
    assert calibrate_threshold(*confidences(answered("dev", "hard")), MAX_RISK, 0.9) == math.inf


def test_dev_and_test_are_further_apart_than_luck_often_brings():
    right = {split: [row["right"] for row in answerable(split, "everyday")] for split in ("dev", "test")}
    gap = np.mean(right["dev"]) - np.mean(right["test"])
    both, rng, n = np.array(right["dev"] + right["test"]), np.random.default_rng(1), len(right["dev"])
    halves = [rng.permutation(both) for _ in range(4000)]
    assert np.mean([abs(half[:n].mean() - half[n:].mean()) >= gap - 1e-9 for half in halves]) < 0.07


def test_one_question_in_six_is_answered_and_three_in_four_of_these_answers_are_right():
    sure, right = everyday_recorded()
    limit = calibrate_threshold(sure, right, MAX_RISK, 0.9)
    given = right[sure >= limit]
    assert 1 / 7 < len(given) / len(sure) < 1 / 5 and 0.7 < given.mean() < 0.8
    assert risk_bound((~given).sum(), len(given)) <= MAX_RISK
    assert 0.5 < (~right).mean(), "without a threshold, more answers are wrong than right"
