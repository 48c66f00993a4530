"""Experiments too long for a notebook: data/recorded/NAME.py measures, NAME.json beside it keeps its rows.

    rows = recorded("03_race")                  # a pandas table
    rows.attrs["caption"]                       # what made it; also date, machine, versions, seconds, command
    record("03_race", RUNS, measure)            # the script's last line; `make recorded NAME=03_race` runs it

A run that is stopped goes on where it was; the record is written at the end, whole or not at all.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING

from helpers.files.paths import DATA, ROOT
from helpers.files.safe_files import DataUnavailable, json_writer, read_json, shown, write_atomically

if TYPE_CHECKING:
    import pandas

FOLDER = DATA / "recorded"
KEPT = ROOT / "build" / "recorded"
PACKAGES = ("torch", "transformers", "numpy")
ABOUT = ("date", "machine", "versions", "seconds", "command")


def recorded(name: str) -> pandas.DataFrame:
    """The rows of a record; `.attrs` says what made them. Raises DataUnavailable where record or script is missing."""
    import pandas

    script, file = FOLDER / f"{name}.py", FOLDER / f"{name}.json"
    if not script.is_file():
        why = "a record needs the script that made it" if file.is_file() else "there is no such record"
        raise DataUnavailable(f"{shown(script)} does not exist: {why}.")
    if not file.is_file():
        raise DataUnavailable(f"{shown(script)} has no record yet: run `make recorded NAME={name}`.")
    found = read_json(file)
    if not isinstance(found, dict) or any(part not in found for part in (*ABOUT, "rows")):
        raise DataUnavailable(f"{shown(file)} is no record: run `make recorded NAME={name}`.")
    rows = pandas.DataFrame(found["rows"])
    rows.attrs = {part: found[part] for part in ABOUT}
    rows.attrs["caption"] = "Recorded {date} on {machine}, in {seconds:.0f} seconds: {command}".format(**found)
    return rows


def record(name: str, runs: Iterable[dict], measure: Callable[[dict, list[dict]], dict], packages=PACKAGES) -> None:
    """Measure every run that is not kept yet, then write the record.

    measure(run, rows_before_it) returns what was found; a row is both together. An edited script starts again.
    """
    from tqdm.auto import tqdm

    runs, edition = list(runs), hashlib.sha256((FOLDER / f"{name}.py").read_bytes()).hexdigest()[:12]
    kept = KEPT / f"{name}-{edition}.json"
    KEPT.mkdir(parents=True, exist_ok=True)
    rows, seconds = read_json(kept) if kept.exists() else ([], 0.0)
    for run in tqdm(runs[len(rows) :], desc=name, initial=len(rows), total=len(runs)):
        start = time.perf_counter()
        rows.append(run | measure(run, rows))
        seconds += time.perf_counter() - start
        write_atomically(kept, json_writer([rows, seconds]))
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch and torch.cuda.is_initialized() else "no GPU used"
    found = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores, {gpu}",
        "versions": {"python": platform.python_version()} | {package: version(package) for package in packages},
        "seconds": round(seconds, 1),
        "command": f"python data/recorded/{name}.py",
        "rows": rows,
    }
    write_atomically(FOLDER / f"{name}.json", json_writer(found))
    kept.unlink()
