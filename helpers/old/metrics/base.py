"""What the course's metrics share: they are `evaluate.Metric`s that need no download and leave no file behind.

    metric = ExactMatch()                                             # a class, so there is nothing to load
    metric.compute(predictions=answers, references=right)             # {"exact_match": 0.75}, one number for all
    metric.each(predictions=answers, references=right)                # {"exact_match": [1.0, 0.0, …]}, one per answer
    evaluate.combine([BLEU(), ExactMatch()]).compute(predictions=answers, references=right)

A reference is one text, or a list of texts of which any is right. What `evaluate` would accept in silence is refused
here in one sentence: a missing answer (it would compare the text "nan"), a number in place of a text, nothing at all.

What it does not do: pass options to `compute`. They belong to the constructor, since `evaluate.combine` gives every
metric the same ones.
"""

from __future__ import annotations

import inspect
import math
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import evaluate
import numpy as np
from datasets import Features, List, Value

TEXT = Value("string")
ONE_TEXT = {"predictions": TEXT}
TEXT_AND_REFERENCES = {"predictions": TEXT, "references": List(TEXT)}


class Metric(evaluate.Metric):
    """An `evaluate.Metric` that keeps its examples in memory and checks them. Subclasses write `_each`, or `_compute`.

    options: those of `evaluate.Metric`. With `num_process` above 1 the examples go to files in the library's cache,
    since that is how its processes meet.
    """

    COLUMNS: ClassVar[dict[str, Any]] = TEXT_AND_REFERENCES
    PAPER: ClassVar[str] = ""

    def __init__(self, **options: Any) -> None:
        options.setdefault("keep_in_memory", options.get("num_process", 1) == 1)
        super().__init__(**options)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=inspect.getdoc(type(self)) or "",
            citation=self.PAPER,
            features=Features(self.COLUMNS),
        )

    def _build_data_dir(self) -> str:
        """The library would make an empty folder here, even where nothing is written."""
        if not self.keep_in_memory:
            return super()._build_data_dir()
        return os.path.join(self._data_dir_root, self.name, self.config_name)

    def add_batch(self, *, predictions: Any = None, references: Any = None, **others: Any) -> None:
        """Add examples, to be scored by `compute()`. Raises ValueError for missing, unequal and mistyped ones."""
        super().add_batch(**self.checked(predictions, references), **others)

    def add(self, *, prediction: Any = None, reference: Any = None, **others: Any) -> None:
        """Add one example, to be scored by `compute()`. Raises ValueError as `add_batch` does."""
        prediction, reference = others.pop("predictions", prediction), others.pop("references", reference)  # by combine
        super().add_batch(**self.checked([prediction], None if reference is None else [reference]), **others)

    def each(self, *, predictions: Any, references: Any = None) -> dict[str, list[float]]:
        """The score of every single prediction, under the names of `compute`, in order. Raises ValueError like it."""
        return self._each(**self.checked(predictions, references))

    def checked(self, predictions: Any, references: Any) -> dict[str, list]:
        """The columns as the metric takes them: lists of equal lengths, every reference a list of texts."""
        columns: dict[str, list] = {"predictions": texts("predictions", predictions)}
        if "references" in self.COLUMNS:
            if references is None:
                raise ValueError(f"{type(self).__name__} compares with references: give references=, one per answer.")
            columns["references"] = reference_texts(references)
        return equally_long(columns)

    def _finalize(self) -> None:
        if self.keep_in_memory and self.buf_writer is None:
            raise ValueError("There is nothing to score: give predictions=, or add them before compute().")
        super()._finalize()

    def _each(self, **columns: list) -> dict[str, list[float]]:
        raise NotImplementedError(f"{type(self).__name__} scores a set of predictions, not a single one: use compute.")

    def _compute(self, **columns: list) -> dict[str, Any]:
        return {name: float(np.mean(scores)) for name, scores in self._each(**columns).items()}


def texts(column: str, values: Any) -> list[str]:
    """A list of texts from anything that can be listed. Raises ValueError for what is not one text per entry."""
    return [_text(f"{column}[{i}]", value) for i, value in enumerate(rows(column, values))]


def reference_texts(references: Any) -> list[list[str]]:
    """For each entry the texts that are right: one text becomes a list of one. Raises ValueError as `texts`."""
    found = []
    for i, entry in enumerate(rows("references", references)):
        name = f"references[{i}]"
        if isinstance(entry, Sequence | np.ndarray) and not isinstance(entry, str):
            if not len(entry):
                raise ValueError(f'{name} lists no text: give at least one, "" where an empty answer is right.')
            found.append([_text(f"{name}[{j}]", text) for j, text in enumerate(entry)])
        else:
            found.append([_text(name, entry)])
    return found


def rows(column: str, values: Any) -> list:
    """The column's entries. Raises ValueError where there are none, or where one text is given in place of a list."""
    if values is None:
        raise ValueError(f"{column} is missing: give a list with one entry per answer.")
    if isinstance(values, str):
        raise ValueError(f"{column} is a list with one entry per answer, not a single text: write {column}=[text].")
    found = list(values)
    if not found:
        raise ValueError(f"{column} is empty, and the score of no answer is not defined.")
    return found


def equally_long(columns: dict[str, list]) -> dict[str, list]:
    """The columns as they are. Raises ValueError where their lengths differ."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = " and ".join(f"{n} {name}" for name, n in lengths.items())
        raise ValueError(f"Each prediction is scored against the reference at its place, but there are {counts}.")
    return columns


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        raise ValueError(f'{name} is missing ({value}): write "" where the answer is empty.')
    raise ValueError(f"{name} is no text but {type(value).__name__}: {value!r:.60}.")


def caution(message: str) -> None:
    """Warn, at the line that asked for the score and not at one of a library."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(("helpers.old.metrics.", "evaluate.")):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, stacklevel=depth)
