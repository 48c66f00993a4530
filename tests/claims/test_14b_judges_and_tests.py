"""What 14b_judges_and_tests and README.md say of raters, judges and tests, held against record, page and outputs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.evaluation import (
    agreement,
    between_raters,
    compare_judges,
    load_pairs,
    load_ratings,
    majority,
    prefers_longer,
    prefers_own,
)
from helpers.stats import SequentialTest, cohen_kappa, sample_size
from helpers.trials import judges_recorded
from helpers.trials.handbook_answers import answered, compared, questions_of, says_answer
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
PAIRS, TEST = load_pairs(), load_pairs("test")
WANTED = majority(load_ratings(), "overall")
ANSWERS = {(pair.question_id, answer.system): answer for pair in PAIRS for answer in (pair.a, pair.b)}


def graded(split):
    """Right, quoted and read, by the one rule: two arrays of booleans."""
    return np.array([(says_answer(q, quoted), says_answer(q, read)) for q, quoted, read in compared(split)]).T


# Graders and raters --------------------------------------------------------------------------------------------------


def test_there_are_as_many_slips_and_all_are_wrong(prose):
    slips = [answer for answer in ANSWERS.values() if answer.system == "slip"]
    assert f"holds {len(slips)} answers called *slips*" in prose and not any(slip.right for slip in slips)


def test_the_raters_are_runs_of_one_model_and_nobody_else_rated(prose):
    card = " ".join((ROOT / "data/judgments/README.md").read_text(encoding="utf-8").split())
    assert "three independent runs of one language model" in card and "No person rated anything" in card
    assert "three are independent runs of one language model. No person rated anything" in prose
    assert f"{len(PAIRS)} pairs" in prose
    one, other = ([each.overall for each in load_ratings(name)] for name in ("rater 1", "rater 2"))
    assert f"raters 1 and 2 reach a kappa of {cohen_kappa(one, other):.2f} on all 150 pairs" in prose


def test_the_twelve_pairs_are_four_of_each_kind_about_twelve_questions(printed):
    by_id = {pair.id: pair for pair in PAIRS}
    shown = [by_id[name] for name in dict.fromkeys(re.findall(r"\bp\d{3}\b", printed["twelve"]))]
    assert len(shown) == 12 == len({pair.question_id for pair in shown}) and set(shown) <= set(TEST)
    assert sorted(p.a.right + p.b.right for p in shown) == [0] * 4 + [1] * 4 + [2] * 4


def test_the_first_guess_is_not_given_away_before_it_is_made(page):
    ids = [cell.id for cell in page.nb.cells]
    before = "\n".join(cell.source for cell in page.nb.cells[: ids.index("guess-grader")]).lower()
    assert "incorrect" not in before and "100 %" not in before and "fail" not in before


# Judges --------------------------------------------------------------------------------------------------------------


def test_the_judge_names_the_same_letter_in_every_pair(prose):
    for split in ("dev", "test"):
        judged = judges_recorded.label_judged(split)
        assert all(each.flips and each.position > 0 for each in judged)
        assert max(abs(each.margin) for each in judged) < min(each.position for each in judged)
    assert f"recorded* for the {len(judged)} pairs of the test half" in prose


def test_the_live_judge_puts_the_place_above_the_answers(printed):
    margin, position = map(float, re.search(r"margin (\S+), position bias (\S+)", printed["both-orders"]).groups())
    assert position > 2 * abs(margin)


def test_the_biases_on_the_page_are_those_of_the_helpers(printed, prose):
    margins = {each.pair: each.margin for split in ("dev", "test") for each in judges_recorded.label_judged(split)}
    found, longer, own = agreement(margins, WANTED, PAIRS), prefers_longer(margins, PAIRS), prefers_own(margins, PAIRS)
    assert all(str(each) in printed["biases"] for each in (found, longer, own))
    assert found.low < 0.5 < found.high and "not distinguishable from guessing" in prose
    assert longer.low > 0.5 and round(4 * longer.share) == 3 and "three pairs of four" in prose
    assert own.low < 0.5 < own.high and own.n < 40


def test_a_rule_that_reads_nothing_is_nearly_as_good_as_a_rater_and_beats_the_trained_judge(page):
    [cell] = [cell for cell in page.code if cell.id == "judges-figure"]
    said = " ".join(str(output.metadata) for output in cell.outputs if output.output_type == "display_data")
    writer, rater = (
        float(re.search(rf"{name}[^\d]*([\d.]+) \(", said)[1])
        for name in ("knows only who wrote it", "rater 2 against raters 1 and 3")
    )
    assert writer > 0.9 and rater - writer < 0.05
    ceilings = between_raters(load_ratings(), TEST)
    assert min(ceilings, key=lambda name: ceilings[name].share) == "rater 2"


def test_on_systems_that_it_has_not_seen_the_trained_judge_loses_about_ten_points(prose):
    run = judges_recorded.find("unseen systems", features="measures")
    decided = [pair for pair in load_pairs("dev") if WANTED[pair.id] != "tie"]
    loss = compare_judges(run["without"], run["as few"], WANTED, decided)
    assert loss.high < 0 and round(100 * loss.share) == -10 and "loses about ten points" in prose
    left = agreement(run["without"], WANTED, decided)
    assert left.low < 0.5 < left.high


def test_another_draw_of_the_control_moves_it_by_a_few_points(prose):
    """Logistic regressions on four measures, as recorded, on four other draws of equally few pairs."""
    record = judges_recorded.find("measures")
    used = [record["names"].index(name) for name in ("longer", "overlap", "no new numbers", "cross-encoder")]
    dev = [pair for pair in load_pairs("dev") if WANTED[pair.id] != "tie"]
    rows = [[record["rows"][f"{p.question_id} {x.system}"] for x in (p.a, p.b)] for p in dev]
    X = np.array([np.subtract(*row)[used] for row in rows])
    y = np.array([WANTED[pair.id] == "a" for pair in dev])
    shares = []
    for seed in range(1, 5):
        rng, prefers = np.random.default_rng(seed), {}
        for i, pair in enumerate(dev):
            systems = {pair.a.system, pair.b.system}
            others = [j for j, p in enumerate(dev) if p.question_id != pair.question_id]
            n = sum(not systems & {dev[j].a.system, dev[j].b.system} for j in others)
            few = rng.choice(others, n, replace=False)
            scale = np.sqrt((X[few] ** 2).mean(axis=0)) + 1e-12
            fitted = LogisticRegression(fit_intercept=False, C=0.2).fit(X[few] / scale, y[few])
            prefers[pair.id] = float(fitted.decision_function([X[i] / scale])[0])
        shares.append(agreement(prefers, WANTED, dev).share)
    assert 0.02 < max(shares) - min(shares) < 0.15 and "another draw moves this by a few points" in prose


# Pass rates ----------------------------------------------------------------------------------------------------------


def counts(printed, name):
    row = re.search(rf"^{name}:.*$", printed["matrix"], re.MULTILINE)[0]
    return [int(number) for number in re.findall(r"(\d+) (?:passed|failed)", row)]


def test_the_chat_model_passes_right_and_wrong_answers_alike_and_the_rule_does_not(printed):
    chat, rule = counts(printed, "chat model, dev"), counts(printed, "rule, dev")
    assert sum(chat) == sum(rule) == 95
    for passed_right, failed_right, passed_wrong, failed_wrong in (chat, rule):
        assert 45 < passed_right + failed_right < 55 and 45 <= passed_wrong + failed_wrong < 55
    share = [row[0] / (row[0] + row[1]) - row[2] / (row[2] + row[3]) for row in (chat, rule)]
    assert abs(share[0]) < 0.05 and share[1] > 0.8


def test_the_rule_errs_three_times_in_46_answers_of_the_two_compared_and_passes_slips(printed, prose):
    right, missed, wrong, held = counts(printed, "rule, quoted and reader, dev and test")
    assert f"made {['no', 'one', 'two', 'three'][missed + wrong]} mistakes in {right + missed + wrong + held}" in prose
    questions = {q.question: q for split in ("dev", "test") for q, _, _ in compared(split)}
    passed = {
        (pair.question_id, x.system): x.system
        for pair in PAIRS
        for x in (pair.a, pair.b)
        if pair.question in questions and not x.right and says_answer(questions[pair.question], x.text)
    }
    slips = sum(system == "slip" for system in passed.values())
    assert slips / len(passed) >= 0.9 and counts(printed, "rule, slip, dev and test")[2] == slips


def test_corrected_the_rule_comes_close_and_the_chat_model_is_impossible(printed):
    rows = re.findall(r"passes (\d+)%; corrected: (-?\d+)%; really right: (\d+)%", printed["corrected"])
    (_, chat, _), (_, rule, truth) = [map(int, row) for row in rows]
    assert not 0 <= chat <= 100 and abs(rule - truth) <= 5


def test_the_example_of_a_corrected_rate_is_right():
    assert 0.9 * 0.6 + 0.2 * 0.4 == pytest.approx(0.62) and (0.62 - 0.2) / (0.9 - 0.2) == pytest.approx(0.6)


# Tests ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "test"])
def test_both_halves_have_165_questions_of_which_131_can_decide(split, prose):
    asked = len(questions_of(split))
    assert f"for {asked - len(compared(split))} of the {asked} questions of each half" in prose
    assert f"the test half has {len(compared(split))} questions" in prose
    assert f"the {len(compared(split))} questions come in an order" in prose


def test_notebook_10_grades_hard_quotes_by_another_rule():
    recorded = {row["question"]: row["right"] for row in answered("test")}
    differ = [q for q, quoted, _ in compared("test") if says_answer(q, quoted) != recorded[q.question]]
    assert differ and not any(question.accepted for question in differ)


def test_the_pilot_has_a_small_p_value_and_asks_for_about_as_many_questions_as_there_are(printed):
    assert float(re.search(r"McNemar's p = ([\d.]+)", printed["pilot"])[1]) < 0.05
    assert abs(int(re.search(r"pilot: .*: (\d+)$", printed["planned"], re.MULTILINE)[1]) - 131) < 15


def test_exact_numbers_are_3_to_8_percent_larger_than_the_formulas(printed, prose):
    rows = re.findall(r"discordance ([\d.]+): (\d+)$", printed["planned"], re.MULTILINE)[:3]
    more = [round(100 * (sample_size(0.70, 0.73, discordance=float(d)) / int(n) - 1)) for d, n in rows]
    assert (min(more), max(more)) == (3, 8) and "3 to 8 % larger here" in prose
    apart = int(re.search(r"of its own: (\d+) each", printed["planned"])[1])
    assert abs(sample_size(0.70, 0.73) / apart - 1) < 0.01


def test_peeking_finds_a_winner_in_more_than_a_quarter_of_equal_pairs_and_e_values_in_under_5_percent(page, prose):
    [cell] = [cell for cell in page.code if cell.id == "peeking-figure"]
    titles = " ".join(str(output.metadata) for output in cell.outputs if output.output_type == "display_data")
    peeked, safe = map(float, re.search(r"(\d+)% false alarms by p, ([\d.]+)%", titles).groups())
    assert 25 < peeked < 33 and "More than a quarter of all experiments" in prose and safe < 5
    assert 0.15 * 1000 == 150 and "about 150 disagreements" in prose


def test_the_budget_of_looking_is_up_to_twice_as_large_and_the_mean_is_about_the_same(printed, prose):
    rows = re.findall(r"one look (\d+) users; e-values: be ready for (\d+), ask (\d+)", printed["price"])
    assert len(rows) == 2
    for one_look, budget, mean in (map(int, row) for row in rows):
        assert 1.5 < budget / one_look < 2.05 and 0.9 < mean / one_look < 1.25
    assert "one and a half to two times as large" in prose


def test_the_experiment_stops_where_readme_says_and_in_every_order(printed, prose):
    a, b = graded("test")
    stops = []
    for seed in range(20):
        order, test = np.random.default_rng(seed).permutation(len(a)), SequentialTest()
        test.update(a[order], b[order])
        stops.append(test.stopped_at)
        if seed == 0:
            stop = test.stopped_at
            shown, at_stop = SequentialTest(), slice(0, stop)
            shown.update(a[order][at_stop], b[order][at_stop])
    assert f"after {stop} of {len(a)} questions" in printed["run-test"]
    assert f"after {stop} of {len(a)} questions" in README
    assert f"between question {min(stops)} and {max(stops)}" in prose
    low, high = shown.win_share()  # on a grid of ten thousandths, with one step added on either side
    percent = re.search(r"wins (\d+)% to (\d+)%", printed["stop-interval"]).groups()
    assert [int(value) for value in percent] == pytest.approx([100 * low, 100 * high], abs=1)


def test_what_the_experiment_counts_and_what_raters_prefer(prose, printed):
    a, b = graded("test")
    both, only_a, only_b = int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())
    assert f"On {only_a} questions only quoting gives the right answer, on {only_b} only reading does" in prose
    assert f"On {both} questions both are right" in prose and f"by {both + only_b} to {only_a}" in prose
    rated = {s: [x.right for x in ANSWERS.values() if x.system == s] for s in ("quoted", "reader")}
    assert np.mean(rated["reader"]) > np.mean(rated["quoted"]) and a.sum() > b.sum()
    n, prefer = map(
        int, re.search(r"both right in (\d+), the raters prefer reader in (\d+)", printed["raters-again"]).groups()
    )
    assert n == prefer == 6
