"""wrong_role: a lie made of true words, the summary's last number replaced by another number of its report."""

from __future__ import annotations

import re

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.velunda.reports import generate_reports

ANSWER = r"""
def wrong_role(summary, text):
    stated = list(re.finditer(r"\b\d+\b", summary))
    others = [n for n in re.findall(r"\b\d+\b", text) if n not in {m[0] for m in stated}]
    if not stated or not others:
        return None
    last = stated[-1]
    return summary[: last.start()] + others[0] + summary[last.end() :]
"""
OTHERS = r'[n for n in re.findall(r"\b\d+\b", text) if n not in {m[0] for m in stated}]'
PUT = "summary[: last.start()] + others[0] + summary[last.end() :]"
SLIPS = [
    (
        "n not in {m[0] for m in stated}",
        "n not in summary",
        "`in summary` also finds 7 *within* 107: compare with the whole numbers that the summary states.",
    ),
    (
        PUT,
        "others[0].join(summary.rsplit(last[0], 1))",
        "the last place with these digits is within E04; cut the summary at the position of the match.",
    ),
    (
        "n not in {m[0] for m in stated}",
        "n != stated[-1][0]",
        "the summary states this number already, if not as its last one; compare with all that it states.",
    ),
    (OTHERS, r're.findall(r"\b\d+\b", text)', "you put in a number that the summary states already; take another one."),
    (
        PUT,
        r're.sub(rf"\b{last[0]}\b", others[0], summary)',
        "`re.sub` changes every place with this number; change the last place only.",
    ),
    (OTHERS, f"sorted({OTHERS}, key=int)", "the numbers are sorted: take the one that comes first in the text."),
    ("        return None", '        return ""', "where no lie can be made, give None, not an empty text."),
    ("stated[-1]", "stated[0]", "this replaces the first number; replace the last one."),
    ("others[0]", "others[-1]", "this puts in the text's last other number; take the first one."),
    ("others[0]", "str(int(last[0]) + 1)", "the text does not have this number, so `unsupported` finds it."),
    (
        PUT,
        "summary.replace(last[0], others[0])",
        "`replace` changes the same digits elsewhere, too, even within a longer number; change one place only.",
    ),
    (
        "not stated or not others",
        "not stated",
        "where the text has no other number there is nothing to put in: give None.",
    ),
    ("        return None", "        return summary", "where no lie can be made, give None, not the true summary."),
    (
        [(r'(r"\b\d+\b", summary)', r'(r"\d+", summary)'), (r'(r"\b\d+\b", text)', r'(r"\d+", text)')],
        r"the 04 of E04 is a part of a word, not a number: match whole words, `\b\d+\b`.",
    ),
    (
        r'(r"\b\d+\b", text)',
        r'(r"\d+", text)',
        r"the 04 of E04 is a part of a word, not a number: match whole words, `\b\d+\b`.",
    ),
]
REFUSED = [
    ("not stated or not others", "not others", "It stops with an error"),
]
RIGHT = [
    r"""
def wrong_role(summary, text):
    numbers = re.findall(r"\b\d+\b", summary)
    for other in re.findall(r"\b\d+\b", text):
        if numbers and other not in numbers:
            return re.sub(r"\b\d+\b(?!.*\b\d+\b)", other, summary, count=1, flags=re.DOTALL)
    return None
""",
]


def wrong_role(summary: str, text: str) -> str | None:
    """The summary with its last number replaced by the first number of the text that the summary does not state.

    A number is a run of digits that is a whole word. None where the summary states no number, or the text no other one.
    """
    stated = list(re.finditer(r"\b\d+\b", summary))
    others = [n for n in re.findall(r"\b\d+\b", text) if n not in {m[0] for m in stated}]
    if not stated or not others:
        return None
    last = stated[-1]
    return summary[: last.start()] + others[0] + summary[last.end() :]


def cases(rng: Generator) -> list[tuple]:
    reports = generate_reports(12, seed=int(rng.integers(1000)))
    return [
        ("It was dead for 45 minutes.", "After 20 minutes of waiting, 45 minutes in all, 17 of them at night."),
        ("After 12 days, 30 riders paid 12 euros.", "In 12 days 30 riders paid 12 euros; 7 paid 8."),
        ("In 2 shops, 120 of 20 riders wrote.", "There were 2 shops, 120 letters, 20 riders and 35 bells."),
        ("The app was dead for 5 minutes.", "It was dead for 5 minutes."),
        ("Nothing was said.", "It took 12 minutes and 4 people."),
        ("Error E04 cost 90 euros.", "The Kite showed E05 after 300 kilometers; error E04 cost 90 euros."),
        ("The app had failed for 107 minutes.", "After 7 calls and 30 mails, the app was back, 107 minutes later."),
        ("It took 4 hours to clear error E04.", "Of 30 riders, one waited 4 hours for error E04 to go."),
        ("It took 31 minutes and showed E04.", "At 9:15 it showed E04. It took 31 minutes."),
        *[(report["summary"], report["text"]) for report in reports[:6]],
    ]


EXERCISE = Exercise(
    reference=wrong_role,
    minutes=4,
    difficulty=2,
    hints=(
        "Which words of a summary does `unsupported` let pass? Of those, which one could stand in the wrong place?",
        "Collect the numbers of the text that the summary does not state. If there is one, put the first in the "
        "place of the summary's last number, at its position.",
        'Use `list(re.finditer(r"\\b\\d+\\b", summary))` for the positions: the last match has `.start()` and '
        "`.end()`. The lie is what stands before it, plus the other number, plus what stands behind it.",
    ),
    proves="whole numbers only, the last place, the first other number of the text, and None where there is none",
)
