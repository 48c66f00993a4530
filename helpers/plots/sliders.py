"""A function under a slider."""

from __future__ import annotations

from collections.abc import Callable

from helpers.display.frontend import widgets_live


def slider(function: Callable[..., None], **ranges: tuple[int, int, int]) -> None:
    """Call `function(name=value)` whenever a slider is moved; ranges: name=(lowest, at first, highest).

    Where no widget can live, as on a web page, the function is called once with the first values.
    """
    if not widgets_live():
        function(**{name: first for name, (_, first, _) in ranges.items()})
        return
    import ipywidgets as widgets

    sliders = {
        name: widgets.IntSlider(first, lowest, highest, description=name.replace("_", " "), continuous_update=False)
        for name, (lowest, first, highest) in ranges.items()
    }
    widgets.interact(function, **sliders)
