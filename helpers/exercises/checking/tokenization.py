"""Exercises of 01_tokenization: byte-pair encoding in three steps, a measure, a choice, and a broken decoder."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking import tokenization_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.tokenization.measures import bytes_per_token
from helpers.trials.vocabulary import choose_vocab_size

Symbols = tuple[str, ...]
Pair = tuple[str, str]


def count_pairs(words: dict[Symbols, int]) -> dict[Pair, int]:
    """How often each pair of neighbors occurs in a text.

    words: each distinct word, a tuple of symbols → how often the text has it.
    Neighbors stand in one word: no pair spans two.

        count_pairs({("g", "o"): 5, ("g", "o", "t"): 1})  →  {("g", "o"): 6, ("o", "t"): 1}
    """
    counts: dict[Pair, int] = {}
    for word, times in words.items():
        for pair in zip(word, word[1:], strict=False):
            counts[pair] = counts.get(pair, 0) + times
    return counts


def merge_pair(symbols: Symbols, pair: Pair) -> Symbols:
    """The word with every occurrence of `pair` made one symbol, from left to right.

    merge_pair(("g", "o", "a", "g", "o"), ("g", "o"))  →  ("go", "a", "go")
    """
    merged: list[str] = []
    i = 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return tuple(merged)


def encode_word(symbols: Symbols, ranks: dict[Pair, int]) -> Symbols:
    """The tokens of a word: while any pair of neighbors has a rank, the lowest-ranked one is merged.

    ranks: pair → when training merged it, 0 for the first.

        encode_word(("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1})  →  ("a", "bc")
    """
    while len(symbols) > 1:
        best = min(zip(symbols, symbols[1:], strict=False), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        symbols = merge_pair(symbols, best)
    return symbols


def decode_tokens(ids: Sequence[int], tokens: Sequence[bytes]) -> str:
    """The text of `ids`; tokens: the bytes of every id. Bytes that form no character become "\\ufffd"."""
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def planted_decode_tokens(ids: Sequence[int], tokens: Sequence[bytes]) -> str:
    """The version that stands in the notebook: it decodes each token by itself."""
    return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────

TRAINED_ON = (
    "charge charger charges charging recharge range ranger orange arrange change changes exchange battery batteries "
    "bat batter better bitter letter letters brake brakes broken braking taking making wheel wheels kneel steel"
).split()


def _random_word(rng: Generator, letters: str, length: int) -> Symbols:
    return tuple(letters[i] for i in rng.integers(len(letters), size=length))


def _count_cases(rng: Generator) -> list[tuple]:
    def text(letters: str, n: int, longest: int) -> dict[Symbols, int]:
        return {_random_word(rng, letters, int(rng.integers(1, longest))): int(rng.integers(1, 9)) for _ in range(n)}

    return [
        ({("g", "o"): 5, ("g", "o", "t"): 1},),
        ({("a", "a", "a"): 2, ("a", "a"): 1},),  # overlapping pairs count twice
        ({("ch", "ar", "ge"): 3, ("ar", "ge"): 4},),
        ({("n", "o", "n", "o"): 3},),
        (text("abc", 12, 6),),
        (text("ab", 9, 8),),
        ({("x",): 7},),
        ({},),
    ]


def _merge_cases(rng: Generator) -> list[tuple]:
    return [
        (("g", "o", "a", "g", "o"), ("g", "o")),
        (("a", "g", "o", "t"), ("g", "o")),
        (("a", "a", "a"), ("a", "a")),  # left to right: aa, a
        (("a",) * 7, ("a", "a")),
        (("l", "ow", "lo", "w"), ("lo", "w")),  # the same letters, cut elsewhere, are another pair
        (("yello", "w", "lo", "w"), ("lo", "w")),  # the end of a longer symbol is none of the pair's
        (("lo", "wl", "lo", "wl"), ("lo", "w")),
        (("b", "a", "b", "a", "b"), ("a", "b")),
        (_random_word(rng, "ab", 12), ("a", "b")),
        (_random_word(rng, "ab", 15), ("b", "b")),
        (("x", "y", "z"), ("z", "x")),
        (("q",), ("q", "u")),
    ]


def _trained_ranks(n_merges: int) -> dict[Pair, int]:
    words = {tuple(word): 1 + n % 3 for n, word in enumerate(TRAINED_ON)}
    ranks: dict[Pair, int] = {}
    while len(ranks) < n_merges:
        counts = count_pairs(words)
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        ranks[best] = len(ranks)
        words = {merge_pair(word, best): times for word, times in words.items()}
    return ranks


def _encode_cases(rng: Generator) -> list[tuple]:
    ranks, few = _trained_ranks(60), _trained_ranks(12)
    shuffled = dict(sorted(ranks.items()))
    unseen = [
        "rechargeable",
        "batters",
        "changeling",
        "steering",
        "breaking",
        "orangeries",
        "wheelbarrow",
        "interchange",
    ]
    return [
        (("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1}),
        (("a", "b", "c"), {("a", "b"): 1, ("b", "c"): 0}),  # the order of the dictionary says nothing
        (("a", "b", "c"), {("b", "c"): 0, ("a", "b"): 1, ("ab", "c"): 2}),  # abc is known, but not as a + bc
        (("a", "a", "a"), {("a", "a"): 0}),
        (("a", "b", "c"), {("a", "b"): 0, ("b", "c"): 1}),  # the highest rank is not the first by the alphabet
        (("a", "b", "cd"), {("a", "b"): 0, ("b", "cd"): 1}),  # the longest is not the leftmost
        (("c", "a", "b"), {("a", "b"): 1, ("c", "a"): 0, ("ca", "b"): 2}),
        (("x", "a", "b"), {("x", "y"): 0, ("a", "b"): 1}),  # x + a has no rank
        (("a", "b", "c", "d"), {(f"q{n}", "r"): n for n in range(130)} | {("b", "c"): 130, ("a", "b"): 131}),
        *((tuple(word), shuffled) for word in unseen),
        *((tuple(word), few) for word in unseen[:3]),
        *((_random_word(rng, "aegnrt", 14), ranks) for _ in range(3)),
        (("a", "b", "a", "b"), {("a", "b"): 0, ("ab", "ab"): 1}),
        (tuple("zzz"), ranks),
        (("a",), ranks),
        ((), ranks),
        (tuple("charge"), {}),
    ]


def characters(text: str) -> list[int]:
    """One token a character."""
    return [ord(character) for character in text]


def four_bytes(text: str) -> list[int]:
    """One token for up to four bytes."""
    return list(range(-(-len(text.encode("utf-8")) // 4)))


def split_at_spaces(text: str) -> list[int]:
    """One token a word, two where it begins with a capital letter."""
    return [len(word) for word in text.split() for _ in range(1 + word[0].isupper())]


def _rate_cases(rng: Generator) -> list[tuple]:
    texts = ["Charge it at home.", "Ça marche, déjà?", "बैटरी", "電池🔋", "ok"]
    shuffled = [texts[i] for i in rng.permutation(len(texts))]
    return [
        (["Velunda"], characters),
        (texts, characters),
        (shuffled, four_bytes),
        (texts[:2] * 3, split_at_spaces),
        (["a", "a much longer text than the one before, so that averages differ"], split_at_spaces),
        (["ok", "ok", "a longer text"], four_bytes),
        (["  Spaces around it  ", "Capitals In It"], split_at_spaces),
        (["", "Über", ""], characters),  # here a mean of rates divides by zero
    ]


def _choice_cases(rng: Generator) -> list[tuple]:
    def seeds(mean: float, spread: float, n: int = 3) -> list[float]:
        return [round(float(x), 3) for x in rng.normal(mean, spread, n)]

    sizes = [256, 512, 1024, 2048, 4096]
    flat = {size: seeds(2.0, 0.05) for size in sizes}
    return [
        ({256: [3.0, 3.2], 512: [2.39, 2.59], 1024: [2.3, 2.5]},),  # 512: 2.49, and 1024: 2.4 ± 0.1
        ({1024: [2.3, 2.5], 256: [3.0, 3.2], 512: [2.52, 2.54]},),  # just outside
        ({256: [2.49, 2.49, 2.50], 512: [2.2, 2.4, 2.6, 2.4], 8192: [2.9, 3.3]},),
        ({512: [2.41, 2.42, 2.43], 1024: [2.30, 2.31, 2.32], 2048: [2.30, 2.32, 2.34]},),
        ({size: flat[size] for size in reversed(sizes)},),
        ({size: seeds(2.0 + 0.1 * abs(n - 3), 0.08, 5) for n, size in enumerate(sizes)},),
        ({size: seeds(3.0 - 0.01 * n, 0.03, 4) for n, size in enumerate(sizes)},),
        ({256: [2.44, 2.44, 2.44, 2.44], 512: [2.2, 2.5, 2.3, 2.6]},),  # a deviation is not yet an error
        ({2048: [2.0, 2.2], 512: [2.05, 2.17], 256: [2.6, 2.7]},),  # the first that is good is not the smallest
        ({512: [2.0, 2.2], 1024: [2.05, 2.19], 256: [3.0, 3.1]},),  # the best is the smallest that is good
        ({512: [2.3, 2.5], 256: [2.5, 2.64]},),  # between a deviation and two errors
        *(({512: [2.3, 2.4, 2.5], 256: [mean] * 3},) for mean in (2.405, 2.431, 2.465, 2.485, 2.5145)),
        ({256: [2.4, 2.6], 512: [2.44, 2.46]},),  # the other's error does not count
        ({256: [2.464, 2.464], 512: [2.44, 2.46]},),  # 2.46 is the limit
        ({512: [2.0, 2.0], 256: [2.0, 2.0]},),
        ({300: [1.0, 1.0]},),
    ]


def _decode_cases(rng: Generator) -> list[tuple]:
    tokens = [b"Vel", b"unda", b" is ", b"\xf0\x9f", b"\x9a\xb2", b" \xe0\xa4", b"\xa8", b"\x80", b"e", b"\xcc\x81"]
    single = [bytes([byte]) for byte in range(256)]
    return [
        ([0, 1], tokens),
        ([3, 4], tokens),
        ([0, 1, 5, 6, 2, 3, 4], tokens),
        ([8, 7, 8], tokens),  # a byte that starts no character
        ([7, 7, 7], tokens),
        ([0, 3], tokens),  # cut off
        ([8, 9, 0], tokens),  # e and an accent: two characters, and they stay two
        ([2, 0, 2], tokens),  # spaces at both ends
        (list("naïve Straße".encode()), single),
        ([int(i) for i in rng.integers(32, 127, size=9)], single),
        ([], tokens),
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="count_pairs",
        notebook="01_tokenization",
        minutes=2,
        difficulty=1,
        reference=count_pairs,
        cases=_count_cases,
        hints=(
            "A word of n symbols has n − 1 pairs of neighbors. How do you walk along both at once?",
            "Go through the words; in each, take every symbol together with the one after it. A word that the text has "
            "five times counts five times.",
            "Start with an empty dictionary (or `Counter`). `zip(word, word[1:])` gives the pairs of one word; add the "
            "word's number to the count of each.",
        ),
        proves="words count as often as they occur, pairs that overlap count each, none spans two words",
        properties=[
            Property(
                "all counts together are, for each word, its length less one, times how often it occurs",
                lambda counts, words: sum(counts.values()) == sum((len(w) - 1) * n for w, n in words.items()),
            )
        ],
        mistakes=[
            Mistake(known.words_counted_once, "each distinct word counts once; multiply by how often it occurs."),
            Mistake(known.pairs_counted_once_a_word, "a pair that stands twice in a word counts twice."),
            Mistake(known.pairs_without_overlap, "you step two symbols at a time; pairs overlap, so step by one."),
            Mistake(known.unordered_pairs, "(a, b) and (b, a) are different pairs; keep the order."),
            Mistake(known.counted_symbols, "you count single symbols; count pairs of neighbors."),
            Mistake(known.pairs_across_words, "a pair spans two words; look at each word by itself."),
            Mistake(known.text_in_one_row, "a pair spans two words; look at each word by itself."),
            Mistake(known.last_pair_missing, "the last pair of each word is missing: n symbols have n − 1 pairs."),
            Mistake(known.distant_pairs, "you pair every two symbols of a word; only neighbors count."),
            Mistake(known.letters_paired, "you pair letters; a symbol may hold several letters and stays whole."),
            Mistake(known.overwritten, "a pair's count is overwritten by the next word that has it; add to it."),
            Mistake(known.first_word_only, "only the first word is counted: `return` stands inside the loop."),
            Mistake(known.joined_pairs, "the keys are joined strings; a key is a tuple of two symbols."),
        ],
    ),
    Exercise(
        name="merge_pair",
        notebook="01_tokenization",
        minutes=3,
        difficulty=2,
        reference=merge_pair,
        cases=_merge_cases,
        hints=(
            "A `for` loop visits every symbol. Which symbol must it *not* visit after a merge?",
            "Walk with an index of your own: where this symbol and the next are the pair, put their joined text into "
            "the result and step by two; else copy the symbol and step by one.",
            "With `i = 0` and `while i < len(symbols)`: compare `symbols[i : i + 2]` with `pair`; append either "
            "`pair[0] + pair[1]` or `symbols[i]`, and move `i` on by 2 or 1. Return a tuple of the list.",
        ),
        proves="every occurrence, left to right, overlaps included, and other cuts of the same letters left alone",
        properties=[
            Property(
                "the letters stay the same",
                lambda merged, symbols, pair: "".join(merged) == "".join(symbols),
                "a symbol was lost or written twice; after a merge, go on behind the pair.",
            ),
        ],
        mistakes=[
            Mistake(known.only_first_occurrence, "only the first occurrence is merged."),
            Mistake(known.merged_from_right, "you merge from the right; in a a a the left two come first."),
            Mistake(known.merged_until_gone, "what a merge has made is merged again; one pass is enough."),
            Mistake(
                known.merged_as_text,
                "you replace in the joined text, where a longer symbol may end or start like the pair.",
            ),
            Mistake(known.nothing_merged, "nothing is merged: compare two neighbors with the tuple `pair`."),
            Mistake(known.last_symbol_lost, "the last symbol is lost where it is in no pair."),
            Mistake(known.compared_as_text, "you compare joined text; l·ow spells low as well, but is another pair."),
            Mistake(known.second_symbol_kept, "the second symbol of the pair is copied as well."),
        ],
    ),
    Exercise(
        name="encode_word",
        notebook="01_tokenization",
        minutes=4,
        difficulty=2,
        reference=encode_word,
        cases=_encode_cases,
        hints=(
            "Several pairs of the word may have a rank. Which of them did training merge first?",
            "Repeat: among all neighbors take the pair with the lowest rank, merge it with `merge_pair`. Stop where no "
            "pair has a rank, or one symbol is left.",
            "Loop while there are two symbols or more: `min(zip(symbols, symbols[1:]), key=…)` finds the best pair if "
            "the key gives unranked pairs infinity; if even the best has no rank, leave the loop.",
        ),
        proves="the lowest rank first, whatever stands left, on words that training never saw",
        mistakes=[
            Mistake(known.leftmost_first, "you merge the leftmost pair that has a rank; the lowest rank goes first."),
            Mistake(known.one_merge_only, "you stop after one merge; go on while any pair has a rank."),
            Mistake(known.highest_first, "you merge the highest rank first; lower means earlier."),
            Mistake(known.longest_match, "you take the longest known token from the left; BPE merges by rank."),
            Mistake(lambda symbols, ranks: symbols, "nothing is merged: keep what `merge_pair` returns."),
            Mistake(known.unranked_as(0), "a pair without a rank is taken for the best; it needs a rank of infinity."),
            Mistake(known.unranked_as(-1), "a pair without a rank is taken for the best; it needs a rank of infinity."),
            Mistake(known.by_spelling, "you look up what two symbols spell; a rank belongs to a pair of symbols."),
            Mistake(known.in_order_of_dictionary, "you follow the order of the dictionary; the numbers in it decide."),
            Mistake(known.last_occurrence_first, "of equal pairs the leftmost goes first."),
            Mistake(known.alphabetical, "you take the first pair by the alphabet; its rank decides."),
            Mistake(known.rank_zero_is_none, "rank 0 is taken for none, since 0 is false; ask for `in ranks`."),
            Mistake(known.longest_first, "you merge the longest pair first; the lowest rank goes first."),
        ],
    ),
    Exercise(
        name="bytes_per_token",
        notebook="01_tokenization",
        minutes=2,
        difficulty=1,
        reference=bytes_per_token,
        cases=_rate_cases,
        hints=(
            "How many bytes has “é” in UTF-8? `len` counts characters.",
            "Add up the bytes of all texts, and all tokens; divide once, at the end.",
            "`len(text.encode('utf-8'))` are the bytes of a text, `len(encode(text))` its tokens. Sum each over the "
            "texts, and return the ratio of the two sums.",
        ),
        proves="bytes rather than characters, long texts weigh more than short ones, empty texts do no harm",
        mistakes=[
            Mistake(known.characters_per_token, "you count characters; “é” has two bytes, “電” three."),
            Mistake(known.mean_of_rates, "you average the texts' rates; divide all bytes by all tokens."),
            Mistake(known.mean_of_all_rates, "you average the texts' rates; divide all bytes by all tokens."),
            Mistake(known.bytes_per_text, "you divide by the number of texts; divide by their tokens."),
            Mistake(known.whole_bytes_per_token, "`//` drops the fraction; use `/`."),
            Mistake(known.tokens_per_byte, "this is tokens per byte; turn it around."),
            Mistake(known.joined_by(""), "you join the texts first; encode each by itself."),
            Mistake(known.joined_by(" "), "you join the texts first; encode each by itself."),
            Mistake(known.joined_by("\n"), "you join the texts first; encode each by itself."),
        ],
    ),
    Exercise(
        name="choose_vocab_size",
        notebook="01_tokenization",
        minutes=3,
        difficulty=2,
        reference=choose_vocab_size,
        cases=_choice_cases,
        hints=(
            "A few seeds give a few losses. How far may their mean be off by luck?",
            "Find the size with the lowest mean. Its standard error is `stdev` divided by √n. Every size whose mean is "
            "at most the best mean plus that error is as good; take the smallest.",
            "Compute `mean` for every size; `best` is the size of the lowest; the limit is its mean plus "
            "`stdev(measured[best]) / len(measured[best]) ** 0.5`; return the `min` of the sizes that stay within it.",
        ),
        proves="sizes in any order, any number of seeds, ties, one size only, and the best one's error alone",
        properties=[Property("the choice is one of the sizes", lambda size, measured: size in measured)],
        mistakes=[
            Mistake(known.best_mean, "you take the lowest mean; a smaller size may be as good within the error."),
            Mistake(known.within(share=lambda n: 1.0), "you allow a whole standard deviation; divide it by √n."),
            Mistake(known.within(share=lambda n: 2 / n**0.5), "you allow two standard errors; one is the rule."),
            Mistake(known.within(share=lambda n: 1.96 / n**0.5), "you allow 1.96 standard errors; one is the rule."),
            Mistake(known.within(share=lambda n: 0.5 / n**0.5), "you allow half a standard error; one is the rule."),
            Mistake(known.within(share=lambda n: (n - 1) ** -0.5), "you divide by √(n − 1); `stdev` has that already."),
            Mistake(known.within(power=2), "you add the variance; take its root, the standard deviation."),
            Mistake(known.within(share=lambda n: 1 / n), "you divide by n; the standard error divides by √n."),
            Mistake(known.within(pick=max), "you take the largest size within the error; rows cost parameters."),
            Mistake(known.within(deviation=known.population), "you divide by n inside; use `stdev`, for samples."),
            Mistake(known.within(own=True), "you add each size's own error; the best one's error is the limit."),
            Mistake(known.first_in_order, "you take the first size within the error; they come in any order."),
            Mistake(known.lowest_single, "you compare single losses; compare means over the seeds."),
        ],
    ),
    Exercise(
        name="decode_tokens",
        notebook="01_tokenization",
        minutes=2,
        difficulty=1,
        reference=decode_tokens,
        planted=planted_decode_tokens,
        cases=_decode_cases,
        hints=(
            "Print the bytes of the tokens of “🚲”. Is any of them a character?",
            "A character may be spread over several tokens. What must be whole before you decode?",
            "Join the bytes of all tokens first (`b''.join`), and call `decode` once on the whole, with the same "
            "`errors`.",
        ),
        proves="characters spread over tokens come back whole, broken bytes are marked, and nothing else is changed",
        mistakes=[
            Mistake(planted_decode_tokens, "each token is still decoded by itself."),
            Mistake(known.broken_bytes_dropped, 'broken bytes vanish without a trace; keep errors="replace".'),
            Mistake(known.each_dropped, "each token is decoded by itself, and half characters vanish."),
            Mistake(known.as_latin1, "each byte becomes a character of its own (Latin-1); the bytes are UTF-8."),
        ],
    ),
]
