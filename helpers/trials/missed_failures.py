"""Which metric would have noticed which kind of failure? Computed from the forty failures and the right answers beside.

    scored = scores(load_failures(), OVERLAPS)                       # {"token F1": {"f01": 0.0, …}, …}
    mean_by_category(scored, codes)                                  # how much of a score each kind still gets
    missed_by_category(scored, cuts(OVERLAPS, keep=0.9), codes, load_failures())     # how many pass for right

A metric is a function (output, reference, accepted) → a number, the larger, the better. It misses a failure that scores
no lower than what it must let pass: `keep` of the right answers that the same assistant gave to questions with an
answer. At `keep=0.5` that is their median, so the other half of the right answers would be refused as well. Right are
those that each notebook's own rule calls right. An abstention's reference is the assistant's own sentence, a missing
draft is an empty text. What this does not do: say which failure hurts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from statistics import fmean

from helpers.evaluation.failures import Code, Failure, counts
from helpers.metrics.text import answer_f1, contains_answer, exact_match, rouge1
from helpers.retrieval.answering import ABSTENTION
from helpers.trials.recorded_outputs import ASSISTANTS, NO_DRAFT, NOTHING, outputs

Metric = Callable[[str, str, Sequence[str]], float]

OVERLAPS: dict[str, Metric] = {
    "exact match": lambda said, reference, _: float(exact_match(said, reference)),
    "token F1": lambda said, reference, _: answer_f1(said, reference),
    "ROUGE-1": lambda said, reference, _: rouge1(said, reference),
    "containment": lambda said, reference, accepted: float(contains_answer(said, accepted or [reference])),
}


def scores(failures: Iterable[Failure], metrics: Mapping[str, Metric]) -> dict[str, dict[str, float]]:
    """For each metric: the score of each failure, by its id."""
    failures = list(failures)
    return {
        name: {each.id: _score(metric, each.output, each.expected, each.accepted) for each in failures}
        for name, metric in metrics.items()
    }


def cuts(metrics: Mapping[str, Metric], keep: float = 0.5) -> dict[str, dict[str, float]]:
    """For each metric and assistant: the highest score that at least `keep` of its right answers reach.

    Raises ValueError unless 0 < keep ≤ 1.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep is a share of the right answers, above 0 and at most 1, not {keep}.")
    found: dict[str, dict[str, float]] = {}
    for name, metric in metrics.items():
        found[name] = {}
        for assistant, right in right_answers().items():
            reached = sorted((_score(metric, *answer) for answer in right), reverse=True)
            found[name][assistant] = reached[math.ceil(keep * len(reached)) - 1]
    return found


@cache
def right_answers() -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """For each assistant: output, reference and accepted strings of its right answers, abstentions left out."""
    return {
        name: [(each.output, each.expected, each.accepted) for each in outputs(name) if each.right and each.answerable]
        for name in ASSISTANTS
    }


def mean_by_category(scored: Mapping[str, Mapping[str, float]], codes: Iterable[Code]) -> dict[str, dict[str, float]]:
    """For each category, the commonest first: the mean score by metric, 0 to 1 for those of `OVERLAPS`."""
    return {
        category: {name: fmean(row[failure] for failure in members) for name, row in scored.items()}
        for category, members in _members(codes).items()
    }


def missed_by_category(
    scored: Mapping[str, Mapping[str, float]],
    cut: Mapping[str, Mapping[str, float]],
    codes: Iterable[Code],
    failures: Iterable[Failure],
) -> dict[str, dict[str, int]]:
    """For each category, the commonest first: how many of its failures each metric misses."""
    of = {failure.id: failure.assistant for failure in failures}
    return {
        category: {
            name: sum(row[failure] >= cut[name][of[failure]] for failure in members) for name, row in scored.items()
        }
        for category, members in _members(codes).items()
    }


def _members(codes: Iterable[Code]) -> dict[str, list[str]]:
    codes, found = list(codes), defaultdict(list)
    for code in codes:
        found[code.category].append(code.failure)
    return {category: found[category] for category in counts(codes)}


def _score(metric: Metric, output: str, expected: str, accepted: Sequence[str]) -> float:
    said = "" if output == NO_DRAFT else output
    return metric(said, ABSTENTION if expected == NOTHING else expected, accepted)
