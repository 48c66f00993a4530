"""newton_schulz: one step that pushes every singular value of a matrix towards one, by matrix products alone."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def newton_schulz(x: Tensor, a: float, b: float, c: float) -> Tensor:
    """One step: every singular value s of x becomes a·s + b·s³ + c·s⁵; the singular vectors stay.

    x: (m, n) with m ≤ n  →  (m, n). With the Gram matrix G = x xᵀ, (m, m), this is a·x + b·G x + c·G G x.
    """
    gram = x @ x.T
    return a * x + (b * gram + c * gram @ gram) @ x


ANSWER = """
def newton_schulz(x, a, b, c):
    gram = x @ x.T
    return a * x + b * gram @ x + c * gram @ gram @ x
"""
SLIPS = [
    ("x @ x.T", "x.T @ x", "you form xᵀx, (n, n): the Gram matrix here is x xᵀ, (m, m), and stands left of x."),
    ("gram @ gram @ x", "gram * gram @ x", "`*` multiplies entry by entry; the square of a matrix is `gram @ gram`."),
    ("x @ x.T", "x * x", "`*` squares every entry; the Gram matrix is the product `x @ x.T`."),
    ("+ c * gram @ gram @ x", "+ c * gram @ x", "the last term has s⁵, so G stands in it twice."),
    ("+ b * gram @ x", "+ b * gram @ gram @ x", "the middle term has s³, so G stands in it once."),
    ("+ c * gram @ gram @ x", "", "the term with c, for s⁵, is missing."),
    ("+ b * gram @ x ", "", "the term with b, for s³, is missing."),
    ("a * x + ", "", "the term with a, for s itself, is missing."),
    ("a * x +", "x +", "x is not multiplied by a."),
    ("a * x + b * gram @ x", "b * x + a * gram @ x", "a and b are exchanged: a belongs to x, b to G x."),
    ("b * gram @ x + c * gram", "c * gram @ x + b * gram", "b and c are exchanged: b belongs to s³, c to s⁵."),
    ("x @ x.T", "x @ x.T / x.norm() ** 2", "you normalize inside the step; that is done once, before the first one."),
]
REFUSED = [
    ("gram = x @ x.T", "gram = x @ x", "RuntimeError"),
]
RIGHT = [
    """
def newton_schulz(x, a, b, c):
    gram = x @ x.T
    identity = torch.eye(len(x))
    return (a * identity + b * gram + c * gram @ gram) @ x
""",
    """
def newton_schulz(x, a, b, c):
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    return u @ torch.diag(a * s + b * s**3 + c * s**5) @ v
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(m: int, n: int) -> Tensor:
        x = torch.tensor(rng.normal(size=(m, n)), dtype=torch.float32)
        return x / x.norm()

    return [
        (drawn(3, 5), 3.4445, -4.7750, 2.0315),
        (drawn(4, 4), 3.4445, -4.7750, 2.0315),
        (drawn(2, 6), 1.5, -0.5, 0.0),
        (drawn(1, 4), 2.0, -1.0, 0.5),
        (torch.diag(torch.tensor([0.9, 0.3, 0.01])), 3.4445, -4.7750, 2.0315),
        (2 * drawn(3, 3), 0.5, 1.0, -2.0),
    ]


EXERCISE = Exercise(
    reference=newton_schulz,
    minutes=5,
    difficulty=2,
    hints=(
        "With x = U S V, what is x xᵀ, and what is x xᵀ x?",
        "x xᵀ = U S² Uᵀ, so x xᵀ x = U S³ V: multiplying by the Gram matrix from the left raises every power by two.",
        "Form the Gram matrix G once, as x times its transpose. Then add a times x, b times the product G x, and c "
        "times the product G G x; all of them are matrix products, written `@`.",
    ),
    proves="every singular value follows the polynomial, and the singular vectors stay",
)
