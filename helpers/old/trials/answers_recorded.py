"""What the recorded trials of answers gave: data/results/10b_rag_quality.json, written by `make sweeps`, judged anew.

    judged("test")["from passages"]             # a `Judged` for each question: its trial, its verdict, its citations
    chosen_minimum()                            # of support, on dev
    signals("dev")["likelihood × support"]      # a confidence for each question
    pools("test")[0].ndcg(weight=0.5)           # a question's 20 hits, ordered anew

The file holds texts and scores only. What is said about them is computed here, so that it can be computed otherwise.
What this does not do: measure anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.old.metrics.selective import RiskCoverage, risk_coverage
from helpers.old.retrieval.metrics import ndcg_at_k, recall_at_k
from helpers.old.trials.answers import K, Trial, Verdict, handbook_chunks, judge, support_behind, witnesses
from helpers.old.trials.records import Record
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.citations import Citation, Support, cite, word_support
from helpers.retrieval.hybrid import C, reciprocal_rank_fusion
from helpers.velunda.handbook import Question, load_questions

RECORD = Record("10b_rag_quality")
recorded, find = RECORD.read, RECORD.find  # the whole of it, and one run
WAYS = {"closed book": "closed-book", "from passages": "answers", "quoted": "quoted"}
MINIMA = tuple(round(0.05 * n, 2) for n in range(1, 21))
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


# Answers -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """One question, its recorded answer, the verdict, and what the answer cites of what it has read.

    support: of the worst supported sentence by what may bear it out, 0 to 1.
    """

    question: Question
    trial: Trial
    verdict: Verdict
    citations: tuple[Citation, ...]
    support: float

    @property
    def cites(self) -> bool:
        """Is any sentence supported by a passage that was read?"""
        return any(citation.chunk is not None for citation in self.citations)

    @property
    def shows(self) -> bool:
        """Did the search find, for what was read or quoted from, every passage that the answer needs?"""
        spans = self.question.spans
        return bool(spans) and all(any(span.shown_by(chunk) for chunk in self.trial.found) for span in spans)

    @property
    def cites_right(self) -> bool:
        """Is the document that answers among those cited?"""
        gold = {span.document for span in self.question.spans}
        return any(citation.chunk is not None and citation.chunk.document in gold for citation in self.citations)


def trials(split: str, way: str = "from passages") -> list[Trial]:
    """The recorded answers of a split in one of WAYS, in the order of its questions. A closed book has read nothing.

    Raises KeyError for another way.
    """
    places = {(chunk.document, chunk.start, chunk.end): chunk for chunk in handbook_chunks()}

    def chunks(row: Mapping[str, Any], which: str) -> tuple[Chunk, ...]:
        return tuple(places[tuple(place)] for place in row[which])

    rows = rows_of(split, "answers")
    if WAYS[way] == "closed-book":
        closed = rows_of(split, "closed-book")
        return [
            Trial(own["text"], own["likelihood"], 0.0, chunks(row, "found"), ())
            for own, row in zip(closed, rows, strict=True)
        ]
    return [
        Trial(row["text"], row["likelihood"], row["retrieval"], chunks(row, "found"), chunks(row, "read"))
        for row in rows_of(split, WAYS[way])
    ]


def rows_of(split: str, case: str) -> list[dict[str, Any]]:
    """The recorded trials of a case on all questions of a split."""
    settings = {"k": K, "every": 1} if case == "answers" else {}
    return find(case, split=split, **settings)["trials"]


@lru_cache(maxsize=8)
def judged(split: str, minimum: float | None = None) -> dict[str, list[Judged]]:
    """For each of WAYS every question of the split with its verdict. minimum: `chosen_minimum()` unless given."""
    minimum = chosen_minimum() if minimum is None else minimum
    return {way: judge_all(load_questions(split), trials(split, way), minimum) for way in WAYS}


def judge_all(questions: Sequence[Question], given: Sequence[Trial], minimum: float) -> list[Judged]:
    """Each answer with its verdict and citations, recorded or new."""
    found = []
    for question, trial in zip(questions, given, strict=True):
        seen = witnesses(question, trial.found, handbook_chunks())
        verdict = judge(trial.text, question, seen, minimum)
        worst = worst_support(trial.text, seen, support_behind(question.question))
        found.append(Judged(question, trial, verdict, cite(trial.text, trial.read), worst))
    return found


def worst_support(text: str, passages: Sequence[Chunk], support: Support = word_support) -> float:
    """Support of a text's worst supported sentence by the passages, 0 where it has no sentence."""
    return min((each.support for each in cite(text, passages, minimum=0.0, support=support)), default=0.0)


@lru_cache(maxsize=1)
def chosen_minimum() -> float:
    """The support from which a sentence counts as borne out, chosen on dev: see `separation`."""
    return separation("dev")[0]


def separation(split: str) -> tuple[float, float, float]:
    """The minimum that best tells right answers that were read from answers of a closed book, and both shares there.

    The first are known to be borne out; the second were written without any passage, and those that are right all the
    same are left out. (minimum, share of the first that are borne out, share of the second that are): chosen is the
    minimum with the largest difference, the lowest of equal ones.
    """
    both = {way: judge_all(load_questions(split), trials(split, way), 0.5) for way in WAYS}

    def supports(way: str, right: bool) -> NDArray:
        own = [each for each in both[way] if each.verdict.right == right and each.trial.text]
        seen = [witnesses(each.question, each.trial.found, handbook_chunks()) for each in own]
        ways = [support_behind(each.question.question) for each in own]
        return np.array(
            [worst_support(*each) for each in zip([each.trial.text for each in own], seen, ways, strict=True)]
        )

    read, closed = supports("from passages", True), supports("closed book", False)
    shares = [(float((read >= m).mean()), float((closed >= m).mean())) for m in MINIMA]
    best = max(range(len(MINIMA)), key=lambda i: (round(shares[i][0] - shares[i][1], 9), -i))
    return MINIMA[best], *shares[best]


# Confidence ----------------------------------------------------------------------------------------------------------

SHOWN = "shown"  # no answer, only the three passages that are quoted from: right if they hold all that answers
Signal = Callable[[Trial, float], float]  # a trial and the best cosine that its question has in the handbook
SIGNALS: dict[str, tuple[str, Signal]] = {  # name: one of WAYS or SHOWN, and a confidence
    "written: retrieval": ("from passages", lambda trial, cosine: trial.retrieval),
    "written: cosine": ("from passages", lambda trial, cosine: cosine),
    "written: likelihood": ("from passages", lambda trial, cosine: trial.likelihood),
    "written: support": ("from passages", lambda trial, cosine: read_support(trial)),
    "written: likelihood × support": ("from passages", lambda trial, cosine: trial.likelihood * read_support(trial)),
    "quoted: retrieval": ("quoted", lambda trial, cosine: trial.retrieval),
    "quoted: cosine": ("quoted", lambda trial, cosine: trial.likelihood),
    "quoted: cosine × retrieval": ("quoted", lambda trial, cosine: trial.likelihood * trial.retrieval),
    "shown: retrieval": (SHOWN, lambda trial, cosine: trial.retrieval),
    "shown: cosine": (SHOWN, lambda trial, cosine: cosine),
    "shown: cosine of the sentence": (SHOWN, lambda trial, cosine: trial.likelihood),
}


@dataclass(frozen=True)
class Confidences:
    """A confidence for each question of a split, and whether the answer is right; of one signal."""

    values: tuple[float, ...]
    right: tuple[bool, ...]

    @property
    def curve(self) -> RiskCoverage:
        """Risk over coverage."""
        return risk_coverage(self.values, self.right)


def read_support(trial: Trial) -> float:
    """Support of an answer's worst sentence by the passages that were read, 0 without a sentence."""
    return worst_support(trial.text, trial.read)


@lru_cache(maxsize=2)
def signals(split: str) -> dict[str, Confidences]:
    """For each of SIGNALS what it says of every recorded answer of the split."""
    cosines = [row["cosine"] for row in rows_of(split, "answers")]
    found = {}
    for name, (way, signal) in SIGNALS.items():
        each = judged(split)["quoted" if way == SHOWN else way]
        values = [signal(own.trial, cosine) for own, cosine in zip(each, cosines, strict=True)]
        found[name] = Confidences(
            tuple(values), tuple(own.shows if way == SHOWN else own.verdict.right for own in each)
        )
    return found


# Reranking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """A question's hits in the order in which the search gave them.

    shows: for each hit, which of the question's passages it shows; scores: the query likelihood behind it, in nats.
    """

    question: Question
    shows: tuple[tuple[int, ...], ...]
    scores: tuple[float, ...]

    def order(self, weight: float | None) -> list[int]:
        """Places of the hits, best first: by likelihood alone (None), or by both ranks fused, the likelihood's counted
        `weight` times; 0 leaves the search's order."""
        by_likelihood = sorted(range(len(self.scores)), key=lambda i: -self.scores[i])
        if weight is None:
            return by_likelihood
        fused = reciprocal_rank_fusion([range(len(self.scores)), by_likelihood], [1, weight], C)
        return [place for place, _ in fused]

    def ranked(self, weight: float | None) -> list[int | None]:
        """As `helpers.old.retrieval.metrics.found_spans` for the new order."""
        seen: set[int] = set()
        found: list[int | None] = []
        for place in self.order(weight):
            new = [n for n in self.shows[place] if n not in seen]
            seen.update(new)
            found += new or [None]
        return found

    def ndcg(self, weight: float | None) -> float:
        """nDCG@k of the new order."""
        return ndcg_at_k(self.ranked(weight), range(len(self.question.spans)), 10)

    def best(self, k: int = 10) -> float:
        """nDCG@k if whatever shows a passage came first: what no order of these hits can exceed."""
        found = {n for shown in self.shows for n in shown}
        return ndcg_at_k(sorted(found), range(len(self.question.spans)), k)

    def recall(self, weight: float | None, k: int) -> float:
        """Recall@k of the new order."""
        return recall_at_k(self.ranked(weight), range(len(self.question.spans)), k)


@lru_cache(maxsize=2)
def pools(split: str) -> list[Pool]:
    """The recorded hits of every answerable question of a split, with their likelihoods."""
    rows = [row for row in find("rerank")["pools"] if row["split"] == split]
    asked = [question for question in load_questions(split) if question.answerable]
    return [
        Pool(question, tuple(map(tuple, row["shows"])), tuple(row["scores"]))
        for question, row in zip(asked, rows, strict=True)
    ]


# Rewriting and poison ------------------------------------------------------------------------------------------------


def rewritten(split: str) -> dict[str, NDArray]:
    """nDCG@10 of each answerable question of the split, by the way in which it was rewritten."""
    run = find("rewriting")
    own = np.array([other == split for other in run["splits"]])
    return {name: np.array(values)[own] for name, values in run["ndcg@10"].items()}
