"""Wrong versions of the exercises of 07b_seq2seq, each of which learners write; `seq2seq` names the cause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.foundations.probability import IGNORED
from helpers.training.seq2seq import pad_rows
from helpers.transformer.encoder_decoder import shift_right
from helpers.trials.summaries import unsupported

# unigram_f1 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def f1(
    shared: str = "least", over: str = "both", guarded: bool = True
) -> Callable[[list[str], list[str]], float | int]:
    """F1 of words that are counted in another way. shared: "least" | "set" | "each"; over: what it is divided by."""

    def variant(words: list[str], reference: list[str]) -> float | int:
        count = {
            "least": lambda: (Counter(words) & Counter(reference)).total(),
            "set": lambda: len(set(words) & set(reference)),
            "each": lambda: sum(word in reference for word in words),
        }[shared]()
        size = {
            "both": (len(words) + len(reference)) / 2,
            "words": len(words),
            "reference": len(reference),
            "sum": len(words) + len(reference),
            "union": len(set(words) | set(reference)),
            "sets": (len(set(words)) + len(set(reference))) / 2,
            "mean": 2 * len(words) * len(reference) / (len(words) + len(reference)),
            "percent": (len(words) + len(reference)) / 200,
        }[over]
        if guarded and not count:
            return 0.0
        return count / size

    return variant


# collate_targets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def collated(
    filler: int | str = IGNORED, shift: str = "right", skipped: str = "pad", swapped: bool = False
) -> Callable[[Sequence[Sequence[int]], int], tuple[Tensor, Tensor]]:
    """Labels and what the decoder reads, with one thing done otherwise."""

    def variant(targets: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
        labels = pad_rows(targets, pad_id if filler == "pad" else filler)
        if shift == "right":
            read = shift_right(labels, pad_id)
        elif shift == "none":
            read = labels.masked_fill(labels < 0, pad_id)
        elif shift == "left":
            read = F.pad(labels[:, 1:], (0, 1), value=IGNORED).masked_fill(labels < 0, pad_id)
            read = read.masked_fill(read < 0, pad_id)
        elif shift == "longer":
            read = F.pad(labels, (1, 0), value=pad_id).masked_fill(F.pad(labels, (1, 0), value=0) < 0, pad_id)
        elif shift == "zero":
            read = shift_right(labels, pad_id)
            read[:, 0] = 0
        else:  # rolled
            read = labels.roll(1, 1).masked_fill(labels.roll(1, 1) < 0, pad_id)
        if skipped == "kept":
            read = F.pad(labels[:, :-1], (1, 0), value=pad_id)
        elif skipped == "zero":
            read = F.pad(labels[:, :-1], (1, 0), value=pad_id)
            read = read.masked_fill(read < 0, 0)
        return (read, labels) if swapped else (labels, read)

    return variant


def padded_left(targets: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    longest = max(map(len, targets))
    labels = torch.tensor([[*[IGNORED] * (longest - len(row)), *row] for row in targets])
    return labels, shift_right(labels, pad_id)


def masked_by_id(targets: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    labels = pad_rows(targets, pad_id)
    labels = labels.masked_fill(labels == pad_id, IGNORED)
    return labels, shift_right(labels, pad_id)


def emptied_at_its_place(targets: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    labels = pad_rows(targets, IGNORED)
    return labels, shift_right(labels, pad_id).masked_fill(labels == IGNORED, pad_id)


# label_loss ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def loss(
    reduction: str = "sum", shifted: bool = False, everything: bool = False, probabilities: bool = False
) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of labels with one thing done otherwise."""

    def variant(logits: Tensor, labels: Tensor) -> Tensor:
        if probabilities:
            logits = logits.softmax(-1)
        if shifted:
            logits, labels = logits[:, :-1], labels[:, 1:]
        if everything:
            labels = labels.clamp(min=0)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction=reduction)

    return variant


def zero_left_out(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(min=0), ignore_index=0, reduction="sum")


def mean_of_rows(logits: Tensor, labels: Tensor) -> Tensor:
    rows = [F.cross_entropy(x, y, ignore_index=IGNORED) for x, y in zip(logits, labels, strict=True)]
    return torch.stack(rows).sum()


# unsupported ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(
    within: bool = False,
    folded: bool = False,
    first: bool | None = False,
    alike: bool = False,
    digits: bool = True,
    number: Callable[[str], bool] = lambda word: any(c.isdigit() for c in word),
    names: bool = True,
    titles: bool = False,
    inverted: bool = False,
    once: bool = False,
    spaces: bool = False,
    ascii_only: bool = False,
    in_order: bool = True,
) -> Callable[[str, str], list[str]]:
    """Unsupported words, found with one thing done otherwise. first: may the first word be a name? None: nor number."""

    def variant(summary: str, text: str) -> list[str]:
        pattern = r"[A-Za-z0-9]+" if ascii_only else r"\w+"
        cut = str.split if spaces else lambda part: re.findall(pattern, part)
        known, words = set(cut(text.lower() if folded else text)), cut(summary)
        facts = []
        for i, word in enumerate(words):
            inner = bool(i) and not (alike and word == words[0])
            named = names and (inner or bool(first)) and (word.istitle() if titles else word[0].isupper())
            if named or (digits and number(word) and (first is not None or i > 0)):
                facts.append(word)
        if within:
            return [word for word in facts if word not in text]
        found = [word for word in facts if ((word.lower() if folded else word) in known) == inverted]
        if not in_order:
            return sorted(found)
        return list(dict.fromkeys(found)) if once else found

    return variant


# choose_summary ──────────────────────────────────────────────────────────────────────────────────────────────────────


def fewest(candidates: Sequence[str], text: str) -> int | None:
    return min(range(len(candidates)), key=lambda i: len(unsupported(candidates[i], text)), default=None)


def last_clean(candidates: Sequence[str], text: str) -> int | None:
    clean = [i for i, summary in enumerate(candidates) if not unsupported(summary, text)]
    return clean[-1] if clean else None


def zero_for_none(candidates: Sequence[str], text: str) -> int | None:
    clean = [i for i, summary in enumerate(candidates) if not unsupported(summary, text)]
    return clean[0] if clean else 0


def only_the_first(candidates: Sequence[str], text: str) -> int | None:
    return 0 if candidates and not unsupported(candidates[0], text) else None


def its_text(candidates: Sequence[str], text: str) -> str | None:
    return next((summary for summary in candidates if not unsupported(summary, text)), None)


def first_unclean(candidates: Sequence[str], text: str) -> int | None:
    return next((i for i, summary in enumerate(candidates) if unsupported(summary, text)), None)


def most_facts(candidates: Sequence[str], text: str) -> int | None:
    clean = [i for i, summary in enumerate(candidates) if not unsupported(summary, text)]
    return max(clean, key=lambda i: len(candidates[i]), default=None)


def minus_one(candidates: Sequence[str], text: str) -> int:
    return next((i for i, summary in enumerate(candidates) if not unsupported(summary, text)), -1)


def from_one(candidates: Sequence[str], text: str) -> int | None:
    return next((i for i, summary in enumerate(candidates, 1) if not unsupported(summary, text)), None)


def zero_taken_for_none(candidates: Sequence[str], text: str) -> int | None:
    return next((i for i, summary in enumerate(candidates) if not unsupported(summary, text)), None) or None


def turned_around(candidates: Sequence[str], text: str) -> int | None:
    return next((i for i, summary in enumerate(candidates) if not unsupported(text, summary)), None)
