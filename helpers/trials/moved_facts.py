"""Pairs of facts that differ in one word, and what a swapped residual does to the model's choice between them.

    fact = Fact("The capital of {} is", "France", "Paris", "Italy", "Rome")
    swapped_differences(model, tokenizer, fact)         # logit(Paris) − logit(Rome), one number a layer

Pairs written for the course stand in data/facts/pairs.json. Of an answer that is more than one token, the first counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from helpers.display.frontend import is_static
from helpers.files.paths import DATA
from helpers.transformer.residuals import Decoder, residual_stream, swap_at_every_layer, swap_heads

FILE = DATA / "facts" / "pairs.json"


@dataclass(frozen=True)
class Fact:
    """`subject` has `answer`, `other_subject` has `other_answer`; template: the prompt, with {} for the subject.

    Raises ValueError for a template without exactly one {} and for two equal subjects or answers.
    """

    template: str
    subject: str
    answer: str
    other_subject: str
    other_answer: str

    def __post_init__(self) -> None:
        if self.template.count("{}") != 1:
            raise ValueError(f"The template {self.template!r} needs one {{}}, where the subject goes.")
        if self.subject == self.other_subject or self.answer == self.other_answer:
            raise ValueError("A pair has two subjects with two different answers.")

    def prompts(self) -> tuple[str, str]:
        """The prompt about the subject, and the one about the other."""
        return self.template.format(self.subject), self.template.format(self.other_subject)

    def __str__(self) -> str:
        return f"{self.subject} → {self.other_subject}"


def facts(family: str) -> list[Fact]:
    """The pairs of one family, "capitals", "languages", "countries" or "opposites". Raises ValueError for another."""
    families = {entry["name"]: entry for entry in json.loads(FILE.read_text(encoding="utf-8"))["families"]}
    if family not in families:
        raise ValueError(f"There is no family {family!r} of facts: choose one of {', '.join(families)}.")
    return [Fact(families[family]["template"], *pair) for pair in families[family]["pairs"]]


def answer_ids(tokenizer: Any, fact: Fact) -> tuple[int, int]:
    """The first token of each answer, as it follows a word. Raises ValueError where they are the same token."""
    right, other = (tokenizer(f" {answer}")["input_ids"][0] for answer in (fact.answer, fact.other_answer))
    if right == other:
        raise ValueError(
            f"{fact.answer!r} and {fact.other_answer!r} begin with the same token, so the first token cannot tell them "
            "apart: choose another pair."
        )
    return right, other


def encode(model: Decoder, tokenizer: Any, text: str) -> Tensor:
    """The text's tokens on the model's device: (1, T)."""
    return torch.tensor([tokenizer(text)["input_ids"]], device=model.embedding.weight.device)


def difference(logits: Tensor, answers: tuple[int, int]) -> Tensor:
    """logit(answer) − logit(other answer): (…, V) → (…)."""
    return logits[..., answers[0]] - logits[..., answers[1]]


@torch.no_grad()
def swapped_differences(
    model: Decoder, tokenizer: Any, fact: Fact, layers: Sequence[int] | None = None, position: int = -1
) -> Tensor:
    """The difference after the other prompt's residual replaced the fact's own, at each of `layers` (all by default).

    position: which token's residual is exchanged, counted alike in both prompts  →  (len(layers),) on the CPU
    """
    ids, other_ids = (encode(model, tokenizer, prompt) for prompt in fact.prompts())
    vectors = residual_stream(model, other_ids)[:, 0, position]  # (n_layers + 1, C)
    logits = swap_at_every_layer(model, ids, vectors, position, layers)
    return difference(logits, answer_ids(tokenizer, fact)).cpu()


def difference_table(model: Decoder, tokenizer: Any, pairs: Sequence[Fact], layers: Sequence[int]) -> Tensor:
    """`swapped_differences` of every pair at the last token, with a progress bar: (len(pairs), len(layers))."""
    bar = tqdm(pairs, unit="pair", disable=is_static(), file=sys.stdout, leave=False)
    return torch.stack([swapped_differences(model, tokenizer, fact, layers) for fact in bar])


@torch.no_grad()
def swapped_head_differences(model: Decoder, tokenizer: Any, fact: Fact, block: int) -> Tensor:
    """The difference after one head's output in block number `block` came from the other prompt: (n_heads,), CPU."""
    ids, other_ids = (encode(model, tokenizer, prompt) for prompt in fact.prompts())
    return difference(swap_heads(model, ids, other_ids, block), answer_ids(tokenizer, fact)).cpu()
