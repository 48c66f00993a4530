"""Three tests in their smallest form, without options. Tests hold each equal to its full version."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln


def kappa(a: list[str], b: list[str]) -> float:
    """How much of the agreement that chance leaves open do two raters reach? a, b: labels of the same items."""
    n = len(a)
    agreed = sum(x == y for x, y in zip(a, b, strict=True)) / n
    by_chance = sum(a.count(label) / n * b.count(label) / n for label in set(a))
    return (agreed - by_chance) / (1 - by_chance)


def e_value(only_a: NDArray | int, only_b: NDArray | int) -> NDArray | float:
    """How many times more likely are these disagreements if one system is better, by any margin, than if none is?

    only_a, only_b: questions that only A, or only B, got right: numbers, or arrays of them. If none is better, each of
    these n disagreements is the toss of a coin, and they have probability (½)ⁿ. If A wins a share s of them and every s
    is equally plausible, they have probability ∫ sᵃ (1 − s)ᵇ ds = B(a + 1, b + 1), the beta function.
    """
    return np.exp((only_a + only_b) * np.log(2) + betaln(only_a + 1, only_b + 1))  # in logarithms: no overflow
