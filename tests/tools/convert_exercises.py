"""Write the exercises that a notebook still uses in the new form, and prove that no verdict is lost.

    python -m tests.tools.convert_exercises 00_welcome                  # to notebooks/exercises; the old files go
    python -m tests.tools.convert_exercises 00_welcome --out build/try  # to look at them: nothing else changes

Right answers that are written differently go to tests/exercises/right. The engine then judges every old answer by the
new file: an exercise of which a verdict changes is named, and its old file stays. `make notebooks` writes the folded
solutions afterwards. What this does not do: write the prose shorter, or make an exercise better.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import difflib
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from helpers.display.source import without_docstrings
from helpers.exercises.checking import Registry, registry
from helpers.exercises.checking.engine import check
from helpers.exercises.checking.loading import FOLDER, Loaded
from helpers.exercises.checking.variants import changed, entries, parted
from helpers.exercises.solutions import bound_by, solution_source
from tests.tools.notebook import ROOT, exercise_node, read

RIGHT = ROOT / "tests" / "exercises" / "right"
STATED = {"EXERCISE", "ANSWER", "SLIPS", "REFUSED", "RIGHT", "PLANTED"}


def new_form(loaded: Loaded) -> tuple[str, str]:
    """The text of the new file, and the line of its right answers, empty where it has none."""
    spec, module = loaded.spec, sys.modules[f"helpers.exercises.course.{loaded.spec.notebook}.{loaded.spec.name}"]
    source, answer = loaded.file.read_text(encoding="utf-8"), without_docstrings(loaded.answer.code).strip() + "\n"
    texts = {}
    for kind in ("SLIPS", "REFUSED", "RIGHT"):
        stated = [(entry, "") if kind == "RIGHT" else parted(entry) for entry in getattr(module, kind, ())]
        made = zip(stated, getattr(loaded, kind.lower()), strict=True)
        texts[kind] = "".join(one_entry(answer, change, slip.code, said) for (change, said), slip in made)
    options = options_of(spec, ast.parse(source), source)
    codes = [slip.code for kind in ("slips", "refused", "right") for slip in getattr(loaded, kind)]
    imports, definitions = needed(source, spec, "\n\n".join([answer, *options, *codes]))
    hints = "".join(f"{wrapped(hint, '')}\n" for hint in spec.hints)
    lists = [f"HINTS = {quoted(hints)}", f"SLIPS = {quoted(texts['SLIPS'])}"]
    lists += [f"PLANTED = {loaded.slips.index(loaded.planted)}"] if loaded.planted else []
    lists += [f"REFUSED = {quoted(texts['REFUSED'])}"] if texts["REFUSED"] else []
    head = [f'"""{inspect.getdoc(module)}"""', imports, f"MINUTES, DOTS = {spec.minutes}, {spec.difficulty}\nPROVES = "]
    head[-1] += f'"{spec.proves}"' if len(spec.proves) < 100 and '"' not in spec.proves else repr(spec.proves)
    text = "\n\n".join(filter(None, [*head, "\n" + answer, "\n".join(lists), definitions, "\n".join(options)])) + "\n"
    return text, texts["RIGHT"] and f"{spec.name} = {quoted(texts['RIGHT'])}\n"


def one_entry(answer: str, change: Any, code: str, said: str) -> str:
    """One entry of a list: edits in a line, or an edit of whole lines, where it means the same; else the whole text."""
    below, code = f"{wrapped(said, '    ')}\n" if said else "", without_docstrings(code)
    tried = []
    if not isinstance(change, str):
        pairs = [change] if isinstance(change, tuple) else change
        tried = [" && ".join(f"{old.strip()} => {new.strip()}".rstrip() for old, new in pairs) + "\n"]
    old, new = answer.splitlines(), code.strip().splitlines()
    steps = [step for step in difflib.SequenceMatcher(None, old, new).get_opcodes() if step[0] != "equal"]
    if steps:
        first, last, start, end = steps[0][1], steps[-1][2], steps[0][3], steps[-1][4]
        while first and answer.count("\n".join(old[first:last])) != 1:
            first, start = first - 1, start - 1
        if last - first < len(old) - 1:
            tried.append("```\n" + "\n".join([*old[first:last], "=>", *new[start:end]]) + "\n```\n")
    for text in tried:
        try:
            ((found, _),) = entries(text + below, said=bool(said))
            same = ast.dump(ast.parse(changed(answer, found))) == ast.dump(ast.parse(code))
        except (ValueError, SyntaxError):
            continue
        if same and max(map(len, text.splitlines())) <= 120:
            return text + below
    return f"```\n{code.strip()}\n```\n{below}"


def options_of(spec: Any, tree: ast.Module, source: str) -> list[str]:
    """PROPERTIES, RAISES and the like as the old file states them, with tuples in place of their classes."""
    (call,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and bound_by(node) == ["EXERCISE"])
    found = []
    for keyword in call.keywords:
        text = ast.get_source_segment(source, keyword.value)
        if keyword.arg in ("properties", "raises") and text not in ("PROPERTIES", "RAISES"):
            if "evidence=" not in text:
                text = re.sub(r"\b(Property|BadInput)\(", "(", re.sub(r"\b(mentions|cause)=", "", text))
            found.append(f"{keyword.arg.upper()} = {re.sub(r'^    ', '', text, flags=re.MULTILINE)}")
        elif keyword.arg in ("tolerance", "seconds"):
            found.append(f"{keyword.arg.upper()} = {text}")
        elif keyword.arg in ("drive", "shown") and text != keyword.arg:
            found.append(f"{keyword.arg} = {text}")
        elif keyword.arg == "first_call":
            arguments = "', '.join(map(repr, second))"
            found.append(f'\n\ndef shown(first, *second):\n    return f"{spec.name}({{first!r}})({{{arguments}}})"')
    return found


def needed(source: str, spec: Any, read: str) -> tuple[str, str]:
    """The imports, and the other statements of the old file's top level, that the new file needs for what it reads."""
    folded = solution_source(spec).partition("@exercise\n")[0]  # it imports what the reference's own module knows
    known = [(node, text) for text in (folded, source) for node in ast.parse(text).body]
    home = {name: (i, *known[i]) for i in range(len(known)) for name in bound_by(known[i][0])}
    imports, others, todo = set(), {}, ["cases", "drive", "shown", *names(read)]
    while todo:
        name = todo.pop(0)
        if name not in home or name in {*STATED, spec.name}:
            continue
        number, node, text = home.pop(name)
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [item for item in node.names if (item.asname or item.name.split(".")[0]) == name]
            imports.add(ast.unparse(node))
            node.names = ast.parse(ast.get_source_segment(text, node)).body[0].names
        else:
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
            others[number] = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
            todo += names(others[number])
    return "\n".join(sorted(imports)), "\n\n".join(others[number] for number in sorted(others))


def names(text: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]


def wrapped(text: str, indent: str) -> str:
    """The text on lines of at most 118 characters; those after the first are indented."""
    options = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(text, 118, initial_indent=indent, subsequent_indent="    ", **options)


def quoted(text: str) -> str:
    marks = "'''" if '"""' in text else '"""'
    return f"{'r' if chr(92) in text else ''}{marks}\n{text}{marks}"


def lost_verdicts(old: Loaded, new: Loaded) -> list[str]:
    """A sentence for every old answer that the new file judges otherwise."""
    problems = []
    both = [dataclasses.replace(loaded.spec, planted=None) for loaded in (old, new)]
    for answer in (old.answer, *old.slips, *old.refused, *old.right):
        before, after = (check(answer.function, spec) for spec in both)
        if (before.status, before.lines) != (after.status, after.lines):
            problems.append(f"{answer.place} of {answer.name} was told {before.lines} and is now told {after.lines}")
    for kind in ("slips", "refused"):
        if len(getattr(old, kind)) != len(getattr(new, kind)):
            problems.append(f"{old.spec.name} had {len(getattr(old, kind))} {kind} and has {len(getattr(new, kind))}")
    for slip in new.slips:
        if f"Suspected cause: {slip.said}" not in check(slip.function, both[1]).lines:
            problems.append(f"{slip.place} of {slip.name} is no longer told its cause, {slip.said!r}")
    return problems


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.convert_exercises", description=__doc__.split("\n")[0])
    parser.add_argument("notebook", help="as in 00_welcome")
    parser.add_argument("--out", type=Path, help="write below this folder and take nothing away")
    options = parser.parse_args(arguments)
    folder, right = options.out or FOLDER, (options.out / "right" if options.out else RIGHT)
    course = registry()
    cells = read(ROOT / "notebooks" / f"{options.notebook}.ipynb").cells
    used = [node.name for cell in cells if (node := exercise_node(cell))]
    loaded = [course.load(name) for name in used if "EXERCISE" in course.load(name).answer.globals]
    (folder / options.notebook).mkdir(parents=True, exist_ok=True)
    shared = ROOT / "helpers/exercises/course" / options.notebook / "_shared.py"
    if shared.is_file():
        shutil.copy(shared, folder / options.notebook)
    texts = {old.spec.name: new_form(old) for old in loaded}
    for name, (text, _) in texts.items():
        (folder / options.notebook / f"{name}.py").write_text(text, encoding="utf-8")
    files = [str(folder / options.notebook / f"{name}.py") for name in texts]
    for command in (["check", "--select", "I,F401", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *files], check=False)
    if rights := "\n".join(line for _, line in texts.values() if line):
        right.mkdir(parents=True, exist_ok=True)
        head = f'"""Right answers to the exercises of {options.notebook}, written differently."""\n\n'
        (right / f"{options.notebook}.py").write_text(head + rights, encoding="utf-8")
    converted, lost = Registry("", folder, "converted_exercises"), 0
    for old in loaded:
        problems = lost_verdicts(old, converted.load(old.spec.name))
        lines = [
            len(file.read_text(encoding="utf-8").splitlines()) for file in (old.file, converted.files[old.spec.name])
        ]
        tried = 1 + len(old.slips) + len(old.refused) + len(old.right)
        print(
            "\n".join(
                [f"{old.spec.name}: {lines[0]} → {lines[1]} lines, {tried} answers, {len(problems)} lost", *problems]
            )
        )
        lost += len(problems)
        if not problems and not options.out:
            old.file.unlink()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
