"""Files that are there whole or not at all, whatever happens while they are written; and the course's own, read.

    write_safetensors("step-200/model.safetensors", tensors)
    write_together("adapter", {"weights.safetensors": safetensors_writer(tensors), "config.json": json_writer(config)})
    questions = read_jsonl(DATA / "velunda" / "questions.jsonl")

A file is written beside its place, forced to the disk and renamed: the last step either happens or does not, on every
system. So what stood there before survives a full disk, a crash and kill −9. Several files that belong together are
replaced so that a folder is never taken for whole while one of them is the old one.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.files.paths import ROOT

if TYPE_CHECKING:  # importing torch takes seconds, which who only writes JSON should not wait for
    from torch import Tensor

DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
# pip and safetensors report a full disk in words only (the last two are Linux's and Windows' numbers)
FULL_DISK_WORDS = ("No space left on device", "not enough space on the disk", "os error 28", "os error 112")
UNFINISHED = ".tmp"


class DataUnavailable(RuntimeError):
    """A file of data is missing, damaged or not what it should be; the message says which, and what to do."""


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


def set_aside(path: str | os.PathLike) -> Path:
    """Rename a damaged file to the first free of `NAME.corrupt-1.json`, `-2` …, beside it; returns its new path."""
    path, number = Path(path), 1
    while (aside := path.with_name(f"{path.stem}.corrupt-{number}{path.suffix}")).exists():
        number += 1
    os.replace(path, aside)
    return aside


def write_together(folder: str | os.PathLike, writers: Mapping[str, Callable[[Path], None]]) -> None:
    """Write files that belong together into `folder`, made if need be: `writers` by name, the one last without which
    nobody takes the folder for whole.

    All are written beside their places. Then the old file of the last name is deleted, and the new ones are moved in,
    that one at the end: a process that is killed leaves the old files, the new ones, or a folder without the last one.
    Raises OSError, in one sentence, where the disk is full; then, and wherever nothing could be moved, the old files
    are intact.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    moves = {folder / name: folder / f".{name}-{os.getpid()}{UNFINISHED}" for name in writers}
    last, moved = list(moves)[-1], 0
    old = last.read_bytes() if last.is_file() else None
    try:
        for path, temporary in moves.items():
            writers[path.name](temporary)
            _force_to_disk(temporary)
        last.unlink(missing_ok=True)
        for path, temporary in moves.items():
            os.replace(temporary, path)
            moved += 1
    except BaseException as error:
        for temporary in moves.values():
            temporary.unlink(missing_ok=True)
        if old is not None and not moved:
            last.write_bytes(old)
        if is_disk_full(error):
            raise disk_full(path) from error
        raise


def write_safetensors(
    path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Tensors by name, and strings by name as the header, into one safetensors file; tensors of any device.

    Raises OSError as `write_atomically` does.
    """
    write_atomically(path, safetensors_writer(tensors, metadata))


def safetensors_writer(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> Callable[[Path], None]:
    """What writes the tensors, and strings as the header, to the path that it is given."""
    from safetensors.torch import save_file

    # a copy of each, since the format refuses tensors that share memory
    tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    return lambda path: save_file(tensors, path, metadata=dict(metadata or {}))


def json_writer(content: Any) -> Callable[[Path], None]:
    """What writes the content as JSON to the path that it is given."""
    return lambda path: _write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


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


def shown(path: str | os.PathLike) -> str:
    """The path as it is from the repository's root, where it lies in it; else the file's name."""
    path = Path(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def unavailable(path: str | os.PathLike, damaged: bool = False) -> DataUnavailable:
    """The error for a file that cannot be read, or whose content is damaged; for one of the course's, with the cure."""
    what, cure = ("is damaged", "restore") if damaged else ("cannot be read", "get")
    return DataUnavailable(f"{shown(path)} {what}{f': {cure} it with {_checkout(path)}' if _is_ours(path) else ''}.")


def read_text(path: str | os.PathLike) -> str:
    """The text of a UTF-8 file. Raises DataUnavailable where it is missing or damaged."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise unavailable(path) from error
    except UnicodeDecodeError as error:
        raise unavailable(path, damaged=True) from error


def read_json(path: str | os.PathLike) -> Any:
    """What a UTF-8 file of JSON holds. Raises DataUnavailable where it is missing or damaged."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unavailable(path, damaged=True) from error


def read_jsonl(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The objects in a file of one JSON object a line. Raises as `numbered_lines` does."""
    return [found for _, found in numbered_lines(path)]


def numbered_lines(path: str | os.PathLike) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers from 1 and the objects in a UTF-8 file of one JSON object a line; empty lines are passed over.

    Raises DataUnavailable for a file that is missing or holds no object, and for the first line that is broken, with
    its number.
    """
    path, empty = Path(path), True
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise unavailable(path) from error
    cure = f"restore the file with {_checkout(path)}" if _is_ours(path) else "repair or remove it"
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            found = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise DataUnavailable(f"{where} is not UTF-8: {cure}.") from None
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", "too deeply nested")
            raise DataUnavailable(f"{where} is broken JSON ({why}): {cure}.") from None
        if not isinstance(found, dict):
            raise DataUnavailable(f"{where} is no JSON object but a {type(found).__name__}: {cure}.")
        empty = False
        yield number, found
    if empty:
        raise DataUnavailable(f"{path.name} holds no JSON object: {cure.replace('the file', 'it')}.")


def _is_ours(path: str | os.PathLike) -> bool:
    return Path(path).is_relative_to(ROOT)


def _checkout(path: str | os.PathLike) -> str:
    return f"`git checkout -- {shown(path)}`"
