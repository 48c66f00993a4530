"""The course's own GPT: the language reference and the standard library's docstrings, whole documents held out, some
epochs by the course's recipe; its surprise at held-out text beside the best n-gram model's on the same text. The
weights go to data/models/tiny_gpt in bfloat16; they never were in fewer bits."""

from __future__ import annotations

import json
import statistics

NAME = "03d_tiny_gpt"
STEPS, BATCH, LENGTH = 2000, 24, 128
SIZES = {"d_model": 176, "n_layers": 5, "n_heads": 4, "max_len": LENGTH, "dropout": 0.05}
CASES = [{"case": "trained", "steps": STEPS, "seed": 0}]


def texts() -> tuple[str, str]:
    """What it is trained on and what is held out; documents that stand in longer ones are left out."""
    from helpers.old.corpora import Corpus, language_reference, stdlib_docstrings

    documents = (*language_reference().documents, *stdlib_docstrings().documents)
    whole = Corpus("python", documents, language_reference().license, "Reference and docstrings of this Python")
    train, held_out = whole.distinct().split(0.05)
    return train.text, held_out.text


def run(case: dict) -> dict:
    import torch

    from helpers.files import DATA, ROOT
    from helpers.old.pretraining import (
        Characters,
        NGram,
        Recipe,
        TokenData,
        continue_text,
        pretrain,
        save_gpt,
        surprise,
    )
    from helpers.old.transformer import GPT, GPTConfig
    from tests.benchmarks.sweeps import KEPT

    train, held_out = texts()
    counts = {character: train.count(character) for character in sorted(set(train))}
    kept = "".join(character for character, n in counts.items() if n >= 20 or ord(character) < 128)
    tokenizer = Characters(kept + "\ufffd")

    def known(text: str) -> str:
        return "".join(character if character in tokenizer.alphabet else "\ufffd" for character in text)

    data = TokenData.of_texts(known(train), known(held_out), tokenizer)
    torch.manual_seed(case["seed"])
    model = GPT(GPTConfig(data.vocab_size, **SIZES))
    recipe = Recipe(steps=case["steps"], batch=BATCH, length=LENGTH, seed=case["seed"], warmup=100)
    run = pretrain(
        model, data, recipe, evaluate_every=400, evaluate_windows=200, folder=KEPT / NAME, save_every=200, prompt="The "
    )
    save_gpt(DATA / "models" / "tiny_gpt", model, tokenizer)
    tables = {
        order: NGram.count(data.train, data.vocab_size, order).surprise(data.held_out).bits_per_byte
        for order in range(5, 9)
    }
    found = surprise(model, data.held_out, LENGTH, LENGTH // 4)
    sizes = {name: len(part) for name, part in (("train", data.train), ("held out", data.held_out))}
    return {
        "folder": (DATA / "models" / "tiny_gpt").relative_to(ROOT).as_posix(),
        "tokens": sizes,
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": round(recipe.tokens / len(data.train), 2),
        "seconds of training": round(run.seconds[-1], 1),
        "nats": round(found.nats, 4),
        "bits per byte": round(found.bits_per_byte, 4),
        "n-grams": {str(order): round(bits, 4) for order, bits in tables.items()},
        "training loss": round(statistics.mean(run.losses[-50:]), 4),
        "validation": json.loads(json.dumps({str(k): round(v, 4) for k, v in run.validation.items()})),
        "sample": continue_text(model, tokenizer, "The ", 300, LENGTH),
    }
