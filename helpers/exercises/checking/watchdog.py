"""Run code that may never end, come back, and leave the process as it was: random state, default dtype, threads …

The code runs in a worker thread. When its time is up, an exception is raised inside that thread; this works on every
platform, Windows included, where signals and alarms do not. A thread that waits inside a library call cannot be reached
this way: it is left behind as a daemon and the caller is told so.

A function that changes a setting would make later cells of the notebook behave differently, far from the cause.
Some settings belong to the thread that sets them, so they are read inside the check's thread. torch is asked only where
something has imported it.
"""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import ctypes
import io
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GRACE_SECONDS = 1.0  # how long we keep asking a thread to end before we leave it behind
KEEP_CHARACTERS = 4000
SETTINGS = {  # what completes "it changes ": the module, what reads the setting, what puts it back
    "torch's default dtype": ("torch", "get_default_dtype", "set_default_dtype"),
    "torch's default device": ("torch", "get_default_device", "set_default_device"),
    "whether torch records gradients": ("torch", "is_grad_enabled", "set_grad_enabled"),
    "torch's precision of float32 products": ("torch", "get_float32_matmul_precision", "set_float32_matmul_precision"),
    "torch's number of threads": ("torch", "get_num_threads", "set_num_threads"),
    "the working directory": ("os", "getcwd", "chdir"),
}


@dataclass
class Watched:
    """How a run ended: "finished", "stopped" (time was up), "abandoned" (could not be stopped) or "interrupted"."""

    state: str
    error: BaseException | None = None
    frames: list[tuple[str, int, str]] = field(default_factory=list)  # (file, line, function), outermost first


def limit_seconds(default: float = 5.0) -> float:
    """Seconds that a check may take: `HANDS_ON_CHECK_SECONDS`, else `default`."""
    return float(os.environ.get("HANDS_ON_CHECK_SECONDS") or default)


def watch(body: Callable[[threading.Event], object], seconds: float) -> Watched:
    """Call `body(out_of_time)` in a worker thread for at most `seconds`; never raises what `body` raises.

    `out_of_time` is set before the thread is asked to end, so that a body that catches everything knows to leave.
    """
    caught: list[BaseException] = []
    out_of_time = threading.Event()

    def work() -> None:
        try:
            body(out_of_time)
        except BaseException as error:
            caught.append(error)

    # The copied context carries the notebook's "current cell", so that output of the thread lands under it.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True, name="exercise-check")
    thread.start()
    deadline, reason = time.monotonic() + seconds, "stopped"
    try:
        while thread.is_alive() and (left := deadline - time.monotonic()) > 0:
            thread.join(min(0.05, left))  # short joins keep Windows interruptible
    except KeyboardInterrupt:
        reason = "interrupted"
    if not thread.is_alive():
        return Watched("finished", error=next(iter(caught), None))
    steps = list(traceback.walk_stack(sys._current_frames().get(thread.ident or 0)))[::-1]
    frames = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in steps]
    out_of_time.set()
    stopped = _stop(thread)
    return Watched(reason if reason != "stopped" or stopped else "abandoned", frames=frames)


def _stop(thread: threading.Thread) -> bool:
    """Raise SystemExit inside the thread until it ends; False where it does not.

    SystemExit, because a thread that dies of it is silent; again and again, because `except:` may swallow the first.
    The first gets time to unwind: a second one would hit the worker's own handler, while large lists are being freed.
    """
    deadline, pause = time.monotonic() + GRACE_SECONDS, 0.2
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        thread.join(pause)
        pause = 0.002
    return not thread.is_alive()


class FirstCharacters(io.TextIOBase):
    """A text sink that remembers only the beginning, so that an endless `print` cannot fill the memory."""

    kept = ""

    def write(self, text: str) -> int:
        self.kept += text[: max(0, KEEP_CHARACTERS - len(self.kept))]
        return len(text)


@contextlib.contextmanager
def captured_output() -> Iterator[FirstCharacters]:
    """Collect what is printed inside the block, drop warnings, and refuse `input()`, which would wait forever."""
    out = FirstCharacters()
    before = builtins.input, sys.stdout, sys.stderr

    def no_input(prompt: object = "") -> str:
        raise RuntimeError("input() waits for a person, and the check is none: use the function's arguments instead")

    builtins.input, sys.stdout, sys.stderr = no_input, out, FirstCharacters()
    try:
        yield out
    finally:
        builtins.input, sys.stdout, sys.stderr = before


def snapshot() -> dict[str, Any]:
    """The settings by name, as this thread sees them now."""
    loaded = {name: entry for name, entry in SETTINGS.items() if entry[0] in sys.modules}
    return {name: getattr(sys.modules[module], read)() for name, (module, read, _) in loaded.items()}


def changes(before: dict[str, Any]) -> dict[str, str]:
    """A sentence for each setting that differs now, by the setting's name."""
    now = snapshot()
    end = "which every later cell would feel; the check has put it back."
    differ = {name: old for name, old in before.items() if now[name] != old}
    return {name: f"It changes {name} from {old} to {now[name]}, {end}" for name, old in differ.items()}


def restore(before: dict[str, Any], changed: Iterable[str]) -> None:
    """Put back the settings called `changed`, also those that only another thread sees changed."""
    for name in changed:
        module, _, write = SETTINGS[name]
        getattr(sys.modules[module], write)(before[name])


@contextlib.contextmanager
def preserved_randomness() -> Iterator[None]:
    """Save the random state of Python, numpy and torch, and put it back at the end."""
    torch = sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch_state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch's CPU generator; the GPU's is left as it is."""
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)
