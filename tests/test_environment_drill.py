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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from helpers import bootstrap
from tests.test_repository import files
from tests.tools import links
from tests.tools.notebook import FOLDER, ROOT, code_cells, output_texts, read, tags
from tests.tools.runners import environment

PROBE = "iniconfig==2.3.1"  # a tiny package: does the package index answer?
PROBE_SECONDS = 20
STEP_SECONDS = 1500
REPLY = """\
import os
import helpers
from helpers.models import chat_model
model, tokenizer = chat_model()
ids = tokenizer("The capital of France is", return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=3, do_sample=False)[0]), os.path.realpath(helpers.__file__))
"""

pytestmark = [pytest.mark.network, pytest.mark.slow]


@dataclass(frozen=True)
class Place:
    """A scratch repository that holds the working tree, a virtual environment, and the environment variables to use."""

    origin: Path
    python: Path
    env: dict[str, str]

    def run(self, command: list, cwd: Path, **extra: str) -> None:
        """Run to the end; a failure shows the last lines of what it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=self.env | extra,
            timeout=STEP_SECONDS,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}:\n" + "\n".join(done.stdout.splitlines()[-40:])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    if os.environ.get("HANDS_ON_DRILL", "") in ("", "0"):
        pytest.skip("set HANDS_ON_DRILL=1 to install the course the way Binder and Colab do (minutes, with a network)")
    folder = tmp_path_factory.mktemp("drill")
    if reason := index_is_silent(folder):
        pytest.skip(reason)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    env = environment(folder) | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    env |= {"VIRTUAL_ENV": str(folder / "venv"), "HANDS_ON_CACHE": str(usable_cache(folder))}
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER"):
        env.pop(name, None)
    yield Place(snapshot(folder / "origin"), scripts / "python", env)
    shutil.rmtree(folder, ignore_errors=True)  # gigabytes, which pytest would keep for three sessions


def index_is_silent(folder: Path) -> str:
    """Why the drill cannot run, or "" where the package index answers."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "-q"]
    command += ["-d", str(folder / "probe"), PROBE]
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
    for file in files():
        target = origin / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    _, branch = links.declared()
    who = ["-c", "user.name=drill", "-c", "user.email=drill@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", branch], ["add", "-A"], [*who, "commit", "-q", "--no-verify", "-m", "drill"]):
        subprocess.run(["git", *command], cwd=origin, check=True, capture_output=True)
    return origin


def reply(place: Place, cwd: Path, folder: Path, first: str = "", **extra: str) -> str:
    """Run the set-up cell of 00_welcome with its kernel in `cwd`; what the model says, and whose helpers it used."""
    setup = [cell for cell in code_cells(read(FOLDER / "00_welcome.ipynb")) if "setup" in tags(cell)]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in (first, *(cell.source for cell in setup), REPLY)]
    )
    source, out = folder / "first.ipynb", folder / "done.ipynb"
    source.write_text(nbformat.v4.writes(book), encoding="utf-8")
    command = [place.python, "-m", "papermill", source, out, "--cwd", cwd, "--kernel", "python3", "--no-progress-bar"]
    place.run(command, cwd, **extra)
    return "".join(output_texts(read(out).cells[-1]))


def test_binder_builds_and_the_model_replies(place, tmp_path):
    """repo2docker clones, makes the conda environment (here: a virtual environment) and runs binder/postBuild."""
    clone = tmp_path / "clone"
    place.run(["git", "clone", "-q", place.origin.as_uri(), clone], tmp_path)
    place.run(["bash", "binder/postBuild"], clone)
    assert (place.python.parents[1] / bootstrap.LAB_FILE).exists(), "JupyterLab will ask about news"
    said = reply(place, clone / "notebooks", tmp_path)
    assert "The capital of France is Paris" in said and str(clone.resolve()) in said


def test_colab_clones_installs_and_the_model_replies(place, tmp_path):
    """An empty folder, a google.colab that can be imported, a kernel and the usual libraries, but not the course."""
    stand_in, content = tmp_path / "stand-in", tmp_path / "content"
    (stand_in / "google" / "colab").mkdir(parents=True)
    (stand_in / "google" / "colab" / "__init__.py").write_text('"""A stand-in."""\n', encoding="utf-8")
    content.mkdir()
    place.run([place.python, "-m", "pip", "install", "-q", "ipykernel", "papermill"], content)
    place.run([place.python, "-m", "pip", "uninstall", "-q", "-y", "hands-on-llms"], content)
    git = {"GIT_CONFIG_COUNT": "2"}
    for number, ending in enumerate(("", ".git")):
        git[f"GIT_CONFIG_KEY_{number}"] = f"url.{place.origin.as_uri()}.insteadOf"
        git[f"GIT_CONFIG_VALUE_{number}"] = f"https://github.com/{links.declared()[0]}{ending}"
    said = reply(place, content, tmp_path, "import google.colab", PYTHONPATH=str(stand_in), **git)  # as its kernel does
    assert "The capital of France is Paris" in said and str(ROOT) not in said
    assert list(content.iterdir()), "the set-up cell cloned nothing"
