"""Five questions at the end of a notebook: `quiz("00")`.

With widgets (a live kernel) the options are radio buttons, which the keyboard reaches, and answers are kept. Without
them (`HANDS_ON_STATIC=1`, GitHub, a terminal) every option unfolds to say why it is right or wrong;
`quiz("00", "bacda")` grades answers given in code. The order of options is always the same.

A placement quiz stands near the start of a notebook instead: `quiz("00b_placement")` asks seven questions and ends with
the sections to read. Its file also has `"sections": {"1": "Tensors and shapes", …}`, and each question names its
`section`.

The file `data/quizzes/00.json`:

    {"title": "…",
     "questions": [{"id": "memory", "question": "…",
                    "options": [{"text": "…", "why": "…", "right": true}, {"text": "…", "why": "…"}, …]}, …]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from helpers.display.boxes import COLORS, Box, inline
from helpers.exercises import progress_file as store
from helpers.files.paths import DATA

FOLDER = DATA / "quizzes"
N_QUESTIONS = 5
PLACEMENT, N_PLACEMENT = "_placement", 7  # how a placement quiz's name ends, and how many questions it has
LETTERS = "abcde"


class QuizError(ValueError):
    """A quiz file that cannot be used; the text is one sentence that says where and why."""


@dataclass(frozen=True)
class Option:
    """One answer; `why` is said once it is chosen."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question with three to five options, exactly one of them right."""

    id: str
    question: str
    options: tuple[Option, ...]
    section: int | None = None  # placement: the section that teaches it

    @property
    def right(self) -> str:
        """Letter of the right option."""
        return LETTERS[next(i for i, option in enumerate(self.options) if option.right)]


@dataclass(frozen=True)
class Quiz:
    """A notebook's quiz; `name` is the notebook's number, "00". With `sections` (number → title) it places a reader."""

    name: str
    title: str
    questions: tuple[Question, ...]
    sections: dict[int, str] = field(default_factory=dict)


def names() -> list[str]:
    """The quizzes that there are, in order."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name: str) -> Quiz:
    """Read and validate one quiz file. Raises QuizError with one sentence."""
    file = FOLDER / f"{name}.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise QuizError(f"data/quizzes/{name}.json is not JSON ({error}): restore it with git checkout.") from None
    return parse(data, name)


def parse(data: Any, name: str) -> Quiz:
    """A Quiz from parsed JSON. Raises QuizError with one sentence saying what is wrong where."""

    def need(condition: bool, problem: str) -> None:
        if not condition:
            raise QuizError(f"data/quizzes/{name}.json: {problem}.")

    placement = name.endswith(PLACEMENT)
    keys, fields = ("title", "questions"), ("id", "question", "options")
    if placement:
        keys, fields = ("title", "sections", "questions"), ("id", "section", "question", "options")
    allowed = "a title and questions" if not placement else "a title, sections and questions"
    need(isinstance(data, dict) and set(data) == set(keys), f"it must hold {allowed}, nothing else")
    need(_is_text(data["title"]), "the title must be a text")
    sections = _sections(data.get("sections", {}))
    need(sections is not None and bool(sections) == placement, "sections must map the numbers 1, 2, 3 … to titles")
    need(isinstance(data["questions"], list), "questions must be a list")
    wanted = N_PLACEMENT if placement else N_QUESTIONS
    need(len(data["questions"]) == wanted, f"it must have {wanted} questions, not {len(data['questions'])}")
    questions = []
    for number, entry in enumerate(data["questions"], 1):
        here = f"question {number}"
        need(isinstance(entry, dict) and set(entry) == set(fields), f"{here} must hold {', '.join(fields)}")
        section = entry.get("section")
        need(not placement or type(section) is int and section in sections, f"{here} names no section of the quiz")
        need(_is_text(entry["id"]) and _is_text(entry["question"]), f"{here} must have an id and a question in words")
        need(entry["id"] not in {q.id for q in questions}, f"{here} repeats the id {entry['id']!r}")
        need(isinstance(entry["options"], list) and 3 <= len(entry["options"]) <= 5, f"{here} must have 3 to 5 options")
        options = []
        for letter, option in zip(LETTERS, entry["options"], strict=False):
            there = f"{here}, option {letter}"
            need(
                isinstance(option, dict) and set(option) <= {"text", "why", "right"},
                f"{there} may hold text, why, right",
            )
            need(_is_text(option.get("text")), f"{there} has no text")
            need(_is_text(option.get("why")), f"{there} does not say why")
            need(isinstance(option.get("right", False), bool), f"{there}: right must be true or false")
            options.append(Option(option["text"], option["why"], option.get("right", False)))
        need(len({o.text for o in options}) == len(options), f"{here} offers one text twice")
        n_right = sum(option.right for option in options)
        need(n_right == 1, f"{here} must have exactly one right option, not {n_right}")
        questions.append(Question(entry["id"], entry["question"], tuple(options), section))
    untested = sorted(set(sections) - {question.section for question in questions})
    need(not untested, f"no question asks about section {untested[0] if untested else 0}")
    return Quiz(name, data["title"], tuple(questions), sections)


def _sections(entry: Any) -> dict[int, str] | None:
    """Titles by number; None where they are not counted 1, 2, 3 …, or a title is no text."""
    if not isinstance(entry, dict) or list(entry) != [str(n) for n in range(1, len(entry) + 1)]:
        return None
    return {int(key): title for key, title in entry.items()} if all(map(_is_text, entry.values())) else None


def record(asked: Quiz, answers: dict[str, str]) -> str:
    """Save the letters chosen so far, by question id; returns one sentence if they could not be saved."""
    score = sum(answers.get(question.id) == question.right for question in asked.questions)

    def change(data: dict) -> None:
        best = max(score, data["quizzes"].get(asked.name, {}).get("score", 0))  # a later try takes nothing away
        data["quizzes"][asked.name] = {"answers": answers, "score": best, "total": len(asked.questions)}

    return store.update(change)


def recorded(asked: Quiz) -> dict[str, str]:
    """The letters saved earlier, by question id; those that no longer fit the quiz are left out."""
    saved = store.read()[0]["quizzes"].get(asked.name, {}).get("answers", {})
    return {q.id: saved[q.id] for q in asked.questions if saved.get(q.id) in set(LETTERS[: len(q.options)])}


def explanation(question: Question, letter: str) -> tuple[bool, str]:
    """Whether the option is right, and the sentence that says so and why."""
    option = question.options[LETTERS.index(letter)]
    return option.right, f"{'Right' if option.right else 'Not quite'}: {option.why}"


def score_line(asked: Quiz, answers: dict[str, str]) -> str:
    """`3 of 5 right, 1 still open.`"""
    right = sum(answers.get(question.id) == question.right for question in asked.questions)
    still_open = sum(question.id not in answers for question in asked.questions)
    return f"{right} of {len(asked.questions)} right{f', {still_open} still open' if still_open else ''}."


def advice(asked: Quiz, answers: dict[str, str], open_is_missed: bool = False) -> str:
    """Which sections to read, in one sentence; "" for a quiz that does not place, and while nothing is missed yet.

    A question left open counts as missed where its reader has said "-", I do not know (`open_is_missed`).
    """
    if not asked.sections:
        return ""
    counted = [q for q in asked.questions if q.id in answers or open_is_missed]
    missed = sorted({q.section for q in counted if answers.get(q.id) != q.right and q.section is not None})
    done = len(counted) == len(asked.questions)
    if not missed:
        return "You can skip to the exercises: no section holds anything that you missed." if done else ""
    if len(missed) == len(asked.sections):
        return "Read all sections, in their order."
    numbers = " and ".join(filter(None, [", ".join(map(str, missed[:-1])), str(missed[-1])]))
    named = ", ".join(f"{number} · {asked.sections[number]}" for number in missed)
    rest = " The others you can skip." if done else " Answer the open questions too."
    return f"Read section{'s' if len(missed) > 1 else ''} {numbers} ({named}).{rest}"


def grade(asked: Quiz, answers: Any) -> None:
    """Keep answers given as letters, and say of each whether and why it is right."""
    if not isinstance(answers, str):
        Box("quiz", asked.title, [f"Answers are one text, a letter a question: {_example(asked)}."]).show()
        return
    letters = [letter for letter in answers.lower() if letter not in " ,;"]
    if len(letters) != len(asked.questions):
        line = f"There are {len(asked.questions)} questions and you gave {len(letters)} answers; `-` leaves one out."
        Box("quiz", asked.title, [line]).show()
        return
    for number, (question, letter) in enumerate(zip(asked.questions, letters, strict=True), 1):
        offered = LETTERS[: len(question.options)]
        if letter not in offered + "-":
            line = f"Question {number} offers {offered[0]} to {offered[-1]}, not `{letter}`; `-` leaves it out."
            Box("quiz", asked.title, [line]).show()
            return
    given = {q.id: letter for q, letter in zip(asked.questions, letters, strict=True) if letter != "-"}
    notice = record(asked, given)
    lines = []
    for number, question in enumerate(asked.questions, 1):
        if question.id in given:
            letter = given[question.id]
            right, why = explanation(question, letter)
            lines.append(f"{'✔' if right else '✘'} {number} {letter}) {why}")
        else:
            lines.append(f"– {number} left out.")
    advised = advice(asked, given, open_is_missed=True)
    Box("quiz", f"{asked.title}: {score_line(asked, given)}", [*lines, *filter(None, [advised, notice])]).show()


def plain_text(asked: Quiz) -> str:
    """Questions and lettered options, without the explanations."""
    lines = [asked.title]
    for number, question in enumerate(asked.questions, 1):
        lines += ["", f"{number}. {question.question.replace('`', '')}"]
        lines += [f"   {LETTERS[i]}) {option.text.replace('`', '')}" for i, option in enumerate(question.options)]
    return "\n".join([*lines, "", _how_to_answer(asked).replace("`", "")])


def _how_to_answer(asked: Quiz) -> str:
    unsure = "; `-` means “I do not know”" if asked.sections else ""
    return f"Answer with one letter a question, for example {_example(asked)}{unsure}."


def _example(asked: Quiz) -> str:
    return f'`quiz("{asked.name}", "{"a" * len(asked.questions)}")`'


def static_html(asked: Quiz) -> str:
    """Questions whose options unfold to their explanation: native elements, so no script and every key works."""
    parts = [f"<div><strong>{inline(asked.title)}</strong> · unfold an answer to see whether it is right, and why."]
    for number, question in enumerate(asked.questions, 1):
        parts.append(f'<p style="margin:10px 0 4px">{number}. {inline(question.question)}</p>')
        for i, option in enumerate(question.options):
            parts.append(
                f'<details style="margin-left:16px"><summary style="cursor:pointer">{LETTERS[i]}) {inline(option.text)}'
                f"</summary>{explanation_html(question, LETTERS[i])}</details>"
            )
    return "".join([*parts, f"<p>{inline(_how_to_answer(asked))}</p></div>"])


def explanation_html(question: Question, letter: str) -> str:
    """The explanation of one option as a marked paragraph."""
    right, why = explanation(question, letter)
    color = COLORS["passed" if right else "not yet"]
    return (
        f'<div style="border-left:4px solid {color};padding:2px 10px;margin:2px 0 6px 16px">'
        f"{'✔' if right else '✘'} {inline(why)}</div>"
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
