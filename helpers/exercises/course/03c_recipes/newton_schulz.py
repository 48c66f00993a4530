"""newton_schulz: one step that pushes every singular value of a matrix towards one, by matrix products alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.exercises.checking.spec import Exercise, Property


def newton_schulz(x: Tensor, a: float, b: float, c: float) -> Tensor:
    """One step: every singular value s of x becomes a·s + b·s³ + c·s⁵; the singular vectors stay.

    x: (m, n), of any shape  →  (m, n). Matrix products only, no decomposition, and no square matrix with the longer
    side of x: where m > n, work on the transpose of x.
    """
    if x.shape[0] > x.shape[1]:
        return newton_schulz(x.T, a, b, c).T
    gram = x @ x.T
    return a * x + (b * gram + c * gram @ gram) @ x


ANSWER = """
def newton_schulz(x, a, b, c):
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    gram = x @ x.T
    y = a * x + b * gram @ x + c * gram @ gram @ x
    return y.T if tall else y
"""
LONG_SIDE = (
    "a square matrix with the longer side of x is formed: transpose x first where m > n, and the result at the end."
)
ENTRIES = "`**` and `*` act on every entry; a singular value is raised by matrix products, such as `x @ x.T @ x`."
SLIPS = [
    ("    if tall:\n        x = x.T\n    gram = x @ x.T\n", "    gram = x @ x.T\n    tall = False\n", LONG_SIDE),
    ("gram = x @ x.T", "gram = x @ x.T / x.norm() ** 2", "you normalize inside the step; that is done before it."),
    ("return y.T if tall else y", "return y", "where x was transposed, transpose the result back: it has x's shape."),
    ("gram @ gram @ x", "gram * gram @ x", "`*` multiplies entry by entry; the square of a matrix is `gram @ gram`."),
    ("    y = a * x + b * gram @ x + c * gram @ gram @ x\n", "    y = a * x + b * x**3 + c * x**5\n", ENTRIES),
    (
        """
def newton_schulz(x, a, b, c):
    return a * x + b * x**3 + c * x**5
""",
        ENTRIES,
    ),
    ("+ c * gram @ gram @ x", "+ c * gram @ x", "the last term has s⁵, so the Gram matrix stands in it twice."),
    ("+ b * gram @ x", "+ b * gram @ gram @ x", "the middle term has s³, so the Gram matrix stands in it once."),
    ("+ c * gram @ gram @ x", "+ c * gram @ gram @ gram @ x", "three Gram matrices make s⁷; s⁵ needs two."),
    ("+ c * gram @ gram @ x", "", "the term with c, for s⁵, is missing."),
    ("+ b * gram @ x ", "", "the term with b, for s³, is missing."),
    ("a * x + ", "", "the term with a, for s itself, is missing."),
    ("a * x + b * gram @ x", "b * x + a * gram @ x", "a and b are exchanged: a belongs to s, b to s³."),
    ("b * gram @ x + c * gram", "c * gram @ x + b * gram", "b and c are exchanged: b belongs to s³, c to s⁵."),
    (
        """
def newton_schulz(x, a, b, c):
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    return u @ torch.diag(a * s + b * s**3 + c * s**5) @ v
""",
        "that is right, but a decomposition at every step is slow: find the powers of s by products of x with itself.",
    ),
]
REFUSED = [
    ("gram = x @ x.T", "gram = x @ x", "RuntimeError"),
    ("a * x +", "a +", ""),
]
RIGHT = [
    """
def newton_schulz(x, a, b, c):
    if x.shape[0] <= x.shape[1]:
        gram = x @ x.T
        return (a * torch.eye(len(x)) + b * gram + c * gram @ gram) @ x
    gram = x.T @ x
    return a * x + x @ (b * gram + c * gram @ gram)
""",
    """
def newton_schulz(x, a, b, c):
    if len(x) > x.shape[1]:
        return newton_schulz(x.mT, a, b, c).mT
    cubed = x @ x.T @ x
    return a * x + b * cubed + c * (x @ x.T) @ cubed
""",
]
KINDS = ("svd", "eigh", "eig.", "qr")


class Watch(TorchDispatchMode):
    """Notes the side of the largest square matrix that a product gives, and whether anything was decomposed."""

    def __init__(self) -> None:
        super().__init__()
        self.side, self.decomposed = 0, False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result, name = func(*args, **kwargs or {}), str(func)
        self.decomposed = self.decomposed or any(kind in name for kind in KINDS)
        if "mm" in name and isinstance(result, Tensor) and result.shape[-1] == result.shape[-2]:
            self.side = max(self.side, result.shape[-1])
        return result


def drive(step: Callable, x: Tensor, a: float, b: float, c: float) -> dict[str, object]:
    """The result, and how it was come by."""
    with Watch() as watch:
        result = step(x, a, b, c)
    return {"result": result, "small products": watch.side <= min(x.shape), "products alone": not watch.decomposed}


def _is_small(result: dict[str, object], *_: object) -> bool:
    return bool(result["small products"])


def _is_cheap(result: dict[str, object], *_: object) -> bool:
    return bool(result["products alone"])


def cases(rng: Generator) -> list[tuple]:
    def drawn(m: int, n: int) -> Tensor:
        x = torch.tensor(rng.normal(size=(m, n)), dtype=torch.float32)
        return x / x.norm()

    return [
        (drawn(3, 5), 3.4445, -4.7750, 2.0315),
        (drawn(6, 2), 3.4445, -4.7750, 2.0315),
        (drawn(4, 4), 3.4445, -4.7750, 2.0315),
        (drawn(2, 6), 1.5, -0.5, 0.0),
        (drawn(1, 4), 2.0, -1.0, 0.5),
        (drawn(5, 1), 2.0, -1.0, 0.5),
        (torch.diag(torch.tensor([0.9, 0.3, 0.01])), 3.4445, -4.7750, 2.0315),
        (2 * drawn(3, 3), 0.5, 1.0, -2.0),
    ]


EXERCISE = Exercise(
    reference=newton_schulz,
    minutes=6,
    difficulty=2,
    drive=drive,
    hints=(
        "With x = U S Vᵀ, what is x xᵀ, and what is x xᵀ x?",
        "x xᵀ = U S² Uᵀ, so x xᵀ x = U S³ Vᵀ: each further multiplication by x xᵀ from the left raises the power of "
        "s by two. Which product gives s⁵?",
        "Form the matrix G = x xᵀ once, which is small if x has fewer rows than columns; otherwise transpose x before "
        "and the result after. Then add a times x, b times G x and c times G G x, all with `@`.",
    ),
    proves="every singular value follows the polynomial, the vectors stay, and no product is larger than needed",
    properties=[
        Property("no product is a square matrix with the longer side of x", _is_small, LONG_SIDE),
        Property("nothing is decomposed", _is_cheap, "use products of x with itself and its transpose."),
    ],
)
