"""How much of its words or characters a text shares with a reference: BLEU, chrF and ROUGE, by their usual packages.

    BLEU().compute(predictions=["The cat sat."], references=["The cat sat down."])   # {"bleu": 49.8, …}, of 100
    ChrF().compute(…)                                        # {"chrf": 61.0}, of 100
    ROUGE().compute(…)                                       # {"rouge1": 0.86, "rouge2": 0.8, "rougeL": 0.86}, of 1

BLEU and chrF keep sacrebleu's scale of 0 to 100, in which all published scores are; ROUGE has rouge-score's 0 to 1.
`helpers.old.metrics.minimal` has chrF in a dozen lines.

What they do not see: meaning. "It is free" and "It is not free" share nearly everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.old.metrics.base import Metric, caution
from helpers.old.metrics.words import writes_no_spaces

ROUGE_KINDS = ("rouge1", "rouge2", "rougeL")


class BLEU(Metric):
    """BLEU (Papineni et al., 2002) as sacrebleu computes it (Post, 2018): n-grams of 1 to 4 words found in a reference.

    compute → bleu: 0 to 100, over the whole set, whose counts are added up before anything is divided;
    brevity_penalty: 0 to 1, below 1 where the answers are shorter than the references. each → bleu: of single
    sentences, with sacrebleu's effective order (n-grams that a short sentence cannot have are left out), so its mean is
    not `compute`. Several references: an n-gram counts if any of them has it, and the length is compared with the
    closest. Empty answer or reference: 0.

    What it cannot see: meaning, synonyms, and which word was changed: a wrong number costs as much as a wrong comma. In
    a set of short answers without four equal words in a row it is smoothed guesswork. Scores compare only where
    `signature` is equal.

    tokenize: sacrebleu's name of a tokenizer. The default "13a" cuts at spaces and Latin punctuation, so a Chinese or
    Thai sentence is one word: a warning says so, tokenize="zh" or "char" mends it. Arabic has spaces and works, but
    Arabic punctuation stays on its word. lowercase: compare without case.
    """

    PAPER = "Papineni et al., 2002, BLEU: a method for automatic evaluation of machine translation. ACL."

    def __init__(self, tokenize: str = "13a", lowercase: bool = False, **options: Any) -> None:
        from sacrebleu.metrics import BLEU as SacreBLEU

        if tokenize not in SacreBLEU.TOKENIZERS:
            raise ValueError(f"sacrebleu has the tokenizers {', '.join(SacreBLEU.TOKENIZERS)}, not {tokenize!r}.")
        self.tokenize = tokenize
        self.corpus = SacreBLEU(tokenize=tokenize, lowercase=lowercase)
        self.sentence = SacreBLEU(tokenize=tokenize, lowercase=lowercase, effective_order=True)
        super().__init__(**options)

    @property
    def signature(self) -> str:
        """What a published score has to name: case, tokenizer, smoothing, version, and the references last used."""
        return self.corpus.get_signature().format() if hasattr(self.corpus, "num_refs") else "nothing was scored yet"

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, Any]:
        self._warn(predictions, references)
        found = self.corpus.corpus_score(predictions, by_turn(references))
        return {"bleu": float(found.score), "brevity_penalty": float(found.bp)}

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        self._warn(predictions, references)
        pairs = zip(predictions, references, strict=True)
        return {"bleu": [float(self.sentence.sentence_score(text, right).score) for text, right in pairs]}

    def _warn(self, predictions: list[str], references: list[list[str]]) -> None:
        if self.tokenize in ("13a", "intl", "none") and any(map(writes_no_spaces, _all(predictions, references))):
            caution(
                f'BLEU\'s tokenizer "{self.tokenize}" takes a sentence of a script without spaces for one word, so the '
                'score says little: use BLEU(tokenize="zh") for Chinese, tokenize="char" for others.',
            )


class ChrF(Metric):
    """chrF (Popović, 2015) as sacrebleu computes it: F2 of n-grams of 1 to 6 characters, spaces aside.

    compute → chrf: 0 to 100, over the whole set; each → chrf: of single texts, whose mean is not `compute`. Several
    references: the best one. Empty answer or reference: 0. It needs no words, so it works in every script; a character
    of Chinese carries about as much as a word, and 6 of them rarely recur.

    What it cannot see: meaning. Recall counts twice as much as precision (beta = 2), so padding is cheap, and an
    inserted "not" changes four characters.

    word_order: 2 gives chrF++ (Popović, 2017), which also counts n-grams of one and two words.
    """

    PAPER = "Popović, 2015, chrF: character n-gram F-score for automatic MT evaluation. WMT."

    def __init__(self, word_order: int = 0, **options: Any) -> None:
        from sacrebleu.metrics import CHRF

        self.scorer = CHRF(word_order=word_order)
        super().__init__(**options)

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, Any]:
        return {"chrf": float(self.scorer.corpus_score(predictions, by_turn(references)).score)}

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        pairs = zip(predictions, references, strict=True)
        return {"chrf": [float(self.scorer.sentence_score(text, right).score) for text, right in pairs]}


class ROUGE(Metric):
    """ROUGE-1, ROUGE-2 and ROUGE-L (Lin, 2004) as rouge-score computes them: F1 of words, pairs of words, and the
    longest common subsequence of words.

    compute → rouge1, rouge2, rougeL: 0 to 1, means over the texts; each → the same of single texts. Several references:
    for each kind, the one of the highest F1. Empty answer or reference: 0, even if both are.

    What it cannot see: meaning; ROUGE-1 does not even see order, so a salad of the right words is perfect. Precision is
    half of F1, so a longer right answer loses to a shorter wrong one.

    tokenizer: a function from a text to its words. rouge-score's own keeps a–z and 0–9 and nothing else: "hält" becomes
    "h" and "lt", and a Chinese or Arabic text has no words, so that even equal texts score 0. A warning says so;
    `helpers.old.metrics.unicode_words` mends it. stemmer: compare stems (Porter, English; not with a tokenizer).
    """

    PAPER = "Lin, 2004, ROUGE: a package for automatic evaluation of summaries. Text Summarization Branches Out."

    def __init__(
        self, tokenizer: Callable[[str], list[str]] | None = None, stemmer: bool = False, **options: Any
    ) -> None:
        from rouge_score.rouge_scorer import RougeScorer

        if tokenizer is not None and stemmer:
            raise ValueError("rouge-score stems in its own tokenizer only: stem in yours, or leave stemmer=False.")
        self.own_words = tokenizer
        self.scorer = RougeScorer(ROUGE_KINDS, stemmer, tokenizer=_Tokenizer(tokenizer) if tokenizer else None)
        super().__init__(**options)

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        if self.own_words is None:
            self._warn(predictions, references)
        pairs = zip(predictions, references, strict=True)
        scored = [self.scorer.score_multi(right, text) for text, right in pairs]
        return {kind: [float(scores[kind].fmeasure) for scores in scored] for kind in ROUGE_KINDS}

    def _warn(self, predictions: list[str], references: list[list[str]]) -> None:
        lost = sum(
            any(map(str.isalpha, text)) and not any(letter.isascii() and letter.isalnum() for letter in text)
            for text in _all(predictions, references)
        )
        if lost:
            caution(
                f"rouge-score's tokenizer keeps a–z and 0–9 only, so {lost} of the texts have no words and score 0, "
                "even where they are equal: use ROUGE(tokenizer=unicode_words).",
            )


class _Tokenizer:
    """What rouge-score calls a tokenizer."""

    def __init__(self, words: Callable[[str], list[str]]) -> None:
        self.tokenize = words


def by_turn(references: list[list[str]]) -> list[list[str | None]]:
    """sacrebleu's order: first everybody's first reference, then everybody's second, None where there is none.

    >>> by_turn([["a", "b"], ["c"]])
    [['a', 'c'], ['b', None]]
    """
    most = max(map(len, references))
    return [[right[turn] if turn < len(right) else None for right in references] for turn in range(most)]


def _all(predictions: list[str], references: list[list[str]]) -> list[str]:
    return [*predictions, *(text for right in references for text in right)]
