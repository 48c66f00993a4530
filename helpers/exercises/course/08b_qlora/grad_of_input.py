"""grad_of_input: the backward pass through a frozen matrix that exists only as codes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def grad_of_input(grad: Tensor, dequantize: Callable[[], Tensor]) -> Tensor:
    """The gradient of the loss in x, where y = x Wᵀ and W is frozen.

    grad: (…, out), the gradient in y. dequantize(): W, (out, in), unpacked anew at each call  →  (…, in), dtype of grad
    """
    return grad @ dequantize().to(grad.dtype)


SLIPS = [
    (
        "dequantize().to(grad.dtype)",
        "dequantize().to(grad.dtype).T",
        "x Wᵀ turns `in` into `out`; backward has to turn `out` into `in`, so W is not transposed.",
    ),
    (
        "grad @ dequantize().to(grad.dtype)",
        "grad @ (dequantize() + dequantize()).to(grad.dtype)",
        "that is twice the gradient.",
    ),
    ("grad @ dequantize().to(grad.dtype)", "grad", "the matrix is missing: what does y do where x moves?"),
    (
        "grad @ dequantize().to(grad.dtype)",
        "grad @ torch.linalg.pinv(dequantize().float()).T.to(grad.dtype)",
        "a gradient is no inverse: it multiplies by W itself.",
    ),
    (
        "dequantize().to(grad.dtype)",
        "dequantize().sign().to(grad.dtype)",
        "only the signs of W are used: multiply by W itself.",
    ),
    (
        "grad @ dequantize().to(grad.dtype)",
        "grad.float() @ dequantize().float()",
        "the result comes back in the dtype of grad, also where grad is in 16 bits: unpack W to `grad.dtype`.",
    ),
]
REFUSED = [(".to(grad.dtype)", "", "dtype")]
PLANTED = SLIPS[0]
RIGHT = [
    """
def grad_of_input(grad, dequantize):
    return torch.nn.functional.linear(grad, dequantize().T.to(grad.dtype))
""",
    """
def grad_of_input(grad, dequantize):
    return torch.einsum("...o,oi->...i", grad, dequantize().to(grad.dtype))
""",
]


def drive(rule: Callable, grad: Tensor, weight: Tensor) -> object:
    return rule(grad.clone(), weight.clone)


def cases(rng: Generator) -> list[tuple]:
    def case(*shape: int, inside: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        grad = torch.tensor(rng.normal(size=shape), dtype=torch.float32)
        weight = torch.tensor(rng.normal(size=(shape[-1], inside)), dtype=torch.float32)
        return grad, weight.to(dtype)

    def whole(*shape: int) -> Tensor:
        """Small whole numbers: their sums are exact in 16 bits, whatever the order."""
        return torch.tensor(rng.integers(-3, 4, size=shape), dtype=torch.bfloat16)

    return [
        case(5, 4, inside=4),  # a square matrix: a wrong orientation keeps the shape
        case(2, 3, 7, inside=5),
        case(6, inside=2),
        case(1, 1, 3, inside=8),
        case(4, 6, inside=6, dtype=torch.bfloat16),  # W unpacks to 16 bits, the gradient is in 32
        (whole(3, 4), whole(4, 5)),  # both in 16 bits
        (whole(2, 6), whole(6, 6).float()),  # the gradient in 16 bits, W in 32
    ]


EXERCISE = Exercise(
    reference=grad_of_input,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "Write down the shapes: grad (…, out), W (out, in), and what you want, (…, in).",
        "A small step d in x changes y by d Wᵀ. So the loss changes by the sum of grad · (d Wᵀ), which is the sum of "
        "(something) · d. What is the something?",
        "It is grad times W, without transposing: rows of length `out` become rows of length `in`. With a square W "
        "the transposed product has the right shape, too, and is wrong. Unpack W to the dtype of grad.",
    ),
    proves="it is the gradient of x Wᵀ, for square and other matrices, rows and batches, in 32 and in 16 bits",
)
