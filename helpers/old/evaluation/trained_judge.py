"""A small judge that is trained on raters' preferences, and what it has to beat: length, overlap, a cross-encoder.

    X = pair_features(pairs, encode)                        # (n, 3·384), of all-MiniLM's vectors: f(a) − f(b)
    judge = fit_judge(X, preferred, questions)              # preferred: +1 for a, −1 for b, in the pairs' order
    judge.prefer(X)                                         # (n,) log odds that raters prefer a
    answer_measures(pair, pair.a, score)                    # length, overlap with the passage … of one answer

It sees no place: with f(a) − f(b) and no intercept, exchanging a and b flips the sign and nothing else.

What it does not do: read numbers. To an embedder "38.5 kg" and "35.8 kg" are nearly the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.old.evaluation.judges import UNANSWERED
from helpers.old.evaluation.judgments import Pair, SystemAnswer
from helpers.old.metrics.text import answer_words, contains_answer

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # C of the logistic regression: the smaller, the more regularized
FOLDS = 5
NUMBER = re.compile(r"\d+(?:\.\d+)?")
Encode = Callable[[list[str]], NDArray]  # N texts → (N, d), rows of length 1


@dataclass(frozen=True)
class TrainedJudge:
    """weights: (d,), applied to f(a) − f(b). losses: by strength, the cross-validated log loss in nats per pair."""

    weights: NDArray
    strength: float
    losses: Mapping[float, float]

    def prefer(self, differences: NDArray) -> NDArray:
        """(n, d) → (n,) log odds that raters prefer a to b; exchanging the answers flips the sign."""
        return differences @ self.weights


def pair_features(pairs: Sequence[Pair], encode: Encode) -> NDArray:
    """f(a) − f(b) for each pair: (n, 3d). f(answer) holds its vector, and its products with question and passage."""
    texts = {text for pair in pairs for text in (pair.question, pair.passage or UNANSWERED, pair.a.text, pair.b.text)}
    vector = dict(zip(sorted(texts), encode(sorted(texts)), strict=True))

    def features(pair: Pair, answer: SystemAnswer) -> NDArray:
        v = vector[answer.text]
        return np.concatenate([v, v * vector[pair.question], v * vector[pair.passage or UNANSWERED]])

    return np.stack([features(pair, pair.a) - features(pair, pair.b) for pair in pairs])


def fit_judge(
    differences: NDArray, preferred: NDArray, questions: Sequence[str], strengths: Sequence[float] = STRENGTHS
) -> TrainedJudge:
    """Logistic regression without an intercept on f(a) − f(b): (n, d) differences, (n,) +1 for a and −1 for b.

    How strongly it is regularized is chosen by cross-validation in which no question is in two folds; the columns are
    divided by their root mean square. Raises ValueError for other preferences than ±1 and for fewer than two questions.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    if not np.isin(preferred, (-1, 1)).all():
        raise ValueError("A pair to learn from is preferred as +1 (a) or −1 (b): leave out the ties.")
    if len(set(questions)) < 2:
        raise ValueError("Cross-validation needs pairs of at least two questions.")
    scale = np.sqrt((differences**2).mean(0)) + 1e-12
    X, y = differences / scale, np.asarray(preferred)
    X, y = np.vstack([X, -X]), np.concatenate([y, -y])  # each pair in both orders, so that no fold lacks a class
    groups = [*questions, *questions]

    def fitted(strength: float, rows: NDArray | slice) -> NDArray:
        return LogisticRegression(C=strength, fit_intercept=False, max_iter=2000).fit(X[rows], y[rows]).coef_[0]

    folds = list(GroupKFold(min(FOLDS, len(set(questions)))).split(X, y, groups))
    losses = {
        strength: float(
            np.mean([np.logaddexp(0, -y[out] * (X[out] @ fitted(strength, rows))).mean() for rows, out in folds])
        )
        for strength in strengths
    }
    best = min(losses, key=losses.__getitem__)
    return TrainedJudge(fitted(best, slice(None)) / scale, best, losses)


def answer_measures(
    pair: Pair,
    answer: SystemAnswer,
    score: Callable[[str, list[str]], Sequence[float]],
    accepted: Sequence[str] = (),
) -> dict[str, float]:
    """Cheap measures of one answer, each the better the higher; their difference for a and b is a judge's preference.

    score: of texts for a question, as `helpers.models.reranker().score`. accepted: right answers, which raters and
    other judges do not see; without them, the reference.
    """
    words, known = answer_words(answer.text), set(answer_words(pair.passage or ""))
    numbers = set(NUMBER.findall(answer.text)) - set(NUMBER.findall(pair.passage or ""))
    return {
        "longer": float(len(answer.text)),
        "shorter": -float(len(answer.text)),
        "overlap": sum(word in known for word in words) / max(len(words), 1),
        "no new numbers": -float(len(numbers)),
        "cross-encoder": float(score(pair.question, [answer.text])[0]),
        "containment": float(contains_answer(answer.text, [*accepted] or [pair.reference])),
    }
