"""Execute notebooks in place and store them so that an unchanged notebook gives no diff.

    python -m tests.tools.execute [--fresh] [NAME …]        # what `make notebooks` calls; all notebooks without a NAME

Each runs at its own SCALE with its kernel in notebooks/, as a reader's would. Stored afterwards: ids as they were, one
chunk of text per stream, pictures without the writer's version, no widget state, no time stamps. A cell tagged `timing`
keeps its stored output while its source stands as it ran, unless `--fresh` (or FRESH=1) asks for a new one. Under each
exercise its solution is written anew (`solutions`, which does that alone, too).

A notebook that fails is left untouched. What this does *not* do: judge what a notebook says (`hygiene`, `anatomy`).
"""

from __future__ import annotations

import argparse
import base64
import copy
import hashlib
import io
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tests.tools import solutions
from tests.tools.notebook import ROOT, Course, read, registered_tasks, selected, tags

CELL_SECONDS = 600
STARTS = 3  # a kernel binds its ports seconds after they were found free; on a busy machine they may be gone
SWITCHES = (
    "HANDS_ON_STRICT",
    "HANDS_ON_CHAT_MODEL",
    "HANDS_ON_EMBEDDER",
    "HANDS_ON_CHECK_SECONDS",
    "MPLBACKEND",  # a kernel that inherits Agg draws nothing
    "NB",
    "FRESH",
)
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


class NotebookFailed(RuntimeError):
    """The cell that failed and its error, in one short message."""


def learner_environment(scratch: Path, **extra: str) -> dict[str, str]:
    """The environment of a run: a learner's, without switches a developer may have set, and nothing of theirs touched.

    `scratch` is a folder for the progress file and IPython's own files. The models' cache stays the user's.
    """
    env = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    env |= {
        "HANDS_ON_STATIC": "1",
        "HANDS_ON_PROGRESS": str(scratch / "progress.json"),
        "HF_HUB_OFFLINE": "1",
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return env | extra


def run(
    book: NotebookNode,
    name: str,
    folder: Path,
    *,
    cell_seconds: float = CELL_SECONDS,
    env: dict[str, str] | None = None,
) -> NotebookNode:
    """A copy of `book`, executed from top to bottom with its kernel in `folder`. Raises NotebookFailed."""
    book = copy.deepcopy(book)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    reached: list[str] = ["(no cell)"]

    def execute_once() -> NotebookNode:
        client = NotebookClient(
            book,
            timeout=cell_seconds,
            kernel_name="python3",
            record_timing=False,
            extra_arguments=["--Application.log_level=40"],  # errors only: the kernel's own remarks are not ours
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=lambda cell, cell_index: reached.append(cell.get("id", str(cell_index))),
        )
        with tempfile.TemporaryDirectory(prefix="hands-on-") as scratch:
            return client.execute(env=env or learner_environment(Path(scratch)))

    for left in reversed(range(STARTS)):
        try:
            return execute_once()
        except CellExecutionError as error:
            what = f"{error.ename}: {_plain(error.evalue)}"
        except CellTimeoutError:
            what = f"it ran longer than {cell_seconds:g} s"
        except RuntimeError as error:
            if left and len(reached) == 1:  # it never ran a cell: most likely another program took one of its ports
                continue
            what = "the kernel died (out of memory?)" if isinstance(error, DeadKernelError) else str(error)
        break
    raise NotebookFailed(f"{name}: cell {reached[-1]!r} failed: {what}")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()[:500]


def execute(path: Path, *, fresh: bool = False, cell_seconds: float = CELL_SECONDS) -> bool:
    """Execute and store one notebook; True where its file changed. On failure the file is left as it was."""
    before = solutions.with_solutions(read(path), registered_tasks())
    after = normalized(run(before, path.stem, path.parent, cell_seconds=cell_seconds), before, fresh=fresh)
    return solutions.store(path, after)


def normalized(book: NotebookNode, before: NotebookNode, *, fresh: bool = False) -> NotebookNode:
    """`book` as it is stored, taking over from `before` (the stored one, cell for cell) what did not really change."""
    book = copy.deepcopy(book)
    book.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    book.nbformat, book.nbformat_minor = 4, 5
    for cell, stored in zip(book.cells, before.cells, strict=True):
        for key in ("execution", "papermill", "ExecuteTime", "trusted"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _kept_pictures(merged_streams(cell.outputs), stored.get("outputs", []))
            _keep_timing(cell, stored, fresh)
    return book


def merged_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighboring chunks of text as one output per stream, stdout first: how a kernel cuts them is chance."""
    merged: list[NotebookNode] = []
    group: dict[str, NotebookNode] = {}

    def flush() -> None:
        merged.extend(group[name] for name in sorted(group, reverse=True))
        group.clear()

    for output in outputs:
        if output.output_type != "stream":
            flush()
            merged.append(output)
        elif output.name in group:
            group[output.name].text += output.text
        else:
            group[output.name] = output
    flush()
    return merged


def _kept_pictures(outputs: list[NotebookNode], stored: list[NotebookNode]) -> list[NotebookNode]:
    """Pictures lose their text chunks; one whose pixels equal the stored picture's is the stored one."""
    old = [output.data["image/png"] for output in stored if "image/png" in output.get("data", {})]
    new = [output for output in outputs if "image/png" in output.get("data", {})]
    for position, output in enumerate(new):
        data = output.data["image/png"]
        if position < len(old) and same_pixels(data, old[position]):
            output.data["image/png"] = without_text(old[position])
        else:
            output.data["image/png"] = without_text(data)
    return outputs


def without_text(picture: str) -> str:
    """A base64 PNG without tEXt, iTXt, zTXt and tIME chunks (where matplotlib writes its version)."""
    raw = base64.b64decode(picture)
    kept, position = [raw[:8]], 8
    while position + 8 <= len(raw):
        length, kind = struct.unpack(">I4s", raw[position : position + 8])
        end = position + 12 + length
        if kind not in (b"tEXt", b"iTXt", b"zTXt", b"tIME"):
            kept.append(raw[position:end])
        position = end
    return base64.b64encode(b"".join(kept)).decode("ascii")


def same_pixels(one: str, other: str) -> bool:
    from PIL import Image, ImageChops

    if one == other:
        return True
    first, second = (Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA") for data in (one, other))
    return first.size == second.size and ImageChops.difference(first, second).getbbox(alpha_only=False) is None


def _keep_timing(cell: NotebookNode, stored: NotebookNode, fresh: bool) -> None:
    """Keep a timing's stored output, unless asked for a new one or the source is not the one that gave it."""
    if "timing" not in tags(cell):
        cell.metadata.pop("timed_source", None)
        return
    fingerprint = hashlib.sha256(cell.source.encode("utf-8")).hexdigest()[:12]
    same_source = stored.metadata.get("timed_source", fingerprint) == fingerprint
    if stored.get("outputs") and same_source and not fresh:
        cell.outputs = _kept_pictures(merged_streams(copy.deepcopy(stored.outputs)), [])
        for output in cell.outputs:
            if output.output_type == "execute_result":  # the cell may have moved since
                output.execution_count = cell.execution_count
    cell.metadata["timed_source"] = fingerprint


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.execute", description="Execute notebooks in place.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in 00_welcome; all notebooks where left out")
    parser.add_argument("--fresh", action="store_true", help="renew the output of cells tagged timing (also FRESH=1)")
    parser.add_argument("--cell-seconds", type=float, default=CELL_SECONDS, help=f"per cell (default {CELL_SECONDS})")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    fresh = options.fresh or os.environ.get("FRESH", "") not in ("", "0")
    course = Course(options.root)
    try:
        names = selected(course.names, ",".join(options.names) or None)
        for name in names:
            print(f"{name}: ", end="", flush=True)
            changed = execute(course.folder / f"{name}.ipynb", fresh=fresh, cell_seconds=options.cell_seconds)
            print("stored anew" if changed else "unchanged")
    except (ValueError, NotebookFailed) as error:
        print(
            "failed" if isinstance(error, NotebookFailed) else "", end="\n" if isinstance(error, NotebookFailed) else ""
        )
        print(
            f"{error}" + (" (its file is left as it was)" if isinstance(error, NotebookFailed) else ""), file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
