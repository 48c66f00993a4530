"""Intervals for what a notebook measures: how far could the truth be from this number?

    wilson(18, 20)                                 # (0.699, 0.972): an accuracy of 18 of 20
    bootstrap(seconds, np.median)                  # any statistic of one list of numbers
    paired_bootstrap(new, old)                     # two systems on the same items: is the difference more than luck?
    gain_interval(new_right - old_right)           # the same for right and wrong answers, few or many, and no seed
    bootstrap_ratio(hindi, english)                # how many times as many, over pairs of counts
    prediction_interval(five_runs)                 # where may one more run land?
    coverage(wald, p=0.98, n=50)                   # how often an interval holds the truth, by simulation

An interval is a pair (low, high). Everything is vectorized and seeded: the same call gives the same interval.

What it does not do: correct for many comparisons, or help where items are not independent (twenty questions about one
document are closer to one item than to twenty).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.stats.checks import finite_values, paired_values, plain, tails, whole_numbers


class Interval(NamedTuple):
    """(low, high): two floats, or two arrays of one shape. It prints like a plain pair."""

    low: Any
    high: Any

    def __repr__(self) -> str:
        return repr(tuple(self))


BLOCK = 4_000_000  # resampled values held at once: 32 MB


def wilson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a share: every true share that could plausibly have given this count.

    successes, trials: whole numbers or arrays of them that broadcast  →  (low, high), floats or arrays, in [0, 1].
    Without a trial nothing is known: (0, 1). Raises ValueError for impossible counts and a confidence outside (0, 1).

    E. B. Wilson (1927). Matches `scipy.stats.binomtest(k, n).proportion_ci(confidence, method="wilson")`.
    """
    k, n = _counts(successes, trials)
    z2 = _z(confidence) ** 2
    # Solving |share − p| = z · sqrt(p (1 − p) / n) for p; multiplied by n, so that n = 0 needs no case of its own.
    middle = (k + z2 / 2) / (n + z2)
    reach = np.sqrt(z2) / (n + z2) * np.sqrt(np.where(n > 0, k * (n - k) / np.maximum(n, 1), 0) + z2 / 4)
    low = np.where(k == 0, 0.0, middle - reach)  # exact ends, where rounding would leave 1e-17
    high = np.where(k == n, 1.0, middle + reach)
    return Interval(plain(low), plain(high))


def wald(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Interval:
    """The naive interval, share ± z standard errors: shown because it is everywhere, and wrong near 0 and 1.

    It has no width at a share of 0 or 1 and may stick out of [0, 1]. Without a trial: (0, 1). Raises like `wilson`.
    """
    k, n = _counts(successes, trials)
    share = k / np.maximum(n, 1)
    reach = _z(confidence) * np.sqrt(share * (1 - share) / np.maximum(n, 1))
    return Interval(plain(np.where(n > 0, share - reach, 0.0)), plain(np.where(n > 0, share + reach, 1.0)))


def gain_interval(gains: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a mean gain, where each item got better (up to 1), worse (down to −1) or stayed as it was (0).

    gains: (n,) numbers between −1 and 1, such as new − old of right (1) and wrong (0)  →  (low, high) in [−1, 1].
    Raises ValueError for no gains, NaN or infinity. If nothing changed, it is ± the high end of `wilson(0, n)`; if all
    gains are 1 or −1, it is the interval of A. Agresti and B. A. Coull (1998). Agresti and Min (2005) add imagined
    items to paired answers, too, but fewer.
    """
    data, z2 = finite_values(gains, "gains"), _z(confidence) ** 2
    n = len(data) + z2  # z²/2 imagined items got better (1) and z²/2 got worse (−1)
    mean = data.sum() / n  # these cancel out in the sum …
    variance = (np.square(data).sum() + z2) / n - mean**2  # … and add z² to the squares
    reach = np.sqrt(z2 * variance / n)
    return max(-1.0, float(mean - reach)), min(1.0, float(mean + reach))


def bootstrap(
    values: ArrayLike,
    statistic: Callable[..., Any] = np.mean,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Percentile bootstrap: draw as many values again, with replacement, many times; how far does the statistic move?

    values: (n,) finite numbers. `statistic` maps them to one number; where it takes `axis=` it is called on whole
    blocks of resamples, otherwise on one resample at a time. Values that are all alike give an interval of no width.
    Raises ValueError for no values, NaN or infinity, and where the statistic is not one finite number.

    B. Efron (1979). Matches `scipy.stats.bootstrap(..., method="percentile")` up to the random draws.
    """
    data = finite_values(values, "values")
    drawn = _resampled(data, statistic, resamples, seed)
    low, high = np.quantile(drawn, tails(confidence))
    return float(low), float(high)


@dataclass(frozen=True)
class PairedDifference:
    """How much larger `a` is than `b` on average, with its interval."""

    difference: float  # mean(a − b)
    low: float
    high: float
    share_not_larger: float  # of resamples in which a was, on average, not larger than b

    def __str__(self) -> str:
        return (
            f"{self.difference:+.3g} ({self.low:+.3g} to {self.high:+.3g}; "
            f"not larger in {self.share_not_larger:.1%} of resamples)"
        )


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> PairedDifference:
    """Interval of mean(a − b) where a[i] and b[i] are two systems' scores on the same item i.

    Whole pairs are drawn, so that an item that is hard for both cancels out. a, b: (n,) finite numbers or booleans.
    Raises ValueError where their lengths differ, and like `bootstrap`. For language: P. Koehn (2004).
    """
    first, second = paired_values(a, b)
    gaps = first - second
    drawn = _resampled(gaps, np.mean, resamples, seed)
    low, high = np.quantile(drawn, tails(confidence))
    return PairedDifference(float(gaps.mean()), float(low), float(high), float((drawn <= 0).mean()))


def bootstrap_ratio(
    a: ArrayLike,
    b: ArrayLike,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Interval of sum(a) / sum(b) where a[i] and b[i] were counted on the same item i, such as a sentence.

    Whole pairs are drawn. a, b: (n,) finite numbers, b positive. Raises ValueError like `paired_bootstrap`.
    Matches `scipy.stats.bootstrap((a, b), statistic, paired=True, method="percentile")` up to the random draws.
    """
    first, second = paired_values(a, b)
    if (second <= 0).any():
        raise ValueError("A ratio needs positive numbers below the line.")
    pairs = first + 1j * second  # one array of pairs, so that they are drawn together
    drawn = _resampled(pairs, lambda block, axis: block.sum(axis).real / block.sum(axis).imag, resamples, seed)
    low, high = np.quantile(drawn, tails(confidence))
    return float(low), float(high)


def coverage(
    interval: Callable[[NDArray, int, float], Interval],
    p: ArrayLike,
    n: int,
    *,
    confidence: float = 0.95,
    simulations: int = 10_000,
    seed: int | np.random.Generator = 0,
) -> Any:
    """Share of simulated tests whose interval holds the true share: `confidence`, if the interval keeps its promise.

    interval: `wilson`, `wald` or the like. p: the true share, or an array of them; n: items in each simulated test
    →  a float, or an array like p. Raises ValueError for p outside [0, 1] or NaN, and for no items or simulations.
    """
    truth = np.asarray(p, dtype=float)
    if not ((truth >= 0) & (truth <= 1)).all():
        raise ValueError("A true share p lies between 0 and 1.")
    if whole_numbers(n, "n") < 1 or whole_numbers(simulations, "simulations") < 1:
        raise ValueError(f"coverage() needs at least one item and one simulation, not {n} and {simulations}.")
    successes = np.random.default_rng(seed).binomial(n, truth, size=(simulations, *truth.shape))
    low, high = interval(successes, n, confidence)
    return plain(((low <= truth) & (truth <= high)).mean(axis=0))


def _resampled(
    data: NDArray, statistic: Callable[..., Any], resamples: int, seed: int | np.random.Generator
) -> NDArray:
    """The statistic of `resamples` draws: (resamples,), in blocks that bound the memory."""
    if whole_numbers(resamples, "resamples") < 1:
        raise ValueError(f"resamples must be 1 or more, not {resamples}.")
    rng = np.random.default_rng(seed)
    n_rows = max(1, BLOCK // len(data))
    drawn = np.empty(resamples)
    for start in range(0, resamples, n_rows):
        rows = min(n_rows, resamples - start)
        block = data[rng.integers(len(data), size=(rows, len(data)))]
        drawn[start : start + rows] = _statistics(block, statistic)
    if not np.isfinite(drawn).all():
        raise ValueError("The statistic is not a finite number for every resample, so it has no bootstrap interval.")
    return drawn


def _statistics(block: NDArray, statistic: Callable[..., Any]) -> NDArray:
    found = np.asarray(
        statistic(block, axis=1) if _takes_axis(statistic) else [statistic(row) for row in block], dtype=float
    )
    if found.shape != (len(block),):
        raise ValueError(f"A statistic gives one number for a list of values; this one gave shape {found.shape[1:]}.")
    return found


def _takes_axis(statistic: Callable[..., Any]) -> bool:
    try:
        return "axis" in inspect.signature(statistic).parameters
    except (TypeError, ValueError):  # some functions written in C have no signature
        return False


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[NDArray, NDArray]:
    k, n = (whole_numbers(counts, name) for counts, name in ((successes, "successes"), (trials, "trials")))
    try:
        k, n = np.broadcast_arrays(k, n)
    except ValueError:
        raise ValueError(
            f"successes of shape {np.shape(successes)} and trials of shape {np.shape(trials)} do not go together."
        ) from None
    if (k < 0).any() or (n < 0).any():
        raise ValueError("Counts cannot be negative.")
    if (k > n).any():
        at = int((k > n).argmax())
        raise ValueError(f"There cannot be more successes than trials: {k.flat[at]:g} of {n.flat[at]:g}.")
    return k, n


def _z(confidence: float) -> float:
    """How many standard errors hold `confidence` of a normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf(tails(confidence)[1])
