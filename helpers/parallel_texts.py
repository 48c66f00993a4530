"""The same content in eight languages and three programming languages: `data/velunda/parallel_texts.json`.

    texts = parallel_texts()           # {"English": [24 sentences], "Spanish": [24 sentences], …}
    programs = parallel_programs()     # {"Python": [8 functions], "JavaScript": [8 functions], "C": [8 functions]}
    texts["Hindi"][20]                 # says what texts["English"][20] says

What it does not do: tokenize, or rate a language. How the texts were written and checked stands in data/README.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "data" / "velunda" / "parallel_texts.json"


class ParallelTextsUnavailable(RuntimeError):
    """The file of parallel texts is missing or damaged; the message says which, and how to get it back."""


def parallel_texts() -> dict[str, list[str]]:
    """Customer sentences by the English name of their language; entry i says the same in each.

    Every call gives new lists. Raises ParallelTextsUnavailable if the file is missing or damaged.
    """
    return {name: list(entry["sentences"]) for name, entry in _part("languages").items()}


def parallel_programs() -> dict[str, list[str]]:
    """Source of self-contained functions by programming language; entry i does the same in each.

    Every call gives new lists. Raises ParallelTextsUnavailable if the file is missing or damaged.
    """
    return {name: list(entry["functions"]) for name, entry in _part("programs").items()}


def _part(key: str) -> dict[str, dict[str, Any]]:
    shown = f"{FILE.parent.parent.name}/{FILE.parent.name}/{FILE.name}"
    try:
        return json.loads(FILE.read_text(encoding="utf-8"))[key]
    except OSError as error:
        raise ParallelTextsUnavailable(f"{shown} cannot be read: get it with `git checkout -- {shown}`.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ParallelTextsUnavailable(f"{shown} is damaged: restore it with `git checkout -- {shown}`.") from error
