"""Words that are easily confused, decided by a model: with which of the two is the whole message more probable?

    places, scores = word_scores(model, tokenizer, "My breaks squeak.", partners())
    places                      # [(3, "breaks", "brakes")]: where it begins, the word, the other word
    scores                      # (1, 2): log p of the message as it stands, and with the other word, in nats

The rival, `by_neighbors`, only counts which word stood between these neighbors before. What neither does: find a
mistake that makes no word ("brekas"), or one of a pair that is not listed.
"""

from __future__ import annotations

import pydoc_data.topics
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from helpers.files.paths import DATA
from helpers.files.safe_files import read_jsonl
from helpers.old.velunda.tickets import load_tickets

Place = tuple[int, str, str]  # where a word begins, the word, what it may be confused with

# The words with a partner that are wrong in the tickets, by the ticket's family. The authors read all such words (97 in
# dev, 189 in test, the first ticket of each family) before any of them was scored.
MAIL_MISTAKES = {"dev": {("rt34", "its")}, "test": {("rp55", "breaks"), ("bl55", "its"), ("rt55", "then")}}


def confused_words(split: str) -> list[dict[str, Any]]:
    """The sentences of "dev" or "test", each with a gap (`*`), two words and the right one."""
    return [row for row in read_jsonl(DATA / "velunda" / "confused_words.jsonl") if row["split"] == split]


def partners() -> dict[str, str]:
    """Each word of a pair and the one that it is confused with, in small letters."""
    pairs = [row["words"] for split in ("dev", "test") for row in confused_words(split)]
    return {word: other for pair in pairs for word, other in (pair, pair[::-1])}


def mail(split: str) -> list[dict[str, Any]]:
    """One ticket of each family of "dev" or "test"."""
    first: dict[str, dict[str, Any]] = {}
    for ticket in load_tickets(split):
        first.setdefault(ticket["family"], ticket)
    return list(first.values())


def same_capitals(word: str, like: str) -> str:
    """`word` with the capitals of `like`: none, the first letter, or all."""
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word


@torch.inference_mode()
def log_prob(model: Any, tokenizer: Any, text: str) -> float:
    """log p of a text in nats, read behind the token that begins a text."""
    device = next(model.parameters()).device
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]], device=device)
    log_p = model(ids)[0, :-1].log_softmax(-1)  # (T, V)
    return log_p.gather(-1, ids[0, 1:, None]).sum().item()


def word_scores(model: Any, tokenizer: Any, message: str, partner: Mapping[str, str]) -> tuple[list[Place], Tensor]:
    """The words that have a partner, and log p of the message as it stands and with the partner: (n, 2), nats."""
    places, scores = [], []
    before = log_prob(model, tokenizer, message)
    for found in re.finditer(r"[\w']+", message):
        word = found[0]
        if word.lower() in partner:
            other = same_capitals(partner[word.lower()], word)
            changed = message[: found.start()] + other + message[found.end() :]
            places.append((found.start(), word, other))
            scores.append([before, log_prob(model, tokenizer, changed)])
    return places, torch.tensor(scores).reshape(-1, 2)


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@cache
def counts() -> Counter:
    """How often each word, and each pair of neighboring words, stands in the training tickets, the handbook and
    Python's manual."""
    texts = [ticket["text"] for ticket in load_tickets("train")] + list(pydoc_data.topics.topics.values())
    texts += [path.read_text(encoding="utf-8") for path in sorted((DATA / "velunda" / "handbook").glob("*.md"))]
    found: Counter = Counter()
    for text in texts:
        found.update(words_of(text))
        found.update(pairwise(words_of(text)))
    return found


def by_neighbors(message: str, place: Place) -> bool:
    """Whether the other word stood next to these neighbors more often; where that ties, whether it is more frequent."""
    at, word, other = place
    before = (words_of(message[:at]) or [""])[-1]
    after = (words_of(message[at + len(word) :]) or [""])[0]

    def seen(word: str) -> tuple[int, int]:
        return counts()[before, word] + counts()[word, after], counts()[word]

    return seen(other.lower()) > seen(word.lower())
