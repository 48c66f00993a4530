"""The quiz as live radio buttons: reachable by keyboard, answers kept, each explained as soon as it is chosen."""

from __future__ import annotations

from helpers.exercises.quizzes import (
    LETTERS,
    Question,
    Quiz,
    advice,
    explanation_html,
    plain_text,
    record,
    recorded,
    score_line,
    static_html,
)
from helpers.verdict import inline

# Radio labels are one cut-off line by default; sentences need to wrap.
STYLE = (
    "<style>.hands-on-quiz .widget-radio-box label{height:auto;white-space:normal;line-height:1.5;margin-bottom:2px}"
    ".hands-on-quiz .widget-radio{width:auto;max-width:60em}</style>"
)


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
