"""LoRA beside bfloat16 weights and beside the course's 4-bit layers: right answers on tickets of families that were not
trained (product and order number, one seed); and the peak memory and processor seconds of a step in its own process, of
these two, of bitsandbytes with PEFT, and of full fine-tuning in float32, which was not trained to the end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "08b_qlora"
SEEDS, TRAINED = (0,), ("lora", "qlora")
BATCH, LENGTH = 4, 128  # of the steps whose memory is watched
CASES = [
    {"case": "untrained"},
    *({"case": "score", "method": method, "seed": seed} for seed in SEEDS for method in TRAINED),
    *({"case": "memory", "method": method} for method in ("qlora", "lora", "library", "full")),
]


def run(case: dict) -> dict:
    kinds = {"untrained": untrained, "memory": memory, "score": score}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def untrained() -> dict:
    """What two rules that read names and numbers get right, and the model before any training, in 16 and 4 bits."""
    from helpers.trials import qlora
    from helpers.velunda import order_numbers, products_named

    tokenizer, (_, held_out) = tokenizer_of(), qlora.split_tickets()
    found = {}
    for method in ("lora", "qlora"):
        model, _ = qlora.build(method)
        found[method] = judged(model, qlora.encode(tokenizer, held_out))
    by_rule = []
    for ticket in held_out:
        said = next(iter(products_named(ticket["text"])), None), next(iter(order_numbers(ticket["text"])), None)
        by_rule.append(said == tuple(ticket["label"][field] for field in qlora.FIELDS))
    families = [ticket["family"] for ticket in held_out]
    return {"families": families, "rules": as_text(by_rule)} | found


def score(method: str, seed: int) -> dict:
    from helpers.training import train
    from helpers.trials import qlora

    tokenizer = tokenizer_of()
    learn, held_out = qlora.split_tickets()
    model, loss = qlora.build(method, seed)
    recipe = qlora.recipe(seed=seed)
    start = time.perf_counter()
    history = train(model, qlora.encode(tokenizer, learn), recipe, loss=loss)
    took = time.perf_counter() - start
    return {
        "steps": recipe.steps,
        "batch": recipe.batch,
        "trained parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "file bytes": file_bytes(model),
        "training seconds": round(took, 1),
        "losses": [round(loss, 4) for loss in history.losses],
    } | judged(model, qlora.encode(tokenizer, held_out))


def memory(method: str) -> dict:
    """Measured in a process of its own: what other models left behind would count otherwise."""
    command = [sys.executable, "-m", "tests.benchmarks.sweep_qlora", method]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def tokenizer_of() -> Any:
    from transformers import AutoTokenizer

    from helpers.models import fetch

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def file_bytes(model: Any) -> int:
    """Size of the adapter's weights on disk, as each way writes them."""
    from helpers.lora import save_adapter
    from helpers.transformer import Llama

    with tempfile.TemporaryDirectory() as folder:
        if isinstance(model, Llama):
            save_adapter(model, folder)
        else:
            model.save_pretrained(folder)
        return sum(path.stat().st_size for path in Path(folder).rglob("*.safetensors"))


def judged(model: Any, examples: list) -> dict:
    from helpers.trials import qlora

    right, surprise = qlora.judge(model, examples)
    return {"right": as_text(right), "nats a token": round(surprise, 4)}


def as_text(answers: list[bool]) -> str:
    """ "1" for each right answer, "0" for each other."""
    return "".join("01"[answer] for answer in answers)


if __name__ == "__main__":
    from helpers.trials.qlora import measure_memory

    print(json.dumps(measure_memory(sys.argv[1], BATCH, LENGTH)))
