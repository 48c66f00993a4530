"""Predict before you run: a guess is written down first and compared afterwards.

    predict("reply_tokens", "How many tokens a second?", 30, unit="tokens/s")
    reveal("reply_tokens", 21.4)           # "too high by 40 %"

Neither blocks, neither raises. A guess of `...` means "not yet".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from helpers.display.boxes import Box
from helpers.exercises import progress_file as store

CLOSE = 0.10  # within ten percent counts as close
CLOSE_POINTS = 5  # where percent are asked for
PERCENT = ("percent", "%")


class Guess(NamedTuple):
    """A question of this kernel; `value` is `...` where there is no usable guess."""

    question: str
    value: Any
    choices: tuple
    unit: str


def predict(name: str, question: str, guess: Any, *, choices: Sequence | None = None, unit: str = "") -> None:
    """Record a guess, a number or one of `choices`, before the cell that answers it. `...` means no guess yet.

    A negative number is refused where there is a unit, which then counts something; a percentage may be negative.
    """
    choices = tuple(choices or ())
    value, problem = _usable(_plain(guess), choices, unit)
    store.session.guesses[name] = Guess(question, value, choices, unit)
    lines = [f"Choices: {', '.join(map(_show, choices))}."] if choices else []
    if problem:
        lines.append(problem)
    else:
        entry = {"guess": value, "notebook": store.session.current()}
        notice = store.update(lambda data: data["predictions"].update({name: entry}))
        lines += [f"Your guess: {_show(value, unit)}. The answer comes when you run on.", *filter(None, [notice])]
    Box("prediction", question, lines).show()


def reveal(name: str, actual: Any) -> None:
    """Show what really came out, and how far the guess recorded under `name` was from it."""
    actual, asked = _plain(actual), store.session.guesses.get(name)
    if asked is None:
        Box("result", _show(actual), [f"No prediction is called `{name}`."]).show()
        return
    lines = [] if asked.value is ... else [_comparison(asked, actual)]
    Box("result", f"{asked.question} {_show(actual, asked.unit)}", lines).show()


def _usable(guess: Any, choices: tuple, unit: str) -> tuple[Any, str]:
    """The guess, and one sentence if it cannot be used (the value is `...` then)."""
    if guess is ...:
        number = f"your number of {'percent' if unit == '%' else unit}" if unit else "your guess"
        what = "one of the choices" if choices else number
        return ..., f"No guess yet: put {what} in place of `...` and run the cell again."
    if choices:
        folded = {_folded(choice): choice for choice in choices}
        if _folded(guess) in folded:
            return folded[_folded(guess)], ""
        return ..., f"{_show(guess)} is not among the choices, so it was not recorded."
    if not (_is_number(guess) and math.isfinite(guess)) and (unit or not isinstance(guess, str)):
        wanted = (
            f"A guess in {unit} is a finite number without quotes" if unit else "A guess is a finite number or a text"
        )
        return ..., f"{wanted}: {guess!r} was not recorded."
    if unit and unit not in PERCENT and guess < 0:
        return ..., f"A guess in {unit} cannot be negative: {_show(guess)} was not recorded."
    return guess, ""


def _comparison(asked: Guess, actual: Any) -> str:
    yours = f"You guessed {_show(asked.value, asked.unit)}"
    if not asked.choices and _is_number(asked.value) and _is_number(actual):
        return f"{yours}: {how_far(asked.value, actual, asked.unit)}."
    return f"{yours}: right." if _folded(asked.value) == _folded(actual) else f"{yours}: not this time."


def how_far(guess: float, actual: float, unit: str = "") -> str:
    """Distance in words: `exactly right`, `close, 4 % too high`, `30 % too low`, `too high by a factor of 3.1`.

    Where percent are asked for, in points: `10 points too high`; and a share such as 0.8 is read as 80 percent, too.
    """
    if _show(guess) == _show(actual):
        return "exactly right"
    side = "too high" if guess > actual else "too low"
    if unit in PERCENT:
        if 0 < guess < 1 < actual:
            return f"too low; if you meant {_show(100 * guess, unit)}: {how_far(100 * guess, actual, unit)}"
        points = round(abs(guess - actual), 1)
        far = f"{_show(points)} point{'' if points == 1 else 's'} {side}"
        return f"close, {far}" if points <= CLOSE_POINTS else far
    if guess * actual <= 0:
        return f"{side} by {_show(abs(guess - actual))}"
    off, ratio = abs(guess - actual) / abs(actual), max(guess / actual, actual / guess)
    if ratio >= 2:
        return f"{side} by a factor of {f'{ratio:.2g}' if ratio < 99.5 else f'{round(ratio):,}'}"
    percent = f"{round(100 * off)} %" if off >= 0.01 else "less than 1 %"
    return f"close, {percent} {side}" if off <= CLOSE else f"{percent} {side}"


def _plain(value: Any) -> Any:
    """A number out of a numpy scalar or a one-element tensor; anything else as it is."""
    try:
        return value.item()
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _show(value: Any, unit: str = "") -> str:
    """A value for the eye: 1,234,567; 0.0123; 21.4."""
    text = str(value)
    if _is_number(value):
        whole = isinstance(value, int) or 1000 <= abs(value) < math.inf
        text = f"{value:,.0f}" if whole else f"{value:.3g}"
    return f"{text} {unit}".strip()
