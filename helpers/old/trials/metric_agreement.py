"""How often does a metric prefer the answer that raters prefer? Over the pairs of data/judgments, interval by question.

    found = metric_agreement(answer_f1_score)                   # score(answer, references) -> float, higher is better
    found.accuracy, found.tau                                   # 0.78 (0.70 to 0.85), n = 131;  +0.56 (…)
    metric_agreement(scored_by(ROUGE(), "rougeL"), criterion="correctness", references=with_quote)
    compare_metrics(score, other)                               # the difference of two accuracies, question by question
    metric_agreement(recorded_score("BERTScore F1"))            # as recorded, without a model

The metric prefers the answer that it scores higher; equal scores are half right. Pairs on which the raters' majority
ties are left out. With c pairs in the raters' order and d in the other, of n, Kendall's tau over these pairs is
(c − d) / n, so it is 2 · accuracy − 1 and says the same on another scale: 0 is chance, 1 is the raters.

The raters are runs of a language model, so this is agreement with a model's preferences, not with people's. Nothing is
fitted, so dev and test questions are used together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from helpers.old.evaluation.judgments import Pair, load_pairs, load_ratings
from helpers.old.evaluation.preferences import Agreement, Preferences, agreement, majority
from helpers.old.trials.records import Record
from helpers.velunda.handbook import load_everyday

RECORD = Record("14_metric_agreement")
recorded, find = RECORD.read, RECORD.find
Score = Callable[[str, list[str]], float]
References = Callable[[Pair], list[str]]


@dataclass(frozen=True)
class MetricAgreement:
    """How a metric agrees with raters: as a share of pairs, and as Kendall's tau over the same pairs."""

    accuracy: Agreement

    @property
    def tau(self) -> Agreement:
        """Kendall's tau with its interval: −1 for always the other one, 0 for chance, 1 for always the same."""
        share, low, high = (2 * value - 1 for value in (self.accuracy.share, self.accuracy.low, self.accuracy.high))
        return Agreement(share, low, high, self.accuracy.n)


def short_answer(pair: Pair) -> list[str]:
    """The handbook set's own short answer: "2 business days to leave Venlo, then within 3 business days"."""
    return [pair.reference]


def with_quote(pair: Pair) -> list[str]:
    """The short answer, and the sentence of the handbook that it is taken from, where there is one."""
    return [pair.reference, *([pair.quote] if pair.quote else [])]


def accepted(pair: Pair) -> list[str]:
    """For `Containment`: strings of which a right answer states one, or the short answer where none is listed."""
    return [*_accepted().get(pair.question, ())] or [pair.reference]


def metric_agreement(
    score: Score,
    *,
    criterion: str = "overall",
    references: References = short_answer,
    pairs: Sequence[Pair] | None = None,
) -> MetricAgreement:
    """How often the metric prefers what the raters' majority prefers, by a criterion of data/judgments/RUBRIC.md.

    score: (answer, references) → a number, the higher the better. pairs: all by default.
    """
    pairs = load_pairs() if pairs is None else pairs
    return MetricAgreement(agreement(preferences(score, references, pairs), majority(load_ratings(), criterion), pairs))


def preferences(score: Score, references: References, pairs: Sequence[Pair]) -> Preferences:
    """score(a) − score(b) for each pair; every answer is scored once."""
    scored = {
        (pair.question_id, answer.system): (answer.text, references(pair))
        for pair in pairs
        for answer in (pair.a, pair.b)
    }
    found = {key: float(score(text, right)) for key, (text, right) in scored.items()}
    return {p.id: found[p.question_id, p.a.system] - found[p.question_id, p.b.system] for p in pairs}


@cache
def _accepted() -> dict[str, tuple[str, ...]]:
    return {question.question: question.accepted for question in load_everyday()}
