"""Causal attention: each position averages the values up to its own, weighted by how well their keys fit its query."""

import torch

MINUTES, DOTS = 6, 2
PROVES = "later positions get no weight, and what is left sums to 1"


def causal_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    visible = torch.ones_like(scores, dtype=torch.bool).tril()
    weights = scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
    return weights @ v


HINTS = """
Four steps: scores, mask, softmax, average. Which score must a later position have so that softmax gives it 0?
Divide `q @ k.transpose(-2, -1)` by the root of head_dim. The keys that a query may look at are the lower triangle of
    a matrix of ones: `tril()`.
`visible` is a boolean triangle like the scores; fill the scores where it is False with `float("-inf")`, take the
    softmax over the last axis, and multiply by `v` from the left.
"""
SLIPS = """
scores.masked_fill(~visible, float("-inf")).softmax(dim=-1) => scores.softmax(dim=-1)
    nothing is masked: `masked_fill` returns a new tensor; use what it returns.
scores.masked_fill(~visible, float("-inf")).softmax(dim=-1) => scores.softmax(dim=-1).masked_fill(~visible, 0)
    the mask comes after the softmax: rows no longer sum to 1.
```
scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
=>
scores.softmax(dim=-1).masked_fill(~visible, float("-inf"))
```
    −∞ comes after the softmax; it belongs into the scores, before it.
float("-inf") => 0
    a hidden score of 0 still gets weight, since exp(0) is 1: use −∞.
float("-inf") => -10.0
    a score can be lower than the number you fill in, and then the future wins: use −∞.
float("-inf") => -100.0
    a score can be lower than the number you fill in, and then the future wins: use −∞.
~visible => visible
    the mask is upside down: True is what a query may see, and you fill there.
~visible => scores.tril() == 0
    a real score may be 0, too: make the mask of positions, not of scores.
tril() => triu()
    `triu` keeps the upper triangle, which is the future; `tril` keeps the lower one.
tril() => tril(1)
    off by one: each position sees the next one.
tril() => tril(-1)
    a position sees itself, too; yours sees only what comes before it.
transpose(-2, -1) / q.shape[-1] ** 0.5 => transpose(-2, -1)
    the scores are not divided by √head_dim.
q.shape[-1] ** 0.5 => q.shape[-1]
    you divide by head_dim; divide by its root.
q.shape[-1] => q.shape[-2]
    this is the root of the number of positions; head_dim is the last axis.
dim=-1 => dim=-2
    softmax runs over the queries; for each query, it should run over the keys.
weights @ v => weights
    these are the weights; the average of the values, `weights @ v`, is missing.
weights @ v => weights @ k
    you average the keys; the values are what is passed on.
q @ k.transpose(-2, -1) => k @ q.transpose(-2, -1)
    rows and columns are exchanged: a row belongs to a query, a column to a key.
```
scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
=>
(scores + ~visible * float("-inf")).softmax(dim=-1)
```
    0 · −∞ is NaN: fill with `masked_fill` or `torch.where`, do not multiply.
"""
REFUSED = """
return weights => weights
    Did you forget `return`?
scores.masked_fill(~visible, float("-inf")) => scores.tril()
    a hidden score of 0 still gets weight
"""
PROPERTIES = [
    ("the result is finite", lambda result, *_: bool(result.isfinite().all())),
    ("the first position returns its own value", lambda out, q, k, v: torch.allclose(out[..., 0, :], v[..., 0, :])),
]


def cases(rng):
    def case(*shape, q_and_k=1.0):
        drawn = torch.tensor(rng.normal(size=(3, *shape)), dtype=torch.float32)
        return drawn[0] * q_and_k, drawn[1] * q_and_k, drawn[2]

    q, k, v = case(1, 2, 5, 4)
    low = case(2, 4, 4)
    return [
        case(3, 4),
        case(2, 2, 6, 8),
        (q.abs(), -k.abs(), v),  # a hidden score of 0 would be the largest
        (low[0].abs() * 10 + 10, -low[1].abs() * 10 - 10, low[2]),  # all scores far below −100
        case(2, 3, 7, 16, q_and_k=3.0),
        case(3, 4, q_and_k=0.0),  # all scores are 0
        case(1, 1, 1, 4),
    ]
