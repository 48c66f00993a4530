"""Judges with a planted bias show it; what is not a verdict is none; a trained judge sees no place."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.old.evaluation import (
    BothOrders,
    answer_measures,
    ask_judge,
    fit_judge,
    grade,
    judge_prompt,
    label_judge,
    load_pairs,
    pair_features,
    parse_verdict,
)
from helpers.old.evaluation.judges import UNANSWERED
from helpers.old.prompting.scoring import chat_ids, label_scores
from helpers.transformer import Llama, LlamaConfig

PAIRS = load_pairs("dev")[:30]
PAIR = PAIRS[0]


class Letters:
    """Each character is a token; a conversation is its last message and a colon."""

    def __call__(self, text: str, **_: object) -> dict:
        return {"input_ids": [ord(c) % 40 for c in text]}

    def apply_chat_template(self, turns, **_: object) -> list[int]:
        return self(turns[-1]["content"] + ":")["input_ids"]


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    return Llama(LlamaConfig(40, 16, 2, 2, 24, max_len=4096)).eval()


# The model as a judge ------------------------------------------------------------------------------------------------


def test_a_prompt_shows_the_handbook_and_both_answers_in_the_order_asked_for():
    shown, exchanged = judge_prompt(PAIR), judge_prompt(PAIR, exchanged=True)
    for prompt in (shown, exchanged):
        assert PAIR.question in prompt and PAIR.quote in prompt
        assert PAIR.a.system not in prompt.split("Question:")[1] or PAIR.a.system in PAIR.question
    assert f"Answer A: {PAIR.a.text}\n\nAnswer B: {PAIR.b.text}" in shown
    assert f"Answer A: {PAIR.b.text}\n\nAnswer B: {PAIR.a.text}" in exchanged


def test_a_prompt_hides_gold_reference_and_system():
    hidden = replace(PAIR, reference="", a=replace(PAIR.a, system="", right=not PAIR.a.right), split="")
    assert judge_prompt(hidden) == judge_prompt(PAIR)


def test_where_the_handbook_is_silent_the_prompt_says_so():
    assert UNANSWERED in judge_prompt(replace(PAIR, quote=None, passage=None, document=None))


def test_label_judge_gives_the_scores_of_both_orders(model):
    judged, tokenizer = label_judge(model, Letters(), PAIR), Letters()
    for got, exchanged in ((judged.shown, False), (judged.exchanged, True)):
        (row,) = label_scores(model, tokenizer, [chat_ids(tokenizer, judge_prompt(PAIR, exchanged))], ["A", "B"])
        assert got == pytest.approx(float(row[0] - row[1]), abs=1e-4)


def test_exchanging_a_pair_flips_the_margin_and_keeps_the_position(model):
    other = label_judge(model, Letters(), replace(PAIR, a=PAIR.b, b=PAIR.a))
    judged = label_judge(model, Letters(), PAIR)
    assert other.margin == pytest.approx(-judged.margin, abs=1e-4) and judged.margin != 0
    assert other.position == pytest.approx(judged.position, abs=1e-4)


@pytest.mark.parametrize(
    ("shown", "exchanged", "margin", "position", "flips"),
    [(0.9, 0.7, 0.1, 0.8, True), (1.5, -1.1, 1.3, 0.2, False), (-0.5, -0.7, 0.1, -0.6, True)],
)
def test_both_orders_split_into_margin_and_position(shown, exchanged, margin, position, flips):
    both = BothOrders("p001", shown, exchanged)
    assert both.margin == pytest.approx(margin) and both.position == pytest.approx(position) and both.flips == flips
    assert both.flips == ((shown > 0) == (exchanged > 0)), "it flips exactly where the same letter wins twice"


def test_a_grade_is_log_odds_of_yes_and_depends_on_the_answer(model):
    grades = [grade(model, Letters(), PAIR, text) for text in (PAIR.a.text, PAIR.b.text)]
    assert grades[0] != grades[1] and all(np.isfinite(grades))


# Verdicts in words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("B", "B"),
        ("a", "A"),
        (" **Answer B** ", "B"),
        ("[[A]]", "A"),
        ("Answer B is better.", "B"),
        ("The better answer is A.", "A"),
        ("Both state the price, and one adds a fee.\nFinal verdict: B", "B"),
        ("B\n\nB", "B"),
        ("tie", "tie"),
        ("It's a tie.", "tie"),
        ("", None),
        ("A battery is heavy.", None),
        ("A or B", None),
        ("A\nB", None),
        ("Verdict: A\nVerdict: tie", None),
        ("Answer A is not better.", None),
        ("Neither", None),
        ("AB", None),
        ("incorrect", None),
    ],
)
def test_only_a_whole_line_is_a_verdict_and_two_are_none(reply, verdict):
    assert parse_verdict(reply) == verdict


def always(reply):
    return lambda prompt: reply


def by_text(prompt):
    """A judge that prefers the longer answer, wherever it stands."""
    first, second = prompt.split("Answer A: ")[1].split("\n\nWhich answer")[0].split("\n\nAnswer B: ")
    return "A" if len(first) > len(second) else "B"


def test_a_written_verdict_counts_where_both_orders_agree():
    longer = "a" if len(PAIR.a.text) > len(PAIR.b.text) else "b"
    assert ask_judge(by_text, PAIR) == longer
    assert ask_judge(by_text, replace(PAIR, a=PAIR.b, b=PAIR.a)) == {"a": "b", "b": "a"}[longer]
    assert ask_judge(always("A"), PAIR) == ask_judge(always("B"), PAIR) == ask_judge(always("tie"), PAIR) == "tie"


def test_a_judge_out_of_format_gives_no_verdict_rather_than_a_guess():
    assert ask_judge(always("Both are fine, A has more detail."), PAIR) is None
    replies = iter(["A", "I cannot say."])
    assert ask_judge(lambda prompt: next(replies), PAIR) is None


# The trained judge ---------------------------------------------------------------------------------------------------


def hashed(texts: list[str]) -> np.ndarray:
    """A vector for each text, always the same."""
    rows = np.stack([np.random.default_rng(zlib.crc32(text.encode())).normal(size=8) for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def exchanged(pairs):
    return [replace(pair, a=pair.b, b=pair.a) for pair in pairs]


def test_exchanging_the_answers_flips_the_sign_and_nothing_else():
    X, other = pair_features(PAIRS, hashed), pair_features(exchanged(PAIRS), hashed)
    assert X.shape == (30, 24) and np.array_equal(X, -other)
    judge = fit_judge(X, np.where(X[:, 0] > 0, 1, -1), [pair.question_id for pair in PAIRS])
    assert np.allclose(judge.prefer(X), -judge.prefer(other)) and np.abs(judge.prefer(X)).min() > 0


def test_it_finds_what_raters_go_by_on_questions_that_it_has_not_seen():
    rng = np.random.default_rng(0)
    X, questions = rng.normal(size=(200, 6)), [f"q{i // 4}" for i in range(200)]
    judge = fit_judge(X[:120], np.sign(X[:120, 2]).astype(int), questions[:120])
    assert (np.sign(judge.prefer(X[120:])) == np.sign(X[120:, 2])).mean() > 0.9
    noise = fit_judge(X[:120], rng.choice([-1, 1], 120), questions[:120])
    assert min(noise.losses.values()) > 0.6, "noise was learned across questions"
    assert noise.strength < judge.strength


def test_the_order_in_which_pairs_are_shown_does_not_change_the_fit():
    X, y = pair_features(PAIRS, hashed), np.array([1, -1] * 15)
    flipped = np.where(np.arange(30) % 3 == 0, -1, 1)
    questions = [pair.question_id for pair in PAIRS]
    one, other = fit_judge(X, y, questions), fit_judge(X * flipped[:, None], y * flipped, questions)
    assert np.allclose(one.weights, other.weights, atol=1e-3)


@pytest.mark.parametrize(
    ("preferred", "questions", "said"),
    [([1, 0, -1], ["a", "b", "c"], "leave out the ties"), ([1, 1, -1], ["a"] * 3, "at least two questions")],
)
def test_what_it_cannot_learn_from_is_refused(preferred, questions, said):
    with pytest.raises(ValueError, match=said):
        fit_judge(np.eye(3), np.array(preferred), questions)


def test_measures_of_one_answer():
    pair = replace(PAIR, passage="It weighs 38.5 kg.", reference="38.5 kg")

    def measured(text):
        return answer_measures(pair, replace(pair.a, text=text), lambda question, texts: [len(texts[0])])

    right, wrong = measured("It weighs 38.5 kg."), measured("It weighs 35.8 kg!!")
    assert (right["overlap"], right["no new numbers"], right["containment"]) == (1, 0, 1)
    assert (wrong["overlap"], wrong["no new numbers"], wrong["containment"]) == (0.75, -1, 0)
    assert wrong["longer"] > right["longer"] and wrong["shorter"] < right["shorter"] and right["cross-encoder"] == 18
    assert measured("")["overlap"] == 0


def test_the_first_answer_can_be_called_b(model):
    first_b = judge_prompt(PAIR, letters="BA")
    assert f"Answer B: {PAIR.a.text}\n\nAnswer A: {PAIR.b.text}" in first_b
    judged, tokenizer = label_judge(model, Letters(), PAIR, letters="BA"), Letters()
    (row,) = label_scores(model, tokenizer, [chat_ids(tokenizer, first_b)], ["B", "A"])
    assert judged.shown == pytest.approx(float(row[0] - row[1]), abs=1e-4)
