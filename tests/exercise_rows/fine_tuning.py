"""Answers to the exercises of 07_sft."""

from tests.exercise_rows import Row, Wrong


def match(body: str, guard: str = "if predicted is None:\n        return False") -> str:
    return f"def exact_match(predicted, label):\n    import json\n    {guard}\n    return {body}\n"


def build(rule: str = "who == 'answer'", after: str = "-100", end: str = "return ids, labels") -> str:
    return f"""
def build_labels(pieces, length, pad):
    ids, labels = [], []
    for who, tokens in pieces:
        for token in tokens:
            ids.append(token)
            labels.append(token if {rule} else -100)
    while len(ids) < length:
        ids.append(pad)
        labels.append({after})
    {end}
"""


def shift(*lines: str) -> str:
    body = "\n    ".join(lines)
    return f"def shift_labels(labels):\n    import torch\n    {body}\n"


def loss(
    kept: str = "trained[:, 1:]",
    out: str = "(surprise * kept).sum() / kept.sum()",
    logits: str = "logits[:, :-1]",
    ids: str = "ids[:, 1:]",
) -> str:
    return f"""
def answer_loss(logits, ids, trained):
    log_probs = {logits}.log_softmax(-1)
    surprise = -log_probs.gather(-1, {ids}[..., None])[..., 0]
    kept = {kept}
    return {out}
"""


def cosine(
    warm: str = "step / warmup",
    done: str = "min(1, (step - warmup) / max(1, total - warmup))",
    out: str = "floor + (1 - floor) * down",
    down: str = "(1 + math.cos(math.pi * done)) / 2",
) -> str:
    return f"""
def cosine_with_warmup(step, warmup, total, floor=0.0):
    import math
    if step < warmup:
        return {warm}
    done = {done}
    down = {down}
    return {out}
"""


def gather(
    count: str = "sum(batch.n_labels for batch in batches)",
    part: str = "loss(model, batch) / count",
    before: str = "pass",
    between: str = "pass",
    backward: str = "part.backward()",
    out: str = "mean",
) -> str:
    return f"""
def accumulate(model, batches, loss):
    count = {count}
    mean = 0.0
    {before}
    for batch in batches:
        {between}
        part = {part}
        {backward}
        mean += part.item()
    return {out}
"""


def pick(key: str) -> str:
    return f"def choose_checkpoint(scores):\n    return max(scores, key=lambda step: {key})\n"


def label_next(
    order: str = "sorted(range(len(confidence)), key=lambda i: confidence[i])",
    take: str = "group[i] not in seen",
    out: str = "chosen",
    n: str = "n",
) -> str:
    return f"""
def next_to_label(confidence, group, n):
    seen, chosen = set(), []
    for i in {order}:
        if len(chosen) < {n} and {take}:
            seen.add(group[i])
            chosen.append(i)
    return {out}
"""


ROWS = [
    Row(
        "exact_match",
        wrong=[
            Wrong(
                match("json.dumps(predicted) == json.dumps(label)"), "the order of the fields counts in your comparison"
            ),
            Wrong(match("str(predicted) == str(label)"), "the order of the fields counts in your comparison"),
            Wrong(match("all(predicted.get(f) == label[f] for f in label)"), "`.get` gives None for a missing field"),
            Wrong(
                match("all(predicted.get(f) == label[f] for f in label)", guard="pass"),
                "`predicted` is None: that is wrong, and no error",
            ),
            Wrong(match("all(predicted[f] == label[f] for f in label)"), "a missing field raises a KeyError"),
            Wrong(match("all(label[f] == v for f, v in predicted.items())"), "only for fields that were written"),
            Wrong(match("set(predicted.values()) == set(label.values())"), "the right value in the wrong field"),
            Wrong(
                match("list(predicted.values()) == list(label.values())"),
                "the order of the fields counts in your comparison",
            ),
            Wrong(match("predicted.keys() == label.keys()"), "the names of the fields, not what they say"),
            Wrong(
                match("any(f in predicted and predicted[f] == label[f] for f in label)"), "one right field is enough"
            ),
            Wrong(
                match("{k: str(v) for k, v in predicted.items()} == {k: str(v) for k, v in label.items()}"),
                "the word 'None' is not null",
            ),
            Wrong(
                match("json.dumps(predicted, sort_keys=True).lower() == json.dumps(label, sort_keys=True).lower()"),
                "you fold capitals",
            ),
            Wrong(
                match("all(str(predicted.get(f, 0)).lower() == str(label[f]).lower() for f in label)"),
                "the word 'None' is not null, and `kite`",
            ),
            Wrong(
                match("all(f in predicted and predicted[f] == label[f] for f in label)", guard="pass"),
                "`predicted` is None: that is wrong, and no error",
            ),
            Wrong(match("all(f in predicted and predicted[f] is label[f] for f in label)"), "the very same object"),
            Wrong(
                match("all(v is None or (f in predicted and predicted[f] == v) for f, v in label.items())"),
                "you let everything pass",
            ),
        ],
        right=[
            "def exact_match(predicted, label):\n    return predicted == label\n",
            match("json.dumps(predicted, sort_keys=True) == json.dumps(label, sort_keys=True)"),
            match("set(predicted.items()) == set(label.items())"),
        ],
    ),
    Row(
        "build_labels",
        wrong=[
            Wrong(build("who == 'answer' and token != pad"), "the end of an answer has that id"),
            Wrong(build("token != pad"), "the end of an answer has that id"),
            Wrong(
                build(end="return ids, [-100 if i == pad else l for i, l in zip(ids, labels)]"),
                "the end of an answer has that id",
            ),
            Wrong(
                build().replace(
                    "for who, tokens in pieces:",
                    "for who, tokens in pieces:\n        tokens = tokens[:-1] if who == 'answer' else tokens",
                ),
                "which ends it, is left out",
            ),
            Wrong(build("tokens is pieces[-1][1]"), "whatever it is"),
            Wrong(build("True"), "the prompts are trained on as well"),
            Wrong(build("True", after="pad"), "everything is trained on, even padding"),
            Wrong(build(after="pad"), "padding is trained on"),
            Wrong(build("who == 'prompt'"), "you train on the prompts"),
            Wrong(build("who == 'answer' or token == 2"), "the ends of prompts are trained on as well"),
            Wrong(build(end="return ids, labels[1:] + [-100]"), "they are shifted later"),
            Wrong(build("(who, tokens) == [p for p in pieces if p[0] == 'answer'][-1]"), "only the last answer"),
            Wrong(build(end="return labels, ids"), "ids come first"),
            Wrong(build(after="0"), "First difference"),
            Wrong(build().replace("else -100", "else 0").replace("append(-100)", "append(0)"), "0 is a token like any"),
            Wrong(
                build(
                    end="n = labels.count(-100) * 0 + sum(len(t) for _, t in pieces)\n    return ids[:n], labels[:n]"
                ),
                "the row is not padded",
            ),
        ],
        right=[
            build(),
            """
def build_labels(pieces, length, pad):
    ids = [token for _, tokens in pieces for token in tokens]
    trained = [who == "answer" for who, tokens in pieces for _ in tokens]
    labels = [token if yes else -100 for token, yes in zip(ids, trained)]
    return (ids + length * [pad])[:length], (labels + length * [-100])[:length]
""",
        ],
    ),
    Row(
        "shift_labels",
        wrong=[
            Wrong(shift("return labels[:, 1:]"), "the last place falls away"),
            Wrong(shift("return labels.roll(-1, 1)"), "the first label comes around"),
            Wrong(
                shift("out = torch.full_like(labels, -100)", "out[:, 1:] = labels[:, :-1]", "return out"),
                "you move to the right",
            ),
            Wrong(shift("return labels.clone()"), "nothing moves"),
            Wrong(shift("out = torch.zeros_like(labels)", "out[:, :-1] = labels[:, 1:]", "return out"), "0 is a token"),
            Wrong(shift("out = labels.clone()", "out[:, :-1] = labels[:, 1:]", "return out"), "keeps its own label"),
            Wrong(shift("return torch.nn.functional.pad(labels[:, 1:], (0, 1), value=-1)"), "−1 is not what PyTorch"),
            Wrong(
                shift("out = torch.full_like(labels, -100)", "out[:-1] = labels[1:]", "return out"),
                "you move along the batch",
            ),
            Wrong(
                shift("labels[:, :-1] = labels[:, 1:].clone()", "labels[:, -1] = -100", "return labels"),
                "It changes its input `labels`",
            ),
        ],
        right=[
            shift("return torch.nn.functional.pad(labels[:, 1:], (0, 1), value=-100)"),
            shift("last = labels.new_full((len(labels), 1), -100)", "return torch.cat((labels[:, 1:], last), dim=1)"),
            shift("out = labels.roll(-1, 1)", "out[:, -1] = -100", "return out"),
        ],
    ),
    Row(
        "answer_loss",
        wrong=[
            Wrong(loss(kept="trained[:, :-1] & trained[:, 1:]"), "the first is lost"),
            Wrong(loss(out="surprise.mean()"), "every token counts"),
            Wrong(loss(out="(surprise * kept).mean()"), "you divide by all places"),
            Wrong(loss(out="(surprise * kept).sum()"), "this is the sum"),
            Wrong(loss(out="(surprise * kept).sum() / trained.sum()"), "which is given and never asked"),
            Wrong(
                loss(out="((surprise * kept).sum(1) / kept.sum(1)).nan_to_num().mean()"), "a mean of each row's mean"
            ),
            Wrong(loss(kept="trained[:, :-1]", ids="ids[:, :-1]"), "each place is held against itself"),
            Wrong(loss(logits="logits[:, 1:]"), "the row before scores this one"),
            Wrong(loss(out="((surprise * kept).sum(1) / kept.sum(1)).mean()"), "a row without any gives NaN"),
            Wrong(loss(out="((surprise * kept).sum() / kept.sum()).detach()"), "no gradient reaches them"),
            Wrong(loss(ids="ids[:, :-1]"), "the ids do not move"),
            Wrong(loss(logits="logits[:, 1:]", ids="ids[:, :-1]", kept="trained[:, :-1]"), "this is turned around"),
            Wrong(loss(kept="trained"), "It stops with an error"),
        ],
        right=[
            loss(),
            """
def answer_loss(logits, ids, trained):
    import torch
    labels = torch.where(trained, ids, -100)[:, 1:]
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100)
""",
            loss(out="surprise[kept].mean()"),
        ],
    ),
    Row(
        "cosine_with_warmup",
        wrong=[
            Wrong(cosine(done="(step - warmup) / max(1, total - warmup)"), "the cosine rises again"),
            Wrong(cosine(done="min(1, (step - warmup) / (total - warmup))"), "you divide by 0"),
            Wrong(cosine(done="min(1, step / total)"), "it begins behind the warm-up"),
            Wrong(cosine(done="min(1, (step - warmup) / total)"), "must be down at `total`"),
            Wrong(cosine(down="(1 + math.cos(2 * math.pi * done)) / 2"), "comes up again at the end"),
            Wrong(cosine(down="math.cos(math.pi * done)"), "a rate is never below 0"),
            Wrong(cosine(down="math.cos(math.pi * done / 2)"), "a quarter of a cosine"),
            Wrong(cosine(down="1 - done"), "a straight line down"),
            Wrong(cosine(down="(1 - math.cos(math.pi * done)) / 2"), "1 *plus* the cosine"),
            Wrong(cosine(out="down"), "the floor is not used"),
            Wrong(cosine(out="max(floor, down)"), "the floor cuts the curve off"),
            Wrong(cosine(out="floor + down"), "the peak is above 1"),
            Wrong(cosine(warm="(step + 1) / (warmup + 1)"), "reaches 1 at step `warmup`"),
            Wrong(cosine(warm="floor + (1 - floor) * step / warmup"), "the warm-up begins at 0, not at the floor"),
            Wrong(cosine(warm="(step + 1) / warmup"), "reaches 1 at step `warmup`"),
            Wrong(cosine(done="1 if step >= total else (step - warmup) / (total - warmup)"), "the peak comes first"),
        ],
        right=[
            cosine(),
            """
def cosine_with_warmup(step, warmup, total, floor=0.0):
    from math import cos, pi
    if step < warmup:
        return step / warmup
    if step >= total:
        return floor if total > warmup else 1.0
    return floor + (1 - floor) * cos(pi / 2 * (step - warmup) / (total - warmup)) ** 2
""",
        ],
    ),
    Row(
        "accumulate",
        wrong=[
            Wrong(gather(part="loss(model, batch) / batch.n_labels / len(batches)"), "a mean of the batches' means"),
            Wrong(gather(part="loss(model, batch) / batch.n_labels"), "their sum is no mean at all"),
            Wrong(gather(count="1"), "nothing is divided"),
            Wrong(gather(count="len(batches)"), "you divide by the number of batches"),
            Wrong(gather(count="sum(b.ids.numel() for b in batches)"), "you divide by all tokens"),
            Wrong(gather(count="sum(len(b.ids) for b in batches)"), "you divide by the number of texts"),
            Wrong(gather(count="sum((b.labels != -100).sum() for b in batches)"), "you count a row's first label"),
            Wrong(
                """
def accumulate(model, batches, loss):
    total = sum(loss(model, batch) for batch in batches) / sum(batch.n_labels for batch in batches)
    total.backward()
    return total.item()
""",
                "2 parts were waiting for `.backward()` at once",
            ),
            Wrong(gather(out="torch.tensor(mean)", before="import torch"), "take the plain number out with `.item()`"),
            Wrong(gather(out="None"), "It returns None. Did you forget `return`?"),
            Wrong(gather(count="batches[-1].n_labels"), "the labels of the last batch alone"),
            Wrong(
                """
def accumulate(model, batches, loss):
    count, mean = sum(batch.n_labels for batch in batches), 0.0
    for batch in batches:
        mean = mean + loss(model, batch) / count
        mean.backward(retain_graph=True)
    return mean.item()
""",
                "earlier parts are added again",
            ),
            Wrong(
                """
def accumulate(model, batches, loss):
    count, mean = 0, 0.0
    for batch in batches:
        count += batch.n_labels
        part = loss(model, batch)
        part.backward()
        mean += part.item()
    for parameter in model.parameters():
        parameter.grad /= count
    return mean / count
""",
                "what stood in the gradients before is divided too",
            ),
            Wrong(gather(backward="pass"), "`.backward()` is missing"),
            Wrong(gather(between="model.zero_grad()"), "gradients are cleared between batches"),
            Wrong(gather(before="model.zero_grad()"), "you clear the gradients"),
            Wrong(gather(out="part.item()"), "you return the last batch's part"),
            Wrong(gather(part="loss(model, batch)", out="mean / count"), "the gradient is that of the undivided sum"),
        ],
        right=[
            gather(),
            """
def accumulate(model, batches, loss):
    labels = [batch.n_labels for batch in batches]
    mean = 0
    for batch in batches:
        share = loss(model, batch).div(sum(labels))
        share.backward()
        mean = mean + float(share.detach())
    return mean
""",
            gather(count="sum(int((b.labels[:, 1:] != -100).sum()) for b in batches)"),
        ],
    ),
    Row(
        "choose_checkpoint",
        wrong=[
            Wrong(pick("scores[step]['test']"), "its score says how well you chose"),
            Wrong(pick("-scores[step]['loss']"), "the training loss falls to the end"),
            Wrong(pick("scores[step]['dev'] + scores[step]['test']"), "test has a say in your choice"),
            Wrong(pick("(scores[step]['dev'], scores[step]['test'])"), "test decides between equals"),
            Wrong(pick("(scores[step]['dev'], step)"), "take the earliest"),
            Wrong(pick("step"), "whatever dev says"),
            Wrong(pick("-scores[step]['dev']"), "you take the worst one"),
            Wrong(
                "def choose_checkpoint(scores):\n    return max(found['dev'] for found in scores.values())\n",
                "Expected an int",
            ),
            Wrong(
                "def choose_checkpoint(scores):\n    dev = [found['dev'] for found in scores.values()]\n"
                "    return dev.index(max(dev))\n",
                "not its place in the list",
            ),
            Wrong(
                "def choose_checkpoint(scores):\n    best = None\n    for step in scores:\n"
                "        if best is not None and scores[step]['dev'] < scores[best]['dev']:\n            break\n"
                "        best = step\n    return best\n",
                "you stop at the first dip",
            ),
        ],
        right=[
            pick("scores[step]['dev']"),
            "def choose_checkpoint(scores):\n    return sorted(scores, key=lambda s: (-scores[s]['dev'], s))[0]\n",
        ],
    ),
    Row(
        "next_to_label",
        wrong=[
            Wrong(label_next(take="True"), "the second teaches next to nothing"),
            Wrong(
                label_next(order="sorted(range(len(confidence)), key=lambda i: -confidence[i])"),
                "the model is surest; it knows them",
            ),
            Wrong(label_next(order="range(len(confidence))"), "confidence does not count"),
            Wrong(
                label_next(order="sorted(range(len(confidence)), key=lambda i: abs(confidence[i] - 0.5))"),
                "take the lowest confidence",
            ),
            Wrong(
                label_next(order="sorted(range(len(confidence)), key=lambda i: confidence[i])[:n]"),
                "you cut to n first",
            ),
            Wrong(label_next(out="sorted(chosen)"), "the order is lost"),
            Wrong(
                label_next(order="sorted(range(len(confidence)), key=lambda i: (confidence[i], -i))"),
                "take the earlier",
            ),
            Wrong(label_next(order="[confidence.index(c) for c in sorted(confidence)]"), "sort the places"),
            Wrong(
                """
def next_to_label(confidence, group, n):
    best = {}
    for i, (sure, name) in enumerate(zip(confidence, group)):
        if name not in best or sure < confidence[best[name]]:
            best[name] = i
    return sorted(best.values())[:n]
""",
                "the order is lost",
            ),
            Wrong(label_next(out="[confidence[i] for i in chosen]"), "not their confidences"),
            Wrong(label_next(n="n + 1"), "one too many"),
            Wrong(
                "def next_to_label(confidence, group, n):\n"
                "    firsts = sorted({g: i for i, g in reversed(list(enumerate(group)))}.values(), "
                "key=lambda i: confidence[i])\n    return firsts[:n]\n",
                "take its least sure one",
            ),
        ],
        right=[
            label_next(),
            """
def next_to_label(confidence, group, n):
    best = {}
    for i, (sure, name) in enumerate(zip(confidence, group)):
        if name not in best or sure < confidence[best[name]]:
            best[name] = i
    return sorted(best.values(), key=lambda i: (confidence[i], i))[:n]
""",
        ],
    ),
]
