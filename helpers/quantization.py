"""Fewer bits for weights: the names used from outside, until this topic's own file takes their place."""

from helpers.old.quantization import nf4_codebook, quantize_, quantize_nf4_

__all__ = ["nf4_codebook", "quantize_", "quantize_nf4_"]
