"""The same content in eight languages and three programming languages: `data/velunda/parallel_texts.json`.

    texts = parallel_texts()           # {"English": [24 sentences], "Spanish": [24 sentences], …}
    programs = parallel_programs()     # {"Python": [8 functions], "JavaScript": [8 functions], "C": [8 functions]}
    texts["Hindi"][20]                 # says what texts["English"][20] says

What it does not do: tokenize, or rate a language. How the texts were written and checked stands in data/README.md.
"""

from __future__ import annotations

from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, unavailable

FILE = DATA / "velunda" / "parallel_texts.json"


def parallel_texts() -> dict[str, list[str]]:
    """Customer sentences by the English name of their language; entry i says the same in each.

    Every call gives new lists. Raises DataUnavailable if the file is missing or damaged.
    """
    return {name: list(entry["sentences"]) for name, entry in _part("languages").items()}


def parallel_programs() -> dict[str, list[str]]:
    """Source of self-contained functions by programming language; entry i does the same in each.

    Every call gives new lists. Raises DataUnavailable if the file is missing or damaged.
    """
    return {name: list(entry["functions"]) for name, entry in _part("programs").items()}


def _part(key: str) -> dict[str, dict[str, Any]]:
    content = read_json(FILE)
    try:
        return content[key]
    except (KeyError, TypeError) as error:
        raise unavailable(FILE, damaged=True) from error
