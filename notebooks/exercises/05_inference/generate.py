"""The loop that every generation runs: read, choose, append, until an end token or the limit, and say which it was."""

import numpy as np

MINUTES, DOTS = 8, 2
PROVES = "each token is read once, any end token ends the reply, and the reason is right"


def generate(read, ids, choose, ends, limit):
    written, unread = [], ids
    while len(written) < limit:
        token = choose(read(unread), ids + written)
        written.append(token)
        if token in ends:
            return written, "end"
        unread = [token]
    return written, "length"


HINTS = """
`read` remembers. What do you give it before the first choice, and what before each later one?
First the prompt, later the one token that it has not read yet. Nothing is chosen after the last, so it stays unread.
`choose` gets the logits and `ids + written`. Return from inside the loop with "end"; whoever leaves the loop by its
    condition has reached the limit.
"""
SLIPS = """
unread = [token] => unread = ids + written
    `read` remembers what it has read; you give it the prompt again, so it stands there twice: give it `[token]`.
unread = [token] => unread = written
    `read` remembers what it has read; you give it earlier tokens again: give it only the new one, `[token]`.
ids + written) => written)
    `choose` needs the whole text: `ids + written`, not the new tokens alone.
ids + written) => ids)
    `choose` needs the whole text: `ids + written`, not the prompt alone.
choose(read(unread), ids + written) => int(read(unread).argmax())
    you take the best token yourself; let `choose` decide.
len(written) < limit => len(written) <= limit
    the loop writes one token more than the limit.
len(written) < limit => len(written) < limit - 1
    the loop stops one token before the limit.
len(written) < limit => len(ids + written) < limit
    the limit counts new tokens; yours counts the prompt, too.
return written, "length" => return ids + written, "length"
    return the new tokens alone, without the prompt.
return written, "length" => return written, "end"
    a reply that the limit has cut off ends by "length".
token in ends => token == min(ends)
    you look for one end token; there may be several: `token in ends`.
return written, "length" => read(unread); return written, "length"
    you read the token at the limit, after which nothing is chosen: read only before a choice.
written, "end" => written[:-1], "end" && return written, "length" => read(unread); return written, "length"
    the end token is part of the reply. And you read the token at the limit: read only before a choice.
unread = [token] => unread = []
    the new token is never read, so the same logits come each time.
```
        written.append(token)
        if token in ends:
            return written, "end"
=>
        if token in ends:
            return written, "end"
        written.append(token)
```
    the end token is part of the reply: append it, then stop.
return written, "end" => break
    both ways out of the loop give "length": an end token is an "end".
token in ends => token in ends and len(written) < limit
    an end token that comes as the last one allowed is an "end", too.
```
        written.append(token)
=>
        written.append(token)
        ids.append(token)
```
    you append to `ids`, which belongs to the caller: build a new list, `ids + written`.
"""
REFUSED = """
return written, "length" => return written
    First difference at ['ending']
"""


def drive(answer, table, ids, ends, limit):
    """Reply, ending, prompt as it was left and number of tokens read, with a model that remembers what it has read."""
    ids, seen = list(ids), []

    def read(tokens):
        seen.extend(int(token) for token in tokens)
        return np.asarray(table)[(3 * sum(seen) + seen[-1] + len(seen)) % len(table)]

    def choose(logits, text):
        said = np.bincount(text, minlength=len(logits))
        return int((logits - 0.7 * said).argmax())

    result = answer(read, ids, choose, set(ends), limit)
    reply, ending = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    return {"reply": reply, "ending": ending, "ids afterwards": ids, "tokens read": len(seen)}


def shown(table, ids, ends, limit):
    return f"generate(read, {list(ids)}, choose, ends={set(ends)}, limit={limit})"


def cases(rng):
    drawn = [([4, 1], {8}, 6), ([7], {3, 5}, 1), ([2, 5, 3], {0, 1}, 10), ([6, 6], {8, 2}, 12)]
    drawn += [([3, 1], set(range(9)), 1)]  # an end token as the last one allowed
    for limit in (9, 9, 5, 3, 2, 2, 1, 1):
        drawn += [(rng.integers(0, 9, size=3).tolist(), set(rng.integers(0, 9, size=2).tolist()), limit)]
    return [(rng.normal(size=(11, 9)), *case) for case in drawn]
