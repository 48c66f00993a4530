"""Velunda's handbook answers questions: what answers is quoted with its source, or nothing is said.

    ask = handbook_assistant()
    print(ask("What does a spare key for the battery lock cost?"))    # the row of the price list [1], and its place
    ask("Do you sell skis?").abstained                                # True

The steps of lesson 10, each a function that can be called alone:

    hits = index.search(question, POOL, allowed)                              # words and meaning; only what holds today
    passages = best_passages(question, hits, cross_encoder)                   # read together with the question
    quotes = best_quotes(question, passages, documents, cross_encoder, encoder)     # their sentences and rows
    quotes[0].score >= THRESHOLD                                              # else it abstains
    answer_by_quote(quotes[0], documents)                                     # an Answer with its citation

The best sentence is often the one before or after the one that answers, so it is shown with its neighbors.
What it does not do: answer what takes two places far apart, add up, or remember what was asked before.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from helpers.cross_encoder import CrossEncoder
from helpers.fetching.cache import cache_dir
from helpers.files.safe_files import write_atomically
from helpers.models import reranker
from helpers.retrieval.chunking import Chunk, chunk_documents
from helpers.retrieval.indexes import Hit, HybridIndex, SearchIndex, course_encoder, encode_texts, encoder_checksum
from helpers.retrieval.units import Unit, split_units, write_out
from helpers.velunda.handbook import Document, load_handbook

ABSTENTION = "I do not know. A colleague will reply within one business day."
SIZE, OVERLAP = 64, 16  # tokens of a chunk
POOL = 20  # hits that are read together with the question
PASSAGES = 6  # of these, how many are cut into sentences and rows
MEANING = 15.0  # what a cosine weighs beside the cross-encoder's score of a sentence
AROUND = 2  # sentences before the best one, and behind it, that are shown with it
THRESHOLD = 10.21  # refuses at least 80 % of the everyday dev questions without an answer, with a margin
# what asks for a rule that no longer holds, beside a number of its title such as "2.8" or "2019"
OLDER = re.compile(
    r"\b(?:used to|formerly|previously|back then|in those days|before 20\d\d|"
    r"(?:the|your|an) (?:old(?:er)?|previous|former) (?:rules?|terms|version|edition|conditions|policy|prices?))\b",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Quote:
    """A sentence or row of a document, and how well it answers: the larger, the better, no probability."""

    document: str
    unit: Unit
    score: float


@dataclass(frozen=True)
class Citation:
    """A sentence of an answer, `answer.text[start:end]`, and the place that it was quoted from."""

    sentence: str
    start: int
    end: int
    chunk: Chunk


@dataclass(frozen=True)
class Answer:
    """An answer, where it stands, its score, and whether it was held back; passages: what was read for it."""

    text: str
    citations: tuple[Citation, ...]
    confidence: float
    abstained: bool
    passages: tuple[Chunk, ...] = ()

    def __str__(self) -> str:
        """The text with a mark after each quote, then what the marks stand for, a line each."""
        text, at = "", 0
        for n, one in enumerate(self.citations, start=1):
            text, at = f"{text}{self.text[at : one.end]} [{n}]", one.end
        places = [f"{one.chunk.document}: {' › '.join(one.chunk.headings)}" for one in self.citations]
        return "\n".join([text + self.text[at:], *(f"[{n}] {place}" for n, place in enumerate(places, start=1))])


# The steps -----------------------------------------------------------------------------------------------------------


def in_force(document: Document, question: str) -> bool:
    """May the document answer? A draft never; a superseded one only where the question asks for the past."""
    if document.status == "superseded":
        return asks_for_older(question, document)
    return document.status == "current"


def asks_for_older(question: str, document: Document) -> bool:
    """Does the question speak of the past, or name a number that the document's title has: a year, a version?"""
    named = set(NUMBER.findall(document.title)) & set(NUMBER.findall(question))
    return bool(named) or bool(OLDER.search(question))


def best_passages(question: str, hits: Sequence[Hit], cross_encoder: CrossEncoder, n: int = PASSAGES) -> list[Hit]:
    """The n hits that answer best where question and passage, behind its headings, are read together; best first."""
    scores = cross_encoder.score(question, [hit.chunk.with_headings for hit in hits])
    scored = [Hit(hit.chunk, score) for hit, score in zip(hits, scores, strict=True)]
    return sorted(scored, key=lambda hit: -hit.score)[:n]


def best_quotes(
    question: str,
    passages: Sequence[Hit],
    documents: Mapping[str, Document],
    cross_encoder: CrossEncoder,
    encoder: Any,
    meaning: float = MEANING,
) -> list[Quote]:
    """All sentences and rows of the passages, by how well each alone answers, the best first.

    The score is the cross-encoder's, plus `meaning` times the cosine of question and unit: of two models, each errs
    alone more often than both together.
    """
    units = [(hit.chunk.document, unit) for hit in passages for unit in units_in(hit.chunk, documents)]
    units = list(dict.fromkeys(units))  # passages overlap
    if not units:
        return []
    texts = [unit.with_headings for _, unit in units]
    cosines = encode_texts(encoder, texts) @ encode_texts(encoder, [question], query=True)[0]
    scores = cross_encoder.score(question, texts) + meaning * cosines
    quotes = [Quote(document, unit, float(score)) for (document, unit), score in zip(units, scores, strict=True)]
    return sorted(quotes, key=lambda quote: -quote.score)


def units_in(chunk: Chunk, documents: Mapping[str, Document]) -> list[Unit]:
    """The sentences and rows that a chunk shows, also in part; a row's columns may be named above the chunk."""
    units = units_of(documents[chunk.document].text)
    return [unit for unit in units if unit.start < chunk.end and chunk.start < unit.end]


@cache
def units_of(text: str) -> tuple[Unit, ...]:
    """`split_units`, once per text."""
    return tuple(split_units(text))


def around(quote: Quote, documents: Mapping[str, Document], n: int = AROUND) -> list[Unit]:
    """A quoted sentence, and n before and n behind it under the same heading; a row of a table stands alone."""
    if quote.unit.row:
        return [quote.unit]
    units = [unit for unit in units_of(documents[quote.document].text) if unit.headings == quote.unit.headings]
    at = units.index(quote.unit)
    return units[max(at - n, 0) : at + n + 1]


def answer_by_quote(quote: Quote, documents: Mapping[str, Document], passages: Sequence[Hit] = ()) -> Answer:
    """The quote with what stands around it, as an answer that cites the place of the quote."""
    text = shown(around(quote, documents))
    start = text.index(quote.unit.text)
    citation = Citation(quote.unit.text, start, start + len(quote.unit.text), source(quote, documents))
    return Answer(text, (citation,), quote.score, False, tuple(hit.chunk for hit in passages))


def shown(units: Sequence[Unit]) -> str:
    """Units of one section, a line each, without its headings, which the source tells."""
    return write_out([replace(unit, headings=()) for unit in units])


def source(quote: Quote, documents: Mapping[str, Document], n: int = AROUND) -> Chunk:
    """Where a quote stands with what is shown around it, as a piece of its document."""
    units, text = around(quote, documents, n), documents[quote.document].text
    start, end = units[0].start, units[-1].end
    return Chunk(quote.document, start, end, quote.unit.headings, text[start:end])


# All of them ---------------------------------------------------------------------------------------------------------


class HandbookAssistant:
    """Called with a question, it gives an `Answer` from the documents that the index was made of.

    threshold: from which score on a quote is an answer.
    """

    def __init__(
        self,
        index: SearchIndex,
        documents: Mapping[str, Document],
        cross_encoder: CrossEncoder,
        encoder: Any,
        threshold: float = THRESHOLD,
    ) -> None:
        self.index, self.documents = index, documents
        self.cross_encoder, self.encoder = cross_encoder, encoder
        self.threshold = threshold

    def __call__(self, question: str) -> Answer:
        """The answer, or one that abstains. Raises ValueError for an empty question."""
        passages = self.passages(question)
        quotes = self.quotes(question, passages)
        if not quotes or quotes[0].score < self.threshold:
            return self._abstain(quotes, passages)
        return answer_by_quote(quotes[0], self.documents, passages)

    def hits(self, question: str) -> list[Hit]:
        """What the search finds in documents that may answer: the others are left out before anything is ranked."""
        return self.index.search(question, POOL, lambda chunk: in_force(self.documents[chunk.document], question))

    def passages(self, question: str) -> list[Hit]:
        """The passages that answer best."""
        return best_passages(question, self.hits(question), self.cross_encoder)

    def quotes(self, question: str, passages: Sequence[Hit]) -> list[Quote]:
        """Their sentences and rows, the best first."""
        return best_quotes(question, passages, self.documents, self.cross_encoder, self.encoder)

    def _abstain(self, quotes: Sequence[Quote], passages: Sequence[Hit]) -> Answer:
        score = quotes[0].score if quotes else -math.inf
        return Answer(ABSTENTION, (), score, True, tuple(hit.chunk for hit in passages))


@cache
def handbook_assistant() -> HandbookAssistant:
    """The course's assistant, loaded once per process. Raises ModelUnavailable in one sentence."""
    index = handbook_index()
    return HandbookAssistant(index, load_handbook(), reranker(), index.dense.encoder)


@cache
def handbook_chunks(size: int = SIZE, overlap: int = OVERLAP) -> tuple[Chunk, ...]:
    """The whole handbook, cut as it is searched."""
    return tuple(chunk_documents(load_handbook().values(), size, overlap, "sentences"))


def handbook_index(size: int = SIZE, overlap: int = OVERLAP) -> HybridIndex:
    """The handbook, cut and indexed; vectors are kept in the cache folder, and made again once a document changes."""
    chunks, encoder = handbook_chunks(size, overlap), course_encoder()
    digest = hashlib.sha256((repr(chunks) + encoder_checksum(encoder)).encode()).hexdigest()[:12]
    path, index = cache_dir() / f"handbook-{digest}.npy", HybridIndex(encoder)
    with contextlib.suppress(OSError, ValueError, EOFError):  # none yet, or cut off
        vectors = np.load(path, allow_pickle=False)
        if len(vectors) == len(chunks):
            index.add(chunks, vectors=vectors)
            return index
    index.add(chunks, progress=True)

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, index.dense.vectors)

    with contextlib.suppress(OSError):  # a cache that cannot be written costs half a minute next time, no answer
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save)
    return index
