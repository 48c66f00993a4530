"""Recorded scores of word problems: shares by story, paired gains, votes of some of the samples."""

from __future__ import annotations

import pytest

from helpers.files import RESULTS, read_json
from helpers.old.tasks import load_problems, load_stories
from helpers.old.trials.step_scores import (
    Voted,
    gain,
    gain_by_story,
    run_of,
    score,
    shares,
    vote_curve,
    vote_gain,
    voted,
)


def run(case: dict, right: str, story: list[int]) -> dict:
    return {"case": case, "found": {"3": {"right": right, "story": story}}}


STORY = [0, 0, 1, 1, 2, 2]
RECORD = {
    "runs": [
        run({"case": "steps", "n": 6}, "110110", STORY),
        run({"case": "answers", "n": 6}, "100000", STORY),
        run({"case": "base", "how": "direct"}, "0000", STORY[:4]),
        {
            "case": {"case": "votes", "samples": 3},
            "found": {
                "3": {
                    "answers": [[5, 5, 4], [1, 7, 7], [2, 2, 2], [None, 9, 9]],
                    "tokens": [[10, 10, 10], [10, 12, 14], [8, 8, 8], [20, 9, 9]],
                    "expected": [5, 7, 3, 9],
                }
            },
        },
    ]
}


def test_a_run_is_found_by_its_case_and_settings():
    assert run_of(RECORD, "base", how="direct") is RECORD["runs"][2]
    with pytest.raises(ValueError, match="No run of the record is"):
        run_of(RECORD, "base", how="examples")


def test_shares_count_right_answers_story_by_story():
    score = shares(run_of(RECORD, "steps"))[3]
    assert (score.right, score.n) == (4, 6) and score.families == {(2, 2): 1, (1, 2): 2}


def test_a_gain_is_paired_and_takes_the_problems_that_both_have_solved():
    found = gain(run_of(RECORD, "steps"), run_of(RECORD, "answers"), 3)
    assert found.difference == pytest.approx(3 / 6) and found.n == 6 and found.low <= found.difference <= found.high
    assert gain(run_of(RECORD, "steps"), run_of(RECORD, "base"), 3).n == 4
    with pytest.raises(KeyError):
        gain(run_of(RECORD, "steps"), run_of(RECORD, "answers"), 2)


def test_stories_that_agree_within_themselves_give_a_wider_interval_than_problems_of_their_own():
    differences = [1, 1, 1, 1, 0, 0, 0, 0] * 4
    together = gain_by_story(differences, [i // 4 for i in range(32)])
    apart = gain_by_story(differences, list(range(32)))
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_vote_of_the_first_samples_is_held_against_the_greedy_reply():
    one, three = vote_curve(RECORD, 3, (1, 3))
    assert (one.share, three.share) == (0.25, 0.75)
    assert one.tokens == 12 and three.tokens == pytest.approx((30 + 36 + 24 + 38) / 4)
    assert three.gain.difference == pytest.approx(0.75 - 3 / 4) and three.gain.n == 4


def test_a_larger_vote_is_held_against_a_smaller_one():
    found = vote_gain(RECORD, 3, 3, 1)
    assert found.difference == pytest.approx(0.75 - 0.25) and found.n == 4
    assert vote_gain(RECORD, 3, 1, 1) == (0, 0, 0, 4)


def test_a_voted_answer_knows_its_votes_and_whether_it_is_right():
    found = voted(RECORD)
    assert found == [Voted(3, 0, 2, True), Voted(3, 0, 2, True), Voted(3, 1, 3, False), Voted(3, 1, 2, True)]
    assert (score(found).right, score(found).n) == (3, 4)
    assert score(answer for answer in found if answer.votes == 3).right == 0


def test_samples_without_any_answer_have_no_votes():
    silent = {
        "case": {"case": "votes"},
        "found": {"3": {"answers": [[None, None]], "tokens": [[9, 9]], "expected": [4]}},
    }
    assert voted({"runs": [RECORD["runs"][0], silent]}) == [Voted(3, 0, 0, False)]


def test_the_recorded_steps_beat_the_answers_alone_on_the_same_problems_after_as_many_tokens():
    record = read_json(RESULTS / "12_steps.json")
    steps, answers = run_of(record, "steps"), run_of(record, "answers")
    assert steps["read"]["steps"] == answers["read"]["steps"]
    assert answers["read"]["tokens"] == pytest.approx(steps["read"]["tokens"], rel=0.005)
    for number in (2, 3):  # of one step and of four, no difference is shown
        found = gain(steps, answers, number)
        assert found.n >= 100 and found.low > 0
    assert shares(run_of(record, "base", how="direct"))[2].share <= 0.1


def test_the_recorded_problems_are_those_of_the_fixed_test_set():
    record = read_json(RESULTS / "12_steps.json")
    names = [story.name for story in load_stories("test")]
    for number, row in run_of(record, "steps")["found"].items():
        problems = [problem for problem in load_problems("test") if len(problem.steps) == int(number)]
        assert [names[place] for place in row["story"]] == [problem.story for problem in problems[: len(row["right"])]]
