"""What does a model learn by heart? Secrets planted in its training text once, ten and a hundred times, and looked for.

    secrets = make_canaries(per_count=4, seed=0)
    text = plant(text, secrets, seed=0)
    ranks(model, tokenizer, secret)            # of its 10,000 possible codes, how many does the model prefer?

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
from torch import nn
from torch.nn import functional as F

from helpers.pretraining.data import Tokenizer
from helpers.trials.records import Record

RECORD = Record("03_canaries")
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


def rank(model: nn.Module, tokenizer: Tokenizer, canary: Canary, batch: int = 2000) -> int:
    """Place of the true code among all, by the model's surprise at them behind the prompt: 1 is the likeliest."""
    prompt = tokenizer.encode(canary.prompt)
    surprises = []
    model.eval()
    with torch.no_grad():
        for start in range(0, 10**DIGITS, batch):
            codes = [tokenizer.encode(f"{code:0{DIGITS}d}.") for code in range(start, start + batch)]
            ids = torch.tensor([prompt + code for code in codes])
            logits = model(ids[:, :-1])[:, len(prompt) - 1 :]  # what follows the prompt, digit by digit
            losses = F.cross_entropy(logits.flatten(0, 1), ids[:, len(prompt) :].flatten(), reduction="none")
            surprises.append(losses.view(batch, -1).sum(1))
    surprises = torch.cat(surprises)
    return int((surprises < surprises[int(canary.code)]).sum()) + 1


def exposure(rank: int, possible: int = 10**DIGITS) -> float:
    """Bits that a rank gives away."""
    return math.log2(possible) - math.log2(rank)


def extracted(model: nn.Module, tokenizer: Tokenizer, canary: Canary) -> bool:
    """Does the model write the code by itself, when it always takes the likeliest character?"""
    ids = tokenizer.encode(canary.prompt)
    for _ in range(DIGITS):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return tokenizer.decode(ids[-DIGITS:]) == canary.code
