"""Searching Velunda's handbook and answering from it, question by question: how documents are cut (ways, sizes, with
and without headings), BM25 with all words and with content words, BM25 against vectors against both fused (weights
tried on dev), and answers of the chat model closed-book, from each search and from the gold passage. Everything was
chosen on dev; test was measured once."""

from __future__ import annotations

from functools import cache
from typing import Any

NAME = "10_rag"
SIZES, WAYS = (64, 96, 128, 200, 256), ("tokens", "headings")  # "sentences" at all sizes, the others at the main one
SIZE, BY = 200, "sentences"
WEIGHTS, CS = ((1, 1), (2, 1), (3, 1), (1, 2)), (10, 60)  # of vectors and words
SAMPLE = 24  # dev questions on which prompts were tried
PROMPTS = [{"k": k} for k in (1, 2, 3)]
SYSTEMS = ("closed-book", "BM25", "dense", "hybrid", "gold passage")
CASES = [
    {"case": "chunks", "by": BY, "size": SIZE},
    {"case": "weights"},
    {"case": "plain words"},
    *({"case": "prompt", **prompt} for prompt in PROMPTS),
    *({"case": "answers", "system": system} for system in SYSTEMS),
    *({"case": "chunks", "by": BY, "size": size} for size in SIZES if size != SIZE),
    *({"case": "chunks", "by": by, "size": SIZE} for by in WAYS),
    {"case": "chunks", "by": BY, "size": SIZE, "with_headings": False},
]


def run(case: dict) -> dict:
    kinds = {"chunks": chunks, "weights": weights, "plain words": plain_words, "prompt": prompt, "answers": answers}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def chunks(by: str, size: int, with_headings: bool = True) -> dict:
    from helpers.old.trials.searches import searches

    index = indexed(by, size, with_headings)
    scores = {name: on_both(search) for name, search in searches(index).items()}
    return {"chunks": len(index), "scores": scores}


def weights() -> dict:
    """nDCG@10 on dev of each pair of weights and each c."""
    from helpers.old.retrieval import score_search
    from helpers.velunda import load_questions

    index, dev, found = indexed(BY, SIZE), load_questions("dev"), {}
    before = index.weights, index.c
    for index.weights in WEIGHTS:
        for index.c in CS:
            score = score_search(index.search, dev).mean("ndcg@10")
            found[f"{index.weights[0]}:{index.weights[1]}, c {index.c}"] = round(score, 4)
    index.weights, index.c = before
    return {"ndcg@10 on dev": found}


def plain_words() -> dict:
    """BM25 that counts every word as it stands."""
    from helpers.retrieval import BM25Index

    index = BM25Index(plain=True)
    index.add(indexed(BY, SIZE).chunks)
    return {"scores": {"BM25": on_both(index.search)}}


def prompt(**settings: Any) -> dict:
    """Answers to a sample of dev questions from the hybrid search."""
    from helpers.old.trials.searches import ask

    model, tokenizer = chat()
    return {"replies": [r.to_json() for r in ask(dev_sample(), indexed(BY, SIZE).search, model, tokenizer, **settings)]}


def answers(system: str) -> dict:
    """Answers to all test questions that have one."""
    from helpers.old.trials.searches import ask, gold_search, searches
    from helpers.velunda import load_questions

    model, tokenizer = chat()
    index, questions = indexed(BY, SIZE), [q for q in load_questions("test") if q.answerable]
    methods = searches(index) | {"closed-book": None, "gold passage": gold_search(questions, index.chunks)}
    return {"replies": [reply.to_json() for reply in ask(questions, methods[system], model, tokenizer)]}


def on_both(search: Any) -> dict:
    """Each measure, question by question, on dev and test."""
    from helpers.old.retrieval import score_search
    from helpers.velunda import load_questions

    found = {split: score_search(search, load_questions(split)).values for split in ("dev", "test")}
    return {
        split: {name: [round(float(value), 4) for value in column] for name, column in values.items()}
        for split, values in found.items()
    }


def dev_sample() -> list[Any]:
    """The dev questions that the notebook asks, too."""
    from helpers.old.trials.searches import every_nth
    from helpers.velunda import load_questions

    return every_nth([question for question in load_questions("dev") if question.answerable], SAMPLE)


@cache
def indexed(by: str, size: int, with_headings: bool = True) -> Any:
    """A hybrid index of the handbook, a fifth of a chunk's size shared between neighbors."""
    from helpers.retrieval import HybridIndex, chunk_documents
    from helpers.velunda import load_handbook

    index = HybridIndex(encoder(), with_headings=with_headings)
    index.add(chunk_documents(load_handbook().values(), size, size // 5, by))
    return index


@cache
def encoder() -> Any:
    from helpers.models import embedder

    return embedder()


@cache
def chat() -> tuple[Any, Any]:
    """The chat model as a FastLlama, and its tokenizer."""
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.old.speed import FastLlama

    folder = fetch("chat")
    return FastLlama.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
