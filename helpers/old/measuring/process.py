"""How much memory this process really takes, as the operating system counts it, in bytes.

    before = resident_bytes()
    model = load()
    resident_bytes() - before, peak_bytes()              # what it took, and the most that was taken
    del model
    give_back_freed()                                    # before the next one is loaded

What it does not do: count the memory of a GPU, or of other processes.
"""

from __future__ import annotations

import ctypes
import gc
import sys


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


def _proc_status(key: str) -> int | None:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
