"""The course's metrics as `evaluate` uses them: combined, in batches, twice, in two processes; no files, no network."""

from __future__ import annotations

import multiprocessing
import socket
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor

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


@every
def test_the_docstring_names_paper_range_and_what_is_not_seen(kind):
    metric = kind()
    assert metric.description == metric.info.description and "What it cannot see:" in metric.description
    assert "compute →" in metric.description and "0 to 1" in metric.description
    assert metric.citation or "No paper" in metric.description
    assert metric.module_type == "metric"


def test_combined_they_give_every_metrics_numbers():
    combined = evaluate.combine([kind() for kind in KINDS])
    found = combined.compute(predictions=PREDICTIONS, references=REFERENCES)
    for kind in KINDS:
        for name, value in kind().compute(predictions=PREDICTIONS, references=REFERENCES).items():
            assert found[name] == value
    for prediction, reference in zip(PREDICTIONS, REFERENCES, strict=True):
        combined.add(prediction=prediction, reference=reference)
    assert combined.compute() == found


def test_two_settings_of_one_metric_are_told_apart():
    both = evaluate.combine({"exact": BLEU(), "caseless": BLEU(lowercase=True)})
    found = both.compute(predictions=["THE CAT SAT DOWN"], references=["the cat sat down"])
    assert found["exact_bleu"] == 0 and found["caseless_bleu"] == pytest.approx(100)


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


def test_with_files_the_result_is_the_same_and_only_the_librarys_lock_stays(tmp_path):
    metric = TokenF1(keep_in_memory=False, cache_dir=str(tmp_path))
    expected = TokenF1().compute(predictions=PREDICTIONS, references=REFERENCES)
    for _ in range(2):
        assert metric.compute(predictions=PREDICTIONS, references=REFERENCES) == expected
    assert all(path.suffix == ".lock" for path in tmp_path.rglob("*") if path.is_file())


def combined_scores(options: dict) -> list[dict]:
    """What one process computes, three times."""
    together = evaluate.combine([kind(**options) for kind in KINDS])
    return [together.compute(predictions=PREDICTIONS, references=REFERENCES) for _ in range(3)]


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be forked here")
@pytest.mark.parametrize("in_memory", [True, False])
def test_two_processes_at_once_without_a_network_leave_no_file(tmp_path, monkeypatch, in_memory):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    work, cache = tmp_path / "work", tmp_path / "cache"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", cache)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    expected = combined_scores({})[0]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        for found in pool.map(combined_scores, [{"keep_in_memory": in_memory}] * 4, timeout=120):
            assert found == [expected] * 3
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [] if in_memory else all(path.suffix == ".lock" and cache in path.parents for path in left)


def test_a_warning_names_the_line_that_asked():
    for ask in (ROUGE().compute, ROUGE().each, evaluate.combine([ROUGE()]).compute):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ask(predictions=["你好"], references=["你好"])
        assert [warning.filename for warning in caught] == [__file__]
