"""Replies kept on disk by content, so that no question is put to a model twice, also after a crash.

    with kept(model, folder) as found:                 # one JSON-lines file per model, locked while it is open
        found.get("Do you sell skis?")                 # a Reply, or None
        found.add("Do you sell skis?", reply)          # written when this returns

A reply belongs to a model's `identity` (which adapter, which code, which settings) and the input's exact text: change
one of them and the key changes. Each reply is one line, so that a process killed while it writes leaves one torn line
at most, which is cut off by whoever opens the file next. A second process waits until the first has finished, and then
finds its replies.

What it does not do: notice what `identity` does not name. Use another folder, or delete this one, to answer anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.files.paths import ROOT
from helpers.old.evaluation.systems import Model, Reply

FOLDER = ROOT / "build" / "evaluation" / "answers"


def key_of(identity: Mapping[str, Any], text: str) -> str:
    """Where the reply of this model to this text is kept: 32 characters, equal on every machine."""
    return hashlib.sha256(json.dumps([dict(identity), text], sort_keys=True).encode()).hexdigest()[:32]


def file_of(model: Model, folder: Path = FOLDER) -> Path:
    """The file with a model's replies: its name, and eight characters of its identity."""
    name = re.sub(r"[^\w.-]+", "-", model.name).strip("-.")[:60] or "model"
    return Path(folder) / f"{name}-{key_of(model.identity, '')[:8]}.jsonl"


class Kept:
    """The replies in one file; `kept` opens it."""

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path, self.identity = path, identity
        self.replies: dict[str, Reply] = {}
        self.damaged = 0  # lines that cannot be read; their questions are answered anew
        for line in _whole_lines(path):
            try:
                row = json.loads(line)
                key = row.pop("key")
                self.replies[key] = Reply(**row)
            except (ValueError, TypeError, KeyError, AttributeError):
                self.damaged += 1

    def get(self, text: str) -> Reply | None:
        """What the model said to this text, or None."""
        return self.replies.get(key_of(self.identity, text))

    def replies_to(self, texts: Sequence[str]) -> list[Reply]:
        """The reply to each of these texts. Raises KeyError where one was never asked."""
        return [self.replies[key_of(self.identity, text)] for text in texts]

    def add(self, text: str, reply: Reply) -> None:
        """Keep a reply: it is written when this returns, and survives a kill.

        Raises ValueError for an answer that is no JSON.
        """
        key = key_of(self.identity, text)
        try:
            line = json.dumps({"key": key, **dataclasses.asdict(reply)}, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(
                f"The answer to {text[:60]!r} cannot be kept: an answer is a text, a dict of texts, or None, not "
                f"{type(reply.answer).__name__}."
            ) from None
        with self.path.open("ab") as file:
            file.write(line.encode() + b"\n")
        self.replies[key] = reply


@contextmanager
def kept(model: Model, folder: Path = FOLDER) -> Iterator[Kept]:
    """The kept replies of a model, for one process at a time; others wait, and say so."""
    from filelock import FileLock, Timeout

    path = file_of(model, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Another process is asking {model.name}: waiting for it.", file=sys.stderr, flush=True)
        lock.acquire(poll_interval=0.2)
    try:
        yield Kept(path, model.identity)
    finally:
        lock.release()


def _whole_lines(path: Path) -> list[bytes]:
    """The lines of the file; one that was torn at the end is cut off, so that the next does not stick to it."""
    if not path.exists():
        return []
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        with path.open("rb+") as file:
            file.truncate(end)
    return content[:end].splitlines()
