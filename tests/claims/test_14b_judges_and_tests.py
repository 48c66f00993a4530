"""What 14b_judges_and_tests and README.md say of raters, judges and tests, held against record, page and outputs."""

from __future__ import annotations

import json
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
)
from helpers.stats.sequential import log_e_value
from helpers.trials import judges_recorded, second_reading
from helpers.trials.handbook_answers import answered, compared, questions_of, says_answer
from sklearn.linear_model import LogisticRegression

from helpers.stats import SequentialTest, bootstrap_ratio, cohen_kappa, mcnemar, power_of_shares, sample_size
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
PAIRS, TEST = load_pairs(), load_pairs("test")
WANTED = majority(load_ratings(), "overall")
ANSWERS = {(pair.question_id, answer.system): answer for pair in PAIRS for answer in (pair.a, pair.b)}


# Graders and raters --------------------------------------------------------------------------------------------------


def test_there_are_as_many_slips_and_all_are_wrong(prose):
    slips = [answer for answer in ANSWERS.values() if answer.system == "slip"]
    assert f"holds {len(slips)} answers called *slips*" in prose and not any(slip.right for slip in slips)


def test_the_raters_are_runs_of_one_model_and_nobody_else_rated(prose, printed):
    card = " ".join((ROOT / "data/judgments/README.md").read_text(encoding="utf-8").split())
    assert "three independent runs of one language model" in card and "No person rated anything" in card
    assert "three are independent runs of one language model. No person rated anything" in prose
    assert f"{len(PAIRS)} pairs" in prose
    one, other = ([each.overall for each in load_ratings(name)] for name in ("rater 1", "rater 2"))
    decided = [sum(WANTED[pair.id] != "tie" for pair in some) for some in (PAIRS, TEST)]
    assert f"{decided[0]} of the 150 remain, {decided[1]} of the {len(TEST)} in the test half" in prose
    assert f"raters 1 and 2 reach a kappa of {cohen_kappa(one, other):.2f} on all 150 pairs" in prose
    assert f"kappa {cohen_kappa(one, other):.2f}" in printed["raters-agree"]
    said = [[each.overall for each in load_ratings(f"rater {n}") if WANTED[each.pair] == "tie"] for n in (1, 2, 3)]
    equal = sum(verdicts.count("tie") >= 2 for verdicts in zip(*said, strict=True))
    differ = len(said[0]) - equal
    assert f"calls equal ({equal}), or on which no two raters agree ({differ})" in prose
    assert f"calls {equal} equal, and on {differ} no two raters agree" in printed["raters-agree"]


def test_the_twelve_pairs_are_four_of_each_kind_about_twelve_questions(printed):
    by_id = {pair.id: pair for pair in PAIRS}
    shown = [by_id[name] for name in dict.fromkeys(re.findall(r"\bp\d{3}\b", printed["twelve"]))]
    assert len(shown) == 12 == len({pair.question_id for pair in shown}) and set(shown) <= set(TEST)
    assert sorted(p.a.right + p.b.right for p in shown) == [0] * 4 + [1] * 4 + [2] * 4


def test_one_pair_more_or_less_moves_kappa_by_a_tenth(printed, prose):
    kappas = [float(x) for x in re.findall(r"kappa (\d\.\d\d)", printed["mine"])]
    assert 0.05 < abs(kappas[0] - kappas[1]) < 0.2 and "one pair more or less moves it by a tenth" in prose


def test_the_judge_saw_the_sentence_and_raters_the_section(prose):
    rubric = (ROOT / "data/judgments/RUBRIC.md").read_text(encoding="utf-8")
    assert "passage" in rubric and "so it sees less than the raters did" in prose


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


def test_what_looks_like_a_liking_for_the_first_place_is_one_for_the_letter(prose, printed):
    judged, first_b = judges_recorded.label_judged("test"), judges_recorded.label_judged("test", first="B")
    assert all(each.position < 0 for each in first_b) and "the judge prefers the *second* one" in prose
    a, b = (np.mean([each.position for each in run]) for run in (judged, first_b))
    assert (a - b) / 2 > 5 * abs(
        a + b
    ) / 2 and "nearly all of this “position bias” is a liking for the letter A" in prose
    turned = sum(one.margin * other.margin < 0 for one, other in zip(judged, first_b, strict=True))
    assert f"names the other answer in {turned} of {len(judged)} pairs" in printed["letter-or-place"]
    assert turned > len(judged) / 2 and "most margins name the other answer" in prose
    assert "prefers the letter A" in README


def test_the_live_judge_puts_the_place_above_the_answers(printed):
    margin, position = map(float, re.search(r"margin (\S+), position bias (\S+)", printed["both-orders"]).groups())
    assert position > 2 * abs(margin)


def test_a_seeming_liking_for_length_does_not_survive_the_exchange_of_letters(printed, prose):
    named_a, named_b = (
        {each.pair: each.margin for each in judges_recorded.label_judged("test", first=first)} for first in "AB"
    )
    fair = {pair: (named_a[pair] + named_b[pair]) / 2 for pair in named_a}
    dev = {each.pair: each.margin for each in judges_recorded.label_judged("dev")}
    by_raters = {pair: {"a": 1, "b": -1, "tie": 0}[said] for pair, said in WANTED.items()}
    seeming = prefers_longer(named_a | dev, PAIRS)
    longer = [prefers_longer(each, TEST) for each in (named_a, named_b, fair, by_raters)]
    agreed = [agreement(each, WANTED, TEST) for each in (named_a, named_b, fair)]
    assert all(str(each) in printed["biases"] for each in (seeming, *longer, *agreed))
    assert seeming.low > 0.5 and round(4 * seeming.share) == 3 and "three pairs of four" in prose
    first_a, first_b, both = longer[:3]
    said = f"the share is {first_a.share:.2f} with the first answer called A, {first_b.share:.2f} with it called B, and"
    assert f"{said} {both.share:.2f} for the mean of both" in prose
    assert first_a.share > 0.6 > 0.4 > first_b.share and both.low < 0.5 < both.high
    assert all(each.low < 0.5 for each in agreed) and agreed[2].high < 0.5 and "stays below one half" in prose
    assert np.corrcoef(list(named_a.values()), list(named_b.values()))[0, 1] < -0.5 and "correlate negatively" in prose


def test_the_judge_trained_on_the_page_is_the_recorded_one(printed):
    run = judges_recorded.find("trained", features="measures")
    assert run["strength"] == 0.1 and len(re.findall(r"-?\d\.\d+", printed["trained-judge"])) == 4
    shown = re.search(r"trained judge +one is right: (\S+) .*equally right: (\S+) ", printed["judges-paired"]).groups()
    recorded = judges_recorded.preferences("test")
    halves = [[p for p in TEST if (p.a.right != p.b.right) == one] for one in (True, False)]
    again = [agreement(recorded["trained on measures"], WANTED, some).share for some in halves]
    assert [float(x) for x in shown] == pytest.approx(again, abs=0.021)


def test_the_trained_judge_is_good_where_one_is_right_and_guesses_elsewhere(prose):
    recorded = judges_recorded.preferences("test")
    trained, writer, overlap = (recorded[name] for name in ("trained on measures", "system", "overlap"))
    one, equal = [[p for p in TEST if (p.a.right != p.b.right) == differs] for differs in (True, False)]
    assert agreement(trained, WANTED, one).low > 0.7 and agreement(trained, WANTED, equal).low < 0.5
    assert agreement(writer, WANTED, equal).low > 0.75 and "still agrees in nine pairs of ten" in prose
    assert round(10 * agreement(writer, WANTED, equal).share) == 9
    shares = [f"{agreement(each, WANTED, TEST).share:.2f}" for each in (trained, overlap)]
    assert f"{shares[0]} against {shares[1]} in the figure" in prose
    gap = compare_judges(trained, overlap, WANTED, TEST)
    assert gap.low < 0 < gap.high


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


def test_on_systems_that_it_has_not_seen_the_trained_judge_loses_ten_points_over_twenty_draws(prose):
    """Logistic regressions on four measures, as recorded; the control is drawn twenty times."""
    run, record = judges_recorded.find("unseen systems", features="measures"), judges_recorded.find("measures")
    used = [record["names"].index(name) for name in ("longer", "overlap", "no new numbers", "cross-encoder")]
    dev = [pair for pair in load_pairs("dev") if WANTED[pair.id] != "tie"]
    gap = compare_judges(run["without"], run["as few"], WANTED, dev)
    assert round(100 * gap.share) == -10 and -0.03 < gap.high < 0 and "ten points less often than the control" in prose
    rows = [[record["rows"][f"{p.question_id} {x.system}"] for x in (p.a, p.b)] for p in dev]
    X = np.array([np.subtract(*row)[used] for row in rows])
    y = np.array([1 if WANTED[pair.id] == "a" else -1 for pair in dev])
    drawn = np.zeros(len(dev))
    for i, pair in enumerate(dev):
        systems = {pair.a.system, pair.b.system}
        others = [j for j, p in enumerate(dev) if p.question_id != pair.question_id]
        n = sum(not systems & {dev[j].a.system, dev[j].b.system} for j in others)
        for seed in range(20):
            few = np.random.default_rng([seed, i]).choice(others, n, replace=False)
            scale = np.sqrt((X[few] ** 2).mean(axis=0)) + 1e-12
            both = np.vstack([X[few], -X[few]]) / scale
            fitted = LogisticRegression(fit_intercept=False, C=0.1).fit(both, np.append(y[few], -y[few]))
            drawn[i] += (np.sign(fitted.decision_function([X[i] / scale])[0]) == y[i]) / 20
    gap = np.array([np.sign(run["without"][pair.id]) for pair in dev]) == y
    by_question = {}
    for pair, value in zip(dev, gap - drawn, strict=True):
        by_question.setdefault(pair.question_id, []).append(value)
    sums, sizes = [sum(v) for v in by_question.values()], [len(v) for v in by_question.values()]
    low, high = bootstrap_ratio(sums, sizes)
    assert abs(sum(sums) / sum(sizes) + 0.10) < 0.015 and -0.03 < high < 0
    assert "the mean over 20 draws is ten points as well" in prose


# Pass rates ----------------------------------------------------------------------------------------------------------


def counts(printed, name):
    row = re.search(rf"^{name}:.*$", printed["matrix"], re.MULTILINE)[0]
    return [int(number) for number in re.findall(r"(\d+) (?:passed|failed)", row)]


def test_the_chat_model_passes_right_and_wrong_answers_alike_and_the_rule_does_not(printed, prose):
    chat, rule = counts(printed, "chat model, dev"), counts(printed, "rule, dev")
    assert sum(chat) == sum(rule) == 95
    share = [row[0] / (row[0] + row[1]) - row[2] / (row[2] + row[3]) for row in (chat, rule)]
    assert abs(share[0]) < 0.05 and share[1] > 0.8
    ranked = [int(x) for x in re.findall(r"“Yes” in (\d+)%", printed["confusion"])]
    assert len(ranked) == 2 and all(35 < x < 65 for x in ranked) and "about as a coin would" in prose


def test_on_the_known_answers_of_the_two_compared_the_rule_errs_rarely_and_passes_slips(printed, prose):
    rows = {name: counts(printed, f"rule, {name}, both") for name in ("slip", "quoted", "reader")}
    assert sum(rows["quoted"]) + sum(rows["reader"]) == 46 and "but 46 answers are few" in prose
    assert sum(row[1] + row[2] for row in (rows["quoted"], rows["reader"])) == 3
    known = judges_recorded.known_answers()
    passed = [each.system for each in known if not each.right and says_answer(each.asked, each.text)]
    assert passed.count("slip") / len(passed) >= 0.9 and rows["slip"][2] == passed.count("slip")


def test_corrected_the_rule_comes_close_with_a_wide_interval_and_the_chat_model_is_impossible(printed):
    row = re.search(
        r"rule .*corrected: (\d+)%; really right: (\d+)%\s+rule, .*: (\d+)% to (\d+)%", printed["corrected"]
    )
    rule, truth, low, high = map(int, row.groups())
    assert low < truth < high and abs(rule - truth) <= 5 and 20 < high - low < 45
    chat = int(re.search(r"chat model .*corrected: (-?\d+)%", printed["corrected"])[1])
    assert not 0 <= chat <= 100


def test_the_example_of_a_corrected_rate_is_right():
    assert 0.9 * 0.6 + 0.2 * 0.4 == pytest.approx(0.62) and (0.62 - 0.2) / (0.9 - 0.2) == pytest.approx(0.6)


# Tests ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "test"])
def test_both_halves_have_165_questions_of_which_131_can_decide(split, prose):
    asked = len(questions_of(split))
    assert f"for {asked - len(compared(split))} of the {asked} questions of each half" in prose
    assert f"The test half has {len(compared(split))} questions" in prose
    assert f"the {len(compared(split))} questions come in an order" in prose


def test_notebook_10_grades_hard_quotes_by_another_rule():
    recorded = {row["question"]: row["right"] for row in answered("test")}
    differ = [q for q, quoted, _ in compared("test") if says_answer(q, quoted) != recorded[q.question]]
    assert differ and not any(question.accepted for question in differ)


def test_the_pilot_has_a_small_p_value_and_asks_for_about_as_many_questions_as_there_are(printed):
    assert float(re.search(r"McNemar's p = ([\d.]+)", printed["pilot"])[1]) < 0.05
    assert 0 < int(re.search(r"pilot: .*: (\d+) \(exact", printed["planned"])[1]) - 131 < 15


def test_the_plan_is_underpowered_and_says_so(printed, prose):
    assert [int(x) for x in re.findall(r"questions, its power is (\d+)%", printed["price"])] == [
        pytest.approx(50, abs=6)
    ]
    budget = int(re.findall(r"be ready for (\d+)", printed["price"])[2])
    assert abs(budget - 235) <= 25 and "we should be ready to ask about 235 questions" in prose
    rule = second_reading.by_rule("dev")
    apart = (rule[:, 0] != rule[:, 1]).mean()
    one_look = power_of_shares(*rule.mean(axis=0), len(rule), discordance=apart)
    assert f"one look at the end would find it in about {100 * one_look:.0f} %" in prose
    assert '"power": "' in printed["record"] and "power about one half" in prose


def test_exact_numbers_are_3_to_8_percent_larger_than_the_formulas_and_13_for_the_plan(printed, prose):
    rows = re.findall(r"discordance [\d.]+: (\d+) \(exact: (\d+)\)", printed["planned"])
    more = [round(100 * (int(exact) / int(n) - 1)) for n, exact in rows]
    assert (min(more[:3]), max(more[:3]), more[3]) == (
        3,
        8,
        13,
    ) and "3 to 8 % larger in the first lines and 13 %" in prose
    apart = int(re.search(r"of its own: (\d+) each", printed["planned"])[1])
    assert abs(sample_size(0.70, 0.73) / apart - 1) < 0.01


def test_peeking_finds_a_winner_in_more_than_a_quarter_of_equal_pairs_and_e_values_in_under_5_percent(page, prose):
    [cell] = [cell for cell in page.code if cell.id == "peeking-figure"]
    titles = " ".join(str(output.metadata) for output in cell.outputs if output.output_type == "display_data")
    peeked, safe = map(float, re.search(r"(\d+)% false alarms by p, ([\d.]+)%", titles).groups())
    assert 25 < peeked < 33 and "More than a quarter of all experiments" in prose and safe < 5
    assert 0.15 * 1000 == 150 and "about 150 disagreements" in prose


def test_the_budget_of_looking_is_up_to_twice_as_large_and_the_mean_about_that_of_one_look(printed, prose):
    rows = re.findall(r"one look (\d+) questions; e-values: be ready for (\d+), ask (\d+)", printed["price"])
    rows = [tuple(map(int, row)) for row in rows]
    assert len(rows) == 3 and all(1.5 < budget / one_look < 2.05 for one_look, budget, _ in rows)
    more = [round(100 * (mean / one_look - 1)) for one_look, _, mean in rows]
    assert f"({-min(more)} % fewer to {max(more)} % more in these three cases)" in prose and min(more) < 0 < max(more)
    assert "one and a half to two times as large" in prose


def test_the_mean_number_of_questions_ends_at_the_budget(printed):
    """Simulated again, one experiment after the other: at its first e-value of 20, or when the budget is used up."""
    luck = np.random.default_rng(5).random((1000, 3000))[:, :285]
    wins, losses = np.cumsum(luck < (0.15 + 0.08) / 2, axis=1), np.cumsum(luck > 1 - (0.15 - 0.08) / 2, axis=1)
    enough = log_e_value(wins, losses) >= np.log(20)
    asked = np.where(enough.any(axis=1), enough.argmax(axis=1) + 1, enough.shape[1])
    assert 0.79 < enough.any(axis=1).mean() < 0.81
    assert f"be ready for 285, ask {asked.mean():.0f} on average" in printed["price"]


def test_graded_by_the_rule_the_experiment_stops_and_read_again_it_does_not(printed, prose):
    order = np.random.default_rng(0).permutation(131)
    stops = []
    for verdicts in (second_reading.by_rule("test"), second_reading.by_reading("test")):
        test = SequentialTest()
        test.update(*verdicts[order].T)
        stops.append(test.stopped_at)
    assert (
        f"after {stops[0]} of 131 questions" in printed["run-test"] and f"after {stops[0]} of 131 questions" in README
    )
    assert f"among the first {stops[0]} questions" in prose and f"The alarm of question {stops[0]} is gone" in prose
    assert (
        stops[1] is None
        and f"Quoting is ahead, {test.only_a} to {test.only_b}, and the interval still contains one half" in prose
    )
    assert f"d = {test.only_a + test.only_b} / 131" in prose
    low, high = test.win_share()
    percent = re.search(r"wins (\d+)% to (\d+)% of the disagreements", printed["read-again"]).groups()
    assert [int(value) for value in percent] == pytest.approx([100 * low, 100 * high], abs=1) and low < 0.5 < high


def test_the_rule_errs_in_favor_of_quoting(printed, prose):
    rule, read = second_reading.by_rule("test"), second_reading.by_reading("test")
    failed, passed = (read & ~rule).sum(axis=0), (~read & rule).sum(axis=0)
    assert failed[1] > failed[0] and "fails more right answers of *reading* than of *quoting*" in prose
    assert abs(passed[0] - passed[1]) <= 2
    first = np.random.default_rng(0).permutation(131)[:31]
    moved = (rule[first, 0].astype(int) - rule[first, 1]) - (read[first, 0].astype(int) - read[first, 1])
    by = [[int((v[first, 0] & ~v[first, 1]).sum()), int((v[first, 1] & ~v[first, 0]).sum())] for v in (rule, read)]
    said = f"{by[0][0]} to {by[0][1]} after the first 31 questions is {by[1][0]} to {by[1][1]} by the second reading"
    assert moved.sum() > 0 and said in prose
    shown = [int(n) for n in re.findall(r"right: *\d+ passed, +(\d+) failed", printed["read-again"])]
    assert shown == failed.tolist()


def test_the_p_value_of_one_look_after_the_reading(prose, printed):
    p = f"{mcnemar(*second_reading.by_reading('test').T).p_value:.3f}"
    assert f"McNemar's p after all 131 questions is {p}" in prose and f"p = {p}" in printed["rubrics"]
    assert f"p {p}" in printed["record"]


def test_quoting_wins_clearly_for_a_strict_reader_and_nothing_is_shown_for_a_mild_one(prose, printed):
    read, arguable = second_reading.by_reading("test"), second_reading.doubtful("test")
    said, evidence = {}, {}
    for name, verdicts in (
        ("by the rule", second_reading.by_rule("test")),
        ("as read", read),
        ("strict", read & ~arguable),
        ("mild", read | arguable),
    ):
        found = mcnemar(*verdicts.T)
        said[name] = f"{found.only_a} to {found.only_b}"
        evidence[name] = np.exp(log_e_value(found.only_a, found.only_b))
        row = re.search(rf"^ +{name} +(\d+ to \d+), e-value ([\d.,]+)", printed["rubrics"], re.MULTILINE)
        assert row[1] == said[name] and float(row[2].rstrip(",").replace(",", "")) == pytest.approx(
            evidence[name], abs=0.06
        )
        assert f"{said[name]}, e-value" in printed["record"]
    assert (
        f"quoting wins clearly, {said['strict']}; if they are right (mild), nothing is shown, {said['mild']}" in prose
    )
    assert evidence["strict"] > 20 > evidence["as read"] > evidence["mild"]
    assert f"{said['by the rule']} by the rule, {said['as read']} by the second reading. Compare these" in prose
    assert f"marked {arguable.sum()} verdicts as *arguable*" in prose


def test_other_orders_stop_later_by_the_rule_and_seldom_by_the_reading(prose, printed):
    stops = {}
    for name, verdicts in (("rule", second_reading.by_rule("test")), ("read", second_reading.by_reading("test"))):
        (a, b), found = verdicts.T, []
        for seed in range(500):
            order = np.random.default_rng(seed).permutation(len(verdicts))
            wins, losses = np.cumsum((a & ~b)[order]), np.cumsum((b & ~a)[order])
            enough = log_e_value(wins, losses) >= np.log(20)
            found.append(int(enough.argmax()) + 1 if enough.any() else None)
        stops[name] = found
    assert None not in stops["rule"] and "By the rule every order stops" in prose
    in_order, share = sorted(stops["rule"]), sum(stop is not None for stop in stops["read"]) / 500
    assert f"half of them stop within {in_order[249]} questions" in prose and stops["rule"][0] < in_order[49]
    assert f"half within {in_order[249]}, nine tenths within {in_order[449]}" in printed["other-orders"]
    assert f"as read: {100 * share:.0f}% of 500 orders stop" in printed["other-orders"]
    assert 1 / 7 < share < 1 / 5 and "one order in six stops, too" in prose
    assert f"{in_order[249]}, and {100 * share:.0f} % of the orders" in README


def test_the_second_reading_is_tested_with_known_texts(prose, printed):
    known = {(each.asked.question, each.system): each for each in judges_recorded.known_answers()}
    right = [
        known[question.question, system].right == verdict.right
        for split in ("dev", "test")
        for (question, *_), row in zip(compared(split), second_reading.readings(split), strict=True)
        for system, verdict in zip(("quoted", "reader"), row, strict=True)
        if (question.question, system) in known
    ]
    assert f"agree on {sum(right)} of {len(right)} known texts" in printed["rubrics"]
    assert all(right) and f"agrees with all {len(right)} labels" in prose
    card = " ".join((ROOT / "data/judgments/README.md").read_text(encoding="utf-8").split())
    assert "told beforehand of five test texts" in card and "had been told of five texts of the test half" in prose


def test_quotes_are_about_ten_times_as_long(prose):
    words = np.array([[len(text.split()) for text in texts] for _, *texts in compared("test")])
    assert 8 < words[:, 0].mean() / words[:, 1].mean() < 12 and "about ten times as many words" in prose


def test_an_answer_with_a_right_no_and_a_senseless_reason_is_shown_and_quoted(prose, printed):
    order = np.random.default_rng(0).permutation(131)[:31]
    [text] = [
        each for each in second_reading.contradicted("test", order) if "get the money again" in each.question.lower()
    ]
    assert f"“{text.text.rstrip('.')}”" in prose and text.right and text.doubtful
    assert text.text in printed["stop-interval"] and "will she get the money again?" in text.question.lower()


def test_the_placebo_and_the_pilot_read_again(prose, printed):
    placebo = [
        round(float(x) * 131 / 100) for x in re.findall(r"passes ([\d.]+)% against another", printed["stop-interval"])
    ]
    assert f"The placebo alone, {placebo[0]} texts against {placebo[1]}" in prose
    pilot = []
    for verdicts in (second_reading.by_rule("dev"), second_reading.by_reading("dev")):
        a, b = verdicts.T
        pilot.append(f"{(a & ~b).sum()} to {(b & ~a).sum()}")
    assert f"its {pilot[0]} is {pilot[1]}, so that our plan was too hopeful" in prose
    assert f"the pilot: {pilot[0]} by the rule, {pilot[1]} by the second reading" in printed["read-again"]


@pytest.fixture
def own_report(page, tmp_path, monkeypatch):
    """Runs the appendix's scripts, twice (a reader goes back), in a folder with these files, and returns the report."""

    def run(**files: str) -> dict:
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8-sig")
        monkeypatch.chdir(tmp_path)
        namespace = {}
        for _ in range(2):
            for cell in page.code:
                if cell.id.startswith("own-"):
                    exec(cell.source, namespace)
        text = (tmp_path / "build" / "own_judge.json").read_text(encoding="utf-8")
        assert "NaN" not in text
        return json.loads(text)

    return run


def test_the_scripts_for_own_data_read_files_as_excel_saves_them(own_report, tmp_path):
    rows = [
        f"q{i // 2},{judge},{truth}"
        for i, (judge, truth) in enumerate(zip("11011000" * 5, "1101100 " * 5, strict=True))
    ]
    judge = own_report(
        own_judge="\n".join(["question,judge,truth", *rows]),
        own_pairs="shown,exchanged,rater\na,a,a\nb,b,b\na,b,a\n",
        own_ab="a,b\n" + "1,0\n" * 12,
    )
    assert judge["kappa"] == 1 and judge["corrected"] == 0 == judge["passed, of the rest"]
    assert judge["pairs"] == 3 and judge["preferred answer changes with the order"] == 1
    assert json.loads((tmp_path / "build" / "own_ab.json").read_text(encoding="utf-8"))["stop"] is True


def test_the_report_on_own_data_never_holds_the_examples(own_report, tmp_path):
    assert own_report()["data"].startswith("the built-in example")
    judge = own_report(own_judge="question,judge,truth\nq1,1,1\nq2,0,0\nq3,1,0\n")
    assert "pairs" not in judge and "data" not in judge
    (tmp_path / "own_judge.csv").unlink()
    pairs = own_report(own_pairs="shown,exchanged,rater\na,a,a\nb,b,b\n")
    assert "kappa" not in pairs and "corrected" not in pairs and pairs["pairs"] == 2


@pytest.mark.parametrize(
    "rows, entry, said",
    [
        ("q1,1,1\nq2,0,0\nq3,1,0\n", "corrected", "every answer has a label"),
        ("q1,1,\nq2,0,\n", "judge", "at least one right (1) and one wrong (0)"),
        ("q1,1,1\nq2,0,\n", "judge", "at least one right (1) and one wrong (0)"),
        ("q1,1,1\nq2,1,0\nq3,1,\n", "corrected", "passes right and wrong answers equally often"),
    ],
    ids=["all-labeled", "no-label", "one-kind", "passes-all"],
)
def test_own_answers_that_give_no_rate_get_one_sentence(own_report, recwarn, rows, entry, said):
    assert said in own_report(own_judge="question,judge,truth\n" + rows)[entry]
    assert not [str(each.message) for each in recwarn]
