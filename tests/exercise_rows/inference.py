"""Answers to the exercises of 05_inference."""

from tests.exercise_rows import Row, Wrong


def temperature(result: str = "logits / t", check: str = "t <= 0") -> str:
    return f"""
def temperature(t):
    if {check}:
        raise ValueError("a temperature is above 0")
    return lambda logits, ids=None: {result}
"""


def nucleus(
    sort: str = "logits.sort(-1, descending=True)",
    before: str = "weights.cumsum(-1) - weights",
    out: str = "before >= p",
    back: str = "torch.zeros_like(out).scatter(-1, order, out)",
    fill: str = "float('-inf')",
) -> str:
    return f"""
def top_p(p):
    import torch
    def keep(logits, ids=None):
        falling, order = {sort}
        weights = falling.softmax(-1)
        before = {before}
        out = {out}
        out = {back}
        return logits.masked_fill(out, {fill})
    return keep
"""


def least(
    limit: str = "p * weights.amax(-1, keepdim=True)", test: str = "weights < limit", fill: str = "-torch.inf"
) -> str:
    return f"""
def min_p(p):
    import torch
    def keep(logits, ids=None):
        weights = logits.softmax(-1)
        limit = {limit}
        return torch.where({test}, torch.tensor({fill}), logits)
    return keep
"""


def penalty(
    new: str = "torch.where(said < 0, said * r, said / r)", back: str = "logits.scatter(-1, ids, new)", first: str = ""
) -> str:
    return f"""
def repetition_penalty(r):
    import torch
    def penalize(logits, ids=None):
        if ids is None:
            return logits
        {first or "pass"}
        said = logits.gather(-1, ids)
        new = {new}
        return {back}
    return penalize
"""


def surprise(
    rows: str = "logits[start - 1:-1]",
    targets: str = "ids[start:]",
    end: str = "(-picked).mean().exp().item()",
) -> str:
    return f"""
def text_perplexity(logits, ids, start=1):
    import torch
    rows = {rows}.log_softmax(-1)
    picked = rows.gather(-1, {targets}[:, None])[:, 0]
    return {end}
"""


def reply(*lines: str) -> str:
    return "def reply_text(tokenizer, ids, stop=()):\n" + "".join(f"    {line}\n" for line in lines)


def choose(
    high: str = "statistics.mean(runs) + statistics.stdev(runs) / math.sqrt(len(runs))",
    test: str = "high(runs) <= limit",
    last: str = "max(allowed, key=diversity.get) if allowed else None",
) -> str:
    return f"""
def choose_setting(diversity, perplexities, limit):
    import math, statistics
    high = lambda runs: {high}
    allowed = [name for name, runs in perplexities.items() if {test}]
    return {last}
"""


WHOLE = "text = tokenizer.decode(ids, skip_special_tokens=True)"

ROWS = [
    Row(
        "temperature",
        wrong=[
            Wrong(temperature("logits * t"), "you multiply by t"),
            Wrong(temperature("(logits / t).softmax(-1)"), "you return probabilities"),
            Wrong(temperature(check="False"), "nothing can be divided by 0"),
            Wrong(temperature(check="t == 0"), "turns the order around"),
            Wrong(temperature("logits"), "the logits come back as they were"),
            Wrong(temperature("logits.softmax(-1) / t"), "you divide probabilities"),
            Wrong(temperature("(logits / t).log_softmax(-1)"), "you return log-probabilities"),
            Wrong(temperature().replace(", ids=None", ""), "takes 1 positional argument but 2 were given"),
            Wrong(temperature("logits.div_(t)"), "It changes its input `logits`"),
            Wrong("def temperature(t, logits):\n    return logits / t\n", "must take (t)"),
            Wrong("def temperature(t):\n    logits / t\n", "It stops with an error when called as `temperature(2.0)("),
            Wrong(temperature().replace("return lambda", "keep = lambda"), "Did you forget `return`?"),
        ],
        right=[
            temperature("logits * (1 / t)"),
            """
def temperature(t):
    if not t > 0:
        raise ValueError(f"{t} is no temperature: use greedy for 0")
    def cool(logits, ids=None):
        return logits / t
    return cool
""",
        ],
    ),
    Row(
        "top_p",
        wrong=[
            Wrong(nucleus(before="weights.cumsum(-1)", out="before > p"), "where the first one crosses"),
            Wrong(nucleus().replace(", ids=None", ""), "takes 1 positional argument but 2 were given"),
            Wrong(nucleus(back="out.gather(-1, order)"), "`scatter` brings it back"),
            Wrong(nucleus(back="~torch.zeros_like(out).scatter(-1, order, out)"), "you remove the nucleus"),
            Wrong(nucleus(fill="-1e9"), "-1e9 is a logit as any other"),
            Wrong(nucleus(fill="-1e4"), "the logit -2.30259 became -10000."),
            Wrong(
                nucleus(sort="logits.sort(0, descending=True)")
                .replace("(-1)", "(0)")
                .replace("(-1, order", "(0, order"),
                "you work along the batch",
            ),
            Wrong(nucleus(fill="float('-inf')).log_softmax(-1"), "you return the log of new probabilities"),
            Wrong(
                nucleus().replace("logits.masked_fill", "logits.softmax(-1).masked_fill"), "you return probabilities"
            ),
            Wrong(
                nucleus(back="torch.zeros_like(out).scatter(-1, order, out)[:1].expand_as(out)"),
                "the first row's mask",
            ),
            Wrong(
                "def top_p(p):\n    return lambda z, ids=None: z.masked_fill(z.softmax(-1) < 1 - p, float('-inf'))\n",
                "with 1 − p by itself",
            ),
            Wrong(
                nucleus().replace("logits.masked_fill(out,", "falling.masked_fill(before >= p,"),
                "the result is in sorted order",
            ),
            Wrong(
                nucleus(before="weights.cumsum(-1)", out="(before > p) & (before.argsort(-1) > 0)"),
                "the token that crosses p is dropped",
            ),
            Wrong(nucleus(back="out"), "the mask is still in sorted order"),
            Wrong(nucleus(sort="logits.sort(-1)"), "you keep the unlikely tokens"),
            Wrong(nucleus(fill="0.0"), "use -inf"),
            Wrong(
                nucleus(back="torch.zeros_like(out).scatter(-1, order[:1].expand_as(order), out)"),
                "The result is wrong for `top_p(",
            ),
            Wrong(
                "def top_p(p):\n    return lambda z, ids=None: z.masked_fill(z.softmax(-1) < p, float('-inf'))\n",
                "add them up",
            ),
            Wrong(nucleus(before="falling.cumsum(-1) - falling"), "you add up logits"),
            Wrong(
                nucleus(back="out").replace("logits.masked_fill", "falling.masked_fill"),
                "became",
            ),
        ],
        right=[
            nucleus(),
            """
def top_p(p):
    import torch
    def keep(logits, ids=None):
        result = torch.full_like(logits, float("-inf"))
        for row, kept in zip(logits, result):
            order = row.argsort(descending=True)
            total = row.softmax(0)[order].cumsum(0)
            needed = order[: int((total < p).sum()) + 1]
            kept[needed] = row[needed]
        return result
    return keep
""",
        ],
    ),
    Row(
        "min_p",
        wrong=[
            Wrong(least("p"), "p itself is your limit"),
            Wrong(least("p * weights.amax()"), "the limit comes from the whole batch"),
            Wrong(least(test="weights <= limit"), "compare with <, not ≤"),
            Wrong(least(fill="0.0"), "use -inf"),
            Wrong(least(test="weights > limit"), "you remove the likely tokens"),
            Wrong(least(test="weights >= limit"), "you remove the likely tokens"),
            Wrong(least(fill="-1e4"), "-1e4 is a logit as any other"),
            Wrong(least().replace(", ids=None", ""), "takes 1 positional argument but 2 were given"),
            Wrong(least().replace("logits.softmax(-1)", "logits.exp()"), "above 88"),
            Wrong(least().replace("logits.softmax(-1)", "logits.softmax(0)"), "your softmax runs along the batch"),
            Wrong(least("p * weights.amax(0)"), "the one of a column"),
            Wrong(least("p * logits.amax(-1, keepdim=True)"), "p times the largest logit"),
            Wrong(least("weights.amax(-1, keepdim=True) - p"), "you subtract p"),
            Wrong(least("(1 - p) * weights.amax(-1, keepdim=True)"), "your limit is 1 − p"),
            Wrong(least().replace("logits)", "weights)"), "you return probabilities"),
            Wrong(least().replace("logits)", "logits).log_softmax(-1)"), "the log of new probabilities"),
            Wrong(least("p * logits.amax(-1, keepdim=True)", "logits < limit"), "you compare logits"),
            Wrong(least("p * weights.amax(-1)"), "It stops with an error when called as `min_p(0.5)("),
        ],
        right=[
            least(),
            """
def min_p(p):
    import math
    def keep(logits, ids=None):
        least = math.log(p) if p > 0 else -math.inf
        return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + least, -math.inf)
    return keep
""",
        ],
    ),
    Row(
        "repetition_penalty",
        wrong=[
            Wrong(penalty("said / r"), "you divide negative logits too"),
            Wrong(penalty("said - r"), "you subtract r"),
            Wrong(penalty(first="ids = ids[:, -1:]"), "only the last token is penalized"),
            Wrong(penalty(first="ids = ids[:1].expand(len(logits), -1)"), "the first row's ids are used"),
            Wrong(penalty(back="logits.scatter_(-1, ids, new)"), "It changes its input `logits`"),
            Wrong(penalty().replace("if ids is None", "if False"), "It stops with an error when called as"),
            Wrong(penalty("torch.where(said < 0, said / r, said * r)"), "the other way round"),
            Wrong(penalty("said * r"), "you multiply positive logits too"),
            Wrong(penalty("said * r"), "At [0, 0], the logit 4 became 8."),
            Wrong(penalty("torch.where(said < 0, said, said / r)"), "negative logits stay as they were"),
            Wrong(penalty(first="ids = ids.flatten().expand(len(logits), -1)"), "the ids of all rows"),
            Wrong(penalty(first="logits = logits.log_softmax(-1)"), "you scale log-probabilities"),
            Wrong(penalty(first="logits = logits.softmax(-1)"), "you scale probabilities"),
            Wrong(penalty().replace("ids=None", "ids"), "missing 1 required positional argument"),
            Wrong(
                "def repetition_penalty(r):\n    import torch\n    def f(x, ids=None):\n        x = x.clone()\n"
                "        for b, row in enumerate(ids if ids is not None else []):\n            for i in row:\n"
                "                x[b, i] = x[b, i] * r if x[b, i] < 0 else x[b, i] / r\n"
                "        return x\n    return f\n",
                "once for each time it was said",
            ),
        ],
        right=[
            penalty(),
            """
def repetition_penalty(r):
    def penalize(logits, ids=None):
        result = logits.clone()
        for b in range(len(logits) if ids is not None else 0):
            for i in set(ids[b].tolist()):
                result[b, i] *= r if logits[b, i] < 0 else 1 / r
        return result
    return penalize
""",
        ],
    ),
    Row(
        "text_perplexity",
        wrong=[
            Wrong(surprise("logits[start:]"), "row t is used for token t itself"),
            Wrong(surprise(end="picked.mean().exp().item()"), "the minus is missing"),
            Wrong(surprise(end="(-picked).mean().item()"), "that is the loss"),
            Wrong(surprise(end="2 ** (-picked).mean().item()"), "you raise 2"),
            Wrong(surprise(end="(-picked).exp().mean().item()"), "average the logs first"),
            Wrong(surprise("logits[:-1]", "ids[1:]"), "`start` is ignored"),
            Wrong(surprise(end="(1 / picked.exp().prod() ** (1 / len(picked))).item()"), "rounds to 0"),
            Wrong(surprise("logits[start:-1]", "ids[start + 1:]"), "The result is wrong for `text_perplexity("),
            Wrong(surprise(end="(-picked.sum() / len(ids)).exp().item()"), "you divide by all tokens"),
            Wrong(surprise(end="(-picked[:-1]).mean().exp().item()"), "the last token is left out"),
            Wrong(surprise().replace("log_softmax(-1)", "float()"), "you read logits as log-probabilities"),
            Wrong(surprise().replace("log_softmax(-1)", "softmax(-1).log()"), "its log is −∞"),
            Wrong(surprise("logits"), "your rows begin at 0"),
            Wrong(surprise(end="(-picked).mean().exp()"), "The kind of the result is wrong"),
        ],
        right=[
            surprise(),
            """
def text_perplexity(logits, ids, start=1):
    import torch
    loss = torch.nn.functional.cross_entropy(logits[start - 1 : len(ids) - 1], ids[start:])
    return float(loss.exp())
""",
        ],
    ),
    Row(
        "reply_text",
        wrong=[
            Wrong(
                reply(
                    "text = ''",
                    "for token in ids:",
                    "    text += tokenizer.decode([token], skip_special_tokens=True)",
                    "held = [text.find(s) for s in stop if s in text]",
                    "return text[:min(held)] if held else text",
                ),
                "breaks characters apart",
            ),
            Wrong(
                reply(
                    "text = ''",
                    "for token in ids:",
                    "    piece = tokenizer.decode([token], skip_special_tokens=True)",
                    "    if any(s in piece for s in stop):",
                    "        break",
                    "    text += piece",
                    "return text",
                ),
                "The result is wrong for `reply_text(",
            ),
            Wrong(
                reply(
                    WHOLE, "for s in stop:", "    if text.endswith(s):", "        return text[:-len(s)]", "return text"
                ),
                "at the end of the text only",
            ),
            Wrong(
                reply(
                    WHOLE, "for s in stop:", "    if s in text:", "        return text[:text.find(s)]", "return text"
                ),
                "cut at the one that comes first",
            ),
            Wrong(
                reply(
                    WHOLE,
                    "ends = [text.rfind(s) for s in stop if s in text]",
                    "return text[:max(ends)] if ends else text",
                ),
                "the first time counts",
            ),
            Wrong(reply(WHOLE, "return text"), "stops are ignored"),
            Wrong(
                reply(
                    "text = ''",
                    "for n in range(1, len(ids) + 1):",
                    "    text = tokenizer.decode(ids[:n], skip_special_tokens=True)",
                    "    for s in stop:",
                    "        if text.endswith(s):",
                    "            return text[:-len(s)]",
                    "return text",
                ),
                "in the middle of a token",
            ),
            Wrong(
                reply(
                    "text = ''",
                    "for n in range(1, len(ids) + 1):",
                    "    text = tokenizer.decode(ids[:n], skip_special_tokens=True)",
                    "    for s in stop:",
                    "        if s in text:",
                    "            return text[:text.index(s)]",
                    "return text",
                ),
                "one token may hold two stops",
            ),
            Wrong(
                reply("import re", WHOLE, "return re.split('|'.join(stop), text)[0] if stop else text"),
                "a stop is text, not a pattern",
            ),
            Wrong(
                reply(
                    WHOLE,
                    "ends = [text.lower().index(s.lower()) for s in stop if s.lower() in text.lower()]",
                    "return text[:min(ends, default=len(text))]",
                ),
                "capitals count",
            ),
            Wrong(
                reply(
                    WHOLE,
                    "ends = [text.index(s) for s in stop if s in text]",
                    "return text[:min(ends, default=len(text))].strip()",
                ),
                "you strip it",
            ),
            Wrong(
                reply(
                    WHOLE,
                    "ends = [text.index(s) for s in stop if s in text]",
                    "return text[:min(ends, default=len(text))].rstrip()",
                ),
                "you strip it",
            ),
            Wrong(
                reply(
                    WHOLE,
                    "ends = [text.index(s) for s in stop if s in text]",
                    "return text[:min(ends, default=len(text))].rstrip('\\n')",
                ),
                "The result is wrong for `reply_text(",
            ),
            Wrong(
                reply(
                    "text = tokenizer.decode(ids)",
                    "ends = [text.find(s) for s in stop if s in text]",
                    "return text[:min(ends)] if ends else text",
                ),
                "special tokens belong to the format",
            ),
        ],
        right=[
            reply(WHOLE, "for s in stop:", "    text = text.split(s)[0]", "return text").replace(
                "for s in stop", "for s in sorted(stop, key=lambda s: text.find(s) % (len(text) + 1))"
            ),
            reply(
                WHOLE,
                "ends = [text.index(s) for s in stop if s in text]",
                "return text[:min(ends, default=len(text))]",
            ),
        ],
    ),
    Row(
        "choose_setting",
        wrong=[
            Wrong(choose("statistics.mean(runs)"), "add one standard error"),
            Wrong(choose("statistics.mean(runs) - statistics.stdev(runs) / math.sqrt(len(runs))"), "you subtract"),
            Wrong(choose("statistics.mean(runs) + statistics.stdev(runs)"), "divide it by √runs"),
            Wrong(choose("statistics.mean(runs) + statistics.pstdev(runs) / math.sqrt(len(runs))"), "by n − 1"),
            Wrong(
                choose(last="min(allowed, key=lambda n: statistics.mean(perplexities[n]), default=None)"),
                "you take the lowest perplexity",
            ),
            Wrong(choose(last="min(allowed, key=diversity.get, default=None)"), "the least varied"),
            Wrong(choose(last="allowed[0] if allowed else None"), "the first allowed setting"),
            Wrong(choose(last="max(allowed, default=None)"), "the last name of the alphabet"),
            Wrong(choose(last="allowed[-1] if allowed else None"), "the last allowed setting"),
            Wrong(
                choose(last="max(allowed, key=lambda n: statistics.mean(perplexities[n]), default=None)"),
                "you take the highest perplexity",
            ),
            Wrong(
                choose(last="max(allowed, key=lambda n: high(perplexities[n]), default=None)"),
                "closest to the limit",
            ),
            Wrong(
                choose(
                    last="max(allowed, key=lambda n: diversity[n] / statistics.mean(perplexities[n]), default=None)"
                ),
                "you weigh diversity against perplexity",
            ),
            Wrong(choose("max(runs)"), "you hold each single run to the limit"),
            Wrong(
                choose("statistics.mean(runs) + 2 * statistics.stdev(runs) / math.sqrt(len(runs))"),
                "add two standard errors; add one",
            ),
            Wrong(choose("statistics.mean(runs) + statistics.stdev(runs) / len(runs)"), "deviation by the runs"),
            Wrong(
                choose("statistics.mean(runs) + statistics.stdev(runs) / math.sqrt(len(runs) - 1)"),
                "the deviation has its n − 1 already",
            ),
            Wrong(choose().replace("perplexities.items()", "zip(diversity, perplexities.values())"), "look up by name"),
            Wrong(choose(test="high(runs) < limit"), "exactly at the limit"),
            Wrong(choose(test="True"), "the limit is ignored"),
            Wrong(choose(last="max(allowed, key=diversity.get)"), "It stops with an error when called as"),
        ],
        right=[
            choose(),
            """
def choose_setting(diversity, perplexities, limit):
    import numpy as np
    best = None
    for name, runs in perplexities.items():
        high = np.mean(runs) + np.std(runs, ddof=1) / np.sqrt(len(runs))
        if high <= limit and (best is None or diversity[name] > diversity[best]):
            best = name
    return best
""",
        ],
    ),
]
