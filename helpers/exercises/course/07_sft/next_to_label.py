"""next_to_label: the tickets of which the model is least sure, at most one of those that read alike."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def next_to_label(confidence: Sequence[float], group: Sequence[str], n: int) -> list[int]:
    """Indices of the n tickets to label next: those the model is least sure of, at most one per group.

    confidence: one per ticket; group: tickets that read alike have the same. The least sure comes first, of equals
    the earlier one; fewer than n where there are fewer groups, none where n is 0.
    """
    chosen: list[int] = []
    for i in sorted(range(len(confidence)), key=confidence.__getitem__):
        if all(group[i] != group[j] for j in chosen):
            chosen.append(i)
    return chosen[:n]


ANSWER = """
def next_to_label(confidence, group, n):
    order = sorted(range(len(confidence)), key=lambda i: confidence[i])
    seen, chosen = set(), []
    for i in order:
        if len(chosen) < n and group[i] not in seen:
            seen.add(group[i])
            chosen.append(i)
    return chosen
"""
ORDER = "sorted(range(len(confidence)), key=lambda i: confidence[i])"
KEY = "lambda i: confidence[i]"
FIRSTS = "you take the first ticket of each group; take its least sure one."
NONE = "with n = 0 nothing is chosen: ask whether there is room before you append."
ORDER_LOST = "the order is lost: the least sure comes first."
SLIPS = [
    (
        " and group[i] not in seen",
        "",
        "two of one group are chosen; take at most one per group.",
    ),
    (KEY, "lambda i: (confidence[i], -i)", "of equals you take the later; take the earlier."),
    (
        ORDER,
        "[confidence.index(sure) for sure in sorted(confidence)]",
        "`index` finds the first of equals only: sort the places, not the values.",
    ),
    ([("len(chosen) < n and ", ""), ("return chosen", "return sorted(chosen)[:n]")], ORDER_LOST),
    (KEY, "lambda i: -confidence[i]", "you take those of which the model is surest; it knows them."),
    (ORDER, "range(len(confidence))", "confidence does not count in your choice."),
    (
        KEY,
        "lambda i: abs(confidence[i] - 0.5)",
        "below one half a model with several choices is *less* sure; take the lowest confidence.",
    ),
    (
        "in order",
        "in order[:n]",
        "you cut to n first and then drop groups seen before: fewer are left than could be.",
    ),
    ("seen.add(group[i])", "seen = {group[i]}", "a group comes again after another one: remember all groups."),
    (
        "return chosen",
        "return chosen + [i for i in order if i not in chosen][: n - len(chosen)]",
        "where the groups run out, fewer than n are the answer.",
    ),
    ("return chosen", "return sorted(chosen)", ORDER_LOST),
    ("return chosen", "return [confidence[i] for i in chosen]", "give the tickets' indices, not their confidences."),
    ("< n", "<= n", "one too many."),
    (
        """
def next_to_label(confidence, group, n):
    chosen = []
    for i in sorted(range(len(confidence)), key=lambda i: confidence[i]):
        if all(group[i] != group[j] for j in chosen):
            chosen.append(i)
        if len(chosen) == n:
            break
    return chosen
""",
        NONE,
    ),
    (
        """
def next_to_label(confidence, group, n):
    chosen = []
    for i in sorted(range(len(confidence)), key=lambda i: confidence[i]):
        if all(group[i] != group[j] for j in chosen):
            chosen.append(i)
            if len(chosen) == n:
                break
    return chosen
""",
        NONE,
    ),
    (
        ORDER,
        "sorted(range(len(confidence)), key=lambda i: -confidence[i])[::-1]",
        "of equals you take the later; take the earlier.",
    ),
    (
        """
def next_to_label(confidence, group, n):
    firsts = [i for i in range(len(group)) if group[i] not in group[:i]]
    return sorted(firsts, key=lambda i: confidence[i])[:n]
""",
        FIRSTS,
    ),
    (
        """
def next_to_label(confidence, group, n):
    firsts = {name: i for i, name in reversed(list(enumerate(group)))}
    return sorted(firsts.values(), key=lambda i: confidence[i])[:n]
""",
        FIRSTS,
    ),
]
RIGHT = [
    """
def next_to_label(confidence, group, n):
    best = {}
    for i, (sure, name) in enumerate(zip(confidence, group)):
        if name not in best or sure < confidence[best[name]]:
            best[name] = i
    return sorted(best.values(), key=lambda i: (confidence[i], i))[:n]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, groups: int) -> tuple[list[float], list[str]]:
        sure = [round(float(x), 3) for x in rng.uniform(0.05, 1, size=n)]
        return sure, [f"g{int(g)}" for g in rng.integers(groups, size=n)]

    return [
        (*drawn(12, 5), 3),
        (*drawn(20, 12), 6),
        (*drawn(8, 3), 5),  # more wanted than there are groups
        ([0.5, 0.2, 0.2, 0.9, 0.3], ["a", "b", "c", "d", "b"], 3),  # equals
        ([0.9, 0.1, 0.4, 0.3, 0.2], ["a", "a", "a", "b", "b"], 2),
        ([0.2, 0.3, 0.4, 0.25, 0.9], ["a", "b", "a", "a", "c"], 3),
        ([0.7, 0.6], ["a", "b"], 0),
        ([round(float(x), 1) for x in rng.uniform(size=60)], [f"g{i % 43}" for i in range(60)], 30),  # equals, in many
    ]


EXERCISE = Exercise(
    reference=next_to_label,
    minutes=4,
    difficulty=2,
    hints=(
        "The model is unsure of three tickets that read the same. Which one of them do you want?",
        "Go through the tickets from the least sure to the surest. Take one if no ticket of its group has been "
        "taken yet, and stop at n.",
        "`sorted(range(len(confidence)), key=…)` gives the indices, the least sure first, and keeps equals in "
        "order. Remember the groups that you have seen in a set.",
    ),
    proves="least sure first, one per group, also where equals meet or groups run out",
)
