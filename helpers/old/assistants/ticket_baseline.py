"""The cheap ways to read a ticket, to hold the model's against: a classifier, a list of names, a regular expression.

    baseline = fit_baseline(load_tickets("train"))
    baseline.predict(["Where is my Kite? VE-48213"])     # [{"intent": "order_status", "product": "Kite", …}]
    fit_baseline(tickets, "vectors", 10.0)               # the embedder's vectors instead of counted runs of letters
    fit_baseline(tickets, "constant")                    # always the commonest value: the floor under every score

intent, urgency and sentiment: features and logistic regression (scikit-learn), fitted on the training tickets alone.
product: the first name of the canon in the text. order_number: the first number written as one. Those two rules are
fitted on nothing; they know every misspelling that the canon lists, and nothing of what a request is about.

What it does not do: let the fields know of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from helpers.old.velunda.tickets import FIELDS
from helpers.velunda.company import order_numbers, products_named

CLASSIFIED = ("intent", "urgency", "sentiment")
COUNTED = ("words", "characters", "both")
FEATURES = (*COUNTED, "vectors", "constant")


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline; `classifiers` maps each of CLASSIFIED to its pipeline of scikit-learn."""

    classifiers: Mapping[str, Pipeline]

    def predict(self, texts: Sequence[str]) -> list[dict[str, str | None]]:
        """A label for each text, with all of FIELDS."""
        columns = {field: [str(v) for v in model.predict(list(texts))] for field, model in self.classifiers.items()}
        columns["product"] = [next(iter(products_named(text)), None) for text in texts]
        columns["order_number"] = [next(iter(order_numbers(text)), None) for text in texts]
        return [{field: columns[field][i] for field in FIELDS} for i in range(len(texts))]


def fit_baseline(
    tickets: Sequence[Mapping[str, Any]], features: str = "characters", strength: float = 100.0
) -> Baseline:
    """A baseline that has seen these tickets.

    features: "words" counts words and pairs, "characters" runs of 2 to 5 within words, which forgive typos, or "both";
    "vectors" are those of the course's embedder (all-MiniLM-L6-v2, not trained), "constant" looks at no text and says
    the commonest value. strength: the inverse of the regularization, scikit-learn's C. Both defaults were the best on
    dev of those that count. Raises ValueError for other features, and where the tickets have fewer than two values of a
    field.
    """
    if features not in FEATURES:
        raise ValueError(f"features is one of {', '.join(FEATURES)}, not {features!r}.")
    texts = [ticket["text"] for ticket in tickets]
    parts = _steps(features, strength)
    classifiers = {}
    for field in CLASSIFIED:
        values = [ticket["label"][field] for ticket in tickets]
        if len(set(values)) < 2:
            raise ValueError(f"These {len(tickets)} tickets have one value of {field}: there is nothing to tell apart.")
        classifiers[field] = Pipeline([(name, clone(part)) for name, part in parts]).fit(texts, values)
    return Baseline(classifiers)


def _steps(features: str, strength: float) -> list[tuple[str, Any]]:
    """What turns texts into rows of numbers, and what chooses among values by them."""
    if features == "constant":
        return [("choice", DummyClassifier(strategy="most_frequent"))]
    rows = FunctionTransformer(_vectors) if features == "vectors" else _counts(features)
    return [("rows", rows), ("choice", LogisticRegression(C=strength, max_iter=2000))]


def _vectors(texts: Sequence[str]) -> Any:
    """(n, 384) vectors of length one, by the course's embedder."""
    return _encoded(tuple(texts))


@lru_cache(maxsize=8)
def _encoded(texts: tuple[str, ...]) -> Any:
    """The classifiers of three fields ask for the vectors of the same texts."""
    from helpers.models import embedder

    return embedder().encode(list(texts), normalize_embeddings=True, show_progress_bar=False)


def _counts(features: str) -> FeatureUnion:
    """Rows of TF-IDF: how often a word stands in the text, less the more other texts have it, each row of length 1."""
    parts = {
        "words": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
        "characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    }
    return FeatureUnion([(name, part) for name, part in parts.items() if features in (name, "both")])
