"""Do raters say the same thing more often than chance would make them?

    cohen_kappa(mine, yours)                             # two raters, every item rated by both
    kappa_interval(mine, yours)                          # … and how far that could be from the truth
    krippendorff_alpha([anna, ben, caro])                # any number of raters, gaps allowed (None)
    alpha_interval([anna, ben, caro], level="ordinal")

Two raters who answer "good" in nine of ten cases agree on about eight of ten by chance alone, so raw agreement
misleads. Both measures are 1 for perfect agreement, 0 for what chance gives, and negative below that.

What they do not say: who is right. Raters can agree and all be wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from helpers.old.stats.resampling import times_drawn
from helpers.stats.checks import tails

Level = Literal["nominal", "ordinal", "interval"]
POWERS = {None: 0, "linear": 1, "quadratic": 2}


def cohen_kappa(
    a: Sequence[Hashable], b: Sequence[Hashable], *, weights: Literal["linear", "quadratic"] | None = None
) -> float:
    """(observed agreement − agreement by chance) / (1 − agreement by chance) of two raters.

    a, b: (n,) labels of the same n items. Chance: each rater draws labels at random, as often as they gave them.
    `weights` is for labels in an order (1 to 5): a near miss counts less than a far one, by its distance in that order
    or the square of it. NaN where both gave every item the same one label: chance would agree as often.
    Raises ValueError for no items, unequal lengths, a label that is missing, and labels that cannot be ordered.

    J. Cohen (1960, weights 1968). Matches `sklearn.metrics.cohen_kappa_score(a, b, weights=weights)`.
    """
    return float(_kappas(_tables(a, b, weights).sum(axis=0), weights))


def kappa_interval(
    a: Sequence[Hashable],
    b: Sequence[Hashable],
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of `cohen_kappa` over items; with a dozen items it is wide, and rightly so.

    groups: (n,) which items belong together, such as the question that each pair of answers is about; whole groups are
    drawn then. Resamples without a kappa (one label only) are left out; (NaN, NaN) if none has one. Raises like
    `cohen_kappa`, and for groups that are not one for each item.
    """
    tables = _tables(a, b, weights)
    times = times_drawn(len(tables), groups, resamples, seed)
    return _quantiles(_kappas(_sums(times, tables), weights), confidence)


def krippendorff_alpha(ratings: Sequence[Sequence[Any]], *, level: Level = "nominal") -> float:
    """1 − observed disagreement / disagreement by chance, for any number of raters, some of whom skipped items.

    ratings: one list of n ratings for each rater; None or NaN where there is none. `level` says what the ratings are:
    "nominal" (names: any two differ equally), "ordinal" (ranks) or "interval" (numbers whose differences count).
    Items with fewer than two ratings say nothing and are left out. NaN where only one value was given.
    Raises ValueError for lists of unequal lengths, no item with two ratings, an unknown level, and values other than
    numbers at "interval" or without an order at "ordinal".

    K. Krippendorff (2011), by the coincidence matrix.
    """
    coincidences, positions = _coincidences(ratings, level)
    return float(_alphas(coincidences.sum(axis=0), level, positions))


def alpha_interval(
    ratings: Sequence[Sequence[Any]],
    *,
    level: Level = "nominal",
    groups: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of `krippendorff_alpha` over items (not over raters). Raises like it.

    groups: as in `kappa_interval`. Resamples without an alpha (one value only) are left out; (NaN, NaN) if none has
    one.
    """
    coincidences, positions = _coincidences(ratings, level)
    times = times_drawn(len(coincidences), groups, resamples, seed)
    return _quantiles(_alphas(_sums(times, coincidences), level, positions), confidence)


def _tables(a: Sequence[Hashable], b: Sequence[Hashable], weights: str | None) -> NDArray:
    """For each item, a 1 where the row is the label of a and the column that of b: (n, K, K)."""
    if weights not in POWERS:
        raise ValueError(f"weights are 'linear', 'quadratic' or None, not {weights!r}.")
    if len(a) != len(b) or not len(a):
        raise ValueError(f"Both raters label the same items, at least one, not {len(a)} and {len(b)}.")
    if any(_is_missing(label) for label in [*a, *b]):
        raise ValueError("Kappa needs a label of both raters for every item; krippendorff_alpha() allows gaps.")
    codes = _codes([*a, *b], ordered=weights is not None)
    tables = np.zeros((len(a), len(codes), len(codes)))
    tables[np.arange(len(a)), [codes[label] for label in a], [codes[label] for label in b]] = 1
    return tables


def _kappas(tables: NDArray, weights: str | None) -> NDArray:
    """(…, K, K) tables  →  (…) kappas."""
    labels = np.arange(tables.shape[-1])
    distance = np.abs(labels[:, None] - labels)
    cost = distance ** POWERS[weights] if weights else distance > 0
    by_chance = tables.sum(-1)[..., :, None] * tables.sum(-2)[..., None, :] / tables.sum((-2, -1))[..., None, None]
    return 1 - _ratio((cost * tables).sum((-2, -1)), (cost * by_chance).sum((-2, -1)))


def _coincidences(ratings: Sequence[Sequence[Any]], level: str) -> tuple[NDArray, NDArray]:
    """For each item, how often a pair of its ratings holds each two values (n, K, K); the values' places on a line."""
    if level not in ("nominal", "ordinal", "interval"):
        raise ValueError(f"level is 'nominal', 'ordinal' or 'interval', not {level!r}.")
    if len({len(row) for row in ratings}) != 1:
        raise ValueError("Each rater needs a list of ratings of the same items, with None where one was skipped.")
    given = [[(item, value) for item, value in enumerate(row) if not _is_missing(value)] for row in ratings]
    codes = _codes([value for row in given for _, value in row], ordered=level != "nominal")

    counts = np.zeros((len(ratings[0]), len(codes)))  # how many raters gave this item this value
    for row in given:
        for item, value in row:
            counts[item, codes[value]] += 1
    given_to = counts.sum(axis=1)
    if not (given_to >= 2).any():
        raise ValueError("No item has two ratings, so there is nothing to agree on.")
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(codes))  # no one with themselves
    return pairs / np.maximum(given_to - 1, 1)[:, None, None], _positions(list(codes), level)


def _positions(values: list[Any], level: str) -> NDArray:
    try:
        return np.array(values, dtype=float) if level == "interval" else np.zeros(len(values))
    except (TypeError, ValueError):
        raise ValueError("Ratings at the level 'interval' are numbers.") from None


def _alphas(coincidences: NDArray, level: str, positions: NDArray) -> NDArray:
    """(…, K, K) coincidences  →  (…) alphas."""
    given = coincidences.sum(-1)  # how many ratings had each value
    if level == "ordinal":
        positions = given.cumsum(-1) - given / 2  # the middle rank of each value
    gap = positions[..., :, None] - positions[..., None, :]
    cost = 1 - np.eye(given.shape[-1]) if level == "nominal" else gap**2
    by_chance = given[..., :, None] * given[..., None, :] / (given.sum(-1) - 1)[..., None, None]
    return 1 - _ratio((cost * coincidences).sum((-2, -1)), (cost * by_chance).sum((-2, -1)))


def _codes(labels: list[Any], *, ordered: bool) -> dict[Any, int]:
    """A number for each label: in their order, or as they come."""
    distinct = list(dict.fromkeys(labels))
    if ordered:
        try:
            distinct.sort()
        except TypeError:
            raise ValueError("Labels that are to be ordered must be all numbers or all text.") from None
    return {label: code for code, label in enumerate(distinct)}


def _is_missing(label: Any) -> bool:
    return label is None or label != label  # only NaN is not itself


def _ratio(above: NDArray, below: NDArray) -> NDArray:
    """above / below, and NaN for division by zero."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)


def _sums(times: NDArray, tables: NDArray) -> NDArray:
    """The items' tables added up, each as often as it was drawn: (resamples, K, K)."""
    return (times @ tables.reshape(len(tables), -1)).reshape(-1, *tables.shape[1:])


def _quantiles(drawn: NDArray, confidence: float) -> tuple[float, float]:
    ends = tails(confidence)
    if np.isnan(drawn).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(drawn, ends)
    return float(low), float(high)
