"""From a model's scores to probabilities, and from probabilities to one number for how surprised it is.

    softmax(logits)                   # scores → probabilities
    cross_entropy(logits, targets)    # mean of −log p(what really came), in nats

All three match PyTorch's. What it does not do: label smoothing, class weights, soft targets.
"""

from __future__ import annotations

from torch import Tensor

IGNORED = -100  # the target that PyTorch and `transformers` leave out by default


def softmax(logits: Tensor, dim: int = -1) -> Tensor:
    """Probabilities along `dim`: exp(logit) / sum of exp(logits), however large the logits are.

    logits: any shape, −inf for what is impossible  →  the same shape, each sum along `dim` 1.
    """
    # Taking the largest away changes no ratio, and exp of something ≤ 0 cannot overflow.
    weights = (logits - logits.amax(dim, keepdim=True)).exp()
    return weights / weights.sum(dim, keepdim=True)


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = IGNORED) -> Tensor:
    """Mean of −log softmax(logits)[target], in nats, over the targets that are not `ignore_index`.

    logits: (N, V), targets: (N,) whole numbers  →  a tensor with one number; NaN where every target is ignored.
    """
    kept = targets != ignore_index  # (N,)
    logits, targets = logits[kept], targets[kept]
    # log softmax = logit − logsumexp: never log(0), which is what log(softmax) gives for an unlikely target.
    chosen = logits.gather(1, targets[:, None]).squeeze(1)
    return (logits.logsumexp(dim=1) - chosen).mean()
