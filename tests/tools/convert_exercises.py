"""Write the exercises that a notebook still uses in the new form, and prove that no verdict is lost.

    python -m tests.tools.convert_exercises 00_welcome

Right answers that are written differently go to tests/exercises/right. The engine then judges every old answer by the
new file: an exercise of which a verdict changes is named, and its old file stays.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from typing import Any

from helpers.display.source import without_docstrings
from helpers.exercises.checking import Registry, registry
from helpers.exercises.checking.engine import check
from helpers.exercises.checking.loading import FOLDER, Loaded
from helpers.exercises.checking.variants import changed, entries, parted
from helpers.exercises.solutions import bound_by
from tests.tools.notebook import ROOT, exercise_node, read

RIGHT = ROOT / "tests" / "exercises" / "right"
OPTIONAL = ("properties", "raises", "tolerance", "seconds", "first_call", "drive", "shown")
STATED = {"EXERCISE", "ANSWER", "SLIPS", "REFUSED", "RIGHT", "PLANTED"}


def new_form(loaded: Loaded) -> tuple[str, str]:
    """The text of the new file, and the text of its right answers, empty where it has none."""
    spec, module = loaded.spec, sys.modules[loaded.spec.cases.__module__]
    source = inspect.getsource(module)
    answer = ruff("format", "-", given=without_docstrings(loaded.answer.code)).strip() + "\n"
    texts, codes = {}, []
    for kind in ("SLIPS", "REFUSED", "RIGHT"):
        stated = [(entry, "") if kind == "RIGHT" else parted(entry) for entry in getattr(module, kind, ())]
        made = [ruff("format", "-", given=slip.code) for slip in getattr(loaded, kind.lower())]
        texts[kind] = "".join(one_entry(answer, *entry, code) for entry, code in zip(stated, made, strict=True))
        codes += made
    tree = ast.parse(source)
    (call,) = (node.value for node in tree.body if bound_by(node) == ["EXERCISE"])
    options = {keyword.arg: ast.get_source_segment(source, keyword.value) for keyword in call.keywords}
    for key in ("properties", "raises"):  # tuples in place of their classes
        if key in options and "evidence=" not in options[key]:
            options[key] = re.sub(
                r"\b(Property|BadInput)\(|\b(mentions|cause)=", lambda found: "(" * bool(found[1]), options[key]
            )
    named = {name: name if name in ("drive", "shown") else name.upper() for name in OPTIONAL if name in options}
    stated = [f"{named[name]} = {options[name]}" for name in named if options[name] != name]
    imports, others = needed(loaded, tree, "\n".join([answer, *stated, *codes]))
    hints = "".join(f"{wrapped(hint)}\n" for hint in spec.hints)
    lists = [f"HINTS = {quoted(hints)}\nSLIPS = {quoted(texts['SLIPS'])}"]
    lists += [f"PLANTED = {loaded.slips.index(loaded.planted)}"] if loaded.planted else []
    lists += [f"REFUSED = {quoted(texts['REFUSED'])}"] if texts["REFUSED"] else []
    head = f"MINUTES, DOTS = {spec.minutes}, {spec.difficulty}\nPROVES = {options['proves']}"
    parts = [f'"""{inspect.getdoc(module)}"""', *imports, head, answer, *lists, *others, *stated]
    return "\n".join(parts) + "\n", texts["RIGHT"] and f"{spec.name} = {quoted(texts['RIGHT'])}\n"


def one_entry(answer: str, change: Any, said: str, code: str) -> str:
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
            ((found, _),) = entries(text + below)
            same = ast.dump(ast.parse(changed(answer, found))) == ast.dump(ast.parse(code))
        except (ValueError, SyntaxError):
            continue
        if same and max(map(len, text.splitlines())) <= 120:
            return text + below
    return f"```\n{code.strip()}\n```\n{below}"


def needed(loaded: Loaded, tree: ast.Module, read: str) -> tuple[list[str], list[str]]:
    """The imports, and the other statements of the old file's top level, that the new file needs for what it reads."""
    source, known = loaded.file.read_text(encoding="utf-8"), loaded.answer.globals
    home = {name: node for node in tree.body for name in bound_by(node)}
    imports, others, todo, seen = set(), {}, ["cases", "drive", "shown", *names(read)], {*STATED, loaded.spec.name}
    while todo:
        name = todo.pop(0)
        if name in seen or name not in known:
            continue
        seen.add(name)
        node = home.get(name)
        if node is None:  # the module of the reference imports it
            what, module = known[name], getattr(known[name], "__module__", "")
            imports.add(f"from {module} import {name}" if module else f"import {what.__name__} as {name}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            item = next(item for item in node.names if name in (item.asname, item.name.split(".")[0]))
            plain = isinstance(node, ast.Import)
            imports.add(ast.unparse(ast.Import([item]) if plain else ast.ImportFrom(node.module, [item], node.level)))
        else:
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
            others[first] = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
            todo += names(others[first])
    return sorted(imports), [others[line] for line in sorted(others)]


def ruff(*command: str, given: str | None = None) -> str:
    run = [sys.executable, "-m", "ruff", *command]
    return subprocess.run(run, input=given, capture_output=True, encoding="utf-8", check=True).stdout


def names(text: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]


def wrapped(text: str, indent: str = "") -> str:
    return textwrap.TextWrapper(118, indent, "    ", break_long_words=False, break_on_hyphens=False).fill(text)


def quoted(text: str) -> str:
    marks = "'''" if '"""' in text else '"""'
    return f"{'r' if chr(92) in text else ''}{marks}\n{text}{marks}"


def lost_verdicts(old: Loaded, new: Loaded) -> list[str]:
    """Every old answer of which the new file says anything else, its cause included."""
    before, after = (dataclasses.replace(loaded.spec, planted=None) for loaded in (old, new))
    answers = (old.answer, *old.slips, *old.refused, *old.right)
    told = [(answer.place, *(check(answer.function, spec) for spec in (before, after))) for answer in answers]
    return [f"{place}: {was} is now {now}" for place, was, now in told if was.lines != now.lines]


def main(notebook: str) -> int:
    course, home, rights, lost = registry(), FOLDER / notebook, "", 0
    nodes = map(exercise_node, read(ROOT / "notebooks" / f"{notebook}.ipynb").cells)
    used = [course.files[node.name] for node in nodes if node and node.name in course.files]
    loaded = [course.load(file.stem) for file in used if file.is_relative_to(ROOT / "helpers")]
    for folder in (home, RIGHT):
        folder.mkdir(parents=True, exist_ok=True)
    for old in loaded:
        text, answers = new_form(old)
        (home / old.file.name).write_text(text, encoding="utf-8")
        rights += f"\n{answers}" * bool(answers)
        if (shared := old.file.with_name("_shared.py")).is_file():
            shutil.copy(shared, home)
    ruff("check", "--select", "I", "--fix", "-q", *map(str, home.glob("[!_]*.py")))
    ruff("format", "-q", *map(str, home.glob("[!_]*.py")))
    head = f'"""Right answers to the exercises of {notebook}, written differently."""\n'
    (RIGHT / f"{notebook}.py").write_text(head + rights, encoding="utf-8")
    converted = Registry("", FOLDER, "converted_exercises")
    for old in loaded:
        problems = lost_verdicts(old, converted.load(old.spec.name))
        print(f"{old.spec.name}: {len(problems)} lost", *problems, sep="\n    ")
        lost += len(problems)
        if not problems:
            old.file.unlink()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
