"""Find the exercises by their paths, and load the one that is asked for.

`helpers/exercises/course/10_rag/look_up.py` is the exercise `look_up` of the notebook `10_rag`. The file holds

    EXERCISE = Exercise(reference=…, minutes=…, …)    # its name and notebook are the path's
    def cases(rng): …                                 # argument tuples from a seeded generator
    ANSWER = "…"                                      # left out: the reference's own source
    SLIPS = [(old, new, cause), …]                    # wrong answers, each with the cause that is named for it
    REFUSED = [(old, new, message), …]                # wrong answers that the checks refuse, and a part of what is said
    RIGHT = [(old, new), …]                           # right answers, written differently
    PLANTED = SLIPS[0]                                # the slip that stands in the notebook's cell, for a bug to find

Names that begin with `_` are no exercises: what several exercises of a notebook share stands in its `_shared.py`.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.exercises.checking.spec import BrokenExercise, Exercise
from helpers.exercises.checking.variants import Variant, answer_text, changed, parted


@dataclass(frozen=True)
class Loaded:
    """One exercise's file: what is checked, and the answers that the tests try."""

    spec: Exercise
    answer: Variant
    slips: tuple[Variant, ...]
    refused: tuple[Variant, ...]
    right: tuple[Variant, ...]
    planted: Variant | None


class Registry(Mapping[str, Exercise]):
    """Every exercise of the course by name, in the order of notebooks; a file is imported when it is asked for.

    Raises ValueError for a name that two notebooks use, and BrokenExercise where a file is asked for and does not load.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.root = Path(next(iter(importlib.import_module(package).__path__)))
        self.files: dict[str, Path] = {}
        for path in sorted(self.root.glob("*/[!_]*.py")):
            if path.stem in self.files:
                both = f"{self.shown(self.files[path.stem])} and in {self.shown(path)}"
                raise ValueError(f"exercise `{path.stem}` is defined in {both}")
            self.files[path.stem] = path
        self._loaded: dict[str, Loaded] = {}

    def __getitem__(self, name: str) -> Exercise:
        return self.load(name).spec

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __contains__(self, name: object) -> bool:  # without loading it, as Mapping would
        return name in self.files

    def notebooks(self) -> dict[str, str]:
        """The notebook of each exercise by the exercise's name; imports none of the files."""
        return {name: path.parent.name for name, path in self.files.items()}  # `files` is in the order of paths

    def shown(self, path: Path) -> str:
        """A path from the repository's root, with slashes."""
        return "/".join([*self.package.split("."), *path.relative_to(self.root).parts])

    def load(self, name: str) -> Loaded:
        """The file of the exercise `name`; KeyError where there is none, BrokenExercise where it is at fault."""
        if name not in self._loaded:
            path = self.files[name]
            try:
                module = importlib.import_module(f"{self.package}.{path.parent.name}.{name}")
                self._loaded[name] = read(module, name, path.parent.name)
            except Exception as error:
                told = f"{type(error).__name__}: {error}" if not isinstance(error, BrokenExercise) else str(error)
                raise BrokenExercise(f"{self.shown(path)} does not load: {told}") from error
        return self._loaded[name]


def read(module: ModuleType, name: str, notebook: str) -> Loaded:
    """What an exercise's module says. Raises BrokenExercise for a list whose entry does not fit ANSWER."""
    stated = vars(module)
    given = stated["EXERCISE"]
    if given.name or given.notebook or given.mistakes or given.planted or given.cases:
        raise BrokenExercise("name, notebook, cases, mistakes and planted are taken from the file, not from EXERCISE.")
    if given.reference is None:
        raise BrokenExercise("EXERCISE has no reference.")
    known = {**getattr(given.reference, "__globals__", {}), **stated}
    answer = Variant(
        name,
        changed("", stated["ANSWER"]) if "ANSWER" in stated else answer_text(name, given.reference),
        "ANSWER",
        globals=known,
    )

    def variants(kind: str, said: bool) -> tuple[Variant, ...]:
        return tuple(
            _variant(answer, entry, f"{kind}[{number}]", said) for number, entry in enumerate(stated.get(kind, ()))
        )

    slips = variants("SLIPS", said=True)
    planted = _variant(answer, stated["PLANTED"], "PLANTED", said=True) if "PLANTED" in stated else None
    if planted is not None and not any((planted.code, planted.said) == (slip.code, slip.said) for slip in slips):
        raise BrokenExercise("PLANTED is none of SLIPS.")
    spec = dataclasses.replace(
        given,
        name=name,
        notebook=notebook,
        cases=stated["cases"],
        mistakes=slips,
        planted=planted.function if planted else None,
        answer=answer.code if "ANSWER" in stated else "",
        module=module.__name__,
    )
    return Loaded(spec, answer, slips, variants("REFUSED", said=True), variants("RIGHT", said=False), planted)


def _variant(answer: Variant, entry: Any, place: str, said: bool) -> Variant:
    try:
        change, message = parted(entry) if said else (entry, "")
        return dataclasses.replace(answer, code=changed(answer.code, change), place=place, said=message)
    except (ValueError, TypeError) as error:
        raise BrokenExercise(f"{place}: {error}.") from error
