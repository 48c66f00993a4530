"""Seconds and peak memory of notebook runs: measured, kept in build/notebook_report.json, printed as a table.

As a pytest plugin (`pytest_plugins = ["tests.tools.report"]`) it prints the table when the session ends and refuses a
name in NB that no notebook has. The file is a list of objects: `notebook`, `runner`, `seconds`, `peak_mb`, `minutes`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from tests.tools.notebook import ROOT, Course, selected

REPORT = ROOT / "build" / "notebook_report.json"
POLL_SECONDS = 0.1
PEAK_MB_AT_MOST = 2000.0


@dataclass(frozen=True)
class Row:
    """One run of one notebook: wall seconds, peak resident MB (10^6 bytes) of its kernel's tree, minutes stated."""

    notebook: str
    runner: str
    seconds: float
    peak_mb: float
    minutes: float


@dataclass(frozen=True)
class Measured:
    """A finished command; `timed_out` where it was stopped. `output` is stdout and stderr together."""

    returncode: int
    output: str
    seconds: float
    peak_mb: float
    timed_out: bool = False


_recorded_now: list[Row] = []


class KernelWatch:
    """Peak resident memory of a kernel and all it started, while the `with` block runs.

    Of several kernels among the descendants of a process, the largest tree counts. The tree is looked at every
    POLL_SECONDS, and a server stays in it after its parent has ended. A kernel by itself is never seen smaller than its
    own high-water mark (Linux: VmHWM; Windows: peak_wset), so that nothing between two looks is missed; a peak that it
    shares with others is what the looks saw. Pages that several processes share are counted once on Linux (PSS).
    """

    def __init__(self, pid: int | None = None) -> None:
        self.pid = pid or os.getpid()
        self.peak_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> KernelWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        trees: dict[psutil.Process, set[psutil.Process]] = {}  # of each kernel, itself included
        members: set[psutil.Process] = set()
        strangers: set[psutil.Process] = set()
        while not self._done.is_set():
            seen = _descendants(self.pid)
            for process in seen:
                if process in members or process in strangers:
                    continue
                if (kernel := _is_kernel(process)) is not None:
                    if kernel:
                        trees[process] = {process}
                    elif _age(process) > 5:  # by then it has become what it will be
                        strangers.add(process)
            for kernel, tree in trees.items():
                orphans = tree.difference(seen)
                tree |= _below(tree, seen).union(*(_descendants(process.pid) for process in orphans))
                tree -= {process for process in tree if not _is_alive(process)}
                members |= tree
                self.peak_mb = max(self.peak_mb, peak_megabytes(kernel), tree_megabytes(tree))
            self._done.wait(POLL_SECONDS)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _below(tree: set[psutil.Process], seen: list[psutil.Process]) -> set[psutil.Process]:
    """Those of `seen` (parents before children) whose parent is in the tree, or below it."""
    found, pids = set(), {process.pid for process in tree}
    for process in seen:
        with contextlib.suppress(psutil.Error):
            if process.ppid() in pids:
                found.add(process)
                pids.add(process.pid)
    return found


def _is_kernel(process: psutil.Process) -> bool | None:
    try:
        return any("ipykernel" in part for part in process.cmdline())
    except psutil.Error:
        return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _age(process: psutil.Process) -> float:
    try:
        return time.time() - process.create_time()
    except psutil.Error:
        return 0.0


def peak_megabytes(process: psutil.Process) -> float:
    """Peak resident size of one process so far, in 10^6 bytes; 0 for a process that is gone."""
    try:
        if sys.platform.startswith("linux"):
            return _kilobytes(Path(f"/proc/{process.pid}/status"), "VmHWM:") * 1024 / 1e6
        info = process.memory_info()
        return getattr(info, "peak_wset", info.rss) / 1e6
    except (psutil.Error, OSError):
        return 0.0


def tree_megabytes(tree: Iterable[psutil.Process]) -> float:
    """Resident size of several processes together, now, in 10^6 bytes; those that are gone count nothing."""
    tree = list(tree)
    return sum(_resident_megabytes(process, shared=len(tree) > 1) for process in tree)


def _resident_megabytes(process: psutil.Process, shared: bool) -> float:
    try:
        if shared and sys.platform.startswith("linux"):
            with contextlib.suppress(OSError):  # an old Linux, or another user's process
                return _kilobytes(Path(f"/proc/{process.pid}/smaps_rollup"), "Pss:") * 1024 / 1e6
        return process.memory_info().rss / 1e6
    except (psutil.Error, OSError):
        return 0.0


def _kilobytes(file: Path, key: str) -> int:
    """The number behind `key` in a file of /proc; 0 where it has none, as with a process that is ending."""
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def run_measured(
    command: list[str], env: dict[str, str] | None = None, timeout: float | None = None, cwd: Path = ROOT
) -> Measured:
    """Run a command; say how long it took and how large its kernel's tree grew. At `timeout` seconds all is stopped."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    timed_out = False
    with KernelWatch(process.pid) as watch:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            stop_tree(process.pid)
            output, _ = process.communicate()
        except BaseException:  # an interrupted test session leaves no kernel behind
            stop_tree(process.pid)
            process.wait()
            raise
    seconds = time.perf_counter() - start
    return Measured(process.returncode, output, seconds, watch.peak_mb, timed_out)


def stop_tree(pid: int) -> None:
    """Kill a process and everything it started; what it started has ended when this returns (after 10 s at most)."""
    try:
        family = [*_descendants(pid), psutil.Process(pid)]
    except psutil.Error:  # it ended by itself
        return
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + 10  # a killed process lives on until the kernel has run it once more
    while any(_is_alive(process) for process in family[:-1]) and time.monotonic() < deadline:
        time.sleep(0.02)


def record(notebook: str, runner: str, seconds: float, peak_mb: float, minutes: float, file: Path = REPORT) -> Row:
    """Write one row; an earlier row of the same notebook and runner is replaced. A damaged file is begun anew."""
    row = Row(notebook, runner, round(seconds, 1), round(peak_mb), round(minutes, 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(file.name + ".lock")):  # tests may run side by side
        rows = [old for old in load(file) if (old.notebook, old.runner) != (notebook, runner)] + [row]
        temporary = file.with_name(file.name + ".part")
        temporary.write_text(json.dumps([asdict(item) for item in in_order(rows)], indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, file)
    _recorded_now.append(row)
    return row


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.notebook, row.runner))


def load(file: Path = REPORT) -> list[Row]:
    try:
        return [Row(**item) for item in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def table(rows: list[Row]) -> str:
    width = max([len("notebook"), *(len(row.notebook) for row in rows)])
    lines = [f"{'notebook':<{width}}  {'runner':<18}  {'seconds':>7}  {'peak MB':>7}  {'minutes':>7}"]
    for row in rows:
        lines.append(
            f"{row.notebook:<{width}}  {row.runner:<18}  {row.seconds:7.1f}  {row.peak_mb:7.0f}  {row.minutes:7.0f}"
        )
    return "\n".join(lines)


# The plugin ----------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    try:
        selected(Course().names)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:  # one of several workers (`pytest -n`)
        output["notebook_runs"] = [asdict(row) for row in _recorded_now]


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended: its rows belong to the table."""
    _recorded_now.extend(Row(**row) for row in getattr(node, "workeroutput", {}).get("notebook_runs", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _recorded_now:
        terminalreporter.section("notebooks (build/notebook_report.json)")
        terminalreporter.write_line(table(in_order(_recorded_now)))
