"""Inputs of the exercises of 01b_more_tokenizers: small ones that can be checked by hand come first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from numpy.random import Generator
from torch import Tensor


def match_cases(rng: Generator) -> list[tuple]:
    vocabulary = {"b", "bi", "bike", "##k", "##ke", "##ked", "##e", "ke", "road", "e", "##bi"}
    letters = {"a", "b", "ab", "bab", "##a", "##ba", "##ab", "##abba"}
    word = "".join(rng.choice(list("ab"), size=9))
    return [
        ("bikeroad", vocabulary, ""),
        ("bike", vocabulary, ""),  # the whole text is a token
        ("keroad", vocabulary, "##"),
        ("ked", vocabulary, "##"),
        ("bell", vocabulary, ""),  # one letter is all that fits
        ("elk", vocabulary, "##"),
        ("xbike", vocabulary, ""),  # a token stands inside, not at the start
        ("road", vocabulary, "##"),  # a token, but not inside a word
        ("", vocabulary, ""),
        (word, letters, ""),
        (word, letters, "##"),
        ("internationalization", {"i", "inter", "internationalization"}, ""),
        ("Bike", {"B", "bi", "bike"}, ""),  # "B" and "b" are different letters
        ("ked", {"k", "ked", "##ked", "▁k", "▁ke"}, "▁"),  # another mark
        ("#a", {"###a"}, "##"),  # the mark's letters stand in the text as well
        ("a##b", {"##a##b"}, "##"),
    ]


def cut_cases(rng: Generator) -> list[tuple]:
    pieces = {"a": -2.0, "b": -3.0, "ab": -4.0, "c": -2.0, "bc": -6.0, "abc": -7.5}
    long_word = "internationalization"
    return [
        ("abc", 1, [0.0], pieces),
        ("abc", 2, [0.0, -2.0], pieces),
        ("abc", 3, [0.0, -2.0, -4.0], pieces),  # the longest token is not the best
        ("ac", 2, [0.0, -2.0], pieces),
        ("ax", 2, [0.0, -2.0], pieces),  # no token ends here
        ("x", 1, [0.0], pieces),
        ("abc", 3, [0.0, -20.0, -21.0], {"a": -20.0, "ab": -21.0, "abc": -8.0, "bc": -1.0, "c": -0.5}),
        ("a", 1, [0.0], {"a": 0.0}),  # a score of 0 is a score
        ("banana", 6, [0.0, -9.0, -9.0, -9.0, -9.0, -9.0], {"banana": -1.0}),
        (long_word, 20, [0.0] + [-40.0] * 19, {long_word: -9.0, "n": -3.0}),
        ("ab", 2, [0.0, -99.0], {"a": -99.0, "b": -50.0}),  # totals may lie below any round number
        ("ab", 2, [0.0, -1e12], {"a": -1e12, "b": -1e12}),
        *(case for word in ("abab", "charger") for case in _random_cuts(rng, word)),
    ]


def _random_cuts(rng: Generator, word: str) -> list[tuple]:
    """Each place of a word with random scores; best[start] is what the step itself gives there, without equals."""
    places = [(i, j) for i in range(len(word)) for j in range(i + 1, len(word) + 1)]
    while True:
        tokens = dict.fromkeys(word[i:j] for i, j in places if j == i + 1 or rng.random() < 0.6)
        scores = {token: float(rng.integers(-90, -30)) / 10 for token in tokens}
        best, different = [0.0], True
        for end in range(1, len(word) + 1):
            starts = [start for start in range(end) if word[start:end] in scores]
            totals = [round(best[start] + scores[word[start:end]], 1) for start in starts]
            different &= len(set(totals)) == len(totals)
            best.append(max(totals))
        if different:
            return [(word, end, best[:end], scores) for end in (2, len(word) - 1, len(word))]


def least_cases(rng: Generator) -> list[tuple]:
    def rows(*values: tuple[float, float]) -> Tensor:
        return torch.tensor(values)

    def case(size: int, width: int, unused: Sequence[int], k: int, shift: float) -> tuple:
        table = torch.tensor(rng.normal(size=(size, width)) + shift, dtype=torch.float32)
        center = torch.tensor(rng.normal(size=width) + 3 * shift, dtype=torch.float32)
        near = [*unused, *(int(i) for i in rng.choice(size, size=size // 4, replace=False))]
        for n, i in enumerate(near):
            table[i] = center + (0.02 + 0.05 * n) * torch.tensor(rng.normal(size=width), dtype=torch.float32)
        return table, unused, k

    return [
        # the mean of rows 1 and 3 is (1, 0): row 4 lies nearer to it than these two, then comes row 0
        (rows((3, 2), (0, 0), (4, 0), (2, 0), (1, -0.5)), [1, 3], 2),
        (rows((0, 3), (0, 0), (4e7, 0), (0, -3e7)), [1], 3),  # distances beyond any stand-in for infinity
        case(20, 4, [3, 7, 11], 4, 1.0),
        case(40, 6, [0, 1], 5, 0.5),
        case(30, 2, [29], 3, 2.0),
        case(12, 3, [5, 2, 8], 9, 1.0),
        case(25, 5, [4, 9], 1, 1.5),
    ]


def move_cases(rng: Generator) -> list[tuple]:
    def table(size: int, width: int) -> Tensor:
        return torch.tensor(rng.normal(size=(size, width)).round(1), dtype=torch.float32)

    old_ids = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b" c": 4, b" ": 5, b"abc": 6}
    return [
        (table(7, 3), old_ids, [b"c", b"bc", b"ab", b"a"], [[2], [1, 2], [3], [0]]),
        (table(7, 4), old_ids, [b"abc c", b"b"], [[6, 4], [1]]),
        (table(7, 2), old_ids, [b" c", b"cab", b"c", b"cabc", b" "], [[4], [2, 3], [2], [2, 6], [5]]),
        # "abc" has a row, although the old tokenizer would cut it
        (table(7, 5), old_ids, [b"b", b"abc", b"aab"], [[1], [3, 2], [0, 3]]),
        (table(9, 3), {b"x": 8, b"y": 0}, [b"y", b"x", b"xyx"], [[0], [8], [8, 0, 8]]),
        (table(3, 2), {b"ab": 0, b"a": 1, b"b": 2}, [b"ab"], [[1, 2]]),  # the same for id 0
        # more new tokens than old rows
        (table(3, 2), {b"xy": 2, b"y": 0, b"x": 1}, [b"yy", b"x", b"yx", b"y", b"xx", b"xy"],
         [[0, 0], [1], [0, 1], [0], [1, 1], [1, 0]]),
    ]  # fmt: skip
