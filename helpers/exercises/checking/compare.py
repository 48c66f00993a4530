"""How a result differs from the expected one: kind, shape, dtype, or the first differing value.

Works through numbers, strings, tensors, arrays, lists, tuples, dictionaries, sets and plain objects, nested in any way.
A result that merely broadcasts to the right shape is refused: shapes must be equal.
"""

from __future__ import annotations

import cmath
import math
import numbers
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from helpers.display.boxes import shorten, tidy

SHORT_TEXT = 40  # up to here two texts are shown whole, beyond it from where they part


class Difference(NamedTuple):
    """One difference. `stage` is "kind", "shape", "dtype" or "value", `text` a whole sentence."""

    stage: str
    text: str


def differences(expected: Any, actual: Any, tolerance: float) -> list[Difference]:
    return list(_walk(expected, actual, tolerance, ""))


def equal(expected: Any, actual: Any, tolerance: float) -> bool:
    return next(_walk(expected, actual, tolerance, ""), None) is None


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or is_tensor(value)


def is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _walk(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    if is_tensor(expected):
        right_kind, inside = is_tensor(actual), _arrays
    elif kind := next((kind for kind in WALKS if isinstance(expected, kind)), None):
        right_kind = isinstance(actual, kind) and (kind is BOOL or not isinstance(actual, BOOL))
        inside = WALKS[kind]
    elif expected is None or type(expected).__eq__ is not object.__eq__:
        right_kind, inside = True, _plain
    else:
        right_kind, inside = type(expected).__name__ == type(actual).__name__, _objects
    if actual is None and expected is not None:
        yield _value(expected, actual, path)
    elif not right_kind:
        yield _kind(expected, actual, path)
    else:
        yield from inside(expected, actual, tolerance, path)


def _plain(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    try:
        same = (expected is None) == (actual is None) and bool(expected == actual)
    except Exception:  # an object whose == gives an array or raises is not equal to what we expect
        same = False
    if not same:
        yield _value(expected, actual, path)


def _floats(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    both_nan = expected != expected and actual != actual
    if not (both_nan or cmath.isclose(expected, actual, rel_tol=tolerance, abs_tol=tolerance)):
        yield _value(expected, actual, path)


def _strings(expected: str, actual: str, tolerance: float, path: str) -> Iterator[Difference]:
    if expected != actual and max(len(expected), len(actual)) <= SHORT_TEXT:
        yield _value(expected, actual, path)
    elif expected != actual:
        at = next(i for i, (e, a) in enumerate(zip_longest(expected, actual)) if e != a)
        e, a = (repr(text[at]) if at < len(text) else "the end of the text" for text in (expected, actual))
        whole = f" (the whole text: expected {describe(expected)}, yours {describe(actual)})"
        where = f"{path}, character {at}" if path else f"character {at}"
        yield Difference("value", f"First difference at {where}: expected {e}, yours is {a}{whole}.")


def _sequences(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    pairs = enumerate(zip(expected, actual, strict=False))
    found = (difference for i, (e, a) in pairs for difference in _walk(e, a, tolerance, f"{path}[{i}]"))
    if len(expected) == len(actual):
        yield from found
        return
    first = next(found, None)
    detail = first.text if first else "What both have in common is right."
    yield Difference("shape", f"Expected {_items(len(expected))}{_at(path)}, yours has {len(actual)}. {detail}")


def _mappings(expected: Mapping, actual: Mapping, tolerance: float, path: str) -> Iterator[Difference]:
    missing = [key for key in expected if key not in actual]
    extra = [key for key in actual if key not in expected]
    if missing or extra:
        yield Difference("shape", f"The keys{_at(path)} differ; {_lists(missing, extra)}.")
    for key in expected:
        if key in actual:
            yield from _walk(expected[key], actual[key], tolerance, f"{path}[{key!r}]")


def _sets(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    if expected != actual:
        missing, extra = sorted(expected - actual, key=repr), sorted(actual - expected, key=repr)
        yield Difference("value", f"The sets{_at(path)} differ; {_lists(missing, extra)}.")


def _lists(missing: list, extra: list) -> str:
    named = (("missing:", missing), ("not expected:", extra))
    return "; ".join(f"{word} {', '.join(map(describe, items[:5]))}" for word, items in named if items)


def _objects(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    if expected is not actual and hasattr(expected, "__dict__") and hasattr(actual, "__dict__"):
        theirs = vars(actual)
        for name, value in vars(expected).items():
            if name not in theirs:
                yield Difference("shape", f"The attribute `{path}.{name}` is missing.")
            else:
                yield from _walk(value, theirs[name], tolerance, f"{path}.{name}")


def _arrays(expected: Any, actual: Any, tolerance: float, path: str) -> Iterator[Difference]:
    if (want := tuple(expected.shape)) != (have := tuple(actual.shape)):
        yield Difference("shape", f"Expected shape {want}{_at(path)}, yours is {have}.")
        return
    if (want := _dtype(expected)) != (have := _dtype(actual)):
        yield Difference("dtype", f"Expected {want}{_at(path)}, yours is {have}.")
        return
    e, a = _numpy(expected), _numpy(actual)
    broken = np.zeros(e.shape, dtype=bool)
    if np.issubdtype(e.dtype, np.inexact):
        wrong = ~np.isclose(a, e, rtol=tolerance, atol=tolerance, equal_nan=True)
        broken = wrong & ~np.isfinite(a)  # NaN or infinity says more than a wrong number before it
    else:
        wrong = np.asarray(a != e)
    if wrong.any():
        what = "First NaN or infinity" if broken.any() else "First difference"
        first = int((broken if broken.any() else wrong).argmax())
        at = tuple(int(i) for i in np.unravel_index(first, wrong.shape))
        where = f" at {path}[{', '.join(map(str, at))}]" if at else _at(path)
        share = f" ({int(wrong.sum())} of {_items(wrong.size)} differ)" if wrong.size > 1 else ""
        text = f"{what}{where}: expected {describe(e[at])}, yours is {describe(a[at])}{share}."
        yield Difference("value", text)


BOOL = bool | np.bool_
# How each kind is walked, the first that fits; what is expected as one of them must come as the same kind.
WALKS: dict[Any, Callable] = {np.ndarray: _arrays, BOOL: _plain, numbers.Integral: _plain, numbers.Number: _floats}
WALKS |= {Mapping: _mappings, list: _sequences, tuple: _sequences, str: _strings, set | frozenset: _sets}


def all_finite(value: Any) -> bool:
    return is_array(value) and value.ndim > 0 and bool(np.isfinite(_numpy(value)).all())


def _numpy(array: Any) -> np.ndarray:
    if not is_tensor(array):
        return array
    array = array.detach().cpu()
    return (array.float() if array.dtype.itemsize < 4 and array.is_floating_point() else array).numpy()


def _value(expected: Any, actual: Any, path: str) -> Difference:
    where = f"First difference at {path}: expected" if path else "Expected"
    return Difference("value", f"{where} {describe(expected)}, yours is {describe(actual)}.")


def _kind(expected: Any, actual: Any, path: str) -> Difference:
    number, advice = isinstance(expected, numbers.Number), ""
    if is_array(actual) and number:
        advice = " (take the plain number out with `.item()`)"
    elif is_array(actual) and isinstance(expected, list):
        advice = " (`.tolist()` makes a list of it)"
    values = f", namely {describe(actual)}" if isinstance(actual, numbers.Number | str) else ""
    stage = "dtype" if number and isinstance(actual, numbers.Number) else "kind"
    text = f"Expected {kind_name(expected)}{_at(path)}, yours is {kind_name(actual)}{values}{advice}."
    return Difference(stage, text)


def kind_name(value: Any) -> str:
    """`a list`, `an int`, `a float32 tensor of shape (3, 4)`."""
    if value is None:
        return "None"
    name = type(value).__name__
    if is_array(value):
        name = f"{_dtype(value)} {'tensor' if is_tensor(value) else 'array'} of shape {tuple(value.shape)}"
    vowel = name[0].lower() in "aeiou" and not name.startswith("uint")
    return f"{'an' if vowel else 'a'} {name}"


def describe(value: Any, limit: int = 120) -> str:
    """A value in a few words, the same on every run; small arrays with their numbers, large ones by their shape."""
    if is_array(value) and value.ndim:
        if 0 < math.prod(value.shape) <= 6:
            return f"{_dtype(value)} {shorten(_nested(_numpy(value).tolist()))}"
        return kind_name(value)
    return _nested(value) if is_array(value) else shorten(_nested(value), limit)


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value[:20]))}{', …' if len(value) > 20 else ''}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_nested, value))}{',' if len(value) == 1 else ''})"
    if is_array(value) and value.ndim:
        return describe(value)
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(repr, value))) + "}" if value else "an empty set"
    value = value.item() if isinstance(value, np.generic) or is_array(value) else value
    if isinstance(value, float):
        text = f"{value:.6g}"
        return text if any(mark in text for mark in ".einf") else f"{text}.0"
    return str(value) if isinstance(value, numbers.Number) else tidy(repr(value))


def _dtype(array: Any) -> str:
    return str(array.dtype).removeprefix("torch.")


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _at(path: str) -> str:
    return f" at {path}" if path else ""
