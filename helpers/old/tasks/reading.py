"""The written tasks of `data/tasks/`: messages to sort, fields to pull out, replies whose form is asked for.

    items = load_task("classification", "dev")
    items[0].text, items[0].label               # one of load_guide()["classification"]["labels"]
    items = load_task("extraction", "dev")
    items[0].fields                             # {"who": ("Dr. Petersen", "Petersen"), …}, None for what is not said
    items = load_task("format_following", "test")
    items[0].prompt, items[0].checks[0].passes("- one\n- two\n- three")

Choose on dev, report on test. What this does not do: write prompts, or ask a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import DataUnavailable, numbered_lines, read_json, unavailable
from helpers.old.tasks.formats import Check

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


@dataclass(frozen=True)
class Notice:
    """A short text of some kind, and what it says of that kind's fields: accepted spellings, the text's own first.

    A field that the text does not state is None.
    """

    id: str
    kind: str
    text: str
    fields: Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True)
class Instruction:
    """What to write about (`task`), in which form (`instruction`), and the checks of a reply, that of its topic last.

    reply: one that passes all of them, to show as an example.
    """

    id: str
    kind: str
    task: str
    instruction: str
    checks: tuple[Check, ...]
    reply: str

    @property
    def prompt(self) -> str:
        """The task and behind it the form, as a user would write them."""
        return f"{self.task} {self.instruction}"

    def form_kept(self, reply: str) -> bool:
        """Does the reply pass all checks but that of the topic?"""
        return all(check.passes(reply) for check in self.checks[:-1])

    def followed(self, reply: str) -> bool:
        """Does the reply pass all checks, that of the topic, too, and is it more than the task said again?"""
        said_again = reply.casefold().strip() == self.task.casefold().strip()
        return self.form_kept(reply) and self.checks[-1].passes(reply) and not said_again


def load_guide(folder: Path = FOLDER) -> dict[str, Any]:
    """What the labels and the fields mean: `["classification"]["labels"]`, `["extraction"]["kinds"][kind]["fields"]`.

    Raises DataUnavailable for a file that is missing or damaged.
    """
    path = Path(folder) / "guide.json"
    guide = read_json(path)
    try:
        whole = guide["classification"]["labels"] and all(
            kind["text"] and kind["fields"] for kind in guide["extraction"]["kinds"].values()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise unavailable(path, damaged=True) from error
    if not whole:
        raise unavailable(path, damaged=True)
    return guide


def load_task(name: str, split: str) -> list[Any]:
    """The items of "classification", "extraction" or "format_following", "dev" or "test", in the file's order.

    Gives `Message`, `Notice` or `Instruction`. Raises ValueError for another task or split, DataUnavailable, with the
    line, for a file that is missing or that does not fit the guide.
    """
    if name not in READERS:
        raise ValueError(f"There is no task {name!r}: choose one of {', '.join(READERS)}.")
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    path, guide = Path(FOLDER) / name / f"{split}.jsonl", load_guide(FOLDER)
    items, seen = [], set()
    for number, row in numbered_lines(path):
        where = f"{name}/{path.name}, line {number}"
        item = READERS[name](row, where, guide)
        if item.id in seen:
            raise DataUnavailable(f"{where} has the id {item.id!r} of an earlier line: give it another one.")
        seen.add(item.id)
        items.append(item)
    return items


def _message(row: Mapping[str, Any], where: str, guide: Mapping[str, Any]) -> Message:
    words = _texts(row, where, "id", "text", "label", "voice")
    labels, lure = guide["classification"]["labels"], row.get("lure")
    for label in (words["label"], *([] if lure is None else [lure])):
        if label not in labels:
            raise DataUnavailable(f"{where} has the label {label!r}: it is one of {', '.join(labels)}.")
    if lure == words["label"]:
        raise DataUnavailable(f"{where} has its own label {lure!r} as lure: name another one, or null.")
    return Message(**words, lure=lure)


def _notice(row: Mapping[str, Any], where: str, guide: Mapping[str, Any]) -> Notice:
    words = _texts(row, where, "id", "kind", "text")
    kinds, fields = guide["extraction"]["kinds"], row.get("fields")
    if words["kind"] not in kinds:
        raise DataUnavailable(f"{where} has the kind {words['kind']!r}: it is one of {', '.join(kinds)}.")
    names = list(kinds[words["kind"]]["fields"])
    if not isinstance(fields, dict) or list(fields) != names:
        raise DataUnavailable(f"{where} has other fields than its kind: write {', '.join(names)}, in this order.")
    for field, forms in fields.items():
        if forms is not None and not (
            isinstance(forms, list) and forms and all(isinstance(form, str) and form.strip() for form in forms)
        ):
            raise DataUnavailable(f"{where} has {field!r} as {forms!r}: write a list of spellings, or null.")
    stated = {field: None if forms is None else tuple(forms) for field, forms in fields.items()}
    return Notice(**words, fields=MappingProxyType(stated))


def _instruction(row: Mapping[str, Any], where: str, guide: Mapping[str, Any]) -> Instruction:
    words, rows = _texts(row, where, "id", "kind", "task", "instruction", "reply"), row.get("checks")
    if not isinstance(rows, list) or len(rows) < 2 or not all(isinstance(found, dict) for found in rows):
        raise DataUnavailable(f"{where} needs a list of two checks or more, each with a name and its parameters.")
    try:
        checks = tuple(
            Check(str(found.get("name")), {key: value for key, value in found.items() if key != "name"})
            for found in rows
        )
    except ValueError as error:
        raise DataUnavailable(f"{where}: {error}") from None
    if [check.name == "mentions" for check in checks] != [False] * (len(checks) - 1) + [True]:
        raise DataUnavailable(f"{where} does not end with the one check of the topic, `mentions`: put it there.")
    item = Instruction(**words, checks=checks)
    if not item.followed(item.reply):
        raise DataUnavailable(f"{where} has a reply that does not pass its own checks: {item.reply!r}.")
    return item


def _texts(row: Mapping[str, Any], where: str, *names: str) -> dict[str, str]:
    for name in names:
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise DataUnavailable(f"{where} has no {name!r}: add it.")
    return {name: row[name] for name in names}


READERS: dict[str, Callable[[Mapping[str, Any], str, Mapping[str, Any]], Any]] = {
    "classification": _message,
    "extraction": _notice,
    "format_following": _instruction,
}
