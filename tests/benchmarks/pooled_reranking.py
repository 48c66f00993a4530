"""Reranking of many questions at once: a passage that several of them found is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from helpers.generation import as_batch
from helpers.old.generation import BehindPrefix
from helpers.old.retrieval import PASSAGE
from helpers.old.retrieval.reranking import LONGEST_PASSAGE
from helpers.retrieval import Hit


def pool_scores(
    model: Any, tokenizer: Any, pools: Mapping[str, Sequence[Hit]], report: Callable[[Iterable], Iterable] = iter
) -> dict[str, list[float]]:
    """`query_likelihood` of each question behind each of its hits. A passage of several questions is read once.

    pools: question → hits  →  question → a score for each of them. report: such as tqdm, sees the passages go by.
    """
    asked: dict[str, list[str]] = {}
    for question, hits in pools.items():
        for hit in hits:
            asked.setdefault(hit.chunk.text, []).append(question)
    found: dict[tuple[str, str], float] = {}
    for passage in report(list(asked)):
        scores = likelihoods_behind(model, tokenizer, passage, asked[passage])
        found |= {(question, passage): score for question, score in zip(asked[passage], scores, strict=True)}
    return {question: [found[question, hit.chunk.text] for hit in hits] for question, hits in pools.items()}


@torch.no_grad()
def likelihoods_behind(
    model: Any, tokenizer: Any, passage: str, queries: Sequence[str], batch: int = 8, prompt: str = PASSAGE
) -> list[float]:
    """What `helpers.old.retrieval.query_likelihood` gives for each of several queries behind one passage, read once."""
    encode = lambda text: list(tokenizer(text, add_special_tokens=False)["input_ids"])  # noqa: E731
    before, behind = map(encode, prompt.split("{passage}"))
    prefix = [*before, *encode(passage)[:LONGEST_PASSAGE], *behind]
    reader = BehindPrefix(model, prefix[:-1])
    scores = []
    for start in range(0, len(queries), batch):
        asked = [encode(" " + query.strip()) for query in queries[start : start + batch]]
        rows = [[prefix[-1], *ids[:-1]] for ids in asked]
        ids, mask = as_batch(rows, device=next(model.parameters()).device)  # (B, T), padded on the left
        wanted, _ = as_batch(asked, device=ids.device)  # (B, T), in the same places
        logits = reader.forward(ids, reader.new_cache(*ids.shape), mask=mask)  # (B, T, V)
        log_p = logits.gather(-1, wanted[..., None])[..., 0] - logits.logsumexp(dim=-1)
        scores += [float(row[len(row) - len(own) :].mean()) for row, own in zip(log_p, asked, strict=True)]
    return scores
