"""The repository's own rules: layout, pins, style, imports, addresses, README's rows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tools import links
from tests.tools.lessons import MACHINE_PATH
from tests.tools.notebook import FOLDER, NAMES, ROOT, read, title

TOP = {"README.md", "LICENSE", "THIRD_PARTY.md", "environment.yml", "pyproject.toml", "requirements.txt", "Makefile"}
TOP |= {"binder", ".ci", ".github", "notebooks", "helpers", "data", "tests", ".gitignore", ".gitattributes"}
REGISTRY = re.compile(r"\b(?:py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js\.org|ana" + r"conda\.org)\b")
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".json", ".jsonl", ".csv", ".ipynb"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
UNPINNED = ("compare", "llamacpp")  # extras without which every notebook runs and every test passes or skips


def files() -> list[Path]:
    """What is committed or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8").stdout
    return sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["importlinter.cli", "lint", "--no-cache"]])
def test_style_and_imports(tool):
    run = [sys.executable, "-m", *tool]
    if tool[0] == "importlinter.cli":
        run = [sys.executable, "-c", "from importlinter.cli import lint_imports; exit(lint_imports(no_cache=True))"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_top_level_is_fixed():
    assert {path.relative_to(ROOT).parts[0] for path in files()} == TOP


def test_no_file_is_large():
    def most(path: Path) -> int:
        return 5_000_000 if path.suffix == ".safetensors" else 2_000_000

    large = [f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes, at most {most(path):,}" for path in files()]
    assert not [line for line, path in zip(large, files(), strict=True) if path.stat().st_size > most(path)]


def test_no_text_names_a_machines_path_or_a_package_registry():
    for path in (path for path in files() if path.suffix in TEXT and path.name != "tool-versions"):
        content, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        found = REGISTRY.search(content) or (not name.startswith("tests/") and MACHINE_PATH.search(content))
        assert not found, f"{name} holds {found[0]!r}"


def test_every_dependency_is_pinned_within_its_range_and_named_with_its_license():
    """torch stays a range, so that a machine's own build can be used."""
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + [item for name in extras if name not in UNPINNED for item in extras[name]]
    lines = [line.split(" #")[0] for line in text("requirements.txt").splitlines() if re.match(r"\w", line)]
    pins = {canonicalize_name(pin.name): pin.specifier for pin in map(Requirement, lines)}
    named = text("THIRD_PARTY.md").lower()
    for item in map(Requirement, wanted):
        name = canonicalize_name(item.name)
        pinned = str(pins.get(name, "nothing"))
        exact = re.fullmatch(r"==([\w.]+)", pinned)
        good = item.specifier.contains(exact[1]) if exact else name == "torch"
        assert good, f"requirements.txt pins {name} to {pinned}, pyproject.toml asks for {item.specifier}"
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", named), f"THIRD_PARTY.md does not name {name}"


def test_both_conda_environments_hold_the_same():
    books = [yaml.safe_load(text(name)) for name in ("environment.yml", "binder/environment.yml")]
    conda = [(book["channels"], sorted(x for x in book["dependencies"] if isinstance(x, str))) for book in books]
    assert conda[0] == conda[1]


def test_continuous_integration_runs_make_test():
    assert re.search(r"^make test$", text(".ci/run"), re.MULTILINE) and os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "bash .ci/run" in text(".github/workflows/test.yml")


def test_make_help_lists_every_target():
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", text("Makefile"), re.MULTILINE))
    assert targets == set(re.findall(r'@echo "make ([\w-]+)', text("Makefile")))
    assert targets == set(re.search(r"^\.PHONY: (.*)$", text("Makefile"), re.MULTILINE)[1].split())


def test_importing_helpers_loads_nothing_heavy():
    code = "import sys, helpers; print({'torch', 'transformers', 'matplotlib', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_readme_has_one_row_with_the_question_and_the_minutes_of_a_notebook(name):
    rows = [row for row in text("README.md").splitlines() if f"](notebooks/{name}.ipynb)" in row and "|" in row]
    question, minutes, _ = title(read(FOLDER / f"{name}.ipynb"))
    assert len(rows) == 1, f"README.md has {len(rows)} rows of {name}, not one"
    assert question in rows[0] and re.search(rf"\| *{minutes} *\|", rows[0]), f"{question} {minutes}: {rows[0]}"


# Links ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [p for p in files() if p.suffix in (".md", ".ipynb")], ids=lambda p: p.name)
def test_relative_links_lead_somewhere(path):
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        content = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    content = re.sub(r"^```.*?^```|`[^`\n]*`", "", content, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(<?([^)#>\s]+)", content):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / unquote(target)).exists(), f"the link to {target} leads nowhere"


def test_every_launch_link_is_the_makefiles():
    repo, branch = links.declared()
    launch = r"research\.google\.com/github/([^/]+/[^/]+)/blob/([^/\s]+)/|mybinder\.org/v2/gh/([^/]+/[^/]+)/([^?)\s]+)"
    for file in [ROOT / "README.md", *sorted(FOLDER.glob("*.ipynb"))]:
        found = re.findall(launch, file.read_text(encoding="utf-8"))
        assert all({*match} - {""} == {repo, branch} for match in found), f"{file.name}: {found}"


def test_rewriting_every_address_there_and_back_changes_nothing(tmp_path):
    for file in links.linked_files():
        target = tmp_path / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    repo, branch = links.declared()
    links.main("new-owner/new.name", "release/2", tmp_path)
    assert links.declared(tmp_path) == ("new-owner/new.name", "release/2")
    assert not re.search(links.HOST + re.escape(repo), (tmp_path / "README.md").read_text(encoding="utf-8"))
    links.main(repo, branch, tmp_path)
    for file in links.linked_files():
        assert (tmp_path / file.relative_to(ROOT)).read_bytes() == file.read_bytes(), file.name
