"""The most memory that this process has really taken, as the operating system counts it, in bytes; no GPU's."""

from __future__ import annotations

import sys


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
