"""How fast the course's Llama is on the real weights, side by side with the library's in one process.

python -m tests.benchmarks.transformer         this table alone
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PROMPT, REPLY = 256, 16
PEAK = """
import torch
from helpers.old.measuring import peak_bytes
from helpers.models import fetch
from helpers.transformer import Llama
before = peak_bytes()
model = Llama.from_pretrained(fetch("chat"), torch.{dtype})
print((peak_bytes() - before) / 1e6, sum(p.nbytes for p in model.parameters()) / 1e6)
"""


def alternating(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """The best seconds of each, in turns: what else the machine does can only add, and to both."""
    best = [float("inf"), float("inf")]
    for n in range(rounds):
        for which in (0, 1) if n % 2 else (1, 0):
            gc.collect()
            start = time.perf_counter()
            (ours, theirs)[which]()
            best[which] = min(best[which], time.perf_counter() - start)
    return best[0], best[1]


def loading(dtype: str, rounds: int = 3) -> tuple[float, float]:
    """Seconds of `from_pretrained`, ours and the library's, files in the disk cache."""
    import torch
    from transformers import AutoModelForCausalLM

    from helpers.models import fetch
    from helpers.transformer import Llama

    folder, precision = fetch("chat"), getattr(torch, dtype)
    return alternating(
        lambda: Llama.from_pretrained(folder, precision),
        lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=precision),
        rounds,
    )


def running(dtype: str, rounds: int = 2) -> dict[str, tuple[float, float, float | None]]:
    """What -> tokens a second, ours and the library's, and the target: a prompt read, a reply written greedily."""
    import torch

    from helpers.models import chat_model, fetch
    from helpers.transformer import Llama

    precision = getattr(torch, dtype)
    ours, (theirs, _) = Llama.from_pretrained(fetch("chat"), precision), chat_model(precision)
    ids = torch.randint(0, 49_152, (1, PROMPT), generator=torch.Generator().manual_seed(0))
    start = ids[:, :8]
    options = {"max_new_tokens": REPLY, "min_new_tokens": REPLY, "do_sample": False}

    def write() -> None:
        cache, token = ours.new_cache(1, 8 + REPLY), start
        for _ in range(REPLY):
            token = ours(token, cache, last_only=True)[:, -1].argmax(-1, keepdim=True)

    with torch.inference_mode():
        read = alternating(lambda: ours(ids), lambda: theirs(ids), rounds)
        written = alternating(write, lambda: theirs.generate(start, **options), rounds)
    return {
        f"read {PROMPT} tokens": (PROMPT / read[0], PROMPT / read[1], 0.95),
        f"write {REPLY} tokens": (REPLY / written[0], REPLY / written[1], None),
    }


def print_transformer() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
    print("\nThe course's Llama on the chat model's weights, beside the library's")
    print(f"{'':44}{'ours':>9}{'theirs':>9}{'ratio':>8}{'target':>8}")
    for dtype in ("float32", "bfloat16"):
        for what, (ours, theirs, target) in running(dtype).items():
            row = f"  {f'{what}, {dtype}, tokens/s':42}{ours:9.1f}{theirs:9.1f}{ours / theirs:8.2f}"
            print(row if target is None else f"{row}{target:8}  {verdict(ours >= target * theirs)}")
        ours, theirs = loading(dtype)
        row = f"  {f'from_pretrained, {dtype}, s':42}{ours:9.3f}{theirs:9.3f}{ours / theirs:8.2f}"
        print(f"{row}{1.5:8}  {verdict(ours <= 1.5 * theirs)}")
        done = subprocess.run(
            [sys.executable, "-c", PEAK.format(dtype=dtype)], capture_output=True, text=True, check=True
        )
        added, weights = map(float, done.stdout.split())
        print(f"  {f'loading adds to a fresh process, {dtype}, MB':42}{added:9.0f}   weights {weights:.0f}")


def verdict(reached: bool) -> str:
    return "reached" if reached else "NOT REACHED"


if __name__ == "__main__":
    print_transformer()
