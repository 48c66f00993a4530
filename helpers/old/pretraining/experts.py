"""A small mixture of experts: many feed-forward networks per layer, of which each token passes one, or a few.

    model = with_experts(GPT(config), n_experts=8)       # eight networks for one: more to know, as much to compute
    count_parameters(model).multiplied                   # about the same as before
    expert_loads(model)                                  # by layer, the share of the tokens that each expert got

A router gives each token a score for each expert, and the token passes the one with the highest. What it gets back is
multiplied by its score, which is how the router learns. Left alone, experts that are chosen often become good and are
chosen more. A bias for each expert, added where experts are chosen and nowhere else, is moved against that after each
batch: up where an expert got less than its share, down where it got more (Wang et al., 2024), so that the loss needs
no term for it.

What it does not do: several devices, a limit of tokens per expert.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.transformer.gpt import GPT


class MixtureOfExperts(nn.Module):
    """`n_experts` SwiGLU networks, each token through `top_k` of them: (B, T, d_model) → (B, T, d_model).

    balance: how far the bias of an expert moves per batch in training; 0 leaves the choice to the scores alone.
    Raises ValueError unless 1 ≤ top_k ≤ n_experts.
    """

    def __init__(self, d_model: int, d_ff: int, n_experts: int, top_k: int = 1, balance: float = 0.01) -> None:
        super().__init__()
        if not 1 <= top_k <= n_experts:
            raise ValueError(f"A token passes between 1 and all {n_experts} experts, not {top_k}.")
        self.top_k, self.balance = top_k, balance
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.gate = nn.Parameter(torch.randn(n_experts, d_model, d_ff) * 0.02)
        self.up = nn.Parameter(torch.randn(n_experts, d_model, d_ff) * 0.02)
        self.down = nn.Parameter(torch.randn(n_experts, d_ff, d_model) * 0.02)
        self.register_buffer("bias", torch.zeros(n_experts))
        self.register_buffer("load", torch.zeros(n_experts))  # shares of the last batch

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d_model) → (B, T, d_model)."""
        tokens = x.flatten(0, -2)  # (N, d_model)
        scores = self.router(tokens).sigmoid()  # (N, experts)
        chosen = (scores.detach() + self.bias).topk(self.top_k).indices  # (N, k)
        weights = scores.gather(1, chosen)  # (N, k): without the bias

        order = chosen.flatten().argsort()  # visits, sorted by expert, so that each expert reads one block of rows
        counts = chosen.flatten().bincount(minlength=len(self.bias))
        read = tokens[order // self.top_k].split(counts.tolist())
        written = torch.cat([self.expert(e, rows) for e, rows in enumerate(read)])
        written = written * weights.flatten()[order, None]
        found = torch.zeros_like(tokens).index_add(0, order // self.top_k, written)

        self._note(counts)
        return found.view_as(x)

    def expert(self, e: int, rows: Tensor) -> Tensor:
        """What one expert makes of tokens: (n, d_model) → (n, d_model)."""
        return (F.silu(rows @ self.gate[e]) * (rows @ self.up[e])) @ self.down[e]

    @torch.no_grad()
    def _note(self, counts: Tensor) -> None:
        self.load.copy_(counts / counts.sum())
        if self.training and self.balance:
            self.bias += self.balance * (1 / len(self.load) - self.load).sign()

    @property
    def idle_parameters(self) -> int:
        """Parameters that a token does not pass."""
        experts = self.gate.numel() + self.up.numel() + self.down.numel()
        return experts - experts * self.top_k // len(self.bias)


def with_experts(model: GPT, n_experts: int, top_k: int = 1, balance: float = 0.01, learned_router: bool = True) -> GPT:
    """The same model with experts in place of each feed-forward network, untrained; the model itself is changed.

    An expert is as wide as the network that it replaces divided by top_k, so that a token passes as many parameters as
    before, the router aside. learned_router: False keeps the router as it was drawn, a baseline that spreads tokens
    over experts without knowing why. Raises ValueError where top_k does not divide the width.
    """
    c = model.config
    if top_k < 1 or c.d_ff % top_k:
        raise ValueError(f"{top_k} experts per token do not divide a feed-forward network of width {c.d_ff}.")
    for block in model.blocks:
        experts = MixtureOfExperts(c.d_model, c.d_ff // top_k, n_experts, top_k, balance)
        nn.init.normal_(experts.down, std=0.02 / (2 * c.n_layers) ** 0.5)  # it writes to the residual stream
        nn.init.normal_(experts.router.weight, std=c.d_model**-0.5)  # scores that differ from the first token on
        experts.router.weight.requires_grad_(learned_router)
        block.feed_forward = experts
    return model


def expert_loads(model: nn.Module) -> Tensor:
    """By layer, the share of the last batch that each expert got: (layers, experts)."""
    return torch.stack([module.load for module in model.modules() if isinstance(module, MixtureOfExperts)])
