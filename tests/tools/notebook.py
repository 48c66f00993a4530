"""Reading notebooks: which there are, what is in their cells, what their cells show."""

from __future__ import annotations

import ast
import html
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def chosen() -> list[str]:
    """The notebooks that NB names (comma-separated), all where it is empty. Raises ValueError for an unknown one."""
    asked = [name.strip() for name in os.environ.get("NB", "").split(",") if name.strip()]
    for name in asked:
        if name not in NAMES:
            raise ValueError(f"There is no notebook {name!r}; there are {', '.join(NAMES)}.")
    return asked or NAMES


def not_reworked() -> list[str]:
    """The notebooks that still have their old form; every other one is held to the limits of a lesson."""
    return (ROOT / "tests" / "not_reworked.txt").read_text(encoding="utf-8").split()


def read(path: Path) -> NotebookNode:
    """The notebook as stored, multi-line strings joined."""
    return nbformat.reader.reads(path.read_text(encoding="utf-8"))


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def code_cells(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def parse(source: str) -> ast.Module:
    """The cell's syntax tree; IPython's `%` and `!` lines are left out."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))


def exercise_node(cell: NotebookNode) -> ast.FunctionDef | ast.ClassDef | None:
    """The definition that `@exercise` decorates, where the cell holds one."""
    if cell.cell_type != "code" or "@exercise" not in cell.source:
        return None
    for node in parse(cell.source).body:
        if any(ast.unparse(item).startswith("exercise") for item in getattr(node, "decorator_list", [])):
            return node
    return None


def parameters(book: NotebookNode) -> dict[str, object]:
    """What the cell tagged `parameters` sets. Raises ValueError where it is not one `NAME = literal` a line."""
    found = {}
    for cell in code_cells(book):
        for node in parse(cell.source).body if "parameters" in tags(cell) else []:
            try:
                [target] = node.targets
                found[target.id] = ast.literal_eval(node.value)
            except (AttributeError, ValueError):
                raise ValueError(f"its parameters cell holds {ast.unparse(node)!r}, not NAME = literal") from None
            if node.lineno != node.end_lineno:
                raise ValueError(f"its parameter {target.id} takes more than one line")
    return found


def title(book: NotebookNode) -> tuple[str, int | None, float | None]:
    """The question in bold, the minutes and the peak memory in GB that the first cell states."""
    text = book.cells[0].source
    question = re.match(r"# .+\n+\*\*(.+\?)\*\*\n", text)
    facts = re.search(r"^\*\*(\d+) minutes\*\* · needs: .+ · peak memory (\d\.\d) GB$", text, re.MULTILINE)
    numbers = (int(facts[1]), float(facts[2])) if facts else (None, None)
    return (question[1] if question else "", *numbers)


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Every text that a code cell shows: streams, plain text, HTML as read, errors, and what describes a figure."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield "\n".join([output.ename, output.evalue, *output.traceback])
        else:
            for mime, data in output.data.items():
                if mime.startswith("image/"):
                    yield output.metadata.get(mime, {}).get("alt", "")
                else:
                    text = data if isinstance(data, str) else repr(data)
                    yield html_to_text(text) if mime == "text/html" else text


def html_to_text(markup: str) -> str:
    markup = re.sub(r"<(style|script)\b.*?</\1>", "", markup, flags=re.DOTALL | re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]+>", " ", markup))
