"""Small GPTs of many sizes, trained on the standard library's source, for laws of size, text and compute.

    size = SIZES["24x2"]
    found = train_size(size, tokens_for(size, budget=2e10), seed=0)
    found["loss"]                     # nats per character of held-out files
    found["right in a row"]           # {"1": 0.52, "4": 0.19, …}: share of letters from where on so many are all right

A token is a character, a window has 64 of them, and no run reads a part of the text twice unless it is told to.
What it does not do: fit laws (`helpers.old.pretraining.scaling`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.old.corpora import Corpus, stdlib_source
from helpers.old.pretraining.data import Characters, TokenData, Tokens
from helpers.old.pretraining.experts import with_experts
from helpers.old.pretraining.run import Recipe, Run, pretrain
from helpers.old.pretraining.scaling import training_flops
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.old.trials.records import Record
from helpers.scale import device

LENGTH, BATCH = 64, 8  # characters of a window, windows of a step
SIZES = {  # channels, layers, heads
    "8x1": (8, 1, 1),
    "16x1": (16, 1, 1),
    "16x2": (16, 2, 1),
    "24x2": (24, 2, 1),
    "32x2": (32, 2, 1),
    "48x2": (48, 2, 2),
    "48x3": (48, 3, 2),
    "64x3": (64, 3, 2),
    "144x4": (144, 4, 4),
}
IN_A_ROW = (1, 2, 4, 8, 16)
REPEATED, EXPERTS = Record("03d_repeated"), Record("03b_experts")


@lru_cache(maxsize=1)
def files() -> tuple[Corpus, Corpus]:
    """(train, held out): whole files of the standard library in plain ASCII, without the tables of `encodings`."""
    plain = [(title, text) for title, text in stdlib_source() if text.isascii() and not title.startswith("encodings/")]
    source = stdlib_source()
    return Corpus("stdlib_ascii", tuple(plain), source.license, source.provenance).split(validation=0.03)


def part_of_text(tokens: int, seed: int) -> TokenData:
    """The same held-out text, and of the training text only so many characters: chunks from places all over it.

    Raises ValueError for more than the text has.
    """
    chunk = 1024
    whole = text_data()
    n_chunks = -(-tokens // chunk)
    if n_chunks > len(whole.train) // chunk:
        raise ValueError(f"The text has {len(whole.train):,} characters, from which {tokens:,} cannot be taken.")
    places = np.sort(np.random.default_rng(seed).choice(len(whole.train) // chunk, size=n_chunks, replace=False))
    ids = np.concatenate([whole.train.ids[place * chunk : (place + 1) * chunk] for place in places])[:tokens]
    return TokenData(Tokens(ids, len(ids)), whole.held_out, whole.tokenizer)


@lru_cache(maxsize=2)
def text_data(shuffled: bool = False) -> TokenData:
    """Both texts in characters; shuffled: all characters of each in a random order, so that nothing but their
    frequencies can be learned."""
    train, held_out = (part.text for part in files())
    data = TokenData.of_texts(train, held_out, Characters.train(train + held_out))
    if not shuffled:
        return data
    rng = np.random.default_rng(0)
    parts = [Tokens(rng.permutation(part.ids), part.n_bytes) for part in (data.train, data.held_out)]
    return TokenData(*parts, data.tokenizer)


def config_of(size: str, vocab_size: int | None = None) -> GPTConfig:
    """The sizes of one of SIZES, for the characters of the text. Raises KeyError for another."""
    d_model, n_layers, n_heads = SIZES[size]
    vocab_size = text_data().vocab_size if vocab_size is None else vocab_size
    return GPTConfig(vocab_size, d_model=d_model, n_layers=n_layers, n_heads=n_heads, max_len=LENGTH)


def make_model(size: str, seed: int, wider: int = 1, **experts: Any) -> GPT:
    """An untrained model, on `device()`. wider: factor on the width of its feed-forward networks; experts: what
    `with_experts` takes."""
    config = config_of(size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT(replace(config, d_ff=wider * config.d_ff))
        return (with_experts(model, **experts) if experts else model).to(device())


def tokens_for(size: str, budget: float) -> int:
    """Training tokens that a budget of operations pays for at a size, in whole steps."""
    step = BATCH * LENGTH
    return max(1, round(budget / training_flops(config_of(size), LENGTH) / step)) * step


def recipe_for(tokens: int, seed: int) -> Recipe:
    """The course's recipe, its whole schedule fitted into so many tokens. Raises ValueError for less than 2 steps."""
    steps = tokens // (BATCH * LENGTH)
    if steps < 2:
        raise ValueError(f"A run has at least two steps of {BATCH * LENGTH} tokens, not {tokens} tokens.")
    return Recipe(steps=steps, batch=BATCH, length=LENGTH, warmup=min(30, steps // 10), seed=seed)


def train_size(
    size: str,
    tokens: int,
    seed: int,
    shuffled: bool = False,
    data: TokenData | None = None,
    model: GPT | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train one model and judge it on the held-out files: what the sweeps record of a run.

    data and model: others than the whole text and the model of that size; options: as in `pretrain`.
    """
    data = text_data(shuffled) if data is None else data
    model = make_model(size, seed) if model is None else model
    run = pretrain(model, data, recipe_for(tokens, seed), evaluate_windows=1, **options)
    return {"tokens": tokens, "steps": len(run.losses), **judge(model, data), "ended at": last_losses(run)}


def last_losses(run: Run) -> float:
    """Mean training loss over the last steps."""
    return round(float(np.mean(run.losses[-max(1, round(0.05 * len(run.losses))) :])), 4)


@torch.no_grad()
def judge(model: torch.nn.Module, data: TokenData, every: int = 3, batch: int = 64) -> dict[str, Any]:
    """Loss over every third window of the held-out text, and how often so many next characters are all right.

    "right in a row": share of the letters in the second half of a window from which on the most probable character is
    the right one 1, 2, 4 … times; as many as when the model writes them by itself, as its own text is then the true
    one. Only letters begin a row, as rows of spaces are no achievement.
    """
    rows = data.held_out.windows(LENGTH)[::every]
    is_letter = torch.tensor([data.tokenizer.decode([i]).isalpha() for i in range(data.vocab_size)])
    losses, rights, place = [], [], next(model.parameters()).device
    for part in rows.split(batch):
        part = part.to(place)
        logits, targets = model(part[:, :-1]), part[:, 1:]  # (B, T, V), (B, T)
        losses.append(F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").cpu())
        rights.append((logits.argmax(-1) == targets).cpu())
    late = torch.cat(rights)[:, LENGTH // 2 :]  # (windows, 32)
    letters = is_letter[rows[:, 1 + LENGTH // 2 :]]
    found = torch.cat(losses)
    return {
        "loss": round(float(found.mean()), 5),
        "late loss": round(float(found[:, LENGTH // 2 :].mean()), 5),
        "right in a row": {str(k): share_in_a_row(late, letters, k) for k in IN_A_ROW},
    }


def share_in_a_row(right: Tensor, begins: Tensor, k: int) -> float:
    """Share of places that may begin a row, with k places left, from where on k are right: (windows, T) booleans."""
    rows = right.unfold(1, k, 1).all(-1)  # (windows, T − k + 1)
    return round(float(rows[begins[:, : rows.shape[1]]].double().mean()), 6)
