"""What 12d_steps and README.md may say of steps, votes and the calculator, held against record, page and outputs."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from helpers.prompting import final_answer
from helpers.tasks import generate_problems, load_problems, load_stories
from helpers.trials import step_scores
from transformers import AutoTokenizer

from helpers.exercises.checking import registry
from helpers.files import RESULTS, read_json
from helpers.models import fetch
from tests.tools.notebook import ROOT, course, output_texts

RECORD = read_json(RESULTS / "12_steps.json")
STEPS, TWIN = (step_scores.run_of(RECORD, case) for case in ("steps", "answers"))
BASE = {how: step_scores.run_of(RECORD, "base", how=how) for how in ("direct", "step by step", "examples")}
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
NUMBERS = (1, 2, 3, 4)
ROOM = {"direct": 48, "step by step": 160, "examples": 96}


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
    assert f"the answers alone solves {twin.right} (one training run each)." in prose
    assert step_scores.gain(STEPS, TWIN, 2).low > 0
    gains = [100 * step_scores.gain(STEPS, TWIN, n).difference for n in (2, 3)]
    assert "writing the lines gains {:.0f} and {:.0f} points".format(*gains) in prose
    assert f"how many of the {gains[0]:.0f} points" in prose


def test_each_adapter_is_one_training_run_and_said_to_be(prose):
    cases = [run["case"] for run in RECORD["runs"]]
    assert [sum(case["case"] == name for case in cases) for name in ("steps", "answers")] == [1, 1]
    assert "Each adapter is one training run with one seed" in prose and "(one training run each, recorded)" in README


def test_the_readme_leaves_the_guesses_to_the_reader():
    row = README[README.index("[12d Steps and votes]") : README.index("[14 Evaluation]")]
    steps, twin = (step_scores.shares(run)[2] for run in (STEPS, TWIN))
    assert f"solves {steps.right} of 100 two-step problems" in row
    assert not re.search(rf"\b{twin.right}\b", row) and "greedy" not in row


def test_the_twins_bars_with_two_and_four_steps_overlap_as_is_said(prose):
    two, four = (step_scores.shares(TWIN)[n] for n in (2, 4))
    assert f"The twin's {four.right} % at four steps and its {two.right} % at two" in prose and two.n == four.n == 100
    assert two.by_family[1] > four.by_family[0] and "the bars overlap" in prose


def test_the_gain_over_the_twin_is_claimed_where_its_interval_lies_above_zero(prose):
    words = {1: "one", 2: "two", 3: "three", 4: "four"}
    claimed = re.search(r"A gain over the twin is shown for ([a-z, ]+) steps?[,;]", prose)[1]
    assert {n for n in NUMBERS if step_scores.gain(STEPS, TWIN, n).low > 0} == {
        n for n in NUMBERS if words[n] in claimed
    }
    shares = [step_scores.shares(STEPS)[n].share for n in NUMBERS]
    assert shares == sorted(shares, reverse=True)
    assert f"from {100 * shares[0]:.0f} % to {100 * shares[-1]:.0f} %" in prose


def test_no_pattern_is_shown_to_help_the_untaught_model_and_the_ratio_of_tokens_is_about_that_of_the_rooms(prose):
    best = 0.0
    for n in NUMBERS:
        tokens = {how: sum(run["found"][str(n)]["tokens"]) / run["case"]["n"] for how, run in BASE.items()}
        assert tokens["step by step"] / tokens["direct"] == pytest.approx(
            ROOM["step by step"] / ROOM["direct"], rel=0.1
        )
        for how, run in BASE.items():
            assert how == "direct" or step_scores.gain(run, BASE["direct"], n).low <= 0
            best = max(best, step_scores.shares(run)[n].share if n > 1 else 0)
    assert f"at most {100 * best:.0f} % are right in any way" in prose
    assert BASE["step by step"]["case"]["n"] == BASE["examples"]["case"]["n"]
    assert f"{BASE['examples']['case']['n']} problems for each of the longer patterns are few" in prose
    high = max(step_scores.gain(BASE[how], BASE["direct"], 2).high for how in ("step by step", "examples"))
    assert f"with two steps, a gain of up to {100 * high:.0f} points is not excluded" in prose


def test_replies_that_used_all_their_room_are_counted_and_said(printed, prose):
    tokens = {how: [run["found"][str(n)]["tokens"] for n in NUMBERS] for how, run in BASE.items()}
    full = {how: [row.count(ROOM[how]) for row in rows] for how, rows in tokens.items()}
    assert all(max(row) == ROOM[how] for how, rows in tokens.items() for row in rows)
    counted = re.findall(r"all its room used: (\d+) of", printed["untaught"])
    assert [int(count) for count in counted] == [full[how][n - 1] for n in NUMBERS for how in BASE]
    assert full["direct"][3] > 0.9 * BASE["direct"]["case"]["n"]
    assert f"{full['direct'][3]} of 50 direct ones and {full['step by step'][3]} of 20 step by step" in prose
    cut = {how: f"{sum(full[how])} of {4 * BASE[how]['case']['n']}" for how in BASE}
    assert f"{cut['direct']} direct replies, {cut['step by step']} step by step and {cut['examples']} behind" in prose
    one, two = full["step by step"][:2]
    assert f"{one} of the 20 first replies with one step and {two} of the 20 with two used all" in prose


def test_the_rooms_of_the_second_turns_are_those_that_were_recorded(prose):
    twice = {how: step_scores.run_of(RECORD, "base", how=how)["found"] for how in ("checked", "two turns")}
    most = {how: max(max(found[str(n)]["tokens"]) for n in NUMBERS) for how, found in twice.items()}
    assert most == {"checked": 160 + 160, "two turns": 48 + 120}
    assert "160 tokens in each turn of the self-check, and 48 and 120 in the two turns" in prose


def test_the_untaught_price_rests_on_no_and_one_right_answer_and_mostly_cut_replies(prose):
    found = [BASE["direct"]["found"][str(n)] for n in (2, 3)]
    assert [row["right"].count("1") for row in found] == [0, 1]
    assert all(row["tokens"].count(ROOM["direct"]) > len(row["tokens"]) / 2 for row in found)
    assert "no right answer with two steps and on a single one with three, and most of its replies were cut" in prose


def test_the_loss_counts_more_tokens_of_a_reply_with_steps_than_of_an_answer(prose):
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    problems = generate_problems(400, "train", 0)
    replies = [p.trace for p in problems], [f"Answer: {p.answer}" for p in problems]
    long, short = (1 + sum(len(tokenizer(text)["input_ids"]) for text in some) / len(some) for some in replies)
    assert f"about {long:.0f} in one with its steps and about {short:.0f} in one with the answer alone" in prose
    assert STEPS["case"]["drills"] == TWIN["case"]["drills"] > 0 and "mix the same *drills*" in prose


def test_wrong_answers_do_not_scatter_and_many_right_ones_are_never_drawn(printed):
    text = printed["votes-scatter"]
    wrong, n, top, right = map(
        int, re.search(r"in (\d+) of (\d+) problems.* has (\d+)% .* answer (\d+)%", text).groups()
    )
    missed, never = map(int, re.search(r"misses (\d+) problems.* in (\d+) of", text).groups())
    assert wrong == n / 2 and top > 3 * right and missed / 3 < never < missed


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
    assert ("which may be chance. But the greedy" in prose) == (step_scores.vote_gain(RECORD, 3, 9, 1).low <= 0)
    assert step_scores.vote_gain(RECORD, 2, 9, 1).low > 0
    assert "over the greedy reply no gain is shown" in prose and "nine votes show no gain over it" in prose
    points_of = step_scores.vote_curve(RECORD, 3)
    assert 8 < points_of[-1].tokens / points_of[0].tokens < 10, "nine times the tokens"


def test_with_one_calculation_no_difference_is_shown_and_with_two_or_three_the_twin_is_near_one_answer(prose):
    gains = {n: step_scores.gain(STEPS, TWIN, n) for n in NUMBERS}
    assert gains[1].low <= 0 <= gains[1].high and "no difference is shown" in prose
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
    assert f"(n = {few.n} and {many.n} elections, three for each problem)" in prose
    assert (
        f"seven of nine samples agree, {100 * many.share:.0f} % of their answers are right, and {100 * few.share:.0f} %"
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


def test_the_rule_reads_a_number_that_the_reply_does_not_give_as_its_answer(printed, prose):
    reply, said = printed["famous"].split("\n\nthe rule reads ")[0], printed["famous"].split("the rule reads ")[1]
    assert "answer" not in reply.lower() and reply.rstrip().endswith("1/3") and said.startswith("3; ")
    assert "15 / 3" in reply and "this is the 3 of “1/3”" in prose
    assert "Let's think step by step. 10 - 9 = 1" in printed["famous"] and "10 - 9 has nothing to do" in prose


def test_on_a_dozen_dev_problems_agreement_shows_nothing_and_in_the_record_it_does(printed, prose):
    (sure, n_sure), (unsure, n_unsure) = (
        map(int, pair) for pair in re.findall(r"agree: (\d+) of (\d+) right", printed["at-work"])
    )
    assert n_sure + n_unsure == 12 and "On these 12 problems, nothing is shown" in prose
    assert sure / n_sure <= unsure / n_unsure
    assert f"no more are right than of the others, {sure} of {n_sure} against {unsure} of {n_unsure}" in prose
    greedy, _, votes = map(int, re.findall(r"'(\d+) of 12'", printed["at-work"]))
    assert greedy == votes and "solve as many as the greedy reply" in prose
    voted = step_scores.voted(RECORD)
    few, many = (step_scores.score(a for a in voted if a.votes in votes) for votes in (range(4), range(7, 10)))
    assert f"{len(voted)} elections: {100 * many.share:.0f} % right from seven votes on" in prose
    assert f"{100 * few.share:.0f} % up to three" in prose and few.share < many.share


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


def test_a_planted_result_is_taken_up_mostly_and_costs_the_answer(printed, prose):
    (right, n), (planted, m) = (map(int, pair) for pair in re.findall(r": (\d+) of (\d+) go on", printed["planted"]))
    assert n == m == 12 and planted > m / 2 and right > n / 2
    assert re.findall(r"right answers: (\d+)", printed["planted"]) == ["4", "0"]
    assert f"4 of these {n} problems come out right" in prose and "behind the wrong one none" in prose


def test_the_planted_problems_are_solved_as_often_without_help(printed, prose):
    dev = [problem for problem in load_problems("dev") if len(problem.steps) in (2, 3)][:24]
    wrong = re.findall(r"^ +-?\d+ for (-?\d+), (?:false|all true): (.*)", printed["sorted"], re.MULTILINE)
    missed = []
    for answer, line in wrong:
        told = [problem for problem in dev if str(problem.answer) == answer]
        if len(told) > 1:  # two problems with one answer: the line names what is counted
            told = [problem for problem in told if line.split()[0].strip(":").lower() in problem.text.lower()]
        missed += told
    assert len(missed) == len(wrong) == 13
    two = [problem for problem in dev if len(problem.steps) == 2]
    assert len(two) == 12 and sum(problem not in missed for problem in two) == 4 and "4 of them are right" in prose


def test_the_lines_before_make_the_last_one_more_probable_in_both_models(printed, prose):
    found = re.findall(r": \+(\d+) nats \(95 % CI \+(\d+) to", printed["read-back-figure"])
    assert len(found) == 4 and all(int(low) > 0 for _, low in found)
    taught, control, untaught, untaught_control = (int(gain) for gain, _ in found)
    assert taught > control > taught / 2 and untaught > untaught_control > untaught / 2
    assert f"{control} nats in place of {taught}, and {untaught_control} in place of {untaught}" in prose
    assert f"So read {control} and {untaught_control} nats as upper estimates" in prose


def test_the_calculator_changes_no_more_replies_than_had_a_false_line(printed, prose):
    assert "lines that are false: 2;" in printed["calculated"] and "Two replies still hold a false line" in prose
    n_right, n, kinds = re.search(r"(\d+) of (\d+) right; wrong: (.*)", printed["sorted"]).groups()
    false = int(re.search(r"'wrong arithmetic': (\d+)", kinds)[1]) if "arithmetic" in kinds else 0
    still_wrong = int(re.search(r"still wrong: (\d+)", printed["calculated"])[1])
    assert int(n) == 24 and int(n) - still_wrong <= int(n_right) + false
    assert "50 - 80" in printed["sorted"] and int(n) - still_wrong < int(n_right) + false / 2
