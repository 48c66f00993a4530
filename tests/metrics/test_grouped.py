"""Shares: families widen an interval where their members go together, and no share is sure of itself."""

from __future__ import annotations

import pytest

from helpers.old.metrics import Score
from helpers.stats import wilson


def test_results_in_any_order_are_counted_family_by_family():
    results = [("a", True), ("b", False), ("a", False), ("c", True), ("a", True)]
    score = Score.of(results)
    assert score.families == {(2, 3): 1, (0, 1): 1, (1, 1): 1} and score == Score.of(reversed(results))
    assert (score.right, score.n, score.share) == (3, 5, 0.6)


def test_families_widen_the_interval_where_tickets_go_together_and_only_there():
    """40 of 80 right: in pairs that agree, there are 40 draws and not 80: √2 as wide."""
    together, apart = Score({(2, 2): 20, (0, 2): 20}), Score({(1, 1): 40, (0, 1): 40})
    assert together.right == apart.right == 40 and together.n == apart.n == 80
    wide, narrow = (high - low for low, high in (together.by_family, apart.by_family))
    assert wide / narrow == pytest.approx(2**0.5, rel=0.1)
    low, high = apart.wilson
    assert narrow == pytest.approx(high - low, rel=0.1)


def test_a_score_of_none_or_all_is_not_sure_of_itself():
    assert Score({(0, 2): 81}).by_family == wilson(0, 81)
    assert Score({(2, 2): 81}).by_family == wilson(81, 81)


def test_a_score_comes_back_from_its_json_with_the_same_intervals():
    score = Score({(1, 2): 7, (2, 2): 30, (0, 2): 3, (1, 1): 2})
    again = Score.from_json(dict(reversed(score.to_json().items())))
    assert again == score and again.by_family == score.by_family and str(again) == str(score)
