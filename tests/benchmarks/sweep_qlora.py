"""Answers from the one sentence or table row that holds them: LoRA beside bfloat16 weights, beside the course's 4-bit
layers, and bitsandbytes with PEFT, three seeds each, on questions of four domains that nothing was trained or chosen
on; the untrained model without and with two solved examples. Rank and learning rate are those of the reader in notebook
08; nothing was tuned. And how 4 bits change the weights of a small GPT that is trained here, and its surprise."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "08b_qlora"
SEEDS = (0, 1, 2)
CASES = [
    {"case": "own GPT", "steps": 400},
    *({"case": "untrained", "method": method} for method in ("lora", "qlora")),
    *({"case": "score", "method": method, "seed": seed} for seed in SEEDS for method in ("lora", "qlora", "library")),
]


def run(case: dict) -> dict:
    kinds = {"own GPT": own_gpt, "untrained": untrained, "score": score}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def untrained(method: str) -> dict:
    """The base as it is, in 16 bits without and with solved examples in its prompt, or in 4 bits without."""
    from helpers.trials import qlora

    tokenizer, readings = tokenizer_of(), qlora.judged()
    model = qlora.unpack_(qlora.build(method)[0]).eval()
    found = {"0 examples": qlora.replies(model, tokenizer, readings)}
    if method == "lora":
        found["2 examples"] = qlora.replies(model, tokenizer, readings, qlora.solved_examples())
    return found | {"nats a token": round(qlora.surprise_at(model, qlora.encode(tokenizer, readings[::2])), 4)}


def score(method: str, seed: int) -> dict:
    """A training, and what the model then answers. The codes are unpacked once for that: the same numbers."""
    from helpers.training import train
    from helpers.trials import qlora

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


def own_gpt(steps: int) -> dict:
    """A pre-norm stack of notebook 02b, trained on the language reference: what 4 bits do to weights that never were
    in fewer than 32, and to the surprise at text that was not among its batches."""
    import torch

    from helpers.quantization import fake_quantize_
    from helpers.trials import deep_stacks, qlora

    model = deep_stacks.deep_stack("pre-norm")
    losses = list(deep_stacks.train(model, steps, warmup=50))
    weights = torch.cat([w.detach().flatten() for w in model.blocks.parameters() if w.dim() == 2])
    ids = torch.cat(deep_stacks.batches(seed=1, steps=40))

    def surprise() -> float:
        with torch.inference_mode():
            return round(float(deep_stacks.loss_of(model.eval(), ids)), 4)

    found = {"none": surprise()}
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name, trip in qlora.TRIPS.items():
        fake_quantize_(model.blocks, lambda weight, trip=trip: trip(weight.flatten(), 64).view(weight.shape))
        found[name] = surprise()
        model.load_state_dict(kept)
    return {
        "losses": [round(losses[0], 4), round(losses[-1], 4)],
        "weights": len(weights),
        "changes": {
            str(block): {name: round(share, 5) for name, share in qlora.changes(weights, block).items()}
            for block in (256, 128, 64, 32)
        },
        "nats a byte": found,
    }


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
