"""`make bench`: what this machine does with the course, as one table a topic. Nothing is asserted."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

from tests.benchmarks import first_reply, speed, tokenization, transformer

ROOT = Path(__file__).resolve().parents[2]
TARGET_SECONDS = {"cold": 12, "warm": 6}


def folder_mb(folder: Path) -> float:
    """Size of all files below `folder`, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def print_first_reply() -> None:
    print("\nTime to the first reply: fresh process, import + load + 20 tokens, in seconds")
    print(f"{'':6}{'import':>8}{'load':>8}{'20 tokens':>11}{'total':>8}{'target':>8}{'peak MB':>9}")
    for name, run in first_reply.measure().items():
        if run is None:
            print(f"{name:6}not measured: this system cannot be asked to forget files")
            continue
        print(
            f"{name:6}{run['import']:8.2f}{run['load']:8.2f}{run['20 tokens']:11.2f}{run['total']:8.2f}"
            f"{TARGET_SECONDS[name]:8}{run['peak_mb']:9.0f}"
        )


def print_sizes() -> None:
    from helpers.models import fetch

    print("\nSizes in MB")
    for role in ("chat", "embedder"):
        print(f"  model on disk, {role:9}{folder_mb(fetch(role)):9.1f}")
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        print(f"  {notebook.name:30}{notebook.stat().st_size / 1e6:8.2f}")


def print_notebooks() -> None:
    path = ROOT / "build" / "notebook_report.json"
    print("\nNotebooks, from the last `make test`")
    if not path.exists():
        print("  not measured yet: run `make test`")
        return
    for row in json.loads(path.read_text(encoding="utf-8")):
        print(f"  {row['notebook']:26}{row['runner']:12}{row['seconds']:7.1f} s{row['peak_mb']:8.0f} MB peak")


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    start = time.perf_counter()
    for table in (
        print_sizes,
        print_notebooks,
        tokenization.print_tokenization,
        print_first_reply,
        transformer.print_transformer,
        speed.print_speed,
    ):
        table()
        print(f"  [{time.perf_counter() - start:.0f} s so far]", flush=True)


if __name__ == "__main__":
    main()
