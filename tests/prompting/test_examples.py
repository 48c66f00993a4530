"""Which examples stand in a prompt: balanced, nearest with the most similar last, unlike each other."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.prompting.examples import balanced, diverse, example_turns, nearest

POOL = np.array([[1.0, 0.0], [0.0, 5.0], [3.0, 3.0], [-1.0, 0.1], [1.0, 0.01]])


def test_fixed_examples_take_each_label_in_turn():
    labels = ["a", "a", "b", "a", "c", "b"]
    assert balanced(labels, 6) == [0, 2, 4, 1, 5, 3] and balanced(labels, 2) == [0, 2] and balanced(labels, 0) == []


def test_the_nearest_examples_come_in_rising_similarity_whatever_their_lengths():
    assert nearest(POOL, [2.0, 0.0], 3) == [2, 4, 0]
    assert nearest(POOL * [[9], [1], [7], [2], [0.1]], [0.1, 0.0], 3) == [2, 4, 0]
    assert nearest(POOL, [1, 1], 1) == [2] and nearest(POOL, [1, 1], 0) == []


def test_of_equally_similar_examples_the_first_in_the_pool_is_the_nearest():
    assert nearest([[1.0, 0], [2.0, 0], [3.0, 0]], [1.0, 0], 2) == [1, 0]


def test_diverse_examples_cover_the_directions_before_any_comes_twice():
    chosen = diverse(POOL, 4)
    assert chosen[0] == 2 and chosen[1] == 3  # the central one, and the one that points the other way
    assert len({tuple(np.sign(POOL[i].round())) for i in chosen}) == 4
    assert sorted(diverse(POOL, 5)) == [0, 1, 2, 3, 4] and diverse(POOL, 0) == []


def test_each_diverse_example_is_the_farthest_from_those_before_it():
    vectors = np.random.default_rng(0).normal(size=(40, 5))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = diverse(vectors, 6)
    for k in range(1, 6):
        closest = (unit @ unit[chosen[:k]].T).max(1)
        assert closest[chosen[k]] == pytest.approx(np.delete(closest, chosen[:k]).min())


def test_examples_become_turns_and_braces_in_a_text_stay_as_they_are():
    turns = example_turns([("{x} {text}", "a"), ("two", "b")], ask="Read: {text}")
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2
    assert [turn["content"] for turn in turns] == ["Read: {x} {text}", "a", "Read: two", "b"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: balanced(["a"], 2), "has 1 examples"),
        (lambda: nearest(POOL, [1.0, 0.0], 6), "has 5 examples"),
        (lambda: nearest(POOL, [1.0, 0.0, 0.0], 1), "3 dimensions and the pool 2"),
        (lambda: nearest(POOL, [0.0, 0.0], 1), "length 0"),
        (lambda: nearest([], [1.0], 1), r"shape \(P, D\)"),
        (lambda: diverse(POOL, -1), "cannot be chosen"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
