"""The same letter in eight languages: data/velunda/parallel_texts.json. How it was written stands in data/README.md."""

from __future__ import annotations

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, unavailable

FILE = DATA / "velunda" / "parallel_texts.json"


def parallel_texts() -> dict[str, list[str]]:
    """24 sentences by the English name of their language; entry i says the same in each. Raises DataUnavailable."""
    try:
        return {name: list(entry["sentences"]) for name, entry in read_json(FILE)["languages"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise unavailable(FILE, damaged=True) from error
