"""Tokens a second of each rung of 05b_speed and of the library's float32 generate in turns with it: batch 1, 128 new
tokens, five pairs (no cache: one). "machine" is what bounds them: bytes a second read from memory, operations a
second in large products."""

from __future__ import annotations

from functools import cache

NAME = "05b_ladder"
CASES = [
    "machine",
    *("no cache", "growing cache", "cache in place", "fewer operations", "bfloat16", "int8", "int4"),
    *("int4 drafts", "prompt lookup", "llama.cpp"),
]


def run(case: str) -> dict:
    import torch

    from helpers.old.speed import arithmetic_peak, llama_cpp, memory_bandwidth
    from tests.benchmarks.speed import PAIRS, climb, ratio

    if case == "machine":
        peaks = {str(dtype)[6:]: round(arithmetic_peak(dtype) / 1e9, 1) for dtype in (torch.float32, torch.bfloat16)}
        return {
            "threads": torch.get_num_threads(),
            "gb_per_s": round(memory_bandwidth() / 1e9, 1),
            "gflop_per_s": peaks,
        }
    if case == "llama.cpp" and not llama_cpp.installed():
        return {"not measured": llama_cpp.HOW}
    found = climb(case, theirs(), 1 if case == "no cache" else PAIRS)
    return {"tokens_per_s": found, "times": round(ratio(found), 2)}


@cache
def theirs():
    from transformers.utils import logging

    from helpers.old.trials.ladder import library

    logging.disable_progress_bar()
    return library()
