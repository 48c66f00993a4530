"""Exercises of 00b_foundations: broadcasting, a gradient, softmax, cross-entropy, Wilson's interval, a test's size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from helpers import stats
from helpers.exercises.checking import foundations_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.foundations.probability import IGNORED, cross_entropy, softmax


def pairwise_squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared distance of every row of `a` to every row of `b`, without a Python loop.

    a: (N, d), b: (M, d)  →  (N, M)
    """
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(dim=-1)  # (N, 1, d) − (1, M, d) → (N, M, d) → (N, M)


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean of the N squared differences between a prediction and its own target.

    predictions: (N, 1), as a layer gives them; targets: (N,)  →  a tensor with one number
    """
    return ((predictions.squeeze(1) - targets) ** 2).mean()


def planted_mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """The version that stands in the notebook: (N, 1) − (N,) is (N, N), every prediction against every target."""
    return ((predictions - targets) ** 2).mean()


def mse_gradient(W: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Gradient of ((X @ W - Y) ** 2).mean() with respect to W, without autograd.

    W: (d, k), X: (N, d), Y: (N, k)  →  (d, k)
    """
    residual = X @ W - Y  # (N, k)
    return 2 * X.T @ residual / residual.numel()


def items_needed(share: float, margin: float, sizes: Sequence[int]) -> int | None:
    """Smallest test in `sizes` whose 95 % Wilson interval is at most ± `margin` wide, or None.

    share: the accuracy you expect, so count round(share * n) successes in n items.
    margin: half the width that you accept. `sizes` come in any order.
    """
    for n in sorted(sizes):
        low, high = stats.wilson(round(share * n), n)
        if (high - low) / 2 <= margin:
            return n
    return None


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def _distance_cases(rng: Generator) -> list[tuple]:
    square = _normal(rng, 3, 3)
    return [
        (_normal(rng, 2, 5), _normal(rng, 3, 5)),
        (square, _normal(rng, 3, 3)),  # here a wrong order or dimension keeps the shape
        (square, square.clone()),
        (_normal(rng, 1, 4), _normal(rng, 6, 4)),
        (_normal(rng, 5, 1), _normal(rng, 2, 1)),
        (_normal(rng, 900, 2), _normal(rng, 800, 2)),  # a loop over 720,000 pairs does not finish in time
    ]


def _error_cases(rng: Generator) -> list[tuple]:
    perfect = _normal(rng, 6, scale=3)
    return [
        (_normal(rng, 4, 1), _normal(rng, 4)),
        (_normal(rng, 7, 1), _normal(rng, 7, scale=10)),
        (perfect[:, None].clone(), perfect),
        (_normal(rng, 1, 1), _normal(rng, 1)),
        (torch.arange(5.0)[:, None], torch.arange(5.0).flip(0)),
        (_normal(rng, 3, 1).requires_grad_(), _normal(rng, 3)),  # a loss to train with
    ]


def _gradient_cases(rng: Generator) -> list[tuple]:
    def case(n: int, d: int, k: int) -> tuple:
        return _normal(rng, d, k), _normal(rng, n, d), _normal(rng, n, k)

    W, X, _ = case(6, 3, 2)
    return [case(5, 3, 2), case(3, 3, 3), case(8, 2, 1), case(1, 4, 2), case(4, 1, 3), (W, X, X @ W)]


def _softmax_cases(rng: Generator) -> list[tuple]:
    masked = _normal(rng, 3, 4)
    masked[0, 2] = masked[2, :3] = -torch.inf
    far_apart = torch.stack([_normal(rng, 5) + 900, _normal(rng, 5) - 900])
    return [
        (_normal(rng, 2, 5), -1),
        (_normal(rng, 3, 3, scale=3), 0),
        (_normal(rng, 2, 3, 4), 1),
        (torch.tensor([1000.0, 1001.0, 999.0]), -1),
        (torch.tensor([[-200.0, -201.0], [0.0, 0.0]]), -1),
        (far_apart, -1),
        (masked, -1),
        (_normal(rng, 4, 1), 1),
    ]


def _entropy_cases(rng: Generator) -> list[tuple]:
    def targets(n: int, classes: int) -> Tensor:
        return torch.tensor(rng.integers(classes, size=n))

    padded, other = targets(6, 4), targets(5, 3)
    padded[[1, 4]] = IGNORED
    other[other == 0] = 1
    other[2] = 0
    return [
        (_normal(rng, 3, 5), targets(3, 5), IGNORED),
        (_normal(rng, 6, 4, scale=2), padded, IGNORED),
        (_normal(rng, 5, 3), other, 0),  # padded with another number
        (torch.tensor([[0.0, 200.0, 0.0], [1.0, 2.0, 3.0]]), torch.tensor([0, 1]), IGNORED),
        (_normal(rng, 4, 2) + 300, targets(4, 2), IGNORED),
        (_normal(rng, 1, 7), targets(1, 7), IGNORED),
        (torch.zeros(2, 9), torch.tensor([8, 0]), IGNORED),
    ]


def _wilson_cases(rng: Generator) -> list[tuple]:
    trials = [int(n) for n in rng.integers(5, 400, size=3)]
    drawn = [(int(rng.integers(n + 1)), n, 0.95) for n in trials]
    return [
        (15, 20, 0.95),
        *drawn,
        (0, 12, 0.95),
        (12, 12, 0.95),
        (7, 9, 0.5),
        (450, 500, 0.99),
        (np.array([0, 3, 10, 20]), 20, 0.9),
        (np.array([[1, 2], [3, 4]]), 5, 0.95),
    ]


def _size_cases(rng: Generator) -> list[tuple]:
    sizes = [20, 50, 100, 200, 500, 1000, 2000, 5000]
    shuffled = [sizes[i] for i in rng.permutation(len(sizes))]
    return [
        (0.8, 0.05, sizes),
        (0.9, 0.02, shuffled),
        (0.5, 0.1, shuffled),
        (0.98, 0.04, sizes),
        (1.0, 0.03, sizes[::-1]),
        (0.99, 0.01, shuffled),
        (0.5, 0.001, sizes),
        (0.7, 0.1, []),
        (0.85, 0.08, [10, 15, 25, 30, 35, 45, 60, 75, 90, 120, 150, 175]),  # rounding decides
        (0.97, 0.08, [10, 15, 25, 30, 35, 45, 60, 75, 90, 120, 150, 175]),
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="pairwise_squared_distances",
        notebook="00b_foundations",
        minutes=2,
        difficulty=1,
        reference=pairwise_squared_distances,
        cases=_distance_cases,
        tolerance=1e-4,  # |a|² + |b|² − 2ab is as good an answer, and rounds differently
        seconds=2.0,
        hints=(
            "Which shapes must meet so that broadcasting gives (N, M, d)?",
            "Give `a` an axis of size 1 in the middle, `b` one at the front, and subtract: every row then meets every "
            "other row.",
            "`a[:, None, :]` has the shape (N, 1, d), and `b[None, :, :]` the shape (1, M, d). Subtract one from the "
            "other, square the result, and sum over the last axis.",
        ),
        proves="every row against every row in the right order, and 720,000 pairs in time",
        properties=[
            Property(
                "no squared distance is negative",
                lambda result, *_: bool((result > -1e-4).all()),
                "square the differences before you sum them.",
            ),
        ],
        mistakes=[
            Mistake(
                lambda a, b: pairwise_squared_distances(b, a),
                "rows and columns are swapped: `a` runs down the rows, `b` along the columns.",
            ),
            Mistake(
                lambda a, b: pairwise_squared_distances(a, b).sqrt(),
                "these are distances; the squared ones are asked for.",
            ),
            Mistake(known.mean_instead_of_sum, "you average over the d numbers of a row; a distance sums them."),
            Mistake(known.absolute_differences, "you sum absolute differences; square them instead."),
            Mistake(known.differences_not_squared, "square the differences before you sum them."),
            Mistake(lambda a, b: a @ b.T, "`a @ b.T` holds dot products, not distances."),
        ],
    ),
    Exercise(
        name="mean_squared_error",
        notebook="00b_foundations",
        minutes=2,
        difficulty=1,
        reference=mean_squared_error,
        planted=planted_mean_squared_error,
        cases=_error_cases,
        hints=(
            "What is the shape of `predictions - targets`?",
            "(N, 1) minus (N,) is (N, N): each prediction meets every target. Both must have the same shape first.",
            "Drop the axis of size 1 from the predictions with `predictions.squeeze(1)`, or give the targets one with "
            "`targets[:, None]`; the rest of the line is right.",
        ),
        proves="each prediction meets its own target, and a perfect prediction costs nothing",
        properties=[
            Property(
                "perfect predictions have error 0",
                lambda result, p, t: not torch.equal(p[:, 0], t) or float(result) == 0,
            ),
            Property(
                "where predictions carry gradients, so does the loss",
                lambda result, p, t: result.requires_grad == p.requires_grad,
                "`.detach()`, `.item()` or NumPy cuts the loss off from the weights; stay with tensors.",
            ),
        ],
        mistakes=[
            Mistake(planted_mean_squared_error, "predictions still meet every target, not only their own."),
            Mistake(known.summed_error, "this is the sum; divide by N, or take the mean."),
            Mistake(known.absolute_error, "you average absolute differences; square them."),
            Mistake(known.root_of_error, "this is the square root of it."),
            Mistake(known.mean_before_square, "you average first and square then, so errors cancel out."),
            Mistake(known.divided_by_n_again, "the mean has divided by N already; yours is N times too small."),
            Mistake(known.summed_square, "this still sums over all N × N pairs."),
        ],
    ),
    Exercise(
        name="mse_gradient",
        notebook="00b_foundations",
        minutes=2,
        difficulty=2,
        reference=mse_gradient,
        cases=_gradient_cases,
        tolerance=1e-4,
        hints=(
            "For single numbers, what is the derivative of (x·w − y)² with respect to w?",
            "It is 2 · x · (x·w − y). With matrices, order and transpose follow from the shapes: the result is "
            "(d, k). Over how many numbers is the mean?",
            "Compute the residual `R = X @ W - Y`, of shape (N, k). Twice `X.T @ R` has the shape (d, k); divide it by "
            "the number of residuals, N times k.",
        ),
        proves="right for odd shapes, for one row, for one column, and zero where the fit is perfect",
        properties=[
            Property(
                "a small step against the gradient lowers the loss",
                lambda result, W, X, Y: known.step_lowers_loss(result, W, X, Y),
                "the gradient points uphill: mind the sign, X @ W − Y.",
            ),
        ],
        mistakes=[
            Mistake(known.scaled_gradient(lambda n, k: 1 / (n * k)), "the factor 2 of the square is missing."),
            Mistake(known.scaled_gradient(lambda n, k: 2 / n), "you divide by N, but the mean is over N · k numbers."),
            Mistake(known.scaled_gradient(lambda n, k: 1 / n), "the mean is over N · k numbers, and a 2 is missing."),
            Mistake(known.scaled_gradient(lambda n, k: 2), "this is the gradient of the sum; divide by N · k."),
            Mistake(known.scaled_gradient(lambda n, k: -2 / (n * k)), "the sign is wrong: the residual is X @ W − Y."),
            Mistake(known.gradient_without_transpose, "X is not transposed: each weight gathers over the N rows."),
        ],
    ),
    Exercise(
        name="softmax",
        notebook="00b_foundations",
        minutes=2,
        difficulty=2,
        reference=softmax,
        cases=_softmax_cases,
        tolerance=1e-4,  # logits of 1000 are themselves rounded to 6e-5 in fp32
        hints=(
            "What is exp(1000) in fp32, and what is inf / inf?",
            "Adding one number to all logits changes no probability. Which number, subtracted, makes the largest "
            "exponent 0?",
            "Take the maximum along `dim` with `keepdim=True` (`amax`), subtract it, apply `exp`, and divide by the "
            "sum along the same dimension, again with `keepdim=True`.",
        ),
        proves="sums to 1 along any dimension, and survives 1000, −200, rows far apart and −inf",
        properties=[
            Property(
                "no probability is NaN",
                lambda result, *_: not bool(result.isnan().any()),
                "NaN comes from inf / inf, 0 / 0 or inf − inf: look for the step that leaves fp32's range.",
            ),
            Property(
                "what is impossible, with a logit of −inf, has probability 0",
                lambda result, logits, dim: bool((result[logits == -torch.inf] == 0).all()),
            ),
            Property(
                "probabilities sum to 1 along `dim`",
                lambda result, logits, dim: bool(((result.sum(dim) - 1).abs() < 1e-4).all()),
            ),
        ],
        mistakes=[
            Mistake(known.naive_softmax, "exp of a large number is inf, and inf / inf is NaN: subtract the maximum."),
            Mistake(
                known.softmax_with_global_maximum,
                "the maximum of the whole tensor is taken; a row far below it underflows to 0 / 0.",
            ),
            Mistake(known.always_last_dimension, "`dim` is ignored: you always normalize the last one."),
            Mistake(known.always_first_dimension, "`dim` is ignored: you always normalize the first one."),
            Mistake(known.normalized_over_everything, "you divide by the sum of the whole tensor, not along `dim`."),
            Mistake(known.not_normalized, "the division by the sum is missing."),
            Mistake(known.log_of_softmax, "this is the logarithm of the softmax."),
            Mistake(known.clamped_softmax, "cutting large logits off changes the probabilities; subtract instead."),
        ],
    ),
    Exercise(
        name="cross_entropy",
        notebook="00b_foundations",
        minutes=2,
        difficulty=2,
        reference=cross_entropy,
        cases=_entropy_cases,
        hints=(
            "Which of the V log-probabilities in a row do you need?",
            "First drop the rows whose target is `ignore_index`. For the others take the log-probability at the "
            "target; the loss is minus their mean.",
            "`torch.log_softmax(logits, -1)` is safe where log(softmax) gives log(0). Keep the rows of both "
            "where `targets != ignore_index`; of the n rows left, `[torch.arange(n), targets]` picks one entry each. "
            "Take minus the mean.",
        ),
        proves="equals −log p(target) on average, skips ignored targets, and stays finite at a logit of 200",
        properties=[
            Property(
                "the loss is not negative",
                lambda result, *_: bool(result >= 0) or bool(result.isnan()),
                "log-probabilities are negative: the loss is minus their mean.",
            ),
            Property(
                "the loss is finite",
                lambda result, *_: bool(result.isfinite()),
                "an exp or a log has left fp32's range: log_softmax and logsumexp stay inside.",
            ),
        ],
        mistakes=[
            Mistake(known.entropy(log_of_probability=True), "log(softmax) is log(0) for a very unlikely target."),
            Mistake(known.entropy(sign=1), "log-probabilities are negative: the loss is minus their mean."),
            Mistake(known.entropy(summed=True), "this is the sum; take the mean over the targets that count."),
            Mistake(known.entropy(over_all=True), "you divide by all targets, the ignored ones included."),
            Mistake(known.entropy(base=2.0), "this is in bits; use the natural logarithm, nats."),
            Mistake(known.entropy(ignored=IGNORED), "only −100 is left out; leave out what equals `ignore_index`."),
            Mistake(known.minus_logit, "you take the logit itself; it must be normalized first (log_softmax)."),
            Mistake(known.minus_probability, "you take the probability; the loss is minus its logarithm."),
        ],
    ),
    Exercise(
        name="wilson",
        notebook="00b_foundations",
        minutes=2,
        difficulty=2,
        reference=stats.wilson,
        cases=_wilson_cases,
        hints=(
            "The formula has a plus and a minus: what do both ends share?",
            "Compute z from the confidence, then the middle (k + z²/2) / (n + z²), then the reach; return the middle "
            "minus the reach, and plus it. NumPy functions work on numbers and on arrays.",
            "With `z = NormalDist().inv_cdf((1 + confidence) / 2)` the reach is z · √(k (n − k) / n + z² / 4), divided "
            "by n + z². Return a tuple of two; use `np.sqrt`, not `math.sqrt`, so that arrays work too.",
        ),
        proves="right for single counts and arrays, for 0 and all successes, for three confidences",
        properties=[
            Property(
                "both ends lie in [0, 1] and the low one is below",
                lambda result, *_: bool(np.all((-1e-9 < result[0]) & (result[0] < result[1]) & (result[1] < 1 + 1e-9))),
                "Wilson's interval never leaves [0, 1]: check the brackets, every z², and the n + z² below.",
            ),
        ],
        mistakes=[
            Mistake(stats.wald, "this is the naive interval, share ± z standard errors."),
            Mistake(known.interval(z=known.one_sided), "z belongs to (1 + confidence) / 2: both tails are cut off."),
            Mistake(known.interval(z=known.fixed), "1.96 is fixed in your code; compute z from `confidence`."),
            Mistake(known.interval(middle=0.0), "the middle lacks z² / 2: it must be pulled towards one half."),
            Mistake(known.interval(inside=0.0), "the z² / 4 under the root is missing."),
            Mistake(known.interval(inside=1.0), "under the root stands z² / 4, a quarter of z²."),
            Mistake(known.interval(center_only=True), "the middle is the share itself; Wilson's lies nearer one half."),
            Mistake(lambda *args: stats.wilson(*args)[::-1], "low and high are swapped, or z is negative."),
            Mistake(lambda *args: tuple(100 * end for end in stats.wilson(*args)), "these are percent; return shares."),
        ],
    ),
    Exercise(
        name="items_needed",
        notebook="00b_foundations",
        minutes=2,
        difficulty=2,
        reference=items_needed,
        cases=_size_cases,
        hints=(
            "Larger tests have narrower intervals: in which order do you try the sizes?",
            "For each size, smallest first: count the successes you expect, ask `wilson`, and compare half the width "
            "with the margin.",
            "Loop over the sizes in rising order; inside, `low, high = wilson(...)` of the rounded expected count, and "
            "return that size as soon as half of `high - low` is small enough. After the loop, return None.",
        ),
        proves="the smallest size that is enough in any order of sizes, and None where none is",
        properties=[
            Property("the answer is one of the sizes, or None", lambda found, *args: found is None or found in args[2]),
        ],
        mistakes=[
            Mistake(known.size(half=1.0), "you compare the whole width; the margin is half of it."),
            Mistake(known.size(order=list), "you take the first size that is enough; `sizes` come in any order."),
            Mistake(known.size(order=known.falling), "you take the largest size that is enough; the smallest will do."),
            Mistake(known.size(interval=stats.wald), "the naive interval is too narrow near 1: use `wilson`."),
            Mistake(known.size(otherwise=max), "where no size is enough, return None."),
            Mistake(known.size(otherwise=lambda sizes: 0), "where no size is enough, return None."),
            Mistake(known.size(strict=0.5), "you ask for half the margin; compare (high − low) / 2 with it."),
        ],
    ),
]
