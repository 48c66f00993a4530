"""The repository's own rules: layout, pins, environments, addresses; each also against a planted defect."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import links, repository, scratch
from tests.tools.notebook import ROOT

REPO, BRANCH = scratch.REPO, scratch.BRANCH


@pytest.mark.parametrize("rule", repository.RULES, ids=lambda rule: rule.__name__)
def test_repository(rule):
    problems = rule(ROOT)
    assert not problems, f"{rule.__name__}:\n" + "\n".join(problems)


def test_importing_helpers_loads_nothing_heavy():
    code = (
        "import sys, helpers; print([m for m in ('torch', 'transformers', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_help_prints_every_target():
    targets = re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    printed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert targets and all(re.search(rf"\bmake {target}\b", printed) for target in targets)


# Planted defects -----------------------------------------------------------------------------------------------------

PYPROJECT = """[project]
name = "some-course"
requires-python = ">=3.11,<3.14"
license = "Apache-2.0"
dependencies = [{dependencies}]
[project.optional-dependencies]
test = ["pytest>=8,<10"]
[project.urls]
Homepage = "https://github.com/{repo}"
[tool.setuptools]
packages.find.include = ["helpers*"]
"""
ENVIRONMENT = "channels: [conda-forge]\ndependencies:\n  - python=3.12\n  - pytorch-cpu>=2.6,<3\n  - pip\n"
MAKEFILE = f"""REPO ?= {REPO}
BRANCH ?= {BRANCH}
.PHONY: help test
help:  ## list the targets
\t@echo "make test   everything"
\t@echo "make help   this list"
test:
\t@pytest
"""
README = f"""# A course

[![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{REPO}/blob/{BRANCH}/notebooks/00_first.ipynb)
[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/{REPO}/{BRANCH}?urlpath=lab/tree/notebooks/00_first.ipynb)
![tests](https://github.com/{REPO}/actions/workflows/test.yml/badge.svg?branch={BRANCH})
![picture](https://raw.githubusercontent.com/{REPO}/{BRANCH}/data/picture.png)

    git clone https://github.com/{REPO}
    git clone --branch {BRANCH} git@github.com:{REPO}.git

[A zip](https://github.com/{REPO}/archive/refs/heads/{BRANCH}.zip), [a folder](https://github.com/{REPO}/tree/{BRANCH}/data),
others' [code](https://github.com/karpathy/minbpe/blob/master/minbpe/base.py), like {REPO}s.
See [the map](#the-map-of-the-course).

## The map of the course

| notebook | minutes | measures |
|---|---|---|
| [00_first](notebooks/00_first.ipynb) | MINUTES | a sum |
| [01_second](notebooks/01_second.ipynb) | 0 | a sum |
| 02_third | 30 | not written yet |

## License

Apache-2.0
"""


def sound(root: Path) -> Path:
    """A small repository in which every rule holds, launch links in every shape included."""
    page = scratch.course(root)
    minutes = re.search(r"\*\*(\d+) minutes", page.title_cell)[1]
    (root / "README.md").write_text(README.replace("MINUTES", minutes), encoding="utf-8")
    (root / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    names = [f"{name}>=1,<3" for name in repository.DECLARED if name != "torch"] + ["torch>=2.6,<3"]
    dependencies = ", ".join(f'"{item}"' for item in names)
    (root / "pyproject.toml").write_text(PYPROJECT.format(dependencies=dependencies, repo=REPO), encoding="utf-8")
    pins = [f"{name}==1.5" for name in repository.DECLARED if name != "torch"] + ["pytest==9.1 ; python_version > '3'"]
    (root / "requirements.txt").write_text("# pins\ntorch>=2.6,<3\n" + "\n".join(pins) + "\n", encoding="utf-8")
    third = [*repository.DECLARED, "pytest", *repository.MODELS]
    (root / "THIRD_PARTY.md").write_text("\n".join(f"| {name} | MIT |" for name in third), encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", root / "LICENSE")
    for folder in ("binder", ".ci", ".github/workflows", "data", "tests"):
        (root / folder).mkdir(parents=True)
    for name in ("environment.yml", "binder/environment.yml"):
        (root / name).write_text(ENVIRONMENT, encoding="utf-8")
    (root / ".ci" / "run").write_text("#!/bin/sh\nmake test\n", encoding="utf-8")
    (root / ".ci" / "run").chmod(0o755)
    (root / ".github" / "workflows" / "test.yml").write_text("jobs:\n  - run: bash .ci/run\n", encoding="utf-8")
    (root / "data" / "README.md").write_text("# Data\n\n[home](../README.md#license)\n", encoding="utf-8")
    (root / "tests" / "__init__.py").write_text("", encoding="utf-8")
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    (root / ".gitattributes").write_text("* text=auto eol=lf\n*.safetensors binary\n", encoding="utf-8")
    (root / "helpers" / "__init__.py").write_text("from helpers import sums\n", encoding="utf-8")
    return root


def put(name: str, text: str):
    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")

    return change


def swap(name: str, old: str, new: str):
    def change(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        assert old in text, "the defect could not be planted"
        (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def not_executable(root: Path) -> None:
    (root / ".ci" / "run").chmod(0o644)


R = repository
PLANTED = [
    (R.layout, "LICENSE is missing", lambda root: (root / "LICENSE").unlink()),
    (R.layout, "setup.py does not belong", put("setup.py", "")),
    (R.small_files, "2.5 MB", put("data/large.txt", "x" * 2_500_000)),
    (R.small_files, "more than 5 MB", put("data/adapters/a/adapter_model.safetensors", "x" * 5_000_001)),
    (R.small_files, "more than 5 MB", put("data/models/a/model.safetensors", "x" * 5_000_001)),
    (R.small_files, "more than 2 MB", put("data/adapters/adapter_model.safetensors", "x" * 2_000_001)),
    (R.weights_are_binary, "safetensors", put(".gitattributes", "* text=auto eol=lf\n")),
    (R.portable_text, "path of one machine", put("data/notes.md", "see /ho" + "me/ada/x")),
    (R.portable_text, "path of one machine", put("helpers/files/paths.py", "WHERE = '/ro" + "ot/x'")),
    (R.portable_text, "registry", put("tests/test_x.py", "'https://py" + "pi.org/simple'")),
    (R.licensed, "not the text", put("LICENSE", "MIT License")),
    (R.licensed, "another license", swap("pyproject.toml", "Apache-2.0", "MIT")),
    (R.third_party, "name peft", swap("THIRD_PARTY.md", "| peft |", "| peft-extra |")),
    (R.third_party, "name all-MiniLM-L6-v2", swap("THIRD_PARTY.md", "all-MiniLM-L6-v2", "MiniLM")),
    (R.declared_stack, "declare nbval", swap("pyproject.toml", '"nbval>=1,<3", ', "")),
    (R.declared_stack, "refuses Python 3.13", swap("pyproject.toml", "<3.14", "<3.13")),
    (R.declared_stack, "admits Python 3.14", swap("pyproject.toml", "<3.14", "<4")),
    (R.packaged, "helpers/room has no __init__.py", put("helpers/room/part.py", "")),
    (R.packaged, "does not have setuptools find", swap("pyproject.toml", '["helpers*"]', '["helpers"]')),
    (R.pinned, "does not pin peft", swap("requirements.txt", "peft==1.5\n", "")),
    (R.pinned, "outside pyproject's", swap("requirements.txt", "peft==1.5", "peft==3.5")),
    (R.pinned, "to one version", swap("requirements.txt", "peft==1.5", "peft>=1.5")),
    (R.pinned, "leave torch the range", swap("requirements.txt", "torch>=2.6,<3", "torch==2.13.0")),
    (R.pinned, "leave torch the range", swap("requirements.txt", "torch>=2.6,<3", "torch>=2.6,<2.13")),
    (R.pinned, "from an address", swap("requirements.txt", "peft==1.5", "peft @ https://example.org/peft.whl")),
    (R.environments_agree, "differ in python=3.11", swap("binder/environment.yml", "3.12", "3.11")),
    (R.environments_agree, "different channels", swap("binder/environment.yml", "conda-forge", "defaults")),
    (
        R.environments_agree,
        "requires-python refuses",
        lambda root: [swap(f"{folder}environment.yml", "3.12", "3.10")(root) for folder in ("", "binder/")],
    ),
    (R.environments_agree, "which Binder refuses", put(".binder/postBuild", "")),
    (R.ci_runs_make_test, "does not call make test", swap(".ci/run", "make test", "pytest")),
    (R.ci_runs_make_test, "exactly one workflow", put(".github/workflows/more.yml", "")),
    (R.make_help_is_complete, "does not list lint", swap("Makefile", "test:\n", "lint:\n\t@ruff\ntest:\n")),
    (R.make_help_is_complete, "lists tests, which", swap("Makefile", "make test ", "make tests ")),
    (R.make_help_is_complete, "not phony", swap("Makefile", ".PHONY: help test", ".PHONY: help")),
    (
        R.map_equals_folder,
        "does not link notebooks/01_second",
        swap("README.md", "[01_second](notebooks/01_second.ipynb)", "x"),
    ),
    (R.map_equals_folder, "which does not exist", swap("README.md", "02_third", "[02](notebooks/02_third.ipynb)")),
    (R.map_equals_folder, "2 times", swap("README.md", "02_third", "[02](notebooks/00_first.ipynb)")),
    (R.map_equals_folder, "90 minutes", swap("README.md", ".ipynb) | 0 |", ".ipynb) | 90 |")),
    (
        R.map_equals_folder,
        "does not link",
        swap("README.md", "## The map of the course", "## Contents"),
    ),
    (R.documents_link, "leads nowhere", swap("data/README.md", "../README.md", "../READ.md")),
    (R.documents_link, "anchor", swap("README.md", "(#the-map-of-the-course)", "(#the-map)")),
    (R.one_address, "lacks 'git clone", swap("README.md", "git clone https", "get https")),
    (R.one_address, "data/README.md holds", put("data/README.md", f"https://github.com/{REPO}")),
    (
        R.one_address,
        "is not an address of",
        swap("README.md", f"mybinder.org/v2/gh/{REPO}", "mybinder.org/v2/gh/else/x"),
    ),
    (
        R.one_address,
        "is not an address of",
        swap("README.md", f"clone https://github.com/{REPO}", "clone https://github.com/a/b"),
    ),
    (R.one_address, "is not an address of", swap("pyproject.toml", REPO, "some-owner/old-name")),
    (R.one_address, "not on the branch", swap("README.md", f"blob/{BRANCH}", "blob/dev")),
    (R.one_address, "not on the branch", swap("README.md", f"/{BRANCH}?urlpath", "/dev?urlpath")),
    (R.one_address, "not on the branch", swap("README.md", f"tree/{BRANCH}/", "tree/dev/")),
    (
        R.one_address,
        "set-up cell names else/x",
        swap("notebooks/00_first.ipynb", "print(", "print('https://github.com/else/x'+"),
    ),
    (R.one_address, "notebooks/00_first.ipynb", swap("notebooks/00_first.ipynb", f"github/{REPO}", "github/else/x")),
]
if sys.platform != "win32":
    PLANTED.append((R.ci_runs_make_test, "not executable", not_executable))


@pytest.mark.parametrize(
    ("rule", "expected", "change"), PLANTED, ids=[f"{rule.__name__}-{text}" for rule, text, _ in PLANTED]
)
def test_a_planted_defect_is_found(tmp_path, rule, expected, change):
    root = sound(tmp_path / "copy")
    change(root)
    problems = rule(root)
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize("rule", repository.RULES, ids=lambda rule: rule.__name__)
def test_a_sound_repository_passes(tmp_path, rule):
    assert rule(sound(tmp_path / "copy")) == []


def test_every_rule_has_a_planted_defect():
    assert {rule for rule, *_ in PLANTED} == set(repository.RULES)


# Links ---------------------------------------------------------------------------------------------------------------


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(params=["sound", "this repository"])
def copy(request, tmp_path) -> Path:
    if request.param == "sound":
        return sound(tmp_path / "copy")
    for path in links.linked_files(ROOT):
        target = tmp_path / "copy" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path / "copy"


def test_rewriting_there_and_back_changes_nothing(copy):
    before = contents(copy)
    repo, branch = links.declared(copy)
    assert links.main(["--root", str(copy), "--repo", "new-owner/new.name", "--branch", "release/2.0"]) == 0
    there = contents(copy)
    assert links.declared(copy) == ("new-owner/new.name", "release/2.0")
    assert links.differences(copy) == []
    assert [name for name in before if before[name] != there[name]]
    assert not [
        name for name, data in there.items() if re.search(rb"[:/]" + re.escape(repo).encode() + rb"(?![\w-])", data)
    ]
    assert links.main(["--root", str(copy), "--repo", repo, "--branch", branch]) == 0
    assert contents(copy) == before


def test_every_shape_of_address_follows_and_others_stay(tmp_path):
    root = sound(tmp_path)
    links.rewrite(root, "me/mine", "dev")
    text = (root / "README.md").read_text(encoding="utf-8")
    for address in (
        "colab.research.google.com/github/me/mine/blob/dev/notebooks/00_first.ipynb",
        "mybinder.org/v2/gh/me/mine/dev?urlpath=lab/tree/notebooks/00_first.ipynb",
        "github.com/me/mine/actions/workflows/test.yml/badge.svg?branch=dev",
        "raw.githubusercontent.com/me/mine/dev/data/picture.png",
        "git clone https://github.com/me/mine\n",
        "git clone --branch dev git@github.com:me/mine.git",
        "github.com/me/mine/archive/refs/heads/dev.zip",
        "github.com/me/mine/tree/dev/data",
        "github.com/karpathy/minbpe/blob/master/minbpe/base.py",
        f"like {REPO}s",
    ):
        assert address in text
    assert 'Homepage = "https://github.com/me/mine"' in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_a_setup_cell_clones_the_new_address():
    old, new = ("some-owner/some-course", "main"), ("me/mine", "dev/2")
    for before, after in (
        (
            'run(["git", "clone", "--branch", "main", "https://github.com/some-owner/some-course"])',
            'run(["git", "clone", "--branch", "dev/2", "https://github.com/me/mine"])',
        ),
        ('REPO, BRANCH = "some-owner/some-course", "main"', 'REPO, BRANCH = "me/mine", "dev/2"'),
        ('REPO = "some-owner/some-course"\nBRANCH = "main"', 'REPO = "me/mine"\nBRANCH = "dev/2"'),
        ("https://mybinder.org/v2/gh/some-owner/some-course/main", "https://mybinder.org/v2/gh/me/mine/dev%2F2"),
        ("https://github.com/some-owner/some-course-two", "https://github.com/some-owner/some-course-two"),
        ("the main idea of --branches", "the main idea of --branches"),
    ):
        assert links.rewritten(before, old, new) == after
        assert links.rewritten(after, new, old) == before


def test_outputs_and_formatting_of_a_notebook_stay(tmp_path):
    root = sound(tmp_path)
    path = root / "notebooks" / "00_first.ipynb"
    raw = path.read_text(encoding="utf-8").replace("ready\\n", f"github.com/{REPO} →\\n")
    path.write_bytes(raw.encode())
    links.rewrite(root, "me/mine", "main")
    after = path.read_text(encoding="utf-8")
    assert f"github.com/{REPO} →" in after, "an output is what ran"
    assert after == raw.replace(f"github/{REPO}", "github/me/mine").replace(f"gh/{REPO}", "gh/me/mine")


@pytest.mark.parametrize(
    "repo", ["owner", "owner/name/x", "https://github.com/o/n", "o wner/name", "owner/name.git", "-o/n", "o/.."]
)
def test_a_malformed_repository_is_refused_before_anything_is_written(tmp_path, capsys, repo):
    root = sound(tmp_path)
    before = contents(root)
    assert links.main(["--root", str(root), f"--repo={repo}"]) == 1
    assert "is not a repository of the form owner/name" in capsys.readouterr().err
    assert contents(root) == before


@pytest.mark.parametrize("branch", ["a b", "-x", "a..b", "/a", "a/", "a.lock", "é"])
def test_a_malformed_branch_is_refused(tmp_path, capsys, branch):
    root = sound(tmp_path)
    assert links.main(["--root", str(root), f"--branch={branch}"]) == 1
    assert "is not a branch name" in capsys.readouterr().err


def test_check_names_what_differs(tmp_path, capsys):
    root = sound(tmp_path)
    assert links.main(["--root", str(root), "--check"]) == 0
    swap("README.md", f"blob/{BRANCH}", "blob/dev")(root)
    assert links.main(["--root", str(root), "--check"]) == 1
    assert "README.md: colab.research.google.com" in capsys.readouterr().out
