"""Answers to the exercises of 02d_encoder_decoder."""

from tests.exercise_rows import Row, Wrong


def pool(expression: str) -> str:
    return f"def mean_pool(hidden, mask):\n    import torch\n    return {expression}\n"


def hide(
    hidden: str = "(draw < rate) & (ids != pad_id)",
    inputs: str = "torch.where(hidden, mask_id, ids)",
    labels: str = "torch.where(hidden, ids, -100)",
    last: str = "return inputs, labels",
) -> str:
    return f"""
def mask_tokens(ids, draw, rate, mask_id, pad_id):
    import torch
    hidden = {hidden}
    inputs = {inputs}
    labels = {labels}
    {last}
"""


def shift(body: str) -> str:
    return f"def shift_right(labels, start_id):\n    import torch\n    {body}\n"


def cross(
    q: str = "x @ w_q",
    k: str = "memory @ w_k",
    v: str = "memory @ w_v",
    scale: str = "q.shape[-1] ** -0.5",
    mask: str = "scores = scores.masked_fill(~mask[:, None, :], float('-inf'))",
    softmax: str = "scores.softmax(-1)",
    last: str = "return weights @ v, weights",
) -> str:
    return f"""
def cross_attention(x, memory, w_q, w_k, w_v, mask):
    import torch
    q, k, v = {q}, {k}, {v}
    scores = q @ k.transpose(-2, -1) * {scale}
    {mask}
    weights = {softmax}
    {last}
"""


ROWS = [
    Row(
        "mean_pool",
        wrong=[
            Wrong(pool("hidden.mean(dim=1)"), "padding is averaged in"),
            Wrong(pool("(hidden * mask[..., None]).mean(dim=1)"), "you divide by T"),
            Wrong(pool("(hidden * mask[..., None]).sum(dim=1)"), "this is the sum"),
            Wrong(pool("hidden[:, 0]"), "the state of the first token"),
            Wrong(pool("(hidden * mask[..., None]).sum(dim=1) / mask.sum()"), "each text has its own number"),
            Wrong(pool("(hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)"), "divides 0 by 0"),
            Wrong(pool("(hidden * mask[..., None]).sum(1) / mask.sum(1).clamp(min=1)"), "It stops with an error"),
            Wrong(pool("(hidden * mask[..., None]).sum(2) / mask.sum(1, keepdim=True)"), "The shape of the result"),
            Wrong(
                pool("torch.nn.functional.normalize((hidden * mask[..., None]).sum(1), dim=-1)"),
                "the vectors are scaled to length 1",
            ),
            Wrong(pool("hidden.masked_fill(~mask[..., None], -1e30).amax(1).clamp(min=-1e9)"), "First difference"),
        ],
        right=[
            pool("torch.einsum('btc,bt->bc', hidden, mask.float()) / mask.sum(1, keepdim=True).clamp(min=1)"),
            "def mean_pool(hidden, mask):\n    import torch\n"
            "    rows = [h[m].sum(0) / max(int(m.sum()), 1) for h, m in zip(hidden, mask)]\n"
            "    return torch.stack(rows)",
        ],
    ),
    Row(
        "mask_tokens",
        wrong=[
            Wrong(hide(hidden="draw < rate"), "leave out the places where `ids == pad_id`"),
            Wrong(hide(labels="torch.where(ids == pad_id, -100, ids)"), "yours ask for every token"),
            Wrong(hide(labels="ids.clone()"), "yours ask for every token"),
            Wrong(hide(labels="ids.masked_fill(hidden, -100)"), "the labels keep the tokens that are shown"),
            Wrong(hide(labels="torch.where(hidden, ids, pad_id)"), "not by `pad_id`"),
            Wrong(hide(hidden="(draw <= rate) & (ids != pad_id)"), "a draw as large as `rate` is not below it"),
            Wrong(hide(hidden="(draw < rate) & (ids != 0)"), "you take 0 for padding"),
            Wrong(hide(hidden="(torch.rand(ids.shape) < rate) & (ids != pad_id)"), "use `draw`"),
            Wrong(hide(last="return inputs"), "return two tensors"),
            Wrong(hide(hidden="(draw >= rate) & (ids != pad_id)"), "hidden and shown are swapped"),
            Wrong(hide(labels="torch.where(hidden, inputs, -100)"), "before the mask is put in"),
            Wrong(hide(hidden="(draw > rate) & (ids != pad_id)"), "hidden and shown are swapped"),
            Wrong(hide(labels="torch.where(hidden, ids, 0)"), "what the loss skips is marked −100"),
            Wrong(hide(inputs="ids.clone()"), "the inputs still show every token"),
            Wrong(hide(hidden="(draw < 0.15) & (ids != pad_id)"), "0.15 is fixed"),
            Wrong(hide(last="return labels, inputs"), "inputs come first"),
            Wrong(
                hide(labels="torch.where(hidden, ids, -100)", inputs="ids.masked_fill_(hidden, mask_id)"),
                "First difference at",
            ),
            Wrong(
                "def mask_tokens(ids, draw, rate, mask_id, pad_id):\n    hidden = (draw < rate) & (ids != pad_id)\n"
                "    labels = ids.clone()\n    labels[~hidden] = -100\n    ids[hidden] = mask_id\n"
                "    return ids, labels",
                "It changes its input `ids`",
            ),
        ],
        right=[
            hide(),
            "def mask_tokens(ids, draw, rate, mask_id, pad_id):\n    inputs, labels = ids.clone(), ids.clone()\n"
            "    keep = (draw >= rate) | (ids == pad_id)\n    labels[keep] = -100\n    inputs[~keep] = mask_id\n"
            "    return inputs, labels",
        ],
    ),
    Row(
        "shift_right",
        wrong=[
            Wrong(
                shift("out = labels.clone(); out[:, 0] = start_id; out[out < 0] = start_id\n    return out"),
                "each place still reads its own label",
            ),
            Wrong(
                shift(
                    "out = torch.cat((labels[:, 1:], torch.full_like(labels[:, :1], start_id)), 1)\n"
                    "    return out.masked_fill(out < 0, start_id)"
                ),
                "shifted to the left",
            ),
            Wrong(
                shift("return torch.cat((torch.full_like(labels[:, :1], start_id), labels[:, :-1]), 1)"),
                "−100 is still in there",
            ),
            Wrong(
                shift("out = labels.roll(-1, 1); out[:, 0] = start_id\n    return out.masked_fill(out < 0, start_id)"),
                "shifted to the left",
            ),
            Wrong(
                shift("out = labels.roll(1, 1); out[:, 0] = start_id\n    return out.clamp(min=0)"),
                "skipped labels become 0",
            ),
            Wrong(
                shift(
                    "out = labels.roll(1, 1); out[:, 0] = start_id\n    return out.masked_fill(out == -100, start_id)"
                ),
                "every label below 0 is skipped",
            ),
            Wrong(
                shift("out = labels.roll(1, 1); out[:, 0] = start_id\n    return out.masked_fill(out <= 0, start_id)"),
                "0 is a label like others",
            ),
            Wrong(
                shift("out = labels.roll(1, 1); out[out < 0] = start_id; out[:, 0] = 0\n    return out"),
                "the start is fixed as 0",
            ),
            Wrong(
                shift(
                    "out = torch.cat((torch.full_like(labels[:, :1], start_id), labels), 1)\n"
                    "    return out.masked_fill(out < 0, start_id)"
                ),
                "the last label has to go",
            ),
            Wrong(
                shift("out = labels.roll(1, 1); out[:, 0] = 0\n    return out.masked_fill(out < 0, 0)"),
                "the start is fixed as 0",
            ),
            Wrong(shift("out = labels.roll(1, 1)\n    return out.masked_fill(out < 0, start_id)"), "come round"),
            Wrong(
                shift("return torch.cat((torch.full_like(labels[:, :1], start_id), labels), 1)"),
                "The shape of the result is wrong",
            ),
        ],
        right=[
            shift("out = labels.roll(1, 1); out[:, 0] = start_id\n    return torch.where(out < 0, start_id, out)"),
            shift(
                "return torch.nn.functional.pad(labels, (1, -1), value=start_id).masked_fill("
                "torch.nn.functional.pad(labels, (1, -1), value=0) < 0, start_id)"
            ),
        ],
    ),
    Row(
        "cross_attention",
        wrong=[
            Wrong(cross(scale="1"), "the scores are not divided by √d"),
            Wrong(cross(scale="x.shape[-1] ** -0.5"), "not by √C"),
            Wrong(cross(scale="x.shape[-1] ** -0.5"), "`cross_attention(x: (2, 3, 8), memory: (2, 5, 8), w_q: (8, 4),"),
            Wrong(cross(mask="pass"), "the mask is not used"),
            Wrong(cross(mask="scores = scores.masked_fill(~mask[:, None, :], 0.0)"), "softmax does not ignore"),
            Wrong(cross(mask="pass", softmax="scores.softmax(-1) * mask[:, None, :]"), "you mask after the softmax"),
            Wrong(cross(softmax="scores.softmax(-2)"), "softmax runs over the written tokens"),
            Wrong(cross(v="memory @ w_k"), "the keys are averaged"),
            Wrong(cross(q="memory @ w_q", k="x @ w_k", v="x @ w_v", mask="pass"), "The shape of the result is wrong"),
            Wrong(cross(q="memory @ w_q", k="x @ w_k", v="x @ w_v", mask="pass"), "the roles are swapped"),
            Wrong(cross(k="x @ w_k", v="x @ w_v", mask="pass"), "keys and values come from `x`"),
            Wrong(cross(k="memory @ w_v", v="memory @ w_k"), "w_k and w_v are swapped"),
            Wrong(cross(last="return weights @ v"), "Expected a tuple"),
            Wrong(cross(last="return weights @ v"), "return two tensors"),
            Wrong(cross(last="return weights, weights @ v"), "the output comes first"),
            Wrong(cross(last="return weights @ v, scores"), "you return the scores"),
            Wrong(
                cross(
                    mask="past = torch.ones(scores.shape[1:]).tril().bool(); "
                    "scores = scores.masked_fill(~(mask[:, None] & past), float('-inf'))"
                ),
                "no causal mask here",
            ),
            Wrong(
                "def cross_attention(x, memory, w_q, w_k, w_v, mask):\n"
                "    from helpers.attention.multi_head import attention_weights\n"
                "    weights = attention_weights(x @ w_q, memory @ w_k, ~mask[:, None])\n"
                "    return weights @ (memory @ w_v), weights",
                "the mask is inverted",
            ),
            Wrong(cross(mask="scores = scores.masked_fill(~mask, float('-inf'))"), "it lacks an axis for T"),
            Wrong(
                "def cross_attention(x, memory, w_q, w_k, w_v, mask):\n"
                "    from helpers.attention.multi_head import attention_weights\n"
                "    weights = attention_weights(x @ w_q, memory @ w_k, mask[..., None])\n"
                "    return weights @ (memory @ w_v), weights",
                "it hides keys",
            ),
        ],
        right=[
            cross(),
            "def cross_attention(x, memory, w_q, w_k, w_v, mask):\n    import torch\n    q, k = x @ w_q, memory @ w_k\n"
            "    s = torch.einsum('btd,bsd->bts', q, k) / q.shape[-1] ** 0.5\n"
            "    s = s + torch.zeros_like(mask, dtype=s.dtype).masked_fill(~mask, -1e9)[:, None]\n"
            "    w = torch.softmax(s, dim=2)\n    return torch.einsum('bts,bsd->btd', w, memory @ w_v), w",
        ],
    ),
]
