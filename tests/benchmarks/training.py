"""What a training step of adapters costs on the chat model: seconds and peak memory, and what makes it cheaper.

    python -m tests.benchmarks.training            this table alone (a minute and a half on two quiet cores)

Every row is a process of its own, so that its peak is its own. CPU seconds are beside the clock's, because they say
nearly the same on a busy machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

STEPS = 5  # the first is not counted
TEXTS, TOKENS, LABELS = 4, 100, 40
ROWS: dict[str, dict[str, Any]] = {
    "float32": {"dtype": "float32"},
    "bfloat16": {},
    "bfloat16, logits everywhere": {"everywhere": True},
    "bfloat16, adapters on attention only": {"targets": "attention"},
    "bfloat16, adapters on the upper 15 blocks": {"upper": 15},
    "bfloat16, 60 tokens instead of 100": {"tokens": 60},
    "bfloat16, four texts packed into one row": {"packed": True},
}


def measure(
    dtype: str = "bfloat16",
    everywhere: bool = False,
    targets: str = "all",
    upper: int | None = None,
    tokens: int = TOKENS,
    packed: bool = False,
) -> dict[str, float]:
    """Median seconds of a step by the clock and of the processor, and the process's peak in GB above Python's own."""
    import torch

    from helpers.models import fetch
    from helpers.old.lora import add_lora_, lora_layers
    from helpers.old.lora.layers import ALL_LINEAR, ATTENTION
    from helpers.old.measuring import peak_bytes
    from helpers.old.training import Example, collate, loss_at_labels, training_step
    from helpers.transformer import Llama
    from tests.benchmarks.packing import collate_packed, loss_everywhere

    before = peak_bytes()
    model = Llama.from_pretrained(fetch("chat"), getattr(torch, dtype))
    add_lora_(model, 8, 16, ALL_LINEAR if targets == "all" else ATTENTION)
    for block in model.blocks[: len(model.blocks) - (upper or len(model.blocks))]:
        for layer in lora_layers(block).values():
            layer.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    ids = torch.randint(
        0, model.config.vocab_size, (TEXTS, tokens), generator=torch.Generator().manual_seed(0)
    ).tolist()
    texts = [Example(row, [-100] * (tokens - LABELS) + row[-LABELS:]) for row in ids]
    batch = collate_packed([texts]) if packed else collate(texts)
    clock, processor = [], []
    for _ in range(STEPS):
        start = time.perf_counter(), time.process_time()
        training_step(model, [batch], optimizer, 1.0, loss_everywhere if everywhere else loss_at_labels)
        clock.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    median = (STEPS - 1) // 2
    return {
        "seconds": sorted(clock[1:])[median],
        "cpu": sorted(processor[1:])[median],
        "peak_gb": (peak_bytes() - before) / 1e9,
    }


def print_training() -> None:
    print(f"\nA training step of adapters, r = 8 on all linear layers, {TEXTS} × {TOKENS} tokens, {LABELS} labels each")
    print(f"{'':44}{'seconds':>9}{'CPU s':>8}{'peak GB':>9}")
    for name, options in ROWS.items():
        code = f"from tests.benchmarks.training import *; print(json.dumps(measure(**{options!r})))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        print(f"{name:44}{found['seconds']:9.2f}{found['cpu']:8.2f}{found['peak_gb']:9.2f}", flush=True)


if __name__ == "__main__":
    print_training()
