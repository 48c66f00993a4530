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

    @property
    def verdict(self) -> str:
        return f"{'✔ Right' if self.right else '✘ Not quite'}: {self.why}"

    @property
    def html(self) -> str:
        color = COLORS["passed" if self.right else "not yet"]
        style = f"border-left:4px solid {color};padding:2px 10px;margin:2px 0 6px 16px"
        return f'<div style="{style}">{inline(self.verdict)}</div>'


class Question(NamedTuple):
    """One question with its options by letter, exactly one of them right; `section` is the one that teaches it."""

    id: str
    question: str
    options: dict[str, Option]
    section: int | None = None

    @property
    def right(self) -> str:
        """Letter of the right option."""
        return next(letter for letter, option in self.options.items() if option.right)


class Quiz(NamedTuple):
    """A notebook's quiz; `name` is the notebook's number, "00". With `sections` (number → title) it places a reader."""

    name: str
    title: str
    questions: list[Question]
    sections: dict[str, str]

    @property
    def how_to_answer(self) -> str:
        unsure = "; `-` means “I do not know”" if self.sections else ""
        example = f'`quiz("{self.name}", "{"a" * len(self.questions)}")`'
        return f"Answer with one letter a question, for example {example}{unsure}."


def quiz(name: str, answers: str | None = None) -> None:
    """Ask the questions of a notebook, or grade `answers`, one letter a question ("-" leaves one out)."""
    if name not in names():
        near = difflib.get_close_matches(str(name), names(), n=1, cutoff=0.4)
        known = f"did you mean `{near[0]}`?" if near else f"the quizzes are {', '.join(names())}."
        Box("note", f"There is no quiz called `{name}`; {known}").show()
        return
    asked, number = load(name), name.split("_")[0]
    if not store.session.notebook.startswith(f"{number}_"):  # known better where an exercise has run
        store.session.notebook = number
    if answers is not None:
        grade(asked, answers)
    elif widgets_live():
        show_live(asked)
    else:
        emit(plain_text(asked), static_html(asked))


def names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name: str) -> Quiz:
    """Read one quiz file. Raises DataUnavailable, one sentence with the cure, where it is missing or damaged."""
    data = read_json(FOLDER / f"{name}.json")
    questions = []
    for stated in data["questions"]:
        options = {letter: Option(**option) for letter, option in zip(LETTERS, stated["options"], strict=False)}
        questions.append(Question(**{**stated, "options": options}))
    return Quiz(name, data["title"], questions, data.get("sections", {}))


def grade(asked: Quiz, answers: str) -> None:
    """Keep answers given as letters, and say of each whether and why it is right."""
    letters = [letter for letter in str(answers).lower() if letter not in " ,;"]
    pairs = list(zip(asked.questions, letters, strict=False))
    if len(letters) != len(asked.questions) or not all(letter in {*q.options, "-"} for q, letter in pairs):
        Box("quiz", asked.title, [asked.how_to_answer]).show()
        return
    given = {question.id: letter for question, letter in pairs}
    lines = [
        f"{number}. {f'{letter}) {question.options[letter].verdict}' if letter != '-' else 'left out'}"
        for number, (question, letter) in enumerate(pairs, 1)
    ]
    notice = record(asked, given)
    Box("quiz", asked.title, [*lines, result(asked, given), *filter(None, [notice])]).show()


def record(asked: Quiz, answers: dict[str, str]) -> str:
    """Save the letters chosen so far, by question id; returns one sentence if they could not be saved."""
    score = sum(answers.get(question.id) == question.right for question in asked.questions)

    def change(data: dict) -> None:
        best = max(score, data["quizzes"].get(asked.name, {}).get("score", 0))  # a later try takes nothing away
        data["quizzes"][asked.name] = {"answers": answers, "score": best, "total": len(asked.questions)}

    return store.update(change)


def result(asked: Quiz, answers: dict[str, str]) -> str:
    """`3 of 5 right, 1 still open.`, and for a quiz that places its reader, which sections to read."""
    right = sum(answers.get(question.id) == question.right for question in asked.questions)
    still_open = sum(answers.get(question.id, "-") == "-" for question in asked.questions)
    score = f"{right} of {len(asked.questions)} right{f', {still_open} still open' if still_open else ''}."
    if not asked.sections or not answers:
        return score
    missed = sorted({q.section for q in asked.questions if answers.get(q.id, q.right) != q.right})
    named = ", ".join(f"{number} · {asked.sections[str(number)]}" for number in missed)
    return f"{score} To read by your answers: {named or 'nothing, you can skip to the exercises'}."


def plain_text(asked: Quiz) -> str:
    """Questions and lettered options, without the explanations."""
    lines = [asked.title]
    for number, question in enumerate(asked.questions, 1):
        lines += ["", f"{number}. {question.question}"]
        lines += [f"   {letter}) {option.text}" for letter, option in question.options.items()]
    return "\n".join([*lines, "", asked.how_to_answer]).replace("`", "")


def static_html(asked: Quiz) -> str:
    """Questions whose options unfold to their explanation: native elements, so no script and every key works."""
    parts = [f"<div><strong>{inline(asked.title)}</strong> · unfold an answer to see whether it is right, and why."]
    for number, question in enumerate(asked.questions, 1):
        parts.append(f'<p style="margin:10px 0 4px">{number}. {inline(question.question)}</p>')
        for letter, option in question.options.items():
            summary = f'<summary style="cursor:pointer">{letter}) {inline(option.text)}</summary>'
            parts.append(f'<details style="margin-left:16px">{summary}{option.html}</details>')
    return "".join([*parts, f"<p>{inline(asked.how_to_answer)}</p></div>"])


def build(asked: Quiz) -> Any:
    """The quiz as one ipywidgets box, with the answers saved earlier already chosen."""
    import ipywidgets as widgets

    saved = store.read()[0]["quizzes"].get(asked.name, {}).get("answers", {})
    answers = {q.id: saved[q.id] for q in asked.questions if saved.get(q.id) in q.options}  # the quiz may be newer
    score = widgets.HTML(result(asked, answers))

    def ask(number: int, question: Question) -> widgets.VBox:
        options = [(f"{letter}) {o.text.replace('`', '')}", letter) for letter, o in question.options.items()]
        buttons = widgets.RadioButtons(options=options, value=answers.get(question.id), layout={"width": "auto"})
        why = widgets.HTML(question.options[answers[question.id]].html if question.id in answers else "")

        def chosen(change: dict) -> None:
            if letter := change["new"]:
                answers[question.id] = letter
                why.value = question.options[letter].html
                notice = record(asked, answers)
                score.value = inline(f"{result(asked, answers)} {notice}")

        buttons.observe(chosen, names="value")
        return widgets.VBox([widgets.HTML(f"<p>{number}. {inline(question.question)}</p>"), buttons, why])

    questions = [ask(number, question) for number, question in enumerate(asked.questions, 1)]
    box = widgets.VBox([widgets.HTML(f"{STYLE}<strong>{inline(asked.title)}</strong>"), *questions, score])
    box.add_class("hands-on-quiz")
    return box


def show_live(asked: Quiz) -> None:
    """Display the widgets; text and foldable HTML go along for readers of the saved notebook."""
    from IPython.display import display

    live = build(asked)._repr_mimebundle_()
    display({**live, "text/plain": plain_text(asked), "text/html": static_html(asked)}, raw=True)
