"""Every number in a lesson's prose stands in what the notebook shows.

A number with a unit, a percent sign or decimals, or above 12, has to occur, rounded as it is written, in an output of
its section or of the one before, or in a record that is read there; what stands after the last numbered section may
repeat any. Not counted: title, headings, links, code, maths, years, quiz, references, solutions, paragraphs that begin
with "*Example.*", numbers of the notebook's own code, minutes of exercises and what KNOWN names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tests.tools.notebook import ROOT, code_cells, output_texts, read

# Sizes of models, which every lesson may name, and other names and bounds that hold a number.
SIZES = "22 22.7 33 | 134.5 135 360 | 0.5 1 1.5 1.7 3 4 7 8 13 14 32 70 405".replace(" | ", " ").split()
SIZE = "|".join(re.escape(size) for size in SIZES)
KNOWN = re.compile(rf"(?<![\w.])(?:{SIZE})[ -]?(?:million|billion|[MB])\b|RTX \d+|\b\d+[ -]bits?\b|\b100 %")
NUMBER = r"(?<![\w.,/-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d/]|\.\d|-[a-z]|[A-Za-z_])"
IN_PROSE = re.compile(
    NUMBER
    + r"(?: (million|billion)\b)?"
    + r"(?P<unit>\s?(?:%|percent|ms|s|seconds|minutes|hours|[kMGT]?B(?:/s)?|W|€|points|nats|times)(?![\w]))?"
)
SHOWN = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+(?:e[-+]?\d+)?)")
NOT_COUNTED = re.compile(
    r"^#[^\n]*|```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)]*\)|https?://\S+|<[^>]+>|[●○]{3} [\d.]+ min\w*"
    r"|^\*Example\.\*.*?(?:\n\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


def unshown(path: Path) -> list[str]:
    """One sentence for each number of the prose that no output holds."""
    book = read(path)
    literals = [number for cell in code_cells(book) for number in values(cell.source)]
    sections = list(sections_of(book))
    every = [number for _, _, shown in sections for number in shown]
    problems, before = [], []
    for heading, prose, shown in sections:
        near = every if heading and not heading[0].isdigit() else shown + before
        before = shown
        if re.match(r"Quiz|References", heading):
            continue
        for text, value, unit in stated(prose):
            if not any(agrees(value, unit, number) for number in near + literals):
                problems.append(f'{path.name}: "{text}" in section {heading or "0"!r} stands in none of its outputs.')
    return problems


def sections_of(book: NotebookNode) -> Iterator[tuple[str, str, list[float]]]:
    """(heading, prose, numbers shown) of each section, the title cell left out; "" is the heading of the first."""
    heading, prose, shown = "", [], []
    for cell in book.cells[1:]:
        if cell.cell_type == "code":
            shown += [number for text in output_texts(cell) for number in values(text)]
            for name in re.findall(r"recorded\([\"']([\w-]+)", cell.source):
                file = ROOT / "data" / "recorded" / f"{name}.json"
                shown += values(json.dumps(json.loads(file.read_text(encoding="utf-8"))))
        elif cell.cell_type == "markdown" and "<details>" not in cell.source:
            for part in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
                if part.startswith("## "):
                    yield heading, "\n\n".join(prose), shown
                    heading, prose, shown = part.splitlines()[0][3:], [], []
                prose.append(part)
    yield heading, "\n\n".join(prose), shown


def stated(prose: str) -> Iterator[tuple[str, float, float]]:
    """(as written, its value, half of what its last digit stands for) of each number that has to be shown."""
    for match in IN_PROSE.finditer(KNOWN.sub(" ", NOT_COUNTED.sub(" ", prose))):
        digits = match[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        zeros = min(len(digits) - len(digits.rstrip("0")), len(digits) - 2) if not decimals and len(digits) > 3 else 0
        times = {"million": 1e6, "billion": 1e9}.get(match[2], 1)
        is_year = re.fullmatch(r"(?:19|20)\d\d", match[1]) and not match["unit"]
        if (decimals or match["unit"] or match[2] or float(digits) > 12) and not is_year:
            yield match[0].strip(), float(digits) * times, 0.5 * 10 ** (zeros - decimals) * times


def values(text: str) -> list[float]:
    return [float(match.replace(",", "")) for match in SHOWN.findall(text)]


def agrees(value: float, half: float, shown: float) -> bool:
    """Whether `shown`, or 100 times it (a share that the prose gives in percent), rounds to what is written."""
    return any(abs(number - value) <= half * 1.0001 for number in (shown, 100 * shown))
