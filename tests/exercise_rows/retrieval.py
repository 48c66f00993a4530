"""Answers to the exercises of 10_rag."""

from tests.exercise_rows import Row, Wrong


def rank(out: str = "1 / rank", behind: str = "return 0.0", start: str = "1", test: str = "item in relevant") -> str:
    return f"""
def reciprocal_rank(ranked, relevant):
    for rank, item in enumerate(ranked, start={start}):
        if {test}:
            return {out}
    {behind}
"""


def pack(
    grow: str = "sum(lengths[first : last + 1]) <= size",
    shares: str = "sum(lengths[back - 1 : last]) <= overlap",
    room: str = "sum(lengths[back - 1 : last + 1]) <= size",
    pair: str = "(first, last)",
    out: str = "windows",
    following: str = "back",
    stop: str = "last == n",
) -> str:
    return f"""
def pack_sentences(lengths, size, overlap):
    windows, first, n = [], 0, len(lengths)
    while first < n:
        last = first + 1
        while last < n and {grow}:
            last += 1
        windows.append({pair})
        if {stop}:
            break
        back = last
        while back - 1 > first and {shares} and {room}:
            back -= 1
        first = {following}
    return {out}
"""


def top(
    rows: str = "vectors / np.linalg.norm(vectors, axis=1, keepdims=True)",
    one: str = "query / np.linalg.norm(query)",
    best: str = "np.argsort(-near, kind='stable')[:k]",
    out: str = "best, near[best]",
) -> str:
    return f"""
def cosine_top_k(query, vectors, k):
    import numpy as np
    near = ({rows}) @ ({one})
    best = {best}
    return {out}
"""


def fuse(
    start: str = "1",
    worth: str = "weight / (c + rank)",
    add: str = "scores[item] = scores.get(item, 0.0) + {worth}",
    skip: str = "weight == 0",
    out: str = "sorted(scores.items(), key=lambda pair: pair[1], reverse=True)",
    weights: str = "[1] * len(rankings) if weights is None else weights",
) -> str:
    return f"""
def reciprocal_rank_fusion(rankings, weights=None, c=60):
    scores = {{}}
    for ranking, weight in zip(rankings, {weights}):
        if {skip}:
            continue
        for rank, item in enumerate(ranking, start={start}):
            {add.format(worth=worth)}
    return {out}
"""


ROWS = [
    Row(
        "reciprocal_rank",
        wrong=[
            Wrong(rank(start="0"), "your ranks begin with 0"),
            Wrong(rank(out="1 / (rank + 1)"), "one too many"),
            Wrong(rank(out="rank"), "this is the rank; give 1 / rank"),
            Wrong(rank(behind="return 1.0"), "nothing found is worth 0, not 1"),
            Wrong(rank(behind="return -1"), "not −1"),
            Wrong(rank(behind="pass"), "It returns None for"),
            Wrong(rank(behind="raise ValueError('not found')"), "It stops with an error"),
            Wrong(rank(out="1 / rank if rank == 1 else 0.0"), "you look at the first place only"),
            Wrong(
                "def reciprocal_rank(ranked, relevant):\n"
                "    return sum(1 / r for r, item in enumerate(ranked, 1) if item in relevant) / len(relevant)\n",
                "only the first relevant one counts",
            ),
            Wrong(
                "def reciprocal_rank(ranked, relevant):\n"
                "    ranks = [r for r, item in enumerate(ranked, 1) if item in relevant]\n"
                "    return 1 / max(ranks) if ranks else 0.0\n",
                "not the last",
            ),
        ],
        right=[
            rank(),
            "def reciprocal_rank(ranked, relevant):\n"
            "    return max((1 / r for r, item in enumerate(ranked, 1) if item in relevant), default=0.0)\n",
            "def reciprocal_rank(ranked, relevant):\n"
            "    places = [ranked.index(item) for item in relevant if item in ranked]\n"
            "    return 1 / (1 + min(places)) if places else 0\n",
        ],
    ),
    Row(
        "pack_sentences",
        wrong=[
            Wrong(pack(shares="False"), "windows share nothing"),
            Wrong(pack(shares="sum(lengths[back - 1 : last]) < overlap"), "sentences of exactly `overlap` tokens"),
            Wrong(pack(shares="last - back < overlap"), "`overlap` counts tokens, not sentences"),
            Wrong(pack(shares="sum(lengths[back:last]) < overlap"), "it is the most, not the least"),
            Wrong(pack(room="True"), "a window says nothing new: share less"),
            Wrong(pack(grow="sum(lengths[first : last + 1]) < size"), "a window of exactly `size` tokens is allowed"),
            Wrong(pack(pair="(first, last - 1)"), "the first sentence that is *not* in the window"),
            Wrong(pack(pair="list(range(first, last))"), "give each window as the pair"),
            Wrong(pack(stop="first == n - 1", following="max(back, first + 1)"), "another one says nothing new"),
            Wrong(pack(following="back + 1"), "a sentence is skipped between windows"),
            Wrong(pack(out="windows[:-1]"), "the last window is lost"),
            Wrong(pack(grow="sum(lengths[first:last]) <= size"), "one sentence too long"),
            Wrong(
                """
def pack_sentences(lengths, size, overlap):
    first, windows, total = 0, [], 0
    for i, length in enumerate(lengths):
        if total + length > size:
            windows.append((first, i))
            first, total = i, 0
        total += length
    return windows
""",
                "windows share nothing, and the last one",
            ),
            Wrong(
                """
def pack_sentences(lengths, size, overlap):
    first, windows, total = 0, [], 0
    for i, length in enumerate(lengths):
        if total + length > size:
            windows.append((first, i))
            first, total = i, 0
        total += length
    return windows + [(first, len(lengths))]
""",
                "windows share nothing: step back",
            ),
            Wrong(
                """
def pack_sentences(lengths, size, overlap):
    return [(i, i + 1) for i in range(len(lengths))]
""",
                "Expected 3 items, yours has 4",
            ),
        ],
        right=[
            pack(),
            pack().replace("back - 1 > first and ", ""),
            """
def pack_sentences(lengths, size, overlap):
    starts, windows = [0], []
    while lengths:
        first = starts[-1]
        fitting = [e for e in range(first + 1, len(lengths) + 1) if e == first + 1 or sum(lengths[first:e]) <= size]
        end = max(fitting)
        windows.append((first, end))
        if end >= len(lengths):
            return windows
        starts.append(
            min(
                b
                for b in range(first + 1, end + 1)
                if b == end or (sum(lengths[b:end]) <= overlap and sum(lengths[b : end + 1]) <= size)
            )
        )
    return windows
""",
        ],
    ),
    Row(
        "cosine_top_k",
        wrong=[
            Wrong(top(rows="vectors", one="query"), "long vectors win"),
            Wrong(top(rows="vectors"), "long vectors win"),
            Wrong(top(one="query"), "the query still has its own length"),
            Wrong(top(one="query * np.linalg.norm(query)"), "a / (b · c) needs its parentheses"),
            Wrong(top(rows="vectors / np.linalg.norm(vectors)"), "`axis=1` is missing"),
            Wrong(top(rows="vectors / np.linalg.norm(vectors, axis=0)"), "you divide column by column"),
            Wrong(top(rows="vectors / np.abs(vectors).sum(1, keepdims=True)"), "the root of the sum of squares"),
            Wrong(top(rows="vectors / np.linalg.norm(vectors, axis=1)"), "It stops with an error"),
            Wrong(top(best="np.argsort(near)[:k]"), "these are the farthest"),
            Wrong(top(best="np.argsort(near, kind='stable')[::-1][:k]"), "turns equals around"),
            Wrong(top(best="np.argsort(near, kind='stable')[-k:][::-1]"), "turns equals around"),
            Wrong(top(best="np.argsort(near)[::-1][:k]"), "turns equals around"),
            Wrong(top(best="np.argsort(-near)[:k]"), '`kind="stable"` keeps it'),
            Wrong(top(best="np.argsort(near, kind='stable')[-k:]"), "First difference"),
            Wrong(top(best="np.sort(np.argsort(-near, kind='stable')[:k])"), "the best one comes first"),
            Wrong(top(best="np.argpartition(-near, k - 1)[:k]"), "It stops with an error"),
            Wrong(top(out="near[best], best"), "rows come first"),
            Wrong(top(out="best"), "Expected a tuple"),
            Wrong(top(out="best, near"), "the cosines of these rows only"),
            Wrong(top(out="best.tolist(), near[best].tolist()"), "Expected"),
            Wrong(top(one="(query / np.linalg.norm(query)).astype(np.float64)"), "Expected float32 at [1], yours is"),
            Wrong(
                top(
                    best="np.argsort(np.linalg.norm(vectors - query, axis=1), kind='stable')[:k]",
                ),
                "here the smallest *angle*",
            ),
        ],
        right=[
            top(),
            """
def cosine_top_k(query, vectors, k):
    import numpy as np
    near = vectors @ query / (np.sqrt((vectors**2).sum(axis=1)) * np.sqrt((query**2).sum()))
    rows = sorted(range(len(near)), key=lambda row: -near[row])[:k]
    return np.array(rows), near[rows]
""",
            top(
                rows="(vectors.T / np.linalg.norm(vectors, axis=1)).T",
                best="np.lexsort((np.arange(len(near)), -near))[: min(k, len(near))]",
            ),
        ],
    ),
    Row(
        "reciprocal_rank_fusion",
        wrong=[
            Wrong(fuse(start="0"), "your ranks begin with 0"),
            Wrong(fuse(worth="1 / (c + rank)"), "a weight counts only as 0 or not 0"),
            Wrong(fuse(worth="1 / (c + rank)", skip="False"), "the weights are not used"),
            Wrong(fuse(worth="weight / (60 + rank)"), "c is fixed as 60"),
            Wrong(fuse(worth="weight / rank"), "c is left out"),
            Wrong(fuse(worth="1 / (c + weight * rank)"), "not the rank"),
            Wrong(fuse(worth="weight * rank"), "this adds ranks"),
            Wrong(fuse(add="scores[item] = {worth}"), "overwrites the others"),
            Wrong(fuse(add="scores[item] = max(scores.get(item, 0.0), {worth})"), "only an item's best rank counts"),
            Wrong(fuse(out="sorted(scores.items(), key=lambda pair: pair[1])"), "the worst comes first"),
            Wrong(fuse(out="list(scores.items())"), "not sorted by score"),
            Wrong(fuse(out="sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))"), "not by its name"),
            Wrong(fuse(skip="False"), "still brings in items"),
            Wrong(
                fuse(out="[(i, s / (len(rankings) or 1)) for i, s in sorted(scores.items(), key=lambda p: -p[1])]"),
                "this is the mean",
            ),
            Wrong(fuse(out="sorted(scores, key=scores.get, reverse=True)"), "together with its score"),
            Wrong(fuse(out="scores"), "Expected a list"),
            Wrong(fuse(weights="weights"), "It stops with an error"),
            Wrong(
                fuse(
                    out="sorted(((i, s) for i, s in scores.items() if all(i in r for r in rankings)), "
                    "key=lambda p: -p[1])"
                ),
                "an item that only one ranking has counts, too",
            ),
        ],
        right=[
            fuse(),
            """
def reciprocal_rank_fusion(rankings, weights=None, c=60):
    weights = weights or [1.0] * len(rankings)
    pairs = [(ranking, weight) for ranking, weight in zip(rankings, weights) if weight > 0]
    items = list(dict.fromkeys(item for ranking, _ in pairs for item in ranking))
    total = lambda item: sum(w / (c + 1 + r.index(item)) for r, w in pairs if item in r)
    found = [(item, total(item)) for item in items]
    found.sort(key=lambda pair: -pair[1])
    return found
""",
        ],
    ),
]
