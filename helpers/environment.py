"""Can this machine run the course? A table of checks, each with its cure, made to be pasted into a bug report.

    python -m helpers.environment          # or `make check-env`; exit status 1 if anything is [FAIL]
    report()                               # the same in a notebook

[OK] fine · [WARN] works, with a limit that you should know · [FAIL] something in the course will not run.

Nothing here raises, whatever is missing: each check that breaks becomes a row that says so. No user name, home folder
or host name is shown: paths start with ~. What it does not do: change anything, go online, or import the heavy packages
(their versions come from the installation's records; only PyTorch is imported, to ask it about the GPU).
"""

from __future__ import annotations

import getpass
import html
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OK, WARN, FAIL = "OK", "WARN", "FAIL"
GB = 10**9
MEMORY_GB, SPARE_BYTES = 2.0, 200_000_000  # what a notebook may take; room on the disk beside the models
# Distributions whose import name is not theirs with "_" for "-".
MODULES = {
    "faiss-cpu": "faiss",
    "import-linter": "importlinter",
    "ipython": "IPython",
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
PURPOSES = {  # what each library does in this course
    "beautifulsoup4": "reads web pages",
    "bitsandbytes": "8- and 4-bit weights",
    "bm25s": "search among words",
    "datasets": "training and test data",
    "evaluate": "metrics",
    "faiss-cpu": "search among vectors",
    "fastapi": "the server: addresses and bodies",
    "filelock": "two kernels, one fetch",
    "gguf": "reads the chat model's file",
    "httpx2": "requests over HTTP, real or scripted",
    "ipython": "runs and draws cells",
    "ipywidgets": "sliders and the quiz",
    "jinja2": "fills in prompts",
    "lazy-loader": "loads a room's parts when they are used",
    "limits": "requests and tokens per key",
    "markdown-it-py": "reads Markdown",
    "matplotlib": "figures",
    "nltk": "METEOR, a metric of translations",
    "numpy": "arrays",
    "onnxruntime": "runs the reranker",
    "openai": "talks to hosted models and to your own server",
    "packaging": "compares versions",
    "peft": "LoRA and other adapters",
    "platformdirs": "where the cache belongs on each system",
    "prometheus-client": "counters that a monitor reads",
    "psutil": "memory, beside Linux",
    "pydantic": "describes and checks JSON objects",
    "pygments": "colors source code",
    "pypdf": "reads PDF files",
    "pyyaml": "reads what a prompt says of itself",
    "regex": "cuts text into words",
    "rouge-score": "the reference for your ROUGE",
    "sacrebleu": "BLEU and chrF, metrics of translations",
    "safetensors": "weights on disk",
    "scikit-learn": "TF-IDF and logistic regression, the cheap baselines",
    "scipy": "Student's t, for intervals of few runs",
    "sentence-transformers": "the embedder",
    "sentencepiece": "the reference for your Unigram",
    "tokenizers": "the reference for your tokenizers",
    "tqdm": "progress bars",
    "transformers": "the reference your code must equal",
    "trl": "fine-tuning, the reference for your loop",
    "uvicorn": "runs the server",
    "jupyterlab": "where you read this",
}
INSTALL = "make lab  (or: pip install -e .[lab])"


@dataclass(frozen=True)
class Check:
    """One row: `status` is OK, WARN or FAIL; `cure` is empty when there is nothing to mend."""

    status: str
    what: str
    found: str
    cure: str = ""


@dataclass(frozen=True)
class Report:
    """The rows of `report()`; prints as a table, and in a notebook is shown as one."""

    rows: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Is no row FAIL?"""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(row for row in self.rows if row.status == FAIL)

    @property
    def summary(self) -> str:
        counts = {status: sum(row.status == status for row in self.rows) for status in (OK, WARN, FAIL)}
        verdict = "This machine can run the course" if self.ok else "Something is missing: see the [FAIL] rows"
        return f"{verdict} ({counts[OK]} OK, {counts[WARN]} WARN, {counts[FAIL]} FAIL)."

    def __str__(self) -> str:
        width = max((len(row.what) for row in self.rows), default=0)
        lines = []
        for row, after in zip(self.rows, [*self.rows[1:], None], strict=False):
            lines.append(f"{f'[{row.status}]':<7}{row.what:<{width}}  {row.found}")
            if row.cure and (after is None or after.cure != row.cure):  # once under rows that it mends together
                lines.append(f"{'':<7}{'':<{width}}  -> {row.cure}")
        return "\n".join([*lines, self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        # White on these three has a contrast above 4.5, and a filled badge needs no particular theme around it.
        color = {OK: "#1a7348", WARN: "#8a5a00", FAIL: "#b3261e"}
        body = []
        for row in self.rows:
            badge = (
                f'<span style="background:{color[row.status]};color:#ffffff;border-radius:4px;padding:1px 7px;'
                f'font-weight:bold;font-size:11px">{row.status}</span>'
            )
            cure = f"<br>→ <code>{html.escape(row.cure)}</code>" if row.cure else ""
            cells = f"<td>{badge}</td><td>{html.escape(row.what)}</td><td>{html.escape(row.found)}{cure}</td>"
            body.append(f'<tr style="text-align:left">{cells}</tr>'.replace("<td>", '<td style="text-align:left">'))
        table = f"<table><tbody>{''.join(body)}</tbody></table>"
        fold = "" if all(row.status == OK for row in self.rows) else " open"
        return f"<details{fold}><summary>{html.escape(self.summary)}</summary>{table}</details>"


def report() -> Report:
    """Check this machine; takes a few seconds, most of them PyTorch's import. Never raises."""
    groups: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("course", _course),
        ("Python", _python),
        ("machine", _machine),
        ("memory", _memory),
        ("PyTorch", _pytorch),
        ("packages", _packages),
        ("Jupyter kernel", _kernel),
        ("git", _git),
        ("models", _models),
        ("progress", _progress),
    ]
    rows: list[Check] = []
    for what, checks in groups:
        try:
            rows.extend(checks())
        except Exception as error:  # a report that crashes helps nobody: the crash is the finding
            rows.append(Check(WARN, what, f"could not be checked: {type(error).__name__}: {error}"))
    return Report(tuple(Check(row.status, row.what, private(row.found), private(row.cure)) for row in rows))


def private(text: str) -> str:
    """`text` with paths as the course or ~ sees them, and without the names of the user and of the machine."""
    text = text.replace(str(ROOT) + os.sep, "")
    named = {tempfile.gettempdir(): ("TEMP", r"(?=[/\\])")}
    named |= {home: ("~", r"(?=$|[\W_])") for home in (str(Path.home()), os.path.realpath(Path.home()))}
    for folder in sorted(named, key=len, reverse=True):  # either may lie in the other
        name, behind = named[folder]
        if len(folder) > 1:
            text = re.sub(re.escape(folder) + behind, name, text)
    try:
        user = getpass.getuser()
    except Exception:  # no password database entry, as in some containers
        user = ""
    if user:
        text = re.sub(rf"(?<=[/\\]){re.escape(user)}(?=$|[/\\\s'\"])", "USER", text)
    host = platform.node()
    if host and host not in ("localhost", "linux"):
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", "HOST", text)
    return text


def _course() -> Iterator[Check]:
    import helpers

    named = sorted(name for name in os.environ if name.startswith("HANDS_ON_"))
    yield Check(OK, "course", f"hands-on-llms {helpers.__version__}" + (f"; set: {', '.join(named)}" if named else ""))


def _python() -> Iterator[Check]:
    version = platform.python_version()
    wanted = _project().get("requires-python", ">=3.11,<3.14")
    good = _within(version, wanted)
    cure = "" if good else "make lab PYTHON=python3.12  (any Python from 3.11 to 3.13)"
    inside = "virtual environment" if sys.prefix != sys.base_prefix else "no virtual environment"
    yield Check(OK if good else FAIL, "Python", f"{version} ({platform.python_implementation()}, {inside})", cure)


def _machine() -> Iterator[Check]:
    release = platform.mac_ver()[0] or (platform.release() if sys.platform == "win32" else "")
    yield Check(OK, "platform", " ".join(filter(None, (platform.system(), release, platform.machine()))))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cure = "" if cores > 1 else "one core works; expect twice the minutes that notebooks name"
    yield Check(OK if cores > 1 else WARN, "CPU cores", str(cores), cure)


def _memory() -> Iterator[Check]:
    import psutil

    from helpers.old.measuring import process

    memory = psutil.virtual_memory()
    total, available, limit = memory.total, memory.available, process.container_limit()
    if limit and limit < total:
        total, available = limit, min(available, limit - process.container_use())
    found = f"{available / GB:.1f} GB available of {total / GB:.1f} GB"
    if available >= MEMORY_GB * GB:
        yield Check(OK, "memory", found)
    else:
        yield Check(WARN, "memory", found, f"close other programs: a notebook takes up to {MEMORY_GB:g} GB")


def _pytorch() -> Iterator[Check]:
    try:
        import torch
    except ImportError as error:
        yield Check(FAIL, "PyTorch", f"not importable: {_first_line(error)}", INSTALL)
        return
    except Exception as error:  # a broken CUDA or DLL shows as OSError
        yield Check(FAIL, "PyTorch", f"does not load: {type(error).__name__}: {_first_line(error)}",
                    "pip install --force-reinstall torch")  # fmt: skip
        return
    seen, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    build = "MPS" if mps else "CPU"
    if torch.version.cuda or torch.version.hip:
        build = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
    found = f"{torch.__version__} ({build} build, {torch.get_num_threads()} threads)"
    wanted = next((_split(line)[1] for line in _project().get("dependencies", []) if _split(line)[0] == "torch"), "")
    if _within(str(torch.__version__).split("+")[0], wanted):
        yield Check(OK, "PyTorch", found)
    else:
        yield Check(FAIL, "PyTorch", f"{found}, wanted {wanted}", f'pip install "torch{wanted}"')
    if seen:
        properties = torch.cuda.get_device_properties(0)
        yield Check(OK, "GPU", f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB")
    elif mps:
        yield Check(OK, "GPU", "Apple GPU through MPS")
    elif shutil.which("nvidia-smi"):
        cure = "install a CUDA build of PyTorch (pytorch.org) or update the driver; SCALE = 'laptop' needs neither"
        yield Check(WARN, "GPU", "an NVIDIA driver is installed, but PyTorch sees no CUDA device", cure)
    else:
        yield Check(OK, "GPU", "none; the course runs on the CPU")


def _packages() -> Iterator[Check]:
    project = _project()
    required = project.get("dependencies", [])
    extras = project.get("optional-dependencies", {})
    if not required:
        yield Check(WARN, "packages", "the list of dependencies was not found", "run it from a clone of the course")
    for requirement in required:
        if _split(requirement)[0] != "torch":  # has its own row
            yield _package(requirement, FAIL, INSTALL)
    for requirement in extras.get("lab", []):
        yield _package(requirement, WARN, "pip install -e .[lab]  (not needed in Colab or another notebook editor)")
    tools = [_package(requirement, WARN, "") for requirement in extras.get("test", [])]
    lacking = [check.what for check in tools if check.status != OK]
    if lacking:
        found = "not usable: " + ", ".join(lacking)
        yield Check(WARN, "test tools", found, "pip install -e .[test]  (only for `make test`)")
    elif tools:
        yield Check(OK, "test tools", ", ".join(f"{check.what} {check.found.split()[0]}" for check in tools))


def _package(requirement: str, missing: str, cure: str) -> Check:
    name, wanted = _split(requirement)
    module = MODULES.get(name, name.replace("-", "_"))
    try:
        importable = importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        importable = False
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = ""
    if not importable:
        return Check(missing, name, "recorded as installed, but not importable" if version else "not installed", cure)
    if not version:  # conda names some packages differently
        return Check(WARN, name, f"importable, version unknown (wanted {wanted})")
    if not _within(version, wanted):
        return Check(missing, name, f"{version}, wanted {wanted}", f'pip install "{name}{wanted}"')
    return Check(OK, name, f"{version} · {PURPOSES[name]}" if name in PURPOSES else version)


def _split(requirement: str) -> tuple[str, str]:
    """("torch", ">=2.6,<3") of "torch>=2.6,<3"; extras and markers are dropped."""
    found = re.match(r"([\w.-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)", requirement)
    return (found[1].lower(), found[2].strip()) if found else ("", "")


def _kernel() -> Iterator[Check]:
    from jupyter_client.kernelspec import KernelSpecManager

    kernels = sorted(KernelSpecManager().find_kernel_specs())
    if kernels:
        yield Check(OK, "Jupyter kernels", ", ".join(kernels))
    else:
        yield Check(FAIL, "Jupyter kernels", "none", "python -m ipykernel install --user --name python3")


def _git() -> Iterator[Check]:
    if shutil.which("git"):
        yield Check(OK, "git", "found")
    else:
        yield Check(WARN, "git", "not found", "needed only to update the course: install it from git-scm.com")


def _models() -> Iterator[Check]:
    try:
        from helpers import models
        from helpers.fetching import cache as model_cache

        cache = Path(models.cache_dir())
    except Exception as error:
        found = f"helpers.models does not load: {type(error).__name__}: {_first_line(error)}"
        yield Check(FAIL, "models", found, INSTALL)
        return
    needed = 0
    for role, source in models.SOURCES.items():
        chosen, why = models.named_instead(role)
        problem = None if chosen else model_cache.damage(source)
        needed += source.needed_bytes if problem else 0
        if chosen:
            yield Check(OK, f"{role} model", f"named by {why}")
        elif problem:
            yield Check(WARN, f"{role} model", f"not ready: {problem}", "python -m helpers.models --fetch")
        else:
            yield Check(OK, f"{role} model", f"{source.name}, in the cache")
    yield _writable("cache", cache, FAIL, "set HANDS_ON_CACHE to a folder that you may write to")
    free = shutil.disk_usage(_existing(cache)).free
    good = free >= needed + SPARE_BYTES
    room = f"{(needed + SPARE_BYTES) / GB:.1f} GB"
    cure = "" if good else f"free {room}, or set HANDS_ON_CACHE to a folder on another disk"
    yield Check(OK if good else FAIL if needed else WARN, "disk", f"{free / GB:.1f} GB free at the cache", cure)


def _progress() -> Iterator[Check]:
    from helpers.exercises import progress_file as progress

    cure = "set HANDS_ON_PROGRESS to a file that you may write; until then progress ends with the kernel"
    yield _writable("progress", Path(progress.path()).parent, WARN, cure)


def _writable(what: str, folder: Path, status: str, cure: str) -> Check:
    """Try it with a file that vanishes: permission bits do not tell about read-only disks. Creates no folder."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return Check(OK, what, f"{folder} is writable")
    except OSError as error:
        return Check(status, what, f"{folder} cannot be written: {error.strerror or error}", cure)


def _existing(folder: Path) -> Path:
    """The nearest folder that exists, `folder` itself or one above it."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path(folder.anchor))


def _project() -> dict:
    """pyproject.toml's [project] table; without the course's folder, the installation's record."""
    try:
        import tomllib

        return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (ImportError, OSError, KeyError, ValueError):
        pass
    try:
        lines = metadata.requires("hands-on-llms") or []
    except metadata.PackageNotFoundError:
        lines = []
    return {"dependencies": [line for line in lines if "extra ==" not in line]}


def _within(version: str, wanted: str) -> bool:
    if not wanted:
        return True
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True  # `packaging` itself gets a row that says it is missing
    return SpecifierSet(wanted).contains(version, prereleases=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def main() -> int:
    """Print the table; 0 if the course can run here, 1 if not."""
    found = report()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a Windows console may lack a character
    print(found)
    return 0 if found.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
