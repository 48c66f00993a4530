"""Exercises of 10_rag: a rank, windows of sentences, BM25, nearest vectors, fusion, rows that are none."""

from __future__ import annotations

from helpers.exercises.checking import retrieval_cases as inputs
from helpers.exercises.checking import retrieval_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.retrieval.chunking import pack_units
from helpers.retrieval.hybrid import reciprocal_rank_fusion
from helpers.retrieval.metrics import reciprocal_rank
from helpers.retrieval.vectors import cosine_top_k

# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

NOTEBOOK = "10_rag"
LENGTHS = "divide each vector by its own length first."
EXERCISES = [
    Exercise(
        name="reciprocal_rank",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=1,
        reference=reciprocal_rank,
        cases=inputs.rank_cases,
        hints=(
            "The right passage comes third. How much is that search worth?",
            "Walk through what was found with its ranks, and leave at the first that is relevant. What do you return "
            "if you come to the end?",
            "`enumerate(ranked, start=1)` gives ranks that begin with 1. Inside the loop: if the passage is in "
            "`relevant`, return 1 over the rank. Behind the loop: 0.0.",
        ),
        proves="the first relevant passage decides, ranks begin with 1, and nothing found gives 0",
        mistakes=[
            Mistake(
                known.ranked_by(lambda ranks, *_: 1 / ranks[0], start=0), "your ranks begin with 0; the first has 1."
            ),
            Mistake(known.ranked_by(lambda ranks, *_: 1 / ranks[0], start=2), "one too many: the first has rank 1."),
            Mistake(known.ranked_by(lambda ranks, *_: ranks[0]), "this is the rank; give 1 / rank."),
            Mistake(known.ranked_by(lambda ranks, *_: 1 / ranks[-1]), "the first relevant one counts, not the last."),
            Mistake(
                known.ranked_by(lambda ranks, *_: sum(1 / r for r in ranks)), "only the first relevant one counts."
            ),
            Mistake(
                known.ranked_by(lambda ranks, n, _: sum(1 / r for r in ranks) / n),
                "only the first relevant one counts.",
            ),
            Mistake(
                known.ranked_by(lambda ranks, *_: sum(1 / r for r in ranks) / len(ranks)),
                "only the first relevant one counts.",
            ),
            Mistake(
                known.ranked_by(lambda ranks, n, found: 1 - (ranks[0] - 1) / found),
                "the worth falls as 1, 1/2, 1/3 …, not evenly.",
            ),
            Mistake(
                known.ranked_by(lambda ranks, *_: 1 / ranks[0] if ranks[0] == 1 else 0.0),
                "you look at the first place only; go on until you meet a relevant one.",
            ),
            Mistake(known.ranked_by(lambda ranks, *_: 1 / ranks[0], missing=1.0), "nothing found is worth 0, not 1."),
            Mistake(known.ranked_by(lambda ranks, *_: 1 / ranks[0], missing=-1.0), "nothing found is worth 0, not −1."),
        ],
    ),
    Exercise(
        name="pack_sentences",
        notebook=NOTEBOOK,
        minutes=6,
        difficulty=2,
        reference=pack_units,
        cases=inputs.window_cases,
        hints=(
            "Two questions at each window: how far does it reach, and how far do you step back before the next one?",
            "Move `last` on while the next sentence still fits. Then let the next `first` step back from `last`, one "
            "sentence at a time, while two sums allow it: that of the sentences shared, and that together with the "
            "sentence behind them.",
            "Inside a loop over windows: `last = first + 1`, then raise it while `sum(lengths[first:last + 1])` is at "
            "most `size`. Note (first, last); at the end of the list, stop. Else start `back` at `last` and lower it "
            "by one while `sum(lengths[back - 1:last])` is at most `overlap` and `sum(lengths[back - 1:last + 1])` at "
            "most `size`. The next window begins there.",
        ),
        proves="no sentence is cut or lost, no window is too long, and overlaps are as large as they may be",
        properties=[
            Property(
                "every sentence stands in a window", inputs.covers, "a sentence is lost between or behind windows."
            ),
            Property("no window of two sentences or more is longer than `size`", inputs.fits),
            Property("a window ends later than the one before it", inputs.moves_on, "a window says nothing new."),
        ],
        mistakes=[
            Mistake(known.windows(share="none"), "windows share nothing: step back before the next one begins."),
            Mistake(known.windows(share="below"), "sentences of exactly `overlap` tokens are shared, too: `<=`."),
            Mistake(known.windows(share="sentences"), "`overlap` counts tokens, not sentences."),
            Mistake(known.windows(share="sentences", room=False), "`overlap` counts tokens, not sentences."),
            Mistake(
                known.windows(share="at least"), "windows share more than `overlap`: it is the most, not the least."
            ),
            Mistake(
                known.windows(share="at least", room=False),
                "windows share more than `overlap`: it is the most, not the least.",
            ),
            Mistake(
                known.windows(room=False, stop="tail"),
                "what is shared leaves no room for the sentence behind it, so a window says nothing new: share less.",
            ),
            Mistake(
                known.windows(room=False),
                "what is shared leaves no room for the sentence behind it, so a window says nothing new: share less.",
            ),
            Mistake(
                known.windows(stop="tail"), "once a window ends with the last sentence, another one says nothing new."
            ),
            Mistake(known.windows(fits="below"), "a window of exactly `size` tokens is allowed: `<=`."),
            Mistake(
                known.windows(fits="one too many"),
                "windows are one sentence too long: ask whether the *next* one fits.",
            ),
            Mistake(known.windows(skip=1), "a sentence is skipped between windows."),
            Mistake(known.windows(share="none", skip=1), "a sentence is skipped between windows."),
            Mistake(known.windows(last=-1), "`last` is the first sentence that is *not* in the window, as in a slice."),
            Mistake(known.windows(out="lists"), "give each window as the pair (first, last), not as its sentences."),
            Mistake(known.long_ones_lost, "a sentence longer than `size` is left out; it stands alone in a window."),
            Mistake(
                known.last_window_lost(share="none"), "windows share nothing, and the last one, not full, is lost."
            ),
            Mistake(known.cut_when_full(last=False), "windows share nothing, and the last one, not full, is lost."),
            Mistake(known.cut_when_full(), "windows share nothing: step back before the next one begins."),
            Mistake(known.last_window_lost(), "the last window is lost: it need not be full."),
        ],
    ),
    Exercise(
        name="cosine_top_k",
        notebook=NOTEBOOK,
        minutes=3,
        difficulty=1,
        reference=cosine_top_k,
        cases=inputs.vector_cases,
        hints=(
            "A vector ten times as long points the same way. What must its length not change?",
            "Divide each vector, and the query, by its own length (`np.linalg.norm`, with an axis for the rows). After "
            "that, one product gives all cosines. Sort them, largest first.",
            "`np.linalg.norm(vectors, axis=1, keepdims=True)` has the shape (N, 1), so it divides row by row. "
            '`np.argsort` sorts upwards: give it the negative cosines, and `kind="stable"` to keep equals in order. '
            "A slice of the first k is no error where there are fewer.",
        ),
        proves="the angle alone decides, whatever the lengths; equals keep their order, and k may exceed N",
        mistakes=[
            Mistake(known.nearest_by(vectors_by="nothing", query_by="nothing"), f"long vectors win: {LENGTHS}"),
            Mistake(known.nearest_by(vectors_by="nothing"), f"long vectors win: {LENGTHS}"),
            Mistake(
                known.nearest_by(query_by="multiplied"),
                "you multiply by the query's length where you should divide: a / (b · c) needs its parentheses.",
            ),
            Mistake(known.nearest_by(query_by="nothing"), "the rows are right; the query still has its own length."),
            Mistake(
                known.nearest_by(vectors_by="one length for all"),
                "one length for the whole matrix: `axis=1` is missing.",
            ),
            Mistake(
                known.nearest_by(vectors_by="columns"), "you divide column by column; a vector is a row: `axis=1`."
            ),
            Mistake(
                known.nearest_by(vectors_by="sum"), "a length is the root of the sum of squares, `np.linalg.norm`."
            ),
            Mistake(known.nearest_by(order="up"), "`np.argsort` sorts upwards: these are the farthest."),
            Mistake(known.nearest_by(order="not stable, up"), "`np.argsort` sorts upwards: these are the farthest."),
            Mistake(
                known.nearest_by(order="reversed"), "turning the order around turns equals around, too: sort −cosines."
            ),
            Mistake(
                known.nearest_by(order="not stable, reversed"),
                "turning the order around turns equals around, too: sort −cosines.",
            ),
            Mistake(
                known.nearest_by(order="not stable"),
                'equal cosines lose their order in this sort; `kind="stable"` keeps it.',
            ),
            Mistake(known.nearest_by(order="rows rise"), "these are the right rows; the best one comes first."),
            Mistake(known.nearest_by(out="cosines, rows"), "rows come first, then cosines."),
            Mistake(known.nearest_by(out="all"), "give the cosines of these rows only, in the same order."),
            Mistake(known.by_distance, "the nearest *point* is meant by a distance; here the smallest *angle*."),
        ],
    ),
    Exercise(
        name="reciprocal_rank_fusion",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=1,
        reference=reciprocal_rank_fusion,
        cases=inputs.fusion_cases,
        hints=(
            "BM25 says 14.2, the cosine is 0.61. You cannot add these. What can you add?",
            "A dictionary from item to score. Go through the rankings, and through each with its ranks, and add to "
            "what the item has already. At the end, sort the pairs by score.",
            "`scores.get(item, 0.0)` is what an item has so far, `enumerate(ranking, start=1)` gives the ranks. Skip a "
            "ranking whose weight is 0. `sorted` keeps equals in the order in which the dictionary got them; sort by "
            "the negative score, since `reverse=True` keeps it as well.",
        ),
        proves="ranks alone count, from 1; weights, c, items of one ranking only, ties and empty rankings",
        mistakes=[
            Mistake(known.fused(start=0), "your ranks begin with 0; the first has rank 1."),
            Mistake(known.fused(weighted=False), "the weights are not used."),
            Mistake(known.fused(worth=lambda weight, c, rank: 1 / (c + rank)), "a weight counts only as 0 or not 0."),
            Mistake(known.fused(c_is=60), "c is fixed as 60; use the one that is given."),
            Mistake(known.fused(c_is=0), "c is left out: rank 1 would count twice as much as rank 2."),
            Mistake(
                known.fused(worth=lambda weight, c, rank: weight / c + rank),
                "parentheses: weight / (c + rank).",
            ),
            Mistake(
                known.fused(worth=lambda weight, c, rank: 1 / (c + weight * rank)),
                "the weight multiplies what a rank is worth, not the rank.",
            ),
            Mistake(known.fused(worth=lambda weight, c, rank: weight * rank), "this adds ranks: the worst would win."),
            Mistake(known.fused(collect="last"), "the last ranking overwrites the others: add to what the item has."),
            Mistake(known.fused(collect="best"), "only an item's best rank counts; all its ranks add up."),
            Mistake(known.fused(keep="shared"), "an item that only one ranking has counts, too."),
            Mistake(known.fused(order="up"), "the worst comes first."),
            Mistake(known.fused(order="as met"), "the pairs are not sorted by score."),
            Mistake(known.fused(order="by name"), "of equal scores the item that was met first, not by its name."),
            Mistake(
                known.fused(skip=False), "a ranking of weight 0 still brings in items, with score 0: leave it out."
            ),
            Mistake(known.fused(divide="rankings"), "this is the mean; scores add up."),
            Mistake(known.fused(divide="weights"), "you divide by the sum of the weights; scores add up."),
            Mistake(known.fused(out="items"), "give each item together with its score."),
            Mistake(known.fused(out="dictionary"), "give a list of pairs: `sorted(scores.items(), …)`."),
        ],
    ),
]
