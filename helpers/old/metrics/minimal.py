"""chrF in its smallest form: one reference per text, no options. `helpers.old.metrics.overlap` has the others.

chrf(["the cat"], ["the cats"])                            # 77.6, of 100, as sacrebleu's
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def ngrams(items: Sequence, n: int) -> Counter:
    """Every run of n neighbors, with how often it stands there."""
    return Counter(tuple(items[i : i + n]) for i in range(len(items) - n + 1))


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
