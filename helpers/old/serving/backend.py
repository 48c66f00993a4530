"""What a server serves: one engine with its adapters, one encoder, and which version of each it is.

    backend = load_backend(Settings(adapters=("tickets",), bits=4))
    backend.models["tickets"].version           # SmolLM2-135M-Instruct@3fd9a1c2/int4+tickets@81b0c2d4

A version names the weights' files by checksum and the precision, so that a reply can be traced to what wrote it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.old.serving.requests import EngineStats
from helpers.old.serving.settings import Settings

PRECISIONS = {32: "fp32", 16: "bf16", 8: "int8", 4: "int4"}


@dataclass(frozen=True)
class Model:
    """One entry of /v1/models. adapter: the engine's name of it; encodes: it makes vectors and writes no text."""

    name: str
    version: str
    adapter: str | None = None
    encodes: bool = False

    @property
    def fingerprint(self) -> str:
        """OpenAI's `system_fingerprint`: the version, shortened to one word."""
        return "fp_" + hashlib.sha256(self.version.encode()).hexdigest()[:10]


@dataclass
class Backend:
    """worker: an `EngineWorker`, or anything with its `stream` and `close`. context: tokens of prompt and reply."""

    tokenizer: Any
    worker: Any
    stats: Callable[[], EngineStats | None]
    models: dict[str, Model]
    context: int
    encoder: Encoder | None = None


@dataclass
class Encoder:
    """Texts to vectors, by a model that `load` loads at the first call. One call at a time."""

    load: Callable[[], Any]
    _model: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def encode(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """The vectors, and how many tokens were read. Raises ValueError for a text that is longer than it can read."""
        with self._lock:
            if self._model is None:
                self._model = self.load()
            model = self._model
            lengths = [len(ids) for ids in model.tokenizer(list(texts), truncation=False, padding=False)["input_ids"]]
            most = int(model.max_seq_length)
            for number, length in enumerate(lengths):
                if length > most:
                    raise ValueError(f"Text {number} has {length} tokens, and the embedder reads {most} at most.")
            return model.encode(list(texts), show_progress_bar=False).tolist(), sum(lengths)


def load_backend(settings: Settings) -> Backend:
    """Load the chat model and the adapters, and start the engine.

    Raises ModelUnavailable, AdapterUnavailable, and ValueError for adapters that cannot be served, in one sentence.
    """
    import torch
    from transformers import AutoTokenizer

    from helpers.adapters import find_adapter
    from helpers.models import embedder, fetch
    from helpers.old.serving.engine import Engine
    from helpers.old.serving.worker import EngineWorker
    from helpers.old.speed.fast_llama import FastLlama
    from helpers.quantization import quantize_
    from helpers.scale import matrix_dtype

    adapters = {name: find_adapter(which) for name, which in settings.named_adapters.items()}
    folder = fetch("chat")
    fast = matrix_dtype()
    bits = settings.bits or (16 if fast == torch.bfloat16 else 32)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def engine() -> Engine:
        model = FastLlama.from_pretrained(folder, {32: torch.float32, 16: torch.bfloat16}.get(bits, fast))
        if bits < 16:
            quantize_(model, bits=bits, skip=["head"])
        return Engine(
            model,
            tokenizer,
            adapters=adapters,
            cache_mb=settings.cache_mb,
            page_size=settings.page_size,
            max_running=settings.max_running,
            max_waiting=settings.max_waiting,
            chunk=settings.chunk,
            prefix_cache=settings.prefix_cache,
        )

    worker = EngineWorker(engine)
    base = f"{_named(folder, 'chat')}@{checksum(folder)}/{PRECISIONS[bits]}"
    models = {"chat": Model("chat", base)}
    for name, adapter in adapters.items():
        models[name] = Model(name, f"{base}+{name}@{checksum(adapter)}", adapter=name)
    encoder = None
    if settings.embedder:
        where = fetch("embedder")
        models["embedder"] = Model("embedder", f"{_named(where, 'embedder')}@{checksum(where)}", encodes=True)
        encoder = Encoder(embedder)
    context = min(worker.engine.config.max_len, worker.engine.pool.n_pages * settings.page_size)
    return Backend(tokenizer, worker, lambda: worker.stats, models, context, encoder)


def checksum(folder: Path) -> str:
    """The first 8 digits of the SHA-256 over a folder's weights."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with open(file, "rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:8]


def _named(folder: Path, role: str) -> str:
    """What the model is called: the course's own name for its own models, else the folder's."""
    from helpers.models import SOURCES, named_instead

    return SOURCES[role].name if named_instead(role)[0] is None else folder.name
