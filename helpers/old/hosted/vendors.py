"""Who else takes OpenAI's client, and what differs there: data/hosted/vendors.json, a dated table.

    vendor_of()                     # the one that HANDS_ON_VENDOR names; without it, OpenAI
    vendors_table()                 # for a notebook, with "read" where it was not run

What it does not do: promise anything. Services change, and "compatible" is a word; `helpers.old.hosted.contracts` asks.
"""

from __future__ import annotations

import datetime
import html
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, unavailable

FILE = DATA / "hosted" / "vendors.json"
CHECKED = ("run", "read")
COLUMNS = {
    "name": "vendor",
    "base_url": "base URL",
    "responses": "Responses API",
    "previous_response_id": "remembers",
    "differs": "what differs",
    "checked": "checked",
}


@dataclass(frozen=True)
class Vendor:
    """A service, or a program that serves. key: the environment variable that holds its key.

    chat_model, embedding_model: what this course would ask for, or None where it names none.
    """

    name: str
    base_url: str
    key: str
    chat_model: str | None
    embedding_model: str | None
    responses: bool  # POST /v1/responses is there
    previous_response_id: bool  # and it remembers
    differs: str
    checked: str
    date: datetime.date
    source: str


def load_vendors(path: Path = FILE) -> list[Vendor]:
    """All of them, in the file's order. Raises DataUnavailable where the file is missing or damaged."""
    try:
        names = [field.name for field in fields(Vendor) if field.name != "date"]
        rows = read_json(path)["vendors"]
        found = [
            Vendor(**{name: row[name] for name in names}, date=datetime.date.fromisoformat(row["date"])) for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise unavailable(path, damaged=True) from error
    if any(vendor.checked not in CHECKED for vendor in found):
        raise unavailable(path, damaged=True)
    return found


def vendor_of(name: str | None = None) -> Vendor:
    """A vendor by name, in any case of letters. Raises ValueError for one that the table does not have."""
    name = name or os.environ.get("HANDS_ON_VENDOR") or "OpenAI"
    found = {vendor.name.lower(): vendor for vendor in load_vendors()}
    if name.lower() not in found:
        raise ValueError(
            f"There is no vendor {name!r} in {FILE.name}: it has {', '.join(v.name for v in found.values())}."
        )
    return found[name.lower()]


def vendors_table() -> str:
    """The vendors as an HTML table, one row each; the last column says whether it was run or read, and when."""
    head = "".join(f"<th>{label}</th>" for label in COLUMNS.values())
    rows = []
    for vendor in load_vendors():
        cells = [_cell(getattr(vendor, name)) for name in COLUMNS]
        cells[-1] += f", {vendor.date.isoformat()}"
        rows.append("<tr>" + "".join(f"<td style='text-align: left'>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return html.escape(str(value))
