"""Five questions at the end of a notebook: `quiz("00")`.

With widgets (a live kernel) the options are radio buttons, which the keyboard reaches, and answers are kept. Without
them (`HANDS_ON_STATIC=1`, GitHub, a terminal) every option unfolds to say why it is right or wrong;
`quiz("00", "bacda")` grades answers given in code. The order of options is always the same.

A placement quiz, `quiz("00b_placement")`, stands near the start of a notebook and ends with the sections to read.

The file `data/quizzes/00.json` (a placement quiz also has `"sections": {"1": title, …}`, each question its `section`):

    {"title": "…",
     "questions": [{"id": "memory", "question": "…",
                    "options": [{"text": "…", "why": "…", "right": true}, {"text": "…", "why": "…"}, …]}, …]}
"""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from helpers.display.boxes import COLORS, Box, emit, inline
from helpers.display.frontend import widgets_live
from helpers.exercises import progress_file as store
from helpers.files.paths import DATA
from helpers.files.safe_files import read_json

FOLDER = DATA / "quizzes"
PLACEMENT = "_placement"  # how a placement quiz's name ends
LETTERS = "abcde"
# Radio labels are one cut-off line by default; sentences need to wrap.
STYLE = (
    "<style>.hands-on-quiz .widget-radio-box label{height:auto;white-space:normal;line-height:1.5;margin-bottom:2px}"
    ".hands-on-quiz .widget-radio{width:auto;max-width:60em}</style>"
)


class Option(NamedTuple):
    """One answer; `why` is said once it is chosen."""

    text: str
    why: str
    right: bool = False


class Question(NamedTuple):
    """One question with three to five options, exactly one of them right; `section` is the one that teaches it."""

    id: str
    question: str
    options: list[Option]
    section: int | None = None

    @property
    def right(self) -> str:
        """Letter of the right option."""
        return LETTERS[[option.right for option in self.options].index(True)]


class Quiz(NamedTuple):
    """A notebook's quiz; `name` is the notebook's number, "00". With `sections` (number → title) it places a reader."""

    name: str
    title: str
    questions: list[Question]
    sections: dict[str, str]


def quiz(name: str, answers: str | None = None) -> None:
    """Ask the questions of a notebook, or grade `answers`, one letter a question ("-" leaves one out)."""
    name = f"{name:02d}" if isinstance(name, int) and not isinstance(name, bool) else str(name)
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.4)
        known = f"did you mean `{near[0]}`?" if near else f"the quizzes are {', '.join(names())}."
        Box("note", f"There is no quiz called `{name}`; {known}").show()
        return
    asked, number = load(name), name.removesuffix(PLACEMENT)
    if not store.session.notebook.startswith(f"{number}_"):  # known better where an exercise has run
        store.session.notebook = number
    if answers is not None:
        grade(asked, answers)
    elif widgets_live():
        show_live(asked)
    else:
        emit(plain_text(asked), static_html(asked))


def names() -> list[str]:
    """The quizzes that there are, in order."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name: str) -> Quiz:
    """Read one quiz file. Raises DataUnavailable, one sentence with the cure, where it is missing or damaged."""
    data = read_json(FOLDER / f"{name}.json")
    questions = [Question(**{**q, "options": [Option(**option) for option in q["options"]]}) for q in data["questions"]]
    return Quiz(name, data["title"], questions, data.get("sections", {}))


def grade(asked: Quiz, answers: Any) -> None:
    """Keep answers given as letters, and say of each whether and why it is right."""
    letters = [letter for letter in str(answers).lower() if letter not in " ,;"]
    if problem := _ungradable(asked, answers, letters):
        Box("quiz", asked.title, [problem]).show()
        return
    given = {q.id: letter for q, letter in zip(asked.questions, letters, strict=True) if letter != "-"}
    notice = record(asked, given)
    lines = []
    for number, question in enumerate(asked.questions, 1):
        if letter := given.get(question.id):
            right, why = explanation(question, letter)
            lines.append(f"{'✔' if right else '✘'} {number} {letter}) {why}")
        else:
            lines.append(f"– {number} left out.")
    advised = advice(asked, given, open_is_missed=True)
    Box("quiz", f"{asked.title}: {score_line(asked, given)}", [*lines, *filter(None, [advised, notice])]).show()


def _ungradable(asked: Quiz, answers: Any, letters: list[str]) -> str:
    if not isinstance(answers, str):
        return f"Answers are one text, a letter a question: {_example(asked)}."
    if len(letters) != len(asked.questions):
        return f"There are {len(asked.questions)} questions and you gave {len(letters)} answers; `-` leaves one out."
    for number, (question, letter) in enumerate(zip(asked.questions, letters, strict=True), 1):
        offered = LETTERS[: len(question.options)]
        if letter not in offered + "-":
            return f"Question {number} offers {offered[0]} to {offered[-1]}, not `{letter}`; `-` leaves it out."
    return ""


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
    missed = sorted({q.section for q in counted if answers.get(q.id) != q.right})
    done = len(counted) == len(asked.questions)
    if not missed:
        return "You can skip to the exercises: no section holds anything that you missed." if done else ""
    if len(missed) == len(asked.sections):
        return "Read all sections, in their order."
    numbers = " and ".join(filter(None, [", ".join(map(str, missed[:-1])), str(missed[-1])]))
    named = ", ".join(f"{number} · {asked.sections[str(number)]}" for number in missed)
    rest = " The others you can skip." if done else " Answer the open questions too."
    return f"Read section{'s' if len(missed) > 1 else ''} {numbers} ({named}).{rest}"


def plain_text(asked: Quiz) -> str:
    """Questions and lettered options, without the explanations."""
    lines = [asked.title]
    for number, question in enumerate(asked.questions, 1):
        lines += ["", f"{number}. {question.question}"]
        lines += [f"   {letter}) {option.text}" for letter, option in zip(LETTERS, question.options, strict=False)]
    return "\n".join([*lines, "", _how_to_answer(asked)]).replace("`", "")


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
        for letter, option in zip(LETTERS, question.options, strict=False):
            summary = f'<summary style="cursor:pointer">{letter}) {inline(option.text)}</summary>'
            folded = f"{summary}{explanation_html(question, letter)}"
            parts.append(f'<details style="margin-left:16px">{folded}</details>')
    return "".join([*parts, f"<p>{inline(_how_to_answer(asked))}</p></div>"])


def explanation_html(question: Question, letter: str) -> str:
    """The explanation of one option as a marked paragraph."""
    right, why = explanation(question, letter)
    style = f"border-left:4px solid {COLORS['passed' if right else 'not yet']};padding:2px 10px;margin:2px 0 6px 16px"
    return f'<div style="{style}">{"✔" if right else "✘"} {inline(why)}</div>'


def build(asked: Quiz) -> Any:
    """The quiz as one ipywidgets box, with the answers saved earlier already chosen."""
    import ipywidgets as widgets

    answers = recorded(asked)
    score = widgets.HTML()

    def show_score(notice: str = "") -> None:
        said = " ".join(filter(None, [score_line(asked, answers), advice(asked, answers), notice]))
        score.value = f"<p>{inline(said)}</p>"

    def ask(number: int, question: Question) -> widgets.VBox:
        options = [
            (f"{letter}) {o.text.replace('`', '')}", letter)
            for letter, o in zip(LETTERS, question.options, strict=False)
        ]
        buttons = widgets.RadioButtons(options=options, value=answers.get(question.id), layout={"width": "auto"})
        why = widgets.HTML(explanation_html(question, answers[question.id]) if question.id in answers else "")

        def chosen(change: dict) -> None:
            if change["new"] is not None:
                answers[question.id] = change["new"]
                why.value = explanation_html(question, change["new"])
                show_score(record(asked, answers))

        buttons.observe(chosen, names="value")
        return widgets.VBox([widgets.HTML(f"<p>{number}. {inline(question.question)}</p>"), buttons, why])

    show_score()
    questions = [ask(number, question) for number, question in enumerate(asked.questions, 1)]
    box = widgets.VBox([widgets.HTML(f"{STYLE}<strong>{inline(asked.title)}</strong>"), *questions, score])
    box.add_class("hands-on-quiz")
    return box


def show_live(asked: Quiz) -> None:
    """Display the widgets; text and foldable HTML go along for readers of the saved notebook."""
    from IPython.display import display

    bundle = build(asked)._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    display({**data, "text/plain": plain_text(asked), "text/html": static_html(asked)}, raw=True)
