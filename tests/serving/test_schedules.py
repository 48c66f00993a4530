"""Three ways to batch, in simulated steps: rows are never taken twice, and who waits for whom is as the policy says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.serving.schedules import POLICIES, busy_share, draw_schedules, schedule

STEP = [0.1, 0.11, 0.12, 0.13]
LOADS = st.lists(st.tuples(st.floats(0, 9), st.integers(1, 30)), min_size=1, max_size=14)


@given(LOADS, st.sampled_from(POLICIES))
def test_every_request_runs_once_after_it_came_and_alone_in_its_row(load, policy):
    arrivals = sorted(arrival for arrival, _ in load)
    tokens = [n for _, n in load]
    bars = schedule(policy, arrivals=arrivals, new_tokens=tokens, step_seconds=STEP)
    assert [bar.request for bar in bars] == list(range(len(load)))
    for bar, n in zip(bars, tokens, strict=True):
        assert bar.arrived <= bar.began and bar.written <= bar.answered and 0 <= bar.slot < 4
        assert n * STEP[0] - 1e-9 <= bar.written - bar.began <= n * STEP[-1] + 1e-9
    for slot in range(4):
        row = sorted((bar.began, bar.answered) for bar in bars if bar.slot == slot)
        assert all(end <= start + 1e-9 for (_, end), (start, _) in zip(row, row[1:], strict=False))


def test_a_static_batch_waits_until_it_is_full_and_answers_all_together():
    bars = schedule("static", arrivals=[0, 1, 2, 3, 3.5], new_tokens=[10, 20, 5, 40, 1], step_seconds=STEP)
    assert [bar.began for bar in bars[:4]] == [3.0] * 4
    assert [bar.answered for bar in bars[:4]] == pytest.approx([3 + 40 * 0.13] * 4)
    assert bars[4].began == pytest.approx(bars[0].answered) and bars[2].written == pytest.approx(3 + 5 * 0.13)


def test_a_dynamic_batch_takes_who_is_there():
    bars = schedule("dynamic", arrivals=[0, 0.2, 0.3, 9], new_tokens=[10, 20, 5, 4], step_seconds=STEP)
    assert bars[0].began == 0 and bars[0].answered == pytest.approx(1.0)  # alone: nobody else had come
    assert [bar.began for bar in bars[1:3]] == pytest.approx([1.0, 1.0])
    assert bars[2].answered == pytest.approx(1 + 20 * 0.11) and bars[3].began == 9


def test_a_continuous_batch_fills_a_row_as_soon_as_it_is_free():
    bars = schedule("continuous", arrivals=[0] * 5, new_tokens=[2, 9, 9, 9, 3], step_seconds=STEP)
    assert bars[4].slot == 0 and bars[4].began == pytest.approx(2 * 0.13)
    assert bars[4].answered == pytest.approx(5 * 0.13) and bars[4].answered < bars[1].answered
    assert all(bar.answered == bar.written for bar in bars)


def test_continuous_batching_waits_least_and_keeps_rows_busiest():
    rng = np.random.default_rng(0)
    arrivals, tokens = np.sort(rng.uniform(0, 8, 24)), rng.integers(2, 60, 24)
    found = {p: schedule(p, arrivals=arrivals, new_tokens=tokens, step_seconds=STEP) for p in POLICIES}
    waits = {policy: np.mean([bar.seconds for bar in bars]) for policy, bars in found.items()}
    assert waits["continuous"] < waits["dynamic"] < waits["static"]
    assert busy_share(found["continuous"]) > busy_share(found["static"])
    assert busy_share(schedule("continuous", arrivals=[0] * 4, new_tokens=[5] * 4, step_seconds=STEP)) == 1


def test_the_picture_has_a_bar_for_each_request_of_each_policy():
    load = {"arrivals": [0, 0, 0.4], "new_tokens": [3, 9, 4], "step_seconds": STEP[:2]}
    fig = draw_schedules({policy: schedule(policy, **load) for policy in POLICIES}, "Rows do not wait", alt="bars")
    [ax] = fig.axes
    plain = draw_schedules({"static": schedule("static", **load)}, "One picture tells its numbers")
    assert "static, mean wait" in plain.alt and "rows busy" in plain.alt
    plt.close(plain)
    assert sum(text.get_text().strip() in "012" for text in ax.texts) == 9 and fig.alt == "bars"
    assert [label.get_text().split("\n")[0] for label in ax.get_yticklabels()] == list(POLICIES)
    plt.close(fig)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"policy": "lazy"}, "A policy is one of"),
        ({"arrivals": [1, 0]}, "order of their arrival"),
        ({"arrivals": [], "new_tokens": []}, "order of their arrival"),
        ({"new_tokens": [1]}, "each with its number"),
        ({"new_tokens": [1, 0]}, "a token or more"),
        ({"step_seconds": []}, "takes a while"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(change, said):
    given_ = {"policy": "static", "arrivals": [0, 1], "new_tokens": [1, 1], "step_seconds": STEP} | change
    with pytest.raises(ValueError, match=said):
        schedule(given_.pop("policy"), **given_)
