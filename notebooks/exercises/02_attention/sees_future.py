"""The leak test: does an earlier output move when everything after a cut changes, wherever the cut is?"""

import torch

MINUTES, DOTS = 8, 2
PROVES = "ten wrong masks are found, and rounding is no leak"


def sees_future(attend, q, k, v):
    before = attend(q, k, v)
    for cut in range(1, q.shape[-2]):
        other_k, other_v = k.clone(), v.clone()
        other_k[..., cut:, :] = torch.randn_like(k[..., cut:, :])
        other_v[..., cut:, :] = torch.randn_like(v[..., cut:, :])
        change = attend(q, other_k, other_v) - before
        if not (change[..., :cut, :].abs() <= 1e-5).all():
            return True
    return False


HINTS = """
Take one cut, after position 2 say. Which outputs must stay as they are when keys and values from there on change?
A loop over the cuts, from 1 to T − 1. In each round, new random numbers go into copies of `k` and `v`, from the cut on,
    and `attend` runs again. Which part of its result do you compare with the first one?
Two traps remain. A leak may raise an output or lower it. And NaN compares as False with every number: which question
    about the changes has the answer True only if all is well?
"""
SLIPS = """
range(1, q.shape[-2]) => range(q.shape[-2] - 1, q.shape[-2])
    only the last position is changed: a leak between two earlier positions is missed. Try every cut.
range(1, q.shape[-2]) => range(1, 2)
    only the first cut counts: a leak into later positions is missed; return False after the loop.
range(1, q.shape[-2]) => range(1, q.shape[-2] - 1)
    the last cut, at T − 1, is missing.
range(1, q.shape[-2]) => range(1, q.shape[0])
    the positions are the second axis from the end; with heads in front, `shape[0]` is something else.
other_v[..., cut:, :] = torch.randn_like(v[..., cut:, :]) => pass
    you change the keys alone: a leak that passes values on with fixed weights is missed.
other_k[..., cut:, :] = torch.randn_like(k[..., cut:, :]) => pass
    you change the values alone: a mask after the softmax leaks through the keys.
change[..., :cut, :].abs() => change.abs()
    this always finds a leak: only outputs before the cut count, `[..., :cut, :]`.
[..., :cut, :].abs() => [..., : cut + 1, :].abs()
    this always finds a leak: only outputs before the cut count, `[..., :cut, :]`.
[..., :cut, :].abs() => [..., : cut - 1, :].abs()
    an off-by-one mask gets past: change all from index `cut` on, and compare all before it, `[..., :cut, :]`.
<= 1e-5 => <= 0
    the last digits of a float differ by rounding: compare with 1e-5, not with 0.
if not (change => if (change
    this is upside down: a large change is a leak.
not (change[..., :cut, :].abs() <= 1e-5).all() => change[..., :cut, :].max() > 1e-5
    a leak may lower an output, too, so take `abs()`; and NaN is never larger, so ask whether all are at most 1e-5.
not (change[..., :cut, :].abs() <= 1e-5).all() => change[..., :cut, :].min() < -1e-5
    a leak may raise an output, too, so take `abs()`; and NaN is never larger, so ask whether all are at most 1e-5.
not (change[..., :cut, :].abs() <= 1e-5).all() => change[..., :cut, :].abs().max() > 1e-5
    `NaN > 1e-5` is False: ask whether all changes are at most 1e-5, and report a leak if not.
not (change[..., :cut, :].abs() <= 1e-5).all() => change[..., :cut, :].abs().sum() > 1e-5
    `NaN > 1e-5` is False: ask whether all changes are at most 1e-5, and report a leak if not.
```
        other_k[..., cut:, :] = torch.randn_like(k[..., cut:, :])
        other_v[..., cut:, :] = torch.randn_like(v[..., cut:, :])
=>
        other_k[..., cut + 1 :, :] = torch.randn_like(k[..., cut + 1 :, :])
        other_v[..., cut + 1 :, :] = torch.randn_like(v[..., cut + 1 :, :])
```
    an off-by-one mask gets past: change all from index `cut` on, and compare all before it, `[..., :cut, :]`.
```
            return True
    return False
=>
            return True
        return False
```
    only the first cut counts: a leak into later positions is missed; return False after the loop.
```
        other_k, other_v = k.clone(), v.clone()
=>
        other_k, other_v = k, v
```
    you change the caller's tensors: clone `k` and `v` for each cut.
"""
REFUSED = """
return False => return True
    expected False, yours is True
return True => print(True)
    expected True, yours is False
"""


def knows_nan(result, kind, *_):
    return result[0] or kind != "hides_itself"


def said_of_nan(*_):
    return "Outputs are NaN there: expected True, yours is False."


PROPERTIES = [
    (
        "an output that is NaN counts as moved",
        knows_nan,
        "`NaN > 1e-5` is False: ask whether all changes are at most 1e-5, and report a leak if not.",
        said_of_nan,
    )
]


def attends(scores, visible):
    return scores.masked_fill(~visible, float("-inf")).softmax(-1)


def attention_by(kind, q, k, v):
    """Attention with one of several masks; most look right."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    ones = torch.ones_like(scores, dtype=torch.bool)
    places = torch.arange(scores.shape[-1])
    if kind == "causal, rounded otherwise":
        return attends(scores, ones.tril()) @ (v + 1e-7 * torch.rand_like(v))
    if kind in ("raises", "lowers"):  # what the future adds is positive, or negative, in every position
        future = (v**2 + v / 10).sum(-1, keepdim=True)
        later = ones.triu(1).float() @ future
        return attends(scores, ones.tril()) @ v + (later if kind == "raises" else -later)
    weights = {
        "causal": attends(scores, ones.tril()),
        "unmasked": scores.softmax(-1),
        "zero_as_score": scores.tril().softmax(-1),
        "masked_after_softmax": scores.softmax(-1).tril(),
        "off_by_one": attends(scores, ones.tril(1)),
        "off_by_one_from_the_fourth": attends(scores, ones.tril(1) & (ones.tril() | (places[:, None] > 2))),
        "hides_itself": attends(scores, ones.tril(-1)),  # nothing is left for the first position: NaN
        "blocks_of_three": attends(scores, places[:, None] // 3 >= places // 3),
        "fixed_weights": ones.float() / ones.shape[-1],
    }[kind]
    return weights @ v


def drive(answer, kind, q, k, v):
    """The verdict, and whether the caller's tensors are as they were."""
    given = [x.clone() for x in (q, k, v)]

    def attend(q, k, v):
        return attention_by(kind, q, k, v)

    found = answer(attend, *given)
    return found, all(torch.equal(x, y) for x, y in zip(given, (q, k, v), strict=True))


def shown(kind, q, k, v):
    return f"sees_future(attend, q, k, v) with the mask {kind!r} and {q.shape[-2]} positions"


def cases(rng):
    kinds = "unmasked zero_as_score masked_after_softmax off_by_one off_by_one_from_the_fourth".split()
    kinds += ["blocks_of_three", "fixed_weights"]
    plan = [("causal", (2, 6, 8)), ("causal, rounded otherwise", (2, 6, 8)), *((kind, (2, 7, 8)) for kind in kinds)]
    plan += [("unmasked", (1, 1, 2, 4)), ("off_by_one", (2, 4)), ("causal", (1, 3, 5, 4)), ("off_by_one", (1, 6, 4))]
    drawn = [(kind, *torch.tensor(rng.normal(size=(3, *shape)), dtype=torch.float32)) for kind, shape in plan]
    q, k, v = drawn[0][1:]
    small = 0.03 + 0 * v  # other values are larger, so the sum of squares only rises
    return [*drawn, ("raises", q, k, small), ("lowers", q, k, small), ("hides_itself", q, k, v)]
