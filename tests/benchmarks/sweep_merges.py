"""Is the merged model still the adapter? The adapter "reader" beside its layers, merged into them in 32 and 16 bits,
and on a base in 4 bits (NF4), beside it or merged and rounded to 4 bits again; scored on questions of two unseen
domains by their loss and by how many answers stay the same. Only the weights are rounded, all products are in float32.
And how the model without the adapter answers the questions about pages of 08_reader."""

from __future__ import annotations

from typing import Any

NAME = "08_merges"
WAYS = ("beside", "merged, 32 bits", "merged, 16 bits", "4-bit base, beside", "4-bit base, merged, 4 bits")
N_DEV = 64
CASES = [{"case": "without", "split": "test"}, *({"case": "way", "way": way} for way in WAYS)]


def run(case: dict) -> dict:
    return way(case["way"]) if case["case"] == "way" else without(case["split"])


def way(way: str) -> dict:
    from helpers.lora import lora_layers
    from helpers.old.assistants import PassageReader
    from helpers.old.speed import FastLlama
    from helpers.old.trials.low_rank import encode_rows, row_losses, short_rows

    model, tokenizer = model_of(way)
    rows = short_rows("dev", N_DEV)
    losses, _ = row_losses(model, encode_rows(tokenizer, rows))
    reader = PassageReader(model if lora_layers(model) else FastLlama(model), tokenizer)
    answers = [answer.text for answer in reader.answer([(row.question, row.text) for row in rows])]
    right = sum(answer == row.answer for answer, row in zip(answers, rows, strict=True))
    return {
        "loss": round(losses.mean().item(), 4),
        "by row": [round(loss, 4) for loss in losses.tolist()],
        "answers": answers,
        "word for word": right,
    }


def model_of(way: str) -> tuple[Any, Any]:
    """The model in float32, its weights rounded as the way says."""
    import torch

    from helpers.lora import merge_lora_
    from helpers.old.lora import load_adapter
    from helpers.quantization import fake_quantize_
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.float32)
    if way.startswith("4-bit base"):
        fake_quantize_(model, nf4, skip="head")
    elif way == "merged, 16 bits":
        model.bfloat16()
    loaded(model, load_adapter)
    if "merged" in way:
        merge_lora_(model).float()
    if way.endswith("merged, 4 bits"):
        fake_quantize_(model, nf4, skip="head")
    return model.eval(), tokenizer


def loaded(model: Any, load_adapter: Any) -> None:
    """The adapter of this base; a base in 4 bits is no longer the one whose checksum the file bears."""
    from unittest.mock import patch

    with patch("helpers.old.lora.files.weights_checksum", lambda tensors: None):
        load_adapter(model, "reader")


def nf4(weight: Any) -> Any:
    from helpers.quantization import dequantize_blocks, nf4_codebook, quantize_blocks

    codebook = nf4_codebook()
    return dequantize_blocks(*quantize_blocks(weight, codebook), codebook)


def without(split: str) -> dict:
    """The chat model as it was, asked as the reader is: about pages, and everyday questions about the handbook."""
    from helpers.old.assistants import NOT_THERE, PassageReader
    from helpers.old.metrics import contains_answer
    from helpers.old.speed import FastLlama
    from helpers.old.trials.reading import load_reading, right_on_page, right_units
    from helpers.retrieval.units import split_units, write_out
    from helpers.velunda import load_everyday
    from tests.benchmarks.sweep_reader import by_kind
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model()
    reader = PassageReader(FastLlama(model), tokenizer)
    pages = load_reading(split)
    pairs = [(r.question, f"{r.passage.title}:\n{write_out(split_units(r.passage.text))}") for r in pages]
    kinds = by_kind((r.kind, right_on_page(a.text, r)) for r, a in zip(pages, reader.answer(pairs), strict=True))
    everyday = [q for q in load_everyday(split) if q.answerable]
    answers = [answer.text for answer in reader.answer([(q.question, right_units(q)) for q in everyday])]
    right = sum(contains_answer(answer, q.accepted) for answer, q in zip(answers, everyday, strict=True))
    refused = sum(answer == NOT_THERE for answer in answers)
    return {"pages, by kind": kinds, "everyday questions": {"n": len(everyday), "right": right, "refused": refused}}
