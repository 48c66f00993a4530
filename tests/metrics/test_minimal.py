"""BLEU, chrF and ROUGE in their smallest form equal the packages."""

from __future__ import annotations

import pytest

from helpers.old.metrics import BLEU, ROUGE, ChrF
from helpers.old.metrics.minimal import bleu, chrf, rouge_l, rouge_n
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


def test_rouge_equals_rouge_score():
    predictions, references = random_texts(200, several=False, seed=6)
    firsts = [row[0] for row in references]
    theirs = ROUGE(tokenizer=str.split).each(predictions=predictions, references=firsts)
    pairs = list(zip(predictions, firsts, strict=True))
    assert [rouge_n(p, r, 1) for p, r in pairs] == pytest.approx(theirs["rouge1"])
    assert [rouge_n(p, r, 2) for p, r in pairs] == pytest.approx(theirs["rouge2"])
    assert [rouge_l(p, r) for p, r in pairs] == pytest.approx(theirs["rougeL"])


def test_the_cases_of_the_docstring():
    assert bleu(["we sat on soft mats"], ["cats sat on soft mats"]) == pytest.approx(66.874, abs=1e-3)
    assert chrf(["the cat"], ["the cats"]) == pytest.approx(77.571, abs=1e-3)
    assert rouge_n("cats sat on mats", "dogs sat on mats", 2) == pytest.approx(2 / 3)
    assert rouge_l("on mats sat cats", "cats sat on mats") == 0.5


def test_nothing_shared_is_zero():
    assert bleu(["a"], ["b"]) == chrf(["a"], ["b"]) == rouge_n("a", "b", 1) == rouge_l("", "b") == 0
