"""BLEU, chrF and ROUGE in their smallest form: one reference per text, words cut at spaces, no options.

    bleu(["we sat on soft mats"], ["cats sat on soft mats"])   # 66.9, of 100, as sacrebleu's with tokenize="none"
    chrf(["the cat"], ["the cats"])                            # 77.6, of 100, as sacrebleu's
    rouge_n("cats sat on mats", "dogs sat on mats", 2)         # 0.67, of 1, as rouge-score's
    rouge_l("on mats sat cats", "cats sat on mats")            # 0.5

What they do not do: tokenizers, smoothing, several references. `helpers.old.metrics.overlap` has those.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def ngrams(items: Sequence, n: int) -> Counter:
    """Every run of n neighbors, with how often it stands there."""
    return Counter(tuple(items[i : i + n]) for i in range(len(items) - n + 1))


def bleu(predictions: list[str], references: list[str]) -> float:
    """BLEU-4 of a whole set (Papineni et al., 2002), 0 to 100; 0 where no four words in a row are shared.

    The geometric mean of four precisions, times a penalty for being shorter than the references.
    """
    pairs = [(answer.split(), right.split()) for answer, right in zip(predictions, references, strict=True)]
    log_precisions = []
    for n in range(1, 5):
        shared = sum((ngrams(ours, n) & ngrams(theirs, n)).total() for ours, theirs in pairs)  # &: the smaller count
        said = sum(ngrams(ours, n).total() for ours, _ in pairs)
        if not shared:
            return 0.0
        log_precisions.append(math.log(shared / said))

    our_length, their_length = (sum(map(len, side)) for side in zip(*pairs, strict=True))
    brevity_penalty = min(1.0, math.exp(1 - their_length / our_length))
    return 100 * brevity_penalty * math.exp(sum(log_precisions) / 4)


def chrf(predictions: list[str], references: list[str], beta: float = 2.0) -> float:
    """chrF of a whole set (Popović, 2015), 0 to 100: F of character n-grams, recall beta times as important.

    Precision and recall are means over n = 1 to 6, of the n that both sides have.
    """
    pairs = [
        ("".join(answer.split()), "".join(right.split())) for answer, right in zip(predictions, references, strict=True)
    ]
    precisions, recalls = [], []
    for n in range(1, 7):
        counted = [(ngrams(ours, n), ngrams(theirs, n)) for ours, theirs in pairs if len(theirs) >= n]
        shared = sum((ours & theirs).total() for ours, theirs in counted)
        said, wanted = sum(ours.total() for ours, _ in counted), sum(theirs.total() for _, theirs in counted)
        if said and wanted:
            precisions.append(shared / said)
            recalls.append(shared / wanted)
    if not sum(precisions):
        return 0.0
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def f1(shared: int, said: int, wanted: int) -> float:
    """The harmonic mean of shared / said (precision) and shared / wanted (recall); 0 where nothing is shared."""
    return 2 * shared / (said + wanted) if shared else 0.0


def rouge_l(prediction: str, reference: str) -> float:
    """ROUGE-L of one text (Lin, 2004), 0 to 1: F1 of the longest sequence of words that both have in that order."""
    ours, theirs = prediction.split(), reference.split()
    longest = [0] * (len(theirs) + 1)  # longest[j]: of our words so far and the first j of theirs
    for word in ours:
        before = longest.copy()
        for j, other in enumerate(theirs, start=1):
            longest[j] = before[j - 1] + 1 if word == other else max(before[j], longest[j - 1])
    return f1(longest[-1], len(ours), len(theirs))
