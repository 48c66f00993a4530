"""An answer with its sentences, and the passage that supports each.

What it does not do: understand. A passage that says "is not free" has all the words of "is free".
"""

from __future__ import annotations

from dataclasses import dataclass

from helpers.retrieval.chunking import Chunk

NO_SUPPORT = "No passage supports this sentence"


@dataclass(frozen=True)
class Citation:
    """A sentence of an answer, `answer[start:end]`, with the chunk that supports it best, or None if none does.

    support: of that sentence by its best chunk, 0 to 1, whether it was enough or not.
    """

    sentence: str
    start: int
    end: int
    chunk: Chunk | None
    support: float


@dataclass(frozen=True)
class Answer:
    """An answer, its citations sentence by sentence, how sure it is, and whether it was held back.

    passages: the chunks that the prompt showed.
    """

    text: str
    citations: tuple[Citation, ...]
    confidence: float
    abstained: bool
    passages: tuple[Chunk, ...] = ()

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The sentences that no passage supports."""
        return tuple(citation.sentence for citation in self.citations if citation.chunk is None)

    def __str__(self) -> str:
        """The text with a mark behind each sentence, then what the marks stand for, one a line."""
        sources: list[Chunk] = []
        text, at = "", 0
        for citation in self.citations:
            if citation.chunk is not None and citation.chunk not in sources:
                sources.append(citation.chunk)
            mark = "?" if citation.chunk is None else sources.index(citation.chunk) + 1
            text, at = f"{text}{self.text[at : citation.end]} [{mark}]", citation.end
        lines = [text + self.text[at:]]
        lines += [f"[{n}] {chunk.document}: {' › '.join(chunk.headings)}" for n, chunk in enumerate(sources, start=1)]
        lines += [f"[?] {NO_SUPPORT}: {sentence}" for sentence in self.unsupported]
        return "\n".join(lines)
