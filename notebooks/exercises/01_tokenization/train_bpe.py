"""Training byte-pair encoding: which pairs of neighbors become one symbol, and in which order?"""

from collections import Counter

MINUTES, DOTS = 10, 2
PROVES = "words count as often as they occur, and each count sees the merges before it"


def merge_pair(symbols, pair):
    """As in the lesson."""
    merged = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return tuple(merged)


def train_bpe(words, n_merges):
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        for symbols, times in words.items():
            for pair in zip(symbols, symbols[1:]):
                counts[pair] += times
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        words = {merge_pair(symbols, best): times for symbols, times in words.items()}
    return merges


HINTS = """
What changes in the words after a merge, and what must therefore be counted again?
One round: count the pairs of all words, choose one, keep it, and make new words with `merge_pair`. A word of n symbols
    has n - 1 pairs: `zip(symbols, symbols[1:])`.
Add the word's number to the count of each of its pairs. Which count is the largest, and which pairs have it? Of these,
    the alphabet decides. A round without any pair is no round.
"""
SLIPS = """
counts[pair] += times => counts[pair] += 1
    each distinct word counts once in yours; the text has it `times` times.
counts[pair] += times => counts[pair] = times
    a pair's count is overwritten by the next word that has it: add to it.
(-counts[pair], pair) => -counts[pair]
    of equally frequent pairs, the first in the alphabet goes first.
min(counts, key=lambda pair: (-counts[pair], pair)) => max(counts, key=lambda pair: (counts[pair], pair))
    of equally frequent pairs yours takes the last in the alphabet: the first goes first.
min(counts, key=lambda pair: (-counts[pair], pair)) => min(counts, key=lambda pair: (counts[pair], pair))
    you merge the rarest pair; the most frequent one goes first.
if not counts: => if False: && min(counts, key=lambda pair: (-counts[pair], pair)) => counts.most_common(1)[0][0]
    of equals, `most_common` takes the one counted first, not the first in the alphabet; and it needs a pair.
zip(symbols, symbols[1:]) => set(zip(symbols, symbols[1:]))
    a pair that stands twice in a word counts twice.
zip(symbols, symbols[1:]) => zip(symbols[::2], symbols[1::2])
    you step two symbols at a time; pairs overlap, so step by one.
zip(symbols, symbols[1:]) => zip("".join(symbols), "".join(symbols)[1:])
    you pair letters; after a merge, a symbol of several letters stays whole.
words = {merge_pair(symbols, best): times for symbols, times in words.items()} => pass
    the words stay as they were, so every round finds the same pair: keep the merged words.
merges.append(best) => merges.append("".join(best))
    keep the pair itself, a tuple of two symbols: encoding has to look it up.
        if not counts: =>         if not counts or max(counts.values()) < 2:
    you stop at pairs that occur once; go on until there is no pair or there are `n_merges`.
```
        if not counts:
            break
=>
```
    when no pair is left, there is nothing to choose from: stop.
```
    merges = []
    for _ in range(n_merges):
        counts = Counter()
=>
    merges = []
    counts = Counter()
    for _ in range(n_merges):
```
    old counts stay in the sum: begin each round with an empty one.
```
def train_bpe(words, n_merges):
    counts = Counter()
    for symbols, times in words.items():
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += times
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:n_merges]
```
    you count once; a merge changes the counts, so count again after each.
"""
REFUSED = """
return merges => return
    Did you forget `return`?
"""


def cases(rng):
    by_hand = {tuple("charge"): 4, tuple("charger"): 3, tuple("range"): 5}
    drawn = {}
    for _ in range(30):
        drawn["".join("aegnrt"[i] for i in rng.integers(6, size=int(rng.integers(2, 9))))] = int(rng.integers(1, 9))
    return [
        (by_hand, 7),
        ({tuple("banana"): 1}, 2),
        ({tuple("aaaa"): 2, tuple("ab"): 5}, 3),
        ({tuple("ab"): 3, tuple("cd"): 3}, 1),
        ({("ch", "a"): 3, ("a", "ch"): 2}, 2),
        ({tuple("abc"): 1}, 9),  # no pair is left after two
        ({("x",): 4}, 3),
        ({}, 2),
        (by_hand, 0),
        ({tuple(word): times for word, times in drawn.items()}, 25),
    ]
