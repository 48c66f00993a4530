"""The record `12_steps.json` read: shares by number of steps, paired gains, and what more samples are worth.

    record = read_json(RESULTS / "12_steps.json")
    shares(run_of(record, "steps"))[2]                             # Score of the two-step problems
    gain(run_of(record, "steps"), run_of(record, "answers"), 2)    # paired, over the same problems
    vote_curve(record, 3)                                          # 1, 3, 5, 9 samples against the greedy reply
    score(answer for answer in voted(record) if answer.votes >= 7) # how often are answers right that many samples give?

Problems of one story are right or wrong together, so intervals draw whole stories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from helpers.old.metrics.grouped import Score
from helpers.old.prompting.voting import majority
from helpers.stats.intervals import bootstrap_ratio

Run = Mapping[str, Any]


class Gain(NamedTuple):
    """How much larger the share of right answers is, its 95 % interval, and over how many problems."""

    difference: float
    low: float
    high: float
    n: int


class VotePoint(NamedTuple):
    """samples: that vote; share: of right answers; tokens: written for a problem, on average; gain: against greedy."""

    samples: int
    share: float
    tokens: float
    gain: Gain


class Voted(NamedTuple):
    """The answer that most samples gave. steps: of the problem; story: its place; votes: how many samples said so."""

    steps: int
    story: int
    votes: int
    right: bool


def run_of(record: Mapping[str, Any], case: str, **settings: Any) -> Run:
    """The run of a case, such as "steps", "answers" or "base" with how="direct". Raises ValueError for none."""
    wanted = {"case": case} | settings
    for run in record["runs"]:
        if wanted.items() <= run["case"].items():
            return run
    raise ValueError(f"No run of the record is {wanted}: known are {[run['case'] for run in record['runs']]}.")


def shares(run: Run) -> dict[int, Score]:
    """By number of steps: how many of the problems were right, story by story."""
    return {
        int(number): Score.of(
            (str(story), digit == "1") for story, digit in zip(row["story"], row["right"], strict=True)
        )
        for number, row in run["found"].items()
    }


def gain(run: Run, other: Run, number: int) -> Gain:
    """How much better `run` is than `other` on the problems of this number of steps that both have solved."""
    a, b = run["found"][str(number)], other["found"][str(number)]
    n = min(len(a["right"]), len(b["right"]))
    differences = [int(x) - int(y) for x, y in zip(a["right"][:n], b["right"][:n], strict=True)]
    return gain_by_story(differences, a["story"][:n])


def gain_by_story(differences: Sequence[float], stories: Sequence[Any]) -> Gain:
    """The mean of differences, problem by problem, with an interval that draws whole stories."""
    names = sorted(set(stories))
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for difference, story in zip(differences, stories, strict=True):
        sums[names.index(story)] += difference
        counts[names.index(story)] += 1
    low, high = bootstrap_ratio(sums, counts)
    return Gain(float(np.mean(differences)), low, high, len(differences))


def vote_curve(record: Mapping[str, Any], number: int, samples: Iterable[int] = (1, 3, 5, 9)) -> list[VotePoint]:
    """Right answers and tokens by the number of samples that vote, each point over all recorded seeds: a problem's
    share of right votes is held against its greedy reply."""
    greedy = run_of(record, "steps")["found"][str(number)]
    runs = [run["found"][str(number)] for run in record["runs"] if run["case"]["case"] == "votes"]
    points = []
    for k in samples:
        right = np.mean([right_votes(row, k) for row in runs], axis=0)
        n = len(right)
        differences = right - np.array([int(digit) for digit in greedy["right"][:n]])
        tokens = np.mean([np.sum([each[:k] for each in row["tokens"]], axis=1) for row in runs])
        points.append(VotePoint(k, float(right.mean()), float(tokens), gain_by_story(differences, greedy["story"][:n])))
    return points


def vote_gain(record: Mapping[str, Any], number: int, samples: int, before: int) -> Gain:
    """How much better the vote of `samples` drawn replies is than that of `before` of them, over all recorded seeds."""
    rows = [run["found"][str(number)] for run in record["runs"] if run["case"]["case"] == "votes"]
    more, fewer = (np.mean([right_votes(row, k) for row in rows], axis=0) for k in (samples, before))
    story = run_of(record, "steps")["found"][str(number)]["story"]
    return gain_by_story((more - fewer).tolist(), story[: len(more)])


def right_votes(row: Mapping[str, Any], samples: int) -> list[bool]:
    """For each problem: is the vote of its first samples right?"""
    return [majority(given[:samples]) == answer for given, answer in zip(row["answers"], row["expected"], strict=True)]


def voted(record: Mapping[str, Any]) -> list[Voted]:
    """What all recorded samples of each problem agreed on, and by how many votes; 0 where none has an answer."""
    found = []
    for run in record["runs"]:
        if run["case"]["case"] != "votes":
            continue
        for number, row in run["found"].items():
            story = run_of(record, "steps")["found"][number]["story"]
            for place, (given, expected) in enumerate(zip(row["answers"], row["expected"], strict=True)):
                winner = majority(given)
                votes = 0 if winner is None else given.count(winner)
                found.append(Voted(int(number), story[place], votes, winner == expected))
    return found


def score(answers: Iterable[Voted]) -> Score:
    """How many of these answers are right, story by story."""
    return Score.of((str(answer.story), answer.right) for answer in answers)
