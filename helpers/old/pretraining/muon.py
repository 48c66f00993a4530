"""Muon: before a weight matrix is moved, its update is made orthogonal, so that no direction of it is neglected.

    U = orthogonalize(gradient)          # the singular vectors stay, the singular values become about 1

A gradient's matrix has a few large singular values and many small ones: most of what it would change lies in a few
directions. With all of them near 1 the update moves as far in the rare directions as in the frequent ones (Jordan et
al., 2024). No decomposition is computed: five steps of a polynomial in the matrix itself, the Newton–Schulz iteration,
push every singular value towards 1, by matrix products alone.

For matrices inside the network; embeddings, the head and vectors stay with AdamW (`Optimizers` holds both).
Matches `torch.optim.Muon`, which orthogonalizes one matrix at a time; here all matrices of one shape go through
together. Both do it in bfloat16, this one only where that is fast (`helpers.scale.matrix_dtype`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from helpers.scale import matrix_dtype

STEPS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # chosen to lift the smallest singular values fastest


def orthogonalize(matrix: Tensor) -> Tensor:
    """Push every singular value towards 1 and keep the singular vectors: (…, m, n) → (…, m, n).

    With five steps they end between about 0.7 and 1.2; those below a thousandth of the largest stay smaller.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)  # no singular value is above 1
    for _ in range(STEPS):
        gram = x @ x.mT  # its singular values are the squares: s → a·s + b·s³ + c·s⁵
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalized (Jordan et al., 2024); for parameters with two dimensions, or stacks of such matrices.

    lr: how far a step moves, as the spectral norm of the change; a matrix with more rows than columns moves further by
    the root of their ratio. Raises ValueError for parameters with fewer than two dimensions.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        if any(parameter.dim() < 2 for group in self.param_groups for parameter in group["params"]):
            raise ValueError("Muon is for matrices: give vectors and single numbers to AdamW.")

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    shapes.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in shapes.items():
                update = self._orthogonal([self._momentum(p, group["momentum"]) for p in parameters])
                far = group["lr"] * max(1, shape[-2] / shape[-1]) ** 0.5
                if group["weight_decay"]:
                    torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, update, alpha=-far)

    @staticmethod
    def _orthogonal(updates: list[Tensor]) -> list[Tensor]:
        """All of one shape: in one go and in bfloat16 where the processor multiplies that fast, else one by one."""
        kind = updates[0].dtype
        if updates[0].is_cuda or matrix_dtype() == torch.bfloat16:
            return list(orthogonalize(torch.stack(updates).bfloat16()).to(kind).unbind())
        return [orthogonalize(update) for update in updates]

    def _momentum(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Nesterov's look ahead: the running mean of the gradients, and again a part of the newest."""
        state = self.state[parameter]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(parameter)
        mean = state["mean"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(mean, momentum)


class Optimizers:
    """Several optimizers, each with parameters of its own, that step together and are saved as one."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.parts = optimizers
        for part in optimizers:
            for group in part.param_groups:
                group.setdefault("initial_lr", group["lr"])

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all of them."""
        return [group for part in self.parts for group in part.param_groups]

    def scale(self, share: float) -> None:
        """Set every learning rate to a share of its peak."""
        for group in self.param_groups:
            group["lr"] = group["initial_lr"] * share

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        """Let each make its step."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """As an optimizer's: the parameters are numbered through all of them."""
        state, groups, first = {}, [], 0
        for part in self.parts:
            saved = part.state_dict()
            state |= {first + i: values for i, values in saved["state"].items()}
            groups += [group | {"params": [first + i for i in group["params"]]} for group in saved["param_groups"]]
            first += sum(len(group["params"]) for group in saved["param_groups"])
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """The reverse of `state_dict`."""
        groups, first = list(saved["param_groups"]), 0
        for part in self.parts:
            own, groups = groups[: len(part.param_groups)], groups[len(part.param_groups) :]
            n = sum(len(group["params"]) for group in own)
            state = {i - first: values for i, values in saved["state"].items() if first <= i < first + n}
            own = [group | {"params": [i - first for i in group["params"]]} for group in own]
            part.load_state_dict({"state": state, "param_groups": own})
            first += n
