"""The smallest forms equal the full ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.stats import e_value, log_e_value


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_e_value(only_a, only_b):
    assert np.log(e_value(only_a, only_b)) == pytest.approx(log_e_value(only_a, only_b), abs=1e-9)


def test_the_e_value_takes_arrays_and_does_not_overflow():
    both = e_value(np.array([8, 540]), np.array([0, 520]))
    assert both == pytest.approx([e_value(8, 0), e_value(540, 520)]) and both[1] < 1
