"""Training in its smallest form: a batch, how wrong the model is about it, the gradient, a step against it; and again.

`helpers.old.training.train` gives the same losses and weights, and also has gradient accumulation, evaluation,
checkpoints, weight decay, bfloat16 and a live figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from helpers.old.training.chats import Example
from helpers.old.training.collation import collate
from helpers.old.training.loop import batch_order
from helpers.old.training.schedules import cosine_with_warmup


def minimal_train(
    model: nn.Module, examples: Sequence[Example], steps: int, rate: float, batch_size: int = 8, warmup: int = 0
) -> list[float]:
    """Train a decoder to predict the labels of `examples`; the loss of each step, nats per label.

    rate: the peak learning rate, reached after `warmup` steps. batch_size: examples per step.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    losses = []
    model.train()

    for step in range(steps):
        chosen = batch_order(len(examples), batch_size, step, seed=0)  # shuffled anew in every epoch
        batch = collate([examples[i] for i in chosen])  # padded on the right, where no real token looks

        logits = model(batch.ids)  # (B, T, V)
        predicted, labels = logits[:, :-1], batch.labels[:, 1:]  # position t predicts token t + 1
        loss = F.cross_entropy(predicted.flatten(0, 1), labels.flatten(), ignore_index=-100)

        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * cosine_with_warmup(step, warmup, steps)
        optimizer.step()
        losses.append(loss.item())

    model.eval()
    return losses
