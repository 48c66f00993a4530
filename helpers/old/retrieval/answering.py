"""Answer from passages: search, prompt, generate, cite, and abstain where confidence is low.

    found = answer("How long is the warranty on the battery?", index, model=model, tokenizer=tokenizer)
    print(found)                # the text with [1] or [?] behind each sentence, and the passages below
    found.confidence, found.abstained

Its steps: `prompt`, `citations`, `reranking` and `cache` of this room, `helpers.generation.decoding`,
`helpers.old.metrics.selective`.

What it does not do: hold a conversation, or rewrite the question before it searches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from helpers.old.generation.replies import greedy_replies
from helpers.old.retrieval.cache import AnswerCache
from helpers.old.retrieval.prompt import SYSTEM, grounded_prompt
from helpers.retrieval.citations import MINIMUM, Answer, Evidence, Support, cite
from helpers.retrieval.index import Hit, SearchIndex, require_query

ABSTENTION = "I do not know. A colleague will reply within one business day."
MARK = re.compile(r"\s*\[\d+\]")  # a citation that the model made up: it was not asked for any


CONFIDENCES: dict[str, Callable[[Evidence], float]] = {
    "retrieval": lambda evidence: evidence.retrieval,
    "likelihood": lambda evidence: evidence.likelihood,
    "support": lambda evidence: evidence.support,
}


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
