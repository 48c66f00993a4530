"""A server that speaks OpenAI's API: the course's own, started here, or the one that MODEL names.

address, model, key = served("course")      # on a free port; it ends with this process
address, model, key = served("qwen2.5:3b@http://localhost:11434/v1")
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request

from helpers.files.paths import ROOT
from helpers.models import ModelUnavailable, address_of, key_for

_started: dict[str, tuple[subprocess.Popen, str]] = {}  # by adapter, so that a cell may run twice


def served(model: str = "course", adapter: str = "tools") -> tuple[str, str, str]:
    """Address, name and key of a model. "course" is served here as `chat`, with an adapter under its own name."""
    direct = f"{os.environ.get('NO_PROXY', '')},127.0.0.1,localhost"  # to this machine without a proxy
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = direct.strip(",")
    if found := address_of(model):
        return found[1], found[0], key_for(found[1])
    if model != "course":
        raise ModelUnavailable(f'{model} is served nowhere: write MODEL = "course" or "name@address".')
    if adapter not in _started or _started[adapter][0].poll() is not None:
        _started[adapter] = _start(adapter)
    return _started[adapter][1], "chat", "none"


def _start(adapter: str, seconds: float = 180) -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    print("Starting the course's server …", flush=True)
    command = [sys.executable, "-m", "helpers.serving", "--port", port, "--adapter", adapter, "--stop-with-parent"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, **quiet)
    address, end = f"http://127.0.0.1:{port}/v1", time.monotonic() + seconds
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < end:
        try:
            direct.open(f"{address}/models", timeout=5).close()  # 503 while the model loads
            return process, address
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise ModelUnavailable(f"The course's server did not start: run `{' '.join(command[1:6])}` to see why.")
