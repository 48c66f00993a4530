"""Pretraining in its smallest form: a text in, a model out. Read it from top to bottom.

`helpers.old.pretraining.pretrain` gives the same losses and weights under the same recipe, and also has Muon, other
schedules, tokenizers, checkpoints, samples and guards.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from helpers.old.pretraining.data import Tokens
from helpers.old.transformer.minimal import MinimalGPT


def minimal_pretrain(text, steps, rate=1e-3, batch=12, length=64, d_model=128, n_layers=4, n_heads=4, warmup=30):
    """Train a GPT-2 on the characters of a text: the model, its alphabet, the loss of each step, held-out losses."""
    # 1. Every character is a token. The last tenth of the text is held out: the model never trains on it.
    alphabet = sorted(set(text))
    number = {character: i for i, character in enumerate(alphabet)}
    ids = torch.tensor([number[character] for character in text])
    cut = len(ids) * 9 // 10
    train, held_out = ids[:cut], ids[cut:]
    windows = Tokens(train.numpy(), cut)  # shuffled windows of the text

    # 2. A model that knows nothing: its loss is the logarithm of the vocabulary's size.
    torch.manual_seed(0)
    model = MinimalGPT(len(alphabet), length, d_model, n_layers, n_heads)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.0)

    def loss_of(rows):  # (B, T + 1): each token but the last predicts the next one
        logits = model(rows[:, :-1])  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())

    # 3. A batch, how wrong the model is about it, the gradient, a step against it; and again.
    losses, held_out_losses = [], {}
    for step in range(steps):
        up, left = (step + 1) / (warmup + 1), (steps - step) / (0.6 * steps)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, up, left)  # up, level, and down over the last 60 % of the steps

        loss = loss_of(windows.batch(step, batch, length))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses.append(loss.item())

        # 4. Now and then: how wrong is it about text that it has never seen?
        if (step + 1) % 100 == 0 or step + 1 == steps:
            with torch.no_grad():
                rows = held_out[: len(held_out) - len(held_out) % length].view(-1, length)
                held_out_losses[step + 1] = loss_of(rows).item()
    return model, alphabet, losses, held_out_losses
