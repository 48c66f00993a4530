"""Word problems: answers that hold, stories that no two splits share, the same problems for everybody."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import pytest

from helpers.files import DATA, DataUnavailable
from helpers.old.tasks import generate_problems, load_problems, load_stories, word_problems
from helpers.old.tasks.word_problems import FILE, SPLITS, STEPS, fits

SETS = {split: load_problems(split) for split in ("dev", "test")}
TRAIN = generate_problems(600, "train", seed=0)
EVERY = [*TRAIN, *SETS["dev"], *SETS["test"]]
OPS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "×": lambda a, b: a * b, "/": lambda a, b: a / b}
LINE = re.compile(r"(.+): (\d+) ([-+×/]) (\d+) = (\d+)")
UNSAID = {2, 3, 4, 5, 6, 100}  # half, twice, a third, points for a win, a box of eggs, percent


def numbers(text: str) -> Counter[int]:
    return Counter(map(int, re.findall(r"\d+", text)))


def test_every_trace_is_right_arithmetic_from_the_numbers_of_the_text_to_the_answer():
    for problem in EVERY:
        *lines, last = problem.trace.split("\n")
        given, made = numbers(problem.text), Counter()
        for line in lines:
            _, left, sign, right, result = LINE.fullmatch(line).groups()
            assert OPS[sign](int(left), int(right)) == int(result), problem
            for operand in (int(left), int(right)):
                assert made[operand] or given[operand] or operand in UNSAID, (operand, problem)
                if made[operand]:
                    made[operand] -= 1
            made[int(result)] += 1
        assert last == f"Answer: {problem.answer}" and +made <= Counter([problem.answer, problem.answer]), problem
        assert len(lines) == len(problem.steps) and problem.answer == int(result)


def test_the_sets_hold_as_many_of_each_number_of_steps_and_every_story():
    assert {split: len(problems) for split, problems in SETS.items()} == {"dev": 200, "test": 1200}
    for split, problems in SETS.items():
        assert set(Counter(len(problem.steps) for problem in problems).values()) == {len(problems) // 4}
        assert Counter(len(problem.steps) for problem in problems[:40]) == dict.fromkeys(STEPS, 10)
        assert {problem.story for problem in problems} == {story.name for story in load_stories(split)}
        assert len({problem.text for problem in problems}) == len(problems)
        assert 0.2 < sum(problem.distractor for problem in problems) / len(problems) < 0.32
    assert {step.op for problem in SETS["test"] for step in problem.steps} == set("+-*/")


def test_the_fixed_sets_are_the_ones_that_were_measured():
    digests = {
        split: hashlib.sha256("\n\n".join(f"{p.text}\n{p.trace}" for p in problems).encode()).hexdigest()[:16]
        for split, problems in SETS.items()
    }
    assert digests == DIGESTS


@pytest.mark.parametrize(
    ("left", "op", "right", "result"),
    [
        (9, "-", 9, None),
        (8, "+", 7, 15),
        (14, "+", 7, None),
        (40, "+", 30, 70),
        (60, "+", 50, None),
        (42, "+", 5, 47),
        (42, "+", 9, None),
        (42, "+", 30, 72),
        (42, "+", 23, None),
        (17, "-", 9, 8),
        (27, "-", 9, None),
        (27, "-", 4, 23),
        (87, "-", 40, 47),
        (86, "-", 36, 50),
        (86, "-", 35, None),
        (10, "*", 10, 100),
        (11, "*", 3, None),
        (48, "/", 8, 6),
        (7, "/", 2, None),
        (48, "/", 2, None),
        (6, "/", 1, 6),
    ],
)
def test_only_what_is_known_by_heart_fits(left, op, right, result):
    assert fits(left, op, right) == result


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: load_problems("train"), "split is one of dev, test, not 'train'"),
        (lambda: load_stories("tests"), "split is one of train, dev, test, not 'tests'"),
        (lambda: generate_problems(0, "dev", 0), "1 or more of them, not 0"),
        (lambda: generate_problems(5, "dev", 0, (5,)), r"problems of 1 to 4 steps, .* of \[5\] steps"),
        (lambda: generate_problems(10**5, "dev", 0, (1,)), "different problems, not 100000"),
    ],
)
def test_what_cannot_be_made_is_refused(call, said, monkeypatch):
    monkeypatch.setattr(word_problems, "_endless", few(word_problems._endless))
    with pytest.raises(ValueError, match=said):
        call()


def few(endless):
    return lambda stories, steps, rng, tries: endless(stories, steps, rng, min(tries, 300))


def test_a_missing_file_says_how_to_get_it_back(monkeypatch, tmp_path):
    monkeypatch.setattr(word_problems, "FILE", tmp_path / "stories.txt")
    word_problems._stories.cache_clear()
    try:
        with pytest.raises(DataUnavailable, match="stories.txt"):
            load_stories("dev")
    finally:
        word_problems._stories.cache_clear()


def test_the_data_card_counts_right():
    card = (DATA / "README.md").read_text(encoding="utf-8")
    counts = ", ".join(f"{split} {len(load_stories(split))}" for split in SPLITS)
    n_stories = sum(len(load_stories(split)) for split in SPLITS)
    assert f"{n_stories} stories ({counts})" in card
    assert f"{len(SETS['dev'])} problems in dev and {len(SETS['test']):,} in test" in card and FILE.exists()


DIGESTS = {"dev": "3aef81ec49292053", "test": "6c1a5a56ffdb3791"}
