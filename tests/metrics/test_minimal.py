"""chrF in its smallest form equals the package."""

from __future__ import annotations

import pytest

from helpers.old.metrics import ChrF
from helpers.old.metrics.minimal import chrf
from tests.metrics.test_overlap import random_texts


def test_chrf_equals_sacrebleu():
    predictions, references = random_texts(200, several=False, seed=4)
    firsts = [row[0] for row in references]
    assert chrf(predictions, firsts) == pytest.approx(
        ChrF().compute(predictions=predictions, references=firsts)["chrf"]
    )
    each = ChrF().each(predictions=predictions, references=firsts)["chrf"]
    assert [chrf([p], [r]) for p, r in zip(predictions, firsts, strict=True)] == pytest.approx(each)
