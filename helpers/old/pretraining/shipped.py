"""A trained GPT as a folder: its sizes, its alphabet, its weights in bfloat16; and the one that the course ships.

    save_gpt("build/my_gpt", gpt, data.tokenizer)
    gpt, tokenizer = load_gpt("build/my_gpt")

Three files: config.json (sizes, and which characters the ids stand for), model.safetensors, and whatever card lies
beside them. Nothing in it is a pickle. What it does not do: keep the optimizer (`helpers.old.training.state` does).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import torch

from helpers.files.safe_files import DataUnavailable, json_writer, read_json, safetensors_writer, write_together
from helpers.old.pretraining.data import Characters
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.transformer.checkpoints import CheckpointError, load_weights, shapes_only

CONFIG, WEIGHTS = "config.json", "model.safetensors"
HEAD, EMBEDDING = "head.weight", "embedding.weight"


def save_gpt(folder: str | os.PathLike, model: GPT, tokenizer: Characters) -> None:
    """Write a GPT over characters into `folder`, in bfloat16: half the size, 8 bits of precision.

    Raises OSError in one sentence where the disk is full; what stood there before is intact then.
    """
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in model.state_dict().items()}
    if model.config.tied:
        tensors.pop(HEAD)  # the embedding again
    config = {"model": asdict(model.config), "alphabet": tokenizer.alphabet}
    write_together(folder, {WEIGHTS: safetensors_writer(tensors), CONFIG: json_writer(config)})


def load_gpt(folder: str | os.PathLike) -> tuple[GPT, Characters]:
    """The model, in float32 and `eval()`, and its tokenizer. Raises CheckpointError where the folder holds none."""
    folder = Path(folder)
    try:
        described = read_json(folder / CONFIG)
        config, tokenizer = GPTConfig(**described["model"]), Characters(described["alphabet"])
    except (DataUnavailable, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder} holds no GPT that `save_gpt` wrote ({error}): save it again.") from None
    if config.vocab_size != tokenizer.vocab_size:
        raise CheckpointError(
            f"{folder} has {tokenizer.vocab_size} characters for a model of {config.vocab_size}: save it again."
        )
    with shapes_only():
        model = GPT(config)
        if config.tied:
            model.head.weight = None  # not in the file
    load_weights(model, [folder / WEIGHTS], str)
    if config.tied:
        model.head.weight = model.embedding.weight
    return model.eval(), tokenizer
