"""Rules about what a committed notebook stores: format, ids, execution, outputs, portability, sizes, links."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

from nbformat.validator import iter_validate

from tests.tools.notebook import NAME, Page, headings, label, output_texts, tags, without_code

KNOWN_TAGS = {"setup", "parameters", "exercise", "solution", "catch-up-skip", "nbval-check-output", "timing", "alone"}
NOTEBOOK_BYTES = 1_500_000
FIGURE_BYTES = 80_000
ALT_WORDS = 8  # of an alternative text at least: shorter ones name a figure without describing it
LINES_AT_MOST = 40
LINES_HABIT = 15  # at least 80 % of the code cells are shorter than this
HABIT_SHARE = 0.8

# Written in pieces, so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/-])/(?:home|Users|root|tmp|work|private|mnt|var/folders)/\w"
    r"|\b[A-Za-z]:(?:\\\\?|/)(?:Users|Windows|Program)"
    r"|(?:/|\\)[^\s\"'<>]*site-packages"
)
REGISTRY = re.compile(
    r"\b(?:py"
    + r"pi\.org|python"
    + r"hosted\.org|registry\.npm"
    + r"js\.org|repo\.ana"
    + r"conda\.com|ana"
    + r"conda\.org)\b"
    r"|https?://(?!127\.|localhost)[^\s\"'<>]*/simple\b"  # a mirror; one that a test sets up on this machine is none
)
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


def file_name(page: Page) -> list[str]:
    if NAME.fullmatch(page.name):
        return []
    return [f"The file name {page.name!r} is not of the form NN_topic or NNb_topic in lower case."]


def valid_format(page: Page) -> list[str]:
    """nbformat 4.5, by the official schema."""
    version = (page.nb.nbformat, page.nb.nbformat_minor)
    if version != (4, 5):
        return [f"The notebook is stored as nbformat {version[0]}.{version[1]} instead of 4.5."]
    return [
        f"The notebook does not follow the schema of nbformat 4.5: {error.message[:200]}."
        for error in _schema_errors(page)
    ]


def _schema_errors(page: Page) -> list:
    raw = json.loads(page.path.read_text(encoding="utf-8"))
    return list(iter_validate(raw, version=4, version_minor=5))


def stable_ids(page: Page) -> list[str]:
    """Ids are unique and made by hand: lower-case words joined by hyphens, not what an editor draws at random."""
    ids = [cell.get("id", "") for cell in page.nb.cells]
    problems = [f"The id {name!r} stands on {count} cells." for name, count in Counter(ids).items() if count > 1]
    for name in ids:
        if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name):
            problems.append(f"The id {name!r} is not made of lower-case words joined by hyphens.")
        elif _looks_random(name):
            problems.append(f"The id {name!r} looks drawn at random: give the cell a name.")
    return problems


def _looks_random(name: str) -> bool:
    parts = [8, 4, 4, 4, 12]
    uuid = "-".join(rf"[0-9a-f]{{{n}}}" for n in parts)
    return bool(re.fullmatch(rf"(?=.*\d)[0-9a-f]{{8}}|{uuid}|(?=.*\d)[0-9a-f]{{12,}}", name))


def known_tags(page: Page) -> list[str]:
    """A misspelt tag would silently switch a check off; cells that must raise print the failure instead."""
    problems = []
    for cell in page.nb.cells:
        for tag in sorted(set(tags(cell)) - KNOWN_TAGS):
            problems.append(f"The tag {tag!r} of {label(cell)} is none of {', '.join(sorted(KNOWN_TAGS))}.")
        if {"timing", "nbval-check-output"} <= set(tags(cell)):
            problems.append(
                f"A timing cannot be compared exactly, yet {label(cell)} is tagged timing and nbval-check-output."
            )
    return problems


def executed_in_order(page: Page) -> list[str]:
    counts = [cell.execution_count for cell in page.code]
    problems = [f"The code of {label(cell)} is empty." for cell in page.code if not cell.source.strip()]
    if not page.code:
        problems.append("The notebook holds no code cell.")
    for expected, (cell, count) in enumerate(zip(page.code, counts, strict=True), start=1):
        if count != expected:
            problems.append(
                f"The execution count of {label(cell)} is {count} instead of {expected}: run make notebooks."
            )
            break
    return problems


def checked_outputs(page: Page) -> list[str]:
    """nbval compares nothing where nothing is stored: a tagged cell without an output would pass whatever it prints."""
    tagged = [cell for cell in page.code if "nbval-check-output" in tags(cell)]
    problems = [f"Nothing can be compared in {label(cell)}: it has no output." for cell in tagged if not cell.outputs]
    return problems if tagged else ["No cell is tagged nbval-check-output, so that no output is compared."]


def no_errors(page: Page) -> list[str]:
    return [
        f"The output of {label(cell)} is an error: {output.ename}: {output.evalue[:100]}."
        for cell in page.code
        for output in cell.outputs
        if output.output_type == "error"
    ]


def no_stderr(page: Page) -> list[str]:
    return [
        f"The output of {label(cell)} holds a warning or other text on stderr: {output.text.strip()[:120]!r}."
        for cell in page.code
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]


def no_widgets(page: Page) -> list[str]:
    problems = ["The notebook stores widget state in metadata.widgets."] if "widgets" in page.nb.metadata else []
    for cell in page.code:
        for output in cell.outputs:
            if any("vnd.jupyter.widget" in mime for mime in output.get("data", {})):
                problems.append(f"The output of {label(cell)} is a live widget, which no web page can show.")
    return problems


def clean_metadata(page: Page) -> list[str]:
    """What `make notebooks` stores and nothing else: no Python patch version, no time stamps, no other kernel."""
    metadata = page.nb.metadata
    problems = [
        f"The notebook's metadata hold {key!r}." for key in sorted(set(metadata) - {"kernelspec", "language_info"})
    ]
    if metadata.get("kernelspec", {}).get("name") != "python3":
        problems.append("The kernel of the notebook is not python3.")
    if "version" in metadata.get("language_info", {}):
        problems.append("The notebook's metadata hold a Python version.")
    for cell in page.nb.cells:
        if stamped := sorted({"execution", "papermill", "ExecuteTime"} & set(cell.metadata)):
            problems.append(f"The metadata of {label(cell)} hold {stamped[0]!r}.")
    return [f"{problem[:-1]}: run make notebooks." for problem in problems]


def portable(page: Page) -> list[str]:
    """No path of one machine, no address of a package registry, no memory address that changes at every run."""
    problems = []
    for cell in page.nb.cells:
        found = [cell.source, *output_texts(cell)] if cell.cell_type == "code" else [cell.source]
        text = "\n".join(found)
        for pattern, what in ((MACHINE_PATH, "a path of one machine"), (REGISTRY, "a package registry's address")):
            if match := pattern.search(text):
                problems.append(f"There is {what} in {label(cell)}: {match[0]!r}.")
        outputs = "\n".join(output_texts(cell)) if cell.cell_type == "code" else ""
        if match := MEMORY_ADDRESS.search(outputs):
            problems.append(
                f"The output of {label(cell)} holds a memory address, {match[0]!r}, that changes at every run."
            )
    return problems


def file_size(page: Page) -> list[str]:
    size = page.path.stat().st_size
    return (
        [f"The notebook takes {size / 1e6:.2f} MB, more than {NOTEBOOK_BYTES / 1e6} MB."]
        if size > NOTEBOOK_BYTES
        else []
    )


def figure_size(page: Page) -> list[str]:
    problems = []
    for cell in page.nb.cells:
        for mime, data in _pictures(cell):
            size = len(data.encode() if mime == "image/svg+xml" else base64.b64decode(data))
            if size > FIGURE_BYTES:
                problems.append(
                    f"A figure of {label(cell)} takes {size / 1e3:.0f} kB, more than {FIGURE_BYTES / 1e3:.0f} kB."
                )
    return problems


def _pictures(cell: dict) -> list[tuple[str, str]]:
    """(mime type, data) of every picture in the outputs and attachments of a cell."""
    bundles = [output.get("data", {}) for output in cell.get("outputs", [])] + list(
        cell.get("attachments", {}).values()
    )
    return [(mime, "".join(data)) for bundle in bundles for mime, data in bundle.items() if mime.startswith("image/")]


def figures_described(page: Page) -> list[str]:
    """Each figure carries a sentence of alternative text in its output's metadata, and the next cell is text."""
    problems = []
    following = [*page.nb.cells[1:], None]
    for cell, after in zip(page.nb.cells, following, strict=True):
        if cell.cell_type != "code":
            continue
        texts = alt_texts(cell)
        for text in texts:
            if len(text.split()) < ALT_WORDS:
                problems.append(
                    f'A figure of {label(cell)} has no sentence in metadata["image/png"]["alt"], but {text!r}: '
                    "run make notebooks."
                )
        if texts and (after is None or after.cell_type != "markdown"):
            problems.append(f"After the figure of {label(cell)}, the next cell has to say what it means.")
    for cell in page.markdown:
        if "*In the picture:*" in cell.source:
            problems.append(f"{label(cell)} describes a figure in prose: that belongs into the figure's alt text.")
        if re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=[\"'][^\"']+)[^>]*>", without_code(cell.source)):
            problems.append(f"An image in {label(cell)} has no alt text.")
    return problems


def alt_texts(cell: dict) -> list[str]:
    """The alternative text of each picture that a code cell shows; empty where there is none."""
    shown = [(output, mime) for output in cell.get("outputs", []) for mime in output.get("data", {})]
    pictures = [(output.get("metadata", {}), mime) for output, mime in shown if mime.startswith("image/")]
    return [str(metadata.get(mime, {}).get("alt", "")) for metadata, mime in pictures]


def code_lengths(page: Page) -> list[str]:
    lengths = {label(cell): len(cell.source.splitlines()) for cell in page.code}
    problems = [
        f"The code of {name} has {n} lines, more than {LINES_AT_MOST}."
        for name, n in lengths.items()
        if n > LINES_AT_MOST
    ]
    long = [name for name, n in lengths.items() if n >= LINES_HABIT]
    if len(long) > (1 - HABIT_SHARE) * len(lengths):
        problems.append(
            f"{len(long)} of {len(lengths)} code cells have {LINES_HABIT} lines or more; at least "
            f"{HABIT_SHARE:.0%} must be shorter (longest habit-breakers: {', '.join(long[:4])})."
        )
    return problems


def links_resolve(page: Page) -> list[str]:
    """Relative links reach a file; anchors reach a heading (here or in the other file) or an explicit id."""
    problems = []
    for cell in page.markdown:
        for target in link_targets(cell.source):
            path, _, anchor = target.partition("#")
            file = page.path if not path else (page.path.parent / unquote(path))
            if not file.exists():
                problems.append(f"The link to {target!r} in {label(cell)} leads nowhere.")
            elif anchor and unquote(anchor) not in anchors(file, page):
                problems.append(f"The link to {target!r} in {label(cell)} names an anchor that does not exist.")
    return problems


def link_targets(markdown: str) -> list[str]:
    """Internal targets of Markdown and HTML links and images; addresses with a scheme are left out."""
    bare = without_code(markdown)
    found = re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", bare) + re.findall(r"\b(?:href|src)=[\"']([^\"']+)", bare)
    found += re.findall(r"^\[[^\]]+\]:\s*(\S+)", bare, re.MULTILINE)
    return [target for target in found if not re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE)]


def anchors(file: Path, page: Page) -> set[str]:
    """Anchors a file offers: in notebooks JupyterLab's (spaces to hyphens), in Markdown GitHub's; ids in both."""
    if file.suffix == ".ipynb":
        other = Page(file, page.course)
        texts = [text for level in range(1, 7) for text in headings(other, level)]
        return {re.sub(r"\s", "-", re.sub(r"[*`]", "", text)) for text in texts} | _explicit_ids(other.prose)
    if file.suffix == ".md":
        return markdown_anchors(file.read_text(encoding="utf-8"))
    return set()


def markdown_anchors(text: str) -> set[str]:
    bare = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    slugs: Counter[str] = Counter()
    found = set()
    for title in re.findall(r"^#{1,6} +(.+?)\s*#*$", bare, re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
        slugs[slug] += 1
    return found | _explicit_ids(bare)


def _explicit_ids(markup: str) -> set[str]:
    return set(re.findall(r"<[^>]*\b(?:id|name)=[\"']([^\"']+)[\"']", markup))


RULES = (
    file_name,
    valid_format,
    stable_ids,
    known_tags,
    executed_in_order,
    checked_outputs,
    no_errors,
    no_stderr,
    no_widgets,
    clean_metadata,
    portable,
    file_size,
    figure_size,
    figures_described,
    code_lengths,
    links_resolve,
)
