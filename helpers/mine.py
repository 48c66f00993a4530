"""What you have built so far: one folder per part, in build/mine. The last lesson serves all of it.

    save("settings", {"temperature": 0.7})          # build/mine/settings: part.json, content.json
    save("adapter", folder=trained)                 # the same for files: everything in a folder
    part = load("settings")                         # yours, or the course's where there is none
    part.content, part.folder, part.origin          # {"temperature": 0.7}, a path, "yours"

The course's versions lie in data/mine. HANDS_ON_MINE names another folder than build/mine.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files.paths import DATA, ROOT

PARTS = ("settings", "client", "adapter", "index", "prompt", "tools", "cases")
FORMAT, VERSION = "hands-on-llms part", 1
COURSES = DATA / "mine"


@dataclass(frozen=True)
class Part:
    """One part of the assistant. content: what was saved as data, or None. origin: "yours" or "the course's"."""

    name: str
    folder: Path
    content: Any
    origin: str


def mine_folder() -> Path:
    """Where your parts lie."""
    return Path(os.environ.get("HANDS_ON_MINE") or ROOT / "build" / "mine").expanduser()


def save(name: str, content: Any = None, *, folder: str | os.PathLike | None = None, origin: str = "") -> Path:
    """Save a part, whole or not at all: content for JSON, a copy of a folder, or both. origin: the lesson."""
    if content is None and folder is None:
        raise ValueError(f'save("{name}") needs content, a folder, or both.')
    place = mine_folder() / _known(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{name}-{uuid.uuid4().hex[:8]}")
    try:
        aside.mkdir() if folder is None else shutil.copytree(folder, aside)
        if content is not None:
            (aside / "content.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
        about = {"format": FORMAT, "version": VERSION, "part": name, "origin": origin, "files": _sizes(aside)}
        (aside / "part.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
        old = place.with_name(f"{aside.name}-old")
        if place.exists():
            os.replace(place, old)
        os.replace(aside, place)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place


def load(name: str) -> Part:
    """Your part, or the course's where yours is missing or cannot be used, which is then said in one sentence."""
    place = mine_folder() / _known(name)
    if place.exists():
        try:
            return _read(name, place, "yours")
        except (OSError, ValueError, AttributeError) as error:
            print(f"Your part in {place} is not used ({error}): run the lesson that saves it again.")
    if not (COURSES / name).exists():
        raise LookupError(f"There is no {name} yet, neither yours nor the course's: run the lesson that saves it.")
    return _read(name, COURSES / name, "the course's")


def _read(name: str, folder: Path, origin: str) -> Part:
    if not (folder / "part.json").is_file():
        raise ValueError("it has no part.json")
    about = json.loads((folder / "part.json").read_text("utf-8"))
    for key, here in {"format": FORMAT, "part": name, "version": VERSION, "files": _sizes(folder)}.items():
        if about.get(key) != here:
            raise ValueError(f"the {key} it was saved with is {about.get(key)}, here it is {here}")
    content = folder / "content.json"
    return Part(name, folder, json.loads(content.read_text("utf-8")) if content.exists() else None, origin)


def _sizes(folder: Path) -> dict[str, int]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / "part.json")
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _known(name: str) -> str:
    if name in PARTS:
        return name
    raise ValueError(f"A part is one of {', '.join(PARTS)}, not {name!r}.")
