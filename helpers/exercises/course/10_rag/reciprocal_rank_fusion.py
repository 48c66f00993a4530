"""reciprocal_rank_fusion: scores of different searches cannot be added, what a rank is worth can."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.retrieval.hybrid import reciprocal_rank_fusion

ANSWER = """
def reciprocal_rank_fusion(rankings, weights=None, c=60):
    if weights is None:
        weights = [1] * len(rankings)
    scores = {}
    for ranking, weight in zip(rankings, weights):
        if weight == 0:
            continue
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (c + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])
"""
BY_RANK = """
def reciprocal_rank_fusion(rankings, weights=None, c=60):
    weights = weights or [1] * len(rankings)
    scores = {}
    for rank in range(1, max(map(len, rankings), default=0) + 1):
        for ranking, weight in zip(rankings, weights):
            if weight and rank <= len(ranking):
                item = ranking[rank - 1]
                scores[item] = scores.get(item, 0.0) + weight / (c + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])
"""
WORTH = "weight / (c + rank)"
SORTED = "sorted(scores.items(), key=lambda pair: -pair[1])"
SLIPS = [
    ("start=1", "start=0", "your ranks begin with 0; the first has rank 1."),
    ("    if weights is None:\n        weights", "    weights", "the weights are not used."),
    (WORTH, "1 / (c + rank)", "a weight counts only as 0 or not 0."),
    ("(c + rank)", "(60 + rank)", "c is fixed as 60; use the one that is given."),
    ("(c + rank)", "(10 + rank)", "c is fixed as 10; use the one that is given."),
    ("(c + rank)", "rank", "c is left out: rank 1 would count twice as much as rank 2."),
    ("(c + rank)", "c + rank", "parentheses: weight / (c + rank)."),
    (WORTH, "1 / (c + weight * rank)", "the weight multiplies what a rank is worth, not the rank."),
    (WORTH, "weight * rank", "this adds ranks: the worst would win."),
    ("scores.get(item, 0.0) + ", "", "the last ranking overwrites the others: add to what the item has."),
    (
        f"scores.get(item, 0.0) + {WORTH}",
        f"max(scores.get(item, 0.0), {WORTH})",
        "only an item's best rank counts; all its ranks add up.",
    ),
    (
        "return",
        """for item in list(scores):
        if not all(item in ranking for ranking in rankings):
            del scores[item]
    return""",
        "an item that only one ranking has counts, too.",
    ),
    ("-pair[1]", "pair[1]", "the worst comes first."),
    (SORTED, "list(scores.items())", "the pairs are not sorted by score."),
    ("-pair[1]", "(-pair[1], pair[0])", "of equal scores the item that was met first, not by its name."),
    (
        "        if weight == 0:\n            continue\n",
        "",
        "a ranking of weight 0 still brings in items, with score 0: leave it out.",
    ),
    (WORTH, f"{WORTH} / len(rankings)", "this is the mean; scores add up."),
    (WORTH, f"{WORTH} / sum(weights)", "you divide by the sum of the weights; scores add up."),
    (SORTED, "sorted(scores, key=scores.get, reverse=True)", "give each item together with its score."),
    (BY_RANK, "of equal scores the item that was met first, one ranking after the other, not all first places first."),
    (SORTED, f"dict({SORTED})", "give a list of pairs: `sorted(scores.items(), …)`."),
]
REFUSED = [
    ("    if weights is None:\n        weights = [1] * len(rankings)\n", "", "It stops with an error"),
    (SORTED, "scores", "Expected a list"),
]
RIGHT = [
    (SORTED, "sorted(scores.items(), key=lambda pair: pair[1], reverse=True)"),
    """
def reciprocal_rank_fusion(rankings, weights=None, c=60):
    weights = weights or [1.0] * len(rankings)
    pairs = [(ranking, weight) for ranking, weight in zip(rankings, weights) if weight > 0]
    items = list(dict.fromkeys(item for ranking, _ in pairs for item in ranking))
    total = lambda item: sum(w / (c + 1 + r.index(item)) for r, w in pairs if item in r)
    found = [(item, total(item)) for item in items]
    found.sort(key=lambda pair: -pair[1])
    return found
""",
]


def names(rng: Generator, n: int) -> list[str]:
    """The names p0 … of n passages in a random order."""
    return [f"p{i}" for i in rng.permutation(n)]


def cases(rng: Generator) -> list[tuple]:
    dense, sparse, third = (names(rng, 9)[:n] for n in (6, 5, 7))
    return [
        ([["a", "b"], ["b", "c"]],),
        ([["b", "a"], ["a", "b"]],),  # equal scores
        ([["a", "x"], ["y", "b"], ["x", "y"]],),  # x and y are equal, and x is met first
        ([dense, sparse],),
        ([dense, sparse, third],),
        ([dense, sparse], [1.0, 3.0]),
        ([dense, sparse], [0.0, 1.0]),
        ([dense, sparse, third], [0.5, 2.0, 1.0], 10),
        ([["a", "b", "c"], ["d", "e"]], None, 1),
        ([["c", "a", "b"]],),
        ([[], ["a"]],),
        ([],),
    ]


EXERCISE = Exercise(
    reference=reciprocal_rank_fusion,
    minutes=4,
    difficulty=1,
    hints=(
        "BM25 says 14.2, the cosine is 0.61. You cannot add these. What can you add?",
        "A dictionary from item to score. Go through the rankings, and through each with its ranks, and add to "
        "what the item has already. At the end, sort the pairs by score.",
        "`scores.get(item, 0.0)` is what an item has so far, `enumerate(ranking, start=1)` gives the ranks. Skip a "
        "ranking whose weight is 0. `sorted` keeps equals in the order in which the dictionary got them; sort by "
        "the negative score, since `reverse=True` keeps it as well.",
    ),
    proves="ranks alone count, from 1; weights, c, items of one ranking only, ties and empty rankings",
)
