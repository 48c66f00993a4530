"""A small course in which every rule holds, for tests that plant one defect in it and see the rule find it."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.tools.notebook import Course, Page, Task, computed_minutes
from tests.tools.solutions import with_solutions

REPO, BRANCH = "some-owner/some-course", "main"
SETUP = "import sys\nfrom pathlib import Path\nprint('ready')"
FIRST, SECOND = "00_first", "01_second"


def triple(x: float) -> float:
    """Three times x."""
    doubled = x + x
    tripled = doubled + x
    checked = float(tripled)
    return checked


def halve(x: float) -> float:
    """Half of x."""
    half = x / 2
    result = half
    return result


def halve_with_a_bug(x: float) -> float:
    """Half of x."""
    half = x / 3
    result = half
    return result


def later(x: float) -> float:
    """An exercise of the second notebook, which the first must not give away."""
    squared = x * x
    cubed = squared * x
    fourth = cubed * x
    return fourth


def source_of(function: Callable) -> str:
    import inspect

    return textwrap.dedent(inspect.getsource(function))


def task(function: Callable, notebook: str, minutes: int, difficulty: int, planted: Callable | None = None) -> Task:
    source = source_of(function)
    return Task(function.__name__, notebook, minutes, difficulty, source, planted, f"@exercise\n{source}")


TRIPLE_ANSWER = """\
@exercise
def triple(x):
    once = float(x)
    twice = once + once
    thrice = twice + once
    return thrice
"""
TASKS = {
    "triple": replace(task(triple, FIRST, 2, 1), solution=TRIPLE_ANSWER),
    "halve": task(halve, FIRST, 4, 2, halve_with_a_bug),
    "later": task(later, SECOND, 5, 3),
}
TRIPLE_STUB = '@exercise\ndef triple(x: float) -> float:\n    """Three times x."""\n    ...'
HALVE_PLANTED = "@exercise\n" + source_of(halve_with_a_bug).replace("halve_with_a_bug", "halve")


def md(name: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=name)


def code(name: str, source: str, *tags: str, outputs: list[NotebookNode] | None = None) -> NotebookNode:
    return nbformat.v4.new_code_cell(
        source, id=name, metadata={"tags": list(tags)} if tags else {}, outputs=outputs or []
    )


def text(content: str, name: str = "stdout") -> NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=content)


def shown(content: str, **data: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", data={"text/plain": content} | data)


def figure(
    data: str, alt: str = "A dark square that stays dark up to its edges.", mime: str = "image/png"
) -> NotebookNode:
    """A picture as a notebook's cell shows it, with its alternative text."""
    output = shown("<Figure size 640x480 with 1 Axes>", **{mime: data})
    output.metadata[mime] = {"alt": alt}
    return output


def picture(color: tuple[int, int, int] = (10, 20, 30), note: str = "", size: int = 8, noise: bool = False) -> str:
    """A small PNG in base64; `note` goes into a text chunk; `noise` makes it large."""
    import numpy as np
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if noise:
        pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
        image = Image.fromarray(pixels, "RGB")
    else:
        image = Image.new("RGB", (size, size), color)
    info = PngInfo()
    if note:
        info.add_text("Software", note)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def title(name: str, minutes: int) -> str:
    colab = f"https://colab.research.google.com/github/{REPO}/blob/{BRANCH}/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{REPO}/{BRANCH}?urlpath=lab/tree/notebooks/{name}.ipynb"
    return textwrap.dedent(f"""\
        # A first notebook

        **Does every rule hold here?**

        [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})
        [![Launch Binder](https://mybinder.org/badge_logo.svg)]({binder})

        **{minutes} minutes** · needs: nothing · peak memory 0.1 GB

        - Write a function
        - Find a bug
        - Explain a figure
        """)


def lesson(name: str, following: str, minutes: int = 0, exercises: bool = True) -> NotebookNode:
    """A notebook as it would stand after `make notebooks`; `following` is the target of its last link."""
    cells = [
        md("title", title(name, minutes)),
        code("setup", SETUP, "setup", outputs=[text("ready\n")]),
        code("parameters", 'SCALE = "laptop"', "parameters"),
        md("first-section", "## 1 · What is three times two?\n\nGuess before you run."),
        code("guess-product", "predict('product', 'How much?', 6)", outputs=[shown("[prediction] 6")]),
        code("guess-half", "predict('half', 'How much?', 3)", outputs=[shown("[prediction] 3")]),
        code("product", "print(3 * 2)", "nbval-check-output", outputs=[text("6\n")]),
        md("second-section", "## 2 · What does it look like?"),
        code("figure", "draw()", outputs=[figure(picture())]),
        md("figure-alt", "It is dark everywhere, so there is nothing to see."),
    ]
    if exercises:
        cells += [
            md("your-turn-triple", "**Your turn** ●○○ 2 min: write `triple`."),
            code("exercise-triple", TRIPLE_STUB, "exercise", outputs=[shown("[not attempted] triple")]),
            md("your-turn-halve", "**Your turn** ●●○ 4 min: find the bug in `halve`."),
            code("exercise-halve", HALVE_PLANTED.strip(), "exercise", outputs=[shown("[not attempted] halve")]),
        ]
    number = name.split("_")[0]
    cells += [
        md("quiz-title", "## Quiz"),
        code("quiz", f'quiz("{number}")', outputs=[shown("[quiz] five questions")]),
        md("key-points", "## Key points\n\n- one\n- two\n- three"),
        md("references", "## References\n\n- Somebody (2017), *Something*."),
        md("way-on", f"Yes, every rule holds. Next: [on]({following})."),
    ]
    count = 0
    for cell in cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    book = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    return with_solutions(book, TASKS)


def write(path: Path, book: NotebookNode) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.v4.writes(book) + "\n", encoding="utf-8", newline="\n")
    return path


def course(root: Path, change: Callable[[NotebookNode], None] | None = None) -> Page:
    """Write a sound course of two notebooks under `root`, its first changed by `change`; returns the first's page.

    The minutes that the title states are what the sound notebook adds up to.
    """
    result = Course(root, TASKS)
    (root / "helpers").mkdir(parents=True, exist_ok=True)
    (root / "helpers" / "sums.py").write_text(
        "def total(items):\n    result = 0\n    for number in items:\n        result += number\n    return result\n",
        encoding="utf-8",
    )
    (root / "Makefile").write_text(f"REPO ?= {REPO}\nBRANCH ?= {BRANCH}\n", encoding="utf-8")
    (root / "README.md").write_text("# A course\n\n## The map of the course\n", encoding="utf-8")
    write(root / "notebooks" / f"{SECOND}.ipynb", lesson(SECOND, "../README.md#the-map-of-the-course", exercises=False))
    path = root / "notebooks" / f"{FIRST}.ipynb"
    write(path, lesson(FIRST, f"{SECOND}.ipynb"))
    book = lesson(FIRST, f"{SECOND}.ipynb", minutes=round(computed_minutes(Page(path, result))))
    if change is not None:
        change(book)
    write(path, book)
    return Page(path, result)


def cell(book: NotebookNode, name: str) -> NotebookNode:
    return next(item for item in book.cells if item.id == name)
