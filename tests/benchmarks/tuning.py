"""What the sweeps that train adapters share: the model, and how histories, scores and readings are written down."""

from __future__ import annotations

from typing import Any


def base_model(dtype: Any = None) -> tuple[Any, Any]:
    """The course's own Llama with the chat model's weights, by default in the precision that is fast here, and the
    tokenizer."""
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.scale import matrix_dtype
    from helpers.transformer import Llama

    folder = fetch("chat")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Llama.from_pretrained(folder, dtype or matrix_dtype()), tokenizer


def took(found: Any) -> dict:
    return {
        "replies": len(found.replies),
        "without an object": sum(label is None for label in found.labels),
        "without an end": found.unended,
        "tokens read": found.prompt_tokens,
        "tokens written": found.new_tokens,
        "seconds": round(found.seconds, 1),
    }


def to_json(scores: Any) -> dict:
    return {field: score.to_json() for field, score in scores.items()}


def trained(history: Any) -> dict:
    return {"losses": [round(loss, 4) for loss in history.losses]}
