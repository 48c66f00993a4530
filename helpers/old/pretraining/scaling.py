"""How low will the loss be for so many parameters, so much text, so much compute? Counts, laws fitted, and intervals.

    count_parameters(model).total                    # and .inside, without embeddings: two meanings of "N"
    training_flops(model.config, length=64)          # per token: forward, and backward at twice its cost

    law = fit_law(n, d, losses)                      # L(N, D) = E + A / N^α + B / D^β
    law.loss(1e6, 2e7)
    laws = resampled_laws(n, d, losses)              # one law for each resample of the runs
    laws.interval(1e6, 2e7)                          # where the loss of a new run is expected

A law is a curve through runs. It knows nothing of what was not varied (text, tokenizer, context, recipe), and beyond
the sizes it was fitted on it is a bet, which a held-out run can lose. What it does not do: train.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from helpers.old.transformer.gpt import GPTConfig
from helpers.stats.checks import finite_values, tails

STARTS = [(alpha, beta) for alpha in (0.2, 0.4, 0.8) for beta in (0.2, 0.4, 0.8)]  # from where exponents are sought
STEEPEST = 3.0  # no exponent beyond it: such a term is a step, and the rest of the law would fit noise


@dataclass(frozen=True)
class Parameters:
    """How many numbers a model has learned, by where they stand."""

    inside: int  # matrices and vectors of the layers: N without embeddings
    embedding: int  # tables that are looked up, not multiplied with
    head: int  # the matrix that makes logits, counted whether or not it is the embedding again
    tied: bool  # whether it is
    idle: int = 0  # of `inside`: experts that a token does not pass

    @property
    def total(self) -> int:
        """Every number once: what a file holds."""
        return self.inside + self.embedding + (0 if self.tied else self.head)

    @property
    def multiplied(self) -> int:
        """What a token is multiplied with: the layers it passes and the head."""
        return self.inside - self.idle + self.head


def count_parameters(model: nn.Module) -> Parameters:
    """The parameters of a GPT: embeddings are those whose name says so, the head is `head`, all others are inside."""
    embedding = head = inside = idle = 0
    named = dict(model.named_parameters(remove_duplicate=False))
    for name, parameter in named.items():
        if name.startswith("head."):
            head += parameter.numel()
        elif "embedding" in name:
            embedding += parameter.numel()
        else:
            inside += parameter.numel()
    tied = any(named[name] is model.embedding.weight for name in named if name.startswith("head."))
    for module in model.modules():
        idle += getattr(module, "idle_parameters", 0)
    return Parameters(inside, embedding, head, tied, idle)


def forward_flops(config: GPTConfig, length: int) -> dict[str, int]:
    """Operations to read one token in a window of `length`, by part; a multiplication and an addition are two.

    layers: the matrices of attention and feed-forward network; scores: queries times keys and weights times values,
    for all positions, as the masked ones are computed, too, at these sizes; head: the logits. Norms, activations and
    the softmax are left out: they are a few per cent.
    """
    c = config
    width = c.n_heads * c.head_dim
    attention = c.d_model * (2 * width + 2 * c.n_kv_heads * c.head_dim)
    feed_forward = (3 if c.gated else 2) * c.d_model * c.d_ff
    return {
        "layers": 2 * c.n_layers * (attention + feed_forward),
        "scores": 2 * c.n_layers * 2 * length * width,
        "head": 2 * c.d_model * c.vocab_size,
    }


def training_flops(config: GPTConfig, length: int) -> int:
    """Operations to train on one token: the backward pass computes two products for each one of the forward pass."""
    return 3 * sum(forward_flops(config, length).values())


@dataclass(frozen=True)
class Law:
    """L(N, D) = floor + a / N^alpha + b / D^beta, in nats per token (Hoffmann et al., 2022)."""

    floor: float  # what no size and no amount of text removes
    a: float
    alpha: float
    b: float
    beta: float

    def loss(self, n: ArrayLike, d: ArrayLike) -> Any:
        """The loss at N parameters and D training tokens; numbers or arrays that broadcast."""
        n, d = np.asarray(n, dtype=float), np.asarray(d, dtype=float)
        found = self.floor + self.a / n**self.alpha + self.b / d**self.beta
        return found if found.ndim else float(found)

    def best_split(self, budget: ArrayLike) -> tuple[Any, Any]:
        """(N, D) with the lowest loss where training costs 6 · N · D operations: a sum of two powers on a
        hyperbola, whose lowest point has a closed form."""
        product = np.asarray(budget, dtype=float) / 6.0
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1 / (self.alpha + self.beta))
        n = ratio * product ** (self.beta / (self.alpha + self.beta))
        return n, product / n

    @property
    def size_exponent(self) -> float:
        """How the best N grows with compute: N ∝ C^this."""
        return self.beta / (self.alpha + self.beta)


# What was fitted on runs of 44 million to 16 billion parameters, and what came out of the same runs two years later.
PUBLISHED = {
    "Hoffmann et al., 2022": Law(1.69, 406.4, 0.34, 410.7, 0.28),
    "Besiroglu et al., 2024": Law(1.82, 482.0, 0.348, 2085.4, 0.366),
}


def fit_law(n: ArrayLike, d: ArrayLike, losses: ArrayLike, weights: ArrayLike | None = None) -> Law:
    """The law with the least squared error over runs: N parameters, D tokens and loss of each, (runs,).

    For two given exponents the other three numbers follow by linear regression, so that only exponents are searched
    for, from several starts. weights: how often each run counts. Raises ValueError for fewer than six runs, for runs
    that all have one N or one D, and for numbers that are not positive.
    """
    x, y, loss = _runs(n, d, losses)
    weight = np.ones(len(loss)) if weights is None else np.asarray(weights, dtype=float)
    return _search(x, y, loss, weight, STARTS)


@dataclass(frozen=True)
class Laws:
    """One law for each resample of the runs, and how far runs were from the law fitted on all of them."""

    law: Law  # on all runs
    resamples: tuple[Law, ...]
    misses: NDArray  # (runs,) measured loss − that of the law, enlarged as a fit is closer to its runs than to new ones

    def interval(self, n: float, d: float, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
        """Where the loss of one new run is expected: the laws differ, and a run misses its law."""
        predicted = np.array([law.loss(n, d) for law in self.resamples])
        missed = np.random.default_rng(seed).choice(self.misses, size=(50, len(predicted)))
        low, high = np.quantile(predicted + missed, tails(confidence))
        return float(low), float(high)

    def spread(self, statistic: Callable[[Law], float], confidence: float = 0.95) -> tuple[float, float]:
        """Interval of anything that follows from a law, such as `lambda law: law.alpha`."""
        low, high = np.quantile([statistic(law) for law in self.resamples], tails(confidence))
        return float(low), float(high)


def resampled_laws(
    n: ArrayLike, d: ArrayLike, losses: ArrayLike, groups: ArrayLike | None = None, resamples: int = 200, seed: int = 0
) -> Laws:
    """Draw the runs again with replacement, fit, and repeat: how much does the law depend on which runs there are?

    groups: (runs,) runs of one group are drawn together, such as seeds of one size and budget. A resample with fewer
    than three different N or D is drawn again. Raises like `fit_law`.
    """
    x, y, loss = _runs(n, d, losses)
    law = _search(x, y, loss, np.ones(len(loss)), STARTS)
    groups = np.arange(len(loss)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    n_groups, rng, found = int(groups.max()) + 1, np.random.default_rng(seed), []
    start = [(law.alpha, law.beta)]
    while len(found) < resamples:
        times = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)[groups]
        if min(len(np.unique(x[times > 0])), len(np.unique(y[times > 0]))) >= 3:
            found.append(_search(x, y, loss, times.astype(float), start))
    misses = (loss - law.loss(x, y)) * np.sqrt(len(loss) / (len(loss) - 5))  # five numbers were fitted
    return Laws(law, tuple(found), misses)


def _search(n: NDArray, d: NDArray, loss: NDArray, weight: NDArray, starts: list[tuple[float, float]]) -> Law:
    from scipy.optimize import least_squares

    # Both are measured from their middle, so that the factors of the regression are of one size.
    n0, d0, root = np.exp(np.log(n).mean()), np.exp(np.log(d).mean()), np.sqrt(weight)

    def rest(exponents: NDArray) -> tuple[NDArray, NDArray]:
        columns = np.stack([np.ones_like(n), (n / n0) ** -exponents[0], (d / d0) ** -exponents[1]], axis=1)
        return _positive_regression(columns * root[:, None], loss * root)

    fits = [least_squares(lambda e: rest(e)[1], start, bounds=([0.02, 0.02], [STEEPEST, STEEPEST])) for start in starts]
    alpha, beta = min(fits, key=lambda fit: fit.cost).x
    floor, a, b = rest(np.array([alpha, beta]))[0]
    return Law(float(floor), float(a * n0**alpha), float(alpha), float(b * d0**beta), float(beta))


def _positive_regression(columns: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Coefficients ≥ 0 and what is left of y: a floor below zero or a loss that grows with N makes no law."""
    from scipy.optimize import nnls

    factors, _ = nnls(columns, y)
    return factors, columns @ factors - y


def _runs(n: ArrayLike, d: ArrayLike, losses: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    x, y, loss = _positive(n, "n"), _positive(d, "d"), _positive(losses, "losses")
    if not len(x) == len(y) == len(loss) or len(loss) < 6:
        raise ValueError("A law of five numbers needs at least six runs, each with its N, its D and its loss.")
    if len(np.unique(x)) < 3 or len(np.unique(y)) < 3:
        raise ValueError("A law in N and D needs runs of at least three different N and three different D.")
    return x, y, loss


def _positive(values: ArrayLike, name: str) -> NDArray:
    found = finite_values(values, name)
    if (found <= 0).any():
        raise ValueError(f"All {name} must be above 0: their logarithm is taken.")
    return found
