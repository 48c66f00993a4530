"""The rungs from the library's speed to that of llama.cpp, each a model and a way to write with it.

    for rung in RUNGS: write = make(rung); write(ids, 128)

`make bench`, the recorded sweep and the notebook climb the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from helpers.generation.decoding import generate
from helpers.models import chat_model, fetch
from helpers.old.generation.speculation import PromptLookup, speculative
from helpers.old.speed.fast_llama import FastLlama
from helpers.old.speed.llama_cpp import LlamaCpp
from helpers.quantization import quantize_
from helpers.transformer.checkpoints import shapes_only
from helpers.transformer.kv_cache import GrowingCache
from helpers.transformer.llama import Llama, our_llama_name, read_llama_config

Write = Callable[[Tensor, int], object]  # ids (1, T), how many new ones

LIBRARY = "library"
RUNGS = (
    "no cache",
    "growing cache",
    "cache in place",
    "fewer operations",
    "bfloat16",
    "int8",
    "int4",
    "int4 drafts",
    "prompt lookup",
    "llama.cpp",
)
N_DRAFT = 4  # tokens that the int4 copy drafts for each pass of the float32 model
PROMPT = "The history of the bicycle begins with"


def make(rung: str) -> Write:
    """What writes on this rung: its model is loaded anew. Raises ValueError for another name."""
    if rung == LIBRARY:
        return library()
    if rung == "llama.cpp":
        model = LlamaCpp(torch.get_num_threads(), context=1024)
        return lambda ids, new: model.write(ids[0].tolist(), new)
    if rung in ("no cache", "growing cache", "cache in place"):
        model = Llama.from_pretrained(fetch("chat"))
        if rung == "growing cache":
            model.new_cache = partial(GrowingCache, model.config)
        return partial(_generate, model, cache=rung != "no cache")
    if rung not in RUNGS:
        raise ValueError(f"There is no rung {rung!r}: choose one of {', '.join((LIBRARY, *RUNGS))}.")
    if rung == "int4 drafts":  # for float32: its words at nearly the speed of int4
        model, small = fast_model("fewer operations"), fast_model("int4")
        return lambda ids, new: speculative(model, ids, new, draft=small, n_draft=N_DRAFT, ignore_eos=True)
    model = fast_model(rung)
    if rung == "prompt lookup":
        return lambda ids, new: speculative(model, ids, new, draft=PromptLookup(), n_draft=15, ignore_eos=True)
    return partial(_generate, model, cache=True)


def fast_model(rung: str) -> FastLlama:
    """A `FastLlama` in the precision of a rung; int4 keeps its head in int8, as the checkpoint was stored."""
    dtype = torch.float32 if rung == "fewer operations" else torch.bfloat16
    fast = FastLlama.from_pretrained(fetch("chat"), dtype)
    if rung == "int4":
        quantize_(fast, bits=4, skip="head")
    if rung in ("int8", "int4"):
        quantize_(fast, bits=8)
    return fast


def on_the_same_tensors(model: Any) -> Llama:
    """The course's Llama with the weights of the library's model, which are shared and not copied."""
    described = model.config.to_dict() | {"architectures": ["LlamaForCausalLM"]}
    with shapes_only():
        ours = Llama(read_llama_config(described))
    for name, parameter in model.named_parameters():
        owner, _, last = our_llama_name(name).rpartition(".")
        setattr(ours.get_submodule(owner), last, parameter)
    ours.tie()
    return ours.requires_grad_(False).eval()


def library(model: Any = None) -> Write:
    """The library's own `generate`, told to write exactly as many tokens as asked; by default in float32."""
    model = chat_model(torch.float32)[0] if model is None else model

    def write(ids: Tensor, new: int) -> Tensor:
        ids = ids.to(model.device)
        return model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False
        )

    return write


def _generate(model: Llama | FastLlama, ids: Tensor, new: int, cache: bool) -> Tensor:
    return generate(model, ids, new, cache=cache, ignore_eos=True)
