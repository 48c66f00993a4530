"""Velunda, the course's invented maker of electric bicycles: its canon, and what a text says of products and orders.

    canon()["shops"][0]["city"]                        # "Utrecht"
    products_named("My Kyte, bought with a Perch")     # ["Kite", "Perch"]
    order_numbers("orders ve 48213 and VE-10 542")     # ["VE-48213", "VE-10542"]

What it does not do: decide which of several products or orders a text is about; that is the model's task.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "data" / "velunda" / "canon.json"
MARKED = re.compile(r"(?<!\w)v\W?e\W{0,3}((?:\d[ .-]?){4}\d)(?![ .-]?\d)", re.IGNORECASE)
ANNOUNCED = re.compile(r"(?<!\w)order(?:\s+(?:number|no\.?|nr\.?|is|was))*[\s:#]*(\d{5})(?!\d)", re.IGNORECASE)


class CanonUnavailable(RuntimeError):
    """The canon is missing or damaged; the message says which, and how to get it back."""


def canon() -> dict[str, Any]:
    """Everything that data/velunda/canon.json fixes, anew at each call. Raises CanonUnavailable."""
    shown = f"{FILE.parent.parent.name}/{FILE.parent.name}/{FILE.name}"
    try:
        return json.loads(FILE.read_text(encoding="utf-8"))
    except OSError as error:
        raise CanonUnavailable(f"{shown} cannot be read: get it with `git checkout -- {shown}`.") from error
    except ValueError as error:
        raise CanonUnavailable(f"{shown} is damaged: restore it with `git checkout -- {shown}`.") from error


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
