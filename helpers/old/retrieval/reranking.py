"""Order what a search found anew, by a model that reads question and passage together.

    hits = rerank(question, index.search(question, 20))[:5]

By a cross-encoder, trained for this (Nogueira and Cho, 2019): the course's own (`helpers.models.reranker`), or another
that is named. Or by query likelihood (Ponte and Croft, 1998; with a language model: Sachan et al., 2022): how probable
does a chat model find the question behind the passage? Each passage is read anew for each question, so a few dozen are
ordered, never a corpus.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from helpers.cross_encoder import CrossEncoder
from helpers.generation.batching import Forward
from helpers.retrieval.index import Hit, require_query

PASSAGE = "Passage: {passage}\nA question that this passage answers:"
LONGEST_PASSAGE = 400  # tokens; a longer one is cut, so that one chunk cannot fill the memory
BATCH = 8


def rerank(
    query: str,
    hits: Sequence[Hit],
    *,
    model: Any = None,
    tokenizer: Any = None,
    cross_encoder: Any = None,
) -> list[Hit]:
    """The same hits, best first, each with its new score; of equal scores the one that was first before.

    cross_encoder: `helpers.models.reranker()` by default; or a folder or hub id of safetensors weights for
    `sentence_transformers.CrossEncoder`, or one that is loaded. model, tokenizer: instead of it, a decoder of the
    course's (`Llama`, `FastLlama`) and its tokenizer, for `query_likelihood`. No hits give no hits.
    Raises ValueError for an empty query and where both kinds are given, ModelUnavailable.
    """
    require_query(query)
    if (model is None) != (tokenizer is None) or (model is not None and cross_encoder is not None):
        raise ValueError("Reranking takes a cross-encoder, or a model with its tokenizer: give one of the two.")
    if not hits:
        return []
    passages = [hit.chunk.text for hit in hits]
    if model is not None:
        scores = query_likelihood(model, tokenizer, query, passages, BATCH)
    else:
        scores = _by_cross_encoder(cross_encoder or _reranker(), query, passages, BATCH)
    return sorted((Hit(hit.chunk, score) for hit, score in zip(hits, scores, strict=True)), key=lambda hit: -hit.score)


@torch.no_grad()
def query_likelihood(
    model: Any, tokenizer: Any, query: str, passages: Sequence[str], batch: int = BATCH
) -> list[float]:
    """Mean log p(token) of the query's tokens behind each passage, in nats: 0 is certain, below it less so.

    Passages of about one length are read side by side,
    padded on the left; the query follows all of them at once. Raises ValueError for an empty query and a batch below 1.
    """
    require_query(query)
    if batch < 1:
        raise ValueError(f"batch is how many passages are read at once, 1 or more, not {batch}.")
    before, behind = PASSAGE.split("{passage}")
    encode = lambda text: list(tokenizer(text, add_special_tokens=False)["input_ids"])  # noqa: E731
    first, last, asked = encode(before), encode(behind), encode(" " + query.strip())
    rows = [[*first, *encode(passage)[:LONGEST_PASSAGE], *last] for passage in passages]
    scores = [0.0] * len(rows)
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))  # so that little is padded
    for start in range(0, len(rows), batch):
        chosen = by_length[start : start + batch]
        for i, score in zip(chosen, _behind(model, [rows[i] for i in chosen], asked), strict=True):
            scores[i] = score
    return scores


def _behind(model: Any, rows: list[list[int]], asked: list[int]) -> list[float]:
    """Mean log-probability of the ids `asked` behind each row."""
    forward = Forward(model)
    ids, mask = forward.prompts(rows, len(asked), pad_id=0)  # (B, T), padded on the left
    B, T = ids.shape
    tail = torch.tensor([asked], device=ids.device).expand(B, -1)  # (B, Q)
    if forward.has_cache:  # logits of the passages' own tokens are not needed, and they are what fills the memory
        cache = model.new_cache(B, T + len(asked) - 1)
        logits = [forward(ids, cache, mask, last_only=True)]
        if len(asked) > 1:
            logits.append(forward(tail[:, :-1], cache))
        logits = torch.cat(logits, dim=1).float()  # (B, Q, V)
    else:
        whole = torch.cat((ids, tail[:, :-1]), dim=1)
        seen = None if mask is None else torch.cat((mask, mask.new_ones(B, len(asked) - 1)), dim=1)
        logits = forward(whole, mask=seen)[:, T - 1 :].float()
    chosen = logits.gather(-1, tail[..., None])[..., 0] - logits.logsumexp(dim=-1)  # (B, Q)
    return chosen.mean(dim=1).tolist()


@cache
def _reranker() -> CrossEncoder:
    """The course's, loaded once per process."""
    from helpers.models import reranker

    return reranker()


def _by_cross_encoder(named: Any, query: str, passages: list[str], batch: int) -> list[float]:
    if isinstance(named, str | os.PathLike):
        named = load_cross_encoder(named)
    if isinstance(named, CrossEncoder):
        return named.score(query, passages)
    scores = named.predict([(query, passage) for passage in passages], batch_size=batch, show_progress_bar=False)
    return [float(score) for score in scores]


def load_cross_encoder(name: str | os.PathLike) -> Any:
    """The cross-encoder in a folder, or of that hub id, from safetensors only; no code that came with it is run.

    Raises ModelUnavailable, in one sentence, where it cannot be had.
    """
    from helpers.fetching.wheel import ModelUnavailable
    from helpers.scale import device

    folder = Path(name).expanduser()
    try:
        from sentence_transformers import CrossEncoder

        return CrossEncoder(
            str(folder) if folder.is_dir() else str(name),
            device=device(),
            model_kwargs={"use_safetensors": True},
            local_files_only=folder.is_dir(),
        )
    except Exception as error:  # the libraries raise a dozen kinds, none of which a reader can act upon differently
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200].rstrip(" .:")
        raise ModelUnavailable(
            f"The cross-encoder {name} cannot be loaded ({why}): name a folder with safetensors weights, or rerank "
            "with the chat model."
        ) from error
