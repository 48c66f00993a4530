"""Right answers that are written differently."""

generate = """
```
def generate(read, ids, choose, ends, limit):
    text, logits = list(ids), read(ids)
    for n in range(limit):
        text.append(choose(logits, text))
        if text[-1] in ends:
            return text[len(ids) :], "stop"
        if n < limit - 1:
            logits = read(text[-1:])
    return text[len(ids) :], "length"
```
"""
top_p = """
```
def top_p(logits, p):
    rising, order = logits.sort(-1)
    tail = rising.softmax(-1).cumsum(-1) <= 1 - p
    tail[..., -1] = False
    return logits.masked_fill(torch.zeros_like(tail).scatter(-1, order, tail), -torch.inf)
```
"""
