"""The course's metrics as `evaluate` uses them: combined, in batches, twice, in two processes; no files, no network."""

from __future__ import annotations

import evaluate
import numpy as np
import pandas as pd
import pytest

from helpers.old.metrics import BLEU, ROUGE, ChrF, Containment, ExactMatch, Metric, NumberMatch, TokenF1

PREDICTIONS = ["The cat sat on the mat.", "It costs €49.", "at 4.5 bar"]
REFERENCES = ["A cat sat on the mat.", ["49 euros", "€49"], "4.5 bar"]
KINDS = (BLEU, ChrF, ROUGE, ExactMatch, TokenF1, Containment, NumberMatch)
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@every
def test_twice_in_a_row_in_batches_and_one_by_one_give_the_same(kind):
    metric = kind()
    once = metric.compute(predictions=PREDICTIONS, references=REFERENCES)
    assert metric.compute(predictions=PREDICTIONS, references=REFERENCES) == once
    metric.add_batch(predictions=PREDICTIONS[:2], references=REFERENCES[:2])
    metric.add(prediction=PREDICTIONS[2], reference=REFERENCES[2])
    assert metric.compute() == once
    assert all(isinstance(value, float) for value in once.values())


@every
def test_each_gives_one_score_an_answer_under_the_names_of_compute(kind):
    metric = kind()
    total = metric.compute(predictions=PREDICTIONS, references=REFERENCES)
    each = metric.each(predictions=PREDICTIONS, references=REFERENCES)
    assert set(each) == set(total) - {"brevity_penalty"}
    assert all(len(scores) == 3 for scores in each.values())
    alone = [metric.each(predictions=[p], references=[r]) for p, r in zip(PREDICTIONS, REFERENCES, strict=True)]
    for name, scores in each.items():
        assert scores == [one[name][0] for one in alone]
        if kind not in (BLEU, ChrF):
            assert total[name] == pytest.approx(np.mean(scores))


def test_combined_they_give_every_metrics_numbers():
    combined = evaluate.combine([kind() for kind in KINDS])
    found = combined.compute(predictions=PREDICTIONS, references=REFERENCES)
    for kind in KINDS:
        for name, value in kind().compute(predictions=PREDICTIONS, references=REFERENCES).items():
            assert found[name] == value
    for prediction, reference in zip(PREDICTIONS, REFERENCES, strict=True):
        combined.add(prediction=prediction, reference=reference)
    assert combined.compute() == found


def test_columns_of_a_table_and_arrays_are_taken():
    table = pd.DataFrame({"answer": PREDICTIONS, "right": ["A cat sat on the mat.", "€49", "4.5 bar"]})
    as_lists = TokenF1().compute(predictions=table["answer"].tolist(), references=table["right"].tolist())
    assert TokenF1().compute(predictions=table["answer"], references=table["right"]) == as_lists
    assert TokenF1().compute(predictions=np.array(PREDICTIONS), references=np.array(table["right"])) == as_lists


BAD = [
    (["a", None], ["a", "b"], r"predictions\[1\] is missing \(None\): write \"\""),
    (["a", float("nan")], ["a", "b"], r"predictions\[1\] is missing \(nan\)"),
    (["a", pd.NA], ["a", "b"], r"predictions\[1\] is missing"),
    (["a"], [float("nan")], r"references\[0\] is missing"),
    (["a"], [["b", None]], r"references\[0\]\[1\] is missing"),
    (["a", 49], ["a", "49"], r"predictions\[1\] is no text but int: 49"),
    (["a", "b"], ["a"], "there are 2 predictions and 1 references"),
    ([], [], "predictions is empty"),
    ("a", ["a"], r"predictions is a list with one entry per answer.*write predictions=\[text\]"),
    (["a"], "a", r"references is a list"),
    (["a"], [[]], r"references\[0\] lists no text"),
    (["a"], None, "compares with references"),
    (None, ["a"], "predictions is missing"),
]


@every
@pytest.mark.parametrize(("predictions", "references", "said"), BAD)
def test_bad_input_is_refused_in_one_sentence_and_leaves_the_metric_usable(kind, predictions, references, said):
    metric = kind()
    for ask in (metric.compute, metric.each, metric.add_batch):
        with pytest.raises(ValueError, match=said) as caught:
            ask(predictions=predictions, references=references)
        assert "\n" not in str(caught.value)
    fresh = kind().compute(predictions=PREDICTIONS, references=REFERENCES)
    assert metric.compute(predictions=PREDICTIONS, references=REFERENCES) == fresh


def test_nothing_added_is_nothing_to_score():
    with pytest.raises(ValueError, match="nothing to score"):
        ExactMatch().compute()


def test_a_metric_that_fails_starts_afresh():
    class Picky(Metric):
        """A metric."""

        def _each(self, predictions, references):
            if "bad" in predictions:
                raise ZeroDivisionError
            return {"picky": [float(len(text)) for text in predictions]}

    metric = Picky()
    with pytest.raises(ZeroDivisionError):
        metric.compute(predictions=["bad", "x"], references=["a", "b"])
    assert metric.compute(predictions=["ab"], references=["a"]) == {"picky": 2.0}
