"""The messages of `data/tasks/classification/`, to be sorted to the desks of a community house.

    items = load_messages("dev")
    items[0].text, items[0].label               # one of load_guide()["classification"]["labels"]

Choose on dev, report on test. What this does not do: write prompts, or ask a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable, numbered_lines, read_json, unavailable

FOLDER = DATA / "tasks"
SPLITS = ("dev", "test")


@dataclass(frozen=True)
class Message:
    """A message to a community house and the desk that has to act on it.

    lure: another desk whose things the message names, None in plain messages; voice: how it is written.
    """

    id: str
    text: str
    label: str
    lure: str | None
    voice: str


def load_guide(folder: Path = FOLDER) -> dict[str, Any]:
    """What the labels mean: `["classification"]["labels"]`. Raises DataUnavailable for a missing or damaged file."""
    path = Path(folder) / "guide.json"
    guide = read_json(path)
    try:
        whole = guide["classification"]["labels"]
    except (KeyError, TypeError) as error:
        raise unavailable(path, damaged=True) from error
    if not whole:
        raise unavailable(path, damaged=True)
    return guide


def load_messages(split: str) -> list[Message]:
    """The messages of "dev" or "test", in the file's order.

    Raises ValueError for another split, DataUnavailable, with the line, for a file that is missing or that does not
    fit the guide.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    path, labels = Path(FOLDER) / "classification" / f"{split}.jsonl", load_guide(FOLDER)["classification"]["labels"]
    messages, seen = [], set()
    for number, row in numbered_lines(path):
        where = f"classification/{path.name}, line {number}"
        message = _message(row, where, labels)
        if message.id in seen:
            raise DataUnavailable(f"{where} has the id {message.id!r} of an earlier line: give it another one.")
        seen.add(message.id)
        messages.append(message)
    return messages


def _message(row: Mapping[str, Any], where: str, labels: Mapping[str, str]) -> Message:
    names, lure = ("id", "text", "label", "voice"), row.get("lure")
    for name in names:
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise DataUnavailable(f"{where} has no {name!r}: add it.")
    for label in (row["label"], *([] if lure is None else [lure])):
        if label not in labels:
            raise DataUnavailable(f"{where} has the label {label!r}: it is one of {', '.join(labels)}.")
    if lure == row["label"]:
        raise DataUnavailable(f"{where} has its own label {lure!r} as lure: name another one, or null.")
    return Message(**{name: row[name] for name in names}, lure=lure)
