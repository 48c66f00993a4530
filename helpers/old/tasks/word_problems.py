"""Word problems of one to four steps with whole-number answers, made by chance from hand-written stories.

    problems = generate_problems(100, "train", seed=0)
    problems[0].text       "A bakery fills 4 trays with 6 rolls each. 4 rolls are burnt. How many rolls are good?"
    problems[0].trace      "Rolls: 4 × 6 = 24\nGood rolls: 24 - 4 = 20\nAnswer: 20"
    problems[0].answer     20

A *story* (data/tasks/word_problems/stories.txt) is a setting with several beginnings, events and last events, each with
the arithmetic that it stands for. A problem takes a beginning and some events, in their order. Whole stories are
split into train, dev and test, so what is told in test was never told in train. Numbers are drawn until each result
is a whole number above zero that children know by heart (`fits`): what is hard is to see what to calculate, and to
keep to it for four steps.

What it does not do: fractions, units that must be converted, problems with several right answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from helpers.files.paths import DATA
from helpers.files.safe_files import read_text
from helpers.old.velunda.slots import blocks, choose

FILE = DATA / "tasks" / "word_problems" / "stories.txt"
SPLITS = ("train", "dev", "test")
SIZES = {"dev": 50, "test": 300}  # of each number of steps, in the fixed sets
STEPS = (1, 2, 3, 4)
SIGNS = {"*": "×", "/": "/", "+": "+", "-": "-"}
NAMES = {
    "he": "Tom Omar Luis Ben Ivan Kofi Paul Emil Hugo Sami Noah Jan".split(),
    "she": "Ana Mia Lena Aisha Nora Yuki Rosa Ines Zoe Eva Lily Maya".split(),
}
WORDS = {"he": {"he": "he", "his": "his", "him": "him"}, "she": {"he": "she", "his": "her", "him": "her"}}
WITH_DISTRACTOR, QUESTION_FIRST = 0.25, 0.12  # shares of the problems
SHORT, ROUND = 0.35, 0.35  # of the numbers: one digit, where it could be; tens, likewise

NUMBER = re.compile(r"\[([a-w])(\d+)-(\d+)\]")
SLOT = re.compile(r"<(\w+)>")
STEP = re.compile(r"(?P<label>[^:]+): (?:(?P<to>[yz]) = )?(?P<left>\w+) (?P<op>[-+*/]) (?P<right>\w+)")


class Line(NamedTuple):
    """A sentence of a story; kind: S begins, A stands alone, E happens, L happens last, D distracts."""

    kind: str
    text: str
    steps: tuple[re.Match[str], ...] = ()
    question: str = ""


@dataclass(frozen=True)
class Story:
    """A setting: its words to choose from, and its lines."""

    name: str
    split: str
    words: Mapping[str, tuple[str, ...]]
    lines: tuple[Line, ...]

    def plots(self, n_steps: int) -> list[tuple[Line, ...]]:
        """Every beginning with some events behind it, in their order, that takes `n_steps` steps."""
        starts, events, last = ([line for line in self.lines if line.kind == kind] for kind in "SEL")
        found = [(line,) for line in self.lines if line.kind == "A" and len(line.steps) == n_steps]
        for start in starts:
            for n in range(min(n_steps, len(events)) + 1):
                for middle in combinations(events, n):
                    for end in ((), *((line,) for line in last)):
                        plot = (start, *middle, *end)
                        if sum(len(line.steps) for line in plot) == n_steps:
                            found.append(plot)
        return found


class Step(NamedTuple):
    """One calculation: "Rolls: 4 × 6 = 24"."""

    label: str
    left: int
    op: str
    right: int
    result: int

    def __str__(self) -> str:
        return f"{self.label}: {self.left} {SIGNS[self.op]} {self.right} = {self.result}"


@dataclass(frozen=True)
class Problem:
    """A word problem, how to solve it, and what comes out."""

    text: str
    steps: tuple[Step, ...]
    story: str
    distractor: bool

    @property
    def answer(self) -> int:
        return self.steps[-1].result

    @property
    def trace(self) -> str:
        """The steps, one a line, and the answer in the last line."""
        return "\n".join([*map(str, self.steps), f"Answer: {self.answer}"])


@lru_cache(maxsize=1)
def _stories() -> tuple[Story, ...]:
    return tuple(_parse(*block) for block in blocks(read_text(FILE)))


def load_stories(split: str) -> list[Story]:
    """The stories of a split. Raises ValueError for another split, DataUnavailable where the file is missing."""
    if split not in SPLITS:
        raise ValueError(f"split is one of {', '.join(SPLITS)}, not {split!r}.")
    return [story for story in _stories() if story.split == split]


def _parse(split: str, head: str, rest: str) -> Story:
    words: dict[str, tuple[str, ...]] = {}
    lines = []
    for line in rest.splitlines():
        if line.startswith("@"):
            name, _, options = line[1:].partition(" = ")
            words[name] = tuple(options.split(" | "))
            continue
        text, *more = line[2:].split(" || ")
        steps = []
        for written in more[0].split("; ") if more else []:
            if not (step := STEP.fullmatch(written)):
                raise ValueError(f"{head}: {written!r} is not a step such as 'Rolls: a * b'.")
            steps.append(step)
        lines.append(Line(line[0], text, tuple(steps), more[1] if len(more) > 1 else ""))
    return Story(head[2:], split, words, tuple(lines))


def generate_problems(n: int, split: str, seed: int, steps: Sequence[int] = STEPS) -> list[Problem]:
    """`n` different problems of a split, the same ones for the same seed; the stories and numbers of steps in turn.

    steps: how many steps they take, 1 to 4; a number that stands there twice is met twice as often.
    Raises ValueError for another split or number of steps, and where there are not so many.
    """
    stories = load_stories(split)
    if n < 1 or not steps or not set(steps) <= set(STEPS):
        raise ValueError(f"There are problems of 1 to 4 steps, 1 or more of them, not {n} of {list(steps)} steps.")
    made: dict[str, Problem] = {}
    for problem in _endless(stories, steps, random.Random(f"word problems {split} {seed}"), 60 * n + 1000):
        made.setdefault(problem.text, problem)
        if len(made) == n:
            return list(made.values())
    raise ValueError(f"The stories gave {len(made)} different problems, not {n}.")


def _endless(stories: list[Story], steps: Sequence[int], rng: random.Random, tries: int) -> Iterator[Problem]:
    bag: list[tuple[Story, int]] = []
    plots = {(story.name, n_steps): story.plots(n_steps) for story in stories for n_steps in set(steps)}
    for _ in range(tries):
        if not bag:
            bag = [(story, n_steps) for story in stories for n_steps in steps]
            rng.shuffle(bag)
        story, n_steps = bag.pop()
        known = plots[story.name, n_steps]
        if known and (problem := tell(story, rng.choice(known), rng)):
            yield problem


def tell(story: Story, plot: Sequence[Line], rng: random.Random) -> Problem | None:
    """A problem of this plot, or None where no numbers were found that fit."""
    words = _words(story, rng)
    chosen = [choose(line.text, lambda slot: False, rng.choice) for line in plot]
    for _ in range(200):
        if (found := _numbers(plot, chosen, rng)) is not None:
            break
    else:
        return None
    sentences = [_fill(_put(text, numbers), words) for text, numbers in zip(chosen, found[0], strict=True)]
    written = [step for line in plot for step in line.steps]
    steps = tuple(
        Step(_fill(step["label"], words), left, step["op"], right, result)
        for step, (left, right, result) in zip(written, found[1], strict=True)
    )
    question = _fill(choose(plot[-1].question, lambda slot: False, rng.choice), words)
    distractors = [line for line in story.lines if line.kind == "D"]
    distracted = bool(distractors) and rng.random() < WITH_DISTRACTOR
    if distracted:
        text = choose(rng.choice(distractors).text, lambda slot: False, rng.choice)
        text = _put(text, _draw(text, rng))
        sentences.insert(rng.randint(1, len(sentences)), _fill(text, words))
    first = rng.random() < QUESTION_FIRST and not re.search(r"\b(he|she|they)\b", question)
    parts = [question, *sentences] if first else [*sentences, question]
    return Problem(" ".join(parts), steps, story.name, distracted)


def _words(story: Story, rng: random.Random) -> dict[str, str]:
    kinds = {name: kind for kind, names in NAMES.items() for name in names}
    people = rng.sample(sorted(kinds), 3)
    words = dict(zip("NMK", people, strict=True)) | WORDS[kinds[people[0]]]
    return words | {name: rng.choice(options) for name, options in story.words.items()}


def _fill(text: str, words: Mapping[str, str]) -> str:
    """The text with a word for each slot; a slot in capitals gives a word that begins with one."""

    def word(match: re.Match[str]) -> str:
        slot = match[1]
        if slot in words:
            return words[slot]
        found = words[slot[0].lower() + slot[1:]]
        return found[0].upper() + found[1:]

    while SLOT.search(text):
        text = SLOT.sub(word, text)
    return text[0].upper() + text[1:]


def _draw(text: str, rng: random.Random) -> dict[str, int]:
    """A number for each range in the text, by its letter."""
    return {letter: _number(low, high, rng) for letter, low, high in _ranges(text)}


@lru_cache(maxsize=4096)
def _ranges(text: str) -> list[tuple[str, int, int]]:
    return [(letter, int(low), int(high)) for letter, low, high in NUMBER.findall(text)]


def _put(text: str, numbers: Mapping[str, int]) -> str:
    return NUMBER.sub(lambda match: str(numbers[match[1]]), text)


def _number(low: int, high: int, rng: random.Random) -> int:
    """A number from low to high; one digit and tens are more frequent, as they are in everyday counting."""
    kind = rng.random()
    if kind < SHORT and low < 10:
        return rng.randint(low, min(high, 9))
    drawn = rng.randint(low, high)
    rounded = round(drawn / 10) * 10
    return rounded if kind > 1 - ROUND and low <= rounded <= high else drawn


def _numbers(
    plot: Sequence[Line], chosen: Sequence[str], rng: random.Random
) -> tuple[list[dict[str, int]], list[tuple[int, int, int]]] | None:
    """For each line its numbers by their letters, and (left, right, result) of each step, or None where one does not
    fit."""
    drawn, found = [], []
    x = 0
    for line, text in zip(plot, chosen, strict=True):
        numbers = _draw(text, rng)
        known = numbers | {"x": x}
        for step in line.steps:
            left, right = (int(name) if name.isdigit() else known[name] for name in step.group("left", "right"))
            result = fits(left, step["op"], right)
            if result is None:
                return None
            found.append((left, right, result))
            known[step["to"] or "x"] = result
        x = known["x"] if line.steps else numbers["a"]
        drawn.append(numbers)
    return drawn, found


def fits(left: int, op: str, right: int) -> int | None:
    """The result, where it is one that children know by heart or see at once; otherwise None.

    Sums and differences within 20, and within 100 if one number is a digit or tens and nothing is carried; the
    multiplication table up to 10 × 10, and divisions from it.
    """
    if op in "*/":
        result, whole = (left * right, max(left, right)) if op == "*" else (left // right, max(right, left // right))
        known = whole <= 10 and min(left, right, result) >= 1 and (op == "*" or left % right == 0)
        return result if known else None
    result = left + right if op == "+" else left - right
    total, (a, b) = max(left, result), sorted((left, right) if op == "+" else (result, right))
    carries = a % 10 + b % 10 > 9
    short = a < 10 or a % 10 == 0 or b % 10 == 0
    return result if result > 0 and (total <= 20 or total <= 100 and short and not carries) else None


def load_problems(split: str) -> list[Problem]:
    """The problems to measure on, the same ones for everybody: of each number of steps 50 in dev, 300 in test, in turn.

    Any part from the start holds as many of each number of steps, to within one. Raises ValueError for another split;
    problems to train on come from `generate_problems`.
    """
    if split not in SIZES:
        raise ValueError(f"split is one of {', '.join(SIZES)}, not {split!r}: train is made by generate_problems.")
    columns = [generate_problems(SIZES[split], split, 0, (n_steps,)) for n_steps in STEPS]
    return [problem for row in zip(*columns, strict=True) for problem in row]
