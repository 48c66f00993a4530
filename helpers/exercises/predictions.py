"""Predict before you run: a guess is written down first and compared afterwards.

    predict("reply_tokens", "How many tokens a second?", 30, unit="tokens/s")
    reveal("reply_tokens", 21.4)           # "too high by 40 %"

Neither blocks, neither raises. A guess of `...` means "not yet".
"""

from __future__ import annotations

import difflib
import math
import numbers
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
    choices, notice = tuple(choices or ()), ""
    value, said = _usable(_plain(guess), choices, unit)
    store.session.guesses[name] = Guess(question, value, choices, unit)
    if value is ... and not said:
        number = f"your number of {'percent' if unit == '%' else unit}" if unit else "your guess"
        what = "one of the choices" if choices else number
        said = f"No guess yet: put {what} in place of `...` and run the cell again."
    elif not said:
        said = f"Your guess: {_show(value, unit)}. The answer comes when you run on."
        entry = {
            "guess": value if isinstance(value, int | float | str) else str(value),
            "notebook": store.session.current(),
        }
        notice = store.update(lambda data: data["predictions"].update({name: entry}))
    options = [f"Choices: {', '.join(map(_show, choices))}."] if choices else []
    Box("prediction", question, [*options, said, *filter(None, [notice])]).show()


def reveal(name: str, actual: Any) -> None:
    """Show what really came out, and how far the guess recorded under `name` was from it."""
    actual = _plain(actual)
    asked = store.session.guesses.get(name)
    if asked is not None:
        lines = [] if asked.value is ... else [_comparison(asked, actual)]
        Box("result", f"{asked.question} {_show(actual, asked.unit)}", lines).show()
        return
    near = difflib.get_close_matches(str(name), store.session.guesses, n=1, cutoff=0.6)
    lines = [f"No prediction is called `{name}`; did you mean `{near[0]}`?"] if near else []
    Box("result", _show(actual), lines).show()


def _usable(guess: Any, choices: tuple, unit: str) -> tuple[Any, str]:
    """The guess, and one sentence if it cannot be used (the value is `...` then)."""
    if guess is ...:
        return ..., ""
    if choices:
        return _chosen(guess, choices)
    if isinstance(guess, bool) or not isinstance(guess, numbers.Real | str):
        kind = type(guess).__name__
        kind = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        return ..., f"A guess is a number or a text, not {kind}: the guess was not recorded."
    if isinstance(guess, str):
        problem = f"A guess in {unit} is a number without quotes: {guess!r} was not recorded."
        return (..., problem) if unit else (guess, "")
    if not math.isfinite(guess):
        return ..., f"A guess must be a finite number: {guess} was not recorded."
    if unit and unit not in PERCENT and guess < 0:
        return ..., f"A guess in {unit} cannot be negative: {_show(guess)} was not recorded."
    return guess, ""


def _chosen(guess: Any, choices: tuple) -> tuple[Any, str]:
    for choice in choices:
        if type(choice) is type(guess) and choice == guess or _folded(choice) == _folded(guess):
            return choice, ""
    near = difflib.get_close_matches(_folded(guess), [_folded(c) for c in choices], n=1, cutoff=0.6)
    meant = next((f" Did you mean {_show(c)}?" for c in choices if near and _folded(c) == near[0]), "")
    return ..., f"{_show(guess)} is not among the choices, so it was not recorded.{meant}"


def _comparison(asked: Guess, actual: Any) -> str:
    guess, unit = asked.value, asked.unit
    yours = f"You guessed {_show(guess, unit)}"
    if asked.choices or not (_is_number(guess) or _is_number(actual)):
        right = guess == actual or _folded(guess) == _folded(actual)
        return f"{yours}: right." if right else f"{yours}: not this time."
    if _is_number(guess) != _is_number(actual):
        kinds = ("a number", "a text") if _is_number(guess) else ("a text", "a number")
        return f"{yours}, which is {kinds[0]}; the answer is {kinds[1]}, so the two cannot be compared."
    return f"{yours}: {how_far(guess, actual, unit)}."


def how_far(guess: float, actual: float, unit: str = "") -> str:
    """Distance in words: `exactly right`, `close, 4 % too high`, `30 % too low`, `too high by a factor of 3.1`.

    Where percent are asked for, in points: `10 points too high`; and a share such as 0.8 is read as 80 percent, too.
    """
    if guess == actual or _show(guess) == _show(actual):
        return "exactly right"
    side = "too high" if guess > actual else "too low"
    if unit in PERCENT:
        if 0 < guess < 1 < actual:
            return f"too low; if you meant {_show(100 * guess, unit)}: {how_far(100 * guess, actual, unit)}"
        points = abs(guess - actual)
        far = f"{_show(round(points, 1))} point{'' if round(points, 1) == 1 else 's'} {side}"
        return f"close, {far}" if points <= CLOSE_POINTS else far
    if actual == 0 or guess == 0 or (guess > 0) != (actual > 0):
        return f"{side} by {_show(abs(guess - actual))}"
    off = abs(guess - actual) / abs(actual)
    if off <= CLOSE:
        return f"close, {_percent(off)} {side}"
    ratio = max(guess / actual, actual / guess)
    if ratio < 2:
        return f"{_percent(off)} {side}"
    return f"{side} by a factor of {ratio:.2g}" if ratio < 99.5 else f"{side} by a factor of {round(ratio):,}"


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{round(100 * share)} %"


def _plain(value: Any) -> Any:
    """A number out of a numpy scalar or a one-element tensor; anything else as it is."""
    try:
        return value.item()
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _show(value: Any, unit: str = "") -> str:
    """A value for the eye: 1,234,567; 0.0123; 21.4."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        text = f"{int(value):,}"
    elif _is_number(value):
        text = f"{float(value):,.0f}" if abs(value) >= 1000 and math.isfinite(value) else f"{float(value):.3g}"
    else:
        text = str(value)
    return f"{text} {unit}".strip()
