"""Which passage supports which sentence of an answer: found after the answer is written, sentence by sentence.

    cited = cite("Brake pads cost 18 euros.", passages)
    cited[0].chunk, cited[0].support       # the passage that supports it best, and how well; None below the minimum

A small model does not cite by itself, and a large one may cite what it did not read. Support is measured: the share of
a sentence's words that the passage has, and nothing at all if a number or code of the sentence (18, E05) is lacking.

What it does not do: understand. A passage that says "is not free" has all the words of "is free".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from helpers.chunking import Chunk, sentence_spans

MINIMUM = 0.6  # a sentence of which less is found counts as unsupported; choose your own on dev questions
NEGATIONS = frozenset("no not never none nothing nobody without cannot can't don't doesn't isn't won't n't".split())
# Words that any text has, and that therefore support nothing.
EMPTY = frozenset(
    "a an and any are as at be been but by can do does for from has have he her his i if in into is it its may me my "
    "of on one or our she so such than that the their them then there they this to was we were what when which will "
    "with would you your".split()
)
Support = Callable[[str, str], float]


@dataclass(frozen=True)
class Citation:
    """A sentence of an answer, `answer[start:end]`, with the chunk that supports it best, or None if none does.

    support: of that sentence by its best chunk, 0 to 1, whether it was enough or not.
    """

    sentence: str
    start: int
    end: int
    chunk: Chunk | None
    support: float


def cite(
    answer: str, passages: Sequence[Chunk], *, minimum: float = MINIMUM, support: Support | None = None
) -> tuple[Citation, ...]:
    """For each sentence of the answer the passage that supports it best, None where that is less than `minimum`.

    support: (sentence, passage) → 0 to 1, `word_support` by default; of equal ones the first passage is cited.
    Raises ValueError for a minimum outside [0, 1].
    """
    if not 0 <= minimum <= 1:
        raise ValueError(f"minimum lies between 0 and 1, not {minimum}.")
    support = word_support if support is None else support
    cited = []
    for start, end in sentence_spans(answer):
        sentence = answer[start:end]
        scores = [support(sentence, chunk.with_headings) for chunk in passages]
        best = max(range(len(scores)), key=scores.__getitem__, default=None)
        score = 0.0 if best is None else scores[best]
        supported = best is not None and score >= minimum and score > 0
        cited.append(Citation(sentence, start, end, passages[best] if supported else None, score))
    return tuple(cited)


def word_support(sentence: str, passage: str) -> float:
    """The share of the sentence's content words that the passage has, 0 to 1; 0 if it lacks a number or code.

    Words are compared without their endings -s, -ed, -ing; a negation counts as a word. A sentence without content
    words ("It is.") has no support.
    """
    said, read = content(sentence), set(content(passage))
    if not said or any(_exact(word) and word not in read for word in said):
        return 0.0
    return sum(word in read for word in said) / len(said)


def content(text: str) -> list[str]:
    """The content words and numbers of a text, in lower case and without endings; 2,490 is one number."""
    bare = re.sub(r"\[\d+\]|(?<=\d),(?=\d{3})", "", text.lower().replace("’", "'"))  # [1] is a mark, not a number
    words = re.findall(r"\d+(?:\.\d+)?|[^\W\d_][\w'-]*", bare)
    return ["not" if word in NEGATIONS else _stem(word) for word in words if word not in EMPTY]


def _exact(word: str) -> bool:
    """Numbers and codes such as E05 are right or wrong, never nearly right."""
    return any(letter.isdigit() for letter in word)


def _stem(word: str) -> str:
    for ending, shortest in (("ing", 6), ("ies", 5), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= shortest and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
