"""Watch a loss fall: a progress bar and a figure that redraws while the loop runs.

    with LiveLoss(steps, "The loss falls", ylabel="loss (nats)") as live:
        for _ in range(steps):
            live.add(training_step())
    live.losses

Where nothing can redraw (`HANDS_ON_STATIC=1`, a script) the figure is drawn once, at the end, and there is no bar.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt

from helpers.display.frontend import in_kernel, is_static
from helpers.plots.figures import PALETTE, QUIET, figure, readable

REDRAW_SECONDS = 0.5  # drawing takes a tenth of that


class LiveLoss:
    """Collects losses; `baseline` is a (value, label) that the curve is held against, as a dashed line."""

    def __init__(
        self,
        steps: int,
        title: str,
        *,
        ylabel: str = "loss",
        baseline: tuple[float, str] | None = None,
        log: bool = False,
        size: tuple[float, float] = (7.0, 2.8),
        alt: str = "",
    ) -> None:
        self.steps, self.title, self.ylabel, self.baseline = steps, title, ylabel, baseline
        self.log, self.size, self.alt = log, size, alt
        self.losses: list[float] = []
        self.marks: dict[int, float] = {}
        self.live = in_kernel() and not is_static()
        self._bar: Any = None
        self._display: Any = None
        self._drawn = 0.0

    def __enter__(self) -> LiveLoss:
        if self.live:
            from IPython.display import display
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self.steps, unit="step", leave=False)
            self._display = display(None, display_id=True)
        self._drawn = time.monotonic()
        return self

    def add(self, loss: float) -> None:
        """One step is done; `loss` is a number or a tensor with one number."""
        self.losses.append(float(loss))
        if self._bar is not None:
            self._bar.update()
            if time.monotonic() - self._drawn > REDRAW_SECONDS:
                self._redraw()

    def mark(self, step: int, value: float) -> None:
        """After `step` steps the loss on what is held out is `value`: a point beside the curve."""
        self.marks[step] = float(value)

    def resume(self, losses: Sequence[float], marks: Mapping[int, float] | None = None) -> None:
        """These steps were done before, in another run."""
        self.losses.extend(losses)
        self.marks.update(marks or {})
        if self._bar is not None:
            self._bar.update(len(losses))

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
            self._redraw()
        else:
            self.draw()  # left open: the notebook shows it under the cell

    def draw(self) -> plt.Figure:
        """The figure of the losses so far; losses that are no longer finite leave a gap."""
        fig, ax = figure(self.title, "step", self.ylabel, size=self.size, alt=self.alt)
        finite = [loss if math.isfinite(loss) else math.nan for loss in self.losses]
        ax.plot(range(1, len(finite) + 1), finite, color=PALETTE["main"], label="_the loss")
        if self.marks:
            ax.plot(*zip(*sorted(self.marks.items()), strict=True), color=PALETTE["compare"], marker="o", linewidth=1.2,
                    label="_held out")  # fmt: skip
            ax.annotate("held out", max(self.marks.items()), xytext=(-4, 6), textcoords="offset points", ha="right",
                        color=readable(PALETTE["compare"]), fontsize=9)  # fmt: skip
        if self.log:
            ax.set_yscale("log")
        ax.set_xlim(0, max(self.steps, len(finite), 1))
        if self.baseline is not None:
            value, label = self.baseline
            ax.axhline(value, color=PALETTE["muted"], linestyle=(0, (4, 3)), linewidth=1.2)
            ax.annotate(label, (1, value), xycoords=("axes fraction", "data"), xytext=(7, 0), annotation_clip=False,
                        textcoords="offset points", ha="left", va="center", color=QUIET, fontsize=9)  # fmt: skip
        return fig

    def _redraw(self) -> None:
        fig = self.draw()
        self._display.update(fig)
        plt.close(fig)  # or the notebook would show it a second time
        self._drawn = time.monotonic()
