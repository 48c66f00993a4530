"""How much memory this process really takes, as the operating system counts it, in bytes.

    before = resident_bytes()
    model = load()
    resident_bytes() - before, peak_bytes()              # what it took, and the most that was taken
    del model
    give_back_freed()                                    # before the next one is loaded
    with watch_peak() as peak:
        train_a_step()
    peak.above_start                                     # the most that this took on top of what was there

What it does not do: count the memory of a GPU, or of other processes.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def resident_bytes() -> int:
    """Physical memory that this process holds now (Linux VmRSS; psutil elsewhere)."""
    value = _proc_status("VmRSS")
    if value is None:
        import psutil

        value = psutil.Process().memory_info().rss
    return value


def give_back_freed() -> None:
    """Return freed memory to the operating system, where Python or the C library would keep it for later.

    A model that was deleted may lie in blocks that glibc holds on to, and then the next one comes on top of it. Does
    what Python's collector does alone where there is no glibc.
    """
    gc.collect()
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):  # another C library, such as musl
            pass


def peak_bytes() -> int:
    """The most physical memory that this process has held, since its start.

    Linux VmHWM (`ru_maxrss` would survive exec and so count the parent's), Windows peak_wset, macOS ru_maxrss.
    """
    value = _proc_status("VmHWM")
    if value is not None:
        return value
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class Peak:
    """The memory of this process while it is watched, bytes: at the start, and the most so far."""

    def __init__(self) -> None:
        self.start = self.most = resident_bytes()

    @property
    def above_start(self) -> int:
        """The most that was held on top of what was there at the start."""
        return self.most - self.start

    def look(self) -> None:
        """Take note of what is held now."""
        self.most = max(self.most, resident_bytes())


@contextmanager
def watch_peak() -> Iterator[Peak]:
    """Inside the `with`, look at this process's memory every few milliseconds, from a thread of its own.

    `peak_bytes` knows only the most since the start of the process. What lives for less than two milliseconds may be
    missed. On Linux, large tensors that are freed are given back at once, so that what is seen is what is in use.
    """
    _give_back_at_once()
    give_back_freed()
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        peak.look()
        done.set()
        thread.join()


def _give_back_at_once() -> None:
    """glibc raises the size from which blocks are given back as soon as one was freed: fix it at 128 KiB."""
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL("libc.so.6").mallopt(-3, 128 * 1024)  # M_MMAP_THRESHOLD
        except (OSError, AttributeError):
            pass


def _proc_status(key: str) -> int | None:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
