"""Two searches give scores on different scales: how do you make one ranking of them?"""

MINUTES, DOTS = 6, 1
PROVES = "ranks alone count, from 1; c, chunks of one ranking only, ties and empty rankings"


def reciprocal_rank_fusion(rankings, c=10):
    scores = {}
    for ranking in rankings:
        for rank, chunk in enumerate(ranking, start=1):
            scores[chunk] = scores.get(chunk, 0.0) + 1 / (c + rank)
    return sorted(scores, key=lambda chunk: -scores[chunk])


HINTS = """
What is the first chunk of a ranking worth, and what the third? What is a chunk worth that stands in both rankings?
You need one number for each chunk, to which every ranking adds: a dictionary, in which a new chunk begins with 0.
`enumerate(ranking, start=1)` gives ranks, `scores.get(chunk, 0.0)` what a chunk has so far. `sorted` keeps equals in
    the order in which the dictionary got them.
"""
SLIPS = """
start=1 => start=0
    your ranks begin with 0; the first has rank 1.
(c + rank) => (60 + rank)
    c is fixed: use the one that is given.
(c + rank) => (10 + rank)
    c is fixed: use the one that is given.
(c + rank) => rank
    c is left out: rank 1 would count twice as much as rank 2.
(c + rank) => c + rank
    parentheses: 1 / (c + rank).
1 / (c + rank) => c + rank
    this adds ranks, so the worst would win: add 1 / (c + rank).
scores.get(chunk, 0.0) + 1 => 1
    the last ranking overwrites the others: add to what the chunk has.
scores.get(chunk, 0.0) + 1 / (c + rank) => max(scores.get(chunk, 0.0), 1 / (c + rank))
    only a chunk's best rank counts; all its ranks add up.
1 / (c + rank) => 1 / (c + rank) / len(ranking)
    you divide by the length of the ranking: a rank is worth the same in a short and in a long one.
```
    return sorted
=>
    for chunk in list(scores):
        if not all(chunk in ranking for ranking in rankings):
            del scores[chunk]
    return sorted
```
    a chunk that only one ranking has counts, too.
-scores[chunk]) => scores[chunk])
    the worst comes first.
sorted(scores, key=lambda chunk: -scores[chunk]) => list(scores)
    the chunks are not sorted by their score.
(scores, key=lambda chunk: -scores[chunk]) => (scores, key=lambda chunk: (-scores[chunk], chunk))
    of equal scores the chunk that was met first, not the one with the smaller number.
sorted(scores, key=lambda chunk: -scores[chunk]) => sorted(scores, key=scores.get)[::-1]
    of equal scores the chunk that was met first, not last.
"""
REFUSED = """
sorted(scores, key=lambda chunk: -scores[chunk]) => scores
    Expected a list
"""


def cases(rng):
    def ranking(n):
        return [int(row) for row in rng.permutation(9)[:n]]

    return [
        ([[1, 2], [2, 3]],), ([[2, 1], [1, 2]],), ([[1, 8], [9, 2], [8, 9]],), ([ranking(6), ranking(5)],),
        ([ranking(6), ranking(5), ranking(7)],), ([ranking(9), ranking(9)], 1), ([ranking(9), ranking(9)], 60),
        ([[4, 5, 6, 7], [8, 6, 5]], 1), ([[1, 2, 3], [4, 5]],), ([[3, 1, 2]],), ([[], [1]],), ([],),
        ([[5, 3, 8], [4, 6, 8]],), ([[0, 1, 2, 3, 4, 5, 6], [7, 8, 6]], 3), ([[1, 2, 3, 4], [5, 4]], 0),
    ]  # fmt: skip
