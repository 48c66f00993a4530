"""Answer from passages: search, prompt, generate, cite, and abstain where confidence is low.

    found = answer("How long is the warranty on the battery?", index, model=model, tokenizer=tokenizer)
    print(found)                # the text with [1] or [?] behind each sentence, and the passages below
    found.confidence, found.abstained

Steps live where their names say: `helpers.grounded_prompt`, `helpers.decoding`, `helpers.citations`,
`helpers.abstention`, `helpers.reranking`, `helpers.answer_cache`.

What it does not do: hold a conversation, or rewrite the question before it searches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.chunking import Chunk
from helpers.citations import MINIMUM, Citation, Support, cite
from helpers.grounded_prompt import SYSTEM, grounded_prompt
from helpers.replies import greedy_replies
from helpers.search_index import Hit, SearchIndex, require_query

if TYPE_CHECKING:
    from helpers.answer_cache import AnswerCache

ABSTENTION = "I do not know. A colleague will reply within one business day."
NO_SUPPORT = "No passage supports this sentence"
MARK = re.compile(r"\s*\[\d+\]")  # a citation that the model made up: it was not asked for any


@dataclass(frozen=True)
class Evidence:
    """What an answer's confidence can be made of.

    retrieval: the best hit's score, on its index's scale; likelihood: the geometric mean of the reply's token
    probabilities, 0 to 1; support: of its worst supported sentence, 0 to 1.
    """

    retrieval: float
    likelihood: float
    support: float


CONFIDENCES: dict[str, Callable[[Evidence], float]] = {
    "retrieval": lambda evidence: evidence.retrieval,
    "likelihood": lambda evidence: evidence.likelihood,
    "support": lambda evidence: evidence.support,
}


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


def answer(
    question: str,
    index: SearchIndex,
    *,
    model: Any,
    tokenizer: Any,
    k: int = 5,
    budget: int = 1024,
    max_new_tokens: int = 48,
    threshold: float | None = None,
    confidence: str | Callable[[Evidence], float] = "likelihood",
    minimum: float = MINIMUM,
    support: Support | None = None,
    reranker: Callable[[str, Sequence[Hit]], list[Hit]] | None = None,
    pool: int = 20,
    cache: AnswerCache | None = None,
    system: str = SYSTEM,
) -> Answer:
    """Search for k passages, let the model answer from them, greedily, and say what supports it.

    model, tokenizer: a decoder of the course's (`Llama`, `FastLlama`) and a tokenizer with a chat template. budget:
    tokens of prompt and reply together. threshold: below this confidence the answer is held back, None never; choose
    it on dev by `calibrate_threshold`, with the same `confidence`: "retrieval", "likelihood", "support", or a function
    of the `Evidence`. minimum, support: as in `cite`. reranker: orders the `pool` best hits before k are taken.
    cache: looked into first, and told the answer. Where nothing is found or said, the answer is an abstention.
    Raises ValueError for an empty question or index, a budget without room, an unknown confidence, and a cache that
    watches another index or fewer passages than are searched.
    """
    require_query(question)
    judge = CONFIDENCES.get(confidence) if isinstance(confidence, str) else confidence
    if judge is None:
        raise ValueError(f"confidence is one of {', '.join(CONFIDENCES)}, or a function, not {confidence!r}.")
    searched = k if reranker is None else max(pool, k)
    if cache is not None:
        cache.require(index, searched)
        if (known := cache.get(question)) is not None:
            return known
    hits = index.search(question, searched)
    if reranker is not None:
        hits = reranker(question, hits)[:k]
    if not hits:
        found = Answer(ABSTENTION, (), 0.0, True)
    else:
        prompt = grounded_prompt(question, hits, tokenizer, budget - max_new_tokens, system=system)
        [reply] = greedy_replies(model, tokenizer, [prompt.ids], max_new_tokens)
        text = MARK.sub("", reply.text).strip()
        citations = cite(text, prompt.chunks, minimum=minimum, support=support)
        worst = min((citation.support for citation in citations), default=0.0)
        evidence = Evidence(hits[0].score, reply.likelihood, worst)
        sure = float(judge(evidence))
        if not text or (threshold is not None and sure < threshold):
            found = Answer(ABSTENTION, (), sure, True, prompt.chunks, evidence)
        else:
            found = Answer(text, citations, sure, False, prompt.chunks, evidence)
    if cache is not None:
        cache.put(question, found)
    return found
