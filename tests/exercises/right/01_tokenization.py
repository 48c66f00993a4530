"""Right answers that are written differently."""

train_bpe = """
```
def train_bpe(words, n_merges):
    rows, merges = [[list(word), times] for word, times in words.items()], []
    while len(merges) < n_merges:
        counts = {}
        for symbols, times in rows:
            for i in range(len(symbols) - 1):
                pair = symbols[i], symbols[i + 1]
                counts[pair] = counts.get(pair, 0) + times
        if counts == {}:
            return merges
        most = max(counts.values())
        best = sorted(pair for pair in counts if counts[pair] == most)[0]
        merges.append(best)
        rows = [[list(merge_pair(tuple(symbols), best)), times] for symbols, times in rows]
    return merges
```
"""
encode_chat = """
```
def encode_chat(chat, encode, start, end):
    ids = []
    for role, content in [(m["role"], m["content"]) for m in chat]:
        ids.append(start)
        ids.extend(encode(role + "\\n" + content))
        ids.append(end)
        ids.extend(encode("\\n"))
    ids.append(start)
    ids.extend(encode("assistant\\n"))
    return ids
```
"""
