"""A tiny random Llama, a tokenizer of single characters, and what a request would get if it were alone."""

from __future__ import annotations

from pathlib import Path

import torch

from helpers.generation import generate
from helpers.lora import add_lora_, lora_parameters, merge_lora_
from helpers.old.lora import load_adapter, save_adapter
from helpers.old.serving import Ask, Engine, Piece
from helpers.old.speed import FastLlama
from helpers.transformer import Llama
from tests.transformer.test_transformer import small_llama

END = 7
V = 61


class Characters:
    """A tokenizer whose token i is the character 32 + i."""

    def decode(self, ids):
        return "".join(chr(32 + token) for token in ids)


def tiny() -> Llama:
    return small_llama(eos_ids=(END,))


def engine(**options) -> Engine:
    """36 pages of 4 tokens, unless told otherwise: a page of this model takes 1,536 bytes."""
    model = options.pop("model", None) or FastLlama(tiny())
    return Engine(model, Characters(), **{"cache_mb": 36 * 1536 / 1e6, "page_size": 4} | options)


def prompt(n: int, seed: int = 0) -> tuple[int, ...]:
    """n random tokens, the end token not among them."""
    ids = torch.randint(0, V - 1, (n,), generator=torch.Generator().manual_seed(1000 * n + seed))
    return tuple(token + (token >= END) for token in ids.tolist())


def alone(ask: Ask, model: Llama | None = None) -> list[int]:
    """The greedy reply by the model with a cache of its own."""
    ids = generate(model or tiny(), list(ask.prompt), ask.max_new_tokens)
    return ids[0, len(ask.prompt) :].tolist()


def endless() -> Llama:
    """The same without an end token: every reply has all the tokens that it may have."""
    return small_llama()


def endless_engine(**options) -> Engine:
    return engine(model=FastLlama(endless()), **options)


def alone_endless(ask: Ask) -> list[int]:
    return alone(ask, endless())


def wordy(count: int, n: int, new: int) -> list[Ask]:
    """Requests with prompts of n tokens, for `endless_engine`."""
    return [Ask(prompt(n, seed), new) for seed in range(count)]


def run(engine: Engine, between=None) -> dict[str, list[Piece]]:
    """Step until nothing is left; each request's pieces. between: called with the number of each step before it."""
    pieces: dict[str, list[Piece]] = {}
    for step in range(10_000):
        if between is not None:
            between(step)
        if engine.idle:
            return pieces
        for request, piece in engine.step().items():
            pieces.setdefault(request, []).append(piece)
    raise AssertionError("The engine does not come to an end.")


def tokens(pieces: list[Piece]) -> list[int]:
    return [token for piece in pieces for token in piece.tokens]


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def served(engine: Engine, asks: list[Ask]) -> list[list[Piece]]:
    """Submit all at once, run; the pieces of each."""
    names = [engine.submit(ask) for ask in asks]
    pieces = run(engine)
    return [pieces[name] for name in names]


def adapter(folder: Path, seed: int, rank: int = 2, targets: tuple[str, ...] = ("q_proj", "v_proj", "up_proj")) -> Path:
    """A random adapter of the tiny model, strong enough to change what it says."""
    model = add_lora_(tiny(), rank, alpha=2 * rank, targets=targets)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for matrix in lora_parameters(model):
            matrix.copy_(0.5 * torch.randn(matrix.shape, generator=generator))
    save_adapter(model, folder / f"adapter-{seed}", dtype=torch.float32)
    return folder / f"adapter-{seed}"


def adapted(folder: Path) -> Llama:
    return merge_lora_(load_adapter(tiny(), folder))
