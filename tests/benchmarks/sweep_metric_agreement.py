"""What metrics say of each answer in data/judgments, by question and system, against the handbook's short answer, or
with the quoted sentence as a second reference; accepted: against strings of which a right answer states one. BERTScore
and MoverScore read all-MiniLM; −perplexity is that of the chat model, with no reference and no prompt."""

from __future__ import annotations

from functools import cache
from typing import Any

from transformers import AutoTokenizer

from helpers.models import embedder, fetch
from helpers.old.evaluation import load_pairs
from helpers.old.metrics import (
    BLEU,
    METEOR,
    ROUGE,
    BERTScore,
    ChrF,
    Containment,
    ExactMatch,
    MoverScore,
    NumberMatch,
    Perplexity,
    TokenF1,
)
from helpers.old.speed import FastLlama
from helpers.old.trials.metric_agreement import accepted, short_answer, with_quote
from helpers.scale import matrix_dtype

NAME = "14_metric_agreement"
REFERENCES = {"short answer": short_answer, "with quote": with_quote, "accepted": accepted}
CASES: list[dict[str, Any]] = [{"case": "scores", "references": references} for references in REFERENCES]


def metrics() -> dict[str, tuple[Any, str]]:
    """Every metric that compares with references, and the name of its score."""
    rouge, numbers, bert = ROUGE(), NumberMatch(), BERTScore(embedder())
    return {
        "exact match": (ExactMatch(), "exact_match"),
        "token F1": (TokenF1(), "token_f1"),
        "number match": (numbers, "number_match"),
        "number recall": (numbers, "number_recall"),
        "BLEU": (BLEU(), "bleu"),
        "chrF": (ChrF(), "chrf"),
        "ROUGE-1": (rouge, "rouge1"),
        "ROUGE-2": (rouge, "rouge2"),
        "ROUGE-L": (rouge, "rougeL"),
        "METEOR": (METEOR(wordnet=False), "meteor"),
        "BERTScore precision": (bert, "bertscore_precision"),
        "BERTScore recall": (bert, "bertscore_recall"),
        "BERTScore F1": (bert, "bertscore_f1"),
        "MoverScore": (MoverScore(embedder()), "moverscore"),
    }


@cache
def answers() -> dict[str, tuple[str, Any]]:
    """By question and system: the answer's text, and a pair that it is in."""
    sides = [(pair, answer) for pair in load_pairs() for answer in (pair.a, pair.b)]
    return {f"{pair.question_id} {answer.system}": (answer.text, pair) for pair, answer in sides}


def by_answer(values: list[float]) -> dict[str, float]:
    return {key: round(float(value), 4) for key, value in zip(answers(), values, strict=True)}


def run(case: dict[str, Any]) -> dict[str, Any]:
    texts = [text for text, _ in answers().values()]
    references = [REFERENCES[case["references"]](pair) for _, pair in answers().values()]
    if case["references"] == "accepted":
        found = Containment().each(predictions=texts, references=references)["containment"]
        return {"scores": {"containment": by_answer(found)}}
    each: dict[int, dict[str, list[float]]] = {}
    scores = {}
    for name, (metric, key) in metrics().items():
        if id(metric) not in each:
            each[id(metric)] = metric.each(predictions=texts, references=references)
        scores[name] = by_answer(each[id(metric)][key])
    if case["references"] == "short answer":
        model = FastLlama.from_pretrained(fetch("chat"), matrix_dtype())
        surprise = Perplexity(model, AutoTokenizer.from_pretrained(fetch("chat")))
        scores["−perplexity"] = by_answer([-value for value in surprise.each(predictions=texts)["perplexity"]])
        scores["longer"] = by_answer([len(text) for text in texts])
    return {"scores": scores}
