"""The lines by which most tutorials load BLEU, run as they stand, and what takes their place."""

from __future__ import annotations

import pytest

from helpers.display import failing, no_hub
from helpers.old.metrics import BLEU

OLD = """
from datasets import load_metric

metric = load_metric("bleu")
print(metric.compute(predictions=[["the", "bike", "is", "free"]], references=[[["the", "bike", "is", "free"]]]))
"""
NEWER = """
import evaluate

metric = evaluate.load("bleu")
"""
ANSWERS = ["The bike is free within two weeks.", "Send it back to Tilburg."]
RIGHT = [["The bike is free within two weeks."], ["Send it back to Venlo, please."]]


@pytest.mark.parametrize(
    ("snippet", "said"),
    [
        (OLD, "ImportError: cannot import name 'load_metric' from 'datasets'"),
        (NEWER, "FileNotFoundError: Couldn't find a module script at"),
    ],
    ids=["datasets.load_metric", "evaluate.load"],
)
def test_the_old_lines_fail_and_say_why(capsys, snippet, said):
    with no_hub(), failing(300):
        exec(snippet, {})
    assert capsys.readouterr().out.startswith(said)


def test_what_takes_their_place_needs_no_network_and_equals_sacrebleu():
    import sacrebleu

    with no_hub():
        found = BLEU().compute(predictions=ANSWERS, references=RIGHT)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(ANSWERS, [[right for [right] in RIGHT]]).score)
    assert 40 < found["bleu"] < 100
