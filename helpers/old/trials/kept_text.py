"""What a model keeps of the text it has read: pieces inside and outside of its training text, and what it writes.

    members, others = deal(pieces_of(text, 256), n=300, seed=0)       # both from the same documents, dealt at random
    nats = piece_losses(model, tokenizer, members)                    # (300,) mean surprise per character
    drawn = draw_texts(gpt, tokenizer, ["The "] * 20, 100, seed=0)    # 20 texts of 100 characters
    inside, outside = tiny_gpt_documents()                            # documents of the course's own GPT

What was recorded: `TINY_GPT`, `canaries.RECORD`, `scaling_runs.REPEATED`.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json
from helpers.old.corpora import Corpus, language_reference, stdlib_docstrings
from helpers.old.pretraining.bits import device_of, token_losses
from helpers.old.pretraining.data import Characters, Tokenizer
from helpers.old.pretraining.ngram import NGram
from helpers.old.stats.resampling import times_drawn
from helpers.old.transformer.gpt import GPT
from helpers.old.trials.records import Record

TINY_GPT = Record("03d_tiny_gpt")
SHIPPED, DOCUMENTS = DATA / "models" / "tiny_gpt", "documents.json"
UNKNOWN = "\ufffd"


def pieces_of(text: str, length: int) -> list[str]:
    """The text in pieces of so many characters, one after another; a shorter rest is left out."""
    return [text[start : start + length] for start in range(0, len(text) - length + 1, length)]


def deal(pieces: Sequence[str], n: int, seed: int) -> tuple[list[str], list[str]]:
    """Twice n pieces drawn at random, in their order: (members, others). Raises ValueError where there are fewer."""
    if 2 * n > len(pieces):
        raise ValueError(f"There are {len(pieces)} pieces, from which twice {n} cannot be dealt.")
    places = random.Random(seed).sample(range(len(pieces)), 2 * n)
    return tuple([pieces[place] for place in sorted(part)] for part in (places[:n], places[n:]))


def piece_losses(model: nn.Module, tokenizer: Tokenizer, pieces: Sequence[str], length: int = 64) -> Tensor:
    """Mean surprise per character of each piece, in nats, (n,): read in windows of `length`, the first of a window with
    no more context than one character. All pieces are equally long, and a rest that fills no window is left out."""
    ids = torch.tensor([tokenizer.encode(piece) for piece in pieces])  # (n, P)
    rows = ids.unfold(1, length + 1, length)  # (n, windows, length + 1)
    found, place = [], device_of(model)
    model.eval()
    with torch.no_grad():
        for part in rows.flatten(0, 1).split(256):
            found.append(token_losses(model, part.to(place)).mean(1).double().cpu())
    return torch.cat(found).view(len(pieces), -1).mean(1)


def table_losses(table: NGram, tokenizer: Tokenizer, pieces: Sequence[str]) -> Tensor:
    """The same by an n-gram model, (n,): the first characters of a piece are only context."""
    return torch.tensor([table.nats(np.array(tokenizer.encode(piece))).mean() for piece in pieces])


def zip_bits(pieces: Sequence[str]) -> Tensor:
    """Bits per byte that zlib needs for each piece, (n,): how much it repeats itself, and no model at all."""
    raw = [piece.encode() for piece in pieces]
    return torch.tensor([8 * len(zlib.compress(data, 9)) / len(data) for data in raw])


def auc_interval(
    members: ArrayLike,
    others: ArrayLike,
    member_groups: Sequence[Hashable] | None = None,
    other_groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of the share of pairs in which the member has the lower loss (equal ones count half).

    Members and others are drawn anew, each by itself; groups: the document of each piece, so that whole documents are
    drawn. A. C. Davison and D. V. Hinkley (1997), chapter 3.
    """
    inside, outside = np.asarray(members, dtype=float), np.asarray(others, dtype=float)
    points = (np.sign(outside[None] - inside[:, None]) + 1) / 2  # (n, m): 1, 0.5 or 0
    rows = times_drawn(len(inside), member_groups, resamples, seed)
    columns = times_drawn(len(outside), other_groups, resamples, seed + 1)
    drawn = ((rows @ points) * columns).sum(1) / (rows.sum(1) * columns.sum(1))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


@torch.no_grad()
def draw_texts(
    model: GPT, tokenizer: Tokenizer, prompts: Sequence[str], n: int, seed: int = 0, temperature: float = 0.8
) -> list[str]:
    """How the model continues each prompt by n characters, drawn from its probabilities; temperature 0 takes the
    likeliest. All prompts are equally long. Returns the new texts alone."""
    place, generator = device_of(model), torch.Generator().manual_seed(seed)
    ids = torch.tensor([tokenizer.encode(prompt) for prompt in prompts], device=place)  # (B, T)
    cache, drawn = model.eval().new_cache(len(ids), ids.shape[1] + n), []
    for _ in range(n):
        logits = model(ids, cache)[:, -1].cpu()  # (B, V)
        if temperature:
            ids = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)
        else:
            ids = logits.argmax(-1, keepdim=True)
        drawn.append(ids)
        ids = ids.to(place)
    return [tokenizer.decode(row) for row in torch.cat(drawn, 1).tolist()]


@lru_cache(maxsize=1)
def tiny_gpt_documents() -> tuple[Corpus, Corpus]:
    """(trained on, held out): the documents of the course's own GPT, as this Python has them.

    Which they were is written beside its weights: another Python has other lengths, and would be split otherwise.
    """
    whole = python_documents()
    titles = read_json(SHIPPED / DOCUMENTS)
    kept = [tuple(pair for pair in whole if pair[0] in set(titles[part])) for part in ("trained on", "held out")]
    return tuple(Corpus("tiny_gpt", part, whole.license, whole.provenance) for part in kept)


def python_documents() -> Corpus:
    """The language reference and the standard library's docstrings."""
    documents = (*language_reference().documents, *stdlib_docstrings().documents)
    return Corpus("python", documents, language_reference().license, "Reference and docstrings of this Python")


def pieces_by_document(
    documents: Corpus, tokenizer: Characters, length: int, n: int, at_most: int = 8, seed: int = 0, ending: str = ""
) -> tuple[list[str], list[str]]:
    """(titles, pieces): up to n pieces of so many characters, at most so many of one document, drawn at random.

    ending: only documents whose title ends like that, such as ".py", the docstrings of a module.
    """
    rng, drawn = random.Random(seed), []
    for title, text in documents:
        pieces = pieces_of(known(text, tokenizer), length) if title.endswith(ending) else []
        drawn += [(title, piece) for piece in rng.sample(pieces, min(at_most, len(pieces)))]
    drawn = rng.sample(drawn, min(n, len(drawn)))
    return [title for title, _ in drawn], [piece for _, piece in drawn]


def numbers_in(text: str, before: str = "RFC ") -> list[tuple[str, str]]:
    """(prompt, number) for each different number of four digits behind a word, where it stands first in the text."""
    found: dict[str, str] = {}
    for match in re.finditer(rf"{re.escape(before)}(\d{{4}})\b", text):
        if match.start(1) >= 24:
            found.setdefault(match[1], text[match.start(1) - 24 : match.start(1)])
    return [(prompt, number) for number, prompt in found.items()]


def known(text: str, tokenizer: Characters) -> str:
    """The text with one sign in place of every character that the vocabulary lacks."""
    return "".join(character if character in tokenizer.alphabet else UNKNOWN for character in text)
