"""mse_gradient: the gradient of a mean squared error by hand, sign, factor and transpose included."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise, Property

from ._shared import normal


def mse_gradient(W: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Gradient of ((X @ W - Y) ** 2).mean() with respect to W, without autograd.

    W: (d, k), X: (N, d), Y: (N, k)  →  (d, k)
    """
    residual = X @ W - Y  # (N, k)
    return 2 * X.T @ residual / residual.numel()


ANSWER = """
def mse_gradient(W, X, Y):
    residual = X @ W - Y  # (N, k)
    return 2 * X.T @ residual / residual.numel()
"""
UPHILL = "the gradient points uphill: mind the sign, X @ W − Y."
SLIPS = [
    ("2 * ", "", "the factor 2 of the square is missing."),
    ("residual.numel()", "len(X)", "you divide by N, but the mean is over N · k numbers."),
    (
        [("2 * ", ""), ("residual.numel()", "len(X)")],
        "the mean is over N · k numbers, and a 2 is missing.",
    ),
    (" / residual.numel()", "", "this is the gradient of the sum; divide by N · k."),
    ("X @ W - Y", "Y - X @ W", "the sign is wrong: the residual is X @ W − Y."),
    ([("X @ W - Y", "Y - X @ W"), ("2 * ", "")], UPHILL),
    ("X.T", "X", "X is not transposed: each weight gathers over the N rows."),
]
REFUSED = [
    ("X.T @ residual /", "residual.T @ X /", "The shape of the result is wrong"),
]
RIGHT = [
    ("2 * X.T @ residual / residual.numel()", "torch.einsum('nd,nk->dk', X, residual) * 2 / (len(Y) * Y.shape[1])"),
    """
def mse_gradient(W, X, Y):
    w = W.clone().requires_grad_()
    return torch.autograd.grad(((X @ w - Y) ** 2).mean(), w)[0]
""",
]


def step_lowers_loss(gradient: Tensor, W: Tensor, X: Tensor, Y: Tensor) -> bool:
    """Does a step of 0.001 against `gradient` lower the loss? True where the loss is (nearly) zero already."""

    def loss(weights: Tensor) -> float:
        return float(((X.double() @ weights.double() - Y.double()) ** 2).mean())

    before = loss(W)
    return before < 1e-8 or loss(W - 1e-3 * gradient) < before


def cases(rng: Generator) -> list[tuple]:
    def case(n: int, d: int, k: int) -> tuple:
        return normal(rng, d, k), normal(rng, n, d), normal(rng, n, k)

    W, X, _ = case(6, 3, 2)
    return [case(5, 3, 2), case(3, 3, 3), case(8, 2, 1), case(1, 4, 2), case(4, 1, 3), (W, X, X @ W)]


EXERCISE = Exercise(
    reference=mse_gradient,
    minutes=2,
    difficulty=2,
    tolerance=1e-4,
    hints=(
        "For single numbers, what is the derivative of (x·w − y)² with respect to w?",
        "It is 2 · x · (x·w − y). With matrices, order and transpose follow from the shapes: the result is "
        "(d, k). Over how many numbers is the mean?",
        "Compute the residual `R = X @ W - Y`, of shape (N, k). Twice `X.T @ R` has the shape (d, k); divide it by "
        "the number of residuals, N times k.",
    ),
    proves="right for odd shapes, for one row, for one column, and zero where the fit is perfect",
    properties=[Property("a small step against the gradient lowers the loss", step_lowers_loss, UPHILL)],
)
