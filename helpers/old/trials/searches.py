"""Retrieval tried on the handbook: who finds what, and what the chat model makes of what was found.

    methods = searches(index)                                      # a HybridIndex as three: BM25, dense, hybrid
    scores = {name: score_search(search, questions) for name, search in methods.items()}
    found = ask(questions, methods["hybrid"], model, tokenizer)    # one Reply a question
    mean(reply.f1 for reply in found)
    search_scores()["hybrid"].mean("ndcg@10")                      # recorded: `make sweeps` writes 10_rag.json
    answers("closed-book")[0]                                      # {"text": …, "f1": …, "exact": …}

`ask(…, None, …)` asks closed-book, `gold_search(questions, chunks)` finds what a perfect search would.

What it does not do: cite, abstain or order anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from helpers.old.generation.replies import greedy_replies
from helpers.old.metrics.text import answer_f1, exact_match
from helpers.old.retrieval.prompt import grounded_prompt
from helpers.old.trials.records import Record
from helpers.retrieval.chunking import Chunk
from helpers.retrieval.hybrid import HybridIndex
from helpers.retrieval.index import Hit
from helpers.velunda.handbook import Question, Span, load_questions

Search = Callable[[str, int], list[Hit]]
QUOTING = "Read the text and answer the question with a short quote from the text."
GUESSING = "You answer questions about Velunda, a maker of electric bicycles, in a few words."
OPENING = "The answer is"  # put into the model's mouth: without it, a small one explains instead of answering
PASSAGES, BUDGET, ROOM = 1, 1024, 24  # passages shown, chosen on dev; tokens of prompt and reply, and of the reply
BATCH = 8
RECORD = Record("10_rag")
recorded, find = RECORD.read, RECORD.find  # the whole of it, and one run
SEARCHES = ("BM25", "dense", "hybrid")
SYSTEMS = ("closed-book", *SEARCHES, "gold passage")
BY, SIZE = "sentences", 200  # how documents are cut where nothing else is said


@dataclass(frozen=True)
class Reply:
    """What was said to one question, how right it is, how many tokens were read, and which documents they showed."""

    text: str
    f1: float
    exact: bool
    prompt_tokens: int
    documents: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values, F1 rounded to three digits."""
        return asdict(self) | {"f1": round(self.f1, 3), "documents": list(self.documents)}


def searches(index: HybridIndex) -> dict[str, Search]:
    """The searches of a hybrid index, by name: by words alone, by meaning alone, by both."""
    return {"BM25": index.bm25.search, "dense": index.dense.search, "hybrid": index.search}


def gold_search(questions: Sequence[Question], chunks: Sequence[Chunk]) -> Search:
    """A search that knows the answer: for each of the questions, the chunks that show its passages best.

    No search does better with these chunks. Raises ValueError where it is asked another question.
    """
    spans = {question.question: question.spans for question in questions}

    def search(query: str, k: int) -> list[Hit]:
        if not spans.get(query):
            raise ValueError(f"No passage is known for the question {query!r}.")
        best = [max(chunks, key=lambda chunk: shared(span, chunk)) for span in spans[query]]
        return [Hit(chunk, 1.0) for chunk in dict.fromkeys(best)][:k]

    return search


def shared(span: Span, chunk: Chunk) -> int:
    """How many characters of the passage the chunk shows; −1 for another document's."""
    if span.document != chunk.document:
        return -1
    return max(0, min(span.end, chunk.end) - max(span.start, chunk.start))


def ask(
    questions: Sequence[Question],
    search: Search | None,
    model: Any,
    tokenizer: Any,
    *,
    k: int = PASSAGES,
    budget: int = BUDGET,
    room: int = ROOM,
    batch: int = BATCH,
) -> list[Reply]:
    """What the model goes on with behind OPENING, greedily and up to a line's end, in the order of the questions.

    search: gives the passages; None asks closed-book. k: passages at most; budget: tokens of prompt and reply together;
    room: tokens of the reply. Prompts of about one length are read side by side. Raises ValueError for a question
    that has no answer to compare with, and as `grounded_prompt`.
    """
    if unanswerable := [question.question for question in questions if question.answer is None]:
        raise ValueError(f"{unanswerable[0]!r} has no right answer: such questions measure when to abstain.")
    found = [[] if search is None else search(question.question, k) for question in questions]
    opening = list(tokenizer(OPENING, add_special_tokens=False)["input_ids"])
    system = GUESSING if search is None else QUOTING
    prompts = [
        grounded_prompt(question.question, hits, tokenizer, budget - room - len(opening), system=system)
        for question, hits in zip(questions, found, strict=True)
    ]
    rows = [[*prompt.ids, *opening] for prompt in prompts]
    texts = [reply.text.split("\n")[0] for reply in greedy_replies(model, tokenizer, rows, room, batch)]
    return [
        Reply(
            text,
            answer_f1(text, question.answer or ""),
            exact_match(text, question.answer or ""),
            len(prompt.ids) + len(opening),
            tuple(chunk.document for chunk in prompt.chunks),
        )
        for question, prompt, text in zip(questions, prompts, texts, strict=True)
    ]


def every_nth(questions: Sequence[Any], n: int) -> list[Any]:
    """n of the questions, evenly spread and in their order; all of them where there are no more."""
    n = min(n, len(questions))
    return [questions[i * len(questions) // n] for i in range(n)]


def asked(split: str = "test") -> list[Question]:
    """The questions that were measured: those of the split that have an answer."""
    return [question for question in load_questions(split) if question.answerable]


def answers(system: str) -> list[dict[str, Any]]:
    """The replies to the test questions by one of SYSTEMS, in the order of `asked()`."""
    return find("answers", system=system)["replies"]
