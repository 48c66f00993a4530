"""The loop around a model: each token that it chooses becomes part of what it reads next."""

import numpy as np

MINUTES, DOTS = 5, 2
PROVES = "the best token is appended and read again, until the end token or the limit"


def write_reply(logits_of, ids, end, limit):
    written = []
    while len(written) < limit:
        logits = logits_of(ids + written)
        token = int(logits.argmax())
        written.append(token)
        if token == end:
            break
    return written


HINTS = """
What does the model have to read to choose the second token, besides the prompt?
Keep a list `written`. Each time around, call `logits_of(ids + written)`, take the place of the largest score with
    `int(logits.argmax())` and append it.
Loop `while len(written) < limit`; after appending, `break` if the token equals `end`; at the end, return `written`.
"""
SLIPS = """
logits_of(ids + written) => logits_of(ids)
    the model reads the prompt alone each time, so it chooses the same token again: give it `ids + written`.
logits_of(ids + written) => logits_of(written or ids)
    after the first token, the model no longer reads the prompt: give it `ids + written`.
logits_of(ids + written) => logits_of((ids + written)[-1:])
    the model reads the last token alone: give it the whole text so far.
len(written) < limit => len(written) < limit - 1
    the loop stops one token before the limit.
len(written) < limit => len(written) <= limit
    the loop writes one token more than the limit.
len(written) < limit => len(ids + written) < limit
    the limit counts new tokens; yours counts the prompt, too.
return written => return ids + written
    return the new tokens alone, without the prompt.
return written => return written[:-1]
    the last token is missing; the end token is part of the reply.
```
        written.append(token)
        if token == end:
            break
=>
        if token == end:
            break
        written.append(token)
```
    the end token is missing: append it, then stop.
```
        if token == end:
            break
=>
        if False:
            break
```
    the loop never stops at the end token.
argmax() => argmin()
    you take the token with the lowest score.
int(logits.argmax()) => float(logits.max())
    this is the score itself; `argmax` gives its place, which is the token.
```
        written.append(token)
=>
        written.append(token)
        ids.append(token)
```
    you append to `ids`, which belongs to the caller: build a new list, `ids + written`.
"""


def whole_numbers(result, *_):
    return all(isinstance(token, int | np.integer) for token in result["reply"])


PROPERTIES = [("tokens are whole numbers", whole_numbers, "`argmax` gives a tensor: make it a number with `int`.")]


def drive(answer, table, ids, end, limit):
    """The reply of a small model that scores by the sum of what it reads, and the prompt as it was left."""
    ids = list(ids)

    def logits_of(read):
        return np.asarray(table)[(3 * sum(read) + read[-1] + len(read)) % len(table)]

    return {"reply": answer(logits_of, ids, end, limit), "ids afterwards": ids}


def shown(table, ids, end, limit):
    return f"write_reply(logits_of, {list(ids)}, end={end}, limit={limit})"


def cases(rng):
    drawn = [([4, 1], 8, 6), ([7], 3, 1), ([2, 5, 3], 0, 10), ([6, 6], 8, 12)]
    drawn += [(rng.integers(0, 9, size=3).tolist(), int(rng.integers(0, 9)), 9) for _ in range(8)]
    return [(rng.normal(size=(11, 9)), ids, end, limit) for ids, end, limit in drawn]
