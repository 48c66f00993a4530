"""Can this machine run the course? A table of checks, each with its cure, made to be pasted into a bug report.

    python -m helpers.environment          # or `make check-env`; exit status 1 if anything is [FAIL]
    report()                               # the same in a notebook

[OK] fine · [WARN] works, with a limit · [FAIL] something will not run. No user name, home folder or host is shown.
"""

from __future__ import annotations

import getpass
import html
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
OK, WARN, FAIL = "OK", "WARN", "FAIL"
MEMORY_GB, SPARE_GB = 2.0, 0.2  # what a notebook may take; room on the disk beside the models
INSTALL = "make lab  (or: pip install -e .[lab])"


class Check(NamedTuple):  # status: OK, WARN or FAIL; cure: empty where there is nothing to mend
    status: str
    what: str
    found: str
    cure: str = ""


class Report(tuple[Check, ...]):
    """The rows of `report()`; prints as a table, which a notebook folds where all is well."""

    @property
    def ok(self) -> bool:
        """Is no row FAIL?"""
        return all(row.status != FAIL for row in self)

    def __repr__(self) -> str:
        width = max(len(row.what) for row in self)
        lines = []
        for row in self:
            lines.append(f"{f'[{row.status}]':<7}{row.what:<{width}}  {row.found}")
            lines += [f"{'':<{width + 7}}  -> {row.cure}"] if row.cure else []
        counts = ", ".join(f"{sum(row.status == status for row in self)} {status}" for status in (OK, WARN, FAIL))
        verdict = "This machine can run the course" if self.ok else "Something is missing: see the [FAIL] rows"
        return "\n".join([*lines, f"{verdict} ({counts})."])

    def _repr_html_(self) -> str:
        fold, table = "" if all(row.status == OK for row in self) else " open", html.escape(repr(self))
        return f"<details{fold}><summary>{table.splitlines()[-1]}</summary><pre>{table}</pre></details>"


def report() -> Report:
    """Check this machine; takes a few seconds, most of them PyTorch's import. Never raises."""
    rows: list[Check] = []
    for checks in (_machine, _memory, _pytorch, _packages, _models, _folders):
        try:
            rows.extend(checks())
        except Exception as error:  # a report that crashes helps nobody: the crash is the finding
            found = f"could not be checked: {type(error).__name__}: {error}"
            rows.append(Check(WARN, checks.__name__.strip("_"), found, INSTALL))
    return Report(row._replace(found=private(row.found), cure=private(row.cure)) for row in rows)


def private(text: str) -> str:
    """`text` with paths as the course or ~ sees them, and without the names of the user and of the machine."""
    try:
        user = getpass.getuser()
    except Exception:  # no password database entry, as in some containers
        user = ""
    text = text.replace(str(ROOT) + os.sep, "")
    homes = [(home, "~") for home in (str(Path.home()), os.path.realpath(Path.home()))]
    for name, shown in (*homes, (platform.node(), "HOST")):
        if len(name) > 1 and name not in ("localhost", "linux"):
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", shown, text)
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?![\w.-])", "USER", text) if user else text


def _machine() -> Iterator[Check]:
    import helpers

    named = ", ".join(sorted(name for name in os.environ if name.startswith("HANDS_ON_")))
    yield Check(OK, "course", f"hands-on-llms {helpers.__version__}" + (f"; set: {named}" if named else ""))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    inside = "virtual environment" if sys.prefix != sys.base_prefix else "no virtual environment"
    cure = "" if good else "make lab PYTHON=python3.12  (any Python from 3.11 to 3.13)"
    yield Check(OK if good else FAIL, "Python", f"{platform.python_version()}, {inside}", cure)
    cores = f"CPU cores: {os.cpu_count()}"
    yield Check(OK, "platform", f"{platform.system()} {platform.release()} {platform.machine()}, {cores}")


def _memory() -> Iterator[Check]:
    import psutil

    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    limit, used = (_number(Path("/sys/fs/cgroup", name)) for name in ("memory.max", "memory.current"))
    if limit and used and limit < total:  # a container's limit
        total, available = limit, min(available, limit - used)
    good = available >= MEMORY_GB * 1e9
    cure = "" if good else f"close other programs: a notebook takes up to {MEMORY_GB:g} GB"
    yield Check(OK if good else WARN, "memory", f"{available / 1e9:.1f} GB available of {total / 1e9:.1f} GB", cure)


def _pytorch() -> Iterator[Check]:
    try:
        import torch
    except Exception as error:  # a broken CUDA or DLL shows as OSError
        return (yield Check(FAIL, "PyTorch", f"does not load: {error}", INSTALL))
    cuda, hip = torch.version.cuda, torch.version.hip
    build = f"CUDA {cuda}" if cuda else f"ROCm {hip}" if hip else "CPU"
    yield Check(OK, "PyTorch", f"{torch.__version__} ({build} build, {torch.get_num_threads()} threads)")
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        yield Check(OK, "GPU", f"{card.name}, {card.total_memory / 2**30:.1f} GiB")
    elif shutil.which("nvidia-smi"):
        cure = "install a CUDA build of PyTorch (pytorch.org) or update the driver; the course runs without"
        yield Check(WARN, "GPU", "an NVIDIA driver is installed, but PyTorch sees no CUDA device", cure)
    else:
        mps = torch.backends.mps.is_available()
        yield Check(OK, "GPU", "Apple GPU through MPS" if mps else "none; the course runs on the CPU")


def _packages() -> Iterator[Check]:
    """What pyproject.toml declares, or without it the installation's record: one row, and one for what is wrong."""
    from packaging.requirements import Requirement

    declared = [line for line in metadata.requires("hands-on-llms") or [] if "extra ==" not in line]
    if (ROOT / "pyproject.toml").is_file():
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        declared = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    fine: list[str] = []
    for wanted in map(Requirement, declared):
        version = next((found.version for found in metadata.distributions(name=wanted.name)), "")
        if version and wanted.specifier.contains(version, prereleases=True):
            fine.append(f"{wanted.name} {version}")
        else:
            found = f"{version or 'not installed'}, wanted {wanted.specifier}"
            yield Check(FAIL, wanted.name, found, f'pip install "{wanted.name}{wanted.specifier}"')
    yield Check(OK, "libraries", ", ".join(fine))
    from jupyter_client.kernelspec import KernelSpecManager

    kernels = ", ".join(sorted(KernelSpecManager().find_kernel_specs()))
    cure = "" if kernels else "python -m ipykernel install --user --name python3"
    yield Check(OK if kernels else FAIL, "Jupyter kernels", kernels or "none", cure)


def _models() -> Iterator[Check]:
    from helpers import models
    from helpers.fetching.cache import damage

    needed = 0.0
    for role, source in models.SOURCES.items():
        chosen, why = models.named_instead(role)
        problem = None if chosen else damage(source)
        needed += source.needed_bytes / 1e9 if problem else 0
        cure = "python -m helpers.models --fetch" if problem else ""
        found = f"named by {why}" if chosen else f"not ready: {problem}" if problem else f"{source.name}, in the cache"
        yield Check(WARN if problem else OK, f"{role} model", found, cure)
    free, wanted = shutil.disk_usage(_existing(models.cache_dir())).free / 1e9, needed + SPARE_GB
    cure = "" if free >= wanted else f"free {wanted:.1f} GB, or set HANDS_ON_CACHE to a folder on another disk"
    yield Check((FAIL if needed else WARN) if cure else OK, "disk", f"{free:.1f} GB free at the cache", cure)


def _folders() -> Iterator[Check]:
    from helpers.exercises import progress_file
    from helpers.models import cache_dir

    progress = progress_file.path().parent
    for what, folder in (("cache", cache_dir()), ("progress", progress)):
        try:
            with tempfile.TemporaryFile(dir=_existing(folder)):  # permission bits do not tell about read-only disks
                yield Check(OK, what, f"{folder} is writable")
        except OSError as error:
            cure = f"set HANDS_ON_{what.upper()} to a place that you may write to"
            yield Check(WARN, what, f"{folder} cannot be written: {error.strerror or error}", cure)


def _existing(folder: str | os.PathLike) -> Path:
    """The nearest folder that exists, `folder` itself or one above it."""
    folder = Path(folder).absolute()
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path(folder.anchor))


def _number(path: Path) -> int | None:
    return int(path.read_text()) if path.is_file() and path.read_text().strip().isdigit() else None


if __name__ == "__main__":
    print(found := report())
    sys.exit(not found.ok)
