"""A small training as a program of its own, which can be told to die: `python -m tests.killed_training FOLDER WHEN`.

WHEN: "never"; "step 7" kills the process between two micro-batches of that step, as kill −9 does; "write 2" kills it
when the second checkpoint lies beside its place, whole, but has not been moved there. At the end it writes
result.safetensors.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from helpers.files import safe_files
from helpers.lora import add_lora_
from helpers.old.training import Batch, Example, Recipe, collate, train
from helpers.old.transformer import GPT, GPTConfig
from tests.benchmarks.packing import loss_everywhere

RECIPE = Recipe(steps=12, rate=3e-3, batch=5, micro_batch=2, warmup=3, clip=0.5, weight_decay=0.01, seed=3)
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows, TerminateProcess


def die() -> None:
    os.kill(os.getpid(), KILL)


def examples() -> list[Example]:
    generator = torch.Generator().manual_seed(5)
    rows = [torch.randint(0, 31, (4 + i % 5,), generator=generator).tolist() for i in range(20)]
    return [Example(ids, list(ids)) for ids in rows]


def collate_with_noise(texts) -> Batch:
    """Tokens exchanged at random by all three generators: a training that forgets one of them ends elsewhere."""
    noisy = []
    for text in texts:
        ids = list(text.ids)
        ids[random.randrange(len(ids))] = random.randrange(31)
        ids[np.random.randint(len(ids))] = (
            int(random.gauss(15, 3)) % 31
        )  # gauss holds every second number back, as at step 5
        noisy.append(Example(ids, text.labels))
    return collate(noisy)


def main(folder: Path, when: str, lora: bool = False) -> None:
    kind, _, number = when.partition(" ")
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    model = GPT(GPTConfig(31, 16, 2, 2))
    if lora:
        add_lora_(model, 2, 4, ("q_proj", "v_proj"))
    calls = 0

    def loss(model, batch):
        nonlocal calls
        calls += 1
        if kind == "step" and calls == int(number) * 3 + 2:  # three micro-batches a step
            die()
        keep = torch.rand(batch.labels.shape) > 0.2  # from PyTorch's generator: some labels count less
        return loss_everywhere(model, batch) * keep.float().mean()

    written = 0
    replace = os.replace

    def replace_or_die(*paths):
        nonlocal written
        written += 1
        if kind == "write" and written == int(number):
            die()
        replace(*paths)

    safe_files.os.replace = replace_or_die
    # looking draws random numbers too, as sampling an answer would
    look = lambda model, step: float(torch.rand(1) + random.random() + np.random.rand())  # noqa: E731
    history = train(
        model, examples(), RECIPE, collate=collate_with_noise, loss=loss, evaluate=look, evaluate_every=4,
        folder=folder, save_every=5,
    )  # fmt: skip
    result = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    result["losses"] = torch.tensor(history.losses, dtype=torch.float64)
    result["steps looked at"] = torch.tensor(list(history.evaluations))
    save_file(result, folder / "result.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2], lora=len(sys.argv) > 3)
