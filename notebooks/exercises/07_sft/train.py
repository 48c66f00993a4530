"""The training loop: predict, compare with the labels, find the gradient, step; and again."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F

MINUTES, DOTS = 10, 3
PROVES = "losses, weights and what `after` is told are those of the course's loop, step by step"
TOLERANCE = 1e-4


def train(model, batches, rates, after):
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.0)
    losses = []
    for (ids, labels), rate in zip(batches, rates):
        model.train()
        optimizer.param_groups[0]["lr"] = rate
        learned = labels[:, 1:] != -100
        logits = model(ids).logits[:, :-1][learned].float()
        loss = F.cross_entropy(logits, labels[:, 1:][learned])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(loss.item())
        after(len(losses), losses[-1])
    return losses


HINTS = """
Which token does the output at position t predict, and where does the label of that token stand?
Compare `logits[:, :-1]` with `labels[:, 1:]`, only where the label is not −100: index both with the same mask, then
    `F.cross_entropy`. A step: set the rate, clear the old gradients, `backward`, clip, `step`.
Give `torch.optim.AdamW` the parameters that require gradients and `weight_decay=0.0`. The rate of a step goes into
    `optimizer.param_groups[0]["lr"]`. Set the training mode in every step: `after` may have called `eval()`.
"""
SLIPS = """
```
        optimizer.zero_grad()
        loss.backward()
=>
        loss.backward()
```
    the gradients of earlier steps are still there and add up: clear them with `zero_grad()`.
```
        optimizer.step()
        losses
=>
        losses
```
    nothing changes from step to step: call `optimizer.step()`.
labels[:, 1:] != -100 => labels != -100 && [:, :-1][learned] => [learned] && labels[:, 1:][learned] => labels[learned]
    the output at a position is compared with the token that stands there; it predicts the next one: shift by one.
1:] != => 2:] != && [:, :-1][l => [:, :-2][l && labels[:, 1:][learned] => labels[:, 2:][learned]
    you shift by two places: the output at t predicts the token at t + 1.
labels[:, 1:] != -100 => ids[:, 1:] >= 0 && labels[:, 1:][learned] => ids[:, 1:][learned]
    every token is learned, prompt and padding, too: only places with a label count.
labels[:, 1:][learned]) => labels[:, 1:][learned], reduction="sum")
    this is the sum over the labels; take the mean.
["lr"] = rate => ["lr"] = rates[0]
    every step uses the first rate: set that of the step.
optimizer.param_groups[0]["lr"] = rate => pass
    the rate is never set, so AdamW uses its own: set that of the step.
torch.nn.utils.clip_grad_norm_(trained, 1.0) => pass
    the gradient is not clipped when the step is taken: cut its length to 1 between `backward` and `step`.
```
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
=>
        optimizer.step()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
```
    the gradient is not clipped when the step is taken: cut its length to 1 between `backward` and `step`.
AdamW(trained, weight_decay=0.0) => AdamW(trained)
    AdamW shrinks all weights a little unless you pass `weight_decay=0.0`.
AdamW(trained, weight_decay=0.0) => SGD(trained)
    the optimizer is another one: take `torch.optim.AdamW`.
model.train() => pass
    `after` may put the model into `eval()`: call `model.train()` in every step.
after(len(losses), losses[-1]) => after(len(losses) - 1, losses[-1])
    `after` gets the number of steps that are done, 1 after the first.
after(len(losses), losses[-1]) => pass
    `after` is never called: call it at the end of every step.
losses.append(loss.item()) => losses = [loss.item()]
    only the last loss is kept: append each to the list.
"""
REFUSED = """
return losses => return losses[-1]
    Expected a list at ['losses']
"""


class Tiny(torch.nn.Module):
    """A model of 10 tokens whose embedding is frozen, as the base is where an adapter is trained."""

    def __init__(self, seed):
        super().__init__()
        self.embedding, self.out = torch.nn.Embedding(10, 6), torch.nn.Linear(6, 10)
        drawn = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.embedding.weight.copy_(3 * torch.randn(10, 6, generator=drawn))
            self.out.weight.copy_(torch.randn(10, 6, generator=drawn))
            self.out.bias.zero_()
        self.embedding.weight.requires_grad_(False)
        self.modes = []

    def forward(self, ids):
        self.modes.append(self.training)
        mixed = self.embedding(ids).cumsum(1) / torch.arange(1, ids.shape[1] + 1)[:, None]
        return SimpleNamespace(logits=self.out(mixed))


def drive(answer, seed, batches, rates):
    """Losses, weights, what `after` was told, and the mode of each step; `after` puts the model into `eval()`."""
    model, told = Tiny(seed), []

    def after(step, loss):
        told.append((step, round(float(loss), 3)))
        model.eval()

    losses = answer(model, [(ids.clone(), labels.clone()) for ids, labels in batches], list(rates), after)
    return {"losses": losses, "after was told": told, "in train mode": model.modes,
            "weights": model.out.weight.detach(), "bias": model.out.bias.detach()}  # fmt: skip


def shown(seed, batches, rates):
    return f"train(model, batches, rates={[round(rate, 3) for rate in rates]}, after)"


def cases(rng):
    def batch(size, length):
        ids = torch.tensor(rng.integers(0, 10, size=(size, length)))
        labels = ids.clone()
        for row in labels:
            start = int(rng.integers(1, length - 1))
            row[:start] = -100
            row[int(rng.integers(start + 1, length + 1)) :] = -100  # padding, which is any id
        return ids, labels

    found = []
    for seed, steps in ((0, 1), (1, 4), (2, 7), (3, 2), (4, 3)):
        rates = [0.1 * (step + 1) / steps for step in range(steps)]
        found.append((seed, [batch(int(rng.integers(1, 4)), int(rng.integers(4, 8))) for _ in rates], rates))
    return found
