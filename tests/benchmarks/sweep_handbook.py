"""The handbook's assistant, question by question: does the answer stand in three passages that were found, after
superseded documents are left out, after the cross-encoder has ordered them; in the best quote and the best three; how
sure the quote is; how long it takes. Everything was chosen on dev (the cases "choices"); test was measured once."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

NAME = "10_answers"
SPLITS = ("dev", "test")
CHOSEN = {"passage": "headings", "unit": "headings", "passages": 3, "meaning": 15}
CHOICES = (  # what the models read of a passage, of a unit; how many passages; what a cosine weighs
    CHOSEN,
    {**CHOSEN, "passage": "text"},
    {**CHOSEN, "unit": "bare"},
    *({**CHOSEN, "passages": n} for n in (1, 5)),
    *({**CHOSEN, "meaning": weight} for weight in (0, 5, 30)),
)
CASES = [
    *({"case": "quotes", "split": split, "stratum": name} for split in SPLITS for name in ("everyday", "hard")),
    {"case": "seconds", "every": 8},
    *({"case": "choices", **choice} for choice in CHOICES),
]


def run(case: dict) -> dict:
    kinds = {"choices": choices, "quotes": quotes, "reader": reader, "seconds": seconds}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def quotes(split: str, stratum: str) -> dict:
    from helpers.trials.handbook_answers import questions_of

    return {"rows": [row_of(name, question) for name, question in questions_of(split) if name == stratum]}


def row_of(stratum: str, question: Any) -> dict:
    """What each part adds for one question. shows: whether three passages hold the answer, after each part."""
    from helpers.assistants.handbook import PASSAGES, written
    from helpers.trials.handbook_answers import shows_answer, shows_passage

    ask = assistant(kept=True)
    asked = question.question
    found = ask.index.search(asked, PASSAGES)
    hits = ask.hits(asked)
    passages = ask.passages(asked)
    best = ask.quotes(asked, passages)

    def shows(chunks: Any) -> bool:
        return shows_answer(question, [chunk.text for chunk in chunks], chunks)

    places = [place(quote) for quote in best[:3]]
    said = [written(quote.unit) for quote in best[:3]]
    return {
        "question": asked,
        "stratum": stratum,
        "kind": question.kind,
        "answerable": question.answerable,
        "shows": {
            "search": shows([hit.chunk for hit in found]),
            "filter": shows([hit.chunk for hit in hits[:PASSAGES]]),
            "cross-encoder": shows([hit.chunk for hit in passages]),
        },
        "quote": said[0],
        "document": best[0].document,
        "score": round(best[0].score, 3),
        "right": shows_answer(question, said[:1], places[:1]),
        "three": shows_answer(question, said, places),
        "passage": shows_passage(question, places[:1]),
    }


def choices(passage: str, unit: str, passages: int, meaning: float) -> dict:
    """The dev questions where one thing is done in another way; score: of the best quote, also for the unanswerable."""
    from helpers.assistants.handbook import units_in, written
    from helpers.trials.handbook_answers import questions_of, shows_answer

    ask, rows = assistant(kept=True), []
    for stratum, question in questions_of("dev"):
        hits = ask.hits(question.question)
        read = [hit.chunk.with_headings if passage == "headings" else hit.chunk.text for hit in hits]
        order = best_first(ask.cross_encoder.score(question.question, read))[:passages]
        chunks = [hits[i].chunk for i in order]
        units = list(
            dict.fromkeys((chunk.document, each) for chunk in chunks for each in units_in(chunk, ask.documents))
        )
        read = [each.with_headings if unit == "headings" else written(each) for _, each in units]
        cosines = vectors_of(read) @ vectors_of([question.question])[0]
        scores = ask.cross_encoder.score(question.question, read) + meaning * cosines
        order = best_first(scores)[:3]
        places = [Place(units[i][0], units[i][1].start, units[i][1].end) for i in order]
        said = [written(units[i][1]) for i in order]
        rows.append(
            {
                "stratum": stratum,
                "answerable": question.answerable,
                "shows": shows_answer(question, [chunk.text for chunk in chunks], chunks),
                "score": round(float(scores[order[0]]), 3),
                "right": shows_answer(question, said[:1], places[:1]),
                "three": shows_answer(question, said, places),
            }
        )
    return {"rows": rows}


def reader(split: str, units: int) -> dict:
    """What the reader writes from the best units of each question, and how sure it is that they do not tell."""
    from helpers.assistants import passage_reader
    from helpers.trials.handbook_answers import questions_of, says_answer

    ask, asked = assistant(kept=True), questions_of(split)
    best = [ask.quotes(question.question, ask.passages(question.question))[:units] for _, question in asked]
    pairs = [
        (question.question, "\n".join(quote.unit.with_headings for quote in quotes))
        for (_, question), quotes in zip(asked, best, strict=True)
    ]
    told = passage_reader(threshold=1.0).answer(pairs)  # always an answer; when to abstain is decided from `absent`
    return {
        "rows": [
            {
                "stratum": stratum,
                "answerable": question.answerable,
                "score": round(quotes[0].score, 3),
                "absent": round(answer.absent, 4),
                "text": answer.text,
                "right": question.answerable and says_answer(question, answer.text),
            }
            for (stratum, question), quotes, answer in zip(asked, best, told, strict=True)
        ]
    }


def seconds(every: int) -> dict:
    """Seconds from question to quote, one question after the other, nothing kept from one to the next."""
    from helpers.trials.handbook_answers import questions_of

    ask = assistant(kept=False)
    ask("How long is the warranty?")  # what is loaded when it is first needed is loaded
    taken = []
    for _, question in questions_of("dev")[::every]:
        start = time.perf_counter()
        ask(question.question)
        taken.append(round(time.perf_counter() - start, 3))
    return {"threads": os.environ.get("OMP_NUM_THREADS", "all"), "taken": taken, "median": statistics.median(taken)}


def best_first(scores: Sequence[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda i: -scores[i])


class Place(NamedTuple):
    """Where a unit stands, as `Span.shown_by` asks for it."""

    document: str
    start: int
    end: int


def place(quote: Any) -> Place:
    return Place(quote.document, quote.unit.start, quote.unit.end)


@cache
def vector_of(text: str) -> Any:
    from helpers.retrieval.dense import encode_texts

    return encode_texts(assistant(kept=True).encoder, [text])[0]


def vectors_of(texts: Sequence[str]) -> Any:
    """(n, d); what was read before is not read again."""
    return np.stack([vector_of(text) for text in texts])


class KeptScores:
    """A cross-encoder that reads each pair once; scores are kept in build/sweeps, so a stopped sweep goes on."""

    def __init__(self, cross_encoder: Any) -> None:
        from tests.benchmarks.sweeps import KEPT

        self.cross_encoder, self.path = cross_encoder, KEPT / f"{NAME}.scores.jsonl"
        self.known = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            query, text, score = json.loads(line)
            self.known[query, text] = score

    def score(self, query: str, texts: list[str]) -> list[float]:
        new = [text for text in dict.fromkeys(texts) if (query, text) not in self.known]
        found = self.cross_encoder.score(query, new)
        with self.path.open("a", encoding="utf-8") as file:
            for text, score in zip(new, found, strict=True):
                self.known[query, text] = score
                file.write(json.dumps([query, text, score]) + "\n")
        return [self.known[query, text] for text in texts]


@cache
def assistant(kept: bool) -> Any:
    """The assistant; kept: it reads no pair twice."""
    from helpers.assistants import HandbookAssistant, handbook_assistant

    real = handbook_assistant()
    if not kept:
        return real
    return HandbookAssistant(real.index, real.documents, KeptScores(real.cross_encoder), real.encoder)
