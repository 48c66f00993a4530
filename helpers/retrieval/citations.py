"""Which passage supports which sentence of an answer: found after the answer is written, sentence by sentence.

    cited = cite("Brake pads cost 18 euros.", passages)
    cited[0].chunk, cited[0].support       # the passage that supports it best, and how well; None below the minimum

A small model does not cite by itself, and a large one may cite what it did not read. Support is measured: the share of
a sentence's words that the passage has, and nothing at all if a number or code of the sentence (18, E05) is lacking.

What it does not do: understand. A passage that says "is not free" has all the words of "is free".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from helpers.retrieval.chunking import Chunk, sentence_spans
from helpers.retrieval.content_words import content

MINIMUM = 0.6  # a sentence of which less is found counts as unsupported; choose your own on dev questions
NO_SUPPORT = "No passage supports this sentence"
Support = Callable[[str, str], float]


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
class Evidence:
    """What an answer's confidence can be made of.

    retrieval: the best hit's score, on its index's scale; likelihood: the geometric mean of the reply's token
    probabilities, 0 to 1; support: of its worst supported sentence, 0 to 1.
    """

    retrieval: float
    likelihood: float
    support: float


@dataclass(frozen=True)
class Answer:
    """An answer, its citations sentence by sentence, how sure it is, and whether it was held back.

    passages: the chunks that the prompt showed. evidence: what confidence was made of, None if nothing was found.
    """

    text: str
    citations: tuple[Citation, ...]
    confidence: float
    abstained: bool
    passages: tuple[Chunk, ...] = ()
    evidence: Evidence | None = None

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


def cite(
    answer: str, passages: Sequence[Chunk], *, minimum: float = MINIMUM, support: Support | None = None
) -> tuple[Citation, ...]:
    """For each sentence of the answer the passage that supports it best, None where that is less than `minimum`.

    support: (sentence, passage) → 0 to 1, `word_support` by default; of equal ones the first passage is cited.
    Raises ValueError for a minimum outside [0, 1].
    """
    if not 0 <= minimum <= 1:
        raise ValueError(f"minimum lies between 0 and 1, not {minimum}.")
    support = word_support if support is None else support
    cited = []
    for start, end in sentence_spans(answer):
        sentence = answer[start:end]
        scores = [support(sentence, chunk.with_headings) for chunk in passages]
        best = max(range(len(scores)), key=scores.__getitem__, default=None)
        score = 0.0 if best is None else scores[best]
        supported = best is not None and score >= minimum and score > 0
        cited.append(Citation(sentence, start, end, passages[best] if supported else None, score))
    return tuple(cited)


def word_support(sentence: str, passage: str) -> float:
    """The share of the sentence's content words that the passage has, 0 to 1; 0 if it lacks a number or code.

    Words are compared without their endings -s, -ed, -ing; a negation counts as a word. A sentence without content
    words ("It is.") has no support.
    """
    said, read = content(sentence), set(content(passage))
    if not said or any(_exact(word) and word not in read for word in said):
        return 0.0
    return sum(word in read for word in said) / len(said)


def _exact(word: str) -> bool:
    """Numbers and codes such as E05 are right or wrong, never nearly right."""
    return any(letter.isdigit() for letter in word)
