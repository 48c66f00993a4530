"""Rows that belong together are drawn together."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.old.stats import bradley_terry


def labels_of_questions(rng, questions=40, each=3):
    """Two raters who agree on all pairs of an easy question, and by the toss of a coin on those of a hard one."""
    group = np.repeat(np.arange(questions), each)
    hard = (rng.random(questions) < 0.5)[group]
    one = rng.integers(0, 2, questions)[group]
    other = np.where(hard, rng.integers(0, 2, questions)[group], one)
    return one, other, group


def test_a_ranking_draws_whole_questions():
    names, others, won = np.array(["a", "b"] * 10), np.array(["b", "a"] * 10), np.ones(20)
    won[:8:2] = 0
    rows = bradley_terry(names, others, won)
    copies = bradley_terry(np.repeat(names, 3), np.repeat(others, 3), np.repeat(won, 3), groups=np.repeat(range(20), 3))
    assert copies.names == rows.names
    for ours, theirs in ((copies.strengths, rows.strengths), (copies.low, rows.low), (copies.high, rows.high)):
        assert ours == pytest.approx(theirs, abs=1e-5)
