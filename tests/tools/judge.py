"""Is a converted exercise as strict as it was? `python -m tests.tools.judge NAME…` tries the old answers on it.

Every old wrong answer of tests/exercise_rows must still be refused with its old message, every old right one must pass,
and every cause of an old mistake must be the cause of a slip, or of a REFUSED answer.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import zlib
from collections.abc import Iterator

import numpy as np

from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import Finding, check
from helpers.exercises.checking.spec import Exercise
from tests.exercise_rows import define, rows


def judged(name: str) -> Iterator[str]:
    """What is worse than before, one sentence each; none where nothing is."""
    loaded, row, old = registry().load(name), rows().get(name), declared(name)
    if row is None or old is None:
        yield f"{name}: no old row or no old declaration is left to compare with"
        return
    for wrong in row.wrong:
        finding = check(define(name, wrong.code), loaded.spec)
        if finding.status != "not yet" or wrong.message not in said(finding):
            yield f"{name}: {wrong.message!r} is not said to\n{wrong.code.strip()}\nbut\n{said(finding)}\n"
    for code in row.right:
        finding = check(define(name, code), loaded.spec)
        if finding.status != "passed":
            yield f"{name}: a right answer does not pass:\n{code.strip()}\n{said(finding)}\n"
    causes = {answer.said for answer in (*loaded.slips, *loaded.refused)}
    for cause in dict.fromkeys(mistake.cause for mistake in old.mistakes):
        if cause not in causes:
            yield f"{name}: no slip has the old cause {cause!r}"
    for part in ("minutes", "difficulty", "hints", "proves", "tolerance", "seconds", "first_call"):
        if getattr(old, part) != getattr(loaded.spec, part):
            yield f"{name}: {part} was {getattr(old, part)!r} and is {getattr(loaded.spec, part)!r}"
    if [p.text for p in old.properties] != [p.text for p in loaded.spec.properties]:
        yield f"{name}: the properties differ"
    if [(b.exception, b.because, b.mentions) for b in old.raises] != [
        (b.exception, b.because, b.mentions) for b in loaded.spec.raises
    ]:
        yield f"{name}: the bad inputs differ"
    new_inputs = repr(loaded.spec.cases(_generator(name)))
    if new_inputs != repr(old.cases(_generator(name))):
        yield f"{name}: the inputs differ from the old ones"
    counts = f"{len(row.wrong)} old wrong rows, {len(old.mistakes)} old mistakes"
    lines = len(inspect.getsource(inspect.getmodule(loaded.spec.cases)).splitlines())
    print(f"{name}: {counts}; {len(loaded.slips)} slips, {len(loaded.refused)} refused, {lines} lines")


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def declared(name: str) -> Exercise | None:
    """The old declaration, as long as it stands in a topic module."""
    import helpers.exercises.checking as package

    for module in pkgutil.iter_modules(package.__path__):
        for spec in getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "EXERCISES", []):
            if spec.name == name:
                return spec
    return None


def said(finding: Finding) -> str:
    return "\n".join([finding.status, *finding.lines, finding.traceback])


def main(names: list[str]) -> int:
    problems = [problem for name in names for problem in judged(name)]
    print("\n".join(problems) if problems else f"as strict as before: {', '.join(names)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
