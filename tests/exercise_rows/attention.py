"""Answers to the exercises of 02_attention."""

from tests.exercise_rows import Row, Wrong


def weights(expression: str) -> str:
    return f"def attention_weights(q, k):\n    import math, torch\n    return {expression}\n"


def causal(expression: str) -> str:
    return f"def causal_mask(T, S):\n    import torch\n    return {expression}\n"


def masked(body: str, scale: str = "/ q.shape[-1] ** 0.5") -> str:
    return (
        "def masked_attention(q, k, v, mask):\n    import torch\n"
        f"    scores = q @ k.transpose(-2, -1) {scale}\n    {body}\n"
    )


def split(body: str) -> str:
    return f"def split_heads(x, n_heads):\n    B, T, C = x.shape\n    d = C // n_heads\n    return {body}\n"


def induction(expression: str, t: str = "torch.arange(length, 2 * length)") -> str:
    return f"def induction_score(weights, length):\n    import torch\n    t = {t}\n    return {expression}\n"


def repeated(expression: str) -> str:
    return f"def repeat_kv(x, times):\n    import torch\n    B, H, S, d = x.shape\n    return {expression}\n"


ROWS = [
    Row(
        "attention_weights",
        wrong=[
            Wrong(weights("(q @ k.transpose(-2, -1)).softmax(-1)"), "the scores are not scaled"),
            Wrong(weights("(q @ k.transpose(-2, -1) / q.shape[-1]).softmax(-1)"), "divide by its square root"),
            Wrong(weights("(q @ k.transpose(-2, -1) * q.shape[-1] ** 0.5).softmax(-1)"), "you multiply by √head_dim"),
            Wrong(weights("(q @ k.transpose(-2, -1) / k.shape[-2] ** 0.5).softmax(-1)"), "you divide by √S"),
            Wrong(weights("(q @ k.transpose(-2, -1) / q.shape[-2] ** 0.5).softmax(-1)"), "you divide by √T"),
            Wrong(
                weights("(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-2)"),
                "softmax runs over the queries",
            ),
            Wrong(weights("(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(0)"), "softmax runs over the first"),
            Wrong(weights("q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5"), "the softmax is missing"),
            Wrong(
                weights("(q @ k.transpose(-2, -1)).softmax(-1) / q.shape[-1] ** 0.5"), "you divide after the softmax"
            ),
            Wrong(weights("(q @ k.T / q.shape[-1] ** 0.5).softmax(-1)"), "It stops with an error when called as"),
            Wrong(weights("(k @ q.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)"), "The shape of the result"),
            Wrong(
                "def attention_weights(q, k):\n    q /= q.shape[-1] ** 0.5\n"
                "    return (q @ k.transpose(-2, -1)).softmax(-1)",
                "It changes its input `q`",
            ),
        ],
        right=[
            weights("torch.softmax(torch.einsum('...td,...sd->...ts', q, k) / math.sqrt(k.size(-1)), dim=-1)"),
            "def attention_weights(q, k):\n    scores = (q / q.shape[-1] ** 0.5) @ k.mT\n"
            "    scores = (scores - scores.amax(-1, keepdim=True)).exp()\n"
            "    return scores / scores.sum(-1, keepdim=True)",
        ],
    ),
    Row(
        "causal_mask",
        wrong=[
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).tril()"), "the queries are the last positions"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).tril(S - T - 1)"), "a query may see itself"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).tril(S - T + 1)"), "the position after it"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).triu(S - T + 1)"), "yours marks what is hidden"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).triu(S - T)"), "shows the future and hides the past"),
            Wrong(causal("torch.ones(T, S).tril(S - T)"), "Expected bool"),
            Wrong(causal("torch.ones(S, S, dtype=torch.bool).tril()"), "The shape of the result is wrong"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool).triu()"), "shows the future and hides the past"),
            Wrong(causal("torch.ones(T, S, dtype=torch.bool)"), "nothing is hidden"),
        ],
        right=[
            causal("torch.arange(S) <= torch.arange(S - T, S)[:, None]"),
            causal("torch.ones(S, S, dtype=torch.bool).tril()[S - T :]"),
            causal("torch.tensor([[s <= t + S - T for s in range(S)] for t in range(T)])"),
        ],
    ),
    Row(
        "masked_attention",
        wrong=[
            Wrong(masked("return (scores.softmax(-1) * mask) @ v"), "the mask comes after the softmax"),
            Wrong(masked("return scores.masked_fill(~mask, 0.0).softmax(-1) @ v"), "exp(0) is 1: use −inf"),
            Wrong(masked("return (scores * mask).softmax(-1) @ v"), "exp(0) is 1: use −inf"),
            Wrong(
                masked("return scores.masked_fill(mask, float('-inf')).softmax(-1).nan_to_num() @ v"),
                "A property does not hold: each result lies between the values",
            ),
            Wrong(masked("return (scores * mask.float().log()).softmax(-1) @ v"), "NaN comes of 0 · ∞"),
            Wrong(masked("return scores.masked_fill(mask, float('-inf')).softmax(-1) @ v"), "the mask is upside down"),
            Wrong(
                masked("return scores.masked_fill(~mask, float('-inf')).softmax(-1) @ v", scale=""),
                "the scores have lost their √head_dim",
            ),
            Wrong(
                masked("return scores.softmax(-1).masked_fill(~mask, 0).softmax(-1) @ v"),
                "a second softmax gives the masked zeros weight",
            ),
            Wrong(
                masked("return scores.softmax(-1).masked_fill(~mask, float('-inf')) @ v"),
                "it belongs into the scores, before it",
            ),
            Wrong(masked("return (scores + (~mask) * float('-inf')).softmax(-1) @ v"), "0 · −∞ is NaN"),
            Wrong(masked("return scores.softmax(-1) @ v"), "`mask` is not used"),
            Wrong(
                masked(
                    "m = torch.ones(scores.shape[-2:]).tril(k.shape[2] - q.shape[2]).bool()\n"
                    "    return scores.masked_fill(~m, float('-inf')).softmax(-1) @ v"
                ),
                "a causal mask of your own",
            ),
            Wrong(
                masked("return scores.masked_fill(mask.logical_not_(), float('-inf')).softmax(-1) @ v"),
                "It changes its input `mask`",
            ),
            Wrong(
                masked("return (scores + mask).softmax(-1) @ v"),
                "A property does not hold: each result lies between the values",
            ),
        ],
        right=[
            masked("return torch.where(mask, scores, float('-inf')).softmax(-1) @ v"),
            masked("w = scores.softmax(-1) * mask\n    return w / w.sum(-1, keepdim=True) @ v"),
            masked("return (scores + mask.float().log()).softmax(-1) @ v"),
            masked("return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)"),
        ],
    ),
    Row(
        "split_heads",
        wrong=[
            Wrong(split("x.view(B, n_heads, T, d)"), "a head gets pieces of several"),
            Wrong(split("x.view(B, T, d, n_heads).permute(0, 3, 1, 2)"), "each head gets every n-th channel"),
            Wrong(split("x.view(B, T, n_heads, d)"), "swap axes 1 and 2"),
            Wrong(split("x.view(T, B, n_heads, d).permute(1, 2, 0, 3)"), "texts exchange their tokens"),
            Wrong(split("x.view(B, T, n_heads, d).transpose(2, 3)"), "The shape of the result is wrong"),
            Wrong(split("x.view(B * n_heads, T, d)"), "The shape of the result is wrong"),
        ],
        right=[
            split("x.reshape(B, T, n_heads, d).permute(0, 2, 1, 3)"),
            "def split_heads(x, n_heads):\n    import torch\n"
            "    return torch.stack(x.split(x.shape[-1] // n_heads, dim=-1), dim=1)",
            "def split_heads(x, n_heads):\n    import torch\n    return torch.stack(x.chunk(n_heads, dim=2), 1)",
        ],
    ),
    Row(
        "induction_score",
        wrong=[
            Wrong(induction("weights[..., t, t - length].mean(-1)"), "you reward looking at the same token"),
            Wrong(
                induction("weights[..., t, t - length + 1].mean(-1)", t="torch.arange(length - 1, 2 * length)"),
                "start at t = length",
            ),
            Wrong(
                induction("weights[..., t, t - length + 1].mean(-1)", t="torch.arange(length, 2 * length - 1)"),
                "the last query, t = 2 · length − 1, is missing",
            ),
            Wrong(induction("weights[..., t, t - length + 2].mean(-1)"), "off by one: you reward the second token"),
            Wrong(induction("weights[..., t, t - length + 1].sum(-1)"), "this is the sum"),
            Wrong(induction("weights[..., t - length + 1, t].mean(-1)"), "a row is a query, a column a key"),
            Wrong(induction("weights[..., t, t - length + 1].mean()"), "The shape of the result is wrong"),
            Wrong(induction("weights[..., t, t - length + 1]"), "The shape of the result is wrong"),
            Wrong(induction("weights[..., t, t - length - 1].mean(-1)"), "you reward what came before the same token"),
            Wrong(
                induction("weights[..., t, t - length - 1].mean(-1)", t="torch.arange(length + 1, 2 * length)"),
                "you reward what came before the same token",
            ),
            Wrong(
                induction("weights[..., t, t - length + 1].mean(-1)", t="torch.arange(length + 1, 2 * length)"),
                "the first query of the second half",
            ),
            Wrong(induction("weights[..., t - length, t - length + 1].mean(-1)"), "you pick from above the diagonal"),
        ],
        right=[
            induction("weights[..., t, t - length + 1].mean(-1)"),
            "def induction_score(weights, length):\n    total = 0.0\n    for t in range(length, 2 * length):\n"
            "        total = total + weights[..., t, t - length + 1]\n    return total / length",
        ],
    ),
    Row(
        "repeat_kv",
        wrong=[
            Wrong(repeated("x.repeat(1, times, 1, 1)"), "the order is 0, 1, 0, 1"),
            Wrong(repeated("torch.cat([x] * times, dim=1)"), "the order is 0, 1, 0, 1"),
            Wrong(repeated("x[:, None].expand(B, times, H, S, d).reshape(B, times * H, S, d)"), "the order is 0, 1"),
            Wrong(repeated("x.repeat_interleave(times, dim=0)"), "you repeat the texts"),
            Wrong(repeated("x.repeat_interleave(times, dim=2)"), "you repeat the positions"),
            Wrong(repeated("x.repeat_interleave(times, dim=-1)"), "you repeat the channels"),
            Wrong(repeated("x.repeat_interleave(times)"), "The shape of the result is wrong"),
            Wrong(repeated("x.repeat_interleave(times)"), "laid in one row; name the axis of the heads"),
            Wrong(repeated("x[:, :, None].expand(B, H, times, S, d)"), "the copies have an axis of their own"),
        ],
        right=[
            repeated("x[:, :, None].expand(B, H, times, S, d).reshape(B, H * times, S, d)"),
            repeated("torch.stack([x] * times, dim=2).flatten(1, 2)"),
            repeated("x[:, torch.arange(H * times) // times]"),
        ],
    ),
]
