"""Top-p: the smallest set of likeliest tokens that together have the probability p."""

import torch

MINUTES, DOTS = 8, 3
PROVES = "the smallest set that reaches p, in every row, in the order of the vocabulary"


def top_p(logits, p):
    falling, order = logits.sort(-1, descending=True)
    weights = falling.softmax(-1)
    before = weights.cumsum(-1) - weights
    removed = before >= p
    mask = torch.zeros_like(removed).scatter(-1, order, removed)
    return logits.masked_fill(mask, -torch.inf)


HINTS = """
Sort first. When is a token still needed to reach p?
Sort each row from the likeliest down. A token stays while the sum of those *before* it is below p. Then bring the mask
    back into the old order.
`logits.sort(-1, descending=True)` gives values and places, `cumsum(-1)` running sums, which include the token itself.
    `zeros.scatter(-1, places, mask)` undoes the sorting.
"""
SLIPS = """
cumsum(-1) - weights => cumsum(-1) && before >= p => before > p
    the token that crosses p is dropped, and where the first one crosses, nothing is left; it stays.
before >= p => before > p
    where the tokens before add up to exactly p, the set is full: that token goes, too (`>=`).
torch.zeros_like(removed).scatter(-1, order, removed) => removed
    the mask is still in sorted order: bring it back.
torch.zeros_like(removed).scatter(-1, order, removed) => removed.gather(-1, order)
    `gather` sorts the mask once more; `scatter` brings it back.
logits.masked_fill(mask => falling.masked_fill(removed
    the result is in sorted order; give it in the order of the vocabulary.
logits.masked_fill => logits.softmax(-1).masked_fill
    you return probabilities; give logits.
-torch.inf) => -torch.inf).log_softmax(-1)
    you return the log of new probabilities; what stays keeps the logit it had.
(mask, => (~mask,
    you remove the nucleus, and keep the rest.
-torch.inf => -1e9
    -1e9 is a logit as any other; use -inf, whose probability is 0.
-torch.inf => 0.0
    removed tokens get the logit 0, which is not impossible: use -inf.
sort(-1 => sort(0 && softmax(-1) => softmax(0) && cumsum(-1) => cumsum(0) && scatter(-1 => scatter(0
    you work along the batch; each row is a distribution (-1).
(mask, => (mask[0],
    the first row's mask is used for every row.
, descending=True =>
    you keep the unlikely tokens.
```
    falling, order = logits.sort(-1, descending=True)
    weights = falling.softmax(-1)
    before = weights.cumsum(-1) - weights
    removed = before >= p
    mask = torch.zeros_like(removed).scatter(-1, order, removed)
=>
    mask = logits.softmax(-1) < p
```
    you compare each probability with p by itself; add them up.
weights.cumsum(-1) - weights => falling.cumsum(-1) - falling
    you add up logits; p is a sum of probabilities.
"""
PROPERTIES = [
    ("each row keeps at least one token", lambda result, *_: bool((result > -torch.inf).any(-1).all())),
    (
        "what is kept has the logit it had",
        lambda result, logits, p: bool(((result == logits) | (result == -torch.inf)).all()),
    ),
]


def cases(rng):
    def normal(*shape, scale=1.0):
        return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)

    def of(*rows):
        return torch.tensor(rows).log()

    return [  # but for the second, no sum hits p exactly: there, rounding decides
        (of([0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.3, 0.2]), 0.65),  # 0.4, and the 0.3 that crosses 0.65
        (of([0.25, 0.5, 0.25]), 0.5),  # the first alone is exactly p
        (of([0.05, 0.05, 0.9]), 0.5),  # the first alone is above p
        (of([0.05, 0.15, 0.3, 0.5], [0.5, 0.3, 0.15, 0.05]), 0.9),
        (normal(2, 5), 1.0),
        (normal(3, 12, scale=2), 0.8),
        (normal(2, 40) - 50, 0.95),
        (normal(1, 6, scale=0.1), 0.3),
        (normal(30), 0.7),
    ]
