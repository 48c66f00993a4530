"""choose_summary: the likeliest summary without an unsupported word, and none where all have one."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.assistants.reports import choose_summary, unsupported

ANSWER = """
def choose_summary(candidates, text):
    for number, summary in enumerate(candidates):
        if not unsupported(summary, text):
            return number
    return None
"""
EACH = "enumerate(candidates)"
SLIPS = [
    ("None", "-1", "−1 is the last one's number for a list; where all lie, give None."),
    (EACH, "enumerate(candidates, 1)", "numbers begin with 0."),
    ("return number", "return number or None", "`or` takes 0 for nothing: the first one's number is 0."),
    (
        "summary, text",
        "text, summary",
        "you ask whether the text is supported by the summary; it is the other way.",
    ),
    (
        "return None",
        "return min(range(len(candidates)), key=lambda i: len(unsupported(candidates[i], text)), default=None)",
        "the one with the fewest wrong words still lies: where all do, give None.",
    ),
    (
        EACH,
        "reversed([*enumerate(candidates)])",
        "this is the last one without a fault; candidates stand in order of likelihood.",
    ),
    ("None", "0", "where none is without a fault, give None, not the first."),
    (EACH, "enumerate(candidates[:1])", "you look at the first one only; the second may be without a fault."),
    (
        """
def choose_summary(candidates, text):
    return [number for number, summary in enumerate(candidates) if not unsupported(summary, text)]
""",
        "these are the numbers of all without a fault; give the first one's alone, or None.",
    ),
    ("return number", "return summary", "return the candidate's number, not its text."),
    ("if not", "if", "this is the first *with* a fault."),
    (
        EACH,
        "sorted(enumerate(candidates), key=lambda pair: -len(pair[1]))",
        "this is the longest one without a fault; take the likeliest, which stands first.",
    ),
]
RIGHT = [
    """
def choose_summary(candidates, text):
    clean = [not unsupported(summary, text) for summary in candidates]
    return clean.index(True) if any(clean) else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    text = "Mr. Haas paid 12 euros in Ghent on Monday."
    clean, longer = "In Ghent, it was paid.", "On Monday, Mr. Haas paid 12 euros in Ghent."
    lies = ["Mr. Lang paid 12 euros.", "It cost 13 euros.", "Mr. Lang paid 13 euros in Graz."]
    mixed = [*lies, clean, longer]
    return [
        (lies[:2] + [clean, longer], text),
        ([clean, longer, lies[0]], text),
        (list(lies), text),
        ([lies[2], lies[0]], text),
        ([mixed[i] for i in rng.permutation(len(mixed))], text),
        ([longer], text),
        ([lies[1], longer, clean], text),
        ([], text),
        ([clean, "On Monday in Ghent, it was paid."], text),  # the longer one is without a fault, too, and lacks names
    ]


EXERCISE = Exercise(
    reference=choose_summary,
    minutes=3,
    difficulty=1,
    hints=(
        "Which is worse: to hand on no draft, or one with a name that the report does not have?",
        "Go through the candidates, the likeliest first, and stop at one in which `unsupported` finds nothing. "
        "If there is none, there is no draft.",
        "A loop over `enumerate(candidates)` with one `if` that calls `unsupported(summary, text)` and returns the "
        "number; behind the loop, `return None`.",
    ),
    proves="the likeliest without an unsupported word, and None where all have one",
)
