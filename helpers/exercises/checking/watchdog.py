"""Run code that may never end, and come back.

The code runs in a worker thread. When its time is up, an exception is raised inside that thread; this works on every
platform, Windows included, where signals and alarms do not. A thread that waits inside a library call cannot be reached
this way: it is left behind as a daemon and the caller is told so.
"""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import ctypes
import io
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

GRACE_SECONDS = 1.0  # how long we keep asking a thread to end before we leave it behind
KEEP_CHARACTERS = 4000


@dataclass
class Watched:
    """How a run ended: "finished", "stopped" (time was up), "abandoned" (could not be stopped) or "interrupted"."""

    state: str
    error: BaseException | None = None
    frames: list[tuple[str, int, str]] = field(default_factory=list)  # (file, line, function), outermost first


def limit_seconds(default: float = 5.0) -> float:
    """Seconds that a check may take: `HANDS_ON_CHECK_SECONDS` where it is a positive number, else `default`."""
    try:
        seconds = float(os.environ.get("HANDS_ON_CHECK_SECONDS", ""))
    except ValueError:
        return default
    return seconds if 0 < seconds < float("inf") else default


def watch(body: Callable[[threading.Event], object], seconds: float) -> Watched:
    """Call `body(out_of_time)` in a worker thread for at most `seconds`; never raises what `body` raises.

    `out_of_time` is set before the thread is asked to end, so that a body that catches everything knows to leave.
    """
    caught: list[BaseException] = []
    out_of_time = threading.Event()

    def work() -> None:
        try:
            body(out_of_time)
        except BaseException as error:  # also SystemExit and KeyboardInterrupt: the learner's code may raise anything
            if not out_of_time.is_set():
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
        return Watched("finished", error=caught[0] if caught else None)
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
    """A text sink that remembers only the beginning, so that an endless `print` cannot fill the memory.

    A thread that was left behind may put it back as `sys.stdout` later: from then on it hands everything to `after`.
    """

    kept = ""
    after: TextIO | None = None

    def write(self, text: str) -> int:
        if self.after is not None:
            return self.after.write(text)
        self.kept += text[: max(0, KEEP_CHARACTERS - len(self.kept))]
        return len(text)


@contextlib.contextmanager
def captured_output() -> Iterator[FirstCharacters]:
    """Collect what is printed inside the block, drop warnings, and refuse `input()`, which would wait forever."""
    out, err = FirstCharacters(), FirstCharacters()
    before = builtins.input, sys.stdout, sys.stderr

    def no_input(prompt: object = "") -> str:
        raise RuntimeError("input() waits for a person, and the check is none: use the function's arguments instead")

    builtins.input, sys.stdout, sys.stderr = no_input, out, err
    try:
        yield out
    finally:
        builtins.input, sys.stdout, sys.stderr = before
        out.after, err.after = before[1:]
