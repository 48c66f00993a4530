"""Answers from the one sentence or table row that holds them: LoRA beside bfloat16 weights, beside the course's 4-bit
layers, and bitsandbytes with PEFT, three seeds each, on questions of four domains that nothing was trained or chosen
on; the untrained model without and with two solved examples. Rank and learning rate are those of the reader in notebook
08; nothing was tuned."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "08b_qlora"
SEEDS = (0, 1, 2)
CASES = [
    *({"case": "untrained", "method": method} for method in ("lora", "qlora")),
    *({"case": "score", "method": method, "seed": seed} for seed in SEEDS for method in ("lora", "qlora", "library")),
]


def run(case: dict) -> dict:
    kinds = {"untrained": untrained, "score": score}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def untrained(method: str) -> dict:
    """The base as it is, in 16 bits without and with solved examples in its prompt, or in 4 bits without."""
    from helpers.old.trials import qlora

    tokenizer, readings = tokenizer_of(), qlora.judged()
    model = qlora.unpack_(qlora.build(method)[0]).eval()
    found = {"0 examples": qlora.replies(model, tokenizer, readings)}
    if method == "lora":
        found["2 examples"] = qlora.replies(model, tokenizer, readings, qlora.solved_examples())
    return found | {"nats a token": round(qlora.surprise_at(model, qlora.encode(tokenizer, readings[::2])), 4)}


def score(method: str, seed: int) -> dict:
    """A training, and what the model then answers. The codes are unpacked once for that: the same numbers."""
    from helpers.old.training import train
    from helpers.old.trials import qlora

    tokenizer, readings = tokenizer_of(), qlora.judged()
    model, loss = qlora.build(method, seed)
    recipe = qlora.recipe(seed=seed)
    start = time.perf_counter(), time.process_time()
    history = train(model, qlora.encode(tokenizer, qlora.answerable("train"), qlora.LENGTH), recipe, loss=loss)
    took, processor = time.perf_counter() - start[0], time.process_time() - start[1]
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    size = file_bytes(model)
    qlora.unpack_(model)
    return {
        "steps": recipe.steps,
        "batch": recipe.batch,
        "rate": recipe.rate,
        "trained parameters": trained,
        "file bytes": size,
        "training seconds": round(took, 1),
        "processor seconds": round(processor, 1),
        "losses": [round(loss, 4) for loss in history.losses],
        "replies": qlora.replies(model, tokenizer, readings),
        "nats a token": round(qlora.surprise_at(model, qlora.encode(tokenizer, readings[::2])), 4),
    }


def tokenizer_of() -> Any:
    from transformers import AutoTokenizer

    from helpers.models import fetch

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def file_bytes(model: Any) -> int:
    """Size of the adapter's weights on disk, as each way writes them."""
    from helpers.old.lora import save_adapter
    from helpers.transformer import Llama

    with tempfile.TemporaryDirectory() as folder:
        if isinstance(model, Llama):
            save_adapter(model, folder)
        else:
            model.save_pretrained(folder)
        return sum(path.stat().st_size for path in Path(folder).rglob("*.safetensors"))
