"""The quiz: a valid file, deterministic text, answers graded with a reason, widgets that remember."""

from __future__ import annotations

import copy
import json

import pytest

from helpers.exercises import progress_file as progress
from helpers.exercises import quizzes
from helpers.exercises.quiz_widgets import quiz
from helpers.exercises.quizzes import QuizError, load, parse

VALID = json.loads((quizzes.FOLDER / "00.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", quizzes.names())
def test_every_quiz_of_the_course_is_valid(name):
    asked = load(name)
    assert len(asked.questions) == (7 if name.endswith("_placement") else 5)
    assert len({question.right for question in asked.questions}) > 1, "the right letter is always the same"


@pytest.mark.parametrize("name", quizzes.names())
def test_the_right_option_is_not_given_away_by_its_length(name):
    questions = load(name).questions
    longest = 0
    for question in questions:
        lengths = {option.right: 0 for option in question.options}
        for option in question.options:
            lengths[option.right] = max(lengths[option.right], len(option.text))
        longest += lengths[True] > lengths[False]
    assert longest <= len(questions) / 5


def break_at(*path, to):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        if to is None:
            del data[path[-1]]
        else:
            data[path[-1]] = to

    return change


FIRST = ("questions", 0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (break_at("extra", to=1), "it must hold a title and questions, nothing else"),
        (break_at("title", to=""), "the title must be a text"),
        (break_at("questions", to={}), "questions must be a list"),
        (break_at("questions", to=[]), "it must have 5 questions, not 0"),
        (break_at(*FIRST, "id", to=None), "question 1 must hold id, question, options"),
        (break_at(*FIRST, "id", to="memory"), "question 2 repeats the id 'memory'"),
        (break_at(*FIRST, "options", to=[]), "question 1 must have 3 to 5 options"),
        (break_at(*FIRST, "options", 0, "why", to=" "), "question 1, option a does not say why"),
        (break_at(*FIRST, "options", 0, "text", to=None), "question 1, option a has no text"),
        (break_at(*FIRST, "options", 0, "right", to=True), "question 1 must have exactly one right option, not 2"),
        (break_at(*FIRST, "options", 1, "right", to=False), "question 1 must have exactly one right option, not 0"),
        (break_at(*FIRST, "options", 1, "right", to="yes"), "option b: right must be true or false"),
        (break_at(*FIRST, "options", 1, "wrong", to=1), "option b may hold text, why, right"),
    ],
)
def test_an_invalid_file_is_refused_in_one_sentence(change, sentence):
    data = copy.deepcopy(VALID)
    change(data)
    with pytest.raises(QuizError) as caught:
        parse(data, "00")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("data/quizzes/00.json: ")


def test_a_file_that_is_not_json_is_refused_with_the_cure(tmp_path, monkeypatch):
    (tmp_path / "07.json").write_text("{")
    monkeypatch.setattr(quizzes, "FOLDER", tmp_path)
    with pytest.raises(QuizError, match="07.json is not JSON .* git checkout"):
        load("07")


def test_the_listing_gives_no_answer_away_and_is_the_same_twice(capsys):
    quiz("00")
    first = capsys.readouterr().out
    quiz(0)
    assert capsys.readouterr().out == first
    assert first.count("   a) ") == 5
    assert not any(option.why in first for question in load("00").questions for option in question.options)


def test_in_html_every_option_unfolds_to_its_reason():
    markup = quizzes.static_html(load("00"))
    n_options = sum(len(question.options) for question in load("00").questions)
    assert markup.count("<details") == markup.count("<summary") == n_options
    assert "<script" not in markup
    assert markup.count("✔") == 5


def test_answers_in_code_are_graded_with_a_reason_and_kept(capsys):
    right = "".join(question.right for question in load("00").questions)
    quiz("00", right)
    assert "5 of 5 right." in capsys.readouterr().out
    wrong = ("b" if right[0] == "a" else "a") + right[1:4] + "-"
    quiz("00", wrong.upper())
    said = capsys.readouterr().out
    assert "3 of 5 right, 1 still open." in said
    assert f"✘ 1 {wrong[0]}) Not quite: " + load("00").questions[0].options["abc".index(wrong[0])].why in said
    kept = progress.read()[0]["quizzes"]["00"]
    assert kept["score"] == 5, "a later try takes nothing away"
    assert kept["answers"]["what_it_computes"] == wrong[0]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ("abc", "There are 5 questions and you gave 3 answers; `-` leaves one out."),
        ("abcdz", "Question 5 offers a to d, not `z`; `-` leaves it out."),
        (["a"] * 5, "Answers are one text, a letter a question"),
    ],
)
def test_answers_that_cannot_be_graded_give_one_sentence(answers, sentence, capsys):
    quiz("00", answers)
    assert sentence in capsys.readouterr().out
    assert progress.read()[0]["quizzes"] == {}


@pytest.mark.parametrize("name", ["0O0", "000", "../00", "nothing"])
def test_an_unknown_quiz_gives_one_sentence(name, capsys):
    quiz(name)
    said = capsys.readouterr().out
    assert f"There is no quiz called {name}; " in said and ("did you mean 0" in said or "00" in said)


def test_radio_buttons_explain_a_choice_keep_it_and_come_back_with_it():
    from helpers.exercises.quiz_widgets import build

    def buttons(box):
        return [child.children[1] for child in box.children[1:-1]]

    box = build(load("00"))
    assert all(button.value is None for button in buttons(box))
    question = load("00").questions[0]
    buttons(box)[0].value = "a"
    assert question.options[0].why[:30] in box.children[1].children[2].value
    assert progress.read()[0]["quizzes"]["00"]["answers"] == {question.id: "a"}
    again = build(load("00"))
    assert [button.value for button in buttons(again)] == ["a", None, None, None, None]
    assert "4 still open" in again.children[-1].value


def test_saved_answers_that_no_longer_fit_are_dropped():
    progress.update(
        lambda data: data["quizzes"].update({"00": {"answers": {"memory": "z", "gone": "a", "families": "b"}}})
    )
    assert quizzes.recorded(load("00")) == {"families": "b"}


# A placement quiz -----------------------------------------------------------------------------------------------------

PLACING = json.loads((quizzes.FOLDER / "00b_placement.json").read_text(encoding="utf-8"))


def answered(*missed: str, left_out: tuple[str, ...] = ()) -> dict[str, str]:
    """Answers by question id: right, except for the ids in `missed` (wrong) and those left out."""
    questions = load("00b_placement").questions
    wrong = {question.id: "b" if question.right == "a" else "a" for question in questions}
    return {q.id: wrong[q.id] if q.id in missed else q.right for q in questions if q.id not in left_out}


def letters(answers: dict[str, str]) -> str:
    return "".join(answers.get(question.id, "-") for question in load("00b_placement").questions)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (break_at("sections", to=None), "it must hold a title, sections and questions, nothing else"),
        (break_at("sections", to={}), "sections must map the numbers 1, 2, 3 … to titles"),
        (break_at("sections", to={"1": "One", "3": "Three"}), "sections must map the numbers 1, 2, 3 … to titles"),
        (break_at("sections", "2", to=""), "sections must map the numbers 1, 2, 3 … to titles"),
        (break_at("sections", "7", to="More"), "no question asks about section 7"),
        (break_at(*FIRST, "section", to=9), "question 1 names no section of the quiz"),
        (break_at(*FIRST, "section", to="1"), "question 1 names no section of the quiz"),
        (break_at(*FIRST, "section", to=None), "question 1 must hold id, section, question, options"),
        (break_at("questions", to=VALID["questions"]), "it must have 7 questions, not 5"),
    ],
)
def test_an_invalid_placement_quiz_is_refused_in_one_sentence(change, sentence):
    data = copy.deepcopy(PLACING)
    change(data)
    with pytest.raises(QuizError) as caught:
        parse(data, "00b_placement")
    assert sentence in str(caught.value)


def test_a_quiz_at_the_end_may_not_name_sections():
    with pytest.raises(QuizError, match="it must hold a title and questions"):
        parse({**VALID, "sections": {"1": "One"}}, "00")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            answered("broadcast_shape", "perplexity"),
            "Read sections 2 and 5 (2 · Broadcasting and einsum, 5 · Probability",
        ),
        (answered("finite_difference"), "Read section 3 (3 · Gradients). The others you can skip."),
        (answered(left_out=("learning_rate",)), "Read section 4 (4 · Training). The others you can skip."),
        (answered(), "You can skip to the exercises"),
        ({}, "Read all sections, in their order."),
    ],
)
def test_a_placement_quiz_ends_with_the_sections_to_read(answers, sentence, capsys):
    quiz("00b_placement", letters(answers))
    assert sentence in capsys.readouterr().out


def test_while_questions_are_open_the_buttons_advise_only_on_what_is_missed():
    asked = load("00b_placement")
    assert quizzes.advice(asked, {}) == ""
    one_right = {"broadcast_shape": asked.questions[1].right}
    assert quizzes.advice(asked, one_right) == ""
    said = quizzes.advice(asked, {"broadcast_shape": "a"})
    assert said.startswith("Read section 2 ") and said.endswith("Answer the open questions too.")
    assert quizzes.advice(load("00"), {}, open_is_missed=True) == ""


def test_placement_buttons_end_with_the_sections_to_read():
    from helpers.exercises.quiz_widgets import build

    box = build(load("00b_placement"))
    box.children[1].children[1].value = "a"  # wrong, section 1
    assert "Read section 1 (1 · Shapes, strides and views)" in box.children[-1].value


def test_a_placement_quiz_says_how_to_answer_seven_questions(capsys):
    quiz("00b_placement")
    assert 'quiz("00b_placement", "aaaaaaa"); - means “I do not know”' in capsys.readouterr().out


def test_a_placement_quiz_is_no_row_of_the_progress_table(capsys):
    quiz("00b_placement", letters(answered()))
    capsys.readouterr()
    from helpers.exercises.progress_report import table

    assert progress.read()[0]["quizzes"]["00b_placement"]["score"] == 7
    rows = {row.notebook: row.quiz for row in table(progress.read()[0])}
    assert "00b_placement" not in rows and rows["00b_foundations"] == "–"


def test_a_placement_quiz_names_the_sections_of_its_notebook():
    import re

    from tests.tools.notebook import FOLDER, read

    prose = "\n".join(cell.source for cell in read(FOLDER / "00b_foundations.ipynb").cells)
    sections = [f"{number} · {title}" for number, title in load("00b_placement").sections.items()]
    assert sections == re.findall(r"^## (\d+ · .+)$", prose, re.MULTILINE)
