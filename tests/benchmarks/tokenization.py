"""How fast the course's tokenizers are, as ratios measured side by side in one process; memory in processes of its own.

    make bench
"""

from __future__ import annotations

import gc
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # one thread against one thread

PEAK = """
from helpers.old.corpora import language_reference, stdlib_docstrings, stdlib_source
import re
def peak_bytes():                       # VmHWM: Linux only
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) * 1024
from helpers.models import fetch
from helpers.tokenization import BPETokenizer, WordPieceTokenizer
text = {text}
before = peak_bytes()
result = {call}
print(peak_bytes() / 1e6, (peak_bytes() - before) / 1e6)
"""
REFERENCE, ENGLISH, LONG = (
    "language_reference().text",
    "stdlib_docstrings().head(1_000_000)",
    "stdlib_source().head(10_000_000)",
)
PEAKS = {
    "train 4,096 merges, 0.5 MB": (REFERENCE, "BPETokenizer.train(text, 4_352)"),
    "train 4,096 merges, 10 MB": (LONG, "BPETokenizer.train(text, 4_352)"),
    "train on one 1 MB word": ("'ab' * 500_000", "BPETokenizer.train(text, 4_352)"),
    "chat model encodes 1 MB": (ENGLISH, 'BPETokenizer.from_pretrained(fetch("chat")).encode(text)'),
    "embedder encodes 1 MB": (ENGLISH, 'WordPieceTokenizer.from_pretrained(fetch("embedder")).encode(text)'),
}
TARGET_MB = 300


def seconds(call: Callable[[], Any], runs: int = 5) -> float:
    """The best of `runs`: what else the machine does can only add."""
    best = float("inf")
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def train_by_recounting(text: str, vocab_size: int) -> list[tuple[int, int]]:
    """Byte-pair encoding as minbpe writes it: every pair of the text is counted anew at every merge."""
    import regex

    from helpers.tokenization import GPT2_PATTERN

    words = [list(word.encode("utf-8")) for word in regex.findall(GPT2_PATTERN, text)]
    merges = []
    for new in range(256, vocab_size):
        counts: dict[tuple[int, int], int] = {}
        for word in words:
            for pair in zip(word, word[1:], strict=False):
                counts[pair] = counts.get(pair, 0) + 1
        left, right = max(counts, key=counts.__getitem__)
        merges.append((left, right))
        words = [_merged(word, left, right, new) for word in words]
    return merges


def _merged(word: list[int], left: int, right: int, new: int) -> list[int]:
    merged, i = [], 0
    while i < len(word):
        if word[i] == left and i + 1 < len(word) and word[i + 1] == right:
            merged.append(new)
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return merged


def train_by_the_library(text: str, vocab_size: int) -> None:
    """The `tokenizers` trainer with the same alphabet and the same pattern."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator([text], trainer)


def training() -> dict[str, tuple[float, float, float]]:
    """What -> (our seconds, the other's seconds, target for theirs / ours)."""
    from helpers.old.corpora import language_reference
    from helpers.tokenization import BPETokenizer

    reference = language_reference()
    small = reference.head(100_000)
    return {
        "train 128 merges on 100 kB / recounting": (
            seconds(lambda: BPETokenizer.train(small, 384)),
            seconds(lambda: train_by_recounting(small, 384), 2),
            58,
        ),
        "train 4,096 merges on 0.5 MB / tokenizers": (
            seconds(lambda: BPETokenizer.train(reference.text, 4_352)),
            seconds(lambda: train_by_the_library(reference.text, 4_352)),
            1 / 1.5,
        ),
    }


def encoding() -> dict[str, tuple[float, float, float]]:
    """1 MB of English, nothing remembered from before: what -> (ours, the library's, target for theirs / ours)."""
    from tokenizers import Tokenizer

    from helpers.models import fetch
    from helpers.old.corpora import stdlib_docstrings
    from helpers.tokenization import BPETokenizer, WordPieceTokenizer

    text, rows = stdlib_docstrings().head(1_000_000), {}
    for role, kind in (("chat", BPETokenizer), ("embedder", WordPieceTokenizer)):
        ours, theirs = kind.from_pretrained(fetch(role)), Tokenizer.from_file(str(fetch(role) / "tokenizer.json"))
        theirs.no_truncation()
        theirs.no_padding()
        options = {"add_special_tokens": False}
        for what, call in (("tokenizers", theirs.encode), ("tokenizers, no offsets", _fast(theirs))):
            pair = seconds(lambda: _forgetful(ours, text)), seconds(lambda: call(text, **options))  # noqa: B023
            rows[f"encode 1 MB, {role} / {what}"] = (*pair, 1)
    return rows


def _forgetful(tokenizer: Any, text: str) -> list[int]:
    tokenizer._remembered.clear()
    return tokenizer.encode(text)


def _fast(tokenizer: Any) -> Callable[..., Any]:
    return lambda text, **options: tokenizer.encode_batch_fast([text], **options)


def growth() -> dict[str, list[tuple[float, float]]]:
    """What -> [(MB, seconds)]: text, then a repeated character, then one random word, all of growing size."""
    from helpers.models import fetch
    from helpers.old.corpora import stdlib_source
    from helpers.tokenization import BPETokenizer, WordPieceTokenizer

    source, chat = stdlib_source(), BPETokenizer.from_pretrained(fetch("chat"))
    embedder = WordPieceTokenizer.from_pretrained(fetch("embedder"))
    rng = random.Random(0)
    word = "".join(rng.choices("etaoinsrhldcu", k=1_000_000))
    texts = {size: source.head(int(size * 1e6)) for size in (0.1, 1, 10)}
    same, odd = ({size: part[: int(size * 1e6)] for size in (0.1, 0.3, 1)} for part in ("a" * 1_000_000, word))
    timed = {
        "train 1,024 merges, code": (texts, lambda text: BPETokenizer.train(text, 1_280)),
        "encode, code": (texts, lambda text: _forgetful(chat, text)),
        "train, one letter repeated": (same, lambda text: BPETokenizer.train(text, 1_280)),
        "encode, one letter repeated": (same, lambda text: _forgetful(chat, text)),
        "train, one random word": (odd, lambda text: BPETokenizer.train(text, 1_280)),
        "encode, one random word": (odd, lambda text: _forgetful(chat, text)),
        "WordPiece, encode, code": (texts, lambda text: _forgetful(embedder, text)),
    }
    return {
        what: [(len(text.encode()) / 1e6, seconds(lambda: call(text), 1)) for text in sizes.values()]  # noqa: B023
        for what, (sizes, call) in timed.items()
    }


def peaks() -> dict[str, tuple[float, float]]:
    """What -> (peak MB of a fresh process, what the call itself added to it)."""
    found = {}
    for what, (text, call) in PEAKS.items() if sys.platform == "linux" else ():
        program = PEAK.format(text=text, call=call)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        found[what] = tuple(map(float, done.stdout.split()))
    return found


def print_tokenization() -> None:
    print("\nTokenizers, one thread each: times faster than the other")
    print(f"{'':44}{'ours s':>9}{'other s':>9}{'ratio':>8}{'target':>8}")
    for what, (ours, other, target) in (training() | encoding()).items():
        print(f"  {what:42}{ours:9.3f}{other:9.3f}{other / ours:8.2f}{target:8.3g}  {verdict(other / ours >= target)}")
    print("\nTokenizers, seconds against MB; power: 1 is linear, 2 quadratic")
    for what, rows in growth().items():
        (small, first), (large, last) = rows[0], rows[-1]
        listed = "".join(f"{size:7.1f} MB{time:7.2f} s" for size, time in rows)
        print(f"  {what:36}{listed}   power {exponent(small, first, large, last):.2f}")
    print(f"\nTokenizers, peak memory in MB of a fresh process, target {TARGET_MB}")
    for what, (peak, added) in peaks().items():
        print(f"  {what:36}{peak:7.0f}, of which the call added{added:6.0f}  {verdict(peak <= TARGET_MB)}")


def verdict(reached: bool) -> str:
    return "reached" if reached else "NOT REACHED"


def exponent(small: float, first: float, large: float, last: float) -> float:
    """The power p in seconds ~ MB ** p between two measurements."""
    return math.log(last / first) / math.log(large / small)


if __name__ == "__main__":
    print_tokenization()
