"""Does the rule that judges answers judge as a reader does? 120 answers with two readers' verdicts, beside the rule's.

    agreement("after")["made up"]          # Agreement(same=48, n=60, kappa=0.6…)
    between_readers("after")["made up"]    # the ceiling: no rule agrees more than readers do

Two lists of 60 answers to 20 test questions each. The rule was mended after the first reader had read the first, so
only the second list, read afterwards, tells how well it judges. The first reader, one of the authors, knew the rule and
a list of answers that it called right, but not what it called made up. The second saw question, right answer, handbook
and the answers in a shuffled order: neither the rule, nor the first one's verdicts, nor which way an answer came from.

What it does not do: tell whether readers of another kind would agree as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from helpers.files.safe_files import numbered_lines
from helpers.old.trials.answers import handbook_chunks, numbers, witnesses
from helpers.old.trials.answers_recorded import Judged, judged
from helpers.retrieval.citations import cite
from helpers.velunda.handbook import QUESTIONS

READ = QUESTIONS.parent / "read_verdicts.jsonl"
LISTS = ("before", "after")  # the rule was mended
READERS = ("first", "second")


class ReadVerdict(NamedTuple):
    """What a reader says of an answer. right: it says what the right answer says. made_up: it tells whoever asked
    something that the handbook does not say, or says of something else. (Neither the question's own words nor a true
    sentence that nobody would take for an answer is made up.)"""

    question: str
    way: str
    text: str
    right: bool
    made_up: bool
    read: str


class Agreement(NamedTuple):
    """same: of n answers, those of which both say the same. kappa: Cohen's (1960), 1 for all of them, 0 for as many as
    chance gives; reader, other: of how many the reader says it, and of how many the rule or the other reader."""

    same: int
    n: int
    kappa: float
    reader: int
    other: int


def load_read_verdicts(read: str | None = None, reader: str = "first", path: Path = READ) -> list[ReadVerdict]:
    """The verdicts of one of READERS, of one of LISTS or of both. Raises ValueError for another list or reader."""
    for what, given, known in (("list", read, (None, *LISTS)), ("reader", reader, READERS)):
        if given not in known:
            raise ValueError(f"There is no {what} {given!r}: choose one of {', '.join(filter(None, known))}.")
    asked = {row["id"]: row["question"] for _, row in numbered_lines(QUESTIONS)}
    return [
        ReadVerdict(
            asked[row["id"]], row["way"], row["text"], row[reader]["right"], row[reader]["made_up"], row["read"]
        )
        for _, row in numbered_lines(path)
        if read in (None, row["read"])
    ]


def beside(verdicts: list[ReadVerdict]) -> list[tuple[ReadVerdict, Judged]]:
    """Each with the rule's verdict. Raises LookupError, in one sentence, where another answer is recorded today."""
    by_rule: Mapping[tuple[str, str], Judged] = {
        (way, each.question.question): each for way, own in judged("test").items() for each in own
    }
    pairs = [(verdict, by_rule[verdict.way, verdict.question]) for verdict in verdicts]
    for verdict, each in pairs:
        if verdict.text != each.trial.text:
            raise LookupError(f"The answer to {verdict.question!r} ({verdict.way}) is another now: read it again.")
    return pairs


def first_rule(each: Judged) -> bool:
    """What counted as made up before the rule was mended: words of the question had to be borne out like any others,
    and a number that is quoted with its whole sentence counted as one that is lifted out of it."""
    question, text = each.question, each.trial.text
    seen = witnesses(question, each.trial.found, handbook_chunks())
    allowed = " ".join([question.question, question.answer or "", *(span.text for span in question.spans)])
    unsupported = any(citation.chunk is None for citation in cite(text, seen))
    return unsupported or bool(numbers(text) - numbers(allowed))


def agreement(
    read: str,
    made_up: Callable[[Judged], bool] = lambda each: each.verdict.hallucinated,
    reader: str = "first",
) -> dict[str, Agreement]:
    """How far a reader and the rule agree on one of LISTS, in two things: "right" and "made up".

    made_up: the rule for the second, today's unless given, such as `first_rule`.
    """
    pairs = beside(load_read_verdicts(read, reader))
    return {
        "right": _agreement([(verdict.right, each.verdict.right) for verdict, each in pairs]),
        "made up": _agreement([(verdict.made_up, made_up(each)) for verdict, each in pairs]),
    }


def between_readers(read: str) -> dict[str, Agreement]:
    """How far the two readers agree on one of LISTS, in the same two things."""
    pairs = list(zip(*(load_read_verdicts(read, reader) for reader in READERS), strict=True))
    return {
        "right": _agreement([(first.right, second.right) for first, second in pairs]),
        "made up": _agreement([(first.made_up, second.made_up) for first, second in pairs]),
    }


def _agreement(both: list[tuple[bool, bool]]) -> Agreement:
    from sklearn.metrics import cohen_kappa_score

    reader, other = zip(*both, strict=True)
    kappa = float(cohen_kappa_score(reader, other))
    return Agreement(sum(a == b for a, b in both), len(both), kappa, sum(reader), sum(other))
