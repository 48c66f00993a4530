"""Trained on short texts, read on long ones: which scheme of positions survives?

    trial = train_length_trial("alibi", seed=1)       # a byte-level GPT of 0.1M parameters, trained on `TRAINED` bytes
    trial.losses                                      # {64: 2.3, 128: 2.2, …} nats per byte at the end of such texts
    losses_by_length(trial.model, "ntk")              # the same, for RoPE, with its rotations slowed
    losses_by_length(trial.model, window=32)          # the same, for RoPE, where no query looks back further
    byte_pair_loss()                                  # the cheapest baseline: a table of which byte follows which

Every scheme sees the same texts in the same order and differs in nothing but its positions. The loss at length L is
that of the last `LAST` bytes of texts of L bytes, always the same bytes whatever L is: a longer text only adds more
to look back at, so a model that can use it, or ignore it, never gets worse.

What this does not do: tune anything per scheme, or train long enough for a good model. It shows what breaks.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from helpers.attention import RopeScaling
from helpers.display.frontend import is_static
from helpers.old.attention import sliding_window_mask
from helpers.old.corpora import language_reference
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.old.trials.needles import read_masked, stretched
from helpers.scale import device

TRAINED, LENGTHS, LAST = 32, (32, 64, 128, 256), 16  # bytes
STEPS, BATCH, LEARNING_RATE, WARM_UP = 300, 16, 8e-3, 0.1
TEXTS = 128  # held-out texts that a loss is averaged over
SCHEMES = ("none", "learned", "sinusoidal", "rope", "alibi", "t5")


@dataclass(frozen=True)
class LengthTrial:
    """A trained model and its loss (nats per byte) at each length."""

    model: GPT
    losses: dict[int, float]


@cache
def _texts() -> tuple[Tensor, Tensor]:
    """(train, held out): bytes of the Python language reference, whole topics in one or the other; (N,) int64 each."""
    parts = language_reference().split(validation=0.1)
    train, held_out = (torch.tensor(list(part.text.encode("utf-8"))) for part in parts)
    return train, held_out


def tiny_gpt(positions: str, seed: int) -> GPT:
    """An untrained model; learned positions have rows up to the longest text, of which training reaches few."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = GPTConfig(256, d_model=64, n_layers=2, n_heads=4, max_len=max(LENGTHS), positions=positions)
        return GPT(config).to(device())


def train_length_trial(positions: str, steps: int = STEPS, seed: int = 0, *, progress: bool = True) -> LengthTrial:
    """Train on texts of `TRAINED` bytes, measure at `LENGTHS`. Raises ValueError for an unknown scheme or no steps."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")
    model, ids = tiny_gpt(positions, seed), _texts()[0]
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    warm_up = max(1, round(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * n / steps))
    )
    windows = ids.unfold(0, TRAINED + 1, 1)  # (N, TRAINED + 1): every window of the text
    hidden = not progress or is_static()
    for _ in tqdm(range(steps), desc=positions, unit="step", disable=hidden, file=sys.stdout, leave=False):
        rows = windows[torch.randint(len(windows), (BATCH,), generator=generator)].to(device())
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return LengthTrial(model.eval(), losses_by_length(model))


@torch.no_grad()
def losses_by_length(model: GPT, scaling: str | None = None, window: int | None = None) -> dict[int, float]:
    """Nats per byte for the last `LAST` bytes of held-out texts of each length; the bytes are the same for all lengths.

    scaling: for a model with RoPE, a kind of `RopeScaling`, with a factor of length / TRAINED at each length.
    window: for a model with RoPE, how many bytes each query sees, itself included; None for all before it.
    """
    ids, found = _texts()[1].to(device()), {}
    ends = torch.linspace(max(LENGTHS) + 1, len(ids), TEXTS).long().tolist()
    for length in LENGTHS:
        rows = torch.stack([ids[end - length - 1 : end] for end in ends])  # (TEXTS, length + 1)
        slowed = RopeScaling(scaling, length / TRAINED, trained_len=TRAINED) if scaling else None
        mask = sliding_window_mask(length, window or length, device=ids.device)
        with stretched(model, slowed):
            found[length] = float(torch.cat([_nats(model, chunk, mask, window) for chunk in rows.split(64)]).mean())
    return found


def byte_pair_loss() -> float:
    """Nats per byte of a table of byte pairs from the training text, on the bytes that `losses_by_length` scores.

    It sees one byte back. 0.1 is added to each count, so that a pair that never occurred has a probability, too.
    """
    train, held_out = _texts()
    counts = torch.bincount(256 * train[:-1] + train[1:], minlength=256 * 256).view(256, 256) + 0.1
    ends = torch.linspace(max(LENGTHS) + 1, len(held_out), TEXTS).long()
    rows = torch.stack([held_out[end - LAST - 1 : end] for end in ends.tolist()])  # (TEXTS, LAST + 1)
    log_share = (counts / counts.sum(1, keepdim=True)).log()
    return float(-log_share[rows[:, :-1], rows[:, 1:]].mean())


def _nats(model: GPT, rows: Tensor, mask: Tensor, window: int | None) -> Tensor:
    logits = model(rows[:, :-1]) if window is None else read_masked(model, rows[:, :-1], mask)  # (N, T, 256)
    return F.cross_entropy(logits[:, -LAST:].flatten(0, 1), rows[:, -LAST:].flatten(), reduction="none")
