"""The course's version of an exercise as a text that can be copied over the whole exercise cell.

It is the answer as it stands in the exercise's file, under `@exercise`, after the imports, constants and functions of
that file which it needs. For a file of the old form it is what stands folded in the notebook.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache

from helpers.exercises.checking import registry
from helpers.exercises.checking.spec import Exercise
from helpers.files.paths import ROOT

DEFINITION = ast.FunctionDef | ast.ClassDef
FOLDED = re.compile(r"```python\n(?P<code>(?:.*\n)*?@exercise\n(?:@.*\n)*(?:def|class) (?P<name>\w+)(?:.*\n)*?.*)\n```")


def solution_source(spec: Exercise) -> str:
    """Python source that answers the exercise."""
    loaded = registry().load(spec.name)
    body = f"@exercise\n{loaded.answer.code}"
    if loaded.file.is_relative_to(ROOT / "helpers"):
        return _folded(spec.notebook).get(spec.name, body)
    return "\n\n\n".join([*_needed(loaded.file.read_text(encoding="utf-8"), spec.name), body])


def _needed(text: str, name: str) -> list[str]:
    """What the definition of `name` needs of the top level of its file: imports and constants, then each function.

    Relative imports are left out: they bring other exercises, which the notebook has by the same names.
    """
    body = [node for node in ast.parse(text).body if not getattr(node, "level", 0)]
    home = {bound: node for node in body for bound in bound_by(node)}
    needed, todo = set(), [home[name]]
    while todo:
        node = todo.pop()
        needed.add(node)
        read = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        todo += [home[found] for found in read & home.keys() if home[found] not in needed]
    plain, functions = [], []
    for node in [node for node in body if node in needed - {home[name]}]:
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        segment = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
        (functions if isinstance(node, DEFINITION) else plain).append(segment)
    return [*(["\n".join(plain)] if plain else []), *functions]


def bound_by(node: ast.stmt) -> list[str]:
    """The names that a statement of the top level binds."""
    if isinstance(node, DEFINITION):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [item.asname or item.name.split(".")[0] for item in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    inside = [item for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)]
    return [item.id for item in inside if isinstance(item.ctx, ast.Store)]


@cache
def _folded(notebook: str) -> dict[str, str]:
    """The folded solutions of a notebook by the exercise that they answer."""
    file = ROOT / "notebooks" / f"{notebook}.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"] if file.is_file() else []
    texts = ["".join(cell["source"]) for cell in cells if "solution" in cell["metadata"].get("tags", ())]
    return {found["name"]: found["code"] + "\n" for text in texts if (found := FOLDED.search(text))}
