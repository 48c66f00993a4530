"""Training WordPiece by its score, which only 01b does.

Training merges pairs as BPE does, but picks the pair by  count(pair) / (count(left) × count(right)):  how much more
often the two stand together than chance would put them there. Tie rule: among equal scores the more frequent pair,
then the alphabetically first.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence

from helpers.tokenization import INSIDE, LONGEST_WORD, UNKNOWN, Pair, PairCounts, normalize, split_words
from helpers.tokenization import WordPieceTokenizer as Encoder

BERT_SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")


class WordPieceTokenizer(Encoder):
    """`helpers.tokenization.WordPieceTokenizer`, which can be trained, too."""

    @classmethod
    def train(
        cls, text: str, vocab_size: int, *, special_tokens: Sequence[str] = BERT_SPECIAL, min_count: int = 2
    ) -> WordPieceTokenizer:
        """Learn a vocabulary of at most `vocab_size` from `text`: special tokens, characters, then merged tokens.

        min_count: pairs that occur less often are left alone; the score loves rare pairs, and one chance meeting of
        two rare letters would beat everything. Words of more than 100 characters are left out, as in encoding.
        """
        words = Counter(word for word in split_words(normalize(text)) if len(word) <= LONGEST_WORD)
        spelled = {word: (word[0], *(INSIDE + character for character in word[1:])) for word in words}
        letters = sorted({letter for letter_list in spelled.values() for letter in letter_list})
        tokens = [*special_tokens, *letters]
        ids = {token: i for i, token in enumerate(tokens)}
        rows = {tuple(ids[letter] for letter in spelled[word]): count for word, count in words.items()}
        _grow(tokens, rows, vocab_size, min_count)
        return cls(tokens, {name: i for i, name in enumerate(special_tokens)})


def _grow(tokens: list[str], words: dict[tuple[int, ...], int], vocab_size: int, min_count: int) -> None:
    """Append merged tokens to `tokens`, best score first, until there are `vocab_size` or no frequent pair is left.

    A merge changes how often its two symbols and the new one occur, and so the score of every pair that holds one of
    them. Those pairs alone go back on the heap; an entry that no longer says what is true is skipped when it comes up.
    """
    pairs = PairCounts(words)
    counts, singles = pairs.counts, Counter[int]()
    for word, count in words.items():
        for symbol in word:
            singles[symbol] += count
    known = {token: i for i, token in enumerate(tokens)}
    holding: dict[int, set[Pair]] = defaultdict(set)  # symbol -> the frequent pairs that it is part of

    def entry(pair: Pair) -> tuple:
        """What the heap sorts by: the score, then how frequent, then the alphabet; the smallest entry is the best."""
        left, right = pair
        score = counts[pair] / (singles[left] * singles[right]) if counts[pair] >= min_count else 0.0
        return (-score, -counts[pair], tokens[left], tokens[right], pair)

    def sort_in(pair: Pair) -> None:
        for symbol in pair:
            (holding[symbol].add if counts[pair] >= min_count else holding[symbol].discard)(pair)

    for pair in counts:
        sort_in(pair)
    heap = [entry(pair) for pair, count in counts.items() if count >= min_count]
    heapq.heapify(heap)
    while len(tokens) < vocab_size and heap:
        promised = heapq.heappop(heap)
        best = left, right = promised[-1]
        if promised != entry(best):
            continue  # out of date: the pair is in the heap once more, at its true place, if it still counts
        token = tokens[left] + tokens[right].removeprefix(INSIDE)
        if token not in known:
            known[token] = len(tokens)
            tokens.append(token)
        new = known[token]
        merged = pairs.merge(best, new)
        singles[new] += merged
        singles[left] -= merged
        singles[right] -= merged
        for pair in {best, *pairs.grown, *holding[left], *holding[right]}:
            sort_in(pair)
        for pair in holding[left] | holding[right] | holding[new]:
            heapq.heappush(heap, entry(pair))
