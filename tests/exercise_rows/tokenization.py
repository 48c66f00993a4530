"""Answers to the exercises of 01_tokenization."""

from tests.exercise_rows import Row, Wrong


def count(line: str, loop: str = "for pair in zip(word, word[1:]):") -> str:
    return f"""
def count_pairs(words):
    from collections import Counter
    counts = Counter()
    for word, times in words.items():
        {loop}
            {line}
    return dict(counts)
"""


def merge(body: str) -> str:
    return "def merge_pair(symbols, pair):\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())


def encode(body: str) -> str:
    helper = """
    def merge_pair(symbols, pair):
        out = []
        for symbol in symbols:
            if out and (out[-1], symbol) == pair and not fresh:
                out[-1] += symbol
                fresh = True
            else:
                out.append(symbol)
                fresh = False
        return tuple(out)
""".replace("        out = []\n", "        out, fresh = [], False\n")
    return "def encode_word(symbols, ranks):" + helper + "".join(f"    {line}\n" for line in body.strip().splitlines())


def rate(expression: str) -> str:
    return f"def bytes_per_token(texts, encode):\n    return {expression}\n"


def choose(
    limit: str = "stdev(measured[best]) / len(measured[best]) ** 0.5", last: str = "min(good)", key: str = "mean"
) -> str:
    return f"""
def choose_vocab_size(measured):
    from statistics import mean, pstdev, stdev
    best = min(measured, key=lambda size: {key}(measured[size]))
    limit = mean(measured[best]) + {limit}
    good = [size for size in measured if mean(measured[size]) <= limit]
    return {last}
"""


def decode(expression: str) -> str:
    return f"def decode_tokens(ids, tokens):\n    return {expression}\n"


MERGE_LOOP = """
merged, i = [], 0
while i < len(symbols):
    if symbols[i:i + 2] == pair:
        merged.append("".join(pair))
        i += {step}
    else:
        merged.append(symbols[i])
        i += 1
return {last}
"""

ROWS = [
    Row(
        "count_pairs",
        wrong=[
            Wrong(count("counts[pair] += 1"), "each distinct word counts once"),
            Wrong(count("counts[pair] += times", "for pair in set(zip(word, word[1:])):"), "stands twice in a word"),
            Wrong(count("counts[pair] += times", "for pair in zip(word[::2], word[1::2]):"), "pairs overlap"),
            Wrong(count("counts[tuple(sorted(pair))] += times"), "keep the order"),
            Wrong(count("counts[pair] += times", "for pair in word:"), "you count single symbols"),
            Wrong(count("counts[''.join(pair)] += times"), "a key is a tuple of two symbols"),
            Wrong(count("counts[pair] = times"), "is overwritten by the next word"),
            Wrong(
                "def count_pairs(words):\n    return [pair for word in words for pair in zip(word, word[1:])]\n",
                "The kind of the result is wrong",
            ),
            Wrong(
                count("counts[pair] += times", "for pair in list(zip(word, word[1:]))[:-1]:"), "the last pair of each"
            ),
            Wrong(
                count("counts[pair] += times", "for pair in __import__('itertools').combinations(word, 2):"),
                "you pair every two symbols of a word",
            ),
            Wrong(
                count("counts[pair] += times", "for pair in zip(''.join(word), ''.join(word)[1:]):"),
                "a symbol may hold several letters",
            ),
            Wrong(
                "def count_pairs(words):\n    counts = {}\n    for word, times in words.items():\n"
                "        for pair in zip(word, word[1:]):\n            counts[pair] = counts.get(pair, 0) + times\n"
                "        return counts\n",
                "`return` stands inside the loop",
            ),
            Wrong(
                "def count_pairs(words):\n    row = [s for word, n in words.items() for _ in range(n) for s in word]\n"
                "    counts = {}\n    for pair in zip(row, row[1:]):\n"
                "        counts[pair] = counts.get(pair, 0) + 1\n    return counts\n",
                "a pair spans two words",
            ),
        ],
        right=[
            count("counts[pair] += times"),
            """
def count_pairs(words):
    counts = {}
    for word in words:
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            counts[pair] = counts.get(pair, 0) + words[word]
    return counts
""",
        ],
    ),
    Row(
        "merge_pair",
        wrong=[
            Wrong(
                merge(MERGE_LOOP.format(step=1, last="tuple(merged)")),
                "the second symbol of the pair is copied as well",
            ),
            Wrong(merge(MERGE_LOOP.format(step=2, last="merged")), "The kind of the result is wrong"),
            Wrong(
                merge("""
for i in range(len(symbols) - 1):
    if symbols[i:i + 2] == pair:
        return symbols[:i] + ("".join(pair),) + symbols[i + 2:]
return symbols
"""),
                "only the first occurrence is merged",
            ),
            Wrong(
                merge("""
if not symbols:
    return ()
return tuple(" ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" "))
"""),
                "you replace in the joined text",
            ),
            Wrong(
                merge("""
out = []
for symbol in reversed(symbols):
    if out and (symbol, out[-1]) == pair:
        out[-1] = symbol + out[-1]
    else:
        out.append(symbol)
return tuple(reversed(out))
"""),
                "you merge from the right",
            ),
            Wrong(merge("return symbols"), "nothing is merged"),
            Wrong(
                merge(MERGE_LOOP.format(step=2, last="tuple(merged)").replace("len(symbols)", "len(symbols) - 1")),
                "the last symbol is lost",
            ),
            Wrong(
                merge("""
whole, merged, i = "".join(pair), [], 0
while i < len(symbols):
    if "".join(symbols[i:i + 2]) == whole:
        merged.append(whole)
        i += 2
    else:
        merged.append(symbols[i])
        i += 1
return tuple(merged)
"""),
                "is another pair",
            ),
        ],
        right=[
            merge(MERGE_LOOP.format(step=2, last="tuple(merged)")),
            merge("""
if len(symbols) < 2:
    return symbols
if symbols[:2] == pair:
    return (pair[0] + pair[1],) + merge_pair(symbols[2:], pair)
return symbols[:1] + merge_pair(symbols[1:], pair)
"""),
        ],
    ),
    Row(
        "encode_word",
        wrong=[
            Wrong(
                encode("""
while True:
    ranked = [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]
    if not ranked:
        return symbols
    symbols = merge_pair(symbols, max(ranked, key=ranks.get))
"""),
                "lower means earlier",
            ),
            Wrong(
                encode("""
i = 0
while i < len(symbols) - 1:
    if symbols[i:i + 2] in ranks:
        symbols = symbols[:i] + (symbols[i] + symbols[i + 1],) + symbols[i + 2:]
        i = 0
    else:
        i += 1
return symbols
"""),
                "you merge the leftmost pair that has a rank",
            ),
            Wrong(
                encode("""
ranked = [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]
return merge_pair(symbols, min(ranked, key=ranks.get)) if ranked else symbols
"""),
                "you stop after one merge",
            ),
            Wrong(
                encode("""
known, text, out = {a + b for a, b in ranks}, "".join(symbols), []
while text:
    n = max((n for n in range(2, len(text) + 1) if text[:n] in known), default=1)
    out.append(text[:n])
    text = text[n:]
return tuple(out)
"""),
                "you take the longest known token from the left",
            ),
            Wrong(
                encode("""
for pair in ranks:
    merge_pair(symbols, pair)
return symbols
"""),
                "keep what `merge_pair` returns",
            ),
            Wrong(
                encode("""
while len(symbols) > 1:
    best = min(zip(symbols, symbols[1:]), key=lambda pair: ranks.get(pair, 0))
    if best not in ranks:
        break
    symbols = merge_pair(symbols, best)
return symbols
"""),
                "it needs a rank of infinity",
            ),
            Wrong(
                encode("""
while len(symbols) > 1:
    best = min(zip(symbols, symbols[1:]), key=lambda pair: ranks.get(pair, 100))
    if best not in ranks:
        break
    symbols = merge_pair(symbols, best)
return symbols
"""),
                "The shape of the result is wrong",
            ),
            Wrong(
                encode("""
spelled = {a + b: rank for (a, b), rank in ranks.items()}
while True:
    ranked = [(spelled[a + b], (a, b)) for a, b in zip(symbols, symbols[1:]) if a + b in spelled]
    if not ranked:
        return symbols
    symbols = merge_pair(symbols, min(ranked)[1])
"""),
                "a rank belongs to a pair of symbols",
            ),
            Wrong(
                encode("""
for pair in ranks:
    symbols = merge_pair(symbols, pair)
return symbols
"""),
                "the numbers in it decide",
            ),
            Wrong(
                encode("""
while True:
    best, at = None, None
    for i, pair in enumerate(zip(symbols, symbols[1:])):
        if pair in ranks and (best is None or ranks[pair] <= best):
            best, at = ranks[pair], i
    if at is None:
        return symbols
    symbols = symbols[:at] + (symbols[at] + symbols[at + 1],) + symbols[at + 2:]
"""),
                "the leftmost goes first",
            ),
            Wrong(
                encode(
                    """
while ranked := [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]:
    symbols = merge_pair(symbols, min(ranked))
return symbols
"""
                ),
                "you take the first pair by the alphabet",
            ),
            Wrong(
                encode(
                    """
while ranked := [pair for pair in zip(symbols, symbols[1:]) if ranks.get(pair)]:
    symbols = merge_pair(symbols, min(ranked, key=ranks.get))
return symbols
"""
                ),
                "0 is false; ask for `in ranks`",
            ),
        ],
        right=[
            encode("""
while True:
    ranked = [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]
    if not ranked:
        return symbols
    symbols = merge_pair(symbols, min(ranked, key=ranks.get))
"""),
            encode("""
for pair in sorted(ranks, key=ranks.get):
    symbols = merge_pair(symbols, pair)
return symbols
"""),
        ],
    ),
    Row(
        "bytes_per_token",
        wrong=[
            Wrong(rate("sum(len(t) for t in texts) / sum(len(encode(t)) for t in texts)"), "you count characters"),
            Wrong(rate("sum(len(encode(t)) for t in texts) / sum(len(t.encode()) for t in texts)"), "turn it around"),
            Wrong(
                "def bytes_per_token(texts, encode):\n"
                "    rates = [len(t.encode()) / len(encode(t)) for t in texts if encode(t)]\n"
                "    return sum(rates) / len(rates)\n",
                "you average the texts' rates",
            ),
            Wrong(
                rate("sum(len(t.encode()) for t in set(texts)) / sum(len(encode(t)) for t in set(texts))"), "is wrong"
            ),
            Wrong(
                rate("sum(len(t.strip().encode()) for t in texts) / sum(len(encode(t.strip())) for t in texts)"),
                "is wrong",
            ),
            Wrong(rate("sum(len(t.encode()) for t in texts) / sum(len(encode(t.lower())) for t in texts)"), "is wrong"),
            Wrong(rate("len(' '.join(texts).encode()) / len(encode(' '.join(texts)))"), "encode each by itself"),
            Wrong(rate("len(''.join(texts).encode()) / len(encode(''.join(texts)))"), "encode each by itself"),
            Wrong(
                rate("sum(len(t.encode()) / len(encode(t)) for t in texts) / len(texts)"),
                "you average the texts' rates",
            ),
            Wrong(rate("sum(len(t.encode()) for t in texts) / len(texts)"), "you divide by the number of texts"),
            Wrong(
                rate("float(sum(len(t.encode()) for t in texts) // sum(len(encode(t)) for t in texts))"),
                "`//` drops the fraction",
            ),
        ],
        right=[
            rate("sum(len(t.encode('utf-8')) for t in texts) / sum(len(encode(t)) for t in texts)"),
            "def bytes_per_token(texts, encode):\n    size = len(''.join(texts).encode())\n"
            "    return size / len([i for t in texts for i in encode(t)])\n",
        ],
    ),
    Row(
        "choose_vocab_size",
        wrong=[
            Wrong(choose(last="best"), "you take the lowest mean"),
            Wrong(choose("stdev(measured[best])"), "divide it by √n"),
            Wrong(choose("stdev(measured[best]) / len(measured[best])"), "the standard error divides by √n"),
            Wrong(choose("pstdev(measured[best]) / len(measured[best]) ** 0.5"), "use `stdev`, for samples"),
            Wrong(choose("2 * stdev(measured[best]) / len(measured[best]) ** 0.5"), "you allow two standard errors"),
            Wrong(choose("stdev(measured[best]) / (len(measured[best]) - 1) ** 0.5"), "you divide by √(n − 1)"),
            Wrong(choose("stdev(measured[best]) ** 2"), "you add the variance"),
            Wrong(
                """
def choose_vocab_size(measured):
    from statistics import mean, stdev
    best = min(measured, key=lambda size: mean(measured[size]))
    error = lambda size: stdev(measured[size]) / len(measured[size]) ** 0.5
    return min(s for s in measured if mean(measured[s]) - error(s) <= mean(measured[best]) + error(best))
""",
                "The result is wrong",
            ),
            Wrong(
                choose(last="min([size for size in measured if mean(measured[size]) < limit] or [best])"), "is wrong"
            ),
            Wrong(
                choose(last="min(s for s in measured if round(mean(measured[s]), 2) <= round(limit, 2))"), "is wrong"
            ),
            Wrong(choose(last="max(good)"), "you take the largest size"),
            Wrong(choose(last="good[0]"), "they come in any order"),
            Wrong(choose(limit="0", key="min", last="best"), "you compare single losses"),
        ],
        right=[
            choose(),
            """
def choose_vocab_size(measured):
    import numpy as np
    means = {size: np.mean(losses) for size, losses in measured.items()}
    losses = measured[min(means, key=means.get)]
    error = np.std(losses, ddof=1) / np.sqrt(len(losses))
    for size in sorted(measured):
        if means[size] <= min(means.values()) + error:
            return size
""",
        ],
    ),
    Row(
        "decode_tokens",
        wrong=[
            Wrong(decode("''.join(tokens[i].decode('utf-8', 'ignore') for i in ids)"), "half characters vanish"),
            Wrong(decode("b''.join(tokens[i] for i in ids).decode('utf-8', 'ignore')"), "vanish without a trace"),
            Wrong(decode("b''.join(tokens[i] for i in ids).decode('latin-1')"), "the bytes are UTF-8"),
            Wrong(decode("b''.join(tokens[i] for i in ids).decode()"), "It stops with an error"),
            Wrong(decode("b''.join(tokens[i] for i in ids).decode('utf-8', 'replace').strip()"), "is wrong"),
            Wrong(
                "def decode_tokens(ids, tokens):\n    import unicodedata\n"
                "    text = b''.join(tokens[i] for i in ids).decode('utf-8', 'replace')\n"
                "    return unicodedata.normalize('NFC', text)\n",
                "is wrong",
            ),
            Wrong(
                "def decode_tokens(ids, tokens):\n    import re\n"
                "    text = b''.join(tokens[i] for i in ids).decode('utf-8', 'replace')\n"
                "    return re.sub('\\ufffd+', '\\ufffd', text)\n",
                "is wrong",
            ),
            Wrong(decode("b''.join(tokens[i] for i in ids)"), "The kind of the result is wrong"),
        ],
        right=[
            decode("b''.join(map(tokens.__getitem__, ids)).decode('utf-8', errors='replace')"),
            """
def decode_tokens(ids, tokens):
    data = bytearray()
    for i in ids:
        data += tokens[i]
    return str(bytes(data), "utf-8", "replace")
""",
        ],
    ),
]
