"""The limits of a lesson. Each broken one is a sentence with its figure and the limit.

Counted: words of Markdown after the title cell, without references and folded solutions; non-blank lines of code cells
that are not tagged `setup`, `parameters` or `hide-input`; figures by their outputs, drawn diagrams where the cell is
tagged `diagram`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tests.tools.notebook import ROOT, code_cells, exercise_node, output_texts, parameters, parse, read, tags, title

MOST_BYTES = 1_000_000
CELL_LINES, ONE_CELL = 20, 45
MACHINE_PATH = re.compile(  # in pieces, so that this file does not hold what it forbids
    r"(?<![\w.:/-])/(?:home|Users|ro" + r"ot|tmp|work|private|mnt)/\w|[A-Z]:\\\\?Users|[/\\]site-" + r"packages"
)
UNWANTED = re.compile(r"\bSCALE\b|\bdial\b|\bcatch_up\b|\bglobals\(\)|\blambda\b")
SET_UP: dict[str, str] = {}  # the set-up cell that all lessons share, and the lesson that it was first seen in


def stored_well(path: Path) -> list[str]:
    """What holds for every notebook: executed in order, no error, at most 1 MB, no path of one machine."""
    book, problems = read(path), []
    code = code_cells(book)
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        problems.append("its code cells were not executed in order: run make notebooks")
    for cell in code:
        shown = "\n".join([cell.source, *output_texts(cell)])
        if any(output.output_type == "error" for output in cell.outputs):
            problems.append(f"the cell {cell.id!r} ends in an error")
        if found := MACHINE_PATH.search(shown):
            problems.append(f"the cell {cell.id!r} holds a path of one machine, {found[0]!r}")
    if (size := path.stat().st_size) > MOST_BYTES:
        problems.append(f"it takes {size:,} bytes, at most {MOST_BYTES:,}")
    return sentences(path, problems)


def limits(path: Path) -> list[str]:
    """What a lesson breaks of its limits."""
    book = read(path)
    body = [cell for cell in code_cells(book) if not tags(cell) & {"setup", "parameters", "hide-input"}]
    problems = [*too_much(book, body), *frame(book, path.stem), *exercises(book, path.stem), *figures(book)]
    for cell in body:
        for found in UNWANTED.findall(cell.source):
            problems.append(f"the cell {cell.id!r} holds {found}")
        if "progress(" in cell.source and path.stem != "00_welcome":
            problems.append(f"the cell {cell.id!r} calls progress(), which only 00_welcome does")
    return sentences(path, problems)


def sentences(path: Path, problems: list[str]) -> list[str]:
    return [f"{path.name}: {problem}." for problem in problems]


def too_much(book: NotebookNode, body: list[NotebookNode]) -> Iterator[str]:
    texts = [cell.source for cell in book.cells[1:] if cell.cell_type == "markdown" and "<details>" not in cell.source]
    lines = [line for cell in body for line in cell.source.splitlines()]
    long = [len(cell.source.splitlines()) for cell in body if len(cell.source.splitlines()) > CELL_LINES]
    trees = [node for cell in body for node in ast.walk(parse(cell.source))]
    imported = {
        alias.name
        for node in trees
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers")
        for alias in node.names
        if node.module != "helpers.exercises"
    }
    predictions = [node for node in trees if isinstance(node, ast.Call) and ast.unparse(node.func) == "predict"]
    sections = re.findall(r"^## (\d+) · ", "\n".join(texts), re.MULTILINE)
    counts = (
        ("words", sum(len(text.split("## References")[0].split()) for text in texts), 2000),
        ("lines of code", sum(bool(line.strip()) for line in lines), 200),
        ("lines over 88 characters", sum(len(line) > 88 for line in lines), 0),
        (f"cells of more than {CELL_LINES} lines", len(long), 1),
        ("lines in its longest cell", max(long, default=0), ONE_CELL),
        ("numbered sections", len(sections), 5),
        ("predictions", len(predictions), 2),
        ("names from helpers", len(imported), 12),
        ("recorded experiments", len(set(re.findall(r"\brecorded\(.+?\)", "\n".join(lines)))), 1),
        ("asserts", sum(isinstance(node, ast.Assert) for node in trees), 5),
    )
    yield from (f"{number:,} {what}, at most {most:,}" for what, number, most in counts if number > most)
    if sections != [str(number + 1) for number in range(len(sections))]:
        yield f"its sections are numbered {', '.join(sections)}"


def frame(book: NotebookNode, name: str) -> Iterator[str]:
    """Title with one question and its minutes; set-up; parameters; *So*, which answers."""
    question, minutes, _ = title(book)
    if not question:
        yield "its title line is not followed by one question in bold"
    if minutes is None:
        yield 'its first cell lacks the line "**55 minutes** · needs: … · peak memory 1.5 GB"'
    if not re.search(r"^\*\*So\b", "\n".join(c.source for c in book.cells if c.cell_type == "markdown"), re.MULTILINE):
        yield "no paragraph begins with **So and answers the question"
    first = [cell.source for cell in code_cells(book) if "setup" in tags(cell)]
    if len(first) != 1 or len(first[0].splitlines()) > 10:
        yield f"{[len(source.splitlines()) for source in first]} lines in cells tagged setup: one cell, at most 10"
    elif first[0] != SET_UP.setdefault("source", first[0]):
        yield f"its set-up cell is not that of {SET_UP['lesson']}"
    SET_UP.setdefault("lesson", name)
    try:
        parameters(book)
    except ValueError as error:
        yield str(error)


def exercises(book: NotebookNode, name: str) -> Iterator[str]:
    """Two checked and one optional; each a stub, with the function of its file folded under it."""
    checked = optional = 0
    for number, cell in enumerate(book.cells):
        if not (node := exercise_node(cell)):
            continue
        said = book.cells[number - 1].source
        checked, optional = checked + ("optional" not in said), optional + ("optional" in said)
        if not any("not attempted" in text for text in output_texts(cell)):
            yield f"the exercise {node.name} does not show [not attempted]: its cell holds an answer"
        file = ROOT / "notebooks" / "exercises" / name / f"{node.name}.py"
        below = [after for after in book.cells[number + 1 : number + 3] if "<details>" in after.source]
        code = re.search(r"<details>.*?```python\n(.*?)```.*?</details>", below[0].source if below else "", re.DOTALL)
        if not file.exists():
            yield f"the exercise {node.name} has no file notebooks/exercises/{name}/{node.name}.py"
        elif not code or meaning(code[1], node.name) != meaning(file.read_text(encoding="utf-8"), node.name):
            yield f"under the exercise {node.name} its file's function does not stand folded in <details>"
    if checked > 2 or optional > 1:
        yield f"{checked} checked exercises and {optional} optional, at most 2 and 1"


def meaning(source: str, name: str) -> str:
    """The definition of `name` in a text, without decorators and docstring; "" where it has none."""
    for node in ast.parse(source).body:
        if getattr(node, "name", None) == name:
            node.decorator_list = []
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
            return ast.dump(node)
    return ""


def figures(book: NotebookNode) -> Iterator[str]:
    drawn = {"measured figures": 0, "drawn diagrams": 0}
    for cell in code_cells(book):
        for output in cell.outputs:
            for mime in output.get("data", {}):
                if mime.startswith("image/"):
                    drawn["drawn diagrams" if "diagram" in tags(cell) else "measured figures"] += 1
                    if not output.metadata.get(mime, {}).get("alt", "").strip():
                        yield f"a figure of the cell {cell.id!r} has no alt text in its output's metadata"
    for (what, number), most in zip(drawn.items(), (4, 2), strict=True):
        if number > most:
            yield f"{number} {what}, at most {most}"
