"""The direction of imports among the helpers. Files are read, nothing is imported.

The floors, circles and who may import `trials` and `exercises` are contracts of import-linter in pyproject.toml. What
they cannot see stands here: names that are fetched through a room's face, and the exercises' files, whose folders bear
names of notebooks (`10_rag`) that are no names of Python.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def contracts_hold(root: Path) -> list[str]:
    """What import-linter says of the repository at `root` where a contract is broken; empty where all are kept."""
    command = [sys.executable, "-c", LINT]
    env = os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, encoding="utf-8", check=False)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def no_face_inside(root: Path) -> list[str]:
    """Modules of helpers name the modules that they import; a room's face is for notebooks, tests and users."""
    problems = []
    for file, line, module, name in _imports(root):
        parts = module.split(".")
        if len(parts) != 2 or not (root / "helpers" / parts[1] / "__init__.py").is_file():
            continue
        if name is None or not _is_module(root / "helpers" / parts[1] / name):
            what = f"{name} from {module}" if name else module
            problems.append(f"{file}:{line} imports {what}: name the module that holds it, not the face of its room.")
    return problems


def exercises_keep_below_the_environment(root: Path) -> list[str]:
    """An exercise's file imports no `environment` and no exercise of another notebook."""
    problems = []
    for file, line, module, name in _imports(root):
        if file.startswith("helpers/exercises/course/"):
            whole = f"{module}.{name}" if name else module
            if f"{whole}.".startswith(("helpers.environment.", "helpers.exercises.course.")):
                problems.append(f"{file}:{line} imports {whole}.")
    return problems


def _imports(root: Path) -> Iterator[tuple[str, int, str, str | None]]:
    """(file, line, module, name) of every absolute import of helpers in helpers; no name for `import module`."""
    for path in sorted((root / "helpers").rglob("*.py")):
        file = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found: list[tuple[str, str | None]] = []
            if isinstance(node, ast.Import):
                found = [(alias.name, None) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found = [(node.module, alias.name) for alias in node.names]
                if node.module == "helpers":
                    found = [(f"helpers.{alias.name}", None) for alias in node.names]
            yield from ((file, node.lineno, module, name) for module, name in found if module.startswith("helpers."))


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


RULES = (contracts_hold, no_face_inside, exercises_keep_below_the_environment)
