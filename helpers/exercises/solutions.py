"""The course's version of an exercise as a text that can be copied over the whole exercise cell.

It is the answer as it stands in the exercise's file, under `@exercise`, after the imports, constants and functions of
that file which it needs. For a file of the old form it is what stands folded in the notebook.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from functools import cache

from helpers.exercises.checking import Exercise, registry
from helpers.files.paths import ROOT

FENCED = re.compile(r"```python\n(.*?)\n```", re.DOTALL)


def solution_source(spec: Exercise) -> str:
    """Python source that answers the exercise."""
    if spec.name not in registry():
        return f"@exercise\n{inspect.getsource(spec.reference)}"
    loaded = registry().load(spec.name)
    if loaded.file.is_relative_to(ROOT / "helpers"):
        return _folded(spec.notebook).get(spec.name) or f"@exercise\n{loaded.answer.code}"
    needed = _needed(loaded.file.read_text(encoding="utf-8"), spec.name)
    return "\n\n\n".join(filter(None, [needed, f"@exercise\n{loaded.answer.code}"]))


def _needed(text: str, name: str) -> str:
    """What the definition of `name` needs of the top level of its file, in the file's order.

    Relative imports are left out: they bring other exercises, which the notebook has by the same names.
    """
    body = [node for node in ast.parse(text).body if not (isinstance(node, ast.ImportFrom) and node.level)]
    home = {bound: node for node in body for bound in bound_by(node)}
    needed, todo = [], [home[name]]
    while todo:
        node = todo.pop()
        needed.append(node)
        read = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        todo += [home[found] for found in read if found in home and home[found] not in needed + todo]
    groups: dict[bool, list[str]] = {False: [], True: []}
    for node in body:
        if node in needed and node is not home[name]:
            segment = "\n".join(text.splitlines()[_first(node) - 1 : node.end_lineno])
            groups[isinstance(node, DEFINITION)].append(segment)
    plain = "\n".join(groups[False])
    return "\n\n\n".join(filter(None, [plain, *groups[True]]))


DEFINITION = ast.FunctionDef | ast.ClassDef


def _first(node: ast.stmt) -> int:
    return min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])


def bound_by(node: ast.stmt) -> list[str]:
    """The names that a statement of the top level binds."""
    if isinstance(node, DEFINITION):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [item.asname or item.name.split(".")[0] for item in node.names]
    return [item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)]


@cache
def _folded(notebook: str) -> dict[str, str]:
    """The folded solutions of a notebook by the exercise that they answer."""
    file = ROOT / "notebooks" / f"{notebook}.ipynb"
    if not file.is_file():
        return {}
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if "solution" in cell["metadata"].get("tags", ())]
    codes = [found[1] + "\n" for text in texts if (found := FENCED.search(text))]
    names = [re.search(r"^@exercise\n(?:@.*\n)*(?:def|class) (\w+)", code, re.MULTILINE) for code in codes]
    return {name[1]: code for name, code in zip(names, codes, strict=True) if name}
