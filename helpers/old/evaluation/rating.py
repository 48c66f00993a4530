"""Rate pairs of answers blind: which is better, without the names of those who wrote them.

    rating_form(pairs)                     # widgets: one pair at a time, four buttons; kept after each click
    mine = my_ratings()                    # {"p102": "b", "p131": "tie"}: in the pair's own order

Without widgets (a terminal, a web page, `HANDS_ON_STATIC=1`) the pairs unfold, and ratings are written in code:
`write_rating("p102", "first")`.

Which answer of a pair is shown first is drawn by the pair's id, so that the place says nothing about the system, and
the same pair looks the same each time. Ratings are kept in build/evaluation/ratings.json; a damaged file is set aside.
What this does not do: tell whether you agree with anybody.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from helpers.display.boxes import Box, emit
from helpers.display.frontend import widgets_live
from helpers.files.paths import ROOT
from helpers.files.safe_files import json_writer, set_aside, shown, write_atomically
from helpers.old.evaluation.judgments import VALUES, Pair, load_pairs

FILE = ROOT / "build" / "evaluation" / "ratings.json"
SAID = {"first": "a", "second": "b", "equal": "tie", "cannot tell": "cannot tell"}  # before the order is undone
LABELS = {"first": "First is better", "second": "Second is better", "equal": "Equal", "cannot tell": "Cannot tell"}
NOT_ANSWERED = "(The handbook does not say. Right is to say so.)"
Ratings = dict[str, str]

_memory: dict[Path, Ratings] = {}  # what could not be written


def rating_form(pairs: Sequence[Pair]) -> None:
    """Show the pairs to be rated: as widgets where they are live, else as a list that unfolds.

    Raises ValueError where there are no pairs.
    """
    if not pairs:
        raise ValueError("There are no pairs to rate.")
    text, markup = plain_text(pairs), static_html(pairs)
    if not widgets_live():
        emit(text, markup)
        return
    from IPython.display import display

    bundle = build(pairs, FILE)._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    display({**data, "text/plain": text, "text/html": markup}, raw=True)


def exchanged(pair: Pair) -> bool:
    """Is pair.b shown first? A toss that depends on the pair's id alone."""
    return crc32(pair.id.encode()) % 2 == 1


# Your ratings --------------------------------------------------------------------------------------------------------


def my_ratings(path: Path = FILE) -> Ratings:
    """Your ratings so far by pair: "a", "b", "tie" or "cannot tell"; empty before the first one."""
    kept, notice = _kept(Path(path))
    if notice:
        Box("note", notice).show()
    return dict(sorted(kept.items()))


def write_rating(pair: str, said: str, path: Path = FILE) -> None:
    """Rate a pair by its id: "first", "second", "equal" or "cannot tell", as the form shows it; "" takes it back.

    Raises ValueError for an id that no pair has, and for anything else that is said.
    """
    known = {each.id: each for each in load_pairs()}
    if pair not in known:
        raise ValueError(f"There is no pair {pair!r}: the ids are {min(known)} to {max(known)}.")
    kept, notice = put(known[pair], said, Path(path))
    Box("note", f"{pair} is {'rated' if pair in kept else 'not rated'}; you have rated {len(kept)}.").show()
    if notice:
        Box("note", notice).show()


def put(pair: Pair, said: str, path: Path) -> tuple[Ratings, str]:
    """Keep one rating in the pair's own order; all ratings, and a sentence if something was wrong with the file."""
    if said and said not in SAID:
        raise ValueError(f"A rating is one of {', '.join(SAID)}, not {said!r}.")
    kept, notice = _kept(path)
    kept.pop(pair.id, None)
    if said:
        value = SAID[said]
        kept[pair.id] = {"a": "b", "b": "a"}.get(value, value) if exchanged(pair) else value
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_writer({"ratings": kept}))
        _memory.pop(path, None)
    except OSError as error:
        _memory[path] = kept
        notice = f"Your ratings are kept in memory only, since {shown(path)} cannot be written ({error.strerror})."
    return kept, notice


def _kept(path: Path) -> tuple[Ratings, str]:
    if path in _memory:
        return dict(_memory[path]), ""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["ratings"]
        if all(value in VALUES for value in kept.values()):
            return kept, ""
    except OSError:
        return {}, ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return {}, f"{path.name} was damaged: it is set aside as {set_aside(path).name}, and a new one is begun."


# Widgets -------------------------------------------------------------------------------------------------------------


def build(pairs: Sequence[Pair], path: Path = FILE) -> Any:
    """The form as one ipywidgets box, at the first pair that is not rated yet."""
    import ipywidgets as widgets

    text, said = widgets.HTML(), widgets.HTML()
    choices = {name: widgets.Button(description=label) for name, label in LABELS.items()}
    back, onward = widgets.Button(description="Back"), widgets.Button(description="Next")
    kept, notice = _kept(Path(path))
    state = {"at": next((at for at, pair in enumerate(pairs) if pair.id not in kept), len(pairs) - 1)}

    def show(kept: Ratings, notice: str = "") -> None:
        pair = pairs[state["at"]]
        text.value = f"<div><strong>{state['at'] + 1} of {len(pairs)}</strong></div>{pair_html(pair)}"
        rated = kept.get(pair.id)
        if rated and exchanged(pair):
            rated = {"a": "b", "b": "a"}.get(rated, rated)
        for name, button in choices.items():
            button.button_style = "primary" if SAID[name] == rated else ""
        back.disabled, onward.disabled = state["at"] == 0, state["at"] == len(pairs) - 1
        n_rated = sum(each.id in kept for each in pairs)
        said.value = f"<p>{n_rated} of {len(pairs)} rated. {html.escape(notice)}</p>"

    def choose(name: str) -> None:
        result = put(pairs[state["at"]], name, Path(path))
        state["at"] = min(state["at"] + 1, len(pairs) - 1)
        show(*result)

    def move(by: int) -> None:
        state["at"] += by
        show(*_kept(Path(path)))

    for name, button in choices.items():
        button.on_click(lambda _, name=name: choose(name))
    back.on_click(lambda _: move(-1))
    onward.on_click(lambda _: move(1))
    show(kept, notice)
    box = widgets.VBox([text, widgets.HBox([*choices.values()]), widgets.HBox([back, onward]), said])
    box.add_class("hands-on-rating")
    return box


# Without widgets -----------------------------------------------------------------------------------------------------


def _shown(pair: Pair) -> dict[str, str]:
    first, second = (pair.b, pair.a) if exchanged(pair) else (pair.a, pair.b)
    return {
        "asked": pair.question,
        "handbook": pair.quote or NOT_ANSWERED,
        "first": first.text,
        "second": second.text,
    }


def plain_text(pairs: Sequence[Pair]) -> str:
    """The pairs as text, whole: what is cut away could be what makes an answer wrong."""
    lines = [f"{len(pairs)} pairs"]
    for pair in pairs:
        lines += ["", pair.id]
        lines += [f"     {name:8}  {' '.join(part.split())}" for name, part in _shown(pair).items()]
    how = f'Rate one: write_rating("{pairs[0].id}", "first"); or "second", "equal", "cannot tell".'
    return "\n".join([*lines, "", how])


def static_html(pairs: Sequence[Pair]) -> str:
    """Each pair's question; the handbook's sentence, both answers and the whole section unfold."""
    parts = [f"<div><strong>{len(pairs)} pairs</strong> · unfold one to compare its answers."]
    for pair in pairs:
        parts.append(
            f'<details style="margin:6px 0"><summary style="cursor:pointer"><strong>{pair.id}</strong> '
            f"{html.escape(pair.question)}</summary>{pair_html(pair)}</details>"
        )
    return "".join([*parts, "</div>"])


def pair_html(pair: Pair) -> str:
    """One pair as a table of two columns; the section of the handbook, which raters had before them, unfolds."""
    cells = "".join(
        f'<tr><th style="text-align:left;vertical-align:top;padding:2px 8px">{name}</th>'
        f'<td style="text-align:left;white-space:pre-wrap;padding:2px 8px">{html.escape(part)}</td></tr>'
        for name, part in _shown(pair).items()
    )
    passage = (
        f'<details style="margin:4px 8px"><summary style="cursor:pointer">the whole section of the handbook</summary>'
        f'<div style="white-space:pre-wrap">{html.escape(pair.passage)}</div></details>'
        if pair.passage
        else ""
    )
    return f'<table style="line-height:1.4">{cells}</table>{passage}'
