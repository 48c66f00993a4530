"""Answers to the exercises of 02c_positions_and_length."""

from tests.exercise_rows import Row, Wrong


def slopes(expression: str) -> str:
    return f"def alibi_slopes(n_heads):\n    import torch\n    return {expression}\n"


def rope(
    cast: str = "cos, sin = cos.to(x.dtype), sin.to(x.dtype)",
    neighbors: str = "interleaved",
    take: str = "(x[..., 0::2], x[..., 1::2])",
    first: str = "a * cos - b * sin",
    second: str = "a * sin + b * cos",
    weave: str = "interleaved",
) -> str:
    return f"""
def apply_rope(x, cos, sin, interleaved=False):
    import torch
    {cast}
    a, b = {take} if {neighbors} else x.chunk(2, dim=-1)
    turned = ({first}, {second})
    return torch.stack(turned, -1).flatten(-2) if {weave} else torch.cat(turned, -1)
"""


def window(last: str, first: str = "q, k = torch.arange(T)[:, None], torch.arange(T)") -> str:
    return f"def sliding_window_mask(T, window, n_global=0):\n    import torch\n    {first}\n    return {last}\n"


def read(
    positions: str = "torch.arange(cache.length, cache.length + T)", advance: str = "cache.advance(T)", keep: str = ""
) -> str:
    return f"""
def read_on(model, ids, cache):
    import torch
    from helpers.transformer import layer_caches
    T = ids.shape[1]
    x, rope = model.embedding(ids), model.rope({positions})
    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks))):
        x = block(x, causal=True, rope=rope, cache=layer)
    {advance}
    return model.head(model.norm(x)){keep}
"""


def heads(
    one: str = "4 * n_layers * head_dim * tokens",
    tried: str = "range(n_heads, 0, -1)",
    test: str = "n_heads % n == 0 and n * one <= budget",
    last: str = "None",
) -> str:
    return f"""
def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):
    one = {one}
    for n in {tried}:
        if {test}:
            return n
    return {last}
"""


ROWS = [
    Row(
        "alibi_slopes",
        wrong=[
            Wrong(slopes("2.0 ** (-8 / n_heads * torch.arange(n_heads))"), "count the heads from 1, not from 0"),
            Wrong(slopes("0.5 ** torch.arange(1.0, n_heads + 1)"), "right for 8 heads only"),
            Wrong(slopes("torch.linspace(1, 1 / n_heads, n_heads)"), "evenly spaced, not the slopes themselves"),
            Wrong(slopes("2.0 ** torch.linspace(-8, -8 / n_heads, n_heads)"), "the order is reversed"),
            Wrong(slopes("torch.arange(1.0, n_heads + 1) * 8 / n_heads"), "these are the exponents"),
            Wrong(slopes("-(2.0 ** (-8 / n_heads * torch.arange(1, n_heads + 1)))"), "the minus sign comes later"),
            Wrong(slopes("torch.arange(1.0, n_heads + 1) * -8 / n_heads"), "these are the exponents"),
            Wrong(slopes("2.0 ** (8 / n_heads * torch.arange(1, n_heads + 1))"), "the exponents are negative"),
            Wrong(slopes("torch.exp(-8 / n_heads * torch.arange(1, n_heads + 1))"), "these are powers of e"),
            Wrong(slopes("2.0 ** (-n_heads / 8 * torch.arange(1, n_heads + 1))"), "8/n, not n/8"),
            Wrong(
                slopes("torch.linspace(2 ** (-8 / n_heads), 1 / 256, n_heads)"),
                "evenly spaced, not the slopes themselves",
            ),
            Wrong(slopes("[2 ** (-8 * i / n_heads) for i in range(1, n_heads + 1)]"), "The kind of the result"),
        ],
        right=[
            slopes("torch.tensor([2 ** (-8 * i / n_heads) for i in range(1, n_heads + 1)])"),
            slopes("torch.exp2(torch.linspace(-8 / n_heads, -8, n_heads))"),
            slopes("torch.full((n_heads,), 2 ** (-8 / n_heads)).cumprod(0)"),
        ],
    ),
    Row(
        "apply_rope",
        wrong=[
            Wrong(rope(neighbors="False", weave="False"), "you wrote the convention of halves"),
            Wrong(rope(neighbors="True", weave="True"), "you wrote the convention of neighbors"),
            Wrong(rope(neighbors="not interleaved", weave="not interleaved"), "the two conventions are swapped"),
            Wrong(rope(first="a * cos + b * sin", second="b * cos - a * sin"), "you turn the other way"),
            Wrong(rope(first="a * cos + b * sin"), "exactly one sign is a minus"),
            Wrong(rope(first="a * cos", second="b * sin"), "each has both a and b"),
            Wrong(rope(weave="False"), "put them back as halves"),
            Wrong(rope(weave="True"), "put them back as neighbors"),
            Wrong(rope(first="a * sin - b * cos", second="a * cos + b * sin"), "cos and sin are swapped"),
            Wrong(rope(cast="pass"), "The dtype of the result is wrong"),
            Wrong(rope(cast="pass"), "bring it back to x.dtype"),
            Wrong(
                "def apply_rope(x, cos, sin, interleaved=False):\n    import torch\n"
                "    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)\n"
                "    a = a * cos - b * sin\n    b = a * sin + b * cos\n"
                "    both = torch.stack((a, b), -1).flatten(-2) if interleaved else torch.cat((a, b), -1)\n"
                "    return both.to(x.dtype)",
                "you overwrite a before b is turned",
            ),
            Wrong(
                "def apply_rope(x, cos, sin, interleaved=False):\n    import torch\n"
                "    cos, sin = torch.cat((cos, cos), -1), torch.cat((sin, sin), -1)\n"
                "    if interleaved:\n        other = torch.stack((-x[..., 1::2], x[..., 0::2]), -1).flatten(-2)\n"
                "    else:\n        a, b = x.chunk(2, -1)\n        other = torch.cat((-b, a), -1)\n"
                "    return (x * cos + other * sin).to(x.dtype)",
                "repeat it side by side",
            ),
            Wrong(
                "def apply_rope(x, cos, sin, interleaved=False):\n    import torch\n"
                "    a, b = x.chunk(2, -1)\n    if not interleaved:\n"
                "        return torch.cat((a * cos - b * sin, a * sin + b * cos), -1).to(x.dtype)",
                "and a value for other calls",
            ),
            Wrong(
                "def apply_rope(x, cos, sin, interleaved=False):\n    import torch\n"
                "    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)\n"
                "    cos, sin = cos.to(x.dtype), sin.to(x.dtype)\n    c = a * cos - b * sin\n"
                "    b.mul_(cos).add_(a * sin)\n    a.copy_(c)\n    return x.clone()",
                "It changes its input `x`",
            ),
        ],
        right=[
            """
def apply_rope(x, cos, sin, interleaved=False):
    import torch
    wide = x.float()
    if interleaved:
        pairs = wide.unflatten(-1, (-1, 2))
    else:
        pairs = wide.unflatten(-1, (2, -1)).transpose(-1, -2)
    turned = torch.view_as_complex(pairs.contiguous()) * torch.complex(cos, sin)
    pairs = torch.view_as_real(turned)
    return (pairs if interleaved else pairs.transpose(-1, -2)).flatten(-2).to(x.dtype)
""",
            """
def apply_rope(x, cos, sin, interleaved=False):
    import torch
    if interleaved:
        cos, sin = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
        other = torch.stack((-x[..., 1::2], x[..., 0::2]), -1).flatten(-2)
    else:
        cos, sin = torch.cat((cos, cos), -1), torch.cat((sin, sin), -1)
        a, b = x.chunk(2, -1)
        other = torch.cat((-b, a), -1)
    return (x * cos + other * sin).to(x.dtype)
""",
        ],
    ),
    Row(
        "sliding_window_mask",
        wrong=[
            Wrong(window("(k <= q) & ((k >= q - window) | (k < n_global))"), "the window is one too wide"),
            Wrong(window("(k <= q) & ((k > q - window + 1) | (k < n_global))"), "the window counts the query itself"),
            Wrong(window("(k == q) | (k < q) & ((k > q - window + 1) | (k < n_global))"), "one too narrow"),
            Wrong(window("(k <= q) & (k > q - window)"), "the first n_global tokens are not let through"),
            Wrong(window("((k <= q) & (k > q - window)) | (k < n_global)"), "the global tokens too"),
            Wrong(window("(k > q - window) | (k < n_global)"), "key ≤ query is missing"),
            Wrong(window("~((k <= q) & ((k > q - window) | (k < n_global)))"), "the mask is inverted"),
            Wrong(window("(k <= q) & (k > q - window) & (k < n_global)"), "yours asks for both"),
            Wrong(window("(k <= q) & ((k > q - window + n_global) | (k < n_global))"), "do not shorten the window"),
            Wrong(window("(k <= q) & ((k > q - window) | (q < n_global))"), "not queries"),
            Wrong(window("(k < q) & ((k > q - window) | (k < n_global))"), "the window counts the query itself"),
            Wrong(window("(k <= q) & ((k >= q - window) | (k < n_global))"), "expected False, yours is True"),
            Wrong(window("k <= q"), "the window is missing"),
            Wrong(window("(k <= q) & ((k > q - window) | (k <= n_global))"), "one global token too many"),
            Wrong(
                window("((k <= q) & ((k > q - window) | (k < n_global))).float()"), "The dtype of the result is wrong"
            ),
            Wrong(window("((k <= q) & ((k > q - window) | (k < n_global))).T"), "queries go down, keys across"),
        ],
        right=[
            window("((q - k >= 0) & (q - k < window)) | ((k < n_global) & (q >= k))"),
            window(
                "(full.tril() & (full.triu(1 - window) | glob))",
                "full = torch.ones(T, T, dtype=torch.bool); glob = torch.arange(T) < n_global",
            ),
            "def sliding_window_mask(T, window, n_global=0):\n    import torch\n"
            "    rows = [[j <= i and (i - j < window or j < n_global) for j in range(T)] for i in range(T)]\n"
            "    return torch.tensor(rows)",
        ],
    ),
    Row(
        "read_on",
        wrong=[
            Wrong(read("torch.arange(0, T) + 0"), "positions still start from 0"),
            Wrong(read("torch.arange(T) + max(cache.length - 1, 0)"), "positions start one too early"),
            Wrong(read("torch.arange(T) + (cache.length + 1 if cache.length else 0)"), "positions start one too late"),
            Wrong(read("torch.arange(T) + cache.length + 1"), "positions start one too late"),
            Wrong(read("torch.arange(T) + cache.length + 1"), "read_on(3, then 2 tokens behind 4 in the cache)"),
            Wrong(read(advance="pass"), "the cache is not advanced"),
            Wrong(read(advance="cache.advance(1)"), "First difference at ['cache.length']: expected 5, yours is 1"),
            Wrong(
                "def read_on(model, ids, cache):\n    import torch\n"
                "    from helpers.transformer.kv_cache import layer_caches\n"
                "    cache.advance(ids.shape[1])\n"
                "    x, rope = model.embedding(ids), model.rope(cache.length + torch.arange(ids.shape[1]))\n"
                "    for block, layer in zip(model.blocks, layer_caches(cache, len(model.blocks))):\n"
                "        x = block(x, causal=True, rope=rope, cache=layer)\n    return model.head(model.norm(x))",
                "the cache is advanced too early",
            ),
            Wrong("def read_on(model, ids, cache):\n    model(ids, cache)\n", "Did you forget `return`?"),
            Wrong(read("torch.full((T,), cache.length)"), "all tokens of a call get the same position"),
            Wrong(read("torch.arange(cache.length, T)"), "It stops with an error when called as"),
            Wrong(read("ids.new_tensor(range(cache.length, T))"), "positions end at T"),
            Wrong(read(keep="[:, -1:]"), "The shape of the result is wrong"),
        ],
        right=[
            read("cache.length + torch.arange(T)"),
            "def read_on(model, ids, cache):\n    return model(ids, cache)",
        ],
    ),
    Row(
        "choose_kv_heads",
        wrong=[
            Wrong(heads(one="2 * n_layers * head_dim * tokens"), "keys *and* values are stored"),
            Wrong(heads(one="8 * n_layers * head_dim * tokens"), "16 bits are two"),
            Wrong(heads(test="n * one <= budget"), "the heads must divide n_heads"),
            Wrong(heads(test="n_heads % n == 0 and n * one < budget"), "a cache of exactly the budget fits"),
            Wrong(heads(tried="range(1, n_heads + 1)"), "this is the fewest"),
            Wrong(heads(last="1"), "the answer is None"),
            Wrong(heads(tried="(64, 32, 16, 8, 4, 2, 1)"), "you try powers of two only"),
            Wrong(heads(last="0"), "the answer is None"),
            Wrong(heads(one="32 * n_layers * head_dim * tokens"), "16 bits are two"),
            Wrong(heads(one="n_layers * head_dim * tokens"), "each number takes two bytes"),
            Wrong(heads(one="4 * n_layers * head_dim"), "every token of the text"),
            Wrong(heads(one="4 * head_dim * tokens"), "every layer has a cache of its own"),
            Wrong(heads(tried="range(n_heads - 1, 0, -1)"), "n_heads itself is never tried"),
            Wrong(
                "def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):\n"
                "    return budget // (4 * n_layers * head_dim * tokens)",
                "there are no more than that",
            ),
            Wrong(
                "def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):\n    n = n_heads\n"
                "    while n >= 1:\n        if 4 * n * n_layers * head_dim * tokens <= budget:\n            return n\n"
                "        n //= 2",
                "you halve again and again",
            ),
            Wrong(
                "def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):\n"
                "    one = 4 * n_layers * head_dim * tokens\n"
                "    return max(n for n in range(1, n_heads + 1) if n_heads % n == 0 and n * one <= budget)",
                "the answer is None",
            ),
        ],
        right=[
            heads(),
            """
def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):
    from helpers.memory import kv_cache_bytes
    good = [n for n in range(1, n_heads + 1) if n_heads % n == 0]
    good = [n for n in good if kv_cache_bytes(n_layers, n, head_dim, tokens) <= budget]
    return good[-1] if good else None
""",
        ],
    ),
]
