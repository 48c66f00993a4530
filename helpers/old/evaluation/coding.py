"""Read failures one at a time, say in your own words what went wrong, sort the codes into categories, count.

    coding_table(load_failures())          # widgets: one failure at a time, your code, your category, growing counts
    codes = my_codes()                     # what you have coded so far, as `load_codes` gives others' codes
    show_counts(codes, load_failures())    # categories by assistant, as a table

Without widgets (a terminal, GitHub, `HANDS_ON_STATIC=1`) the failures unfold, and codes are written in code:
`write_code("f01", "took the price of another row", "wrong row")`.

Codes are kept in build/evaluation/codes.json after each change, so that you go on where you stopped. The file is
written whole or not at all, under a lock; a damaged one is set aside. What this does not do: judge your codes.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.display.boxes import Box, emit, inline, shorten
from helpers.display.frontend import widgets_live
from helpers.files.paths import ROOT
from helpers.files.safe_files import set_aside, shown, write_atomically
from helpers.old.evaluation.failures import Code, Failure, counts, load_failures

FILE = ROOT / "build" / "evaluation" / "codes.json"
VERSION, YOU, LOCK_SECONDS = 1, "you", 5
NAMES = {
    "tickets": "ticket reader of 07",
    "summaries": "report summarizer of 07b",
    "reader": "reader of 08",
    "quotes": "handbook assistant of 10, quoting",
    "writer": "handbook assistant of 10, writing",
}
Kept = dict[str, dict[str, str]]

_memory: dict[Path, Kept] = {}  # what could not be written


def coding_table(
    failures: Sequence[Failure], categories: Iterable[str] | Mapping[str, str] = (), path: Path = FILE
) -> None:
    """Show the failures to be coded: as widgets where they are live, else as a list that unfolds.

    categories: names to choose from, with what they mean if it is a mapping; you may always type others. Raises
    ValueError where there are no failures.
    """
    if not failures:
        raise ValueError("There are no failures to code.")
    text, markup = plain_text(failures), static_html(failures)
    if not widgets_live():
        emit(text, markup)
        return
    from IPython.display import display

    bundle = build(failures, categories, path)._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    display({**data, "text/plain": text, "text/html": markup}, raw=True)


# What you have coded -------------------------------------------------------------------------------------------------


def my_codes(path: Path = FILE) -> list[Code]:
    """Your codes so far, in the order of the failures' ids; empty before the first one. A damaged file is set aside."""
    kept, notice = _transaction(Path(path), None)
    if notice:
        Box("note", notice).show()
    return [Code(failure, YOU, row["open_code"], row["category"]) for failure, row in sorted(kept.items())]


def write_code(failure: str, open_code: str, category: str = "", path: Path = FILE) -> None:
    """Write down what went wrong in a failure, named by its id, and say how many are coded; two empty texts take a code
    back. Raises ValueError for an id that no failure has, and for codes that are no texts."""
    ids = [known.id for known in load_failures()]
    if failure not in ids:
        raise ValueError(f"There is no failure {failure!r}: the ids are {ids[0]} to {ids[-1]}.")
    if not isinstance(open_code, str) or not isinstance(category, str):
        raise ValueError("A code and a category are texts: put them between quotes.")
    kept, notice = _put(Path(path), failure, open_code, category)
    Box("note", f"{failure} is {'coded' if failure in kept else 'not coded'}; {len(kept)} of {len(ids)} are.").show()
    if notice:
        Box("note", notice).show()


def _put(path: Path, failure: str, open_code: str, category: str) -> tuple[Kept, str]:
    row = {"open_code": open_code.strip(), "category": category.strip()}

    def change(kept: Kept) -> None:
        kept.pop(failure, None)
        if any(row.values()):
            kept[failure] = row

    return _transaction(path, change)


def _transaction(path: Path, change: Callable[[Kept], None] | None) -> tuple[Kept, str]:
    """What is kept, after a change if there is one, and a sentence if something was wrong with the file."""
    if change is None and not path.exists():
        return dict(_memory.get(path, {})), ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
            kept, notice = _read(path)
            kept = _memory.get(path, kept)
            if change is not None:
                change(kept)
                _write(path, kept)
                _memory.pop(path, None)
            return kept, notice
    except Timeout:
        why = "another program holds its lock"
    except OSError as error:
        why = error.strerror or type(error).__name__
    kept = _memory.setdefault(path, _kept_in(path) or {})
    if change is not None:
        change(kept)
    return dict(kept), f"Your codes are kept in memory only, since {shown(path)} cannot be written ({why})."


def _read(path: Path) -> tuple[Kept, str]:
    kept = _kept_in(path)
    if kept is not None:
        return kept, ""
    aside = set_aside(path)
    return {}, f"{path.name} was damaged: it is set aside as {aside.name}, and a new one is begun."


def _kept_in(path: Path) -> Kept | None:
    """The codes in a file, none where there is no file; None where it is damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        kept = data["codes"]
        fits = data["version"] == VERSION and all(
            set(row) == {"open_code", "category"} and all(isinstance(part, str) for part in row.values())
            for row in kept.values()
        )
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return kept if fits else None


def _write(path: Path, kept: Kept) -> None:
    text = json.dumps({"version": VERSION, "codes": kept}, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


# Widgets -------------------------------------------------------------------------------------------------------------


def build(failures: Sequence[Failure], categories: Iterable[str] | Mapping[str, str] = (), path: Path = FILE) -> Any:
    """The table as one ipywidgets box, at the first failure that is not coded yet."""
    import ipywidgets as widgets

    wide = widgets.Layout(width="min(60em, 98%)")
    shown_failure, tally, said = widgets.HTML(), widgets.HTML(), widgets.HTML()
    own = widgets.Text(
        description="your code", placeholder="what went wrong, in your own words", continuous_update=False, layout=wide
    )
    category = widgets.Combobox(
        description="category", placeholder="choose one or type your own", continuous_update=False, layout=wide
    )
    back, onward = widgets.Button(description="Back"), widgets.Button(description="Next", button_style="primary")
    uncoded = widgets.Button(description="Next not coded")
    kept, notice = _transaction(Path(path), None)
    state = {"at": 0, "moving": False}

    def show(at: int, kept: Kept, notice: str = "") -> None:
        state.update(at=at, moving=True)
        failure = failures[at]
        row = kept.get(failure.id, {"open_code": "", "category": ""})
        shown_failure.value = f"<div><strong>{at + 1} of {len(failures)}</strong> · {failure_html(failure)}</div>"
        own.value, category.value = row["open_code"], row["category"]
        state["moving"] = False
        back.disabled, onward.disabled = at == 0, at == len(failures) - 1
        count(kept, notice)

    def count(kept: Kept, notice: str = "") -> None:
        codes = [Code(name, YOU, row["open_code"], row["category"]) for name, row in kept.items()]
        category.options = tuple(dict.fromkeys([*categories, *counts(codes)]))
        tally.value = _tally_html(codes, failures)
        said.value = f"<p>{inline(notice)}</p>" if notice else ""

    def write(_: Any) -> None:
        if not state["moving"]:
            count(*_put(Path(path), failures[state["at"]].id, own.value, category.value))

    def move(by: int) -> None:
        show(state["at"] + by, *_transaction(Path(path), None))

    def find(_: Any) -> None:
        kept, notice = _transaction(Path(path), None)
        show(first_uncoded(failures, kept), kept, notice)

    own.observe(write, names="value")
    category.observe(write, names="value")
    back.on_click(lambda _: move(-1))
    onward.on_click(lambda _: move(1))
    uncoded.on_click(find)
    show(first_uncoded(failures, kept), kept, notice)
    meanings = widgets.HTML(_meanings_html(categories) if isinstance(categories, Mapping) else "")
    buttons = widgets.HBox([back, onward, uncoded])
    box = widgets.VBox([shown_failure, own, category, buttons, said, meanings, tally])
    box.add_class("hands-on-coding")
    return box


def first_uncoded(failures: Sequence[Failure], kept: Mapping[str, Any]) -> int:
    """The place of the first failure without a code; of the last one where all are coded."""
    return next((at for at, failure in enumerate(failures) if failure.id not in kept), len(failures) - 1)


# Without widgets -----------------------------------------------------------------------------------------------------


def plain_text(failures: Sequence[Failure]) -> str:
    """The failures as text, long parts cut in their middle."""
    lines = [f"{len(failures)} failures"]
    for failure in failures:
        lines += ["", f"{failure.id}  {NAMES.get(failure.assistant, failure.assistant)}"]
        parts = (("asked", failure.input), ("said", failure.output), ("right", failure.expected))
        lines += [f"     {name:5}  {shorten(' '.join(part.split()), 160)}" for name, part in parts]
    return "\n".join([*lines, "", 'Write down what went wrong: write_code("f01", "in your own words", "category").'])


def static_html(failures: Sequence[Failure]) -> str:
    """Each failure's input and output; its context and what would have been right unfold."""
    parts = [f"<div><strong>{len(failures)} failures</strong> · unfold one to see what would have been right."]
    for failure in failures:
        asked, said = (html.escape(shorten(" ".join(t.split()), 300)) for t in (failure.input, failure.output))
        name = NAMES.get(failure.assistant, failure.assistant)
        parts.append(
            f'<details style="margin:6px 0"><summary style="cursor:pointer"><strong>{failure.id}</strong> {name}: '
            f"{asked} <em>→</em> {said}</summary>{failure_html(failure, titled=False)}</details>"
        )
    return "".join([*parts, "</div>"])


def failure_html(failure: Failure, titled: bool = True) -> str:
    """One failure as a table of two columns."""
    rows = [("asked", failure.input), *failure.context.items(), ("said", failure.output), ("right", failure.expected)]
    cells = "".join(
        f'<tr><th style="text-align:left;vertical-align:top;padding:2px 8px">{html.escape(name)}</th>'
        f'<td style="text-align:left;white-space:pre-wrap;padding:2px 8px">{html.escape(text)}</td></tr>'
        for name, text in rows
    )
    title = f"{failure.id}, {NAMES.get(failure.assistant, failure.assistant)}" if titled else ""
    return f'{title}<table style="line-height:1.4">{cells}</table>'


def _tally_html(codes: Sequence[Code], failures: Sequence[Failure]) -> str:
    ids = {failure.id for failure in failures}
    mine = [code for code in codes if code.failure in ids]
    found = counts(mine)
    rows = [["category", "failures"], *([name, str(n)] for name, n in found.items())]
    table = _table_html(rows) if found else ""
    return f"<p>{len(mine)} of {len(failures)} coded, {sum(found.values())} in a category.</p>{table}"


def _meanings_html(categories: Mapping[str, str]) -> str:
    rows = "".join(
        f"<li><strong>{html.escape(name)}</strong>: {inline(text)}</li>" for name, text in categories.items()
    )
    return f'<details><summary style="cursor:pointer">What the categories mean</summary><ol>{rows}</ol></details>'


def _table_html(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    cells = "".join(f'<th style="padding:2px 8px;text-align:left">{html.escape(cell)}</th>' for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in body:
        cells = "".join(f'<td style="padding:2px 8px;text-align:left">{html.escape(cell)}</td>' for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"
