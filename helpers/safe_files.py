"""Files that are there whole or not at all, whatever happens while they are written.

    write_safetensors("step-200/model.safetensors", tensors)

A file is written beside its place, forced to the disk and renamed: the last step either happens or does not, on every
system. So what stood there before survives a full disk, a crash and kill −9.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing torch takes seconds, which who only writes JSON should not wait for
    from torch import Tensor

DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
# pip and safetensors report a full disk in words only (the last two are Linux's and Windows' numbers)
FULL_DISK_WORDS = ("No space left on device", "not enough space on the disk", "os error 28", "os error 112")
UNFINISHED = ".tmp"


def write_atomically(path: str | os.PathLike, write: Callable[[Path], None]) -> None:
    """Let `write(temporary)` write a file beside `path`, then move it into place, replacing what was there.

    Raises OSError, in one sentence, where the disk is full; then the temporary file is gone and the old one intact.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist: make it before you save {path.name}.")
    temporary = path.with_name(f".{path.name}-{os.getpid()}{UNFINISHED}")
    try:
        write(temporary)
        _force_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if is_disk_full(error):
            raise disk_full(path) from error
        raise


def sweep_unfinished(path: str | os.PathLike) -> None:
    """Delete what a process that was killed while it wrote `path` has left beside it."""
    path = Path(path)
    for leftover in path.parent.glob(f".{path.name}-*{UNFINISHED}"):
        leftover.unlink(missing_ok=True)


def write_safetensors(
    path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Tensors by name, and strings by name as the header, into one safetensors file; tensors of any device.

    Raises OSError as `write_atomically` does.
    """
    from safetensors.torch import save_file

    # a copy of each, since the format refuses tensors that share memory
    tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata=dict(metadata or {})))


def is_disk_full(error: BaseException) -> bool:
    """True for what Python or safetensors raises on a disk without room."""
    if getattr(error, "errno", None) in DISK_IS_FULL:
        return True
    from safetensors import SafetensorError  # here, since who fetches the first model should not need it

    return isinstance(error, SafetensorError | OSError) and any(words in str(error) for words in FULL_DISK_WORDS)


def disk_full(path: Path) -> OSError:
    """The sentence for it."""
    return OSError(
        errno.ENOSPC,
        f"The disk is too full for {path.name}, and what stood there before is intact: free some space",
        str(path),
    )


def _force_to_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
