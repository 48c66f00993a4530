"""How often does a judge prefer what the raters prefer, and what else does it go by?

    wanted = majority(load_ratings(), "overall")           # {"p001": "b", "p002": "a", "p003": "tie", …}
    longer = {pair.id: len(pair.a.text) - len(pair.b.text) for pair in pairs}
    agreement(longer, wanted, pairs)                       # 0.52 (0.41 to 0.63), n = 56
    compare_judges(trained, longer, wanted, pairs)         # on the same pairs, question by question
    prefers_longer(longer, pairs)                          # 1.0: where both answers are right, or both wrong

A judge's preferences are a number for each pair: positive for pair.a, negative for pair.b, 0 for a tie. A
judge's tie is half right; pairs on which the raters tie are left out. Answers to one
question come back in three pairs, so all intervals draw whole questions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.old.evaluation.judgments import Pair, Rating
from helpers.stats.intervals import bootstrap_ratio, wilson

SIGNS = {"a": 1, "b": -1, "tie": 0}

Preferences = Mapping[str, float]  # of pairs by id: positive for a, negative for b, 0 for a tie
Points = Sequence[tuple[str, float]]  # (question, what the judge gets for one of its pairs, from 0 to 1)


@dataclass(frozen=True)
class Agreement:
    """A share of n pairs, or a difference of two such shares, with the interval that draws whole questions."""

    share: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.share:.2f} ({self.low:.2f} to {self.high:.2f}), n = {self.n}"


def majority(ratings: Iterable[Rating], criterion: str = "overall") -> dict[str, str]:
    """What more than half of a pair's raters say, by pair: "a", "b" or "tie"; "tie" also where no value has a majority.

    Raises ValueError for a criterion that nobody rated.
    """
    said: defaultdict[str, list[str]] = defaultdict(list)
    for each in ratings:
        if criterion not in Rating.__dataclass_fields__:
            raise ValueError(f"There is no criterion {criterion!r}.")
        said[each.pair].append(getattr(each, criterion))
    most = {pair: Counter(values).most_common(1)[0] for pair, values in said.items()}
    return {
        pair: value if value in ("a", "b") and 2 * count > len(said[pair]) else "tie"
        for pair, (value, count) in most.items()
    }


def agreement(preferences: Preferences, wanted: Mapping[str, str], pairs: Sequence[Pair]) -> Agreement:
    """The share of pairs with a wanted answer in which the judge prefers it, a tie counted as half.

    The interval is a bootstrap over questions; where all pairs agree, or none, it is Wilson's for so many questions.
    Raises ValueError where the raters tie on all of these pairs, and KeyError for a pair that the judge has not seen.
    """
    points = _points(preferences, wanted, pairs)
    found = _mean(points)
    if found.share not in (0, 1):
        return found
    n_questions = len({question for question, _ in points})  # every resample is alike, which says nothing
    low, high = wilson(n_questions * round(found.share), n_questions)
    return replace(found, low=low, high=high)


def compare_judges(one: Preferences, other: Preferences, wanted: Mapping[str, str], pairs: Sequence[Pair]) -> Agreement:
    """How much more often `one` agrees than `other`, on the same pairs. Raises like `agreement`."""
    first, second = _points(one, wanted, pairs), _points(other, wanted, pairs)
    return _mean([(question, a - b) for (question, a), (_, b) in zip(first, second, strict=True)])


def prefers_longer(preferences: Preferences, pairs: Sequence[Pair]) -> Agreement:
    """Verbosity bias: how often the longer answer (in characters) is preferred where both are right, or both wrong."""
    longer = {pair.id: "a" if len(pair.a.text) > len(pair.b.text) else "b" for pair in pairs}
    equal = [pair for pair in pairs if pair.a.right == pair.b.right and len(pair.a.text) != len(pair.b.text)]
    return agreement(preferences, longer, equal)


def _mean(points: Points) -> Agreement:
    """The mean of (question, points), with a 95 % bootstrap interval over questions."""
    if not points:
        raise ValueError("No pair has a wanted answer, so there is nothing to agree with.")
    totals: defaultdict[str, list[float]] = defaultdict(list)
    for question, got in points:
        totals[question].append(got)
    low, high = bootstrap_ratio([sum(got) for got in totals.values()], [len(got) for got in totals.values()])
    return Agreement(float(np.mean([got for _, got in points])), low, high, len(points))


def _points(preferences: Preferences, wanted: Mapping[str, str], pairs: Sequence[Pair]) -> Points:
    decided = [(pair, SIGNS[wanted[pair.id]]) for pair in pairs if wanted[pair.id] != "tie"]
    return [(pair.question_id, (1 + np.sign(preferences[pair.id]) * sign) / 2) for pair, sign in decided]
