"""Reading notebooks the way the rules need them.

A `Page` is one notebook with its course around it; a `Course` is a repository root with the exercises of its notebooks.
The rules stand in `hygiene` (what is stored), `anatomy` (how a lesson is built) and `practice` (its exercises). A rule
is a function `rule(page) -> list[str]`: one sentence per problem, an empty list where all is well.

Not here: running notebooks (`execute`, `runners`).
"""

from __future__ import annotations

import ast
import difflib
import html
import inspect
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"(?P<number>\d\d)(?P<part>[b-z]?)_[a-z0-9]+(?:_[a-z0-9]+)*")
QUICK, SLOW = (200, 0.5), (180, 1)  # words per minute, minutes per code cell


@dataclass(frozen=True)
class Task:
    """What the rules need to know about one exercise."""

    name: str
    notebook: str
    minutes: float
    difficulty: int
    reference: str  # source of the course's version
    planted: Callable[..., Any] | type | None = None  # debug exercises: what stands in the cell, bug included
    solution: str = ""  # what stands folded under the exercise's cell


@dataclass(frozen=True)
class Course:
    """A repository: `root` holds README.md and notebooks/; `tasks` maps an exercise's name to what is known of it."""

    root: Path = ROOT
    tasks: Mapping[str, Task] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / "notebooks"

    @cached_property
    def names(self) -> list[str]:
        """Notebook names in the order of the course: 00_welcome, 00b_foundations, 01_tokenization …"""
        return sorted((path.stem for path in self.folder.glob("*.ipynb")), key=course_order)

    def page(self, name: str) -> Page:
        return Page(self.folder / f"{name}.ipynb", self)

    @cached_property
    def canonical_setup(self) -> str | None:
        """Source of the first notebook's set-up cell, which every other notebook repeats; None without notebooks."""
        if not self.names:
            return None
        return next((cell.source for cell in self.page(self.names[0]).code if cell.get("id") == "setup"), None)


@dataclass(frozen=True)
class Page:
    """One stored notebook. Reading it repairs nothing: what is wrong in the file is wrong here."""

    path: Path
    course: Course

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def nb(self) -> NotebookNode:
        return read(self.path)

    @cached_property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.nb.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> list[NotebookNode]:
        return [cell for cell in self.nb.cells if cell.cell_type == "markdown"]

    @cached_property
    def title_cell(self) -> str:
        return self.markdown[0].source if self.markdown else ""

    @cached_property
    def prose(self) -> str:
        """All that is written and not code; folded solutions are not part of it."""
        return "\n\n".join(cell.source for cell in self.markdown if not is_solution(cell))

    @cached_property
    def exercises(self) -> list[tuple[NotebookNode, str]]:
        """Each exercise cell with the name it defines ("" where the decorated definition cannot be found)."""
        return [(cell, defined_exercise(cell.source) or "") for cell in self.code if is_exercise(cell)]

    @property
    def number(self) -> str:
        """What quizzes and links call it: "00", "00b"."""
        match = NAME.fullmatch(self.name)
        return match["number"] + match["part"] if match else self.name.split("_")[0]


def read(path: Path) -> NotebookNode:
    """The notebook as stored, multi-line strings joined; unlike `nbformat.read` it repairs and validates nothing."""
    return nbformat.reader.reads(path.read_text(encoding="utf-8"))


def course_order(name: str) -> tuple[str, str, str]:
    match = NAME.fullmatch(name)
    return (match["number"], match["part"], name) if match else ("~", "", name)


def course() -> Course:
    """This repository with the exercises that `helpers.exercises.checking` declares."""
    return Course(ROOT, registered_tasks())


def registered_tasks() -> dict[str, Task]:
    """Every declared exercise; references are read with `inspect`, so that they are what stands in the file."""
    from helpers.exercises.checking import registry  # late: the rules themselves need neither helpers nor torch
    from helpers.exercises.solutions import solution_source

    def task(spec: Any) -> Task:
        source = textwrap.dedent(inspect.getsource(spec.reference))
        solution = solution_source(spec)
        return Task(spec.name, spec.notebook, spec.minutes, spec.difficulty, source, spec.planted, solution)

    return {name: task(spec) for name, spec in registry().items()}


def selected(names: list[str], wanted: str | None = None) -> list[str]:
    """The notebooks that NB (a name or a comma-separated list) chooses, in its order; all of them where it is empty.

    Raises ValueError, one sentence naming the nearest notebook, for a name that no notebook has.
    """
    wanted = os.environ.get("NB", "") if wanted is None else wanted
    asked = [item.strip().removeprefix("notebooks/").removesuffix(".ipynb") for item in wanted.split(",")]
    asked = [item for item in asked if item]
    for item in asked:
        if item not in names:
            near = difflib.get_close_matches(item, names, n=1, cutoff=0.0)
            raise ValueError(
                f"There is no notebook {item!r}; " + (f"did you mean {near[0]!r}?" if near else "notebooks/ is empty.")
            )
    return list(dict.fromkeys(asked)) if asked else list(names)


# What a cell is ------------------------------------------------------------------------------------------------------


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def label(cell: NotebookNode) -> str:
    return f"cell {cell.get('id', '?')!r}"


def parse(source: str) -> ast.Module | None:
    """The cell's syntax tree, IPython's `%` and `!` lines left out; None where it does not parse."""
    lines = ["" if re.match(r"\s*[%!]", line) else line for line in source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return None


def is_exercise(cell: NotebookNode) -> bool:
    return "exercise" in tags(cell) or bool(re.search(r"^@exercise\b", cell.source, re.MULTILINE))


def is_solution(cell: NotebookNode) -> bool:
    """The markdown cell with a folded solution, which `tests.tools.solutions` writes."""
    return cell.cell_type == "markdown" and "solution" in tags(cell)


def exercise_node(source: str) -> ast.FunctionDef | ast.ClassDef | None:
    """The first definition that `@exercise` (or `@exercise(...)`) decorates."""
    tree = parse(source)
    for node in tree.body if tree else []:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and "exercise" in map(_decorator_name, node.decorator_list):
            return node
    return None


def _decorator_name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def defined_exercise(source: str) -> str | None:
    node = exercise_node(source)
    return node.name if node else None


def calls(cell: NotebookNode, function: str) -> list[ast.Call]:
    """Calls of `function(...)` in a code cell, however deep."""
    tree = parse(cell.source)
    nodes = ast.walk(tree) if tree else iter(())
    return [node for node in nodes if isinstance(node, ast.Call) and _decorator_name(node) == function]


# What a reader sees --------------------------------------------------------------------------------------------------


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Every textual output of a code cell: streams, plain text, HTML both raw and as read, errors."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield "\n".join([output.ename, output.evalue, *output.traceback])
        else:
            for mime, data in output.data.items():
                if mime.startswith("image/") and mime != "image/svg+xml":
                    continue
                text = data if isinstance(data, str) else repr(data)
                yield text
                if mime == "text/html":
                    yield html_to_text(text)


def html_to_text(markup: str) -> str:
    markup = re.sub(r"<(style|script)\b.*?</\1>", "", markup, flags=re.DOTALL | re.IGNORECASE)
    markup = re.sub(r"<(?:br|/p|/div|/tr|/li)\b[^>]*>", "\n", markup, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def without_code(markdown: str) -> str:
    """Markdown with fenced blocks and inline code taken out, so that what they show is not read as a link."""
    markdown = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", markdown)


def words(markdown: str) -> int:
    """Words that a reader reads: link targets, HTML tags, comments and bare punctuation do not count."""
    markdown = re.sub(r"<!--.*?-->", " ", markdown, flags=re.DOTALL)
    markdown = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", markdown)
    markdown = re.sub(r"\]\([^)]*\)", "] ", markdown)
    markdown = re.sub(r"<[^>]+>|https?://\S+", " ", markdown)
    return sum(any(ch.isalnum() for ch in token) for token in markdown.split())


def computed_minutes(page: Page, pace: tuple[float, float] = QUICK) -> float:
    """words / 200 + half a minute per code cell (exercise cells included) + the minutes of the page's exercises."""
    practice = sum(page.course.tasks[name].minutes for _, name in page.exercises if name in page.course.tasks)
    words_per_minute, minutes_per_cell = pace
    return words(page.prose) / words_per_minute + minutes_per_cell * len(page.code) + practice


def stated_minutes(page: Page) -> int | None:
    """The number in the title cell's line "**30 minutes** · needs: … · peak memory … GB"."""
    match = re.search(r"^\*\*(\d+) minutes\*\*", page.title_cell, re.MULTILINE)
    return int(match[1]) if match else None


def stated_peak_gb(page: Page) -> float | None:
    """The peak memory in gigabytes that the same line promises."""
    match = re.search(r"peak memory (?:about )?(\d+\.\d) GB", page.title_cell)
    return float(match[1]) if match else None


def headings(page: Page, level: int = 2) -> list[str]:
    mark = "#" * level
    found = []
    for cell in page.markdown:
        bare = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", cell.source, flags=re.DOTALL | re.MULTILINE)
        found += [match[1].strip() for match in re.finditer(rf"^{mark} +(.+)$", bare, re.MULTILINE)]
    return found
