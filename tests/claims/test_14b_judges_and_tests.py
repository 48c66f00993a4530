"""What 14b_judges_and_tests and README.md say of raters, judges and tests, held against record, page and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from helpers.evaluation import (
    agreement,
    between_raters,
    compare_judges,
    load_pairs,
    load_ratings,
    majority,
    prefers_longer,
    prefers_own,
    signed,
)
from helpers.stats import SequentialTest, e_value, e_value_limit, mcnemar, sample_size
from helpers.trials import judges_recorded, written_answers
from helpers.trials.handbook_answers import answered, reader_rows
from tests.tools.notebook import ROOT, course, output_texts

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
WANTED = majority(load_ratings(), "overall")
TEST = load_pairs("test")


@pytest.fixture(scope="module")
def page():
    return course().page("14b_judges_and_tests")


@pytest.fixture(scope="module")
def prose(page):
    return " ".join(page.prose.split())


@pytest.fixture(scope="module")
def printed(page):
    return {cell.id: "".join(output_texts(cell)) for cell in page.code}


# Graders and raters --------------------------------------------------------------------------------------------------


def test_there_are_as_many_slips_and_all_are_wrong(prose):
    answers = {(p.question_id, a.system): a for p in load_pairs() for a in (p.a, p.b)}
    slips = [answer for answer in answers.values() if answer.system == "slip"]
    assert f"holds {len(slips)} answers called *slips*" in prose and not any(slip.right for slip in slips)


def test_the_raters_are_runs_of_one_model_and_nobody_else_rated(prose):
    card = " ".join((ROOT / "data/judgments/README.md").read_text(encoding="utf-8").split())
    assert "three independent runs of one language model" in card and "No person rated anything" in card
    assert "three are independent runs of one language model. No person rated anything" in prose
    assert len(load_pairs()) == 150 and "150 pairs" in prose


def test_the_twelve_pairs_are_four_of_each_kind_about_twelve_questions(printed):
    by_id = {pair.id: pair for pair in load_pairs()}
    shown = [by_id[name] for name in dict.fromkeys(re.findall(r"\bp\d{3}\b", printed["twelve"]))]
    assert len(shown) == 12 == len({pair.question_id for pair in shown}) and set(shown) <= set(TEST)
    assert sorted(p.a.right + p.b.right for p in shown) == [0] * 4 + [1] * 4 + [2] * 4


def test_two_raters_who_do_not_read_agree_on_82_percent():
    assert 0.9**2 + 0.1**2 == pytest.approx(0.82)


# Judges --------------------------------------------------------------------------------------------------------------


def test_the_judge_names_the_same_letter_in_every_pair():
    for split in ("dev", "test"):
        judged = judges_recorded.label_judged(split)
        assert all(each.flips and each.position > 0 for each in judged)
        assert max(abs(each.margin) for each in judged) < min(each.position for each in judged)
    n = len(judges_recorded.label_judged("test"))
    assert f"names the same letter in {n} of {n} pairs" in README


def test_the_margin_follows_length_and_the_raters_do_not(prose):
    margins = {
        **judges_recorded.preferences("dev")["label judge"],
        **judges_recorded.preferences("test")["label judge"],
    }
    pairs = load_pairs()
    found = agreement(margins, WANTED, pairs)
    assert found.low < 0.5 < found.high and "not distinguishable from guessing" in prose
    longer, raters = prefers_longer(margins, pairs), prefers_longer(signed(WANTED), pairs)
    assert longer.low > 0.5 > raters.share and round(4 * longer.share) == 3 and "three pairs of four" in prose
    own = prefers_own(margins, pairs)
    assert own.low < 0.5 < own.high and own.n < 40


def test_the_trained_judge_beats_the_model_and_is_beaten_by_a_rule_that_reads_nothing(prose):
    prefers = judges_recorded.preferences("test")
    trained = prefers["trained on measures"]
    assert compare_judges(trained, prefers["label judge"], WANTED, TEST).low > 0
    overlap = compare_judges(trained, prefers["overlap"], WANTED, TEST)
    assert overlap.low < 0 < overlap.high and "a gain over the plain share of words is not shown" in prose
    assert compare_judges(prefers["system"], trained, WANTED, TEST).low > 0
    scores, rater = judges_recorded.scores("test"), between_raters(load_ratings(), TEST)["rater 2"]
    assert scores["system"].share > 0.9 and rater.share - scores["system"].share < 0.05


def test_on_systems_that_it_has_not_seen_the_trained_judge_loses_about_ten_points(prose):
    run = judges_recorded.find("unseen systems", features="measures")
    decided = [pair for pair in load_pairs("dev") if WANTED[pair.id] != "tie"]
    loss = compare_judges(run["without"], run["as few"], WANTED, decided)
    assert loss.high < 0 and round(100 * loss.share) == -10 and "loses about ten points" in prose
    left = agreement(run["without"], WANTED, decided)
    assert left.low < 0.5 < left.high


def test_cross_validation_prefers_the_measures_to_the_vectors():
    losses = {
        features: min(judges_recorded.find("trained", features=features)["losses"].values())
        for features in ("measures", "vectors")
    }
    assert losses["measures"] < losses["vectors"]


# Tests ---------------------------------------------------------------------------------------------------------------


def test_questions_needed_are_those_of_the_text(printed):
    assert str(sample_size(0.70, 0.73)) in printed["planned"]
    for discordance in (0.05, 0.10, 0.15, 0.30):
        assert f"exact {sample_size(0.70, 0.73, discordance=discordance):5}" in printed["planned"]


def test_peeking_finds_a_winner_in_about_a_third_of_equal_pairs_and_e_values_in_under_5_percent(page, prose):
    [cell] = [cell for cell in page.code if cell.id == "peeking-figure"]
    titles = " ".join(str(output.metadata) for output in cell.outputs if output.output_type == "display_data")
    peeked, safe = map(float, re.search(r"(\d+)% false alarms with p-values, ([\d.]+)%", titles).groups())
    assert 28 <= peeked <= 38 and "About a third of all experiments" in prose and safe < 5
    assert f"in {peeked:.0f} % of experiments" in README and f"an e-value in {safe} %" in README


def test_the_budget_of_looking_at_the_planned_gain_is_about_twice_the_users(printed):
    planned, eighty = map(
        int, re.search(r"gain 3 points: one look needs (\d+) .*?e-values: (\d+)", printed["price"]).groups()
    )
    assert planned == sample_size(0.70, 0.73, discordance=0.15) and 1.7 < eighty / planned < 2.3


def test_one_experiment_stops_and_the_other_does_not_although_its_p_value_is_small(printed):
    quoted = np.array([row["right"] for row in answered("test", "everyday") if row["answerable"]])
    written = np.array(written_answers.right("test", passages=3))
    order = np.random.default_rng(0).permutation(len(quoted))
    test = SequentialTest()
    test.update(quoted[order], written[order])
    assert test.stopped_at and test.stopped_at < len(quoted) / 2
    assert f'"stopped at": {test.stopped_at}' in printed["record"]
    a = np.array([row["right"] for stratum in ("everyday", "hard") for row in answered("test", stratum)])
    b = np.array([row["right"] for stratum in ("everyday", "hard") for row in reader_rows("test", stratum)])
    order, other = np.random.default_rng(0).permutation(len(a)), SequentialTest()
    other.update(a[order], b[order])
    assert not other.rejected and mcnemar(a, b).p_value < 0.05 and len(a) == 165
    assert e_value(other.only_a, other.only_b) == pytest.approx(other.e_value)


def test_whether_the_second_experiment_stops_hangs_on_the_order(prose):
    a = np.array([row["right"] for stratum in ("everyday", "hard") for row in answered("test", stratum)])
    b = np.array([row["right"] for stratum in ("everyday", "hard") for row in reader_rows("test", stratum)])
    orders = [np.random.default_rng(seed).permutation(len(a)) for seed in range(20)]
    stopped = sum(SequentialTest().update(a[order], b[order]) for order in orders)
    assert (
        f"of 20 orders of these questions (seeds 0 to 19), the e-value reaches 20 at some point in {stopped}" in prose
    )


def test_two_settings_have_a_small_p_value_and_one_survives(printed):
    rows = re.findall(r"p ([\d.]+), after Holm ([\d.]+)", printed["holm"])
    assert len(rows) == 5
    assert [sum(float(p) <= 0.05 for p in column) for column in zip(*rows, strict=True)] == [2, 1]
    assert round(100 * (1 - 0.95**5)) == 23


def test_most_disagreements_are_on_hard_questions_and_no_system_can_win_an_unanswerable_one(prose):
    strata = ("everyday", "hard")
    rows = {name: (answered("test", name), reader_rows("test", name)) for name in strata}
    unanswerable = [(a, b) for name in strata for a, b in zip(*rows[name], strict=True) if not a["answerable"]]
    assert not any(a["right"] or b["right"] for a, b in unanswerable)
    assert f"({len(unanswerable)} of the 165 test questions)" in prose
    only = {
        name: [sum(x["right"] > y["right"] for x, y in zip(*order, strict=True)) for order in (pair, pair[::-1])]
        for name, pair in rows.items()
    }
    a, b = only["hard"]
    total = sum(map(sum, only.values()))
    assert f"Of the {total} disagreements, {a + b} are on hard questions ({a} to {b} for quoting)" in prose


def test_with_both_experiments_corrected_the_first_stops_two_questions_later(prose):
    quoted = np.array([row["right"] for row in answered("test", "everyday") if row["answerable"]])
    written = np.array(written_answers.right("test", passages=3))
    order = np.random.default_rng(0).permutation(len(quoted))
    stops = []
    for alpha in (0.05, 0.025):
        test = SequentialTest(alpha=alpha)
        test.update(quoted[order], written[order])
        stops.append(test.stopped_at)
    assert f"stops at question {stops[1]} instead of {stops[0]}" in prose


def test_the_budget_of_looking_is_larger_and_the_mean_stop_is_not(prose):
    for gain, text in (
        (0.03, "{} users with one look and {} with e-values, 1.9 times"),
        (0.08, "{} and {}, 1.5 times"),
    ):
        luck = np.random.default_rng(5).random((2000, 3000), dtype=np.float32)
        only_a = np.cumsum(luck < (0.15 + gain) / 2, axis=1, dtype=np.int32)
        only_b = np.cumsum(luck > 1 - (0.15 - gain) / 2, axis=1, dtype=np.int32)
        stopped = np.minimum(only_a, only_b) <= e_value_limit(np.arange(3001))[only_a + only_b]
        share = np.logical_or.accumulate(stopped, axis=1).mean(axis=0)
        planned, eighty = sample_size(0.70, 0.70 + gain, discordance=0.15), int(np.argmax(share >= 0.8)) + 1
        assert text.format(f"{planned:,}", f"{eighty:,}") in prose
        mean = 1 + float((1 - share[:-1]).sum())
        assert f"{mean:,.0f}" in prose and 0.9 < mean / planned < 1.15


def test_the_cross_encoder_is_below_guessing_and_containment_is_level_with_the_trained_judge(prose):
    scores = judges_recorded.scores("test")
    assert scores["cross-encoder"].high < 0.5 and f"({scores['cross-encoder'].share:.2f}, and its whole" in prose
    shares = {f"{scores[name].share:.2f}" for name in ("containment", "trained on measures")}
    assert len(shares) == 1 and f"agrees in {shares.pop()} of these pairs" in prose


def test_the_raters_put_the_reader_above_quoting(printed, prose):
    strengths = dict(re.findall(r"^(reader|quoted)\s+(\S+) \(", printed["leaderboard"], re.MULTILINE))
    assert f"the reader ({strengths['reader']}) above quoting ({strengths['quoted'].replace('-', '−')})" in prose
