"""A folder of one's own as passages that an index can search: text, Markdown, web pages, PDF.

    passages, left_out = read_folder("~/manuals")
    passages[0].document, passages[0].headings     # "boats.md", ("Boats and who may row them", "Damage")

A passage is a paragraph, an item of a list or a row of a table, each cell with the name of its column. What has more
than 45 tokens is cut between sentences. `headings` says where it stands: headings, `page 2` or `line 14`.
What it does not do: scans, tables in a PDF (they come as running text), Word files, archives.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable
from helpers.retrieval.chunking import Chunk, chunk

FORMATS = (".txt", ".md", ".html", ".htm", ".pdf")
TOKENS = 45  # a passage: short enough to be quoted whole
MOST = 5000  # passages; two cores embed about 100 a second
BLOCKS = ["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "dt", "dd", "pre", "blockquote", "div", "section", "body"]
Placed = tuple[tuple[str, ...], str]


def read_folder(folder: str | Path = "course") -> tuple[list[Chunk], dict[str, str]]:
    """The passages of all files below `folder` ("course": the sample in data/folder), and why others were left out.

    Raises DataUnavailable for a folder that does not exist, holds no text, or holds more than MOST passages.
    """
    root = DATA / "folder" if folder == "course" else Path(folder).expanduser()
    if not root.is_dir():
        raise DataUnavailable(f"{root} is not a folder: set FOLDER to the path of one.")
    passages, left_out, others = [], {}, Counter()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        name = file.relative_to(root)
        if any(part.startswith((".", "~$")) for part in name.parts):
            continue
        if file.suffix.lower() not in FORMATS:
            others[file.suffix or "no ending"] += 1
            continue
        try:
            found = list(_chunks(name.as_posix(), _read(file)))
        except Exception as error:  # a stranger's file: pypdf alone raises a dozen kinds
            left_out[name.as_posix()] = f"cannot be read ({type(error).__name__})"
            continue
        if not found:
            left_out[name.as_posix()] = "has no text (a scan?)"
        passages += found
        if len(passages) > MOST:
            raise DataUnavailable(f"{root} holds more than {MOST:,} passages: name a smaller folder.")
    left_out |= {f"{count} × {suffix}": "not one of " + " ".join(FORMATS) for suffix, count in others.items()}
    if not passages:
        raise DataUnavailable(f"{root} holds no text in any of {' '.join(FORMATS)}: name another folder.")
    return passages, left_out


def _read(file: Path) -> Iterator[Placed]:
    """(place, text) of everything in a file, in its order."""
    kind = file.suffix.lower()
    if kind == ".pdf":
        from pypdf import PdfReader

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what cannot be read is said once, by the caller
        for number, page in enumerate(PdfReader(file).pages, start=1):
            yield (f"page {number}",), re.sub(r"-\n(?=[a-z])|\0", "", page.extract_text())
        return
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    text = text.replace("\r\n", "\n")
    if kind == ".txt":
        for paragraph in re.finditer(r"\S(?:.|\n(?!\s*\n))*", text):
            yield (f"line {1 + text.count(chr(10), 0, paragraph.start())}",), paragraph[0]
    elif kind == ".md":
        from markdown_it import MarkdownIt

        yield from _blocks(MarkdownIt().enable("table").render(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)))
    else:
        yield from _blocks(text)


def _blocks(page: str) -> Iterator[Placed]:
    """(headings, text) of each block of a web page: each string belongs to its row or to its innermost block."""
    from bs4 import BeautifulSoup, NavigableString

    soup = BeautifulSoup(page, "html.parser")
    for tag in soup(["head", "script", "style", "template", "noscript"]):
        tag.decompose()
    for tag in soup("br"):
        tag.replace_with("\n")
    strings = [string for string in soup.find_all(string=True) if type(string) is NavigableString]
    above: list[tuple[int, str]] = []
    for _, group in groupby(strings, key=lambda string: id(string.find_parent("tr") or string.find_parent(BLOCKS))):
        group = list(group)
        block = group[0].find_parent("tr") or group[0].find_parent(BLOCKS)
        text = " ".join("".join(group).split())
        if block is not None and re.fullmatch("h[1-6]", block.name):
            above = [heading for heading in above if heading[0] < int(block.name[1])] + [(int(block.name[1]), text)]
        else:
            yield tuple(heading for _, heading in above), _row(block) if block and block.name == "tr" else text


def _row(row) -> str:
    """The cells of a row, each after the name of its column if the table's first row names them."""
    cells = [" ".join(cell.text.split()) for cell in row.find_all(["td", "th"])]
    names = [" ".join(name.text.split()) for name in row.find_parent("table").tr.find_all("th")]
    if row.td is None:
        return ""
    named = zip(names, cells, strict=True) if len(names) == len(cells) else (("", cell) for cell in cells)
    return ", ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _chunks(document: str, placed: Iterable[Placed]) -> Iterator[Chunk]:
    """Chunks of at most TOKENS tokens, counted by characters from the first to the last of the document."""
    start = 0
    for place, text in placed:
        text = " ".join(text.split())
        for piece in chunk(text, TOKENS, 0, "sentences", document) if re.search(r"\w", text) else ():
            yield Chunk(document, start + piece.start, start + piece.end, place, piece.text)
        start += len(text) + 1
