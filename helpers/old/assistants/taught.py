"""The chat model with one of the course's adapters, ready to answer fast: `model, tokenizer = taught_model("tickets")`.

The adapter is merged into the weights in float32, where rounding loses nothing that matters; merging into 16 bits would
change some answers (notebook 08 measures it). With `dtype`, the merged weights are rounded once, after it.

What it does not do: train, or switch adapters (`chat_model`, by PEFT).
"""

from __future__ import annotations

import os
from typing import Any

import torch

from helpers.lora import merge_lora_
from helpers.models import fetch
from helpers.old.lora.files import load_adapter
from helpers.old.speed.fast_llama import FastLlama
from helpers.transformer.llama import Llama


def taught_model(adapter: str | os.PathLike, dtype: torch.dtype = torch.float32) -> tuple[FastLlama, Any]:
    """The course's fast model with the adapter merged into it, and its tokenizer.

    adapter: one of `python -m helpers.models`, or a folder. dtype: in which precision it multiplies matrices.
    Raises ModelUnavailable, and AdapterUnavailable for one that is missing, damaged or of another base.
    """
    from transformers import AutoTokenizer

    folder = fetch("chat")
    model = load_adapter(Llama.from_pretrained(folder, torch.float32), adapter)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return FastLlama(merge_lora_(model).to(dtype)), tokenizer
