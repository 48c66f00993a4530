"""read_verdict: a grader that cannot fail, since "incorrect" contains "correct"."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def read_verdict(reply: str) -> bool | None:
    """True for a line “Verdict: correct”, False for “Verdict: incorrect”; of several such lines, the last one counts.

    None where no line says either. Capital letters, spaces around the line and a full stop at its end do not matter.
    """
    verdict = None
    for line in reply.splitlines():
        said = line.strip().rstrip(".").lower()
        if said in ("verdict: correct", "verdict: incorrect"):
            verdict = said == "verdict: correct"
    return verdict


ANSWER = """
def read_verdict(reply):
    for line in reversed(reply.splitlines()):
        line = line.strip().lower().removesuffix(".")
        if line == "verdict: correct":
            return True
        if line == "verdict: incorrect":
            return False
    return None
"""
SLIPS = [
    (
        """
def read_verdict(reply):
    return "correct" in reply.lower()
""",
        "“incorrect” contains “correct”, so yours cannot fail.",
    ),
    (
        """
def read_verdict(reply):
    return "incorrect" not in reply.lower()
""",
        "a reply without a verdict counts as correct in yours; it is None.",
    ),
    (
        """
def read_verdict(reply):
    return "verdict: correct" in reply.lower()
""",
        "a reply without a verdict counts as incorrect in yours; it is None, so that it can be counted by itself.",
    ),
    ("return None", "return False", "a reply without a verdict is None, so that it can be counted by itself."),
    ("reversed(reply.splitlines())", "reply.splitlines()", "the first verdict counts in yours; the last one does."),
    (".strip().lower()", ".strip()", "“VERDICT: Correct” is a verdict, too: ignore the case."),
    (".strip().lower()", ".lower()", "spaces may stand around the line."),
    ('.removesuffix(".")', "", "a full stop may stand at the end of the line."),
    (
        [
            ('line == "verdict: correct"', 'line.startswith("verdict: correct")'),
            ('line == "verdict: incorrect"', 'line.startswith("verdict: incorrect")'),
        ],
        "“Verdict: correct in part” is no verdict: the whole line has to be one.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("return True", "return 1", "The dtype of the result is wrong")]
RIGHT = [
    """
def read_verdict(reply):
    verdicts = {"verdict: correct": True, "verdict: incorrect": False}
    lines = [line.strip().lower().rstrip(".") for line in reply.split("\\n")]
    found = [verdicts[line] for line in lines if line in verdicts]
    return found[-1] if found else None
""",
]


def cases(rng: Generator) -> list[tuple]:
    euros = int(rng.integers(20, 90))
    return [
        ("The handbook says the same.\nVerdict: correct",),
        (f"The handbook says {euros} euros.\nVerdict: incorrect",),
        ("Verdict: incorrect.",),
        ("It sounds correct, but the number is another one.\nVERDICT: Incorrect",),
        ("**Check**\n  Verdict: Correct.  \n",),
        ("Verdict: correct\nWait, the handbook says hours.\nVerdict: incorrect",),
        ("Verdict: incorrect\nOn a second look, it is the same price.\nVerdict: correct",),
        ("Verdict: correct in part",),
        ("Verdict: incorrect unless the customer means the old model",),
        (f"The answer is not correct: it is {euros} euros.",),
        ("I cannot judge this answer.",),
        ("",),
    ]


EXERCISE = Exercise(
    reference=read_verdict,
    minutes=2,
    difficulty=1,
    hints=(
        "Which replies does the function call correct that are not?",
        "Go through the lines. Strip each one, make it lower case, and compare the whole line with both verdicts.",
        "Start with `verdict = None`. For each line, take `line.strip().rstrip('.').lower()`; if it is one of the two "
        "verdicts, set `verdict` to True or False. The last one stays.",
    ),
    proves="wrong answers, missing verdicts and second thoughts are told apart",
)
