"""How fast the handbook is indexed and 10,000 chunks are searched, and what a graph gains over looking at all vectors.

    python -m tests.benchmarks.retrieval           this table alone (a minute on two quiet cores)

The 10,000 chunks are the handbook's, again and again, each copy with a fifth of its words left out; their vectors are
not encoded (six minutes), but the handbook's own, each copy a little turned. That changes nothing in what a search
costs: queries are encoded as always, and as many vectors and words are looked at. Processor seconds stand beside the
clock's, because they say nearly the same on a busy machine; verdicts are by them.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

CHUNKS, WARM_UP, TURN = 10_000, 5, 0.2  # TURN: length of what is added to a copy's vector of length 1
ENCODED, PAIRS = 64, 5
P95_SECONDS, THROUGHPUT, PEAK_GB = 0.060, 0.95, 2.0


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


class Copies:
    """An encoder that encodes queries, and gives documents vectors that are there already."""

    def __init__(self, encoder: Any, vectors: np.ndarray) -> None:
        self.encoder, self.vectors, self.checksum = encoder, vectors, "copies"

    def encode_query(self, texts: Sequence[str], **options: Any) -> np.ndarray:
        return self.encoder.encode_query(texts, **options)

    def encode_document(self, texts: Sequence[str], **options: Any) -> np.ndarray:
        if len(texts) != len(self.vectors):
            raise ValueError(f"There are {len(self.vectors)} vectors for {len(texts)} different texts.")
        return self.vectors

    encode = encode_document


def many_chunks(n: int, seed: int = 0) -> tuple[list, np.ndarray]:
    """n chunks with different texts, and the row of the handbook's chunk that each was made from, (n,)."""
    from helpers.retrieval import Chunk, chunk_documents
    from helpers.velunda import load_handbook

    own, rng = chunk_documents(load_handbook().values()), random.Random(seed)
    found, rows = [], []
    for i in range(n):
        chunk = own[i % len(own)]
        kept = [word for word in chunk.text.split() if rng.random() < 0.8]
        text = " ".join([*kept, f"copy{i}"])
        found.append(Chunk(f"{chunk.document}-{i // len(own)}", chunk.start, chunk.end, chunk.headings, text))
        rows.append(i % len(own))
    return found, np.array(rows)


def serve(n: int = CHUNKS) -> dict[str, Any]:
    """Seconds of every search of n chunks, by clock and processor; of saving and loading; the process's peak in GB."""
    from helpers.models import embedder
    from helpers.old.measuring import peak_bytes
    from helpers.retrieval import HybridIndex, chunk_documents, encode_texts, unit
    from helpers.velunda import load_handbook, load_questions

    encoder = embedder()
    own = chunk_documents(load_handbook().values())
    vectors = encode_texts(encoder, [chunk.text for chunk in own])
    chunks, rows = many_chunks(n)
    rng, d = np.random.default_rng(0), vectors.shape[1]
    turned = unit(vectors[rows] + TURN / d**0.5 * rng.normal(size=(n, d)).astype(np.float32))
    hybrid = HybridIndex(Copies(encoder, turned))
    hybrid.add(chunks)
    questions = [question.question for question in load_questions("dev")]
    found: dict[str, Any] = {"build BM25": timed(lambda: hybrid.bm25.bm25s), "n": len(hybrid)}
    for name, index in {"dense": hybrid.dense, "BM25": hybrid.bm25, "hybrid": hybrid}.items():
        for question in questions[:WARM_UP]:
            index.search(question, 10)
        found[name] = [timed(lambda q=question, i=index: i.search(q, 10)) for question in questions]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hybrid.index"
        found["save"] = timed(lambda: hybrid.save(path))
        found["load"] = timed(lambda: HybridIndex.load(path, encoder=hybrid.dense.encoder))
        found["mb"] = path.stat().st_size / 1e6
    return {**found, "peak_gb": peak_bytes() / 1e9}


def index_chunks(n: int = ENCODED, pairs: int = PAIRS) -> dict[str, Any]:
    """Seconds of `DenseIndex.add` and of the encoder's `encode` alone, in turns, on the same texts of the handbook."""
    from helpers.models import embedder
    from helpers.retrieval import DenseIndex, chunk_documents, encoder_checksum
    from helpers.velunda import load_handbook

    encoder = embedder()
    chunks = random.Random(0).sample(chunk_documents(load_handbook().values()), n)
    texts = [chunk.with_headings for chunk in chunks]  # which is what the index encodes, too
    encoder.encode(texts[:8], show_progress_bar=False)
    found: dict[str, Any] = {"checksum": timed(lambda: encoder_checksum(encoder)), "add": [], "encode": []}
    work = {
        "add": lambda: DenseIndex(encoder=encoder).add(chunks),
        "encode": lambda: encoder.encode(texts, show_progress_bar=False),
    }
    for pair in range(pairs):
        for name in list(work)[:: 1 if pair % 2 else -1]:
            found[name].append(timed(work[name]))
    return found


def in_a_process(call: str) -> Any:
    """What a function of this module gives in a fresh process, whose peak is its own."""
    code = f"from tests.benchmarks.retrieval import *; print(json.dumps({call}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def p95(seconds: Sequence[float]) -> float:
    return float(np.quantile(seconds, 0.95))


def print_retrieval() -> None:
    found = in_a_process("serve()")
    print(f"\nSearching {found['n']:,} chunks, one question at a time, in milliseconds; query encoded anew each time")
    print(f"  {'':22}{'median':>9}{'p95':>9}{'p95, CPU':>10}{'target':>8}")
    for name in ("dense", "BM25", "hybrid"):
        clock, processor = zip(*found[name], strict=True)
        row = f"  {name:22}{1e3 * statistics.median(clock):9.1f}{1e3 * p95(clock):9.1f}{1e3 * p95(processor):10.1f}"
        print(row + ("" if name == "BM25" else f"{1e3 * P95_SECONDS:8.0f}  {verdict(p95(processor) <= P95_SECONDS)}"))
    for name in ("build BM25", "save", "load"):
        print(f"  {name + ', s':22}{found[name][0]:9.2f}{'':9}{found[name][1]:10.2f}")
    print(f"  {'file, MB':22}{found['mb']:9.1f}")
    print(f"  {'peak memory, GB':22}{found['peak_gb']:9.2f}{'':19}{PEAK_GB:8}  {verdict(found['peak_gb'] <= PEAK_GB)}")

    found = in_a_process("index_chunks()")
    print(f"\nIndexing {ENCODED} chunks of the handbook, median of {PAIRS} pairs")
    ours, theirs = ([seconds[1] for seconds in found[name]] for name in ("add", "encode"))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    for name, seconds in (("DenseIndex.add", ours), ("encode alone", theirs)):
        print(f"  {name + ', chunks a CPU s':34}{ENCODED / statistics.median(seconds):8.1f}")
    print(f"  {'ratio':34}{ratio:8.3f}{THROUGHPUT:8}  {verdict(ratio >= THROUGHPUT)}")
    print(f"  {'checksum of the encoder, once, s':34}{found['checksum'][1]:8.2f}", flush=True)


def verdict(reached: bool) -> str:
    return "reached" if reached else "NOT REACHED"


if __name__ == "__main__":
    print_retrieval()
