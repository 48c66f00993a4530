"""The course's version of an exercise, as a learner would write it: one text for `solution()` and for the notebooks.

The text can be copied over the whole exercise cell. It starts with the imports and constants that the code needs, then
come functions of the course that no learner could import, then `@exercise` and the definition. Docstring and
annotations are left out, since the exercise's own cell shows them.

What it does not do: show the text (`solution` in this room), or write it into notebooks (`tests/tools/solutions`).
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import resolve_name
from types import ModuleType

from helpers.exercises.checking import Exercise, homes

PACKAGE = __name__.split(".")[0]
HEADER_COLUMNS = 100
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def solution_source(spec: Exercise) -> str:
    """Python source that answers the exercise: its declared `ANSWER` if it has one, else the reference's own source.

    Other exercises of the notebook are called by their names, as a learner would call them.
    Raises ValueError where the code uses a name that nobody defines.
    """
    others = frozenset(name for name, notebook in homes().items() if notebook == spec.notebook)
    answer = spec.answer
    text = textwrap.dedent(answer or inspect.getsource(spec.reference)).strip("\n")
    module = sys.modules[spec.module if answer and spec.module else spec.reference.__module__]
    gathered = _Gathered(module, known=others | {spec.name, "exercise"})
    if answer:
        written = ast.parse(text)
        names = {node.name for node in written.body if isinstance(node, Definition)}
        gathered.known |= names
        body = _answer(text, spec.name)
    else:
        gathered.known |= {spec.reference.__name__}
        body = f"@exercise\n{plain_definition(text, spec.name)}"
    gathered.need(body)
    return f"{gathered.text()}\n\n\n{body}\n" if gathered.text() else f"{body}\n"


def _answer(text: str, name: str) -> str:
    """A declared answer with `@exercise` before the definition of `name`, whatever else stands in it."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, Definition) and node.name == name:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            return "\n".join([*lines[: first - 1], "@exercise", *lines[first - 1 :]])
    raise ValueError(f"the answer to exercise `{name}` does not define `{name}`")


# A definition without what the exercise's cell says already ----------------------------------------------------------


def plain_definition(text: str, name: str | None = None, *, docstring: bool = False) -> str:
    """The definition without annotations and decorators of its own, called `name`, its docstring's first line at most.

    Decorators of nested definitions stay. Comments and line breaks of the body stay as they are written.
    """
    text = textwrap.dedent(text).strip("\n")
    node = _definition(text)
    text = "\n".join(text.splitlines()[node.lineno - 1 :])  # without decorators
    for _ in range(text.count("\n") + 2):  # one header after the other, the innermost last
        before = text
        text = _one_header_plainer(text)
        if text == before:
            break
    text = _variables_plainer(text)
    node = _definition(text)
    if ast.get_docstring(node) is not None:
        text = _docstring_cut(text, node, docstring)
    if name and name != node.name:
        text = re.sub(rf"\b{re.escape(node.name)}\b", name, text)
    return text.rstrip()


def _definition(text: str) -> Definition:
    (node,) = ast.parse(text).body
    assert isinstance(node, Definition)
    return node


def _one_header_plainer(text: str) -> str:
    """`text` with the annotations of the first function that has any taken out and its header on as few lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _annotated(node):
            lines = text.splitlines()
            first, last = node.lineno - 1, _header_end(node, lines)
            indent = re.match(r"\s*", lines[first])[0]
            rest = lines[last][_colon(node, lines, last) + 1 :]
            header = _header(node, text)
            if len(indent) + len(header) > HEADER_COLUMNS:
                header = _header(node, text, ("\n    ", ",\n    ", ",\n"))
            return "\n".join([*lines[:first], textwrap.indent(header, indent) + rest, *lines[last + 1 :]])
    return text


def _variables_plainer(text: str) -> str:
    """`text` with `counts = {}` for every `counts: dict[str, int] = {}` inside a function."""
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        for node in _statements(function):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                at = node.lineno - 1
                lines[at] = re.sub(r":.*? = ", " = ", lines[at], count=1)
    return "\n".join(lines)


def _statements(node: ast.AST) -> list[ast.stmt]:
    """The statements of a function, those of its loops and branches too; none for anything else."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    return [item for item in ast.walk(node) if isinstance(item, ast.stmt)]


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [*named, *(item for item in (given.vararg, given.kwarg) if item is not None)]


def _annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.returns is not None or any(item.annotation is not None for item in _arguments(node))


def _header(
    node: ast.FunctionDef | ast.AsyncFunctionDef, text: str, around: tuple[str, str, str] = ("", ", ", "")
) -> str:
    """`def name(arguments):` without annotations, every default as it is written.

    `around`: what stands before the first argument, between two of them, and behind the last.
    """
    given = node.args

    def with_default(item: ast.arg, default: ast.expr | None) -> str:
        return item.arg if default is None else f"{item.arg}={ast.get_source_segment(text, default)}"

    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    parts = [with_default(*pair) for pair in zip(positional, defaults, strict=True)]
    if given.posonlyargs:
        parts.insert(len(given.posonlyargs), "/")
    if given.vararg:
        parts.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        parts.append("*")
    parts += [with_default(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg:
        parts.append(f"**{given.kwarg.arg}")
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    before, between, behind = around
    return f"{kind} {node.name}({before}{between.join(parts)}{behind}):"


def _header_end(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Index of the line on which the header's colon stands."""
    ends = [node.returns, *(item for item in _arguments(node)), *node.args.defaults]
    ends += [item for item in node.args.kw_defaults if item is not None]
    last = max([node.lineno, *(item.end_lineno or 0 for item in ends if item is not None)]) - 1
    while not re.search(r":\s*(#.*|\.\.\.)?$", lines[last]) and last + 1 < node.body[0].lineno:
        last += 1
    return last


def _colon(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], last: int) -> int:
    """Column of that colon: the first one behind everything that the header holds."""
    column = 0
    if node.returns is not None and node.returns.end_lineno == last + 1:
        column = node.returns.end_col_offset or 0
        column = len(lines[last].encode()[:column].decode())
    else:
        column = max(lines[last].rfind(")"), 0)
    return lines[last].index(":", column)


def _docstring_cut(text: str, node: Definition, keep_first_line: bool) -> str:
    lines, first = text.splitlines(), node.body[0]
    summary = (ast.get_docstring(node) or "").splitlines()[0]
    kept = [" " * first.col_offset + f'"""{summary}"""'] if keep_first_line or len(node.body) == 1 else []
    rest = lines[first.end_lineno :]
    while rest and not rest[0].strip():
        rest = rest[1:]
    return "\n".join([*lines[: first.lineno - 1], *kept, *rest])


# What the definition needs -------------------------------------------------------------------------------------------


@dataclass
class _Gathered:
    """Imports, constants and functions that a text needs, found from `module`'s own file and what it imports."""

    module: ModuleType
    known: frozenset[str]
    imports: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def need(self, text: str, module: ModuleType | None = None) -> None:
        """Resolve every name that `text` reads and does not define, as `module` (by default the own one) does."""
        for name in free_names(text):
            if name not in self.known and name not in self.seen:
                self.seen.add(name)
                self._resolve(name, module or self.module)

    def _resolve(self, name: str, module: ModuleType) -> None:
        found = _bindings(module).get(name)
        if found is None:
            raise ValueError(f"a solution needs `{name}`, which {module.__name__} does not define")
        node, segment = found
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._imported(name, node, module)
        elif isinstance(node, Definition) and _importable(name, module):
            self.imports.append(_import_line(name, module))
        elif isinstance(node, Definition):
            shown = plain_definition(segment, docstring=True) if not isinstance(node, ast.ClassDef) else segment
            self.need(shown, module)
            self.functions.append(shown)
        elif "\n" in segment and _importable(name, module):
            self.imports.append(_import_line(name, module))
        else:
            shown = _unannotated(node, segment)
            self.need(shown, module)
            self.constants.append(shown)

    def _imported(self, name: str, node: ast.Import | ast.ImportFrom, module: ModuleType) -> None:
        alias = next(item for item in node.names if (item.asname or item.name.split(".")[0]) == name)
        suffix = f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.Import):
            self.imports.append(f"import {alias.name}{suffix}")
            return
        source = resolve_name("." * node.level + (node.module or ""), module.__package__)
        if source.split(".")[0] != PACKAGE:
            self.imports.append(f"from {source} import {alias.name}{suffix}")
            return
        origin = importlib.import_module(source)
        if isinstance(getattr(origin, alias.name, None), ModuleType):
            self.imports.append(f"from {source} import {alias.name}{suffix}")
        elif alias.asname:
            self.imports.append(_import_line(alias.name, origin) + suffix)
        else:
            self._resolve(alias.name, origin)

    def text(self) -> str:
        groups = [_merged(self.imports), list(dict.fromkeys(self.constants))]
        blocks = ["\n".join(group) for group in groups if group]
        head = "\n\n".join(blocks)
        return "\n\n\n".join(filter(None, [head, *dict.fromkeys(self.functions)]))


def _importable(name: str, module: ModuleType) -> bool:
    """May a learner's cell import it? Not what is private, and nothing of the exercises' own room."""
    return not name.startswith("_") and not module.__name__.startswith(__package__)


def _import_line(name: str, module: ModuleType) -> str:
    """From the room's face where it offers the name, else from the module."""
    face = importlib.import_module(module.__name__.rpartition(".")[0] or module.__name__)
    offered = face.__name__ != PACKAGE and getattr(face, name, None) is getattr(module, name)
    return f"from {face.__name__ if offered else module.__name__} import {name}"


def _merged(imports: list[str]) -> list[str]:
    """The import lines in order (standard library, others, the course), one line per module."""
    plain = {line for line in imports if line.startswith("import ") or " as " in line}
    names: dict[str, set[str]] = {}
    for line in set(imports) - plain:
        _, source, _, name = line.split()
        names.setdefault(source, set()).add(name)
    lines = [*plain, *(f"from {source} import {', '.join(sorted(group))}" for source, group in names.items())]
    return sorted(lines, key=_import_order)


def _import_order(line: str) -> tuple[bool, bool, bool, str]:
    source = line.split()[1].split(".")[0]
    return source == PACKAGE, source not in sys.stdlib_module_names, line.startswith("from"), line


def _unannotated(node: ast.stmt, segment: str) -> str:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return f"{ast.unparse(node.target)} = {ast.get_source_segment(segment, ast.parse(segment).body[0].value)}"
    return segment


@cache
def _bindings(module: ModuleType) -> dict[str, tuple[ast.stmt, str]]:
    """What stands at the top of the module's file, by the name that it binds, with its source."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    found: dict[str, tuple[ast.stmt, str]] = {}
    for node in _top(ast.parse(source).body):
        segment = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        for name in _bound(node):
            found[name] = (node, segment)
    return found


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If):  # `if TYPE_CHECKING:`
            yield from _top(node.body)
        else:
            yield node


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, Definition):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [item.asname or item.name.split(".")[0] for item in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [item.id for target in targets if target for item in ast.walk(target) if isinstance(item, ast.Name)]


def free_names(text: str) -> list[str]:
    """Global names that the code reads and does not define itself, built-ins left out, in order of the alphabet."""
    import symtable

    table = symtable.symtable(text, "<solution>", "exec")
    defined = {item.get_name() for item in table.get_symbols() if item.is_assigned() or item.is_imported()}
    read: set[str] = set()

    def walk(scope: symtable.SymbolTable) -> None:
        for item in scope.get_symbols():
            outer = scope.get_type() == "module"
            if item.is_referenced() and (outer or item.is_global()):
                read.add(item.get_name())
        for child in scope.get_children():
            walk(child)

    walk(table)
    return sorted(name for name in read - defined if not hasattr(builtins, name) and name != "__file__")
