"""The handbook's assistant as 10b and 14 recorded it: three chunks of 128 tokens, filtered after they were fused.

    ask = handbook_assistant()
    ask("Do you sell skis?").abstained                        # True

`helpers.assistants.handbook` has the one that lesson 10 builds; this waits for their rework.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from helpers import assistants
from helpers.assistants import handbook
from helpers.models import reranker
from helpers.retrieval.indexes import Hit, HybridIndex
from helpers.velunda.handbook import Document, load_handbook

CHUNKS = {"size": 128, "overlap": 32, "by": "sentences"}
POOL, PASSAGES = 20, 3
THRESHOLD = 10.52  # the lowest at which at most 15 % of what was answered to everyday dev questions was wrong


def in_force(hits: Sequence[Hit], question: str, documents: Mapping[str, Document]) -> list[Hit]:
    """The hits in documents that hold today, in their order."""
    return [hit for hit in hits if handbook.in_force(documents[hit.chunk.document], question)]


class HandbookAssistant(assistants.HandbookAssistant):
    """As the new one, with the old order of its steps."""

    def hits(self, question: str) -> list[Hit]:
        """What the search finds, with what does not hold left out afterwards."""
        return in_force(self.index.search(question, 2 * POOL), question, self.documents)[:POOL]

    def passages(self, question: str) -> list[Hit]:
        return handbook.best_passages(question, self.hits(question), self.cross_encoder, PASSAGES)


@cache
def handbook_assistant() -> HandbookAssistant:
    """The assistant of the records, loaded once per process."""
    index = handbook_index()
    return HandbookAssistant(index, load_handbook(), reranker(), index.dense.encoder, THRESHOLD)


def handbook_chunks() -> tuple[handbook.Chunk, ...]:
    """The handbook, cut as it was searched."""
    return handbook.handbook_chunks(CHUNKS["size"], CHUNKS["overlap"])


def handbook_index() -> HybridIndex:
    """Its index."""
    return handbook.handbook_index(CHUNKS["size"], CHUNKS["overlap"])
