"""Gradients without calculus: move one number a little and look. Slow, and the judge of every gradient by hand.

numerical_gradient(lambda w: (w**2).sum(), w)      # close to 2 * w
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def numerical_gradient(f: Callable[[Tensor], Tensor], at: Tensor, step: float = 1e-3) -> Tensor:
    """Central differences: (f(w + step) − f(w − step)) / (2 · step), for each number of `at` in turn.

    at: any shape and float dtype  →  the gradient, same shape and dtype. `f` gives one number and is called twice for
    each number of `at`. Compare with `torch.autograd.gradcheck`. Raises ValueError if `step` is not positive.
    """
    if not step > 0:
        raise ValueError(f"step must be positive, not {step}.")
    flat = at.detach().clone().reshape(-1)
    gradient = torch.empty_like(flat)
    with torch.no_grad():
        for i, value in enumerate(flat.tolist()):
            flat[i] = value + step
            above = f(flat.view(at.shape))
            flat[i] = value - step
            below = f(flat.view(at.shape))
            flat[i] = value
            gradient[i] = (above - below) / (2 * step)
    return gradient.view(at.shape)
