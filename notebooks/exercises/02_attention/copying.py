"""The copying score: how much attention goes from a repeated token to what followed it the last time?"""

import torch

MINUTES, DOTS = 6, 2
PROVES = "a head that always looks at what followed the last time scores 1"


def copying(weights, period):
    found = []
    for t in range(period, weights.shape[-1]):
        found.append(weights[:, :, t, t - period + 1])
    return torch.stack(found).mean((0, 1))


HINTS = """
With a period of 16, the token at position 20 stood at position 4 before. At which position is what followed it?
In `weights[b, h, t, s]`, t is the query, which looks, and s is the key, which is looked at. Only a query that has seen
    its token before can copy: at which t do these begin?
Collect a tensor of shape (B, H) for each such t. `torch.stack` puts a list of them side by side; average over all axes
    but the heads.
"""
SLIPS = """
t - period + 1 => t - period
    that is the same token, the last time; you need the one that followed it.
t - period + 1 => t - period - 1
    that is the token before the last occurrence; you need the one after it.
t - period + 1 => t - 1
    that is the token just before the query; you need the one after its last occurrence.
weights[:, :, t, t - period + 1] => weights[:, :, t - period + 1, t]
    rows and columns are exchanged: the query that looks comes first, the key second.
range(period, weights.shape[-1]) => range(weights.shape[-1])
    the first `period` tokens have not been seen before: begin at t = period.
range(period, weights.shape[-1]) => range(period + 1, weights.shape[-1])
    you begin one too late: the token at t = period has been seen before, at 0.
range(period, weights.shape[-1]) => range(period, weights.shape[-1] - 1)
    you stop one too early: the last position counts, too.
range(period, weights.shape[-1]) => range(period, 2 * period)
    the text may repeat more than twice: go on to the last position.
mean((0, 1)) => mean()
    this is one number for all heads; keep the axis of the heads.
mean((0, 1)) => mean(0)
    the axis of the texts is still there: average over it as well.
mean((0, 1)) => mean((0, 2))
    you average over the heads and keep the texts; it should be the other way round.
mean((0, 1)) => sum(0).mean(0)
    you add up the positions; average over them.
"""
REFUSED = """
return torch.stack(found).mean((0, 1)) => torch.stack(found).mean((0, 1))
    Did you forget `return`?
"""


PROPERTIES = [("a score is a share of attention, from 0 to 1", lambda out, *_: bool(((out >= 0) & (out <= 1)).all()))]


def cases(rng):
    def case(texts, heads, tokens, period):
        scores = torch.tensor(rng.normal(size=(texts, heads, tokens, tokens)), dtype=torch.float32) * 2
        hidden = ~torch.ones(tokens, tokens, dtype=torch.bool).tril()
        return scores.masked_fill(hidden, float("-inf")).softmax(-1), period

    found = torch.zeros(2, 3, 8, 8)
    for t in range(4, 8):
        found[:, 1, t, t - 3] = 1  # the head in the middle always finds it
    return [case(2, 3, 8, 4), (found, 4), case(1, 4, 10, 5), case(3, 2, 9, 3), case(2, 5, 12, 6)]
