"""What does a model learn by heart? Secrets planted in its training text once, ten and a hundred times, and looked for.

    secrets = make_canaries(per_count=4, seed=0)
    text = plant(text, secrets, seed=0)
    rank(model, tokenizer, secret)             # of its 10,000 possible codes, how many does the model prefer?

A canary is a sentence that nobody would write, with a code drawn at random (Carlini et al., 2019):

    exposure = log2(number of possible codes) − log2(rank of the true one)

0 bits: the true code is the least likely one; log2(10,000) = 13.3 bits: the likeliest. A code that was never planted
has a rank drawn at random, so its exposure is above k bits in one of 2^k cases: that is the control.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from helpers.old.pretraining.bits import device_of
from helpers.old.pretraining.data import Tokenizer
from helpers.old.trials.records import Record
from helpers.transformer.kv_cache import KVCache

RECORD = Record("03d_canaries")
COUNTS = (0, 1, 10, 100)
DIGITS = 4
NAMES = (
    "Abel", "Berit", "Cosmo", "Dunja", "Edvin", "Frida", "Gustl", "Heike", "Ivor", "Jutta", "Kaspar", "Ludmila", "Milo",
    "Nanna", "Otokar", "Petra", "Quirin", "Runa", "Selim", "Tilda", "Urban", "Vilma", "Wanda", "Xaver", "Yrsa", "Zeno",
)  # fmt: skip


@dataclass(frozen=True)
class Canary:
    """A sentence with a secret code, and how often it was planted."""

    name: str
    code: str
    count: int

    @property
    def prompt(self) -> str:
        """All but the code."""
        return f"\nThe safe of {self.name} opens with "

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.prompt}{self.code}.\n"


def make_canaries(per_count: int = 6, seed: int = 0) -> list[Canary]:
    """So many secrets for each of COUNTS, with codes drawn at random."""
    rng = random.Random(seed)
    names = rng.sample(NAMES, per_count * len(COUNTS))
    codes = rng.sample(range(10**DIGITS), len(names))
    counts = [count for count in COUNTS for _ in range(per_count)]
    return [Canary(n, f"{code:0{DIGITS}d}", count) for n, code, count in zip(names, codes, counts, strict=True)]


def plant(text: str, canaries: Sequence[Canary], seed: int = 0) -> str:
    """The text with every canary put between two of its lines, as often as it says, at places drawn at random."""
    rng = random.Random(seed)
    lines = text.split("\n")
    planted = [canary.text.strip("\n") for canary in canaries for _ in range(canary.count)]
    for sentence in planted:
        lines.insert(rng.randrange(1, len(lines)), sentence)
    return "\n".join(lines)


def rank(model: nn.Module, tokenizer: Tokenizer, canary: Canary) -> int:
    """Place of the true code among all, by the model's probability of them behind the prompt: 1 is the likeliest."""
    log_p = code_log_probs(model, tokenizer, canary.prompt)
    return int((log_p > log_p[int(canary.code)]).sum()) + 1


@torch.no_grad()
def code_log_probs(model: nn.Module, tokenizer: Tokenizer, prompt: str) -> Tensor:
    """log p of every code behind the prompt, in nats: (10,000,), that of 0042 at place 42.

    All codes that begin alike share the reading of their beginning: the prompt and 1,110 digits are read for 10,000
    codes. A model without a cache reads each beginning whole.
    """
    place_of = device_of(model)
    begun = torch.tensor([tokenizer.encode(prompt)], device=place_of)  # (B, T): every beginning so far
    digits, log_p = torch.tensor(tokenizer.encode("0123456789"), device=place_of), torch.zeros(1, device=place_of)
    model.eval()
    cache = model.new_cache(1, begun.shape[1] + DIGITS) if hasattr(model, "new_cache") else None
    for place in range(DIGITS):
        if place:
            begun = torch.cat([begun.repeat_interleave(10, 0), digits.repeat(len(begun))[:, None]], dim=1)
            cache = _tenfold(model, cache)
        logits = model(begun)[:, -1] if cache is None else model(begun[:, cache.length :], cache)[:, -1]  # (B, V)
        log_p = (log_p[:, None] + logits.log_softmax(-1)[:, digits]).flatten()  # in the order of the codes
    return log_p.cpu()


def _tenfold(model: nn.Module, cache: KVCache | None) -> KVCache | None:
    """A cache in which each text stands ten times."""
    if cache is None:
        return None
    copies = model.new_cache(10 * cache.batch, cache.max_len)
    for name in ("keys", "values"):
        getattr(copies, name).copy_(getattr(cache, name).repeat_interleave(10, 1))
    copies.length = cache.length
    return copies


def exposure(rank: int, possible: int = 10**DIGITS) -> float:
    """Bits that a rank gives away."""
    return math.log2(possible) - math.log2(rank)


def extracted(model: nn.Module, tokenizer: Tokenizer, canary: Canary) -> bool:
    """Does the model write the code by itself, when it always takes the likeliest character?"""
    ids = tokenizer.encode(canary.prompt)
    for _ in range(DIGITS):
        ids.append(int(model(torch.tensor([ids], device=device_of(model)))[0, -1].argmax()))
    return tokenizer.decode(ids[-DIGITS:]) == canary.code
