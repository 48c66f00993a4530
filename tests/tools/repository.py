"""Rules about the repository as a whole: each a function `rule(root) -> list[str]`, one sentence per problem.

They read files only, so that a test can plant a defect in a copy. Notebooks have rules of their own (`hygiene` …).
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.tools import links
from tests.tools.hygiene import MACHINE_PATH, REGISTRY, link_targets, markdown_anchors
from tests.tools.notebook import Course, stated_minutes

FIXED = {
    *("README.md", "environment.yml", "pyproject.toml", "requirements.txt", "Makefile", "LICENSE", "THIRD_PARTY.md"),
    *("binder", ".ci", ".github", "notebooks", "helpers", "data", "tests", ".gitignore"),
}
ALLOWED = FIXED | {".gitattributes"}
MADE = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints"}
DECLARED = (
    *("jupyterlab", "nbval", "papermill", "torch", "transformers", "peft", "bitsandbytes", "datasets", "faiss-cpu"),
    *("sentence-transformers", "openai", "evaluate", "matplotlib"),
)
PYTHONS = {"3.10": False, "3.11": True, "3.12": True, "3.13": True, "3.14": False}
MODELS = ("SmolLM2-135M-Instruct", "all-MiniLM-L6-v2", "ms-marco-MiniLM-L-12-v2")
FILE_BYTES = 2_000_000
WEIGHTS = r"data/(adapters/[^/]+/adapter_model|models/[^/]+/model)\.safetensors"
WEIGHTS_BYTES = 5_000_000
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".jsonl", ".csv", ".cfg", ""}


def files(root: Path) -> list[Path]:
    """What is committed or would be: git's list where there is one, else everything but what tools make."""
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True, encoding="utf-8").stdout
        found = [root / name for name in listed.split("\0") if name]
    else:
        found = [path for path in root.rglob("*") if not _made(path.relative_to(root))]
    return sorted({path for path in found if path.is_file()})


def _made(path: Path) -> bool:
    return any(part in MADE or part.endswith(".egg-info") for part in path.parts)


def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# Extras without which every notebook and test passes or skips: one compiles for minutes, one brings 30 packages.
UNPINNED = ("compare", "llamacpp")


def dependencies(root: Path, unpinned: bool = True) -> dict[str, Requirement]:
    """Every declared dependency, optional ones included (those never pinned only if `unpinned`), by canonical name."""
    declared = project(root)
    texts = list(declared["dependencies"])
    for extra, items in declared["optional-dependencies"].items():
        texts += items if unpinned or extra not in UNPINNED else []
    return {canonicalize_name(item.name): item for item in map(Requirement, texts)}


def pins(root: Path) -> list[Requirement]:
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    bare = [line.split(" #")[0].strip() for line in lines if not line.startswith(("#", "-"))]
    return [Requirement(line) for line in bare if line]


def layout(root: Path) -> list[str]:
    """The top level is fixed."""
    present = {path.relative_to(root).parts[0] for path in files(root)}
    problems = [f"{name} is missing at the top level." for name in sorted(FIXED - present)]
    return problems + [f"{name} does not belong at the top level." for name in sorted(present - ALLOWED)]


def small_files(root: Path) -> list[str]:
    """No committed file is large; the weights of an adapter or a small model may be somewhat larger."""
    problems = []
    for path in files(root):
        name, size = path.relative_to(root).as_posix(), path.stat().st_size
        most = WEIGHTS_BYTES if re.fullmatch(WEIGHTS, name) else FILE_BYTES
        if size > most:
            problems.append(f"{name} takes {size / 1e6:.1f} MB, more than {most / 1e6:.0f} MB.")
    return problems


def weights_are_binary(root: Path) -> list[str]:
    """git must never change a line end inside of weights."""
    file = root / ".gitattributes"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [] if "*.safetensors binary" in lines else ['.gitattributes lacks the line "*.safetensors binary".']


def portable_text(root: Path) -> list[str]:
    """No path of one machine (in tests it may be data) and no address of a package registry in any text file."""
    problems = []
    for path in files(root):
        name = path.relative_to(root).as_posix()
        if path.suffix not in TEXT:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        patterns = [(REGISTRY, "a package registry's address")]
        if not name.startswith("tests/"):
            patterns.append((MACHINE_PATH, "a path of one machine"))
        for pattern, what in patterns:
            if match := pattern.search(text):
                problems.append(f"{name} holds {what}: {match[0]!r}.")
    return problems


def licensed(root: Path) -> list[str]:
    text = (root / "LICENSE").read_text(encoding="utf-8")
    if not re.search(r"Apache License\s+Version 2\.0, January 2004", text) or "END OF TERMS AND CONDITIONS" not in text:
        return ["LICENSE is not the text of the Apache License 2.0."]
    return [] if project(root)["license"] == "Apache-2.0" else ["pyproject.toml names another license than Apache-2.0."]


def third_party(root: Path) -> list[str]:
    """THIRD_PARTY.md names every declared dependency and every model."""
    text = (root / "THIRD_PARTY.md").read_text(encoding="utf-8").lower()
    wanted = [*dependencies(root), *MODELS]
    return [f"THIRD_PARTY.md does not name {name}." for name in wanted if not _names(text, name.lower())]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def declared_stack(root: Path) -> list[str]:
    """The packages that the course is about are declared, and the Python versions are those it runs on."""
    declared = dependencies(root)
    problems = [f"pyproject.toml does not declare {name}." for name in DECLARED if name not in declared]
    pythons = SpecifierSet(project(root)["requires-python"])
    for version, wanted in PYTHONS.items():
        if pythons.contains(f"{version}.1") != wanted:
            problems.append(f"requires-python {'refuses' if wanted else 'admits'} Python {version}.")
    return problems


def packaged(root: Path) -> list[str]:
    """Every folder of Python files under helpers/ is a package, and pyproject.toml has all of them installed."""
    text = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    find = text.get("tool", {}).get("setuptools", {}).get("packages", {}).get("find", {})
    folders = {path.parent for path in (root / "helpers").rglob("*.py")}
    lonely = sorted(folder.relative_to(root).as_posix() for folder in folders if not (folder / "__init__.py").exists())
    problems = [f"{folder} has no __init__.py, so it is not installed." for folder in lonely]
    if find.get("include") != ["helpers*"]:
        problems.append('pyproject.toml does not have setuptools find the packages of "helpers*".')
    return problems


def pinned(root: Path) -> list[str]:
    """requirements.txt pins every declared dependency to a version in its range; torch is a range that admits 2.13."""
    declared = dependencies(root)
    problems = []
    found: dict[str, list[Requirement]] = {}
    for pin in pins(root):
        found.setdefault(canonicalize_name(pin.name), []).append(pin)
        problems += _pin_problems(pin, declared.get(canonicalize_name(pin.name)))
    return problems + [
        f"requirements.txt does not pin {name}." for name in dependencies(root, unpinned=False) if name not in found
    ]


def _pin_problems(pin: Requirement, declared: Requirement | None) -> list[str]:
    name, exact = canonicalize_name(pin.name), re.fullmatch(r"==([^*,]+)", str(pin.specifier))
    if pin.url:
        return [f"requirements.txt takes {name} from an address instead of a version."]
    if name == "torch":
        wide = not exact and pin.specifier.contains("2.13.0") and declared and pin.specifier == declared.specifier
        return [] if wide else ["requirements.txt must leave torch the range of pyproject.toml, one that admits 2.13."]
    if not exact:
        return [f"requirements.txt does not pin {name} to one version: {pin.specifier or 'no version'}."]
    if declared and not declared.specifier.contains(exact[1], prereleases=True):
        return [f"requirements.txt pins {name} {exact[1]}, outside pyproject's {declared.specifier}."]
    return []


def environments_agree(root: Path) -> list[str]:
    """Both conda environments hold the same conda packages, with a Python that the course runs on."""
    books = [
        yaml.safe_load((root / name).read_text(encoding="utf-8"))
        for name in ("environment.yml", "binder/environment.yml")
    ]
    conda = [[item for item in book["dependencies"] if isinstance(item, str)] for book in books]
    problems = []
    if sorted(conda[0]) != sorted(conda[1]):
        different = sorted(set(conda[0]) ^ set(conda[1]))
        problems.append(f"environment.yml and binder/environment.yml differ in {', '.join(different)}.")
    if books[0]["channels"] != books[1]["channels"]:
        problems.append("environment.yml and binder/environment.yml name different channels.")
    python = next((match[1] for item in conda[0] if (match := re.fullmatch(r"python=+([\d.]+)", item))), "0")
    if not SpecifierSet(project(root)["requires-python"]).contains(python):
        problems.append(f"environment.yml asks for Python {python}, which requires-python refuses.")
    if (root / ".binder").exists():
        problems.append("Both binder/ and .binder/ exist, which Binder refuses.")
    return problems


def ci_runs_make_test(root: Path) -> list[str]:
    run = (root / ".ci" / "run").read_text(encoding="utf-8")
    problems = [] if re.search(r"^\s*make test\s*$", run, re.MULTILINE) else [".ci/run does not call make test."]
    if os.name == "posix" and not os.access(root / ".ci" / "run", os.X_OK):
        problems.append(".ci/run is not executable.")
    workflows = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    if len(workflows) != 1 or not re.search(r"run: .*(?:\.ci/run|make test)", workflows[0].read_text(encoding="utf-8")):
        problems.append("There is not exactly one workflow, calling .ci/run or make test.")
    return problems


def make_help_is_complete(root: Path) -> list[str]:
    """Every target is in `make help`, and make help names no target that does not exist."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", text, re.MULTILINE))
    recipe = re.search(r"^help:.*\n((?:\t.*\n?)+)", text, re.MULTILINE)
    named = set(re.findall(r"make ([a-z][\w-]*)", recipe[1])) if recipe else set()
    problems = [f"make help does not list {name}." for name in sorted(targets - named)]
    problems += [f"make help lists {name}, which is no target." for name in sorted(named - targets)]
    phony = set(re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE)[0].split()) if ".PHONY" in text else set()
    return problems + [
        f"The target {name} is not phony: a file of that name would hide it." for name in sorted(targets - phony)
    ]


def map_equals_folder(root: Path) -> list[str]:
    """README's map links every notebook once, no other, with the minutes that the notebook states."""
    course = Course(root)
    rows = map_rows((root / "README.md").read_text(encoding="utf-8"))
    names = [name for name, _ in rows]
    problems = [f"README's map does not link notebooks/{name}.ipynb." for name in course.names if name not in names]
    problems += [
        f"README's map links {name} {names.count(name)} times." for name in sorted(set(names)) if names.count(name) > 1
    ]
    for name, minutes in rows:
        if name not in course.names:
            problems.append(f"README's map links notebooks/{name}.ipynb, which does not exist.")
        elif minutes != stated_minutes(course.page(name)):
            problems.append(
                f"README's map gives {name} {minutes} minutes; it states {stated_minutes(course.page(name))}."
            )
    linked = [name for name in names if name in course.names]
    if linked != sorted(linked, key=course.names.index):
        problems.append("README's map is not in the order of the course.")
    return problems


def map_rows(readme: str) -> list[tuple[str, int | None]]:
    """(notebook, minutes) for each table row with a notebook's link in the section whose heading has the word map."""
    section = re.search(r"^## [^\n]*\bmap\b[^\n]*\n(.*?)(?=^## |\Z)", readme, re.DOTALL | re.MULTILINE | re.IGNORECASE)
    column, rows = None, []
    for line in section[1].splitlines() if section else []:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        heads = [i for i, cell in enumerate(cells) if re.fullmatch(r"min(?:ute)?s?", cell, re.IGNORECASE)]
        column = heads[0] if heads and line.strip().startswith("|") else column
        for name in re.findall(r"\]\((?:\./)?notebooks/([^)#]+)\.ipynb\)", line):
            number = re.match(r"\d+", cells[column]) if column is not None and column < len(cells) else None
            rows.append((name, int(number[0]) if number else None))
    return rows


def documents_link(root: Path) -> list[str]:
    """Relative links and anchors of every Markdown file lead somewhere."""
    problems = []
    for path in (path for path in files(root) if path.suffix == ".md"):
        where = path.relative_to(root).as_posix()
        for target in link_targets(path.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            file = path if not name else path.parent / unquote(name)
            if not file.exists():
                problems.append(f"The link to {target!r} in {where} leads nowhere.")
            elif anchor and file.suffix == ".md" and anchor not in markdown_anchors(file.read_text(encoding="utf-8")):
                problems.append(f"The link to {target!r} in {where} names an anchor that does not exist.")
    return problems


def one_address(root: Path) -> list[str]:
    """Every address is the Makefile's, README says how to clone it, and no other file holds it."""
    problems = links.differences(root)
    repo, _ = links.declared(root)
    if f"git clone https://github.com/{repo}" not in (root / "README.md").read_text(encoding="utf-8"):
        problems.append(f"README.md lacks 'git clone https://github.com/{repo}'.")
    known = set(links.linked_files(root))
    for path in files(root):
        if path in known or path.suffix not in TEXT | {".ipynb"}:
            continue
        if re.search(
            rf"(?:{'|'.join(links.HOSTS)}){re.escape(repo)}", path.read_text(encoding="utf-8", errors="replace")
        ):
            problems.append(
                f"{path.relative_to(root).as_posix()} holds the course's address, where make links does not reach."
            )
    return problems


RULES = (
    layout,
    small_files,
    weights_are_binary,
    portable_text,
    licensed,
    third_party,
    declared_stack,
    packaged,
    pinned,
    environments_agree,
    ci_runs_make_test,
    make_help_is_complete,
    map_equals_folder,
    documents_link,
    one_address,
)
