"""What 14_evaluation and README.md may say of failures, metrics, raters and the gate, held against data and outputs."""

from __future__ import annotations

import importlib
import math
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from helpers.evaluation import gate, load_codes, load_failures, load_pairs, load_ratings, load_suite
from helpers.trials import word_desk
from helpers.trials.recorded_outputs import right_answers
from helpers.trials.six_answers import KINDS, load_six
from helpers.trials.suites_recorded import recorded_run
from scipy.stats import binom

from helpers.metrics import contains_answer, squad_words, unigram_f1
from helpers.stats import gain_interval, mcnemar_p_value, wilson
from helpers.velunda import load_handbook
from tests.tools.notebook import ROOT

DECIDE = importlib.import_module("helpers.exercises.course.14_evaluation.decide")
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


# The six answers -----------------------------------------------------------------------------------------------------


def test_six_answers_three_right_two_dangerous_and_the_handbook_says_so():
    case = load_six()
    assert [answer.name for answer in case.answers] == list("ABCDEF")
    assert [sum(answer.kind == kind for answer in case.answers) for kind in KINDS] == [3, 2, 1]
    assert case.quote in load_handbook()[case.document].text


def test_nearly_all_words_of_the_dangerous_answers_are_copied():
    case = load_six()
    for answer in case.answers:
        if answer.kind == "dangerous":
            copied = Counter(answer.text.split()) & Counter(case.reference.split())
            assert copied.total() > 0.8 * len(answer.text.split())


def test_three_of_four_metrics_put_a_dangerous_answer_first(printed, prose):
    assert "3 metrics" in printed["rank"]
    assert "three of four metrics put a dangerous answer first" in prose


def test_right_answers_lie_behind_both_dangerous_ones(page, prose):
    [alt] = [text for text in page_alts(page, "rank-figure")]
    places = {name: re.findall(r"([A-F]) \(", row) for name, row in re.findall(r"([\w-]+): ([A-F] \(.*?)[;.]", alt)}
    assert len(places) == 4
    for name, order in places.items():
        behind = max(order.index("B"), order.index("E"))
        assert order.index("C") > behind
        assert name == "perplexity" or min(order.index(right) for right in "ACF") > behind
    assert "A, C and F say it in their own words, and all three lie behind both dangerous ones" in prose
    assert "Answer C, which is right, lies behind both dangerous answers here as well" in prose


def page_alts(page, cell_id):
    [cell] = [cell for cell in page.code if cell.id == cell_id]
    for output in cell.outputs:
        for kinds in output.get("metadata", {}).values():
            if isinstance(kinds, dict) and "alt" in kinds:
                yield kinds["alt"]


def test_containment_passes_the_dangerous_e(printed, prose):
    case = load_six()
    found = [answer.name for answer in case.answers if contains_answer(answer.text, case.accepted)]
    assert found == list("ACEF") and "of section 1: A C E F" in printed["metrics-once"]
    [denied] = [answer.text for answer in case.answers if answer.name == "E"]
    assert len(re.search(r"not (.*?) 4 hours", denied)[1].split()) == 5
    assert "five words stand between the denial and the form" in prose


# Failures ------------------------------------------------------------------------------------------------------------


def overlap(said, reference):
    ours, theirs = squad_words(said), squad_words(reference)
    return unigram_f1(ours, theirs) if ours and theirs else float(ours == theirs)


METRICS = {
    "exact match": lambda said, reference, _: float(squad_words(said) == squad_words(reference)),
    "token F1": lambda said, reference, _: overlap(said, reference),
    "containment": lambda said, reference, forms: float(contains_answer(said, forms or [reference])),
}


def test_both_coders_agree_on_all_forty(printed):
    first, second = ([(code.failure, code.category) for code in load_codes(f"language model {n}")] for n in (1, 2))
    assert len(load_failures()) == len(first) == 40 and sorted(first) == sorted(second)
    assert "the same category for 40 of 40" in printed["agreement"]


def test_where_each_metric_can_be_used_and_what_it_misses(printed, prose):
    cut = {}
    for name, metric in METRICS.items():
        for assistant, known in right_answers().items():
            marks = sorted((metric(*answer) for answer in known), reverse=True)
            cut[name, assistant] = marks[math.ceil(0.9 * len(marks)) - 1]
    usable = {name: [each for each in right_answers() if cut[name, each]] for name in METRICS}
    assert usable["exact match"] == ["tickets"] and usable["token F1"] == list(right_answers())
    assert set(usable["containment"]) == {"tickets", "quotes", "writer"}
    refusal = "I do not know. A colleague will reply within one business day."
    least = cut["token F1", "quotes"]
    assert f"the one for *quotes*, {least:.2f}: for “{refusal}”, one shared word is enough" in prose
    longest = max(len(squad_words(each.expected)) for each in load_failures() if each.assistant == "quotes")
    assert 2 / (len(squad_words(refusal)) + longest) >= least
    category = {code.failure: code.category for code in load_codes("language model 1")}
    missed = [
        each for each in load_failures() if overlap(each.output, each.expected) >= cut["token F1", each.assistant]
    ]
    assert len({each.assistant for each in missed}) == 4
    kinds, sizes = Counter(category[each.id] for each in missed), Counter(category.values())
    assert 2 * kinds["neighbor's value"] == sizes["neighbor's value"]
    assert sizes["half an answer"] / 2 < kinds["half an answer"] < sizes["half an answer"]
    says_nothing = ("I do not know", "Not in the text", "(no draft)")
    silent = [each for each in load_failures() if each.output.startswith(says_nothing)]
    through = [each for each in missed if each in silent]
    assert (len(silent), len(through)) == (14, 3) and {each.assistant for each in through} == {"quotes"}
    assert "half of the wrong values, but only three of the fourteen refusals" in prose
    named = ", ".join(each.id for each in through)
    assert f"14 of the 40 outputs are refusals; token F1 misses 3 of them: {named}" in printed["missed-kinds"]
    assert {category[each.id] for each in silent} == {"refused in view", "not found"}


def test_a_lower_threshold_would_help_few_of_the_refusals(prose):
    category = {code.failure: code.category for code in load_codes("language model 1")}
    scores = [
        float(each.context["its score"].split(",")[0])
        for each in load_failures()
        if category[each.id] == "refused in view" and "its score" in each.context
    ]
    assert len(scores) == 8 and sum(score > 10.52 for score in scores) == 1
    assert sum(7.52 < score < 10.52 for score in scores) == 3 and sum(score < 5.5 for score in scores) == 4
    assert "of the eight by the handbook assistant, one has a score above 10.52 and refused all the same" in prose


def test_the_break_even_price_of_bold_and_shy(prose):
    assert "*bold* costs 0.4 w per question and *shy* 0.1 w + 0.4; they are equal at w = 4/3" in prose
    assert 0.4 * 4 / 3 == pytest.approx(0.1 * 4 / 3 + 0.4)


def test_refused_drafts_share_no_word_and_wrong_values_share_many(prose):
    category = {code.failure: code.category for code in load_codes("language model 1")}
    drafts = [each for each in load_failures() if each.assistant == "summaries"]
    scores = {"refused in view": [], "neighbor's value": []}
    for each in drafts:
        scores[category[each.id]].append(overlap(each.output, each.expected))
    refused, wrong = scores.values()
    assert refused == [0, 0, 0] and len(wrong) == 3
    assert f"three drafts with a wrong value get {min(wrong):.2f} to {max(wrong):.2f}" in prose


# Raters --------------------------------------------------------------------------------------------------------------


def test_what_is_said_of_pairs_and_raters(prose, printed):
    pairs, ratings = load_pairs(), load_ratings()
    assert f"{len(pairs)} pairs of answers to {len({pair.question_id for pair in pairs})} questions" in prose
    given = {pair.id: {rating.overall for rating in ratings if rating.pair == pair.id} for pair in pairs}
    same = sum(len(values) == 1 for values in given.values())
    assert f"all three raters give the same answer on {same}" in printed["raters-alike"]
    assert f"all three raters agree with each other on {same} of {len(pairs)} pairs" in prose


def agreement(printed, name):
    said = re.search(rf"{name} +right +(\d+), tie +(\d+), wrong +(\d+)  share (\d+)%.*without (\d+)%", printed["agree"])
    return [int(number) for number in said.groups()]


def test_what_is_said_of_right_tie_and_wrong(printed, prose):
    _, _, wrong, share, _ = agreement(printed, "token F1")
    assert f"is wrong on {wrong}" in prose and f"token F1 alone: {share}%" in printed["both-metrics"]
    right, tie, wrong, _, without = agreement(printed, "containment")
    assert f"Containment ties on {tie} pairs, half of all" in prose and abs(2 * tie - (right + tie + wrong)) <= 2
    assert f"on the {right + wrong} that it decides it is right {right} times" in prose
    assert without < 60
    none = re.match(r"(\d+) of 131 pairs have no list", printed["accepted-forms"])[1]
    assert f"And {none} pairs have no list of accepted forms" in prose
    assert f"Length agrees in {agreement(printed, 'longer answer')[3]} %" in prose


def kinds_of_pairs(printed):
    """{kind: {metric: [right, tie, wrong]}}, as the page prints it."""
    found = {}
    for kind, n, row in re.findall(r"^(\S.*?) +(\d+) pairs: (.*)$", printed["agree-kinds"], re.MULTILINE):
        cells = re.findall(r"([a-zA-Z][\w ]+?) (\d+)/(\d+)/(\d+)", row)
        found[kind] = {name: list(map(int, counts)) for name, *counts in cells}
        assert len(cells) == 3 and all(sum(counts) == int(n) for counts in found[kind].values())
    return found


def test_metrics_tell_right_from_wrong_and_hardly_good_from_better(printed, prose):
    found = kinds_of_pairs(printed)
    f1, contained = (found["one right, one wrong"][name] for name in ("token F1", "containment"))
    assert f"in {f1[0]} of {sum(f1)} pairs and the wrong one in {f1[2]}" in prose
    assert contained[2] == 1 and f"the wrong one once, and ties on {contained[1]}" in prose
    slips = found["of these, the wrong one a slip"]
    assert f"In {sum(slips['token F1'])} such pairs, token F1 prefers the slip {slips['token F1'][2]} times" in prose
    assert slips["token F1"][1] == 2 and "and ties twice; containment prefers it once" in prose
    assert slips["containment"][2] == 1 and f"once and ties {slips['containment'][1]} times" in prose
    assert f"prefers a slip to a right answer in {slips['token F1'][2]} of {sum(slips['token F1'])}" in prose
    for kind in ("both right", "both wrong"):
        for right, tie, wrong in found[kind].values():
            low, high = wilson(right + tie // 2, right + tie + wrong)
            assert low < 0.5 < high
    lengths = found["both right"]["longer answer"]
    assert f"the raters prefer the longer one in {lengths[0]} of {sum(lengths)} pairs" in prose
    one = [pair for pair in load_pairs() if pair.a.right != pair.b.right]
    given = {(rating.pair, rating.overall) for rating in load_ratings()}
    assert all((pair.id, "b" if pair.a.right else "a") not in given for pair in one) and len(one) == 71
    assert "The raters prefer the right one in all 71" in prose
    everything = [sum(found[kind]["token F1"]) for kind in ("one right, one wrong", "both right", "both wrong")]
    assert sum(everything) == sum(agreement(printed, "token F1")[:3])


def test_a_share_of_thirty_pairs_has_to_be_68_percent(prose):
    assert "a share has to be about 68 % to be told from 50 %" in prose
    for n in (27, 33):
        fewest = next(k for k in range(n) if wilson(k, n)[0] > 0.5)
        assert abs(fewest / n - 0.68) < 0.03


def test_what_the_readme_says_of_agreement(printed):
    right, tie, wrong, *_ = agreement(printed, "containment")
    assert f"decides {right + wrong} of {right + tie + wrong} pairs" in README and f"on {right} of these it" in README


def test_the_right_answer_is_the_longer_one_in_about_half_of_its_pairs(prose):
    told = [
        (pair.a, pair.b) if pair.a.right else (pair.b, pair.a) for pair in load_pairs() if pair.a.right != pair.b.right
    ]
    longer = sum(len(right.text) > len(wrong.text) for right, wrong in told)
    assert abs(longer / len(told) - 0.5) < 0.05 and "is the longer one in about half of its pairs" in prose


# The gate ------------------------------------------------------------------------------------------------------------


def test_the_suite_has_75_questions_in_three_slices(prose):
    suite = load_suite("handbook")
    assert f"The *suite* is {len(suite.items)} everyday questions" in prose and len(suite.slices) == 3
    assert max(sum(item.slice == name for item in suite.items) for name in suite.slices) < 30


def test_the_desk_s_versions_are_what_the_text_says():
    question = "Do you deliver to Belgium?"
    accepted = next(item.accepted for item in load_suite("handbook").items if item.input == question)
    assert contains_answer(word_desk.new(question), accepted)
    assert not contains_answer(word_desk.old(question), accepted)
    asked = [item.input for item in load_suite("handbook").items]
    silent = [text for text in asked if word_desk.careful(text) == "I do not know."]
    assert len(silent) > len(asked) / 2
    assert all(word_desk.careful(text) == word_desk.new(text) for text in asked if text not in silent)


def test_what_the_gate_said(printed):
    said = re.findall(r"exit status (\d)", printed["gate-runs"])
    assert said == ["0", "2"]
    assert "+14.7 points" in printed["gate-runs"] and "+14.7 points" in printed["rule-careful"]


@pytest.fixture(scope="module")
def rule(page):
    """The gate's rule as it stands on the page."""
    [source] = [cell.source for cell in page.code if cell.id == "whole-rule"]
    names = {"np": np, "gain_interval": gain_interval, "decide": DECIDE.decide}
    exec(source, names)
    return names["rule"]


def test_the_levels_of_the_three_versions(printed, prose):
    both = printed["rule-desk"] + "\n" + printed["rule-careful"]
    [(old, new), (before, after)] = re.findall(r"^all: right (\d+) → (\d+) of 75", both, re.MULTILINE)
    assert new == before and f"`old` is right on {old} questions of 75 and `new` on {new}" in prose
    refused = re.search(r"careful refuses (\d+) of 75", printed["rule-careful"])[1]
    answered = re.findall(r"^(?:manuals|terms and prices): right \d+ → (\d+)", printed["rule-careful"], re.MULTILINE)
    left = sum(map(int, answered))
    assert f"it refuses {refused} of 75 questions" in prose and f"{left} are left where there were {before}" in prose
    ends = re.findall(r"-[\d.]+ points \(98.3 % CI \S+ to (\S+)\)", printed["rule-careful"])
    assert len(ends) == 2 and all(float(end) > 0 for end in ends) and int(after) > int(new)
    assert "both intervals reach above 0, so no loss is proved" in prose


def test_how_often_the_gate_is_wrong(printed, prose, rule):
    shares = re.findall(r"passed ([\d.]+)%, failed ([\d.]+)%, cannot be judged ([\d.]+)%", printed["equal-versions"])
    worse, *equal = [list(map(float, row)) for row in shares]
    assert worse[0] < 3.5 and "of the versions that are worse by the margin, about 2 % pass" in prose
    assert len(equal) == 2 and all(failed <= 3.5 and unjudged > 50 for _, failed, unjudged in equal)
    assert "at most about 3 % fail" in prose and abs(equal[0][0] - 100 / 6) < 3 and "about one in six passes" in prose
    low = np.repeat([-1, 0], [9, 66])
    assert rule(low, np.zeros(75), 0.05) == "failed" and rule(-low, np.zeros(75), 0.05) == "passed"
    for n, verdict in ((72, "cannot be judged"), (73, "passed")):
        assert rule(np.zeros(n), np.zeros(n), 0.05) == verdict


def test_the_pass_rate_at_the_margin_where_every_change_is_a_loss(prose):
    for n in (75, 100, 150, 200, 290, 314, 500, 1000):
        lows = [gain_interval(np.repeat([-1.0, 0.0], [lost, n - lost]))[0] for lost in range(60)]
        assert binom.cdf(sum(low > -0.05 for low in lows) - 1, n, 0.05) < 0.05
    assert "with other numbers of questions up to 5 %" in prose


def test_the_page_s_rule_and_the_command_s_say_the_same(rule):
    for new, old in (("tickets", "tickets-rules"), ("handbook", "handbook-search"), ("handbook-search", "handbook")):
        runs = [recorded_run(name) for name in (new, old)]
        gains = runs[0].values["right"] - runs[1].values["right"]
        slices = np.array([item.slice for item in runs[0].suite.items])
        verdict = rule(gains, slices, 0.05)
        said = verdict.replace("be judged", "judge")
        assert gate(*runs, margin=0.05).sentence.startswith(f"The gate {said}:")


def test_seventy_three_questions_exclude_a_loss_of_five_points(page, prose):
    z_squared = 1.96**2
    fewest = next(n for n in range(1, 1000) if z_squared / (n + z_squared) < 0.05)
    assert f"{fewest} questions exclude a loss of 5 points" in prose
    assert f"From {fewest} rows on, a version that changes nothing passes" in prose
    assert any("OWN_MARGIN = 0.05 " in cell.source for cell in page.code)


def test_what_is_said_of_the_course_s_own_assistants(printed):
    tickets, handbook = (
        gate(recorded_run(new), recorded_run(old), margin=0.05)
        for new, old in (("tickets", "tickets-rules"), ("handbook", "handbook-search"))
    )
    assert tickets.status == 0 and handbook.status == 2 and handbook.overall.difference > 0
    assert (
        handbook.slices["manuals"].high > 0
        and handbook.slices["manuals"].low < -0.05
        and 0 < handbook.slices["unanswerable"].low
    )
    assert "→ passed" in printed["gate-recorded"]
    assert "handbook → cannot be judged" in printed["gate-recorded"]
    for verdict in (tickets, handbook):
        assert f"{100 * verdict.overall.difference:+.1f} points" in printed["gate-recorded"]


def test_what_is_said_of_the_answers_about_manuals(prose):
    runs = [recorded_run(name) for name in ("handbook", "handbook-search")]
    gains = runs[0].values["right"] - runs[1].values["right"]
    about = gains[[item.slice == "manuals" for item in runs[0].suite.items]]
    lost, gained = int((about < 0).sum()), int((about > 0).sum())
    assert f"{lost} answers were lost and {gained} gained" in prose
    p_value = mcnemar_p_value(gained, lost)
    assert f"would come up in {100 * p_value:.1f} % of cases" in prose and 0.05 / 3 < p_value < 0.05


def test_the_price_at_which_both_assistants_cost_the_same(prose, printed):
    right, wrong, silent = {}, {}, {}
    for name in ("handbook", "handbook-search"):
        values = recorded_run(name).values
        right[name], wrong[name] = values["right"].sum(), values["wrong answer given"].sum()
        silent[name] = len(values["right"]) - right[name] - wrong[name]
    assert silent["handbook-search"] == 0
    break_even = silent["handbook"] / (wrong["handbook-search"] - wrong["handbook"])
    assert f"15 w + 23 = 42 w, at w = {break_even:.2f} euros" in prose
    assert (wrong["handbook"], silent["handbook"], wrong["handbook-search"]) == (15, 23, 42)
    spans = re.findall(r"CI ([+-][\d.]+) to ([+-][\d.]+)", printed["prices-recorded"])
    signs = [np.sign([float(low), float(high)]).tolist() for low, high in spans]
    assert signs == [[-1, -1], [1, 1], [1, 1]]


def test_what_the_readme_says_of_the_gate(printed):
    said = re.search(r"manuals: right (\d+) → (\d+) of 29, -([\d.]+) points", printed["gate-recorded"])
    assert (
        f"loses {float(said[3]):.0f} points on manuals" in README
        and "cannot be judged although its mean rises" in README
    )


# The appendix --------------------------------------------------------------------------------------------------------


OWN_CELLS = ("own-score", "own-metric", "own-baseline", "own-gate")


def test_the_file_for_your_own_data_fails_closed(page, printed, tmp_path):
    assert "exit status 0" in printed["own-gate"]
    source = "\n".join(cell.source for cell in page.code if cell.id in OWN_CELLS)
    (tmp_path / "own_gate.py").write_text(source, encoding="utf-8")

    def status(rights, *options):
        rows = ["id,answer,accepted", *(f"{n},It weighs {40 if n < rights else 30} kg.,40 kg" for n in range(75))]
        (tmp_path / "own_answers.csv").write_text("\n".join(rows), encoding="utf-8")
        command = [sys.executable, "own_gate.py", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120).returncode

    assert (status(75), status(75, "--accept"), status(64)) == (2, 0, 1)
    (tmp_path / "own_answers.csv").unlink()
    assert (
        subprocess.run([sys.executable, "own_gate.py"], cwd=tmp_path, capture_output=True, timeout=120).returncode == 2
    )
