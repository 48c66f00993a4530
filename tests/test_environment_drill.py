"""What Binder and Colab do, done for real in a scratch virtual environment: minutes, and only with HANDS_ON_DRILL=1.

The working tree is committed into a scratch repository and cloned from there over file://, so that what is drilled is
what would be pushed. Colab is a stand-in `google.colab` module, an empty working folder and git's `insteadOf` for the
clone address: the set-up cell of 00_welcome runs unchanged. Models that the user's cache holds whole are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from helpers import bootstrap
from tests.tools import execute, links, repository, scratch
from tests.tools.notebook import ROOT, output_texts, read
from tests.tools.report import run_measured

PROBE = "iniconfig==2.3.1"  # a tiny package: does the package index answer?
PROBE_SECONDS = 20
STEP_SECONDS = 1500
REPLY = "first-reply"  # id of the cell in which the model first answers

pytestmark = [pytest.mark.network, pytest.mark.slow]


@dataclass(frozen=True)
class Place:
    """A scratch repository that holds the working tree, a virtual environment, and the environment variables to use."""

    origin: Path
    python: Path
    env: dict[str, str]

    def run(self, command: list[str], cwd: Path, **extra: str) -> str:
        """Run to the end and return the output; a failure shows the last lines of it."""
        done = run_measured([str(part) for part in command], self.env | extra, STEP_SECONDS, cwd)
        assert done.returncode == 0, f"{' '.join(map(str, command))}:\n" + "\n".join(done.output.splitlines()[-40:])
        return done.output


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    if os.environ.get("HANDS_ON_DRILL", "") in ("", "0"):
        pytest.skip("set HANDS_ON_DRILL=1 to install the course the way Binder and Colab do (minutes, with a network)")
    if shutil.which("git") is None or shutil.which("bash") is None:
        pytest.skip("the drill needs git and bash")
    folder = tmp_path_factory.mktemp("drill")
    if reason := index_is_silent(folder):
        pytest.skip(reason)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    env = execute.learner_environment(folder, PATH=f"{scripts}{os.pathsep}{os.environ['PATH']}")
    env |= {"VIRTUAL_ENV": str(folder / "venv"), "HANDS_ON_CACHE": str(usable_cache(folder))}
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER"):
        env.pop(name, None)
    yield Place(snapshot(folder / "origin"), scripts / "python", env)
    shutil.rmtree(folder, ignore_errors=True)  # gigabytes, which pytest would keep for three sessions


def index_is_silent(folder: Path) -> str:
    """Why the drill cannot run, or "" where the package index answers."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-cache-dir",
        "-q",
        "-d",
        str(folder / "probe"),
        PROBE,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return f"the package index does not answer within {PROBE_SECONDS} s"
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return f"the package index cannot be reached: {last}" if done.returncode else ""


def usable_cache(folder: Path) -> Path:
    """The user's cache where it holds all models whole, which saves minutes; otherwise a new one."""
    from helpers.fetching import cache_dir, damage
    from helpers.models import SOURCES

    whole = all(damage(source) is None for source in SOURCES.values())
    return cache_dir() if whole else folder / "cache"


def snapshot(origin: Path) -> Path:
    """The working tree as the one commit of a new repository, on the branch that the Makefile names."""
    for file in repository.files(ROOT):
        target = origin / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    _, branch = links.declared(ROOT)
    who = ["-c", "user.name=drill", "-c", "user.email=drill@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", branch], ["add", "-A"], [*who, "commit", "-q", "--no-verify", "-m", "drill"]):
        subprocess.run(["git", *command], cwd=origin, check=True, capture_output=True)
    return origin


def through_the_first_reply() -> nbformat.NotebookNode:
    """The code cells of 00_welcome from the first to the one with the id `first-reply`, and where helpers came from."""
    book = read(ROOT / "notebooks" / "00_welcome.ipynb")
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    names = [cell.id for cell in cells]
    assert REPLY in names, f"no cell of 00_welcome has the id {REPLY!r}"
    kept = cells[: names.index(REPLY) + 1]
    where = scratch.code("where", "import helpers, os\nprint(os.path.realpath(helpers.__file__))")
    return nbformat.v4.new_notebook(cells=[*kept, where], metadata={"kernelspec": execute.KERNELSPEC})


def replied(place: Place, cwd: Path, folder: Path, **extra: str) -> tuple[str, Path]:
    """Run those cells with their kernel in `cwd`; returns what the reply cell showed and the helpers that it used."""
    source, out = folder / "first.ipynb", folder / "done.ipynb"
    scratch.write(source, through_the_first_reply())
    command = [place.python, "-m", "papermill", source, out, "--cwd", cwd, "--kernel", "python3"]
    place.run([*command, "--no-progress-bar", "--execution-timeout", str(STEP_SECONDS)], cwd, **extra)
    cells = {cell.id: "\n".join(output_texts(cell)) for cell in read(out).cells if cell.cell_type == "code"}
    return cells[REPLY], Path(cells["where"].strip())


def test_binder_builds_and_the_model_replies(place, tmp_path):
    """repo2docker clones, makes the conda environment (here: a virtual environment) and runs binder/postBuild."""
    clone = tmp_path / "clone"
    place.run(["git", "clone", "-q", place.origin.as_uri(), clone], tmp_path)
    place.run(["bash", "binder/postBuild"], clone)
    assert (place.python.parents[1] / bootstrap.LAB_FILE).exists(), "JupyterLab will ask about news"
    reply, helpers = replied(place, clone / "notebooks", tmp_path)
    assert any(ch.isalpha() for ch in reply)
    assert helpers.is_relative_to(clone.resolve())


def test_colab_clones_installs_and_the_model_replies(place, tmp_path):
    """An empty folder, a google.colab that can be imported, and the notebook's first cells as they stand."""
    stand_in, content = tmp_path / "stand-in", tmp_path / "content"
    (stand_in / "google" / "colab").mkdir(parents=True)
    (stand_in / "google" / "colab" / "__init__.py").write_text('"""A stand-in."""\n', encoding="utf-8")
    content.mkdir()
    prepare_colab(place, content)
    repo, _ = links.declared(ROOT)
    addresses = [f"https://github.com/{repo}", f"https://github.com/{repo}.git"]
    git = {"GIT_CONFIG_COUNT": str(len(addresses))}
    for number, address in enumerate(addresses):
        git |= {
            f"GIT_CONFIG_KEY_{number}": f"url.{place.origin.as_uri()}.insteadOf",
            f"GIT_CONFIG_VALUE_{number}": address,
        }
    reply, helpers = replied(place, content, tmp_path, PYTHONPATH=str(stand_in), **git)
    assert any(ch.isalpha() for ch in reply)
    assert not helpers.is_relative_to(ROOT) and list(content.iterdir()), "the set-up cell cloned nothing"


def prepare_colab(place: Place, content: Path) -> None:
    """What Colab has before the notebook opens: a kernel and the usual libraries, but not the course."""
    place.run([place.python, "-m", "pip", "install", "-q", "ipykernel", "papermill"], content)
    subprocess.run(
        [place.python, "-m", "pip", "uninstall", "-q", "-y", "hands-on-llms"], env=place.env, capture_output=True
    )


def test_without_an_index_the_reason_is_printed(monkeypatch, tmp_path):
    """Without this, the probe might be unable to say no, and the drill would fail where it should be skipped."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert "cannot be reached" in index_is_silent(Path(tempfile.mkdtemp(dir=tmp_path)))
