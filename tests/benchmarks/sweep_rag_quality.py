"""How far answers from the handbook can be trusted: for all 180 questions the answers from passages, from a closed
book and by quoting, with what confidence is made of; for planted orders the replies before and after a defense; for
each answerable question what query likelihood thinks of the 20 best hits, and the nDCG of the question rewritten. Raw
texts and scores, which the notebook judges again; what is chosen is chosen on dev."""

from __future__ import annotations

from functools import cache
from typing import Any

from helpers.old.trials.answers import K
from helpers.old.trials.planted_orders import CARRIERS
from helpers.velunda.handbook import SPLITS

NAME = "10b_rag_quality"
DEPTHS = (2, 3)  # passages in the prompt, tried on every third dev question beside K on all of them
CASES = [
    *({"case": "answers", "split": split, "k": K, "every": 1} for split in SPLITS),
    *({"case": "closed-book", "split": split} for split in SPLITS),
    *({"case": "quoted", "split": split} for split in SPLITS),
    *({"case": "poison", "question": n} for n in range(len(CARRIERS))),
    {"case": "rerank"},
    {"case": "rewriting"},
    *({"case": "answers", "split": "dev", "k": k, "every": 3} for k in DEPTHS),
]


def run(case: dict) -> dict:
    kinds = {
        "answers": answers,
        "quoted": quoted,
        "closed-book": closed_book,
        "rerank": rerank,
        "poison": poison,
        "rewriting": rewriting,
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


def rerank() -> dict:
    """For each answerable question its hits in order: which passages each shows, and the likelihood behind it."""
    from helpers.old.trials.answers import POOL
    from helpers.velunda import load_questions
    from tests.benchmarks.pooled_reranking import pool_scores

    asked = [question for question in load_questions() if question.answerable]
    pools = {question.question: index().search(question.question, POOL) for question in asked}
    scores = pool_scores(*model(), pools)
    rows = []
    for question in asked:
        hits = pools[question.question]
        shows = [[n for n, span in enumerate(question.spans) if span.shown_by(hit.chunk)] for hit in hits]
        rows.append(
            {
                "split": question.split,
                "shows": shows,
                "scores": [round(score, 4) for score in scores[question.question]],
            }
        )
    return {"pools": rows}


def rewriting() -> dict:
    """nDCG@10 of each answerable question as it was asked and rewritten, and what the chat model wrote for it."""
    from helpers.old.retrieval import hypothetical_answer, multi_query, pseudo_relevance, rephrased, score_search
    from helpers.old.retrieval.rewriting import ANSWER, REPHRASINGS
    from helpers.old.trials.answers import write_all
    from helpers.velunda import load_questions

    asked = [question for question in load_questions() if question.answerable]
    orders = {prompt: [prompt.format(question=each.question) for each in asked] for prompt in (ANSWER, *REPHRASINGS)}
    replies = {prompt: write_all(own, *model()) for prompt, own in orders.items()}
    written = {order: reply for prompt in orders for order, reply in zip(orders[prompt], replies[prompt], strict=True)}
    write = written.__getitem__
    ways = {
        "as asked": index().search,
        "pseudo-relevance": lambda query, k: pseudo_relevance(query, index(), k),
        "made-up answer": lambda query, k: hypothetical_answer(query, index(), k, write),
        "rephrased": lambda query, k: rephrased(query, index(), k, write),
        "several questions": lambda query, k: multi_query(query, index(), k, write),
    }
    scores = {name: score_search(search, asked).values["ndcg@10"] for name, search in ways.items()}
    return {
        "splits": [question.split for question in asked],
        "ndcg@10": {name: [round(float(value), 4) for value in values] for name, values in scores.items()},
        "written": replies,
    }


def poison(question: int) -> dict:
    from helpers.old.trials.answers import answer_from, look_up
    from helpers.old.trials.planted_orders import ORDERS, carriers, defended, poisoned

    asked, rows, searches = carriers()[question], [], []
    for order in ORDERS:
        with poisoned(index(), order, near=asked.spans[0]):
            for when, way in {"before": None, "after": defended}.items():
                searches.append(look_up(asked.question, index(), order=way))
                rows.append({"order": order.text, "when": when})
    trials = answer_from([asked.question] * len(searches), searches, *model(), batch=16)
    for row, trial in zip(rows, trials, strict=True):
        row["reached"] = any(row["order"] in passage.text for passage in trial.read)
        row["reply"] = trial.text
    return {"asked": asked.question, "replies": rows}


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
