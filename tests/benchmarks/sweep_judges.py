"""Judges of the pairs in data/judgments. label judge: log p("A") − log p("B") of the chat model, in nats, by pair: in
the pair's own order, and exchanged. first is B: the same, log p("B") − log p("A"), with the first answer called B.
grade: log p("Yes") − log p("No") to whether one answer is right, by question and system. measures: of single answers
(helpers.old.evaluation.answer_measures), in the order of `names`. trained: a logistic regression on the raters'
majority over the dev questions, on all-MiniLM's vectors, on measures that need no accepted answer, or on both; losses:
cross-validated on dev, in nats per pair, by strength; test: log odds for a. unseen systems: log odds for a in dev
pairs, by a judge of the same strength, fitted on pairs of other questions: all of them, those without the two systems
that are compared, or as many of them drawn at random."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from helpers.models import embedder, fetch, reranker
from helpers.old.evaluation import (
    Pair,
    answer_measures,
    fit_judge,
    grade,
    label_judge,
    load_pairs,
    load_ratings,
    majority,
    pair_features,
)
from helpers.old.speed import FastLlama
from helpers.scale import matrix_dtype
from helpers.velunda import load_everyday

NAME = "14b_judges"
CASES: list[dict[str, Any]] = [{"case": "measures"}]
CASES += [{"case": "trained", "features": features} for features in ("vectors", "measures", "both")]
CASES += [{"case": "label judge", "split": split} for split in ("dev", "test")]
CASES += [{"case": "grade", "split": split} for split in ("dev", "test")]
CASES += [{"case": "first is B", "split": "test"}]
CASES += [{"case": "unseen systems", "features": features} for features in ("vectors", "measures")]
TRAINED_ON = ("longer", "overlap", "no new numbers", "cross-encoder")


@cache
def chat() -> tuple[FastLlama, Any]:
    return FastLlama.from_pretrained(fetch("chat"), matrix_dtype()), AutoTokenizer.from_pretrained(fetch("chat"))


@cache
def measured() -> dict[tuple[str, str], dict[str, float]]:
    """The measures of every answer, by question and system."""
    accepted = {question.question: question.accepted for question in load_everyday()}
    model, found = reranker(), {}
    for pair in load_pairs():
        for answer in (pair.a, pair.b):
            key = (pair.question_id, answer.system)
            if key not in found:
                found[key] = answer_measures(pair, answer, model.score, accepted.get(pair.question, ()))
    return found


@cache
def vectors(split: str) -> np.ndarray:
    """f(a) − f(b) of all-MiniLM's vectors: (n, 3·384)."""
    encoder = embedder()
    return pair_features(load_pairs(split), lambda texts: encoder.encode(texts, normalize_embeddings=True))


def features(kind: str, split: str) -> np.ndarray:
    rows = [
        [
            measured()[p.question_id, p.a.system][name] - measured()[p.question_id, p.b.system][name]
            for name in TRAINED_ON
        ]
        for p in load_pairs(split)
    ]
    parts = {"vectors": [vectors(split)] if kind != "measures" else [], "measures": [np.array(rows)]}
    return np.hstack([part for name in parts if kind in (name, "both") for part in parts[name]])


def decided(kind: str) -> tuple[list[Pair], np.ndarray, np.ndarray]:
    """The dev pairs on which the raters do not tie, f(a) − f(b), and +1 or −1."""
    wanted, X, pairs = majority(load_ratings(), "overall"), features(kind, "dev"), load_pairs("dev")
    kept = [row for row, pair in enumerate(pairs) if wanted[pair.id] != "tie"]
    y = np.array([1 if wanted[pairs[row].id] == "a" else -1 for row in kept])
    return [pairs[row] for row in kept], X[kept], y


def trained(kind: str) -> dict[str, Any]:
    pairs, X, y = decided(kind)
    judge = fit_judge(X, y, [pair.question_id for pair in pairs])
    odds = judge.prefer(features(kind, "test")).tolist()
    return {
        "fitted": len(pairs),
        "strength": judge.strength,
        "losses": {f"{strength:g}": round(loss, 4) for strength, loss in judge.losses.items()},
        "test": {pair.id: round(value, 4) for pair, value in zip(load_pairs("test"), odds, strict=True)},
    }


def unseen_systems(kind: str) -> dict[str, Any]:
    pairs, X, y = decided(kind)
    questions, rng = np.array([pair.question_id for pair in pairs]), np.random.default_rng(0)
    strength = fit_judge(X, y, questions.tolist()).strength
    found: dict[str, dict[str, float]] = {"all": {}, "without": {}, "as few": {}}
    for row, pair in enumerate(pairs):
        compared = {pair.a.system, pair.b.system}
        others = np.flatnonzero(questions != pair.question_id)
        without = np.array([i for i in others if not compared & {pairs[i].a.system, pairs[i].b.system}])
        few = rng.choice(others, len(without), replace=False)
        for name, rows in (("all", others), ("without", without), ("as few", few)):
            judge = fit_judge(X[rows], y[rows], questions[rows].tolist(), [strength])
            found[name][pair.id] = round(float(judge.prefer(X[row])), 4)
    return {"strength": strength, **found}


def graded(split: str) -> dict[str, Any]:
    model, tokenizer = chat()
    found = {}
    for pair in load_pairs(split):
        for answer in (pair.a, pair.b):
            key = f"{pair.question_id} {answer.system}"
            if key not in found:
                found[key] = round(grade(model, tokenizer, pair, answer.text), 3)
    return {"grades": found}


def run(case: dict[str, Any]) -> dict[str, Any]:
    match case["case"]:
        case "measures":
            rows = {" ".join(key): [round(x, 3) for x in row.values()] for key, row in measured().items()}
            return {"names": list(next(iter(measured().values()))), "rows": rows}
        case "trained":
            return trained(case["features"])
        case "label judge" | "first is B":
            letters = "BA" if case["case"] == "first is B" else "AB"
            judged = [label_judge(*chat(), pair, letters) for pair in load_pairs(case["split"])]
            return {"rows": {each.pair: [round(each.shown, 3), round(each.exchanged, 3)] for each in judged}}
        case "unseen systems":
            return unseen_systems(case["features"])
        case "grade":
            return graded(case["split"])
    raise ValueError(f"There is no case {case!r}.")
