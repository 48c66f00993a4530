"""Exercises of 01b_more_tokenizers: longest match, one step of Viterbi, untrained tokens, a table that moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from helpers.exercises.checking import more_tokenizers_cases as inputs
from helpers.exercises.checking import more_tokenizers_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property


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


EXERCISES = [
    Exercise(
        name="longest_match",
        notebook="01b_more_tokenizers",
        minutes=2,
        difficulty=1,
        reference=longest_match,
        cases=inputs.match_cases,
        hints=(
            "Which end do you start from, if the longest is to win?",
            "Ask for one start of the text after another, in an order in which the first that fits is the answer.",
            "Try the whole text first, then one letter less, and so on: count `end` down from `len(text)` to 1 with "
            "`range(len(text), 0, -1)`, ask whether `mark + text[:end]` is in the vocabulary, and return `text[:end]`. "
            "After the loop, return an empty string.",
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
            Mistake(
                known.match(shortest=2), "a token of one letter is never tried: the last start to ask for is text[:1]."
            ),
            Mistake(
                known.up_to_the_first_gap, "you stop at the first start that is no token; a longer one may be one."
            ),
            Mistake(
                known.match(either=True), "inside a word, only tokens with the mark count; yours takes others as well."
            ),
            *(
                Mistake(
                    known.match(longest=n), "a token may have any length; yours looks at the first few letters only."
                )
                for n in (8, 10, 16)
            ),
            Mistake(known.other_mark("##", always=False), "the mark is what the caller passes; yours is always “##”."),
            Mistake(known.other_mark("##", always=True), "the mark is what the caller passes; yours is always “##”."),
            *(
                Mistake(variant, "“B” and “b” are different letters: leave the text's case as it is.")
                for variant in (known.lowered, known.match(asked=str.lower))
            ),
            *(
                Mistake(
                    known.match(undo=undo),
                    "taking the mark off again also takes letters of the text; return text[:end], which never had it.",
                )
                for undo in (known.lstrip, known.replace, known.strip)
            ),
            Mistake(known.match(undo=known.two_off), "the mark need not be two letters long; return text[:end]."),
        ],
    ),
    Exercise(
        name="best_cut",
        notebook="01b_more_tokenizers",
        minutes=4,
        difficulty=2,
        reference=best_cut,
        cases=inputs.cut_cases,
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
                "where no token ends, the result is (-inf, 0)",
                lambda result, word, end, best, scores: (
                    result == (-math.inf, 0) or any(word[start:end] in scores for start in range(end))
                ),
                "no token ends here: return -math.inf exactly, and 0.",
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
            Mistake(
                known.cut(second=lambda start, end: end), "the second number is `end`; return where the token starts."
            ),
            *(
                Mistake(variant, "a number stands for “impossible”, and a total may lie below it: use -math.inf.")
                for low in (-100.0, -1e3, -1e4, -1e5, -1e6, -1e9, -1e10)
                for variant in (known.start_value(low), *([known.cut(default=low)] if low < -1e3 else []))
            ),
            *(
                Mistake(known.cut(default=score), "what is not in `scores` is no token; leave it out.")
                for score in (0.0, -1.0, -10.0, -20.0, -100.0, -1e3)
            ),
            Mistake(
                known.cut(token=lambda word, start, end: word[start:]),
                "the token stops at `end`, not at the end of the word.",
            ),
            *(
                Mistake(known.swapped(none), "the two numbers are swapped: the score comes first.")
                for none in ((-math.inf, 0), (0, -math.inf))
            ),
            *(
                Mistake(
                    known.cut(starts=lambda end, n=n: range(max(0, end - n), end)),
                    "the last token may have any length; yours looks back a few letters only.",
                )
                for n in (4, 5, 8, 10, 16)
            ),
            Mistake(
                known.cut(falsy=True),
                "a score of 0 counts as False, but it is a score: ask whether the token is in `scores`.",
            ),
        ],
    ),
    Exercise(
        name="least_trained",
        notebook="01b_more_tokenizers",
        minutes=3,
        difficulty=2,
        reference=least_trained,
        cases=inputs.least_cases,
        hints=(
            "What do rows that never occurred in training have in common, and where is their middle?",
            "You need one point, one number for each row, and an order; ids that you knew before are no find.",
            "Take the mean of the rows in `unused`, then the distance of every row to it: "
            "`(table - center).norm(dim=1)` with `center = table[unused].mean(dim=0)`. Sort with `argsort()`, leave "
            "out the ids in `unused`, cut after k with `[:k]`; a list of ints is asked for.",
        ),
        proves="the nearest to the unused rows come first, without these, for one unused row or several",
        properties=[
            Property(
                "none of the ids in `unused` is in the result",
                lambda result, table, unused, k: not set(result) & set(unused),
                "leave the known ones out by their ids, before you cut after k.",
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
            Mistake(known.first_places_off, "the first places are not always the known ones; leave them out by id."),
            Mistake(
                known.filtered,
                "these are positions in the table without the unused rows; ids count in the whole table.",
            ),
            *(
                Mistake(known.stand_in(far), "a real distance may be larger than your stand-in: use math.inf.")
                for far in (1.0, 10.0, 100.0, 999.0, 1e3, 1e6)
            ),
            Mistake(
                known.least(distance=known.to_sum), "this is the distance to the sum of the rows; take their mean."
            ),
            Mistake(
                known.least(distance=known.absolute), "this adds up absolute differences; take the Euclidean distance."
            ),
            Mistake(
                known.least(distance=known.to_any),
                "this is the distance to the nearest of the unused rows; take the distance to their mean.",
            ),
        ],
    ),
    Exercise(
        name="move_embeddings",
        notebook="01b_more_tokenizers",
        minutes=2,
        difficulty=1,
        reference=move_embeddings,
        planted=planted_move_embeddings,
        cases=inputs.move_cases,
        hints=(
            "Two branches fill a row. Try each by hand on a vocabulary of three.",
            "`i` counts the new tokens. In the old vocabulary, the same token may have had another number.",
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
            Mistake(known.falsy_id, "id 0 counts as False, but it is an id: ask `token in old_ids`."),
            *(
                Mistake(variant, "there may be more new tokens than old rows; make a table of len(new_tokens) rows.")
                for variant in (known.part_of_old, known.within_old)
            ),
            *(
                Mistake(variant, "`.mean()` without dim=0 makes one number of all rows; a row of means is asked for.")
                for variant in (known.move(fresh=torch.mean), known.filled(fresh=torch.mean))
            ),
            *(
                Mistake(
                    variant, "this writes the id itself into the row; take the row of `old` that stands at that id."
                )
                for variant in (known.filled(kept=lambda old, old_id: old_id), known.move(known=known.id_as_row))
            ),
        ],
    ),
]
