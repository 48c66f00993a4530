"""BLEU and ROUGE as metrics of the library `evaluate`: the names used from outside, until the lesson's own file
stands."""

from helpers.old.metrics import BLEU, ROUGE

__all__ = ["BLEU", "ROUGE"]
