"""A server in a process of its own, started and stopped from a notebook.

    server = start_server(adapters=("tickets",), bits=4)         # waits until it is ready
    client = OpenAI(base_url=server.base_url, api_key="none")
    server.metrics()["llm_tokens_total{kind=completion}"]
    server.stop()

The server ends with the process that started it, however that ends: it reads its stdin, which the operating system
closes even after `kill -9`, and looks whether its parent is still the same. What it logs goes to a file in build/.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import weakref
from pathlib import Path
from typing import Any

from helpers.files.paths import ROOT
from helpers.old.serving.settings import Settings, as_arguments

LOGS = ROOT / "build" / "serving"
KEPT_LOGS = 20


class ServerFailed(RuntimeError):
    """The server did not start; the message is one sentence that says why."""


class ServerProcess:
    """A running server. url: its address; base_url: what OpenAI's client takes; log: the file of its log lines."""

    def __init__(self, process: subprocess.Popen, log: Path, settings: Settings) -> None:
        self.process, self.log, self.settings = process, log, settings
        self.url = ""
        self._end = weakref.finalize(self, _stop, process, settings.drain_seconds)  # also when Python exits

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        """Let running replies finish, then end; the exit status, 0 if all went well. May be called twice."""
        self._end()
        return self.process.returncode

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def get(self, path: str, timeout: float = 10.0) -> str:
        """What the server answers at an address such as "/metrics"."""
        with _DIRECT.open(self.url + path, timeout=timeout) as answer:
            return answer.read().decode()

    def metrics(self) -> dict[str, float]:
        """The server's figures by name, with labels as in `llm_pages{state=free}`; histograms' buckets are left out."""
        from prometheus_client.parser import text_string_to_metric_families

        found = {}
        for family in text_string_to_metric_families(self.get("/metrics")):
            for name, labels, value, *_ in family.samples:
                if not name.endswith("_bucket"):
                    told = ",".join(f"{label}={text}" for label, text in sorted(labels.items()))
                    found[f"{name}{{{told}}}" if told else name] = value
        return found

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """The log so far, a dict per line. event: only those, as in "request"."""
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a library's own words
            if isinstance(entry, dict) and (event is None or entry.get("event") == event):
                found.append(entry)
        return found

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else f"ended with status {self.process.returncode}"
        return f"<server at {self.url}, process {self.pid}, {state}>"


def start_server(
    settings: Settings | None = None, *, seconds: float = 300.0, module: str = "helpers.old.serving", **options: Any
) -> ServerProcess:
    """Start a server and wait until it is ready, at most `seconds`.

    settings, or options: the fields of `Settings`; the port is a free one where none is given. module: what to run,
    where it is something around the course's own server. The interpreter and the environment are those of this process.
    Raises ServerFailed, and ValueError for settings that make no sense.
    """
    if settings is not None and options:
        raise ValueError("Give the settings, or options, not both.")
    settings = settings or Settings(**{"port": 0} | options)
    command = [sys.executable, "-m", module, *as_arguments(settings), "--stop-with-parent"]
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    log = _new_log()
    with open(log, "wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=environment, **_own_group()
        )
    server = ServerProcess(process, log, settings)
    too_long = threading.Timer(seconds, process.kill)
    too_long.start()
    try:
        first = process.stdout.readline()  # empty if it has ended
        too_long.cancel()
        if not first:
            process.wait()
            raise ServerFailed(f"The server did not start: {_why(log)}")
        server.url = json.loads(first)["listening"].replace("//0.0.0.0", "//127.0.0.1")
        _wait(server, time.monotonic() + seconds, seconds)
    except BaseException:
        too_long.cancel()
        process.kill()
        server.stop()
        raise
    return server


def _wait(server: ServerProcess, ends: float, seconds: float) -> None:
    while True:
        try:
            server.get("/ready", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            pass
        if not server.running:
            raise ServerFailed(f"The server did not start: {_why(server.log)}")
        if time.monotonic() > ends:
            raise ServerFailed(f"The server was not ready within {seconds:g} seconds: see {server.log}.")
        time.sleep(0.05)


def _why(log: Path) -> str:
    """The last line that the server wrote and that is no entry of the log: its one sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = [line for line in lines if line.strip() and not line.startswith("{")]
    return said[-1] if said else f"see {log}."


def _new_log() -> Path:
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in sorted(LOGS.glob("*.log"))[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)
    return LOGS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10**6:06d}.log"


def _own_group() -> dict[str, Any]:
    """Ctrl+C in a notebook interrupts the kernel's cell and must not stop the server."""
    if os.name == "posix":
        return {"start_new_session": True}
    return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def _stop(process: subprocess.Popen, drain_seconds: float) -> None:
    """Closing its stdin asks the server to stop, on every system; then with less and less patience."""
    for stream in (process.stdin, process.stdout):
        try:
            stream.close()
        except OSError:
            pass  # it has ended already
    for insist, patience in ((None, drain_seconds + 10), (process.terminate, 5), (process.kill, 5)):
        if insist is not None:
            insist()
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # to this machine, whatever proxies are set
