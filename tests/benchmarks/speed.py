"""How many times as fast as the library's float32 `generate` each rung of 05b_speed is, on this machine.

python -m tests.benchmarks.speed                 this table alone

Batch 1, a short prompt, 48 new tokens; each rung runs in turns with the library, three times, and the median of the
ratios counts. Prompt lookup writes a text that stands in its prompt, and so does the library then.
"""

from __future__ import annotations

import gc
import statistics

NEW, PAIRS = 128, 5  # of the record; the table is content with less
TABLE_NEW, TABLE_PAIRS = 48, 3
TARGETS = {  # rung: what it has to reach, what it aims at
    "fewer operations": (1.15, None),  # float32 and a cache in place; the plain Llama above has no target of its own
    "bfloat16": (1.9, None),
    "int8": (3.3, 4.5),
    "int4": (4.8, 8.0),
    "prompt lookup": (7.0, None),
}
AGAINST_LLAMA_CPP = (0.6, 1.0)


def climb(rung: str, library, pairs: int = PAIRS, new: int = NEW) -> dict[str, list[float]]:
    """Tokens a second of the library and of one rung, in turns."""
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.old.speed import race
    from helpers.old.trials.ladder import PROMPT, copying_prompt, make

    text = copying_prompt() if rung == "prompt lookup" else PROMPT
    ids = AutoTokenizer.from_pretrained(fetch("chat"))(text, return_tensors="pt")["input_ids"]
    gc.collect()  # the last rung's model
    write = make(rung)
    seconds = race({"library": lambda: library(ids, new), "rung": lambda: write(ids, new)}, pairs)
    return {name: [round(new / s, 2) for s in times] for name, times in seconds.items()}


def ratio(found: dict[str, list[float]]) -> float:
    """The median of the pairs' ratios."""
    return statistics.median(r / lib for r, lib in zip(found["rung"], found["library"], strict=True))


def print_speed() -> None:
    from transformers.utils import logging

    from helpers.old.speed import llama_cpp, memory_bandwidth
    from helpers.old.trials.ladder import RUNGS, library

    logging.disable_progress_bar()
    print(f"\nWriting {TABLE_NEW} tokens, batch 1: median of {TABLE_PAIRS} pairs with the library's float32 generate")
    print(f"  memory is read at {memory_bandwidth() / 1e9:.0f} GB/s")
    print(f"  {'':18}{'tokens/s':>10}{'library':>10}{'times':>8}{'target':>8}{'aim':>6}")
    theirs, speed = library(), {}
    for rung in RUNGS:
        if rung == "no cache":  # a minute a pair, and no target
            continue
        if rung == "llama.cpp" and not llama_cpp.installed():
            print(f"  {rung:18}not measured: {llama_cpp.HOW}")
            continue
        found = climb(rung, theirs, TABLE_PAIRS, TABLE_NEW)
        speed[rung] = statistics.median(found["rung"])
        row = f"  {rung:18}{speed[rung]:10.1f}{statistics.median(found['library']):10.1f}{ratio(found):8.2f}"
        target, aim = TARGETS.get(rung, (None, None))
        print(row + (f"{target:8}{aim or '':>6}  {reached(ratio(found), target, aim)}" if target else ""), flush=True)
    if "llama.cpp" in speed:
        share, (target, aim) = speed["int4"] / speed["llama.cpp"], AGAINST_LLAMA_CPP
        print(f"  {'int4 / llama.cpp':38}{share:8.2f}{target:8}{aim:6}  {reached(share, target, aim)}")


def reached(value: float, target: float, aim: float | None) -> str:
    return "NOT REACHED" if value < target else "aim reached" if aim and value >= aim else "reached"


if __name__ == "__main__":
    print_speed()
