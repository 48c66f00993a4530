"""Answers to the exercises of 05b_speed."""

from tests.exercise_rows import Row, Wrong


def append(body: str, first: str = "if past is None:\n        return new") -> str:
    return f"def append_kv(past, new):\n    import torch\n    {first}\n    {body}\n"


def write(at: str = "length:length + new.shape[2]", out: str = "store[:, :, :length + new.shape[2]]") -> str:
    return f"def write_kv(store, length, new):\n    store[:, :, {at}] = new\n    return {out}\n"


HEAD = "def write_kv(store, length, new):"


def masked(value: str) -> str:
    return write(out="store").replace("    return", f"    store[:, :, length + new.shape[2]:] = {value}\n    return")


def absmax(
    largest: str = "weight.abs().amax(dim=1)",
    scale: str = "torch.where(largest > 0, largest / 127, torch.ones(()))",
    codes: str = "(weight / scale[:, None]).round().to(torch.int8)",
    out: str = "codes, scale",
) -> str:
    return f"""
def quantize_rows_absmax(weight):
    import torch
    largest = {largest}
    scale = {scale}
    codes = {codes}
    return {out}
"""


ALL_BUT_EQUAL = "excess / excess.sum()"


def accept(
    keep: str = "torch.minimum(torch.ones_like(p), p / q)",
    rest: str = "excess / excess.sum() if excess.any() else p",
) -> str:
    return f"""
def acceptance(p, q):
    import torch
    excess = torch.relu(p - q)
    keep = {keep}
    rest = {rest}
    return keep, rest
"""


def choose(tokens: str = "sum(acceptance ** i for i in range(k + 1))", value: str = "tokens / seconds[k]") -> str:
    return f"""
def choose_n_draft(acceptance, seconds):
    best, top = 0, -1
    for k in range(len(seconds)):
        tokens = {tokens}
        value = {value}
        if value > top:
            best, top = k, value
    return best
"""


ROWS = [
    Row(
        "append_kv",
        wrong=[
            Wrong(append("return torch.cat((new, past), dim=2)"), "the new ones stand before the past"),
            Wrong(append("return new"), "the past is thrown away"),
            Wrong(append("return past"), "the new ones are missing"),
            Wrong(
                append("return torch.cat((past, new), dim=2)", first="pass"), "at the very first call `past` is None"
            ),
            Wrong(append("return torch.cat((past, new), dim=1)"), "you join along the heads"),
            Wrong(append("return torch.cat((past, new), dim=-1)"), "you join along head_dim"),
            Wrong(append("return torch.cat([past, new])"), "you join along the batch"),
            Wrong(
                append("return torch.cat([past, new], 2)", first="if not past:\n        return new"), "neither true nor"
            ),
            Wrong(append("return torch.stack([past, new], dim=2)"), "`torch.stack` makes a new axis"),
            Wrong(append("return past + new"), "`+` adds the numbers"),
            Wrong(append("torch.cat((past, new), dim=2)"), "It returns None"),
        ],
        right=[
            append("return torch.cat((past, new), dim=-2)"),
            """
def append_kv(past, new):
    old = 0 if past is None else past.shape[2]
    both = new.new_empty(new.shape[0], new.shape[1], old + new.shape[2], new.shape[3])
    if old:
        both[:, :, :old] = past
    both[:, :, old:] = new
    return both
""",
        ],
    ),
    Row(
        "write_kv",
        wrong=[
            Wrong(write(out="store[:, :, :length + 1]"), "right for one new token, and cuts a prompt or drafts off"),
            Wrong(write(out="store[:, :, :length]"), "what was just written is not handed out"),
            Wrong(write(at=":new.shape[2]"), "you write over the first positions"),
            Wrong(write(at="-new.shape[2]:"), "you write at the end of the room"),
            Wrong(write(out="new"), "only the new ones are handed out"),
            Wrong(
                "def write_kv(store, length, new):\n    import torch\n"
                "    return torch.cat((store[:, :, :length], new), dim=2)\n",
                "nothing is written to the store itself",
            ),
            Wrong("def write_kv(store, length, new):\n    store = store.clone()" + write()[len(HEAD) :], "make a copy"),
            Wrong(write(out="store[:, :, :length + new.shape[2]].clone()"), "a copy is handed out"),
            Wrong(write(out="store[:, :, :length + new.shape[2] + 1]"), "the end of a slice is not part of it"),
            Wrong(write(out="store[:, :length + new.shape[2]]"), "your slice counts heads"),
            Wrong(write(out="store[:length + new.shape[2]]"), "your slice counts texts of the batch"),
            Wrong(write(out="store[..., :length + new.shape[2]]"), "your slice cuts head_dim"),
            Wrong(masked("0"), "zeros too: hand out a slice"),
            Wrong(masked("float('-inf')"), "zeros too: hand out a slice"),
            Wrong(
                "def write_kv(store, length, new):\n    end = length + new.shape[2]\n"
                "    store[:, :, length:end] = new\n    return store[:, :, :]\n",
                "the whole store is handed out",
            ),
            Wrong(write(at="length"), "It stops with an error when called as"),
        ],
        right=[
            write(),
            """
def write_kv(store, length, new):
    n = new.size(2)
    store.narrow(2, length, n).copy_(new)
    return store.narrow(2, 0, length + n)
""",
        ],
    ),
    Row(
        "quantize_rows_absmax",
        wrong=[
            Wrong(absmax(largest="weight.abs().max().expand(len(weight))"), "one scale for the whole matrix"),
            Wrong(
                absmax(largest="weight.abs().amax(dim=0)", codes="(weight / scale).round().to(torch.int8)"),
                "the largest of each column",
            ),
            Wrong(
                absmax(scale="torch.where(largest > 0, largest / 128, torch.ones(()))"), "128 does not fit into int8"
            ),
            Wrong(absmax(largest="weight.amax(dim=1)"), "the largest *absolute* value"),
            Wrong(
                absmax(largest="weight.amax(dim=1)", scale="(largest / 127).masked_fill(largest == 0, 1)"),
                "the largest *absolute* value",
            ),
            Wrong(absmax(largest="weight.amax(dim=1)", scale="largest / 127"), "the largest *absolute* value"),
            Wrong(
                absmax(
                    scale="torch.where(largest > 0, largest / 128, torch.ones(()))",
                    codes="(weight / scale[:, None]).round().clamp(-128, 127).to(torch.int8)",
                ),
                "you divide by 128",
            ),
            Wrong(
                absmax(largest="weight.abs().max()", codes="(weight / scale).round().to(torch.int8)"),
                "one scale for the whole matrix",
            ),
            Wrong(absmax(codes="(weight / scale[:, None]).to(torch.int8)"), "cuts towards zero; round first"),
            Wrong(absmax(codes="(weight / scale[:, None]).floor().to(torch.int8)"), "you round down"),
            Wrong(absmax(scale="largest / 127"), "a row of zeros has nothing to divide by"),
            Wrong(absmax(scale="largest.clamp(min=1e-8) / 127"), "give it the scale 1"),
            Wrong(absmax(scale="largest.where(largest > 0, torch.ones(())) / 127"), "it is the *scale* that becomes 1"),
            Wrong(absmax(out="scale, codes"), "the codes come first"),
            Wrong(
                absmax(scale="127 / largest", codes="(weight * scale[:, None]).round().to(torch.int8)"),
                "you return 127 / largest",
            ),
            Wrong(absmax(out="codes, scale[:, None]"), "the scale has the shape (N, 1)"),
            Wrong(absmax(out="codes, 1 / scale"), "you return 127 / largest"),
            Wrong(absmax(codes="(weight / scale[:, None]).round()"), "the codes are still float32"),
            Wrong(absmax(out="codes"), "The kind of the result is wrong"),
            Wrong(absmax(codes="(weight / scale).round().to(torch.int8)"), "the scales stand in a column"),
        ],
        right=[
            absmax(),
            """
def quantize_rows_absmax(weight):
    import torch
    scale = torch.stack([row.abs().max() for row in weight]) / 127
    scale[scale == 0] = 1
    return torch.round(weight / scale.unsqueeze(1)).clamp(-127, 127).to(torch.int8), scale
""",
        ],
    ),
    Row(
        "acceptance",
        wrong=[
            Wrong(accept(keep="p"), "q has drawn already"),
            Wrong(accept(keep="torch.minimum(torch.ones_like(p), q / p)"), "the fraction is upside down"),
            Wrong(accept(keep="p / q"), "a chance above 1"),
            Wrong(accept(keep="(p >= q).float()"), "you never keep what is drafted too often"),
            Wrong(accept(rest="p"), "after a refusal you draw from p"),
            Wrong(accept(rest="(p - q).abs() / (p - q).abs().sum()"), "what is drafted too often is drawn again"),
            Wrong(accept(rest="torch.relu(q - p) / torch.relu(q - p).sum()"), "the difference is upside down"),
            Wrong(accept(rest="excess"), "`rest` does not sum to 1"),
            Wrong(accept(rest="p - q"), "add up to the model's probabilities"),
            Wrong(accept(keep="torch.minimum(p, q)"), "drafted *and* kept"),
            Wrong(accept(keep="p", rest=ALL_BUT_EQUAL), "q has drawn already"),
            Wrong(accept(keep="p / (p + q)"), "one half where p and q are equal"),
            Wrong(accept(rest="(p - q).softmax(0)"), "a softmax gives every token a share"),
            Wrong(accept(rest="(1 - keep) / (1 - keep).sum()"), "you draw what is drafted too often"),
            Wrong(accept(rest=ALL_BUT_EQUAL), "where p and q are equal nothing is left"),
            Wrong(accept(rest="excess / (excess.sum() + 1e-9)"), "There, p and q are equal, and `rest` sums to 0."),
            Wrong(accept().replace("return keep, rest", "return keep"), "The kind of the result is wrong"),
        ],
        right=[
            accept(),
            """
def acceptance(p, q):
    import torch
    keep = torch.where(p >= q, 1.0, p / q)
    rest = p - torch.minimum(p, q)
    total = rest.sum()
    return keep, rest / total if total > 0 else p.clone()
""",
            accept(rest="excess / excess.sum() if excess.any() else torch.ones_like(p) / len(p)"),
        ],
    ),
    Row(
        "choose_n_draft",
        wrong=[
            Wrong(choose(value="tokens"), "longer passes cost more"),
            Wrong(choose(tokens="sum(acceptance ** i for i in range(1, k + 1))"), "even if no draft is kept"),
            Wrong(choose(tokens="1 + k * acceptance"), "only if all before it were kept"),
            Wrong(choose(tokens="1 + k * acceptance ** k"), "some of the drafts may be kept"),
            Wrong(choose().replace("return best", "return best + 1"), "you count the token that comes anyway"),
            Wrong(choose(value="seconds[k] / tokens"), "you take the slowest"),
            Wrong(choose().replace("return best", "return top"), "Expected an int, yours is a float"),
            Wrong(choose().replace("value > top", "value >= top"), "you take the largest; take the smallest"),
            Wrong(
                choose().replace("    return best", "        else:\n            break\n    return best"),
                "you stop where it gets slower",
            ),
            Wrong(choose().replace("range(len", "range(1, len"), "begin with k = 0"),
            Wrong(choose(tokens="sum(acceptance ** i for i in range(k))"), "your sum ends too early"),
            Wrong(choose(tokens="(k + 1) * acceptance ** k"), "those before it and one token more"),
            Wrong(choose(tokens="(1 - acceptance ** (k + 1)) / (1 - acceptance)"), "where every draft is kept"),
        ],
        right=[
            choose(),
            """
def choose_n_draft(acceptance, seconds):
    def speed(k):
        n = k + 1 if acceptance == 1 else (1 - acceptance ** (k + 1)) / (1 - acceptance)
        return n / seconds[k]
    return max(range(len(seconds)), key=speed)
""",
            """
def choose_n_draft(acceptance, seconds):
    import numpy as np
    return int(np.argmax(np.cumsum(acceptance ** np.arange(len(seconds))) / np.array(seconds)))
""",
        ],
    ),
]
