"""The smallest forms equal the full ones."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.stats import cohen_kappa, e_value, kappa, log_e_value, minimal, paired_p_value, permutation_test


@pytest.mark.parametrize("seed", range(4))
def test_the_permutation_test(seed):
    rng = np.random.default_rng(seed)
    for a, b in (rng.random((2, 40)), rng.random((2, 60)) < [[0.8], [0.6]]):  # scores; right and wrong answers
        full = permutation_test(a, b, permutations=20_000, seed=seed).p_value
        assert paired_p_value(a, b, flips=20_000, seed=seed + 9) == pytest.approx(full, abs=6 * np.sqrt(0.25 / 20_000))


def test_the_permutation_test_of_a_large_difference():
    a = np.linspace(1, 2, 30)
    assert paired_p_value(a, a - 1, flips=999) == 1 / 1000 and paired_p_value(a, a) == 1


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz")), min_size=1, max_size=30))
def test_kappa(pairs):
    a, b = (list(labels) for labels in zip(*pairs, strict=True))
    if len({*a, *b}) == 1:
        with pytest.raises(ZeroDivisionError):
            kappa(a, b)
    else:
        assert kappa(a, b) == pytest.approx(cohen_kappa(a, b), abs=1e-12)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_e_value(only_a, only_b):
    assert np.log(e_value(only_a, only_b)) == pytest.approx(log_e_value(only_a, only_b), abs=1e-9)


def test_the_e_value_takes_arrays_and_does_not_overflow():
    both = e_value(np.array([8, 540]), np.array([0, 520]))
    assert both == pytest.approx([e_value(8, 0), e_value(540, 520)]) and both[1] < 1


def test_each_is_short_enough_to_be_shown():
    for thing in (paired_p_value, kappa, e_value):
        assert len(inspect.getsource(thing).splitlines()) < 25 and thing.__module__ == minimal.__name__
