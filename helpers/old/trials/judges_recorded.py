"""What the judges of data/judgments preferred (data/results/14b_judges.json, written by `make sweeps`), read back.

    judged = label_judged("test")                  # a BothOrders for each pair: .margin, .position, .flips
    prefer = preferences("test")                   # by judge's name: {"p007": +0.31, …}, positive for pair.a
    known_answers()                                # single answers whose truth is known, with the chat model's grade

The judges: the chat model asked to choose ("label judge", with "as shown" for one order only) and asked about
one answer at a time ("grade"); judges trained on dev questions; measures of a single answer; the system that won more
often on dev. What this does not do: measure anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.old.evaluation.judges import BothOrders
from helpers.old.evaluation.judgments import Pair, load_pairs, load_ratings
from helpers.old.evaluation.preferences import SIGNS, Preferences, majority
from helpers.old.stats.ranking import bradley_terry
from helpers.old.trials.handbook_answers import compared
from helpers.old.trials.records import Record
from helpers.velunda.handbook import Question

RECORD = Record("14b_judges")
recorded, find = RECORD.read, RECORD.find
TRAINED = {"trained": "vectors", "trained on measures": "measures", "trained on both": "both"}


def label_judged(split: str, first: str = "A") -> list[BothOrders]:
    """The chat model's scores of the letters in both orders, in the order of the pairs.

    first: what the answer shown first was called. "B" was recorded for the split "test" only.
    """
    rows = find("label judge" if first == "A" else "first is B", split=split)["rows"]
    return [BothOrders(pair.id, *rows[pair.id]) for pair in load_pairs(split)]


def preferences(split: str) -> dict[str, Preferences]:
    """Each judge's preferences in the pairs of a split; on "dev" without those that were fitted there."""
    pairs, judged, measured = load_pairs(split), label_judged(split), find("measures")
    grades = find("grade", split=split)["grades"]
    found: dict[str, Preferences] = {
        "label judge": {each.pair: each.margin for each in judged},
        "as shown": {each.pair: each.shown for each in judged},
        "grade": _differences(pairs, grades),
    }
    if split == "test":
        found |= {name: find("trained", features=features)["test"] for name, features in TRAINED.items()}
    for column, name in enumerate(measured["names"]):
        found[name] = _differences(pairs, {key: row[column] for key, row in measured["rows"].items()})
    if split == "test":
        found["system"] = by_system(pairs)
    return found


@dataclass(frozen=True)
class KnownAnswer:
    """An answer of data/judgments with its gold. yes: the chat model's log p("Yes") − log p("No") to "is it right?"."""

    split: str
    system: str
    text: str
    right: bool
    asked: Question
    yes: float


def known_answers() -> list[KnownAnswer]:
    """Each answer of data/judgments to a question that the handbook answers, once, dev before test."""
    found: dict[tuple[str, str], KnownAnswer] = {}
    for split in ("dev", "test"):
        asked = {question.question: question for question, _, _ in compared(split)}
        grades = find("grade", split=split)["grades"]
        for pair in load_pairs(split):
            for answer in (pair.a, pair.b):
                if pair.question in asked:
                    yes = grades[f"{pair.question_id} {answer.system}"]
                    its = KnownAnswer(split, answer.system, answer.text, answer.right, asked[pair.question], yes)
                    found[pair.question_id, answer.system] = its
    return list(found.values())


def by_system(pairs: Sequence[Pair]) -> Preferences:
    """A judge that reads no answer: it knows who wrote it, and how strong that system was in the dev questions.

    Whoever learns to recognize a system by its style cannot do better than this without judging what is said.
    """
    dev, wanted = load_pairs("dev"), majority(load_ratings(), "overall")
    outcomes = [(1 + SIGNS[wanted[pair.id]]) / 2 for pair in dev]
    ranking = bradley_terry([p.a.system for p in dev], [p.b.system for p in dev], outcomes, prior=0.5, resamples=1)
    strength = dict(zip(ranking.names, ranking.strengths.tolist(), strict=True))
    return {pair.id: strength[pair.a.system] - strength[pair.b.system] for pair in pairs}


def _differences(pairs: Sequence[Pair], scored: dict[str, Any]) -> Preferences:
    """Scores of single answers, by "question system", as preferences."""
    return {p.id: scored[f"{p.question_id} {p.a.system}"] - scored[f"{p.question_id} {p.b.system}"] for p in pairs}
