"""llama.cpp beside the course's code: the same weights, in the file that they came in.

    if installed():
        seconds = LlamaCpp().write(prompt_ids, 64)

llama.cpp runs models in plain C++ with kernels for every processor (Gerganov, 2023). It is an optional extra, since
its Python package compiles for some minutes:  pip install -e ".[llamacpp]"

What it does not do: sampling, batches; it is here to be compared with.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from helpers.fetching.cache import ensure
from helpers.models import CHAT_FILE, SOURCES

HOW = 'llama.cpp is not installed: pip install -e ".[llamacpp]" compiles it, which takes some minutes.'


def installed() -> bool:
    """Whether the package llama-cpp-python is there."""
    return importlib.util.find_spec("llama_cpp") is not None


def chat_gguf() -> Path:
    """The chat model's file as it was published, 98 MB; fetched on the first call. Raises ModelUnavailable."""
    source = replace(SOURCES["chat"], role="gguf", build=None, needed_bytes=200_000_000)
    return ensure(source) / CHAT_FILE


class LlamaCpp:
    """The chat model in llama.cpp, 4 bits a weight. Raises ImportError, which says how to install it."""

    def __init__(self, threads: int = 2, context: int = 512) -> None:
        if not installed():
            raise ImportError(HOW)
        from llama_cpp import Llama

        self.model = Llama(
            str(chat_gguf()), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False, logits_all=False
        )

    def write(self, ids: Sequence[int], new: int) -> tuple[list[int], float]:
        """`new` ids written greedily behind the prompt, its reading included, and the seconds that it took."""
        start, written = time.perf_counter(), []
        for token in self.model.generate(list(ids), temp=0.0, reset=True):
            written.append(int(token))
            if len(written) == new:
                break
        return written, time.perf_counter() - start
