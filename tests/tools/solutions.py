"""Write the folded solution under every exercise of the notebooks, without executing anything.

    python -m tests.tools.solutions [NAME …]        # all notebooks without a NAME; `make notebooks` does it, too

The text comes from `helpers.exercises.solutions`, so that it is what `solution("name")` shows. A solution whose
exercise has gone is taken out. What this does *not* do: change any other cell or any output.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.tools.notebook import (
    ROOT,
    Course,
    Task,
    defined_exercise,
    is_exercise,
    is_solution,
    read,
    registered_tasks,
    selected,
)

# Markdown is read inside HTML only after a blank line.
FOLDED = "<details><summary>Solution</summary>\n\n```python\n{code}\n```\n\n</details>"


def folded_cell(exercise: NotebookNode, task: Task) -> NotebookNode:
    """The markdown cell that belongs under the cell `exercise`."""
    source = FOLDED.format(code=task.solution.strip("\n"))
    return nbformat.v4.new_markdown_cell(source, id=f"{exercise.id}-solution", metadata={"tags": ["solution"]})


def with_solutions(book: NotebookNode, tasks: Mapping[str, Task]) -> NotebookNode:
    """A copy of `book` with every folded solution as it should be: right under its exercise, and no other."""
    result = copy.deepcopy(book)
    result.cells = []
    for cell in book.cells:
        if is_solution(cell):
            continue
        result.cells.append(copy.deepcopy(cell))
        name = defined_exercise(cell.source) if cell.cell_type == "code" and is_exercise(cell) else None
        if name in tasks:
            result.cells.append(folded_cell(cell, tasks[name]))
    return result


def write(path: Path, tasks: Mapping[str, Task]) -> bool:
    """Bring the solutions of one stored notebook up to date; True where its file changed."""
    return store(path, with_solutions(read(path), tasks))


def store(path: Path, book: NotebookNode) -> bool:
    """Put `book` in the place of the file, whole or not at all; False where it is there already."""
    content = (nbformat.v4.writes(book).rstrip("\n") + "\n").encode("utf-8")
    if content == path.read_bytes():
        return False
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.solutions", description="Write folded solutions.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in 00_welcome; all notebooks where left out")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    course = Course(options.root, registered_tasks())
    try:
        for name in selected(course.names, ",".join(options.names) or None):
            changed = write(course.folder / f"{name}.ipynb", course.tasks)
            print(f"{name}: {'solutions written' if changed else 'unchanged'}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
