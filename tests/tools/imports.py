"""The direction of imports: notebooks → topic modules → models, scale, corpora. Files are read, nothing is imported."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

# the exercises themselves, the package they stand in, and the check that looks where progress is kept
MAY_IMPORT_EXERCISES = {"helpers", "exercises", "environment"}


def imports_go_one_way(root: Path) -> list[str]:
    """No import cycle among the helpers at import time, and no topic module that imports the exercises."""
    graph = {name: imported(path, root, top_level=True) for name, path in modules(root).items()}
    problems = [f"The helpers import each other in a circle: {' → '.join(circle)}." for circle in circles(graph)]
    for name, path in modules(root).items():
        if name.removeprefix("helpers.").split(".")[0] in MAY_IMPORT_EXERCISES:
            continue
        if any(f"{other}.".startswith("helpers.exercises.") for other in imported(path, root, top_level=False)):
            problems.append(f"{name} imports helpers.exercises; exercises import topics, never the other way.")
    return problems


@lru_cache(maxsize=16)
def modules(root: Path) -> dict[str, Path]:
    found = {}
    for path in sorted((root / "helpers").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, root: Path, top_level: bool) -> set[str]:
    """Helper modules that a file imports: when it is imported itself, or (`top_level=False`) anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in _at_import_time(tree) if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= named if named <= set(modules(root)) else named | {node.module}  # a package's face, or its modules
    return found & set(modules(root)) - {"helpers"}


def _at_import_time(tree: ast.AST) -> list[ast.AST]:
    """Nodes outside function bodies and outside `if TYPE_CHECKING`."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        found += [node, *_at_import_time(node)]
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """One example of each circle that a depth-first walk meets."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, [*trail, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found
