"""Documents that give the model orders, and one defense: what speaks to a model is taken out before it is read.

    without_orders(chunk)          # the chunk, without sentences that speak to a model instead of a reader

Whoever can write into the documents writes into the prompt (Greshake et al., 2023). The defense is a list of patterns:
it stops what its author thought of, and an attacker thinks of more. Measure it with orders that it was not made for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from helpers.retrieval.chunking import Chunk, sentence_spans
from helpers.retrieval.index import Hit

SPEAKS_TO_A_MODEL = re.compile(
    r"""
      \b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|passages?|documents?|rules?|prompts?|above|previous|context)\b
    | \b(?:you\ are|act\ as|pretend\ to\ be)\b.{0,30}\b(?:assistant|ai|chatbot|model|bot)\b
    | \b(?:system|developer)\s+(?:prompt|message|override|note)\b
    | \b(?:when|if|whenever)\b.{0,40}\b(?:asked|questioned|user\ asks)\b.{0,40}\b(?:answer|reply|respond|say)\b
    | \b(?:answer|reply|respond)\b.{0,30}\b(?:only|always|instead|exactly|with\ the\ words?)\b
    | <\|?(?:im_start|im_end|system|user|assistant)\|?>
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def speaks_to_a_model(sentence: str) -> bool:
    """Does a sentence look like an order to a model? By patterns, so with mistakes of both kinds."""
    return bool(SPEAKS_TO_A_MODEL.search(sentence))


def without_orders(chunk: Chunk) -> Chunk:
    """The chunk without such sentences. Its text is then no longer the document's, its place still is."""
    kept, at = "", 0
    for start, end in sentence_spans(chunk.text):
        if speaks_to_a_model(chunk.text[start:end]):
            kept, at = kept + chunk.text[at:start], end
    text = (kept + chunk.text[at:]).strip()
    return Chunk(chunk.document, chunk.start, chunk.end, chunk.headings, text) if text != chunk.text else chunk


def disarmed(hits: Sequence[Hit]) -> list[Hit]:
    """The hits without orders; one that was nothing else is left out. For `answer(reranker=…)`, after a search."""
    cleaned = [Hit(without_orders(hit.chunk), hit.score) for hit in hits]
    return [hit for hit in cleaned if hit.chunk.text]
