"""How far answers from the handbook can be trusted: for all 180 questions the answers from passages, from a closed
book and by quoting. Raw texts and scores."""

from __future__ import annotations

from functools import cache
from typing import Any

from helpers.old.trials.answers import K
from helpers.velunda.handbook import SPLITS

NAME = "10b_rag_quality"
DEPTHS = (2, 3)  # passages in the prompt, tried on every third dev question beside K on all of them
CASES = [
    *({"case": "answers", "split": split, "k": K, "every": 1} for split in SPLITS),
    *({"case": "closed-book", "split": split} for split in SPLITS),
    *({"case": "quoted", "split": split} for split in SPLITS),
    *({"case": "answers", "split": "dev", "k": k, "every": 3} for k in DEPTHS),
]


def run(case: dict) -> dict:
    kinds = {
        "answers": answers,
        "quoted": quoted,
        "closed-book": closed_book,
    }
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def answers(split: str, k: int, every: int) -> dict:
    from helpers.old.trials.answers import answer_all
    from helpers.velunda import load_questions

    asked = [question.question for question in load_questions(split)[::every]]
    trials = answer_all(asked, index(), *model(), k=k, batch=15)
    cosines = [index().dense.search(question, 1)[0].score for question in asked]
    return {"trials": [to_json(trial, cosine) for trial, cosine in zip(trials, cosines, strict=True)]}


def closed_book(split: str) -> dict:
    from helpers.old.trials.answers import answer_all
    from helpers.velunda import load_questions

    asked = [question.question for question in load_questions(split)]
    trials = answer_all(asked, index(), *model(), k=K, closed_book=True, batch=15)
    return {"trials": [{"text": trial.text, "likelihood": round(trial.likelihood, 4)} for trial in trials]}


def quoted(split: str) -> dict:
    from helpers.old.trials.answers import quote_all
    from helpers.velunda import load_questions

    trials = quote_all([question.question for question in load_questions(split)], index())
    return {"trials": [to_json(trial, trial.likelihood) for trial in trials]}


@cache
def index() -> Any:
    from helpers.old.trials.answers import quality_index

    return quality_index()


@cache
def model() -> tuple[Any, Any]:
    """The chat model in float32, which every processor multiplies fast, and its tokenizer."""
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.old.speed import FastLlama

    folder = fetch("chat")
    return FastLlama.from_pretrained(folder), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def to_json(trial: Any, cosine: float) -> dict:
    """Passages by document and place, from which the index's chunks can be found again."""
    return {
        "text": trial.text,
        "likelihood": round(trial.likelihood, 4),
        "retrieval": round(trial.retrieval, 5),
        "cosine": round(cosine, 4),
        "found": places(trial.found),
        "read": places(trial.read),
    }


def places(chunks: Any) -> list:
    return [[chunk.document, chunk.start, chunk.end] for chunk in chunks]
