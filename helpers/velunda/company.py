"""Velunda, the course's invented maker of electric bicycles: its canon, and what a text says of products and orders.

    canon()["shops"][0]["city"]                        # "Utrecht"
    products_named("My Kyte, bought with a Perch")     # ["Kite", "Perch"]
    order_numbers("orders ve 48213 and VE-10 542")     # ["VE-48213", "VE-10542"]

What it does not do: decide which of several products or orders a text is about; that is the model's task.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json

FILE = DATA / "velunda" / "canon.json"
MARKED = re.compile(r"(?<!\w)v\W?e\W{0,3}((?:\d[ .-]?){4}\d)(?![ .-]?\d)", re.IGNORECASE)
ANNOUNCED = re.compile(r"(?<!\w)order(?:\s+(?:number|no\.?|nr\.?|is|was))*[\s:#]*(\d{5})(?!\d)", re.IGNORECASE)


def canon() -> dict[str, Any]:
    """Everything that data/velunda/canon.json fixes, anew at each call. Raises DataUnavailable."""
    return read_json(FILE)


def products_named(text: str) -> list[str]:
    """Canonical names of the products in the text, in order of appearance, known misspellings included."""
    found: list[str] = []
    for match in _spelled().finditer(text):
        name = _names()[match.group(1).lower()]
        if name not in found:
            found.append(name)
    return found


def order_numbers(text: str) -> list[str]:
    """Order numbers in the text as VE-12345, in order of appearance; five digits count after "VE" or "order"."""
    places = [(match.start(1), match.group(1)) for form in (MARKED, ANNOUNCED) for match in form.finditer(text)]
    numbers = ["VE-" + re.sub(r"\D", "", digits) for _, digits in sorted(places)]
    return list(dict.fromkeys(numbers))


@cache
def _names() -> dict[str, str]:
    """Each spelling in lower case, and the canonical name that it stands for."""
    products = canon()["products"]
    return {spelled.lower(): p["name"] for p in products for spelled in (p["name"], *p["spellings"])}


@cache
def _spelled() -> re.Pattern[str]:
    longest_first = sorted(_names(), key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})s?\b", re.IGNORECASE)
