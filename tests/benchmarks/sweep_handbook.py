"""The handbook's assistant, question by question: does the answer stand in three passages that were found, after
superseded documents are left out, after the cross-encoder has ordered them; in the best sentence, in what is shown
around it, in the best three sentences; what the reader makes of the best one; how sure all that is, and how long
it takes. Everything was chosen on dev (the cases "choices"); test was measured once."""

from __future__ import annotations

import json
import os
import statistics
import time
from functools import cache
from typing import Any

import numpy as np

NAME = "10_answers"
SPLITS = ("dev", "test")
CHOSEN = {"passages": 3, "meaning": 15, "around": 2}
CHOICES = (  # how many passages are cut into sentences; what a cosine weighs; how many sentences are shown around one
    CHOSEN,
    *({**CHOSEN, "passages": n} for n in (1, 5)),
    *({**CHOSEN, "meaning": weight} for weight in (0, 5, 30)),
    *({**CHOSEN, "around": n} for n in (0, 1, 100)),
)
CASES = [
    *({"case": "quotes", "split": split, "stratum": name} for split in SPLITS for name in ("everyday", "hard")),
    *({"case": "choices", **choice} for choice in CHOICES),
    *({"case": "reader", "split": split, "stratum": name} for split in SPLITS for name in ("everyday", "hard")),
    *({"case": "seconds", "reader": reader, "every": 8} for reader in (False, True)),
]


def run(case: dict) -> dict:
    kinds = {"choices": choices, "quotes": quotes, "reader": reader, "seconds": seconds}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def quotes(split: str, stratum: str) -> dict:
    from helpers.old.trials.handbook_answers import questions_of

    return {"rows": [row_of(name, question) for name, question in questions_of(split) if name == stratum]}


def row_of(stratum: str, question: Any) -> dict:
    """What each part adds for one question. shows: whether three passages hold the answer, after each part."""
    from helpers.old.assistants.handbook import PASSAGES
    from helpers.old.trials.handbook_answers import shows_answer

    ask = assistant()
    asked = question.question
    hits = ask.hits(asked)
    passages = ask.passages(asked)
    best = ask.quotes(asked, passages)

    def shows(found: Any) -> bool:
        return shows_answer(question, [hit.chunk.text for hit in found], [hit.chunk for hit in found])

    return {
        "question": asked,
        "stratum": stratum,
        "kind": question.kind,
        "answerable": question.answerable,
        "shows": {
            "search": shows(ask.index.search(asked, PASSAGES)),
            "filter": shows(hits[:PASSAGES]),
            "cross-encoder": shows(passages),
        },
        "document": best[0].document,
        "sentence": best[0].unit.text,
        "text": answer(best[0])[0],
        "score": round(best[0].score, 3),
        "alone": holds(question, best[:1], 0),
        "three": holds(question, best[:3], 0),
        "right": holds(question, best[:1]),
    }


def choices(passages: int, meaning: float, around: int) -> dict:
    """The dev questions with one thing done in another way; score: of the best sentence, also where none answers."""
    from helpers.assistants.handbook import best_passages, best_quotes
    from helpers.old.trials.handbook_answers import questions_of, shows_answer

    ask, rows = assistant(), []
    for stratum, question in questions_of("dev"):
        asked = question.question
        found = best_passages(asked, ask.hits(asked), ask.cross_encoder, passages)
        best = best_quotes(asked, found, ask.documents, ask.cross_encoder, ask.encoder, meaning)
        rows.append(
            {
                "stratum": stratum,
                "answerable": question.answerable,
                "shows": shows_answer(question, [hit.chunk.text for hit in found], [hit.chunk for hit in found]),
                "score": round(best[0].score, 3),
                "characters": len(answer(best[0], around)[0]),
                "right": holds(question, best[:1], around),
            }
        )
    return {"rows": rows}


def reader(split: str, stratum: str) -> dict:
    """What the reader writes from the best sentence, and how sure it is that this does not tell."""
    from helpers.old.assistants import passage_reader
    from helpers.old.trials.handbook_answers import questions_of, says_answer

    ask = assistant()
    asked = [question for name, question in questions_of(split) if name == stratum]
    best = [ask.quotes(each.question, ask.passages(each.question))[0] for each in asked]
    pairs = [(each.question, quote.unit.with_headings) for each, quote in zip(asked, best, strict=True)]
    told = passage_reader(threshold=1.0).answer(pairs)  # always an answer; `absent` decides later when to abstain
    return {
        "rows": [
            {
                "answerable": question.answerable,
                "score": round(quote.score, 3),
                "absent": round(answer.absent, 4),
                "text": answer.text,
                "right": question.answerable and says_answer(question, answer.text),
            }
            for question, quote, answer in zip(asked, best, told, strict=True)
        ]
    }


def seconds(reader: bool, every: int) -> dict:
    """Seconds from question to answer, one question after the other, nothing kept; the threshold is left out.

    cpu: seconds of work on all cores together; with one thread, what it takes where nothing else runs.
    """
    from helpers.old.assistants import passage_reader
    from helpers.old.assistants.handbook import handbook_assistant
    from helpers.old.trials.handbook_answers import questions_of

    assistant, read = handbook_assistant(), passage_reader() if reader else None
    assistant.threshold = float("-inf")  # so that each question takes the whole way

    def ask(question: str) -> None:
        answer = assistant(question)
        if read is not None:
            read(question, answer.text)

    ask("How long is the warranty?")  # what is loaded when it is first needed is loaded
    taken, cpu = [], []
    for _, question in questions_of("dev")[::every]:
        start, cpu_start = time.perf_counter(), time.process_time()
        ask(question.question)
        taken.append(round(time.perf_counter() - start, 3))
        cpu.append(round(time.process_time() - cpu_start, 3))
    medians = {"median": statistics.median(taken), "cpu_median": statistics.median(cpu)}
    return {"threads": os.environ.get("OMP_NUM_THREADS", "all"), "taken": taken, "cpu": cpu, **medians}


def answer(quote: Any, n: int | None = None) -> tuple[str, Any]:
    """What is shown of a quote with n sentences on either side, as many as the assistant shows by default."""
    from helpers.assistants.handbook import AROUND, around, shown, source

    documents, n = assistant().documents, AROUND if n is None else n
    return shown(around(quote, documents, n)), source(quote, documents, n)


def holds(question: Any, quotes: Any, n: int | None = None) -> bool:
    """Does one of these quotes, with what is shown around it, hold the answer?"""
    from helpers.old.trials.handbook_answers import shows_answer

    said = [answer(quote, n) for quote in quotes]
    return shows_answer(question, [text for text, _ in said], [place for _, place in said])


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


class KeptVectors:
    """An encoder that reads each text once."""

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.known = encoder, {}

    def encode(self, texts: list[str], **options: Any) -> np.ndarray:
        new = [text for text in texts if text not in self.known]
        if new:
            self.known.update(zip(new, self.encoder.encode(new, **options), strict=True))
        return np.stack([self.known[text] for text in texts])


@cache
def assistant() -> Any:
    """The assistant, which reads no pair twice."""
    from helpers.old.assistants.handbook import HandbookAssistant, handbook_assistant

    real = handbook_assistant()
    return HandbookAssistant(real.index, real.documents, KeptScores(real.cross_encoder), KeptVectors(real.encoder))
