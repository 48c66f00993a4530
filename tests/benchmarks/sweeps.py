"""`make sweeps`: long measurements, one module `sweep_NAME.py` each, whose results the notebooks show as *recorded*.

A sweep module has NAME, CASES (a list of JSON values) and `run(case) -> dict`; where this dict has "seconds_before", of
an earlier run from whose checkpoint it went on, they are counted, too. Every finished case is kept at once in
build/sweeps, so a stopped sweep goes on where it was; the finished one is written to data/results/NAME.json.

    python -m tests.benchmarks.sweeps                 all sweeps
    python -m tests.benchmarks.sweeps 12_steps         one of them
    python -m tests.benchmarks.sweeps --fresh         forget what was kept
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import importlib
import importlib.metadata
import json
import os
import pkgutil
import platform
import time
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

import tests.benchmarks

ROOT = Path(__file__).resolve().parents[2]
KEPT, RESULTS = ROOT / "build" / "sweeps", ROOT / "data" / "results"
VERSIONS = ("torch", "transformers", "numpy")


def sweeps() -> dict[str, ModuleType]:
    """Every sweep module by its NAME."""
    names = [m.name for m in pkgutil.iter_modules(tests.benchmarks.__path__) if m.name.startswith("sweep_")]
    modules = [importlib.import_module(f"tests.benchmarks.{name}") for name in names]
    return {module.NAME: module for module in modules}


def read_kept(path: Path) -> dict[str, dict]:
    """Finished cases; a last line that was cut off by a kill is dropped."""
    kept = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        kept[json.dumps(row["case"], sort_keys=True)] = row
    return kept


def run_sweep(sweep: ModuleType, kept_folder: Path = KEPT, results_folder: Path = RESULTS) -> Path:
    """Runs the cases that are not kept yet, then writes the result file whole or not at all."""
    kept_folder.mkdir(parents=True, exist_ok=True)
    path = kept_folder / f"{sweep.NAME}.jsonl"
    kept = read_kept(path)
    with path.open("a", encoding="utf-8") as file:
        for case in tqdm(sweep.CASES, desc=sweep.NAME, unit="case"):
            key = json.dumps(case, sort_keys=True)
            if key in kept:
                continue
            start = time.perf_counter()
            found = sweep.run(case)
            seconds = found.get("seconds_before", 0) + time.perf_counter() - start
            row = {"case": case, **found, "seconds": round(seconds, 1)}
            file.write(json.dumps(row) + "\n")
            file.flush()
            kept[key] = row
    runs = [kept[json.dumps(case, sort_keys=True)] for case in sweep.CASES]
    result = {
        "what": " ".join((sweep.__doc__ or "").split()),
        "command": f"python -m tests.benchmarks.sweeps {sweep.NAME}",
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores, no GPU used",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name).split("+")[0] for name in VERSIONS},
        "seconds": round(sum(run["seconds"] for run in runs), 1),
        "runs": runs,
    }
    results_folder.mkdir(parents=True, exist_ok=True)
    target = results_folder / f"{sweep.NAME}.json"
    part = target.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(part, target)
    return target


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Repeat the long measurements in data/results.")
    parser.add_argument("names", nargs="*", help="which sweeps (default: all)")
    parser.add_argument("--fresh", action="store_true", help="start over instead of going on")
    options = parser.parse_args(arguments)
    known = sweeps()
    for name in options.names or known:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            print(f"There is no sweep {name!r}: known are {', '.join(known)}.{meant}")
            return 2
        if options.fresh:
            (KEPT / f"{name}.jsonl").unlink(missing_ok=True)
        print(f"wrote {run_sweep(known[name]).relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
