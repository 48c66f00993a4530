"""Answers as text: the right one, and others that differ from it in a few words.

An exercise's file holds `ANSWER` and lists of variants of it: `(old, new)`, several such pairs in a list, or a whole
text where the structure differs. `old` stands in ANSWER exactly once: no change of ANSWER can silently miss it.
Nothing here is compiled before somebody asks for the function: only a submission that failed is compared with slips.
"""

from __future__ import annotations
import __future__

import inspect
import linecache
import re
import textwrap
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Change = str | tuple[str, str] | list[tuple[str, str]]  # a whole text, one replacement, or several


@dataclass(frozen=True)
class Variant:
    """One answer as text. `said`: the cause that is named, or a part of the message; empty for a right answer."""

    name: str
    code: str
    place: str  # "SLIPS[3]", "ANSWER"
    said: str = ""
    globals: dict[str, Any] = field(default_factory=dict, repr=False)  # what the exercise's file imports and defines

    @cached_property
    def function(self) -> Any:
        """What the text defines; raises whatever running it raises, KeyError where it does not define the name."""
        filename = f"<{self.place} of {self.name}>"
        code = compile(self.code, filename, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
        linecache.cache[filename] = (len(self.code), None, self.code.splitlines(True), filename)
        namespace = {**self.globals, "__name__": "__main__"}
        namespace.pop(self.name, None)
        exec(code, namespace)
        return namespace[self.name]

    # A slip is used where a `Mistake` is expected.

    @property
    def variant(self) -> Any:
        return self.function

    @property
    def cause(self) -> str:
        return self.said


def answer_text(name: str, reference: Any) -> str:
    """The source of `reference` under the exercise's name."""
    source = textwrap.dedent(inspect.getsource(reference))
    return re.sub(rf"\b{reference.__name__}\b", name, source)


def changed(answer: str, change: Change) -> str:
    """`answer` with the change made. Raises ValueError, "… stands twice …", where an old text does not stand once."""
    if isinstance(change, str):
        return textwrap.dedent(change).strip("\n") + "\n"
    pairs = [change] if isinstance(change, tuple) else change
    spots = []
    for old, new in pairs:
        if (times := answer.count(old)) != 1:
            often = {0: "not at all", 2: "twice"}.get(times, f"{times} times")
            raise ValueError(f"{old!r} stands in ANSWER {often} instead of once")
        spots.append((answer.index(old), old, new))
    spots.sort()
    text, end = "", 0
    for start, old, new in spots:
        if start < end:
            raise ValueError(f"{old!r} overlaps with another text that is replaced")
        text += answer[end:start] + new
        end = start + len(old)
    return text + answer[end:]


def parted(entry: tuple) -> tuple[Change, str]:
    """A slip as (change, what is said): the last element is said, the others are the change."""
    if not isinstance(entry, tuple) or len(entry) not in (2, 3) or not isinstance(entry[-1], str):
        raise ValueError("it is none of (old, new, said), ([(old, new), …], said) and (text, said)")
    *change, said = entry
    return (change[0] if len(change) == 1 else (change[0], change[1])), said
