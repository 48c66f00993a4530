"""Answers to the exercises of 00b_foundations."""

from tests.exercise_rows import Row, Wrong


def distances(expression: str) -> str:
    return f"def pairwise_squared_distances(a, b):\n    return {expression}\n"


def error(expression: str) -> str:
    return f"def mean_squared_error(predictions, targets):\n    return {expression}\n"


def gradient(expression: str) -> str:
    return f"def mse_gradient(W, X, Y):\n    residual = X @ W - Y\n    return {expression}\n"


def softmax(body: str) -> str:
    return f"def softmax(logits, dim=-1):\n    import torch\n    {body}\n"


def entropy(last: str, keep: str = "targets != ignore_index", log: str = "torch.log_softmax(logits, -1)") -> str:
    return f"""
def cross_entropy(logits, targets, ignore_index=-100):
    import torch
    keep = {keep}
    log_p = {log}
    chosen = log_p[keep][torch.arange(int(keep.sum())), targets[keep]]
    {last}
"""


def wilson(
    z: str = "(1 + confidence) / 2",
    middle: str = "(successes + z**2 / 2) / (trials + z**2)",
    root: str = "successes * (trials - successes) / trials + z**2 / 4",
    last: str = "return middle - reach, middle + reach",
) -> str:
    return f"""
def wilson(successes, trials, confidence=0.95):
    import numpy as np
    from statistics import NormalDist
    z = NormalDist().inv_cdf({z})
    middle = {middle}
    reach = z / (trials + z**2) * np.sqrt({root})
    {last}
"""


def needed(
    order: str = "sorted(sizes)", test: str = "(high - low) / 2 <= margin", last: str = "None", name: str = "wilson"
) -> str:
    return f"""
def items_needed(share, margin, sizes):
    from helpers.stats import {name} as interval
    for n in {order}:
        low, high = interval(round(share * n), n)
        if {test}:
            return n
    return {last}
"""


ROWS = [
    Row(
        "pairwise_squared_distances",
        wrong=[
            Wrong(distances("((b[:, None] - a[None]) ** 2).sum(-1)"), "The shape of the result is wrong"),
            Wrong(distances("((a - b) ** 2).sum(-1)"), "It stops with an error when called as"),
            Wrong(distances("((a[:, None] - b[None]) ** 2).sum(1)"), "The shape of the result is wrong"),
            Wrong(distances("(a[:, None] - b[None]).sum(-1)"), "square the differences before you sum them"),
            Wrong(distances("(a[:, None] - b[None]).abs().sum(-1)"), "you sum absolute differences"),
            Wrong(distances("((a[:, None] - b[None]) ** 2).mean(-1)"), "you average over the d numbers"),
            Wrong(distances("((a[:, None] - b[None]) ** 2).sum(-1).sqrt()"), "the squared ones are asked for"),
            Wrong(distances("a @ b.T"), "holds dot products"),
            Wrong(
                "def pairwise_squared_distances(a, b):\n    out = a.new_empty(len(a), len(b))\n"
                "    for i, x in enumerate(a):\n        for j, y in enumerate(b):\n"
                "            out[i, j] = ((x - y) ** 2).sum()\n    return out",
                "it did not finish within 2 seconds",
            ),
        ],
        right=[
            distances("((a.unsqueeze(1) - b) ** 2).sum(-1)"),
            distances("(a**2).sum(1, keepdim=True) + (b**2).sum(1) - 2 * a @ b.T"),
            "def pairwise_squared_distances(a, b):\n    import torch\n"
            "    d = a[:, None] - b\n    return torch.einsum('nmd,nmd->nm', d, d)",
        ],
    ),
    Row(
        "mean_squared_error",
        wrong=[
            Wrong(error("(predictions - targets).pow(2).mean()"), "predictions still meet every target"),
            Wrong(error("((predictions - targets) ** 2).sum()"), "still sums over all N × N pairs"),
            Wrong(error("((predictions[:, 0] - targets) ** 2).sum()"), "this is the sum"),
            Wrong(error("(predictions[:, 0] - targets).abs().mean()"), "you average absolute differences"),
            Wrong(error("((predictions[:, 0] - targets) ** 2).mean().sqrt()"), "the square root of it"),
            Wrong(error("((predictions[:, 0] - targets) ** 2)"), "The shape of the result is wrong"),
            Wrong(error("(predictions[:, 0] - targets).mean() ** 2"), "you average first and square then"),
            Wrong(error("((predictions[:, 0] - targets) ** 2).mean() / len(targets)"), "has divided by N already"),
            Wrong(error("float(((predictions[:, 0] - targets) ** 2).mean())"), "Expected a float32 tensor"),
        ],
        right=[
            error("((predictions - targets[:, None]) ** 2).mean()"),
            error("((predictions.flatten() - targets) ** 2).sum() / len(targets)"),
            error("__import__('torch').nn.functional.mse_loss(predictions, targets.view_as(predictions))"),
        ],
    ),
    Row(
        "mse_gradient",
        wrong=[
            Wrong(gradient("X.T @ residual / residual.numel()"), "the factor 2 of the square is missing"),
            Wrong(gradient("2 * X.T @ residual / len(X)"), "you divide by N, but the mean is over N · k"),
            Wrong(gradient("X.T @ residual / len(X)"), "the mean is over N · k numbers, and a 2 is missing"),
            Wrong(gradient("2 * X.T @ residual"), "this is the gradient of the sum"),
            Wrong(gradient("-2 * X.T @ residual / residual.numel()"), "the sign is wrong"),
            Wrong(gradient("2 * residual.T @ X / residual.numel()"), "The shape of the result is wrong"),
            Wrong(gradient("2 * X @ residual / residual.numel()"), "It stops with an error when called as"),
        ],
        right=[
            gradient("__import__('torch').einsum('nd,nk->dk', X, residual) * 2 / (Y.shape[0] * Y.shape[1])"),
            "def mse_gradient(W, X, Y):\n    import torch\n    w = W.clone().requires_grad_()\n"
            "    return torch.autograd.grad(((X @ w - Y) ** 2).mean(), w)[0]",
        ],
    ),
    Row(
        "softmax",
        wrong=[
            Wrong(softmax("return logits.exp() / logits.exp().sum(dim, keepdim=True)"), "inf / inf is NaN"),
            Wrong(
                softmax("e = (logits - logits.max()).exp()\n    return e / e.sum(dim, keepdim=True)"),
                "the maximum of the whole tensor is taken",
            ),
            Wrong(
                softmax(
                    "e = (logits - logits.amax(-1, keepdim=True)).exp()\n    return e / e.sum(-1, keepdim=True)",
                ),
                "you always normalize the last one",
            ),
            Wrong(softmax("return torch.softmax(logits, 0)"), "you always normalize the first one"),
            Wrong(softmax("return (logits - logits.amax(dim, keepdim=True)).exp()"), "the division by the sum"),
            Wrong(
                softmax("e = (logits - logits.amax(dim)).exp()\n    return e / e.sum(dim)"),
                "It stops with an error when called as",
            ),
            Wrong(softmax("return torch.log_softmax(logits, dim)"), "the logarithm of the softmax"),
            Wrong(
                softmax("e = logits.clamp(max=80).exp()\n    return e / e.sum(dim, keepdim=True)"),
                "cutting large logits off changes the probabilities",
            ),
            Wrong(
                softmax("e = logits.sub_(logits.amax(dim, keepdim=True)).exp()\n    return e / e.sum(dim, True)"),
                "It changes its input `logits`",
            ),
        ],
        right=[
            softmax("return torch.softmax(logits, dim)"),
            softmax("return (logits - logits.logsumexp(dim, keepdim=True)).exp()"),
            softmax("e = torch.exp(logits - logits.max(dim, keepdim=True).values)\n    return e / e.sum(dim, True)"),
        ],
    ),
    Row(
        "cross_entropy",
        wrong=[
            Wrong(entropy("return chosen.mean()"), "the loss is minus their mean"),
            Wrong(entropy("return -chosen.sum()"), "this is the sum; take the mean"),
            Wrong(entropy("return -chosen.sum() / len(targets)"), "you divide by all targets"),
            Wrong(entropy("return -chosen.mean() / 0.6931471805599453"), "this is in bits"),
            Wrong(
                entropy("return -chosen.mean()", log="torch.softmax(logits, -1).log()"),
                "log(softmax) is log(0) for a very unlikely target",
            ),
            Wrong(entropy("return -chosen.mean()", keep="targets != -100"), "only −100 is left out"),
            Wrong(entropy("return -chosen.mean()", keep="targets > -9"), "only −100 is left out"),
            Wrong(entropy("return -chosen.mean()", log="torch.softmax(logits, -1)"), "you take the probability"),
            Wrong(entropy("return -chosen.mean()", log="logits"), "you take the logit itself"),
            Wrong(
                entropy("return -chosen.mean()", keep="torch.ones_like(targets, dtype=torch.bool)"),
                "It stops with an error when called as",
            ),
            Wrong(entropy("return -chosen"), "The shape of the result is wrong"),
        ],
        right=[
            entropy("return -chosen.mean()"),
            "def cross_entropy(logits, targets, ignore_index=-100):\n    import torch\n"
            "    return torch.nn.functional.cross_entropy(logits, targets, ignore_index=ignore_index)",
            """
def cross_entropy(logits, targets, ignore_index=-100):
    losses = []
    for row, target in zip(logits, targets.tolist()):
        if target != ignore_index:
            losses.append(row.logsumexp(0) - row[target])
    return sum(losses) / len(losses)
""",
        ],
    ),
    Row(
        "wilson",
        wrong=[
            Wrong(
                wilson(
                    middle="successes / trials",
                    root="successes * (trials - successes) / trials * (1 + z**2 / trials) ** 2",
                ),
                "this is the naive interval",
            ),
            Wrong(wilson(z="confidence"), "both tails are cut off"),
            Wrong(wilson().replace("NormalDist().inv_cdf((1 + confidence) / 2)", "1.96"), "1.96 is fixed in your code"),
            Wrong(wilson(middle="successes / (trials + z**2)"), "the middle lacks z² / 2"),
            Wrong(wilson(middle="successes / trials"), "the middle is the share itself"),
            Wrong(wilson(root="successes * (trials - successes) / trials"), "the z² / 4 under the root is missing"),
            Wrong(wilson(root="successes * (trials - successes) / trials + z**2"), "a quarter of z²"),
            Wrong(wilson(last="return middle + reach, middle - reach"), "low and high are swapped"),
            Wrong(wilson(last="return 100 * (middle - reach), 100 * (middle + reach)"), "these are percent"),
            Wrong(wilson(last="return middle, reach"), "both ends lie in [0, 1] and the low one is below"),
            Wrong(
                wilson().replace("np.sqrt", "__import__('math').sqrt"),
                "It stops with an error when called as",
            ),
        ],
        right=[
            wilson(),
            """
def wilson(successes, trials, confidence=0.95):
    from statistics import NormalDist
    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    p, factor = successes / trials, 1 + z * z / trials
    root = (p * (1 - p) / trials + z * z / (4 * trials * trials)) ** 0.5
    return (p + z * z / (2 * trials) - z * root) / factor, (p + z * z / (2 * trials) + z * root) / factor
""",
        ],
    ),
    Row(
        "items_needed",
        wrong=[
            Wrong(needed(test="high - low <= margin"), "you compare the whole width"),
            Wrong(needed(order="sizes"), "you take the first size that is enough"),
            Wrong(needed(order="sorted(sizes, reverse=True)"), "you take the largest size that is enough"),
            Wrong(needed(name="wald"), "the naive interval is too narrow near 1"),
            Wrong(needed(last="max(sizes, default=None)"), "where no size is enough, return None"),
            Wrong(needed(last="0"), "the answer is one of the sizes, or None"),
            Wrong(needed(test="high - low <= margin / 1"), "you compare the whole width"),
            Wrong(needed().replace("round(share * n)", "share * n"), "It stops with an error when called as"),
        ],
        right=[
            needed(),
            """
def items_needed(share, margin, sizes):
    import numpy as np
    from helpers.stats import wilson
    n = np.array(sorted(sizes), dtype=int)
    low, high = wilson(np.round(share * n), n)
    enough = n[(high - low) / 2 <= margin]
    return int(enough[0]) if len(enough) else None
""",
        ],
    ),
]
