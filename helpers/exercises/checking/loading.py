"""Find the exercises by their paths, and load the one that is asked for, from a file of either form.

The new form: `notebooks/exercises/NN_topic/look_up.py` is the exercise `look_up` of that notebook. The file holds

    MINUTES, DOTS = 4, 2
    PROVES = "…"                 # completes "n checks: "
    def look_up(…): …            # the answer: the course's version, the folded solution, and what the slips change
    HINTS = "…"                  # three lines, from a nudge to nearly the code
    SLIPS = "…"                  # wrong answers, each with the cause that is named for it; `variants` has the notation
    def cases(rng): …            # argument tuples from a seeded generator
    REFUSED = "…"                # optional: wrong answers that are refused, each with a part of what is said
    PLANTED = 0                  # optional: the number of the slip that stands in the cell, for a bug to find
    PROPERTIES = [(text, predicate, cause, evidence)]; RAISES = [(args, ValueError, because, mentions)]     # optional
    TOLERANCE = 1e-5; SECONDS = 5; FIRST_CALL = 1                     # optional, as `drive` and `shown`: see `spec`

The old form, `helpers/exercises/course/NN_topic/look_up.py`, states the same as `EXERCISE = Exercise(reference=…, …)`,
`cases`, and ANSWER, SLIPS, REFUSED, RIGHT (right answers, written differently) and PLANTED as Python.

Names that begin with `_` are no exercises: what several exercises of a notebook share stands in its `_shared.py`, and
they get it by `from ._shared import …`.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.exercises.checking.spec import BadInput, BrokenExercise, Exercise, Property
from helpers.exercises.checking.variants import Variant, answer_text, changed, entries, parted, rungs
from helpers.files.paths import ROOT

FOLDER = ROOT / "notebooks" / "exercises"
PACKAGE = "notebook_exercises"  # under this name the files of FOLDER are imported
OPTIONS = ("drive", "shown", "TOLERANCE", "SECONDS", "FIRST_CALL")  # what a file of the new form may leave out


@dataclass(frozen=True)
class Loaded:
    """One exercise's file: what is checked, and the answers that the tests try."""

    file: Path
    spec: Exercise
    answer: Variant
    slips: tuple[Variant, ...]
    refused: tuple[Variant, ...] = ()
    right: tuple[Variant, ...] = ()
    planted: Variant | None = None


class Registry(Mapping[str, Exercise]):
    """Every exercise of the course by name, in the order of notebooks; a file is imported when it is asked for.

    old: the package of the files of the old form; folder, package: where those of the new form lie, and their name.
    Raises ValueError for a name that is used twice, and BrokenExercise where a file is asked for and does not load.
    """

    def __init__(self, old: str = "", folder: Path = FOLDER, package: str = PACKAGE) -> None:
        self.packages = {Path(next(iter(importlib.import_module(old).__path__))): old} if old else {}
        if folder.is_dir():
            self.packages[folder] = package
            sys.modules[package] = ModuleType(package)
            sys.modules[package].__path__ = [str(folder)]
        self.files: dict[str, Path] = {}
        found = [path for root in self.packages for path in root.glob("[!._]*/[!._]*.py")]
        for path in sorted(found, key=lambda path: path.parts[-2:]):
            if path.stem in self.files:
                both = f"{shown(self.files[path.stem])} and in {shown(path)}"
                raise ValueError(f"exercise `{path.stem}` is defined in {both}")
            self.files[path.stem] = path
        self._loaded: dict[str, Loaded] = {}

    def notebooks(self) -> dict[str, str]:
        """The notebook of each exercise by the exercise's name; imports none of the files."""
        return {name: path.parent.name for name, path in self.files.items()}

    def __getitem__(self, name: str) -> Exercise:
        return self.load(name).spec

    def __contains__(self, name: object) -> bool:  # without loading it, as Mapping would
        return name in self.files

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def load(self, name: str) -> Loaded:
        """The file of the exercise `name`; KeyError where there is none, BrokenExercise where it is at fault."""
        file = self.files[name]
        try:
            if name not in self._loaded:
                module = importlib.import_module(f"{self.packages[file.parents[1]]}.{file.parent.name}.{name}")
                read = read_old if "EXERCISE" in vars(module) else read_new
                self._loaded[name] = read(module, file)
            return self._loaded[name]
        except Exception as error:
            raise BrokenExercise(f"{shown(file)} does not load: {type(error).__name__}: {error}") from error


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else "/".join(file.parts[-3:])


def read_new(module: ModuleType, file: Path) -> Loaded:
    """What a file of the new form says."""
    stated, name = vars(module), file.stem
    answer = Variant(name, answer_text(name, stated[name]), "the answer", globals=stated)
    slips = variants(answer, "SLIPS", stated["SLIPS"])
    planted = slips[stated["PLANTED"]] if "PLANTED" in stated else None
    spec = Exercise(
        name=name,
        notebook=file.parent.name,
        place=shown(file),
        minutes=stated["MINUTES"],
        difficulty=stated["DOTS"],
        proves=stated["PROVES"],
        reference=stated[name],
        cases=stated["cases"],
        hints=rungs(stated["HINTS"]),
        properties=[Property(*entry) for entry in stated.get("PROPERTIES", ())],
        raises=[BadInput(*entry) for entry in stated.get("RAISES", ())],
        mistakes=slips,
        planted=planted and planted.function,
        **{key.lower(): stated[key] for key in OPTIONS if key in stated},
    )
    refused = variants(answer, "REFUSED", stated.get("REFUSED", ""))
    return Loaded(file, spec, answer, slips, refused, planted=planted)


def read_old(module: ModuleType, file: Path) -> Loaded:
    """What a file of the old form says."""
    stated, name = vars(module), file.stem
    given = stated["EXERCISE"]
    known = {**getattr(given.reference, "__globals__", {}), **stated}
    code = changed("", stated["ANSWER"]) if "ANSWER" in stated else answer_text(name, given.reference)
    answer = Variant(name, code, "ANSWER", globals=known)
    slips, refused = (variants(answer, kind, stated.get(kind, ())) for kind in ("SLIPS", "REFUSED"))
    right = variants(answer, "RIGHT", [(change, "") for change in stated.get("RIGHT", ())])
    planted = slips[stated["SLIPS"].index(stated["PLANTED"])] if "PLANTED" in stated else None
    found = {"name": name, "notebook": file.parent.name, "place": shown(file), "cases": stated["cases"]}
    spec = dataclasses.replace(given, mistakes=slips, planted=planted and planted.function, **found)
    return Loaded(file, spec, answer, slips, refused, right, planted)


def variants(answer: Variant, kind: str, stated: str | Sequence[Any]) -> tuple[Variant, ...]:
    """The answers of one list of a file, in either notation. Raises ValueError for one that does not fit."""
    listed = entries(stated) if isinstance(stated, str) else map(parted, stated)
    return tuple(
        dataclasses.replace(answer, code=changed(answer.code, change), place=f"{kind}[{number}]", said=said)
        for number, (change, said) in enumerate(listed)
    )
