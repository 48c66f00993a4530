"""Metrics that you meet in papers and rarely need: METEOR by NLTK, and distinct-n.

    METEOR().compute(predictions=["cats sat"], references=["a cat sat"])   # {"meteor": 0.65, "matches": "exact, stem"}
    DistinctN(n=(1, 2)).compute(predictions=replies)                       # {"distinct_1": 0.91, "distinct_2": 1.0}

MoverScore is beside BERTScore, in `helpers.old.metrics.embeddings`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from helpers.old.metrics.base import ONE_TEXT, Metric, caution
from helpers.old.metrics.calibration import distinct_n
from helpers.old.metrics.words import writes_no_spaces


class METEOR(Metric):
    """METEOR (Banerjee and Lavie, 2005; weights of 2007) as NLTK computes it: words aligned, order penalized.

    compute → meteor: 0 to 1, a mean over the texts; matches: which words count as equal, "exact, stem" or, where NLTK's
    data have WordNet on this machine, "exact, stem, synonym". Say it with the score: the two do not compare. each → of
    single texts. Recall weighs nine times as much as precision; the more pieces the aligned words fall into, the
    lower. Several references: the best. Empty answer or reference: 0.

    What it cannot see: negation, numbers (a wrong one is a word of many), synonyms without WordNet, and padding, which
    costs little precision. Stems and WordNet are English. NLTK looks for synonyms among stems, so that "large", which
    has become "larg", is found by nothing.

    tokenizer: a function from a text to its words; by default NLTK's for one sentence, which needs no data. It cuts at
    spaces, so a Chinese text is one word: a warning says so. wordnet: "auto", or False for exact and stem everywhere.
    """

    PAPER = "Banerjee and Lavie, 2005, METEOR: an automatic metric for MT evaluation. ACL workshop on evaluation."

    def __init__(
        self, tokenizer: Callable[[str], list[str]] | None = None, wordnet: str | bool = "auto", **options: Any
    ) -> None:
        from nltk.tokenize import word_tokenize

        self.own_words = tokenizer
        self.words = tokenizer or partial(word_tokenize, preserve_line=True)
        self.wordnet = find_wordnet() if wordnet == "auto" else None
        super().__init__(**options)

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, Any]:
        matches = "exact, stem, synonym" if self.wordnet else "exact, stem"
        return {**super()._compute(predictions=predictions, references=references), "matches": matches}

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        from nltk.translate.meteor_score import meteor_score

        if self.own_words is None and any(writes_no_spaces(text) for right in references for text in right):
            caution("METEOR's words are cut at spaces, and this script has none: use METEOR(tokenizer=unicode_words).")
        known = self.wordnet or _NoSynonyms()
        scores = []
        for text, right in zip(predictions, references, strict=True):
            scores.append(float(meteor_score([self.words(one) for one in right], self.words(text), wordnet=known)))
        return {"meteor": scores}


class _NoSynonyms:
    """A dictionary in which no word stands."""

    def synsets(self, word: str) -> list:
        return []


def find_wordnet() -> Any | None:
    """NLTK's WordNet if its data are on this machine, or None. Nothing is downloaded."""
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        return None
    return wordnet


class DistinctN(Metric):
    """distinct-n (Li et al., 2016): different n-grams, divided by all n-grams, over all texts together. No references.

    compute → distinct_1, distinct_2, …: above 0, at most 1, where nothing is said twice; each → within single texts.
    Raises ValueError where no text has n words.

    What it cannot see: sense. Random words are the most varied text of all. Long texts repeat more than short ones, so
    compare texts of one length.

    words: a function from a text to its words; by default cut at spaces, where a Chinese sentence is one word.
    """

    PAPER = "Li et al., 2016, A diversity-promoting objective function for neural conversation models. NAACL."
    COLUMNS = ONE_TEXT

    def __init__(
        self, n: int | Sequence[int] = (1, 2), words: Callable[[str], list[str]] = str.split, **options: Any
    ) -> None:
        self.lengths = (n,) if isinstance(n, int) else tuple(n)
        self.words = words
        super().__init__(**options)

    def _compute(self, predictions: list[str]) -> dict[str, float]:
        ids: dict[str, int] = {}
        numbered = [[ids.setdefault(word, len(ids)) for word in self.words(text)] for text in predictions]
        return {f"distinct_{n}": distinct_n(numbered, n) for n in self.lengths}

    def _each(self, predictions: list[str]) -> dict[str, list[float]]:
        alone = [self._compute([text]) for text in predictions]
        return {name: [scores[name] for scores in alone] for name in alone[0]}
