"""What 12d_steps and README.md may say of steps, votes and the calculator, held against record, page and outputs."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from transformers import AutoTokenizer

from helpers.exercises.checking import registry
from helpers.files import RESULTS, read_json
from helpers.models import fetch
from helpers.prompting import final_answer
from helpers.tasks import generate_problems, load_problems, load_stories
from helpers.trials import step_scores
from tests.tools.notebook import ROOT, course, output_texts

RECORD = read_json(RESULTS / "12_steps.json")
STEPS, TWIN = (step_scores.run_of(RECORD, case) for case in ("steps", "answers"))
BASE = {how: step_scores.run_of(RECORD, "base", how=how) for how in ("direct", "step by step", "examples")}
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
NUMBERS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def page():
    return course().page("12d_steps")


@pytest.fixture(scope="module")
def prose(page):
    return " ".join(page.prose.split())


@pytest.fixture(scope="module")
def printed(page):
    return {cell.id: "".join(output_texts(cell)) for cell in page.code}


def points(gain: step_scores.Gain) -> str:
    return f"{100 * gain.difference:+.0f} points (95 % CI {100 * gain.low:+.0f} to {100 * gain.high:+.0f})"


# The task ------------------------------------------------------------------------------------------------------------


def test_the_test_set_has_1200_problems_and_the_course_100_stories(prose):
    problems = load_problems("test")
    assert len(problems) == 1200 and "has 1,200, 300 for each" in prose
    assert [sum(len(p.steps) == n for p in problems) for n in NUMBERS] == [300] * 4
    assert sum(len(load_stories(split)) for split in ("train", "dev", "test")) == 100


def test_about_a_quarter_of_the_problems_hold_a_number_that_distracts():
    problems = generate_problems(400, "train", 5)
    assert 0.2 < sum(problem.distractor for problem in problems) / len(problems) < 0.3


def test_the_problems_solved_live_come_from_the_eight_dev_stories():
    some = [problem for problem in load_problems("dev") if len(problem.steps) in (2, 3)][:24]
    assert len({problem.story for problem in some}) == len(load_stories("dev")) == 8


def test_the_problem_typed_in_at_the_end_is_told_by_no_story(page):
    [cell] = [cell for cell in page.code if cell.id == "desk-asked"]
    assert "museum guide" in cell.source
    for split in ("train", "dev", "test"):
        for story in load_stories(split):
            assert not any("guide" in line.text and "museum" in line.text for line in story.lines)


# The record ----------------------------------------------------------------------------------------------------------


def test_the_twin_read_as_many_tokens_in_more_problems():
    assert STEPS["read"]["steps"] == TWIN["read"]["steps"]
    assert TWIN["read"]["tokens"] == pytest.approx(STEPS["read"]["tokens"], rel=0.005)
    assert TWIN["read"]["rows"] > STEPS["read"]["rows"]
    assert all(45 < run["seconds"] / 60 < 75 for run in (STEPS, TWIN)), "about an hour"


def test_two_steps_are_solved_as_often_as_it_is_said(prose):
    steps, twin = (step_scores.shares(run)[2] for run in (STEPS, TWIN))
    assert steps.n == twin.n == 100
    assert f"{steps.right} of 100 two-step problems, where a twin" in prose
    assert f"the answers alone solves {twin.right}." in prose
    gain = step_scores.gain(STEPS, TWIN, 2)
    assert gain.low > 0
    low, high = (f"{100 * end:.0f}" for end in (gain.low, gain.high))
    assert f"solves {steps.right} of 100 two-step problems" in README and f"solves {twin.right}" in README
    assert f"(+{100 * gain.difference:.0f} points, 95 % CI {low}–{high}, recorded)" in README


def test_the_gain_over_the_twin_is_claimed_where_its_interval_lies_above_zero(prose):
    words = {1: "one", 2: "two", 3: "three", 4: "four"}
    claimed = re.search(r"A gain over the twin is shown for ([a-z, ]+) steps?[,;]", prose)[1]
    assert {n for n in NUMBERS if step_scores.gain(STEPS, TWIN, n).low > 0} == {
        n for n in NUMBERS if words[n] in claimed
    }
    shares = [step_scores.shares(STEPS)[n].share for n in NUMBERS]
    assert shares == sorted(shares, reverse=True)
    assert f"from {100 * shares[0]:.0f} % to {100 * shares[-1]:.0f} %" in prose


def test_no_pattern_is_shown_to_help_the_untaught_model_and_steps_cost_several_times_the_tokens(prose):
    best = 0.0
    for n in NUMBERS:
        tokens = {how: sum(run["found"][str(n)]["tokens"]) / run["case"]["n"] for how, run in BASE.items()}
        assert tokens["step by step"] > 2.5 * tokens["direct"]
        for how, run in BASE.items():
            assert how == "direct" or step_scores.gain(run, BASE["direct"], n).low <= 0
            best = max(best, step_scores.shares(run)[n].share if n > 1 else 0)
    assert f"at most {100 * best:.0f} % are right in any way" in prose
    assert BASE["step by step"]["case"]["n"] == BASE["examples"]["case"]["n"]
    assert f"{BASE['examples']['case']['n']} problems for each of the longer patterns are few" in prose


def test_second_turns_are_said_to_gain_as_far_as_it_is_shown(prose):
    pairs = {"checked": "step by step", "two turns": "direct"}
    gains = [
        step_scores.gain(step_scores.run_of(RECORD, "base", how=how), BASE[before], n)
        for how, before in pairs.items()
        for n in (1, 2)
    ]
    assert all(gain.low <= 0 for gain in gains) == ("no gain is shown for either request" in prose)
    assert f"With {gains[0].n} problems each, no gain" in prose or any(gain.low > 0 for gain in gains)


def test_nine_votes_gain_nothing_that_is_shown_over_the_greedy_reply(prose):
    for n in (2, 3):
        gain, drawn = step_scores.vote_curve(RECORD, n)[-1].gain, step_scores.vote_gain(RECORD, n, 9, 1)
        assert points(gain) in prose and points(drawn) in prose and gain.low <= 0
        assert step_scores.vote_curve(RECORD, n)[0].gain.difference < 0, "one drawn reply is right less often"
    assert ("which is not shown. But the greedy" in prose) == (step_scores.vote_gain(RECORD, 3, 9, 1).low <= 0)
    assert step_scores.vote_gain(RECORD, 2, 9, 1).low > 0
    assert "over the greedy reply no gain is shown" in prose and "gain nothing that is shown" in README
    wrong = [answer for answer in step_scores.voted(RECORD) if not answer.right]
    sure = sum(answer.votes >= 7 for answer in wrong)
    assert f"Of the {len(wrong)} wrong answers that won an election, {sure} did so with seven votes or more" in prose
    points_of = step_scores.vote_curve(RECORD, 3)
    assert 8 < points_of[-1].tokens / points_of[0].tokens < 10, "nine times the tokens"


def test_with_one_calculation_the_two_are_level_and_the_twin_mostly_guesses(prose):
    gains = {n: step_scores.gain(STEPS, TWIN, n) for n in NUMBERS}
    assert gains[1].low <= 0 <= gains[1].high and "with a single calculation the two are level" in README
    assert points(gains[1]) in prose and points(gains[4]) in prose
    trained_on = Counter(problem.answer for problem in generate_problems(600, "train", 1))
    [(commonest, _)] = trained_on.most_common(1)
    for n in (2, 3):
        always = [problem.answer == commonest for problem in load_problems("test") if len(problem.steps) == n][:100]
        assert abs(step_scores.shares(TWIN)[n].right - sum(always)) <= 5, "about as good as one answer for all"
    shares = [step_scores.shares(STEPS)[n].share for n in NUMBERS]
    assert all(share < shares[0] ** n for n, share in zip(NUMBERS[1:], shares[1:], strict=True)), "falls even faster"


def test_a_limit_chosen_on_half_of_the_stories_holds_on_one_of_the_other_halves_only(printed):
    judged = re.findall(r"other stories: .* = (\d+)%", printed["trusted"])
    assert len(judged) == 2 and int(judged[0]) > 75 > 60 > int(judged[1])
    assert len(load_stories("test")) == 2 * 13
    limits = re.findall(r"from (\d+) votes on", printed["trusted"])
    assert limits[0] != limits[1], "the halves do not agree on it"


def test_answers_with_many_votes_are_right_more_often(prose):
    voted = step_scores.voted(RECORD)
    few, many = (step_scores.score(a for a in voted if a.votes in votes) for votes in (range(4), range(7, 10)))
    assert few.share < many.share
    assert (
        f"{100 * few.share:.0f} % of the elected answers are right; with seven votes or more, {100 * many.share:.0f} %"
        in prose
    )
    assert f"(n = {few.n} and {many.n} elections)" in prose
    assert (
        f"{100 * many.share:.0f} % of the answers with seven votes or more are right, and {100 * few.share:.0f} %"
        in README
    )


def test_nine_replies_cost_what_one_reply_of_a_model_with_1_2_billion_weights_costs():
    assert 9 * 134.5e6 == pytest.approx(1.2e9, rel=0.02)


# The page's calculator -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calculated(page):
    """What follows a beginning, if the sampler always says "9" and the page's calculator stands around it."""
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    space = {"re": re, "tokenizer": tokenizer}
    for cell in page.code:
        if cell.id in ("result-text", "calculator"):
            exec(cell.source, space)
    nine = tokenizer("9")["input_ids"][0]
    sampler = space["with_calculator"](lambda logits, ids: torch.tensor([nine] * len(ids)))

    def follow(begun: str, tokens: int = 6) -> str:
        ids = torch.tensor([tokenizer(begun)["input_ids"]])
        for _ in range(tokens):
            ids = torch.cat([ids, sampler(None, ids)[:, None]], dim=1)
        return tokenizer.decode(ids[0])[len(begun) :]

    return follow


@pytest.mark.parametrize(
    ("begun", "written"),
    [
        ("Rolls: 4 × 6 =", " 24\n99"),
        ("Left: 31 - 7 =", " 24\n99"),
        ("X: 44 / 4 =", " 11\n99"),
        ("Missing: 3 - 5 =", " -2\n999"),
        ("Then: -2 + 5 =", " 3\n999"),
        ("Sum: 100 + 100 =", " 200\n9"),
        ("Sum: 10 + 100 = 1", "10\n999"),
        ("Bags: 44 / 9 =", "999999"),  # leaves a remainder
        ("Bags: 7 / 0 =", "999999"),
        ("Answer:", "999999"),
    ],
)
def test_results_are_calculated_and_all_else_is_left_to_the_sampler(calculated, begun, written):
    assert calculated(begun) == written


# What was run live ---------------------------------------------------------------------------------------------------


def test_the_rule_takes_the_equation_for_solved(printed, prose):
    assert "the rule reads 5; " in printed["famous"] and "add 5 to both sides" in printed["famous"]
    assert "happens to be the right one" in prose


def test_five_samples_separate_less_on_dev_than_nine_in_the_record(printed, prose):
    (sure, n_sure), (unsure, n_unsure) = (
        map(int, pair) for pair in re.findall(r"agree: (\d+) of (\d+) right", printed["at-work"])
    )
    assert n_sure + n_unsure == 24 and "separates right from wrong only a little" in prose
    voted = step_scores.voted(RECORD)
    few, many = (step_scores.score(a for a in voted if a.votes in votes) for votes in (range(4), range(7, 10)))
    assert 0 < sure / n_sure - unsure / n_unsure < many.share - few.share
    assert f"and {len(voted)} elections, it separates more: {100 * many.share:.0f} %" in prose


def test_most_of_the_nine_samples_elect_a_wrong_answer(printed):
    right = int(re.search(r"\(right: (\d+)\)", printed["votes-live"])[1])
    elected = int(re.search(r"the nine replies elect (\d+)", printed["mode"])[1])
    replies = [line for line in printed["votes-live"].splitlines() if line.startswith("   ")]
    assert elected != right and sum(line.count(" / ") == 2 for line in replies) >= 5, "a second division"


def test_the_first_two_replies_are_wrong_and_the_taught_one_is_right(printed):
    right = int(re.search(r"\(right: (\d+)\)", printed["demo"])[1])
    replies = re.split(r"\n\n(?:the number only|step by step|taught to write steps):\n", printed["demo"])[1:]
    assert [final_answer(reply) == right for reply in replies] == [False, False, True]
    assert registry()["first_wrong_line"].reference(replies[-1]) is None


def test_a_planted_result_is_taken_up_mostly(printed):
    (right, n), (planted, m) = (map(int, pair) for pair in re.findall(r": (\d+) of (\d+) go on", printed["planted"]))
    assert n == m == 12 and planted > m / 2 and right > n / 2


def test_the_lines_before_make_the_last_one_more_probable_in_both_models(printed):
    found = re.findall(r"taught: \+(\d+) nats \(95 % CI \+(\d+) to", printed["read-back-figure"])
    assert len(found) == 2 and all(int(low) > 0 for _, low in found)


def test_the_calculator_changes_no_more_replies_than_had_a_false_line(printed):
    n_right, n, kinds = re.search(r"(\d+) of (\d+) right; wrong: (.*)", printed["sorted"]).groups()
    false = int(re.search(r"'wrong arithmetic': (\d+)", kinds)[1]) if "arithmetic" in kinds else 0
    still_wrong = int(re.search(r"still wrong: (\d+)", printed["calculated"])[1])
    assert int(n) == 24 and int(n) - still_wrong <= int(n_right) + false
    assert "50 - 80" in printed["sorted"] and int(n) - still_wrong < int(n_right) + false / 2
