"""Answers to the exercises of 02b_transformer."""

from tests.exercise_rows import Row, Wrong


def norm(expression: str) -> str:
    return f"def rms_norm(x, weight, eps):\n    import torch\n    return {expression}\n"


def block(*lines: str) -> str:
    arguments = "x, attention, feed_forward, attention_norm, feed_forward_norm"
    return f"def pre_norm_block({arguments}):\n" + "".join(f"    {line}\n" for line in lines)


def swap(
    before: str = "if number == layer:\n            x[:, position] = vector",
    run: str = "causal=True, rope=rope",
    behind: str = "if layer == len(model.blocks):\n        x[:, position] = vector",
    last: str = "model.head(model.norm(x[:, -1]))",
    after: str = "pass",
) -> str:
    return f"""
def swap_residual(model, ids, layer, vector, position=-1):
    import torch
    x = model.embedding(ids)
    rope = model.rope(torch.arange(ids.shape[1]))
    for number, block in enumerate(model.blocks):
        {before}
        x = block(x, {run})
        {after}
    {behind}
    return {last}
"""


def hooked(remove: str) -> str:
    return f"""
def swap_residual(model, ids, layer, vector, position=-1):
    def put(module, args):
        x = args[0].clone()
        x[:, position] = vector
        return (x,)
    place = model.blocks[layer] if layer < len(model.blocks) else model.norm
    handle = place.register_forward_pre_hook(put)
    logits = model(ids)[:, -1]
    {remove}
    return logits
"""


def choose(
    turned: str = "(differences < 0).float().mean(0)", test: str = "turned[i] >= share", last: str = "None"
) -> str:
    return f"""
def choose_layer(differences, share):
    turned = {turned}
    for i in range(differences.shape[1]):
        if {test}:
            return i
    return {last}
"""


ATTEND, FEED = "x = x + attention(attention_norm(x))", "return x + feed_forward(feed_forward_norm(x))"

ROWS = [
    Row(
        "rms_norm",
        wrong=[
            Wrong(
                norm("(x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, correction=0) + eps).sqrt() * weight"),
                "which is LayerNorm",
            ),
            Wrong(
                norm("x / (x.var(-1, keepdim=True, correction=0) + eps).sqrt() * weight"),
                "you divide by the standard deviation",
            ),
            Wrong(norm("x / (x.pow(2).mean(-1, keepdim=True).sqrt() + eps) * weight"), "eps is added outside the root"),
            Wrong(norm("x / x.pow(2).mean(-1, keepdim=True).sqrt() * weight"), "add eps under the root"),
            Wrong(norm("x / (x.pow(2).sum(-1, keepdim=True) + eps).sqrt() * weight"), "you sum the squares"),
            Wrong(norm("x / (x.pow(2).mean() + eps).sqrt() * weight"), "over the whole tensor"),
            Wrong(norm("x / (x.pow(2).mean(0, keepdim=True) + eps).sqrt() * weight"), "over the first axis"),
            Wrong(norm("x / (x.pow(2).mean(-1) + eps).sqrt() * weight"), "It stops with an error when called as"),
            Wrong(norm("x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()"), "by `weight` is missing"),
            Wrong(norm("x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * (1 + weight)"), "as Gemma does"),
            Wrong(norm("x / (x.pow(2).mean(-1, keepdim=True) + eps) * weight"), "the root is missing"),
            Wrong(norm("x.div_((x.pow(2).mean(-1, keepdim=True) + eps).sqrt()) * weight"), "It changes its input `x`"),
            Wrong(
                norm("x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt() * weight"), "a constant stands in place of"
            ),
            Wrong(norm("x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() + weight"), "you add `weight`"),
            Wrong(norm("x / (x.std(-1, keepdim=True) + eps) * weight"), "you divide by the standard deviation"),
        ],
        right=[
            norm("torch.nn.functional.rms_norm(x, weight.shape, weight, eps)"),
            norm("weight * x / torch.sqrt((x * x).sum(-1, keepdim=True) / x.shape[-1] + eps)"),
        ],
    ),
    Row(
        "pre_norm_block",
        wrong=[
            Wrong(block(ATTEND, "x = feed_forward_norm(x)", "return x + feed_forward(x)"), "the second half still"),
            Wrong(block("x = attention_norm(x)", "x = x + attention(x)", FEED), "the first half still"),
            Wrong(
                block("x = attention_norm(x + attention(x))", "return feed_forward_norm(x + feed_forward(x))"),
                "you normalize the sum",
            ),
            Wrong(
                block("return x + attention(attention_norm(x)) + feed_forward(feed_forward_norm(x))"),
                "feed-forward reads x from before attention",
            ),
            Wrong(block("x = x + attention(x)", "return x + feed_forward(x)"), "the norms are gone"),
            Wrong(block("x = attention(attention_norm(x))", FEED), "x is overwritten on its way"),
            Wrong(
                block("return feed_forward(feed_forward_norm(attention(attention_norm(x))))"),
                "the sublayers replace x",
            ),
            Wrong(block(ATTEND, "return x + feed_forward(attention_norm(x))"), "through attention's norm"),
            Wrong(block("x += attention(attention_norm(x))", FEED), "It changes its input `x`"),
            Wrong(block(ATTEND, "x = x + feed_forward(feed_forward_norm(x))"), "Did you forget `return`?"),
            Wrong(
                block("x = x + attention(feed_forward_norm(x))", "return x + feed_forward(attention_norm(x))"),
                "the two norms are exchanged",
            ),
            Wrong(
                block("x = x + feed_forward(feed_forward_norm(x))", "return x + attention(attention_norm(x))"),
                "attention comes first",
            ),
            Wrong(
                block("h = x + attention(attention_norm(x))", "return x + feed_forward(feed_forward_norm(h))"),
                "adds to x from before attention",
            ),
            Wrong(
                block("x = x + attention(attention_norm(x))", "return x + feed_forward(x)"),
                "feed-forward reads the stream itself",
            ),
            Wrong(
                block("x = x + attention(x)", "return x + feed_forward(feed_forward_norm(x))"),
                "attention reads the stream itself",
            ),
        ],
        right=[
            block(ATTEND, FEED),
            block(
                "middle = attention(attention_norm(x)) + x",
                "copy = feed_forward_norm(middle)",
                "return feed_forward(copy) + middle",
            ),
        ],
    ),
    Row(
        "swap_residual",
        wrong=[
            Wrong(
                swap(before="pass", after="if number == layer:\n            x[:, position] = vector", behind="pass"),
                "you exchange the vector one block too late",
            ),
            Wrong(swap(behind="pass"), "layer n_layers, behind the last block, is never reached"),
            Wrong(
                swap().replace("x[:, position] = vector", "x[:, :] = vector[..., None, :]"),
                "you overwrite every position",
            ),
            Wrong(swap().replace("x[:, position]", "x[:, -1]"), "`position` is ignored"),
            Wrong(swap().replace("x[:, position] =", "x[:, position] +="), "you add the vector to what is there"),
            Wrong(swap(last="model.head(x[:, -1])"), "the last norm before the head is missing"),
            Wrong(swap(run="rope=rope"), "tokens see what comes later"),
            Wrong(swap(run="causal=True"), "they do not know the order of words"),
            Wrong(swap(before="x[:, position] = vector"), "before every block"),
            Wrong(swap(before="pass", behind="pass"), "nothing is exchanged"),
            Wrong(swap(last="model.head(model.norm(x))"), "The shape of the result is wrong"),
            Wrong(swap().replace("x[:, position]", "x[position]"), "It stops with an error when called as"),
            Wrong(hooked("pass"), "the model is as it was"),
            Wrong(
                swap(
                    before="pass", after="if number + 1 == layer:\n            x[:, position] = vector", behind="pass"
                ),
                "layer 0, the embedding before any block, is never exchanged",
            ),
            Wrong(swap(last="model.head(model.norm(x[:, position]))"), "you read the logits at `position`"),
        ],
        right=[
            swap(),
            hooked("handle.remove()"),
            """
def swap_residual(model, ids, layer, vector, position=-1):
    import torch
    rope = model.rope(torch.arange(ids.shape[1]))
    def run(x, blocks):
        for block in blocks:
            x = block(x, causal=True, rope=rope)
        return x
    x = run(model.embedding(ids), model.blocks[:layer])
    mark = torch.zeros(ids.shape[1], 1)
    mark[position] = 1
    x = x * (1 - mark) + vector.expand(len(ids), -1)[:, None] * mark
    return model.head(model.norm(run(x, model.blocks[layer:])))[:, -1]
""",
        ],
    ),
    Row(
        "choose_layer",
        wrong=[
            Wrong(choose(turned="differences.mean(0)", test="turned[i] < 0"), "one pair can outvote the rest"),
            Wrong(choose(test="turned[i] > share"), "exactly `share` of the pairs is enough"),
            Wrong(choose().replace("range(", "reversed(range(").replace("[1])", "[1]))"), "you take the last layer"),
            Wrong(
                choose(test="turned.max() >= share").replace("return i", "return turned.argmax().item()"),
                "the layer with the largest share",
            ),
            Wrong(choose(turned="(differences > 0).float().mean(0)"), "still above 0"),
            Wrong(choose(test="turned[i] > 0"), "one pair that turns is not enough"),
            Wrong(choose(last="-1"), "the answer is the number of a layer, or None"),
            Wrong(choose(turned="(differences < 0).mean(0)"), "It stops with an error when called as"),
            Wrong(choose(turned="(differences < 0).float().mean(1)"), "It stops with an error when called as"),
            Wrong(
                "def choose_layer(differences, share):\n    turned = (differences < 0).float().mean(0)\n"
                "    return next((n for n in range(len(turned)) if (turned[n:] >= share).all()), None)",
                "you ask that it stays so in later layers",
            ),
            Wrong(
                "def choose_layer(differences, share):\n"
                "    return int(((differences < 0).float().mean(0) >= share).float().argmax())",
                "`argmax` gives 0 where nothing is True",
            ),
            Wrong(
                "def choose_layer(differences, share):\n    return int((differences < 0).float().mean(0).argmax())",
                "you take the layer with the largest share",
            ),
            Wrong(
                "def choose_layer(differences, share):\n    turned = (differences < 0).float().mean(1)\n"
                "    return next((n for n, part in enumerate(turned) if part >= share), None)",
                "take it over the pairs",
            ),
            Wrong(
                "def choose_layer(differences, share):\n    turned = (differences <= 0).float().mean(0)\n"
                "    return next((n for n, part in enumerate(turned) if part >= share), None)",
                "a difference of exactly 0 is not below 0",
            ),
            Wrong(
                "def choose_layer(differences, share):\n    turned = (differences < 0).float().mean(0)\n"
                "    return next((n for n, part in enumerate(turned, 1) if part >= share), None)",
                "you count layers from 1",
            ),
        ],
        right=[
            choose(),
            """
def choose_layer(differences, share):
    rows = differences.tolist()
    for layer, column in enumerate(zip(*rows)):
        if sum(value < 0 for value in column) >= share * len(column) - 1e-6:
            return layer
""",
        ],
    ),
]
