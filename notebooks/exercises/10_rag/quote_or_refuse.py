"""Many sentences, each with a score: which do you show, and when do you show none?"""

from types import SimpleNamespace

MINUTES, DOTS = 9, 2
PROVES = "the best unit and its neighbors, rows, too, none across a heading; a best row alone; none below the threshold"


def quote_or_refuse(candidates, scores, units, threshold, around=2):
    if not candidates or max(scores) < threshold:
        return None
    document, at = candidates[scores.index(max(scores))]
    page = units[document]
    if page[at].row:
        return document, [page[at].text]
    shown = []
    for i in range(max(at - around, 0), min(at + around + 1, len(page))):
        if page[i].headings == page[at].headings:
            shown.append(page[i].text)
    return document, shown


HINTS = """
Which of the scores decides whether you answer at all? And whose neighbors do you show: in the document, or among the
    candidates?
The index of the best score gives (document, position). The neighbors are `units[document]` from position − around to
    position + around, as far as the document goes.
First return None where there is no candidate or the largest score lies below the threshold. Then return a row alone.
    For the rest, go through the positions from `max(at - around, 0)` on, and keep those with the headings of the best.
"""
SLIPS = """
 or max(scores) < threshold =>
    it never refuses: a best score below `threshold` means that nothing answers.
max(scores) < threshold => max(scores) <= threshold
    a score of exactly `threshold` is an answer: only what lies *below* it is refused.
max(scores) < threshold => min(scores) < threshold
    the *best* score decides whether there is an answer.
max(scores) < threshold => sum(scores) / len(scores) < threshold
    the best score decides whether there is an answer, not the mean.
max(scores) < threshold => max(scores) < 0
    the limit is `threshold`, not 0.
scores.index(max(scores)) => len(scores) - 1 - scores[::-1].index(max(scores))
    of equal scores the first sentence is quoted, not the last.
scores.index(max(scores)) => scores.index(min(scores))
    the lowest score is quoted: higher is better.
max(at - around, 0) => at - around
    before the beginning of a document, a negative position counts from its end.
at + around + 1 => at + around
    the last neighbor is missing: a range ends before its end.
    for i in range(max(at - around, 0), => for i in range(at,
    the sentences before the best one belong to its neighbors, too.
        if page[i].headings == page[at].headings: => if True:
    a neighbor under another heading is about something else.
page[i].headings == page[at].headings: => page[i].headings == page[at].headings and not page[i].row:
    a row next to the best sentence is its neighbor, too: only a row that is itself the best is shown alone.
```
    if page[at].row:
        return document, [page[at].text]
=>
```
    a row of a table is shown alone: the row beside it is about another thing.
around, 0), min(at + around => 2, 0), min(at + 2
    use `around`; yours always shows two sentences on each side.
return document, shown => return document, [page[at].text]
    the best sentence is shown without its neighbors.
candidates[scores.index(max(scores))] => candidates[0][0], candidates[scores.index(max(scores))][1]
    the document is that of the first candidate: it belongs to the sentence that is quoted.
"""
REFUSED = """
return None => return document, []
    It stops with an error
"""


def section(heading, *texts, row=False):
    return [SimpleNamespace(text=text, headings=(heading,), row=row) for text in texts]


HANDBOOK = {
    "cards": [*section("Buying", "Buy it here.", "It costs nothing."), *section("Use", "A.", "B.", "C.", "D.", "E.")],
    "prices": [*section("Locks", "All prices:"), *section("Locks", "lock: 119 €", "key: 19 €", "bag: 40 €", row=True)],
    "hours": section("Hours", "The desk opens at 8.", "It closes at 18.", "Not on Sundays.", "Nor on holidays."),
}
PLACES = [(name, at) for name, page in HANDBOOK.items() for at in range(len(page))]


def drive(answer, candidates, scores, threshold, *around):
    return answer(candidates, list(scores), HANDBOOK, threshold, *around)


def shown(candidates, scores, threshold, *around):
    return f"quote_or_refuse({candidates}, {scores}, HANDBOOK, {', '.join(map(str, (threshold, *around)))})"


def cases(rng):
    def drawn(n, *rest):
        rows = rng.permutation(len(PLACES))[:n]
        return [PLACES[row] for row in rows], [round(float(score), 1) for score in rng.normal(5, 3, n)], *rest

    return [
        ([("cards", 4)], [9.0], 8.0), ([("cards", 4)], [9.0], 9.0), ([("cards", 4)], [9.0], 9.5), ([], [], -1.0),
        ([("cards", 2), ("hours", 3)], [-2.0, -1.0], -3.0), ([("hours", 0), ("cards", 2)], [6.0, 6.0], 2.0),
        ([("hours", 3), ("hours", 0), ("cards", 1)], [1.0, 7.0, 3.0], 5.0), ([("hours", 2)], [8.0], 1.0, 0),
        ([("prices", 2), ("hours", 1)], [8.0, 2.0], 4.0), ([("hours", 2)], [8.0], 1.0, 1),
        ([("cards", 1), ("cards", 6)], [3.0, 8.0], 4.0), ([("cards", 4), ("hours", 1)], [2.0, 9.0], 6.0),
        ([("cards", 0), ("prices", 0)], [-5.0, 0.0], -1.0), *map(drawn, (5, 6), (4, 2)), drawn(4, 9, 1), drawn(8, 3, 3),
    ]  # fmt: skip
