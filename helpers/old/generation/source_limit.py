"""A cure for invented names and numbers: what may be written is limited to the source.

    names = Names.of(training_reports)                                     # how a name is told from a word
    limits = source_limits(tokenizer, names)                               # reads the vocabulary once
    write_summaries(model, tokenizer, texts, processors=limits)            # every name and number stands in its text

The limit works on words. While a word that begins with a capital or holds digits is being written, only tokens are left
that lead to a word of the source, and it can end only where such a word ends. So nothing is invented; whether
the right one of the source's names and numbers is taken, the limit cannot know.

What it does not do: tokens that hold more than one word, scripts without capital letters, names in lower case, and
letters of several bytes, at which a name may break off.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Names:
    """What tells a name from a word at the beginning of a sentence: training texts write the word without capital too.

    lower: the words that they write in lower case; openers: those of them with which summaries begin, as in "Because".
    """

    lower: frozenset[str]
    openers: frozenset[str]

    @classmethod
    def of(cls, reports: Iterable[Mapping[str, Any]]) -> Names:
        """Learned from the "text" and "summary" of training reports."""
        reports = list(reports)
        lower = {w for r in reports for w in WORD.findall(f"{r['text']} {r['summary']}") if w.islower()}
        first = {match[0] for r in reports if (match := WORD.match(r["summary"]))}
        return cls(frozenset(lower), frozenset(word for word in first if word.lower() in lower))

    def __contains__(self, word: str) -> bool:
        """True for a word that holds a digit, or has a capital letter that it never lacks."""
        if any(character.isdigit() for character in word):
            return True
        return word[:1].isupper() and word.lower() not in self.lower


def looks_like_one(word: str) -> bool:
    """True for a word, or the beginning of one, that may be a name or number: with a capital letter or a digit."""
    return word[:1].isupper() or any(character.isdigit() for character in word)


# Limiting what may be written ------------------------------------------------------------------------------------


class Vocabulary:
    """The tokens of a tokenizer by what they do to words: begin one, go on with it, or end it.

    spaced, joined: word → ids of the tokens that write it, with a space before it or without; marks: all other ids,
    spaces: those of them that write a space, behind which a rare name is spelled with tokens of `joined`.
    """

    def __init__(self, tokenizer: Any) -> None:
        """Raises ValueError for a tokenizer with tokens that hold more than a word with the space before it."""
        self.size = len(tokenizer)
        self.spaced: dict[str, list[int]] = defaultdict(list)
        self.joined: dict[str, list[int]] = defaultdict(list)
        self.marks: list[int] = []
        self.spaces: list[int] = []
        special = set(tokenizer.all_special_ids)
        for i in range(self.size):
            text = "" if i in special else tokenizer.decode([i], clean_up_tokenization_spaces=False)
            if match := re.fullmatch(r"( ?)(\w+)", text):
                (self.spaced if match[1] else self.joined)[match[2]].append(i)
            elif re.fullmatch(r"\W*|\W+[a-z]+", text):  # the latter as in "'s"
                self.marks.append(i)
                self.spaces += [i] if text == " " else []
            else:
                raise ValueError(f"The token {text!r} is more than a word; this limit knows words and marks apart.")
        self.kinds = torch.zeros(self.size, dtype=torch.long)  # what a token begins: 1 a name, 2 a number, 0 neither
        for word, ids in self.spaced.items():
            self.kinds[ids] = 2 if word[0].isdigit() else int(word[0].isupper())

    def mask(self, ids: Iterable[int]) -> Tensor:
        """(V,) True at these tokens."""
        found = torch.zeros(self.size, dtype=torch.bool)
        found[list(ids)] = True
        return found


class SourceLimit:
    """A `LogitsProcessor`: of a name or number that is begun, only what leads to one of the source keeps its score.

    The model chooses what kind of thing comes next; where that is a name or a number, it has to be one of the source,
    and a name of several words goes on as it does there ("Wout Claes", "Mr. Haas"). What is left is normalized anew:
    otherwise beams would shun whatever is foreign to the model, which is every name that it has to copy.
    """

    def __init__(self, texts: Sequence[str], beams: int, tokenizer: Any, vocabulary: Vocabulary, names: Names) -> None:
        self.tokenizer, self.vocabulary, self.beams = tokenizer, vocabulary, beams
        self.allowed = [{word for word in WORD.findall(text) if word in names} for text in texts]
        self.openers = names.openers
        self.following = [_following(text, names) for text in texts]
        self._plain = [
            vocabulary.mask(i for word, ids in words.items() if not looks_like_one(word) for i in ids)
            for words in (vocabulary.joined, vocabulary.spaced)
        ]
        self._ending = vocabulary.mask(vocabulary.marks) | self._plain[1]
        self._spaces = vocabulary.mask(vocabulary.spaces)
        self._masks: dict[tuple, Tensor] = {}

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """input_ids (B·beams, t), what is written so far; scores (B·beams, V)  →  log-probabilities, limited."""
        recent = self.tokenizer.batch_decode(
            input_ids[:, -RECENT:], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        kinds = self.vocabulary.kinds[scores.argmax(-1).cpu()].tolist()
        sources = [i // self.beams for i in range(len(recent))]
        fits = torch.stack([self._mask(*row) for row in zip(sources, recent, kinds, strict=True)])  # (B·beams, V)
        return scores.masked_fill(~fits.to(scores.device), -torch.inf).log_softmax(-1)

    def _mask(self, source: int, text: str, kind: int) -> Tensor:
        """(V,) True for tokens that may follow this text, where the model would write a token of a kind."""
        before, begun = OPEN_WORD.search(text).groups()
        title = TITLE.search(text)
        upcoming = begun or (title[1] if title else "")
        kind = 1 if title else kind  # "Mr." without a name is nobody
        first = text == begun  # the summary's first word, which may be "Because" too
        fresh = text.endswith(" ")  # a token that is but a space: no ordinary word begins so
        key = (source, before, begun, upcoming, kind, first, fresh)
        if key not in self._masks:
            now = self._choice(source, before) | (self.openers if first else set())
            fits = self._fitting(begun, now, self._choice(source, upcoming), first, fresh)
            fits = fits if fits.any() else self._ending  # the next letter has no token of its own
            alike = fits & ((self.vocabulary.kinds == kind) | self._spaces) if kind else fits
            self._masks[key] = alike if alike.any() else fits
        return self._masks[key]

    def _choice(self, source: int, previous: str | None) -> set[str]:
        """Names and numbers that may be written behind a word."""
        return self.following[source].get(previous or "", self.allowed[source])

    def _fitting(self, begun: str, now: set[str], then: set[str], first: bool, fresh: bool) -> Tensor:
        """(V,) True for what may follow the word that is begun ("" where none is), one of `now`; `then`: its followers.

        first: it is the first word, which may be one of any kind. fresh: a space is written, and a name is to begin.
        """
        joined, spaced = self.vocabulary.joined, self.vocabulary.spaced
        named = looks_like_one(begun)
        longer = {word[len(begun) : n] for word in now if word.startswith(begun) for n in range(1, len(word) + 1)}
        rest = self.vocabulary.mask(i for part in longer for i in joined.get(part, ()))
        if fresh and rest.any():
            return rest
        fits = torch.zeros(self.vocabulary.size, dtype=torch.bool)
        if named or first:
            fits |= rest
        if not named:
            fits |= self._plain[0]
        if not named or begun in now:  # the word may end here
            prefixes = {word[:n] for word in then for n in range(1, len(word) + 1)}
            fits |= self._ending | self.vocabulary.mask(i for start in prefixes for i in spaced.get(start, ()))
        return fits


RECENT = 12  # tokens that hold the word being written and the one before it
OPEN_WORD = re.compile(r"(?:\b(\w+|(?:Mrs|Mr|Ms)\.) )?(\w*)$")  # the word before, and the one that is begun
TITLE = re.compile(r"\b((?:Mrs|Mr|Ms)\.)$")


def _following(text: str, names: Names) -> dict[str, set[str]]:
    """Name, or title with its period → the names that follow it in the text."""
    found: dict[str, set[str]] = defaultdict(set)
    for first, second in re.findall(r"\b((?:Mrs|Mr|Ms)\.|\w+)(?= (\w+))", text):
        if first.rstrip(".") in names and second in names and not first.isdigit():
            found[first].add(second)
    return dict(found)


def source_limits(tokenizer: Any, names: Names) -> Callable[[Sequence[str], int], list[SourceLimit]]:
    """For `write_summaries(processors=…)`: one limit for each batch of texts."""
    vocabulary = Vocabulary(tokenizer)
    return lambda texts, beams: [SourceLimit(texts, beams, tokenizer, vocabulary, names)]
