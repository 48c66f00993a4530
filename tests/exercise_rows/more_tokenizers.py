"""Answers to the exercises of 01b_more_tokenizers."""

from tests.exercise_rows import Row, Wrong


def match(
    order: str = "range(len(text), 0, -1)", test: str = "mark + text[:end]", give: str = "text[:end]", last: str = "''"
) -> str:
    return f"""
def longest_match(text, vocabulary, mark=""):
    for end in {order}:
        if {test} in vocabulary:
            return {give}
    return {last}
"""


def cut(
    total: str = "best[start] + scores[word[start:end]]",
    starts: str = "range(end)",
    pick: str = "max(found)",
    none: str = "(-math.inf, 0)",
) -> str:
    return f"""
def best_cut(word, end, best, scores):
    import math
    found = [({total}, start) for start in {starts} if word[start:end] in scores]
    return {pick} if found else {none}
"""


def loop(low: str = "-math.inf", default: str = "None", kept: str = "v is not None", token: str = "word[start:end]"):
    return f"""
def best_cut(word, end, best, scores):
    import math
    top, origin = {low}, 0
    for start in range(end):
        v = scores.get({token}, {default})
        if {kept} and best[start] + v > top:
            top, origin = best[start] + v, start
    return top, origin
"""


def least(
    center: str = "table[unused].mean(dim=0)",
    distance: str = "(table - center).norm(dim=1)",
    last: str = "[i for i in order if i not in unused][:k]",
) -> str:
    return f"""
def least_trained(table, unused, k):
    import torch
    center = {center}
    order = {distance}.argsort().tolist()
    return {last}
"""


def filled_distance(far: str) -> str:
    return f"""
def least_trained(table, unused, k):
    d = (table - table[unused].mean(dim=0)).norm(dim=1)
    d[unused] = {far}
    return d.argsort()[:k].tolist()
"""


def move(kept: str = "old[old_ids[token]]", fresh: str = "old[pieces[i]].mean(dim=0)", last: str = "torch.stack(rows)"):
    return f"""
def move_embeddings(old, old_ids, new_tokens, pieces):
    import torch
    rows = []
    for i, token in enumerate(new_tokens):
        rows.append({kept} if token in old_ids else {fresh})
    return {last}
"""


def written(
    new: str = "old.new_empty(len(new_tokens), old.shape[1])",
    test: str = "token in old_ids",
    kept: str = "old[old_ids[token]]",
    fresh: str = "old[pieces[i]].mean(dim=0)",
) -> str:
    return f"""
def move_embeddings(old, old_ids, new_tokens, pieces):
    new = {new}
    for i, token in enumerate(new_tokens):
        new[i] = {kept} if {test} else {fresh}
    return new
"""


ROWS = [
    Row(
        "longest_match",
        wrong=[
            Wrong(match(order="range(1, len(text) + 1)"), "you return the shortest token that fits"),
            Wrong(match(give="mark + text[:end]"), "the mark belongs to the vocabulary's spelling"),
            Wrong(match(test="text[:end]"), "the vocabulary is asked without the mark"),
            Wrong(match(order="range(len(text) - 1, 0, -1)"), "the whole text is never tried"),
            Wrong(match(last="None"), 'where nothing fits, return ""'),
            Wrong(
                'def longest_match(text, vocabulary, mark=""):\n'
                "    parts = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)]\n"
                "    return max((p for p in parts if mark + p in vocabulary), key=len, default='')",
                "you look for tokens anywhere in the text",
            ),
            Wrong(match(order="range(len(text), 1, -1)"), "a token of one letter is never tried"),
            Wrong(
                'def longest_match(text, vocabulary, mark=""):\n    end = 0\n'
                "    while end < len(text) and mark + text[:end + 1] in vocabulary:\n        end += 1\n"
                "    return text[:end]",
                "you stop at the first start that is no token",
            ),
            Wrong(
                match(test="text[:end] in vocabulary or mark + text[:end]"), "inside a word, only tokens with the mark"
            ),
            Wrong(match(order="range(min(len(text), 10), 0, -1)"), "yours looks at the first few letters only"),
            Wrong(match(test="('##' if mark else '') + text[:end]"), "yours is always “##”"),
            Wrong(match(test="mark + text.lower()[:end]"), "different letters"),
            Wrong(match(test="mark + text.lower()[:end]", give="text.lower()[:end]"), "different letters"),
            Wrong(match(give="(mark + text[:end]).lstrip(mark)"), "also takes letters of the text"),
            Wrong(match(give="(mark + text[:end]).replace(mark, '')"), "also takes letters of the text"),
            Wrong(match(give="(mark + text[:end])[2 if mark else 0:]"), "the mark need not be two letters long"),
        ],
        right=[
            'def longest_match(text, vocabulary, mark=""):\n    while text and mark + text not in vocabulary:\n'
            "        text = text[:-1]\n    return text",
            'def longest_match(text, vocabulary, mark=""):\n'
            "    starts = [t[len(mark):] for t in vocabulary if t.startswith(mark)]\n"
            "    return max((s for s in starts if text.startswith(s)), key=len, default='')",
        ],
    ),
    Row(
        "best_cut",
        wrong=[
            Wrong(cut(total="scores[word[start:end]]"), "what stands before, best[start], is missing"),
            Wrong(cut(pick="min(found)"), "the largest is the best"),
            Wrong(cut(pick="found[0]"), "you take the longest token, which is greedy"),
            Wrong(cut(pick="found[-1]"), "you take the shortest token"),
            Wrong(cut(total="best[start] * scores[word[start:end]]"), "so their logarithms are added"),
            Wrong(cut(starts="range(1, end)"), "the last token may also start at 0"),
            Wrong(cut(pick="(max(found)[0], end - max(found)[1])"), "the length of the last token"),
            Wrong(cut(none="(0.0, 0)"), "a place that no token reaches has the score -inf"),
            Wrong(cut(pick="max(found)[0]"), "The kind of the result is wrong"),
            Wrong(cut(pick="(max(found)[0], end)"), "the second number is `end`"),
            Wrong(cut(pick="max(found)[::-1]"), "the two numbers are swapped"),
            Wrong(cut(starts="range(max(0, end - 4), end)"), "looks back a few letters only"),
            Wrong(cut(starts="range(max(0, end - 16), end)"), "looks back a few letters only"),
            Wrong(loop(kept="v"), "a score of 0 counts as False"),
            Wrong(loop(low="-100.0"), "a total may lie below it: use -math.inf"),
            Wrong(loop(low="-1e9"), "a total may lie below it: use -math.inf"),
            Wrong(loop(low="-7777.0"), "return -math.inf exactly"),
            Wrong(loop(default="0"), "what is not in `scores` is no token"),
            Wrong(loop(default="-20"), "what is not in `scores` is no token"),
            Wrong(loop(default="-1e9"), "a total may lie below it: use -math.inf"),
            Wrong(loop(default="-33.3"), "no token ends here"),
            Wrong(loop(token="word[start:]"), "the token stops at `end`"),
        ],
        right=[
            "def best_cut(word, end, best, scores):\n    import math\n    top, origin = -math.inf, 0\n"
            "    for length in range(1, end + 1):\n        token = word[end - length:end]\n"
            "        total = best[end - length] + scores.get(token, -math.inf)\n"
            "        if total > top:\n            top, origin = total, end - length\n    return top, origin",
            cut(pick="max(found, key=lambda pair: pair[0])"),
        ],
    ),
    Row(
        "least_trained",
        wrong=[
            Wrong(least(last="order[:k]"), "leave the known ones out by their ids"),
            Wrong(least(last="[i for i in order[::-1] if i not in unused][:k]"), "these lie farthest away"),
            Wrong(least(distance="table.norm(dim=1)"), "this sorts by the norm"),
            Wrong(least(center="table.mean(dim=0)"), "the mean of the whole table"),
            Wrong(least(center="table[unused[0]]"), "only the first unused row is used"),
            Wrong(
                least(distance="(-torch.nn.functional.cosine_similarity(table, center[None]))"),
                "this compares directions",
            ),
            Wrong(least(last="[i for i in order[:k] if i not in unused]"), "The shape of the result is wrong"),
            Wrong(least(last="torch.tensor([i for i in order if i not in unused][:k])"), "The kind of the result"),
            Wrong(least(last="order[len(unused):][:k]"), "the first places are not always the known ones"),
            Wrong(filled_distance("10.0"), "larger than your stand-in"),
            Wrong(filled_distance("1e6"), "larger than your stand-in"),
            Wrong(least(center="table[unused].sum(dim=0)"), "the distance to the sum of the rows"),
            Wrong(least(distance="(table - center).abs().sum(dim=1)"), "adds up absolute differences"),
            Wrong(least(distance="torch.cdist(table, table[unused]).min(dim=1).values"), "the nearest of the unused"),
            Wrong(
                "def least_trained(table, unused, k):\n    center = table[unused].mean(dim=0)\n"
                "    keep = [i for i in range(len(table)) if i not in unused]\n"
                "    return (table[keep] - center).norm(dim=1).argsort()[:k].tolist()",
                "positions in the table without the unused rows",
            ),
        ],
        right=[
            least(distance="((table - center) ** 2).sum(1)"),
            "def least_trained(table, unused, k):\n    import torch\n"
            "    d = torch.cdist(table, table[list(unused)].mean(0, keepdim=True))[:, 0]\n"
            "    d[list(unused)] = float('inf')\n    return d.topk(k, largest=False).indices.tolist()",
        ],
    ),
    Row(
        "move_embeddings",
        wrong=[
            Wrong(move(kept="old[i]", fresh="old[pieces[i][0]]"), "row i of the old table belongs to another token"),
            Wrong(move(fresh="old[pieces[i]].sum(dim=0)"), "a new token gets the sum of its pieces"),
            Wrong(move(fresh="old[pieces[i][0]]"), "only its first piece's row"),
            Wrong(move(fresh="old[pieces[i][-1]]"), "only its last piece's row"),
            Wrong(move(fresh="torch.zeros_like(old[0])"), "a new token gets zeros"),
            Wrong(move(kept="old[pieces[i]].mean(dim=0)"), "keeps its own row, even where"),
            Wrong(move(last="rows"), "The kind of the result is wrong"),
            Wrong(move(fresh="old[pieces[i]].mean()"), "`.mean()` without dim=0"),
            Wrong(written(fresh="old[pieces[i]].mean()"), "`.mean()` without dim=0"),
            Wrong(written(kept="old_ids[token]"), "this writes the id itself into the row"),
            Wrong(written(test="old_ids.get(token)"), "id 0 counts as False"),
            Wrong(written(test="token in old_ids and i < len(old)"), "there may be more new tokens than old rows"),
            Wrong(written(new="old[:len(new_tokens)].clone()"), "there may be more new tokens than old rows"),
            Wrong(written(kept="old[i]", fresh="old[pieces[i]].sum(dim=0)"), "It stops with an error when called as"),
        ],
        right=[
            "def move_embeddings(old, old_ids, new_tokens, pieces):\n"
            "    out = old.new_empty(len(new_tokens), old.shape[1])\n"
            "    for i, (token, parts) in enumerate(zip(new_tokens, pieces)):\n"
            "        ids = [old_ids[token]] if token in old_ids else parts\n"
            "        out[i] = old[ids].sum(0) / len(ids)\n    return out",
            "def move_embeddings(old, old_ids, new_tokens, pieces):\n    import torch\n"
            "    ids = [[old_ids[t]] if t in old_ids else p for t, p in zip(new_tokens, pieces)]\n"
            "    return torch.stack([old[i].mean(0) for i in ids])",
        ],
    ),
]
