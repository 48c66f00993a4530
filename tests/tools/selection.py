"""Which notebooks run when `HANDS_ON_TEST_MINUTES` is too little for all of them.

Those come first whose own files changed: the notebook itself, a helper that it imports (directly or through others),
an exercise of its own, or a file of `data/` that one of these names. The rest follows in the order of the course, from
a place that the commit decides, so that every notebook has its turn. Taken is what fits, by the seconds of the last
report on this machine, by those committed in `tests/data/notebook_seconds.json`, or by the budget of a notebook.

"Changed" is against the point where a branch left `main` or, without a branch, against the first parent of HEAD (of a
pull request's merge commit: its target); files that are not committed count, too. In a clone without history nothing is
known to have changed, and the turn decides alone. `python -m tests.tools.selection` prints what comes first, and why;
with `--keep` it writes the seconds of the last report into the committed file.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from tests.tools import report
from tests.tools.notebook import ROOT, Course, parse, read

RUNNERS = ("nbval laptop", "papermill smoke")
BUDGET_SECONDS = {"nbval laptop": 100.0, "papermill smoke": 20.0}  # of a notebook that never ran
RECORDED = ROOT / "tests" / "data" / "notebook_seconds.json"


# The choice, which needs no repository -------------------------------------------------------------------------------


def in_turn(names: list[str], changed: Iterable[str], commit: str) -> list[str]:
    """`names` (in the course's order) with the changed ones first, either part from a place that `commit` decides."""
    if not names:
        return []
    start = int(hashlib.sha256(commit.encode()).hexdigest(), 16) % len(names)
    turned = names[start:] + names[:start]
    changed = set(changed)
    return [name for name in turned if name in changed] + [name for name in turned if name not in changed]


def fitting(
    names: list[str], seconds: Mapping[str, float], alone: Iterable[str], available: float, workers: int
) -> tuple[list[str], list[str]]:
    """The notebooks of `names` that fit into `available` seconds, taken in that order, and those that do not.

    seconds: both runs of a notebook; those in `alone` have the machine to themselves, the others share it by `workers`.
    """
    alone, taken, left, used = set(alone), [], [], 0.0
    for name in names:
        cost = seconds[name] / (1 if name in alone else max(1, workers))
        if used + cost <= available:
            taken.append(name)
            used += cost
        else:
            left.append(name)
    return taken, left


def reading_of(paths: Iterable[str], own: Mapping[str, set[str]]) -> set[str]:
    """The notebooks that have one of `paths` among their `own` files."""
    paths = set(paths)
    return {name for name, files in own.items() if files & paths}


# What belongs to a notebook ------------------------------------------------------------------------------------------


def own_files(name: str, root: Path = ROOT) -> set[str]:
    """The notebook, its exercises, every helper it imports and every file of data/ that these name, from `root`."""
    page = root / "notebooks" / f"{name}.ipynb"
    trees = [tree for cell in read(page).cells if cell.cell_type == "code" and (tree := parse(cell.source))]
    exercises = sorted((root / "helpers" / "exercises" / "course" / name).rglob("*.py"))
    files = _reached([*(found for tree in trees for found in _imports(tree, "", root)), *exercises], root)
    words = {word for tree in trees for word in _words(tree)} | {name}
    for file in files:
        words |= _words(_tree(file))
    data = {path for path in (root / "data").rglob("*") if path.is_file() and _named(path, words, root)}
    return {path.relative_to(root).as_posix() for path in {page, *files, *data}}


def _reached(start: Iterable[Path], root: Path) -> set[Path]:
    """Files of helpers/ that are imported from `start` on, inside functions too, each with its packages' faces."""
    found: set[Path] = set()
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            package = ".".join(file.relative_to(root).parent.parts)
            waiting += _imports(_tree(file), package, root)
    return found


@lru_cache(maxsize=1024)
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imports(tree: ast.Module, package: str, root: Path) -> list[Path]:
    """Files of helpers/ that a module of `package` names in its imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return [file for name in names if name.split(".")[0] == "helpers" for file in _files_of(name, root)]


def _files_of(module: str, root: Path) -> list[Path]:
    """The file of a module, or of a name that a room's face hands out, and the faces of the packages around it."""
    parts = module.split(".")
    faces = [root.joinpath(*parts[: n + 1], "__init__.py") for n in range(len(parts))]
    files = [file for file in [*faces, root.joinpath(*parts).with_suffix(".py")] if file.is_file()]
    if len(parts) == 3 and files[-1] == faces[1] and (holder := _handed_out(faces[1]).get(parts[2])):
        files.append(root.joinpath(*parts[:2], f"{holder}.py"))
    return files


@lru_cache(maxsize=64)
def _handed_out(face: Path) -> dict[str, str]:
    """Of each name that a face looks up on first use, the module that holds it (`lazy_loader.attach`)."""
    for node in ast.walk(_tree(face)):
        if isinstance(node, ast.keyword) and node.arg == "submod_attrs":
            return {name: module for module, names in ast.literal_eval(node.value).items() for name in names}
    return {}


def _words(tree: ast.Module) -> set[str]:
    """Every string of a file, cut at slashes: the names by which it may mean a file or a folder of data/."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {part for text in texts if len(text) < 200 for part in re.split(r"[/\\]", text)}


def _named(path: Path, words: set[str], root: Path) -> bool:
    """Whether a file of data/ is named: itself, its folder below data/TOPIC or, where it has none, its stem."""
    folders = path.relative_to(root / "data").parts[1:-1]
    return path.name != "README.md" and not words.isdisjoint({path.name, *(folders or [path.stem])})


# What git and the reports know ---------------------------------------------------------------------------------------


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-c", "core.quotepath=off", *arguments]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def commit(root: Path = ROOT) -> str:
    return (_git(root, "rev-parse", "HEAD") or "").strip()


def base(root: Path = ROOT) -> str | None:
    """The commit that HEAD is compared with; None where there is no history."""
    head = commit(root)
    for main in ("origin/main", "main"):
        if (met := (_git(root, "merge-base", "HEAD", main) or "").strip()) and met != head:
            return met
    return (_git(root, "rev-parse", "--verify", "--quiet", "HEAD^1") or "").strip() or None


def changed_files(root: Path = ROOT) -> set[str]:
    """Files that differ from `base`, committed or not; empty where nothing is known."""
    since = base(root)
    if since is None:
        return set()
    listed = [_git(root, "diff", "--name-only", "--no-renames", "-z", since)]
    listed.append(_git(root, "ls-files", "--others", "--exclude-standard", "-z"))
    return {path for text in listed if text for path in text.split("\0") if path}


def expected_seconds(names: list[str], last: Path = report.REPORT, recorded: Path = RECORDED) -> dict[str, float]:
    """Seconds that both runs of each notebook will take: as in the last report, as committed, or the budget."""
    seconds = {(row.notebook, row.runner): row.seconds for row in report.load(last)}
    committed = json.loads(recorded.read_text(encoding="utf-8")) if recorded.is_file() else {}

    def one(name: str, runner: str) -> float:
        return seconds.get((name, runner), committed.get(name, {}).get(runner, BUDGET_SECONDS[runner]))

    return {name: sum(one(name, runner) for runner in RUNNERS) for name in names}


def keep_seconds(last: Path = report.REPORT, recorded: Path = RECORDED) -> None:
    """Write the last report's seconds into the committed file; notebooks that did not run keep theirs."""
    kept = json.loads(recorded.read_text(encoding="utf-8")) if recorded.is_file() else {}
    for row in report.load(last):
        if row.runner in RUNNERS:
            kept.setdefault(row.notebook, {})[row.runner] = round(row.seconds)
    names = Course().names
    kept = {name: kept[name] for name in sorted(kept) if name in names}
    recorded.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def changed_notebooks(names: list[str], root: Path = ROOT) -> set[str]:
    paths = changed_files(root)
    return reading_of(paths, {name: own_files(name, root) for name in names}) if paths else set()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.selection", description="What would run first.")
    parser.add_argument("--keep", action="store_true", help=f"write {RECORDED.relative_to(ROOT)} from the last report")
    if parser.parse_args(arguments).keep:
        keep_seconds()
        return
    names = Course().names
    changed, seconds, paths = changed_notebooks(names), expected_seconds(names), changed_files()
    print(f"against {base() or 'nothing (no history)'}")
    for name in in_turn(names, changed, commit()):
        why = sorted(own_files(name) & paths) if name in changed else []
        print(f"{name:<28}{seconds[name]:5.0f} s  {', '.join(why[:3])}{' …' if len(why) > 3 else ''}")


if __name__ == "__main__":
    main()
