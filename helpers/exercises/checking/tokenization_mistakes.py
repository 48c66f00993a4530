"""Wrong versions of the exercises of 01_tokenization, as learners write them; `tokenization` says what is wrong."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter

# ── count_pairs ───────────────────────────────────────────────────────────────────────────────────────────────────


def _counts(pairs) -> dict:
    counts: Counter = Counter()
    for pair, times in pairs:
        counts[pair] += times
    return dict(counts)


def words_counted_once(words):
    return _counts((pair, 1) for word in words for pair in itertools.pairwise(word))


def pairs_counted_once_a_word(words):
    return _counts((pair, n) for word, n in words.items() for pair in set(itertools.pairwise(word)))


def pairs_without_overlap(words):
    steps = ((word[i : i + 2], n) for word, n in words.items() for i in range(0, len(word) - 1, 2))
    return _counts(steps)


def unordered_pairs(words):
    return _counts((tuple(sorted(pair)), n) for word, n in words.items() for pair in itertools.pairwise(word))


def counted_symbols(words):
    return _counts((symbol, n) for word, n in words.items() for symbol in word)


def pairs_across_words(words):
    row = [(symbol, n) for word, n in words.items() for symbol in word]
    return _counts(((a, b), n) for (a, n), (b, _) in itertools.pairwise(row))


def text_in_one_row(words):
    row = [symbol for word, n in words.items() for _ in range(n) for symbol in word]
    return _counts((pair, 1) for pair in itertools.pairwise(row))


def last_pair_missing(words):
    return _counts((pair, n) for word, n in words.items() for pair in list(itertools.pairwise(word))[:-1])


def distant_pairs(words):
    return _counts((pair, n) for word, n in words.items() for pair in itertools.combinations(word, 2))


def letters_paired(words):
    return _counts((pair, n) for word, n in words.items() for pair in itertools.pairwise("".join(word)))


def overwritten(words):
    return {pair: n for word, n in words.items() for pair in itertools.pairwise(word)}


def first_word_only(words):
    for word, n in words.items():
        return _counts((pair, n) for pair in itertools.pairwise(word))


def joined_pairs(words):
    return _counts((a + b, n) for word, n in words.items() for a, b in itertools.pairwise(word))


# ── merge_pair ────────────────────────────────────────────────────────────────────────────────────────────────────


def only_first_occurrence(symbols, pair):
    for i in range(len(symbols) - 1):
        if symbols[i : i + 2] == pair:
            return (*symbols[:i], pair[0] + pair[1], *symbols[i + 2 :])
    return symbols


def _merged(symbols, pair):
    merged, i = [], 0
    while i < len(symbols):
        hit = symbols[i : i + 2] == pair
        merged.append("".join(pair) if hit else symbols[i])
        i += 1 + hit
    return tuple(merged)


def merged_from_right(symbols, pair):
    return _merged(symbols[::-1], pair[::-1])[::-1] if pair[0] == pair[1] else _merged(symbols, pair)


def merged_until_gone(symbols, pair):
    """Joins again where the joined text of two symbols is the pair's text, or continues it."""
    whole, merged = "".join(pair), []
    for symbol in _merged(symbols, pair):
        if merged and symbol == whole and merged[-1].endswith(whole):
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return tuple(merged)


def merged_as_text(symbols, pair):
    whole = "".join(pair)
    return tuple(" ".join(symbols).replace(" ".join(pair), whole).split(" ")) if symbols else ()


def nothing_merged(symbols, pair):
    return symbols


def last_symbol_lost(symbols, pair):
    merged = _merged(symbols, pair)
    return merged if symbols[-2:] == pair and merged[-1] == "".join(pair) else merged[:-1]


def compared_as_text(symbols, pair):
    merged, i, whole = [], 0, "".join(pair)
    while i < len(symbols):
        hit = len(symbols[i : i + 2]) == 2 and "".join(symbols[i : i + 2]) == whole
        merged.append(whole if hit else symbols[i])
        i += 1 + hit
    return tuple(merged)


def second_symbol_kept(symbols, pair):
    merged = []
    for i, symbol in enumerate(symbols):
        merged.append("".join(pair) if symbols[i : i + 2] == pair else symbol)
    return tuple(merged)


# ── encode_word ───────────────────────────────────────────────────────────────────────────────────────────────────


def leftmost_first(symbols, ranks):
    while ranked := [pair for pair in itertools.pairwise(symbols) if pair in ranks]:
        symbols = only_first_occurrence(symbols, ranked[0])
    return symbols


def one_merge_only(symbols, ranks):
    ranked = [pair for pair in itertools.pairwise(symbols) if pair in ranks]
    return _merged(symbols, min(ranked, key=ranks.get)) if ranked else symbols


def highest_first(symbols, ranks):
    while ranked := [pair for pair in itertools.pairwise(symbols) if pair in ranks]:
        symbols = _merged(symbols, max(ranked, key=ranks.get))
    return symbols


def longest_match(symbols, ranks):
    known, text, found = {"".join(pair) for pair in ranks}, "".join(symbols), []
    while text:
        length = next((n for n in range(len(text), 1, -1) if text[:n] in known), 1)
        found.append(text[:length])
        text = text[length:]
    return tuple(found)


def _until_unranked(symbols, ranks, key):
    """The loop of the reference with another key for the best pair."""
    while len(symbols) > 1:
        best = min(itertools.pairwise(symbols), key=key)
        if best not in ranks:
            break
        symbols = _merged(symbols, best)
    return symbols


def unranked_as(rank):
    return lambda symbols, ranks: _until_unranked(symbols, ranks, lambda pair: ranks.get(pair, rank))


def by_spelling(symbols, ranks):
    spelled = {"".join(pair): rank for pair, rank in ranks.items()}
    while ranked := [pair for pair in itertools.pairwise(symbols) if "".join(pair) in spelled]:
        symbols = _merged(symbols, min(ranked, key=lambda pair: spelled["".join(pair)]))
    return symbols


def in_order_of_dictionary(symbols, ranks):
    for pair in ranks:
        symbols = _merged(symbols, pair)
    return symbols


def last_occurrence_first(symbols, ranks):
    while ranked := [(ranks[p], -i) for i, p in enumerate(itertools.pairwise(symbols)) if p in ranks]:
        i = -min(ranked)[1]
        symbols = (*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :])
    return symbols


def alphabetical(symbols, ranks):
    while ranked := [pair for pair in itertools.pairwise(symbols) if pair in ranks]:
        symbols = _merged(symbols, min(ranked))
    return symbols


def rank_zero_is_none(symbols, ranks):
    while ranked := [pair for pair in itertools.pairwise(symbols) if ranks.get(pair)]:
        symbols = _merged(symbols, min(ranked, key=ranks.get))
    return symbols


def longest_first(symbols, ranks):
    while ranked := [pair for pair in itertools.pairwise(symbols) if pair in ranks]:
        symbols = _merged(symbols, max(ranked, key=lambda pair: len("".join(pair))))
    return symbols


# ── bytes_per_token ───────────────────────────────────────────────────────────────────────────────────────────────


def characters_per_token(texts, encode):
    return sum(map(len, texts)) / sum(len(encode(text)) for text in texts)


def mean_of_rates(texts, encode):
    return statistics.mean(len(text.encode()) / len(encode(text)) for text in texts if encode(text))


def mean_of_all_rates(texts, encode):
    return sum(len(text.encode()) / len(encode(text)) for text in texts) / len(texts)


def bytes_per_text(texts, encode):
    return sum(len(text.encode()) for text in texts) / len(texts)


def whole_bytes_per_token(texts, encode):
    return float(sum(len(text.encode()) for text in texts) // sum(len(encode(text)) for text in texts))


def tokens_per_byte(texts, encode):
    return sum(len(encode(text)) for text in texts) / sum(len(text.encode()) for text in texts)


def joined_by(separator):
    def variant(texts, encode):
        whole = separator.join(texts)
        return len(whole.encode()) / len(encode(whole))

    return variant


# ── choose_vocab_size ─────────────────────────────────────────────────────────────────────────────────────────────

population = statistics.pstdev


def best_mean(measured):
    return min(measured, key=lambda size: statistics.mean(measured[size]))


def lowest_single(measured):
    return min(measured, key=lambda size: min(measured[size]))


def within(share=lambda n: n**-0.5, pick=min, deviation=statistics.stdev, own=False, power=1):
    """The rule with another share of the deviation, another pick, another deviation, or every size's own error."""

    def variant(measured):
        best = best_mean(measured)

        def error(size):
            return deviation(measured[size]) ** power * (1 if power == 2 else share(len(measured[size])))

        limit = statistics.mean(measured[best])
        return pick(s for s in measured if statistics.mean(measured[s]) <= limit + error(s if own else best))

    return variant


def first_in_order(measured):
    limit = within(pick=list)(measured)
    return limit[0]


# ── decode_tokens ─────────────────────────────────────────────────────────────────────────────────────────────────


def broken_bytes_dropped(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="ignore")


def each_dropped(ids, tokens):
    return "".join(tokens[i].decode("utf-8", errors="ignore") for i in ids)


def as_latin1(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("latin-1")
