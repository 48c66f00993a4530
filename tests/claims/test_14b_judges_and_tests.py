"""What 14b_judges_and_tests and README.md say of raters, judges and tests, held against record, page and outputs."""

from __future__ import annotations

import json
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
)
from helpers.stats import SequentialTest, bootstrap_ratio, cohen_kappa, power_of_shares, sample_size, wilson
from helpers.trials import judges_recorded, second_reading
from helpers.trials.handbook_answers import answered, compared, questions_of, says_answer
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
PAIRS, TEST = load_pairs(), load_pairs("test")
WANTED = majority(load_ratings(), "overall")
ANSWERS = {(pair.question_id, answer.system): answer for pair in PAIRS for answer in (pair.a, pair.b)}


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
    decided = [sum(WANTED[pair.id] != "tie" for pair in some) for some in (PAIRS, TEST)]
    assert f"{decided[0]} of the 150 remain, {decided[1]} of the {len(TEST)} in the test half" in prose
    assert f"raters 1 and 2 reach a kappa of {cohen_kappa(one, other):.2f} on all 150 pairs" in prose


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


def test_the_biases_on_the_page_are_those_of_the_helpers(printed, prose):
    margins = {each.pair: each.margin for split in ("dev", "test") for each in judges_recorded.label_judged(split)}
    found, longer = agreement(margins, WANTED, PAIRS), prefers_longer(margins, PAIRS)
    by_raters = prefers_longer({pair: {"a": 1, "b": -1, "tie": 0}[said] for pair, said in WANTED.items()}, PAIRS)
    assert all(str(each) in printed["biases"] for each in (found, longer, by_raters))
    assert found.low < 0.5 < found.high and "not distinguishable from guessing" in prose
    assert longer.low > 0.5 and round(4 * longer.share) == 3 and "three pairs of four" in prose
    assert by_raters.low < 0.5


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
    assert round(100 * compare_judges(run["without"], run["as few"], WANTED, dev).share) == -10
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
    assert "The mean loss over 20 draws is ten points as well, with an interval that just leaves 0 out." in prose


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
    assert [int(x) for x in re.findall(r"power is (\d+)%", printed["price"])] == [pytest.approx(50, abs=6)]
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


def test_the_budget_of_looking_is_up_to_twice_as_large_and_the_mean_little_larger(printed, prose):
    rows = re.findall(r"one look (\d+) questions; e-values: be ready for (\d+), ask (\d+)", printed["price"])
    assert len(rows) == 3
    for one_look, budget, mean in (map(int, row) for row in rows):
        assert 1.5 < budget / one_look < 2.05 and 1.05 < mean / one_look < 1.25
    assert "one and a half to two times as large" in prose and "is a tenth to a fifth more than one look" in prose


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
    assert stops[1] is None and f"{test.only_a} to {test.only_b}, and the interval still contains one half" in prose
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


def test_the_p_value_of_one_look_after_the_reading(prose):
    from helpers.stats import mcnemar

    assert (
        f"McNemar's p after all 131 questions is {mcnemar(*second_reading.by_reading('test').T).p_value:.3f}" in prose
    )


def test_in_six_pairs_with_both_right_the_raters_prefer_the_reader(prose):
    direct = [pair for pair in PAIRS if {pair.a.system, pair.b.system} == {"quoted", "reader"}]
    both = [pair for pair in direct if pair.a.right and pair.b.right]
    prefer = [getattr(pair, WANTED[pair.id]).system for pair in both if WANTED[pair.id] != "tie"]
    low, high = wilson(len(prefer), len(both))
    assert (
        prefer == ["reader"] * len(both) == ["reader"] * 6 and f"95 % CI {100 * low:.0f} to {100 * high:.0f} %" in prose
    )


def test_quotes_are_about_ten_times_as_long(prose):
    words = np.array([[len(text.split()) for text in texts] for _, *texts in compared("test")])
    assert 8 < words[:, 0].mean() / words[:, 1].mean() < 12 and "about ten times as many words" in prose


def test_an_answer_with_a_right_no_and_a_senseless_reason_is_quoted_as_it_stands(prose):
    said = {
        question.question: (read, row[1])
        for (question, _, read), row in zip(compared("test"), second_reading.readings("test"), strict=True)
    }
    [(read, verdict)] = [each for name, each in said.items() if "rent only the battery" in name]
    assert f"“{read.rstrip('.')}”" in prose and verdict.right and verdict.doubtful


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


def test_the_scripts_for_own_data_read_files_as_excel_saves_them(page, tmp_path, monkeypatch, capsys):
    rows = [
        f"q{i // 2},{judge},{truth}"
        for i, (judge, truth) in enumerate(zip("11011000" * 5, "1101100 " * 5, strict=True))
    ]
    (tmp_path / "own_judge.csv").write_text("\n".join(["question,judge,truth", *rows]), encoding="utf-8-sig")
    (tmp_path / "own_pairs.csv").write_text("shown,exchanged,rater\na,a,a\nb,b,b\na,b,a\n", encoding="utf-8-sig")
    (tmp_path / "own_ab.csv").write_text("a,b\n" + "1,0\n" * 12, encoding="utf-8-sig")
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for cell in page.code:
        if cell.id.startswith("own-"):
            exec(cell.source, namespace)
    judge = json.loads((tmp_path / "build" / "own_judge.json").read_text(encoding="utf-8"))
    assert judge["kappa"] == 1 and judge["corrected"] == 0 == judge["passed, of the rest"]
    assert judge["pairs"] == 3 and judge["preferred answer changes with the order"] == 1
    assert json.loads((tmp_path / "build" / "own_ab.json").read_text(encoding="utf-8"))["stop"] is True
