"""What 14_evaluation and README.md may say of failures, metrics, raters and the gate, held against data and outputs."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np

from helpers.evaluation import gate, load_codes, load_failures, load_pairs, load_ratings, load_suite
from helpers.metrics import contains_answer, squad_words, unigram_f1
from helpers.trials import word_desk
from helpers.trials.recorded_outputs import right_answers
from helpers.trials.six_answers import KINDS, load_six
from helpers.trials.suites_recorded import recorded_run
from helpers.velunda import load_handbook
from tests.tools.notebook import ROOT

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
    assert f"the one for *quotes*, {cut['token F1', 'quotes']:.2f}: one shared word is enough" in prose
    category = {code.failure: code.category for code in load_codes("language model 1")}
    missed = [
        each for each in load_failures() if overlap(each.output, each.expected) >= cut["token F1", each.assistant]
    ]
    assert len({each.assistant for each in missed}) == 4
    kinds, sizes = Counter(category[each.id] for each in missed), Counter(category.values())
    assert 2 * kinds["neighbor's value"] == sizes["neighbor's value"]
    assert sizes["half an answer"] / 2 < kinds["half an answer"] < sizes["half an answer"]
    assert kinds["refused in view"] == 1 and sizes["refused in view"] == 12
    assert "misses most halves of answers and half of the wrong values, but only one of the twelve" in prose


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
    assert f"is wrong on {wrong}" in prose and f"{share} %" in printed["agree"]
    right, tie, wrong, _, without = agreement(printed, "containment")
    assert f"Containment ties on {tie} pairs, half of all" in prose and abs(2 * tie - (right + tie + wrong)) <= 2
    assert f"on the {right + wrong} that it decides it is right {right} times" in prose
    assert without < 60
    none = re.match(r"(\d+) of 131 pairs have no list", printed["accepted-forms"])[1]
    assert f"And {none} pairs have no list of accepted forms" in prose
    assert f"Length agrees in {agreement(printed, 'longer answer')[3]} %" in prose


def test_metrics_tell_right_from_wrong_and_hardly_good_from_better(printed):
    found = {
        kind: int(share)
        for kind, share in re.findall(
            r"^(\S.*?) +\d+ pairs \{'token F1': '(\d+)%'", printed["agree-kinds"], re.MULTILINE
        )
    }
    assert found["one right, one wrong"] > 85 and abs(found["with a slip"] - 74) <= 3
    assert 40 < found["both wrong"] < 60 and 50 < found["both right by the handbook"] < 70


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
    assert said == ["0", "1", "0", "2"]
    assert "+14.7 points" in printed["gate-runs"] and "+14.7 points" in printed["rule-careful"]


def test_seventy_three_questions_exclude_a_loss_of_five_points(page, prose):
    z_squared = 1.96**2
    fewest = next(n for n in range(1, 1000) if z_squared / (n + z_squared) < 0.05)
    assert f"{fewest} questions exclude a loss of 5 points" in prose
    assert any(f"OWN_MARGIN, OWN_FEWEST = 0.05, {fewest} " in cell.source for cell in page.code)


def test_what_is_said_of_the_course_s_own_assistants(printed):
    tickets, handbook = (
        gate(recorded_run(new), recorded_run(old), margin=0.05)
        for new, old in (("tickets", "tickets-rules"), ("handbook", "handbook-search"))
    )
    assert tickets.status == 0 and handbook.status == 1 and handbook.overall.difference > 0
    assert handbook.slices["manuals"].high < 0 < handbook.slices["unanswerable"].low
    assert "→ passed" in printed["gate-recorded"] and "→ failed" in printed["gate-recorded"]
    for verdict in (tickets, handbook):
        assert f"{100 * verdict.overall.difference:+.1f} points" in printed["gate-recorded"]


def test_the_price_at_which_both_assistants_cost_the_same(prose, printed):
    right, wrong, silent = {}, {}, {}
    for name in ("handbook", "handbook-search"):
        values = recorded_run(name).values
        right[name], wrong[name] = values["right"].sum(), values["wrong answer given"].sum()
        silent[name] = len(values["right"]) - right[name] - wrong[name]
    assert silent["handbook-search"] == 0
    break_even = silent["handbook"] / (wrong["handbook-search"] - wrong["handbook"])
    assert 0.8 < break_even < 1 and "around one euro the two cost the same" in prose
    spans = re.findall(r"CI ([+-][\d.]+) to ([+-][\d.]+)", printed["outcomes-recorded"])
    signs = [np.sign([float(low), float(high)]).tolist() for low, high in spans]
    assert signs == [[-1, -1], [1, 1], [1, 1]]


def test_what_the_readme_says_of_the_gate(printed):
    said = re.search(r"manuals: -([\d.]+) points \(98.3 % CI -([\d.]+) to -([\d.]+)\)", printed["slices-recorded"])
    loss, most, least = (round(float(number)) for number in said.groups())
    assert f"loses {loss} points on manuals (98.3 % CI {least}–{most}, recorded)" in README
