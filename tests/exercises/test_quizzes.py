"""The quiz: every file is complete, the text is the same twice, answers are graded with a reason, widgets remember."""

from __future__ import annotations

import pytest

from helpers.exercises import progress_file as progress
from helpers.exercises import quizzes
from helpers.exercises.quizzes import build, load, quiz
from helpers.files import DataUnavailable


@pytest.mark.parametrize("name", quizzes.names())
def test_every_quiz_of_the_course_is_complete_and_its_answers_are_not_given_away(name):
    asked = load(name)
    assert len(asked.questions) == (7 if name.endswith("_placement") else 5)
    assert len({question.id for question in asked.questions}) == len(asked.questions)
    assert len({question.right for question in asked.questions}) > 1, "the right letter is always the same"
    longest = 0
    for question in asked.questions:
        options = question.options.values()
        assert 3 <= len(options) <= 5 and question.question and all(o.text and o.why for o in options)
        assert [option.right for option in options].count(True) == 1
        assert (str(question.section) in asked.sections) == bool(asked.sections)
        lengths = {right: max(len(o.text) for o in options if o.right is right) for right in (True, False)}
        longest += lengths[True] > lengths[False]
    assert longest <= len(asked.questions) / 5


def test_a_file_that_is_not_json_is_refused_with_the_cure(tmp_path, monkeypatch):
    (tmp_path / "07.json").write_text("{")
    monkeypatch.setattr(quizzes, "FOLDER", tmp_path)
    with pytest.raises(DataUnavailable, match="07.json is damaged"):
        load("07")


def test_the_listing_gives_no_answer_away_and_is_the_same_twice(capsys):
    quiz("00")
    first = capsys.readouterr().out
    quiz("00")
    assert capsys.readouterr().out == first
    assert first.count("   a) ") == 5
    assert not any(option.why in first for question in load("00").questions for option in question.options.values())
    markup = quizzes.static_html(load("00"))
    assert markup.count("<details") == sum(len(question.options) for question in load("00").questions)
    assert "<script" not in markup and markup.count("✔") == 5


def test_answers_in_code_are_graded_with_a_reason_and_kept(capsys):
    right = "".join(question.right for question in load("00").questions)
    quiz("00", right)
    assert "5 of 5 right." in capsys.readouterr().out
    wrong = ("b" if right[0] == "a" else "a") + right[1:4] + "-"
    quiz("00", wrong.upper())
    said, first = capsys.readouterr().out, load("00").questions[0]
    assert "3 of 5 right, 1 still open." in said
    assert f"1. {wrong[0]}) ✘ Not quite: " + first.options[wrong[0]].why in said
    kept = progress.read()[0]["quizzes"]["00"]
    assert kept["score"] == 5, "a later try takes nothing away"
    assert kept["answers"][first.id] == wrong[0]


@pytest.mark.parametrize("answers", ["abc", "abcdz", ["a"] * 4])
def test_answers_that_cannot_be_graded_give_one_sentence(answers, capsys):
    quiz("00", answers)
    assert "Answer with one letter a question, for example" in capsys.readouterr().out
    assert progress.read()[0]["quizzes"] == {}


@pytest.mark.parametrize("name", ["0O0", "000", "../00", "nothing"])
def test_an_unknown_quiz_gives_one_sentence(name, capsys):
    quiz(name)
    said = capsys.readouterr().out
    assert f"There is no quiz called {name}; " in said and ("did you mean 0" in said or "00" in said)


def test_radio_buttons_explain_a_choice_keep_it_and_come_back_with_it():
    def buttons(box):
        return [child.children[1] for child in box.children[1:-1]]

    box, question = build(load("00")), load("00").questions[0]
    assert all(button.value is None for button in buttons(box))
    buttons(box)[0].value = "a"
    assert question.options["a"].why[:30] in box.children[1].children[2].value
    assert progress.read()[0]["quizzes"]["00"]["answers"] == {question.id: "a"}
    again = build(load("00"))
    assert [button.value for button in buttons(again)] == ["a", None, None, None, None]
    assert "4 still open" in again.children[-1].value


def test_a_placement_quiz_ends_with_the_sections_to_read(capsys):
    asked = load("00b_placement")
    right = {question.id: question.right for question in asked.questions}
    quiz("00b_placement", "".join({**right, "perplexity": "-", "learning_rate": "-"}.values()))
    said = capsys.readouterr().out
    assert "5 of 7 right, 2 still open. To read by your answers: 4 · Training, 5 · Prob" in said
    assert "nothing, you can skip to the exercises." in quizzes.result(asked, right)
    assert "To read" not in quizzes.result(asked, {})
