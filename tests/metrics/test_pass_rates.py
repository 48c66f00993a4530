"""pass@k against every way of drawing k samples."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from helpers.old.metrics import PassAtK, pass_at_k


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_it_is_the_share_of_all_draws_that_hold_a_right_sample(n):
    for right in range(n + 1):
        verdicts = [True] * right + [False] * (n - right)
        for k in range(1, n + 1):
            draws = list(combinations(verdicts, k))
            assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_the_naive_estimate_is_biased_and_this_one_is_not():
    rng = np.random.default_rng(0)
    right = rng.binomial(10, 0.3, size=20_000)
    ours = np.mean([pass_at_k(10, int(c), 5) for c in right])
    naive = np.mean(1 - (1 - right / 10) ** 5)
    truth = 1 - 0.7**5
    assert abs(ours - truth) < 0.005 < abs(naive - truth)  # standard error of ours: 0.0016


def test_problems_may_have_unequal_numbers_of_samples():
    found = PassAtK(k=(1, 2)).compute(predictions=[[True, False], [False, False, False], [1, 1, 0, 0]])
    assert found == pytest.approx({"pass_at_1": (0.5 + 0 + 0.5) / 3, "pass_at_2": (1 + 0 + 5 / 6) / 3})
    assert PassAtK().each(predictions=np.array([[True, False], [True, True]])) == {"pass_at_1": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("predictions", "said"),
    [
        ([[True]], r"pass@2 needs 2 samples per problem; predictions\[0\] has 1"),
        ([[True, True], ["yes", "no"]], r"predictions\[1\] is a list of verdicts"),
        ([[True, 2]], "neither True nor False"),
        ([[True, float("nan")]], "list of verdicts"),
        ([True, False], r"predictions\[0\] has 1"),
        ([], "empty"),
    ],
)
def test_bad_input_is_refused(predictions, said):
    with pytest.raises(ValueError, match=said):
        PassAtK(k=2).compute(predictions=predictions)
    with pytest.raises(ValueError, match="k is 1 to n"):
        pass_at_k(3, 1, 4)
