"""Which tokens of an example are trained, seen token by token: as colored boxes, and as a figure.

    show_trained(tokenizer, {"right": example, "no stop": spoil(example, "no stop", tokenizer.eos_token_id)})
    trained_figure(tokenizer, example)

Gray: given to the model and not trained. Green: trained. Red: trained too, and what ends the answer. In plain text,
what is trained stands in «guillemets». Long lines that are not trained are cut in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from helpers.display.boxes import emit
from helpers.plots.alt_text import tell
from helpers.plots.figures import INK, QUIET, figure
from helpers.plots.token_boxes import SPECIAL, box, spell
from helpers.training.chats import Example

GIVEN, TRAINED = "#e9e6dd", "#bfe6c6"
EDGE = 10  # tokens that stay at each end of a run that is cut
WIDTH = 88  # characters in a line of the figure, of a fixed width


@dataclass(frozen=True)
class Seen:
    """One token as it is drawn; a cut run is one of them, without a color."""

    text: str
    trained: bool
    color: str | None
    breaks: bool = False  # a line of the figure ends behind it


def tokens_seen(tokenizer: Any, example: Example, edge: int = EDGE) -> list[Seen]:
    """The example's tokens in order; of untrained ones, `edge` at each end of a line."""
    seen = []
    for i, trained in zip(example.ids, example.trained, strict=True):
        raw = tokenizer.decode([i])
        color = GIVEN if not trained else SPECIAL if i == tokenizer.eos_token_id else TRAINED
        seen.append(Seen(spell(raw), trained, color, breaks=raw.endswith("\n")))
    return _cut(seen, edge)


def _cut(seen: list[Seen], edge: int) -> list[Seen]:
    out: list[Seen] = []
    start = 0
    while start < len(seen):
        end = start
        while (
            end < len(seen) and seen[end].trained == seen[start].trained and not (end > start and seen[end - 1].breaks)
        ):
            end += 1
        run = seen[start:end]
        if not run[0].trained and len(run) > 2 * edge + 1:
            cut = Seen(f"… {len(run) - 2 * edge} tokens …", False, None)
            run = [*run[:edge], cut, *run[len(run) - edge :]]
        out += run
        start = end
    return out


def show_trained(tokenizer: Any, examples: Mapping[str, Example], edge: int = EDGE) -> None:
    """One row of boxes for each caption, with the number of tokens that are trained."""
    text, markup = [], []
    for caption, example in examples.items():
        seen = tokens_seen(tokenizer, example, edge)
        title = f"{caption}: {sum(example.trained)} of {len(example)} tokens are trained"
        text.append(f"{title}\n{_plain(seen)}")
        boxes = " ".join(box(token.text, token.color) for token in seen)
        lines = f'<div style="font-family:monospace;line-height:1.9;overflow-wrap:anywhere">{boxes}</div>'
        markup.append(f'<div style="margin:5px 0">{box(title, None)}{lines}</div>')
    emit("\n".join(text), "".join(markup))


def _plain(seen: list[Seen]) -> str:
    """Bars between tokens, guillemets around each run that is trained."""
    parts, inside = [], False
    for token in seen:
        if token.trained != inside:
            parts.append("«" if token.trained else "»")
            inside = token.trained
        parts.append(token.text)
    joined = "|".join([*parts, "»"] if inside else parts)
    return joined.replace("«|", "«").replace("|»", "»")


def trained_figure(tokenizer: Any, example: Example, title: str | None = None, edge: int = EDGE) -> Figure:
    """The same as a figure, a line of the chat template on a line of its own. title: by default, it counts."""
    rows = _rows(tokens_seen(tokenizer, example, edge))
    if title is None:
        title = f"{sum(example.trained)} of {len(example)} tokens are trained: the answer and what ends it"
    height = 0.95 + 0.25 * (len(rows) + 1)
    fig, ax = figure(title, size=(7.0, height))
    ax.set(xlim=(0, WIDTH), ylim=(len(rows) + 1.1, -0.6))
    ax.axis("off")
    for y, row in enumerate(rows):
        _draw(ax, row, y)
    legend = [
        Seen("given", False, GIVEN),
        Seen("trained", True, TRAINED),
        Seen("trained, ends the answer", True, SPECIAL),
    ]
    _draw(ax, legend, len(rows) + 0.5)
    tell(ax, _in_words(example, tokenizer))
    return fig


def _in_words(example: Example, tokenizer: Any) -> str:
    """Where the trained tokens stand, and what they say."""
    trained = [i for i, wanted in zip(example.ids, example.trained, strict=True) if wanted]
    if not trained:
        return f"A chat of {len(example)} tokens in gray: none is trained"
    said = " ".join(tokenizer.decode(trained).split())
    given = len(example) - len(trained)
    return f"A chat, token by token. In gray what is given, {given} tokens. In color what is trained: {said}"


def _rows(seen: list[Seen]) -> list[list[Seen]]:
    rows: list[list[Seen]] = [[]]
    for token in seen:
        if rows[-1] and sum(len(other.text) + 0.7 for other in rows[-1]) + len(token.text) > WIDTH:
            rows.append([])
        rows[-1].append(token)
        if token.breaks:
            rows.append([])
    return [row for row in rows if row]


def _draw(ax: Any, row: list[Seen], y: float) -> None:
    from matplotlib.patches import Rectangle

    x = 0.0
    for token in row:
        width = len(token.text)
        if token.color:
            ax.add_patch(Rectangle((x - 0.15, y - 0.4), width + 0.3, 0.8, facecolor=token.color, edgecolor="none"))
        color = INK if token.color else QUIET
        ax.text(x, y, token.text, family="monospace", fontsize=8.8, va="center", ha="left", color=color)
        x += width + 0.7
