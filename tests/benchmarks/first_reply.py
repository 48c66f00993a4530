"""Seconds from starting Python to a printed reply: a fresh process each time, with an empty and a full disk cache."""

from __future__ import annotations

import json
import os
import site
import statistics
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, time
start = time.perf_counter()
from helpers.old.measuring import peak_bytes
from helpers.models import chat_model
import torch, transformers
imported = time.perf_counter()
model, tokenizer = chat_model()
loaded = time.perf_counter()
chat = [{"role": "user", "content": "What is the capital of France?"}]
prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
model.generate(**prompt, max_new_tokens=20, min_new_tokens=20, do_sample=False)
answered = time.perf_counter()
print(json.dumps({"import": imported - start, "load": loaded - imported, "20 tokens": answered - loaded,
                  "total": answered - start, "peak_mb": peak_bytes() / 1e6}))
"""
LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "safetensors", "huggingface_hub", "bitsandbytes", "scipy")


def drop_from_disk_cache(folders: list[Path]) -> bool:
    """Asks the system to forget the files below `folders`, so that they are read from disk anew; False if it cannot."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(descriptor)
    return True


def one_reply() -> dict[str, float]:
    """Seconds of each step and the peak memory of one fresh process."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(runs: int = 3) -> dict[str, dict[str, float] | None]:
    """One cold run (None where the system cannot forget files) and the medians of `runs` warm ones."""
    from helpers.models import fetch

    packages = [Path(folder) / name for folder in site.getsitepackages() for name in LIBRARIES]
    cold = one_reply() if drop_from_disk_cache([p for p in packages if p.is_dir()] + [fetch("chat")]) else None
    warm = [one_reply() for _ in range(runs)]
    return {"cold": cold, "warm": {key: statistics.median(run[key] for run in warm) for key in warm[0]}}
