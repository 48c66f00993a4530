"""One ranking from many comparisons of two: which system wins, and how sure is its place?

    ranking = bradley_terry(["a", "b", "a"], ["b", "c", "c"], [1, 0.5, 0])    # first, second, who won (0.5: a tie)
    ranking.chance("a", "b")                                                 # that a beats b, by the model
    print(ranking)                                                           # strengths with intervals, best first

Bradley and Terry's model gives each system one number, its strength. The chance that a beats b is
1 / (1 + exp(strength of b − strength of a)). Chess and chat arenas print 400 / ln 10 times a strength (Elo ratings).

What it cannot see: circles (rock beats scissors, scissors beat paper, paper beats rock) and which question it was.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.old.stats.resampling import times_drawn
from helpers.stats.checks import finite_values, tails


@dataclass(frozen=True)
class Ranking:
    """Strengths of systems, the best first; they are comparable with one another and 0 on average."""

    names: tuple[Hashable, ...]
    strengths: NDArray  # (K,), natural logarithms of odds
    low: NDArray  # (K,), ends of the bootstrap interval; infinite where a resample had somebody who never lost
    high: NDArray

    def chance(self, first: Hashable, second: Hashable) -> float:
        """That `first` beats `second`, a tie counted as half a win."""
        for name in (first, second):
            if name not in self.names:
                raise ValueError(f"{name!r} is not among those ranked: {', '.join(map(str, self.names))}.")
        gap = self.strengths[self.names.index(first)] - self.strengths[self.names.index(second)]
        return float(1 / (1 + np.exp(-gap)))

    def __str__(self) -> str:
        width = max(len(str(name)) for name in self.names)
        rows = zip(self.names, self.strengths, self.low, self.high, strict=True)
        return "\n".join(f"{name!s:{width}}  {s:+.2f} ({low:+.2f} to {high:+.2f})" for name, s, low, high in rows)


def bradley_terry(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    outcome: ArrayLike,
    *,
    prior: float = 0.0,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> Ranking:
    """Strengths that make the comparisons seen most likely, with percentile bootstrap intervals over comparisons.

    first, second: (n,) names of the two that were compared; outcome: (n,) what the first got, 1 for a win, 0 for a
    loss, 0.5 for a tie (half a win for each). `prior` adds that many wins and losses between any two, which pulls the
    strengths together and makes them finite even for one who never lost. groups: (n,) which comparisons belong
    together (the question, or the pair that several raters judged); the intervals draw whole groups. Raises ValueError
    for unequal lengths, a comparison with oneself, other outcomes, and where no finite strengths exist and prior is 0.

    R. A. Bradley and M. E. Terry (1952); fitted by D. R. Hunter's (2004) minorization-maximization. Matches a logistic
    regression without intercept on the difference of indicator columns.
    """
    points = finite_values(outcome, "outcome")
    if not len(first) == len(second) == len(points):
        raise ValueError(
            f"Each comparison has two names and an outcome, not {len(first)}, {len(second)}, {len(points)}."
        )
    if not np.isin(points, (0, 0.5, 1)).all():
        raise ValueError("An outcome is 1 (the first won), 0 (the second won) or 0.5 (a tie).")
    if any(one == other for one, other in zip(first, second, strict=True)):
        raise ValueError("A comparison needs two different names.")
    if not 0 <= prior < np.inf:
        raise ValueError(f"prior is a number of comparisons, 0 or more, not {prior}.")

    names = list(dict.fromkeys([*first, *second]))
    code = {name: number for number, name in enumerate(names)}
    i, j = np.array([code[name] for name in first]), np.array([code[name] for name in second])
    times = times_drawn(len(i), groups, resamples, seed)
    wins = _wins(i, j, points, np.vstack([np.ones(len(i)), times]), len(names)) + prior * (1 - np.eye(len(names)))

    connected = _is_connected(wins)
    if not connected[0]:
        raise ValueError(
            "No finite strengths: some systems never lost against all the others. Compare more, or give prior=0.5."
        )
    strengths = _strengths(wins[connected])
    drawn = np.repeat(strengths[1:], 2, axis=0)  # each twice, so that a resample without strengths …
    apart = np.full(((~connected).sum(), len(names)), np.inf)
    low, high = _quantiles(np.concatenate([drawn, apart, -apart]), confidence)  # … lies at both ends
    best = np.argsort(-strengths[0], kind="stable")
    return Ranking(tuple(names[k] for k in best), strengths[0][best], low[best], high[best])


def _wins(i: NDArray, j: NDArray, points: NDArray, times: NDArray, n_names: int) -> NDArray:
    """How often each beat each in every sample: (samples, K, K), ties as halves. times: (samples, n)."""
    pairs = np.zeros((len(i), n_names * n_names))
    rows = np.arange(len(i))
    pairs[rows, i * n_names + j] = points
    pairs[rows, j * n_names + i] = 1 - points
    return (times @ pairs).reshape(-1, n_names, n_names)


def _is_connected(wins: NDArray) -> NDArray:
    """(samples,) whether everyone beat everyone, directly or through others: strengths are then finite (Ford, 1957)."""
    reached = (wins > 0) | np.eye(wins.shape[-1], dtype=bool)
    for _ in range(int(np.ceil(np.log2(wins.shape[-1]))) + 1):  # paths twice as long each time
        reached = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
    return reached.all((-2, -1))


def _strengths(wins: NDArray) -> NDArray:
    """Log strengths of every sample, (samples, K), each with mean 0."""
    played = wins + wins.swapaxes(-1, -2)
    won = wins.sum(-1)
    skill = np.ones_like(won)
    moving = np.arange(len(wins))  # the samples that have not settled yet
    for _ in range(20_000):
        now = skill[moving]
        # Each one's wins, divided by how many a unit of skill would bring against these opponents.
        new = won[moving] / (played[moving] / (now[:, :, None] + now[:, None, :])).sum(-1)
        new /= np.exp(np.log(new).mean(-1, keepdims=True))
        skill[moving] = new
        moving = moving[np.abs(np.log(new / now)).max(-1) > 1e-8]
        if not len(moving):
            break
    return np.log(skill)


def _quantiles(drawn: NDArray, confidence: float) -> tuple[NDArray, NDArray]:
    low, high = np.quantile(drawn, tails(confidence), axis=0, method="nearest")  # no mean of −∞ and ∞
    return low, high
