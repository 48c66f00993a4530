"""Agreement with raters, and the biases beside it, on judges whose bias is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.old.evaluation import agreement, compare_judges, load_pairs, load_ratings, majority, prefers_longer
from helpers.old.evaluation.judgments import CRITERIA, Rating

PAIRS = load_pairs()
WANTED = majority(load_ratings())
SIGNED = {pair: {"a": 1, "b": -1, "tie": 0}[value] for pair, value in WANTED.items()}
LONGER = {pair.id: len(pair.a.text) - len(pair.b.text) for pair in PAIRS}


def ratings(**said):
    """One pair's ratings: rater=value."""
    return [Rating("p001", rater, *[value] * len(CRITERIA)) for rater, value in said.items()]


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ({"x": "a", "y": "a", "z": "b"}, "a"),
        ({"x": "a", "y": "b", "z": "tie"}, "tie"),
        ({"x": "tie", "y": "tie", "z": "a"}, "tie"),
        ({"x": "a", "y": "b"}, "tie"),
        ({"x": "cannot tell", "y": "cannot tell", "z": "b"}, "tie"),
        ({"x": "b"}, "b"),
    ],
)
def test_a_majority_is_more_than_half(said, most):
    assert majority(ratings(**said)) == {"p001": most}


def test_a_majority_is_of_the_criterion_asked_for():
    row = replace(ratings(x="a")[0], fluency="b")
    assert (majority([row], "fluency"), majority([row])) == ({"p001": "b"}, {"p001": "a"})
    with pytest.raises(ValueError, match="There is no criterion 'beauty'"):
        majority([row], "beauty")


def test_who_follows_the_raters_is_always_right_and_the_opposite_never():
    both = [agreement({k: sign * v for k, v in SIGNED.items()}, WANTED, PAIRS) for sign in (1, -1)]
    assert [found.share for found in both] == [1, 0]
    assert both[0].high == 1 and 0.9 < both[0].low < 1, "50 questions leave some doubt"
    assert both[0].n == sum(value != "tie" for value in WANTED.values())


def test_a_tie_is_half_right():
    found = agreement(dict.fromkeys(WANTED, 0.0), WANTED, PAIRS)
    assert (found.share, found.low, found.high) == (0.5, 0.5, 0.5)


def test_an_interval_draws_whole_questions():
    pairs = [replace(PAIRS[0], id=f"p{i}", question_id=f"q{i // 10}") for i in range(100)]
    wanted, by_question = (
        dict.fromkeys((p.id for p in pairs), "a"),
        {p.id: 1 if int(p.id[1:]) < 50 else -1 for p in pairs},
    )
    together = agreement(by_question, wanted, pairs)
    apart = agreement(by_question, wanted, [replace(pair, question_id=pair.id) for pair in pairs])
    assert together.share == apart.share == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_two_judges_are_compared_on_the_same_pairs():
    perfect, other = SIGNED, LONGER
    gain = compare_judges(perfect, other, WANTED, PAIRS)
    assert gain.share == pytest.approx(1 - agreement(other, WANTED, PAIRS).share)
    assert compare_judges(other, other, WANTED, PAIRS).share == 0
    assert compare_judges(other, perfect, WANTED, PAIRS).share == pytest.approx(-gain.share)
    assert gain.low > 0


def test_who_goes_by_length_is_found_out():
    assert prefers_longer(LONGER, PAIRS).share == 1
    assert prefers_longer({pair: -value for pair, value in LONGER.items()}, PAIRS).share == 0
    equal = sum(pair.a.right == pair.b.right for pair in PAIRS)
    assert prefers_longer(LONGER, PAIRS).n <= equal


def test_no_wanted_answer_is_one_sentence():
    with pytest.raises(ValueError, match="nothing to agree with"):
        agreement(LONGER, dict.fromkeys(WANTED, "tie"), PAIRS)
