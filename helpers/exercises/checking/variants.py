"""Answers as text: the right one, and others that differ from it in a few words.

Two notations come to the same. In an exercise's file of the new form they are text, with what is said indented below:

    number * size => size            one edit; several are joined by ` && `
        this is the size alone.
    ```
        for n in range(5):           an edit over several lines
    =>
        for n in range(6):
    ```
        it goes one too far.
    ```
    def f(x):                        a block without `=>` is the whole answer
        return 0
    ```
        this is always zero.

In the old form they are Python: `(old, new, said)`, `([(old, new), …], said)` or `(whole text, said)`.
An old text stands in the answer exactly once: no change of the answer can silently miss it.
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
BELOW = r"((?:[ \t]+\S.*\n|\n)*)"
ENTRY = re.compile(rf"^```\n(?P<block>(?s:.*?))^```\n{BELOW}|^(?P<line>\S.*)\n{BELOW}", re.MULTILINE)


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
        """What the text defines; raises whatever running it raises."""
        filename = f"<{self.place} of {self.name}>"
        code = compile(self.code, filename, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
        linecache.cache[filename] = (len(self.code), None, self.code.splitlines(True), filename)
        namespace = {**self.globals, "__name__": "__main__"}
        namespace.pop(self.name, None)
        exec(code, namespace)
        return namespace[self.name]


def answer_text(name: str, reference: Any) -> str:
    """The source of `reference` under the exercise's name."""
    source = textwrap.dedent(inspect.getsource(reference))
    return re.sub(rf"\b{reference.__name__}\b", name, source)


def changed(answer: str, change: Change) -> str:
    """`answer` with the change made. Raises ValueError where an old text does not stand once."""
    if isinstance(change, str):
        return textwrap.dedent(change).strip("\n") + "\n"
    edits = dict([change] if isinstance(change, tuple) else change)
    for old in edits:
        if (times := answer.count(old)) != 1:
            raise ValueError(f"{old!r} stands in the answer {times} times instead of once")
    text, made = re.subn("|".join(map(re.escape, edits)), lambda found: edits[found[0]], answer)
    if made < len(edits):
        raise ValueError("two of its edits overlap")
    return text


def parted(entry: tuple) -> tuple[Change, str]:
    """An entry of the old form as (change, what is said)."""
    *change, said = entry
    return (change[0] if len(change) == 1 else (change[0], change[1])), said


def entries(text: str) -> list[tuple[Change, str]]:
    """Every entry of a text of the new form as (change, what is said). Raises ValueError for one that is no edit."""
    found: list[tuple[Change, str]] = []
    for block, of_block, line, of_line in ENTRY.findall(text.strip("\n") + "\n"):
        below = re.sub(r"\s*\n\s*", " ", (of_block or of_line).strip())
        if block and "\n=>\n" not in block:
            found.append((block, below))
            continue
        edits = re.split(r"^&&\n", block, flags=re.MULTILINE) if block else line.split(" && ")
        sides = [edit.removesuffix("\n").split("\n=>" if block else " =>", 1) for edit in edits]
        if not all(len(side) == 2 for side in sides):
            raise ValueError(f"entry [{len(found)}] is no edit `old => new`: {line or block!r}")
        found.append(([(old, new[1:]) if block else (old.strip(), new.strip()) for old, new in sides], below))
    return found


def rungs(text: str) -> list[str]:
    """The hints, a line each; an indented line continues the one above."""
    return [line for line in re.sub(r"\n[ \t]+(?=\S)", " ", text.strip()).split("\n") if line.strip()]
