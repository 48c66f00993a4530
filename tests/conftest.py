"""What every test gets: no live widgets, no hub, progress that is not the reader's, and its place in line."""

from __future__ import annotations

import contextlib
import os

import pytest
from filelock import FileLock
from hypothesis import settings

from tests.tools import runners
from tests.tools.notebook import chosen

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HANDS_ON_STATIC"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

# side by side (`pytest -n`), each worker computes with its share of the cores; this must be said before torch is loaded
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def no_learner_is_touched(tmp_path, monkeypatch):
    """Progress and build/mine are temporary; switches a developer may have set are off."""
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("HANDS_ON_MINE", str(tmp_path / "mine"))
    for name in ("HANDS_ON_STRICT", "HANDS_ON_CHAT_MODEL", "HANDS_ON_EMBEDDER", "HANDS_ON_CHECK_SECONDS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def place_in_line(request, tmp_path_factory):
    """A test marked `alone` waits until every worker has finished its test, and the others wait for it."""
    if WORKERS == 1:
        yield
        return
    folder = tmp_path_factory.getbasetemp().parent  # that of all workers
    own = os.environ["PYTEST_XDIST_WORKER"]
    all_of_them = [f"gw{number}" for number in range(WORKERS)]
    with contextlib.ExitStack() as held, FileLock(folder / "door.lock") as door:
        for worker in all_of_them if request.node.get_closest_marker("alone") else [own]:
            held.enter_context(FileLock(folder / f"{worker}.lock"))
        door.release()
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Notebooks first, one by one, since they take longest; then the tests of a file together, on one worker."""

    def order(item) -> int:
        return 2 - bool(item.get_closest_marker("notebooks")) - bool(item.get_closest_marker("alone"))

    items.sort(key=order)
    for item in items:
        if order(item) == 2:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_configure(config):
    try:
        chosen()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_terminal_summary(terminalreporter):
    """The table of the notebooks that ran."""
    ran = [report.nodeid for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    if any("test_notebooks.py" in nodeid for nodeid in ran):
        terminalreporter.section("notebooks (build/notebook_report.json)")
        for row in runners.rows_of(runners.REPORT):
            if row["notebook"] in chosen():
                minutes = row["seconds"] / 60
                line = f"{row['notebook']:<28} {row['runner']:<10} {minutes:5.1f} min {row['peak_mb']:6} MB"
                terminalreporter.write_line(line)
