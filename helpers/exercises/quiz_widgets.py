"""`quiz("00")`, and its live radio buttons: reachable by keyboard, answers kept, each explained once it is chosen."""

from __future__ import annotations

import difflib

from helpers.display.boxes import Box, emit, inline
from helpers.display.frontend import widgets_live
from helpers.exercises.kernel import session
from helpers.exercises.quizzes import (
    LETTERS,
    PLACEMENT,
    Question,
    Quiz,
    advice,
    explanation_html,
    grade,
    load,
    names,
    plain_text,
    record,
    recorded,
    score_line,
    static_html,
)

# Radio labels are one cut-off line by default; sentences need to wrap.
STYLE = (
    "<style>.hands-on-quiz .widget-radio-box label{height:auto;white-space:normal;line-height:1.5;margin-bottom:2px}"
    ".hands-on-quiz .widget-radio{width:auto;max-width:60em}</style>"
)


def quiz(name: str, answers: str | None = None) -> None:
    """Ask the questions of a notebook, or grade `answers`, one letter a question ("-" leaves one out).

    A placement quiz, as in `quiz("00b_placement")`, ends with the sections to read.
    """
    name = f"{name:02d}" if isinstance(name, int) and not isinstance(name, bool) else str(name)
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1, cutoff=0.4)
        known = f"did you mean `{near[0]}`?" if near else f"the quizzes are {', '.join(names())}."
        if not names():
            known = "data/quizzes is missing, so run from a clone of the course."
        Box("note", f"There is no quiz called `{name}`; {known}").show()
        return
    asked = load(name)
    session.enter_quiz(name.removesuffix(PLACEMENT))
    if answers is not None:
        grade(asked, answers)
    elif widgets_live():
        show_live(asked)
    else:
        emit(plain_text(asked), static_html(asked))


def build(asked: Quiz):
    """The quiz as one ipywidgets box, with the answers saved earlier already chosen."""
    import ipywidgets as widgets

    answers = recorded(asked)
    score = widgets.HTML()

    def show_score(notice: str = "") -> None:
        said = " ".join(filter(None, [score_line(asked, answers), advice(asked, answers), notice]))
        score.value = f"<p>{inline(said)}</p>"

    def ask(number: int, question: Question) -> widgets.VBox:
        options = [
            (f"{LETTERS[i]}) {option.text.replace('`', '')}", LETTERS[i]) for i, option in enumerate(question.options)
        ]
        buttons = widgets.RadioButtons(options=options, value=answers.get(question.id), layout={"width": "auto"})
        why = widgets.HTML(explanation_html(question, answers[question.id]) if question.id in answers else "")

        def chosen(change: dict) -> None:
            if change["new"] is None:
                return
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
