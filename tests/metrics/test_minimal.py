"""BLEU, chrF and ROUGE in their smallest form equal the packages."""

from __future__ import annotations

import pytest

from helpers.old.metrics import BLEU, ChrF
from helpers.old.metrics.minimal import bleu, chrf
from tests.metrics.test_overlap import random_texts


@pytest.mark.parametrize("seed", [4, 5])
def test_bleu_and_chrf_equal_sacrebleu(seed):
    predictions, references = random_texts(200, several=False, seed=seed)
    firsts = [row[0] for row in references]
    theirs = BLEU(tokenize="none").compute(predictions=predictions, references=firsts)["bleu"]
    assert bleu(predictions, firsts) == pytest.approx(theirs, abs=1e-9)
    assert chrf(predictions, firsts) == pytest.approx(
        ChrF().compute(predictions=predictions, references=firsts)["chrf"]
    )
    each = ChrF().each(predictions=predictions, references=firsts)["chrf"]
    assert [chrf([p], [r]) for p, r in zip(predictions, firsts, strict=True)] == pytest.approx(each)
