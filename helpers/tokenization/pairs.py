"""Adjacent pairs of symbols, counted once and kept up to date while pairs are merged.

Recounting every pair of the text at every merge is what most tutorials do. Two observations save nearly all of it:

1. A text repeats its words. Count each *distinct* word once and remember how often it occurs.
2. One merge changes only the neighbors of the places where it happens. Remember those places; update those counts.

    pairs = PairCounts({(1, 2, 3): 5, (1, 2): 1})      # the word 1 2 3 occurs five times, 1 2 once
    pairs.counts                                       # {(1, 2): 6, (2, 3): 5}
    pairs.merge((1, 2), 9)                             # 6 merges: the words are now 9 3 and 9
    pairs.counts                                       # {(1, 2): 0, (2, 3): 0, (9, 3): 5}

All words lie in one long row; each symbol knows the place of the one before and the one after it, so a merge takes
a symbol out without moving the rest. Every merge makes the row shorter, so the whole training looks at no more than
about three places per symbol, however long a word is and however many merges there are: `visits` counts them.

What it does not do: choose which pair to merge (`learn_merges` for BPE, `WordPieceTokenizer.train` for WordPiece).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping

Pair = tuple[int, int]
GONE = -1  # no neighbor, or a symbol that was merged into the one before it


class PairCounts:
    """Counts of adjacent pairs over distinct words; `words` maps each word, a sequence of ids, to how often it occurs.

    counts: pair -> how often it occurs in the text; changed: pairs whose count the last merge touched.
    """

    def __init__(self, words: Mapping[tuple[int, ...], int]) -> None:
        self.symbols: list[int] = []
        self.before: list[int] = []
        self.after: list[int] = []
        self.weight: list[int] = []  # how often the word that a symbol belongs to occurs
        self.counts: dict[Pair, int] = defaultdict(int)
        self.places: dict[Pair, list[int]] = defaultdict(list)  # where a pair starts, or started: checked when used
        self.changed: set[Pair] = set()
        self.visits = 0
        for word, count in words.items():
            self._append(word, count)

    def _append(self, word: tuple[int, ...], count: int) -> None:
        start, length = len(self.symbols), len(word)
        self.symbols += word
        self.before += [GONE, *range(start, start + length - 1)][:length]
        self.after += [*range(start + 1, start + length), GONE][:length]
        self.weight += [count] * length
        for place, pair in enumerate(zip(word, word[1:], strict=False), start):
            self.counts[pair] += count
            self.places[pair].append(place)

    def merge(self, pair: Pair, new: int) -> int:
        """Replace `pair` by the symbol `new` everywhere, left to right; returns how often that happened in the text."""
        left, right = pair
        symbols, before, after, weight = self.symbols, self.before, self.after, self.weight
        counts, places, changed = self.counts, self.places, set()
        merged = 0
        candidates = places.pop(pair, [])
        candidates.sort()  # left to right matters where a pair overlaps itself: a a a becomes (aa) a
        self.visits += len(candidates)
        for place in candidates:
            follower = after[place]
            if symbols[place] != left or follower == GONE or symbols[follower] != right:
                continue  # an earlier merge took one of the two away
            count = weight[place]
            merged += count
            beyond, previous = after[follower], before[place]
            symbols[place], symbols[follower] = new, GONE
            after[place] = beyond
            if beyond != GONE:
                before[beyond] = place
                old, fresh = (right, symbols[beyond]), (new, symbols[beyond])
                counts[old] -= count
                counts[fresh] += count
                places[fresh].append(place)
                changed |= {old, fresh}
            if previous != GONE:
                old, fresh = (symbols[previous], left), (symbols[previous], new)
                counts[old] -= count
                counts[fresh] += count
                places[fresh].append(previous)
                changed |= {old, fresh}
        counts[pair] = 0
        self.changed = changed - {pair}
        return merged


def learn_merges(words: Mapping[tuple[int, ...], int], tokens: list[bytes], vocab_size: int) -> list[Pair]:
    """The pairs that byte-pair encoding merges, in order, until there are `vocab_size` tokens or no pair is left.

    tokens: the bytes of each id that occurs in `words`; grows by the merged tokens.
    Tie rule: the pair that occurs most often is merged; among equals, the one with the smaller ids (first its left
    one, then its right one).
    """
    pairs = PairCounts(words)
    known = {token: i for i, token in enumerate(tokens)}
    heap = [(-count, pair) for pair, count in pairs.counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(tokens) < vocab_size:
        promised, pair = heapq.heappop(heap)
        count = pairs.counts[pair]
        if count != -promised:
            continue  # out of date: the pair is in the heap once more, at its true place
        token = tokens[pair[0]] + tokens[pair[1]]
        if token not in known:  # two pairs may spell the same token, which then has one id
            known[token] = len(tokens)
            tokens.append(token)
        merges.append(pair)
        pairs.merge(pair, known[token])
        for touched in pairs.changed:
            if pairs.counts[touched] > 0:
                heapq.heappush(heap, (-pairs.counts[touched], touched))
    return merges


def merge_by_rank(ids: Iterable[int], ranks: Mapping[Pair, tuple[int, int]]) -> list[int]:
    """The tokens of one word: again and again, the neighbors that were merged earliest in training become one.

    ranks: pair -> (rank, id of the merged token). Among equal ranks the leftmost pair goes first.

        merge_by_rank([1, 2, 3], {(2, 3): (0, 8), (1, 2): (1, 9)})       # [1, 8]: the pair of rank 0 wins

    A heap of candidate pairs instead of a search for the best at each step: n log n steps, not n squared.
    """
    symbols = list(ids)
    size = len(symbols)
    after, before = list(range(1, size + 1)), list(range(-1, size - 1))  # `size` and -1 mean none
    heap = [
        (*ranks[pair], place) for place, pair in enumerate(zip(symbols, symbols[1:], strict=False)) if pair in ranks
    ]
    if not heap:
        return symbols
    heap = [(rank, place, new) for rank, new, place in heap]
    heapq.heapify(heap)
    while heap:
        rank, place, new = heapq.heappop(heap)
        follower = after[place]
        if follower == size or symbols[place] == GONE:
            continue
        if ranks.get((symbols[place], symbols[follower]), (GONE,))[0] != rank:
            continue  # one of the two was merged with another neighbor meanwhile
        symbols[place], symbols[follower] = new, GONE
        beyond, previous = after[follower], before[place]
        after[place] = beyond
        if beyond != size:
            before[beyond] = place
            if found := ranks.get((new, symbols[beyond])):
                heapq.heappush(heap, (found[0], place, found[1]))
        if previous != -1 and (found := ranks.get((symbols[previous], new))):
            heapq.heappush(heap, (found[0], previous, found[1]))
    return [symbol for symbol in symbols if symbol != GONE]
