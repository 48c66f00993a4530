"""What 14_evaluation and README.md may say of metrics, raters and the gate, held against data, page and outputs."""

from __future__ import annotations

import re

import pytest

from helpers.evaluation import gate, load_codes, load_failures, load_pairs, load_ratings, load_suite
from helpers.files import RESULTS, read_json
from helpers.trials.missed_failures import OVERLAPS, cuts, mean_by_category, missed_by_category, scores
from helpers.trials.six_answers import KINDS, load_six
from helpers.trials.suites_recorded import recorded_run
from helpers.velunda import load_handbook, load_tickets
from helpers.velunda.tickets import MORE
from tests.tools import hygiene
from tests.tools.notebook import ROOT, course, output_texts

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def page():
    return course().page("14_evaluation")


@pytest.fixture(scope="module")
def prose(page):
    return " ".join(page.prose.split())


@pytest.fixture(scope="module")
def printed(page):
    return {cell.id: "".join(output_texts(cell)) for cell in page.code}


# The six answers -----------------------------------------------------------------------------------------------------


def test_six_answers_three_right_two_dangerous_and_the_handbook_says_so():
    case = load_six()
    assert [answer.name for answer in case.answers] == list("ABCDEF")
    assert [sum(answer.kind == kind for answer in case.answers) for kind in KINDS] == [3, 2, 1]
    assert case.quote in load_handbook()[case.document].text


def test_the_dangerous_answers_differ_from_the_reference_in_a_few_words():
    case = load_six()
    for answer in case.answers:
        if answer.kind == "dangerous":
            assert len(set(answer.text.split()) ^ set(case.reference.split())) <= 8


def test_three_of_four_metrics_put_a_dangerous_answer_first(printed, prose):
    assert "3 metrics" in printed["rank"]
    assert "three of four metrics put a dangerous answer first" in prose


# Failures ------------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_forty_failures(prose):
    failures, codes = load_failures(), load_codes("language model 1")
    assert len(failures) == 40
    scored = scores(failures, OVERLAPS)
    missed = missed_by_category(scored, cuts(OVERLAPS, keep=0.9), codes, failures)
    assert list(missed)[:2] == ["refused in view", "neighbor's value"]
    for name in OVERLAPS:
        assert sum(row[name] for row in missed.values()) > 40 / 3
    assert {missed["half an answer"][name] for name in ("exact match", "token F1", "ROUGE-1")} == {5}
    means = mean_by_category(scored, codes)
    refused, wrong = (f"{means[kind]['token F1']:.2f}" for kind in ("refused in view", "neighbor's value"))
    assert f"A harmless refusal has a mean F1 of {refused}, a wrong value {wrong}." in prose


# Raters --------------------------------------------------------------------------------------------------------------


def test_what_is_said_of_pairs_and_raters(prose, printed):
    pairs, ratings = load_pairs(), load_ratings()
    assert f"{len(pairs)} pairs of answers to {len({pair.question_id for pair in pairs})} questions" in prose
    given = {pair.id: {rating.overall for rating in ratings if rating.pair == pair.id} for pair in pairs}
    same = sum(len(values) == 1 for values in given.values())
    assert f"the same preference in {same} of {len(pairs)} pairs" in printed["ceiling"]


def test_how_often_token_f1_agrees(prose, printed):
    [share] = [word for word in printed["agree"].split("? ")[1].split() if word.isdigit()][:1]
    assert f"token F1 prefers the raters' answer in {share} % of the pairs" in prose


# Contamination -------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_leak(prose, printed):
    runs = {run["case"]["leak"]: run for run in read_json(RESULTS / "14_contamination.json")["runs"]}
    assert list(runs) == ["nothing", "first tickets", "second tickets"]
    suite = load_suite("tickets")
    n_families = len({item.group for item in suite.items})
    assert f"{len(suite.items)} fresh tickets. These come in {n_families} *families*" in prose
    assert runs["first tickets"]["added"] == n_families
    assert f"its {len(load_tickets('train')) + len(load_tickets(MORE)):,} training tickets" in prose
    assert runs["first tickets"]["found by leaked"] == {"first tickets": n_families, "second tickets": 0}
    rise = {
        part: runs["first tickets"]["right"][part].count("1") - marks.count("1")
        for part, marks in runs["nothing"]["right"].items()
    }
    assert rise["first tickets"] > rise["second tickets"] > 0


def test_the_record_holds_a_mark_for_each_ticket():
    run = read_json(RESULTS / "14_contamination.json")["runs"][0]
    assert {part: len(marks) for part, marks in run["right"].items()} == {
        "first tickets": 77,
        "second tickets": 77,
        "older test split": len(load_tickets("test")),
    }


def test_what_the_readme_says_of_agreement_and_of_the_leak(page, printed):
    [figure] = [cell for cell in page.code if cell.id == "agree-figure"]
    [alt] = hygiene.alt_texts(figure)
    assert "token F1 74%" in alt and "longer answer 47%" in alt
    assert "token F1 prefers the answer that three raters" in README and "prefer in 74 %" in README
    assert "the length of the answer in 47 %" in README
    said = re.search(r"second tickets: .* ([+−][\d.]+) points \(([+−][\d.]+) to ([+−][\d.]+)\)", printed["leaks"])
    low, high = (round(float(number.replace("−", "-"))) for number in said.groups()[1:])
    clean, leak = (run["right"]["second tickets"] for run in read_json(RESULTS / "14_contamination.json")["runs"][:2])
    rise = round(100 * (leak.count("1") - clean.count("1")) / len(clean))
    assert f"gains {rise} points (95 % CI {low}–{high}, recorded) on the other half" in README


def test_token_f1_is_ahead_of_chrf_by_a_hair(printed, prose):
    said = re.search(r"token F1 minus chrF: .* CI ([+-]\d+) to", printed["paired"])
    assert f"the lower end of that interval is at {said[1]}" in prose


# The gate ------------------------------------------------------------------------------------------------------------


def test_the_suite_has_75_questions_in_three_slices(prose):
    suite = load_suite("handbook")
    assert f"The *suite* is {len(suite.items)} everyday questions" in prose and len(suite.slices) == 3


def test_what_the_gate_said(printed):
    assert "exit status: 0" in printed["gate"] and "exit status: 1" in printed["gate"]
    assert "exit status: 2" in printed["gate-careful"] and "The gate passed" in printed["gate-careful"]


def test_what_is_said_of_the_course_s_own_assistants(printed):
    tickets, handbook = (
        gate(recorded_run(new), recorded_run(old), margin=0.05)
        for new, old in (("tickets", "tickets-rules"), ("handbook", "handbook-search"))
    )
    assert tickets.status == 0 and handbook.status == 1 and handbook.overall.difference > 0
    assert handbook.slices["manuals"].high < 0 < handbook.slices["unanswerable"].low
    new, old = (recorded_run(name).share("wrong answer given").mean for name in ("handbook", "handbook-search"))
    assert new < old
    assert tickets.sentence in printed["gate-recorded"] and handbook.sentence in printed["gate-recorded"]
