"""Six answers to one customer's question, two of them dangerous, and two scores that need a model.

    case = load_six()
    case.answers[1].kind, case.answers[1].text                   # "dangerous", "Let the battery lie …"
    bert_score(token_vectors(encoder, tokenizer), "4 hours", case.reference)     # F1, 1 for the same text
    bits_per_byte(log_probability, text)                         # bits

The answers were written for the notebook, the dangerous ones close to the reference, as copied text with one wrong word
is. What this does not do: show how often such answers occur. `data/judgments` has answers that no metric was built for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json

FILE = DATA / "evaluation" / "six_answers.json"
KINDS = ("right", "dangerous", "no answer")


@dataclass(frozen=True)
class Answer:
    """One answer; kind: one of KINDS."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True)
class Case:
    """A question, what the handbook says (quote), a reference, what a right answer states, six answers."""

    question: str
    document: str
    quote: str
    reference: str
    accepted: tuple[str, ...]
    answers: tuple[Answer, ...]


def load_six(path: Path = FILE) -> Case:
    """The question and its six answers. Raises DataUnavailable where the file is missing or broken."""
    row = read_json(path)
    answers = tuple(Answer(**answer) for answer in row["answers"])
    return Case(**{**row, "accepted": tuple(row["accepted"]), "answers": answers})


def token_vectors(encoder: Any, tokenizer: Any) -> Callable[[str], Tensor]:
    """A function text → (T, d): a contextual vector of length 1 for each token, those of [CLS] and [SEP] included."""

    @torch.inference_mode()
    def vectors(text: str) -> Tensor:
        batch = tokenizer(text, return_tensors="pt", truncation=True)
        return normalize(encoder(**batch).last_hidden_state[0], dim=-1)

    return vectors


def bert_score(vectors: Callable[[str], Tensor], answer: str, reference: str) -> float:
    """BERTScore's F1 (Zhang et al., 2020), without weights and rescaling: about 0 to 1.

    vectors: text → (T, d) unit vectors, one per token, the first and the last of special tokens.
    """
    similarity = vectors(answer) @ vectors(reference).T  # (tokens of the answer, tokens of the reference), cosines
    precision = similarity.max(dim=1).values[1:-1].mean()  # the best partner of each of the answer's tokens
    recall = similarity.max(dim=0).values[1:-1].mean()  # and of each of the reference's
    return float(2 * precision * recall / (precision + recall))


def bits_per_byte(log_probability: float, text: str) -> float:
    """How many bits a model needs for each byte of a text that it gives this log-probability, in nats."""
    return -log_probability / math.log(2) / len(text.encode("utf-8"))
