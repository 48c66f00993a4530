"""Exercises of 01b_more_tokenizers: longest match, one step of Viterbi, untrained tokens, a table that moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercise_checks import more_tokenizers_mistakes as known
from helpers.exercise_checks.spec import Exercise, Mistake, Property


def longest_match(text: str, vocabulary: Iterable[str], mark: str = "") -> str:
    """The longest start of `text` that is a token: `mark` + start must be in `vocabulary`.

    Returned without the mark; "" where no start of `text` is a token.
    """
    for end in range(len(text), 0, -1):
        if mark + text[:end] in vocabulary:
            return text[:end]
    return ""


def best_cut(word: str, end: int, best: Sequence[float], scores: Mapping[str, float]) -> tuple[float, int]:
    """(score of the best way to cut word[:end], where its last token starts).

    best[start]: the best score of word[:start], known for every start < end.
    scores: token -> log probability; what is not in it is no token.
    Where no token ends here: (-math.inf, 0).
    """
    starts = [start for start in range(end) if word[start:end] in scores]
    if not starts:
        return -math.inf, 0
    return max((best[start] + scores[word[start:end]], start) for start in starts)


def least_trained(table: Tensor, unused: Sequence[int], k: int) -> list[int]:
    """The `k` ids nearest to the mean of the rows in `unused`, nearest first, without `unused`.

    table: (V, d) floats, a row for each id; distance is the Euclidean one.
    """
    distance = (table - table[list(unused)].mean(dim=0)).norm(dim=1)  # (V, d) − (d,) → (V,)
    distance[list(unused)] = math.inf
    return distance.argsort()[:k].tolist()


def move_embeddings(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    """Rows for a new vocabulary: an old token keeps its row, a new one gets its pieces' mean.

    old: (V, d); old_ids: token -> row of `old`; pieces[i]: the old ids that spell new_tokens[i]
    →  (len(new_tokens), d)
    """
    rows = []
    for token, spelled in zip(new_tokens, pieces, strict=True):
        rows.append(old[old_ids[token]] if token in old_ids else old[list(spelled)].mean(dim=0))
    return torch.stack(rows)


def planted_move_embeddings(
    old: Tensor, old_ids: Mapping[bytes, int], new_tokens: Sequence[bytes], pieces: Sequence[Sequence[int]]
) -> Tensor:
    """The version that stands in the notebook: row i of the new table is row i of the old one."""
    new = old.new_empty(len(new_tokens), old.shape[1])
    for i, token in enumerate(new_tokens):
        if token in old_ids:
            new[i] = old[i]
        else:
            new[i] = old[pieces[i]].mean(dim=0)
    return new


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _match_cases(rng: Generator) -> list[tuple]:
    vocabulary = {"b", "bi", "bike", "##k", "##ke", "##ked", "##e", "ke", "road", "e", "##bi"}
    letters = {"a", "b", "ab", "bab", "##a", "##ba", "##ab", "##abba"}
    word = "".join(rng.choice(list("ab"), size=9))
    return [
        ("bikeroad", vocabulary, ""),
        ("bike", vocabulary, ""),  # the whole text is a token
        ("keroad", vocabulary, "##"),
        ("ked", vocabulary, "##"),
        ("xbike", vocabulary, ""),  # a token stands inside, not at the start
        ("road", vocabulary, "##"),  # a token, but not inside a word
        ("", vocabulary, ""),
        (word, letters, ""),
        (word, letters, "##"),
    ]


def _cut_cases(rng: Generator) -> list[tuple]:
    def log_probability(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    cases = []
    for word in ("banana", "abab", "charger"):
        scores = {
            word[i:j]: log_probability(-9, -3) - 0.1 * (j - i)
            for i in range(len(word))
            for j in range(i + 1, len(word) + 1)
            if j == i + 1 or rng.random() < 0.6
        }
        best = [0.0] + [log_probability(-20, -5) for _ in word]
        cases += [(word, end, best, scores) for end in (1, 3, len(word))]
    pieces = {"a": -2.0, "ab": -9.0, "b": -2.5, "abc": -30.0, "c": -3.0, "bc": -4.0}
    return [
        *cases,
        ("abc", 3, [0.0, -2.0, -4.5], pieces),  # the longest token is the worst
        ("abc", 3, [0.0, -20.0, -21.0], {"abc": -8.0, "bc": -1.0, "c": -0.5}),  # the likeliest token has a bad start
        ("abx", 3, [0.0, -2.0, -4.5], pieces),  # no token ends here
        ("abc", 2, [0.0, -2.0, -4.5, -6.0], pieces),  # best knows more than it may use
    ]


def _least_cases(rng: Generator) -> list[tuple]:
    def case(size: int, width: int, unused: list[int], k: int, shift: float) -> tuple:
        table = torch.tensor(rng.normal(size=(size, width)) + shift, dtype=torch.float32)
        center = torch.tensor(rng.normal(size=width) + 3 * shift, dtype=torch.float32)
        near = [*unused, *(int(i) for i in rng.choice(size, size=size // 4, replace=False))]
        for n, i in enumerate(near):
            table[i] = center + (0.02 + 0.05 * n) * torch.tensor(rng.normal(size=width), dtype=torch.float32)
        return table, unused, k

    return [
        case(20, 4, [3, 7, 11], 4, 1.0),
        case(40, 6, [0, 1], 5, 0.5),
        case(30, 2, [29], 3, 2.0),
        case(12, 3, [5, 2, 8], 9, 1.0),
        case(25, 5, [4, 9], 1, 1.5),
    ]


def _move_cases(rng: Generator) -> list[tuple]:
    def table(size: int, width: int) -> Tensor:
        return torch.tensor(rng.normal(size=(size, width)), dtype=torch.float32)

    old_ids = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b" c": 4, b" ": 5, b"abc": 6}
    return [
        (table(7, 3), old_ids, [b"c", b"bc", b"ab", b"a"], [[2], [1, 2], [3], [0]]),
        (table(7, 4), old_ids, [b"abc c", b"b"], [[6, 4], [1]]),
        (table(7, 2), old_ids, [b" c", b"cab", b"c", b"cabc", b" "], [[4], [2, 3], [2], [2, 6], [5]]),
        # "abc" has a row, although the old tokenizer would cut it
        (table(7, 5), old_ids, [b"b", b"abc", b"aab"], [[1], [3, 2], [0, 3]]),
        (table(9, 3), {b"x": 8, b"y": 0}, [b"y", b"x", b"xyx"], [[0], [8], [8, 0, 8]]),
    ]


EXERCISES = [
    Exercise(
        name="longest_match",
        notebook="01b_more_tokenizers",
        minutes=2,
        difficulty=1,
        reference=longest_match,
        cases=_match_cases,
        hints=(
            "Which end do you start from, if the longest is to win?",
            "Try the whole text first, then one letter less, and so on; return the first that is in the vocabulary.",
            "Count `end` down from `len(text)` to 1 with `range(len(text), 0, -1)`; ask whether `mark + text[:end]` is "
            "in the vocabulary, and return `text[:end]`. After the loop, return an empty string.",
        ),
        proves="the longest start wins, inside and at the start of a word, and what fits nowhere gives an empty string",
        properties=[
            Property(
                "the result is a start of the text",
                lambda result, text, *_: text.startswith(result),
            ),
        ],
        mistakes=[
            Mistake(known.match(pick=min), "you return the shortest token that fits; the longest wins."),
            Mistake(known.match(marked=True), "the mark belongs to the vocabulary's spelling, not to the result."),
            Mistake(known.mark_ignored, "the vocabulary is asked without the mark; ask for `mark + start`."),
            Mistake(known.match(anywhere=True), "you look for tokens anywhere in the text; only its start counts."),
            Mistake(known.match(whole=False), "the whole text is never tried: text[:len(text)] can be a token too."),
            Mistake(known.match(otherwise=None), 'where nothing fits, return "", not None.'),
        ],
    ),
    Exercise(
        name="best_cut",
        notebook="01b_more_tokenizers",
        minutes=4,
        difficulty=2,
        reference=best_cut,
        cases=_cut_cases,
        tolerance=1e-9,
        hints=(
            "The last token of word[:end] starts somewhere. How many places are there to try?",
            "For each start from 0 to end - 1 whose token word[start:end] has a score, the total is the best score of "
            "what stands before plus the score of the token. Keep the largest total.",
            "Collect pairs `(best[start] + scores[word[start:end]], start)` for every start in `range(end)` whose "
            "token is in `scores`. Return the `max` of the pairs, or (-math.inf, 0) if there are none.",
        ),
        proves="the best total wins over the longest and over the likeliest token, and unreachable places are -inf",
        properties=[
            Property(
                "the last token is one that has a score",
                lambda result, word, end, best, scores: (
                    result[0] == -math.inf or (0 <= result[1] < end and word[result[1] : end] in scores)
                ),
                "the second number is where the last token starts: word[start:end] must be a token.",
            ),
        ],
        mistakes=[
            Mistake(known.cut(add_best=False), "the score of what stands before, best[start], is missing."),
            Mistake(known.cut(pick=min), "scores are log probabilities: the largest is the best."),
            Mistake(
                known.cut(key=lambda found: -found[1]),
                "you take the longest token, which is greedy; compare the totals.",
            ),
            Mistake(known.cut(key=lambda found: found[1]), "you take the shortest token; compare the totals."),
            Mistake(
                known.cut(combine=lambda before, score: before * score),
                "probabilities are multiplied, so their logarithms are added.",
            ),
            Mistake(
                known.cut(starts=lambda end: range(1, end)),
                "the last token may also start at 0 and be the whole word so far.",
            ),
            Mistake(
                known.cut(second=lambda start, end: end - start),
                "the second number is the length of the last token; return where it starts.",
            ),
            Mistake(known.cut(otherwise=(0.0, 0)), "a place that no token reaches has the score -inf, not 0."),
        ],
    ),
    Exercise(
        name="least_trained",
        notebook="01b_more_tokenizers",
        minutes=3,
        difficulty=2,
        reference=least_trained,
        cases=_least_cases,
        hints=(
            "What do rows that never occurred in training have in common, and where is their middle?",
            "Take the mean of the rows in `unused`, then the distance of every row to it, then the order of the "
            "distances; the ids in `unused` themselves are no find.",
            "`(table - center).norm(dim=1)` gives one distance a row, with `center = table[unused].mean(dim=0)`. Sort "
            "with `argsort()`, leave out the ids in `unused`, cut after k with `[:k]`; a list of ints is asked for.",
        ),
        proves="the nearest to the unused rows come first, without these, for one unused row or several",
        properties=[
            Property(
                "none of the ids in `unused` is in the result",
                lambda result, table, unused, k: not set(result) & set(unused),
                "the known ones are nearest to their own mean: leave them out before you cut after k.",
            ),
        ],
        mistakes=[
            Mistake(known.least(descending=True), "these lie farthest away; the nearest are asked for."),
            Mistake(known.least(distance=known.norms), "this sorts by the norm; take the distance to the unused rows."),
            Mistake(
                known.least(distance=known.to_everything),
                "this is the distance to the mean of the whole table; take the mean of the rows in `unused`.",
            ),
            Mistake(known.least(distance=known.to_first), "only the first unused row is used; take the mean of all."),
            Mistake(known.least(distance=known.angle), "this compares directions (cosine); take the distance."),
            Mistake(known.least(cut_first=True), "you cut after k before leaving out `unused`, so some are missing."),
        ],
    ),
    Exercise(
        name="move_embeddings",
        notebook="01b_more_tokenizers",
        minutes=2,
        difficulty=2,
        reference=move_embeddings,
        planted=planted_move_embeddings,
        cases=_move_cases,
        hints=(
            "Which row of the old table holds the meaning of `token`?",
            "`i` counts the new tokens. In the old vocabulary the same token had another number.",
            "`old_ids[token]` is the number that this token had; take that row instead of `old[i]`. The rest is right.",
        ),
        proves="tokens keep their own rows at their new places, and new ones get the mean of their pieces",
        mistakes=[
            Mistake(planted_move_embeddings, "row i of the old table belongs to another token."),
            Mistake(
                known.move(known=lambda old, i, old_id: old[i], fresh=lambda rows: rows[0]),
                "row i of the old table belongs to another token.",
            ),
            Mistake(
                known.move(fresh=lambda rows: rows.sum(0)), "a new token gets the sum of its pieces; take the mean."
            ),
            Mistake(known.move(fresh=lambda rows: rows[0]), "a new token gets only its first piece's row."),
            Mistake(known.move(fresh=lambda rows: rows[-1]), "a new token gets only its last piece's row."),
            Mistake(known.move(fresh=known.zeros_for_new), "a new token gets zeros; take the mean of its pieces."),
            Mistake(
                known.move(always_pieces=True),
                "a token that has an old id keeps its own row, even where the old tokenizer would cut it.",
            ),
        ],
    ),
]
