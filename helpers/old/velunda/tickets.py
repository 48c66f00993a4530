"""Support tickets to Velunda, labeled: `data/velunda/tickets/`, and the frames that they are made from.

    train, test = load_tickets("train"), load_tickets("test")
    train[0]["label"]       # {"intent": "order_status", "product": "Kite", "order_number": "VE-48213", …}
    fill(load_frames("train")[0], random.Random(0))     # a ticket of one frame, its slots filled

A frame is one phrasing with slots (`frames.txt` explains them); its name is the ticket's `family`. No frame serves two
splits. What the labels mean stands in GUIDE.md. What this does not do: invent phrasings.
"""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from helpers.files.safe_files import read_text
from helpers.old.velunda.slots import blocks, choose, put, slots
from helpers.velunda.company import canon
from helpers.velunda.tickets import FIELDS, FOLDER, load_tickets  # noqa: F401  for the lessons that wait

SPLITS = ("train", "dev", "test")
FRESH = "fresh"  # a second test split, written later and used for no choice; it has files of its own
MORE = "more"  # more families to train on, for the adapter that the course ships; files of its own, too
HEAD = re.compile(r"# (?P<family>\w+) (?P<voice>[\w-]+) (?P<intent>\w+) (?P<urgency>\w+) (?P<sentiment>\w+)")
NAMED = re.compile(
    r"(bike|thing|rival|rivalthing)(~?)(?::([\w/]+))?|order|bare|other|customer|invoice|frameno|name|city|workshop"
)
# Weights: most customers copy the number from the mail.
ORDER_FORMS = {"VE-{}": 10, "VE {}": 2, "ve-{}": 2, "VE{}": 2, "ve{}": 1, "#VE-{}": 1, "VE-{:.3}&": 1}
NAMES = (
    *("Anneke Vos", "Pavel Dvorak", "Rosa Iglesias", "Hamid Rahimi", "Greta Lund", "Nadia Petrova", "Kwame Boateng"),
    *("Birgit Hauser", "Luca Ferri", "Zeynep Kaya", "Emil Sand", "Clara Dubois"),
)


@dataclass(frozen=True)
class Frame:
    """One phrasing: text with slots, and the label that GUIDE.md gives where no slot changes it."""

    family: str
    voice: str
    split: str
    text: str
    intent: str
    urgency: str
    sentiment: str


def load_frames(split: str | None = None) -> list[Frame]:
    """The frames of one split, or all of train, dev and test. Raises ValueError for a frame that breaks the format."""
    found = []
    for part, line, text in blocks(
        read_text(FOLDER / (f"{split}_frames.txt" if split in (FRESH, MORE) else "frames.txt"))
    ):
        head = HEAD.fullmatch(line)
        if not head:
            raise ValueError(f"A frame begins with five words, this one does not: {line!r}.")
        found.append(Frame(split=part, text=" ".join(text.split()), **head.groupdict()))
    return [frame for frame in found if split in (None, frame.split)]


def fill(frame: Frame, rng: random.Random, turn: int | None = None) -> dict[str, Any]:
    """One ticket of the frame. With `turn`, each choice takes option number `turn` (modulo), so that turns differ."""
    label = {"intent": frame.intent, "product": None, "order_number": None}
    label |= {"urgency": frame.urgency, "sentiment": frame.sentiment}

    def pick(options: list[str]) -> str:
        option = options[rng.randrange(len(options)) if turn is None else turn % len(options)]
        option, _, value = option.partition(" =")
        if value:
            label[_field_of(value)] = value
        return option

    text = choose(frame.text, NAMED.fullmatch, pick)
    text = put(text, _drawn(slots(text), frame, rng, label))
    text = re.sub(r"\b([Aa]) (?=(?:Otter|Oter|Ottar|Ottter|Anchor|Ancor|Ankor)\b)", r"\1n ", text)
    return {
        "text": text[:1].upper() + text[1:] if frame.voice != "typos" else text,
        "label": label,
        "family": frame.family,
    }


def _drawn(names: set[str], frame: Frame, rng: random.Random, label: dict[str, Any]) -> dict[str, str]:
    """A word for each slot; notes in the label what it is about."""
    digits = [_digits(frame.split, rng) for _ in range(2)]
    words, used = {}, set()
    for slot in sorted(names, key=lambda s: (":" not in s, s)):  # first those that have few choices
        kind, misspelled, listed = NAMED.fullmatch(slot).groups()
        if kind:
            name = rng.choice([n for n in (listed.split("/") if listed else _products(kind)) if n not in used])
            used.add(name)
            words[slot] = _written(name, bool(misspelled), bool(listed), frame, rng)
            if not kind.startswith("rival"):
                label["product"] = name
        elif slot in ("order", "bare"):
            words[slot] = str(digits[0]) if slot == "bare" else _order(digits[0], rng)
            label["order_number"] = f"VE-{digits[0]}"
        else:
            words[slot] = {
                "other": lambda: _order(digits[1], rng),
                "customer": lambda: f"C-{rng.randrange(100_000, 1_000_000)}",
                "invoice": lambda: f"INV-{rng.choice([2024, 2025, 2026])}-{rng.randrange(10_000):04}",
                "frameno": lambda: (
                    f"F{rng.randrange(20, 27)}{rng.choice(['KT', 'OT', 'HN', 'LX'])}{rng.randrange(10_000):04}"
                ),
                "name": lambda: rng.choice(NAMES),
                "city": lambda: rng.choice([shop["city"] for shop in _world()["shops"]]),
                "workshop": lambda: rng.choice([shop["city"] for shop in _world()["shops"] if shop["workshop"]]),
            }[slot]()
    return words


@cache
def _world() -> dict[str, Any]:
    return canon()


def _digits(split: str, rng: random.Random) -> int:
    """Five digits: three fifths of all numbers belong to train and more, one to dev, one to test and fresh."""
    owner = {FRESH: "test", MORE: "train"}.get(split, split)
    while True:
        digits = rng.randrange(10_000, 100_000)
        if ("train", "train", "train", "dev", "test")[zlib.crc32(str(digits).encode()) % 5] == owner:
            return digits


def _products(kind: str) -> list[str]:
    group = "accessory" if kind.endswith("thing") else "bicycle"
    return [p["name"] for p in _world()["products"] if p["group"] == group and p["status"] == "sold"]


def _written(name: str, misspelled: bool, as_it_is: bool, frame: Frame, rng: random.Random) -> str:
    """The name as a customer writes it. Train never has the last misspelling of a name."""
    [product] = [p for p in _world()["products"] if p["name"] == name]
    if misspelled:
        spellings = product["spellings"][:-1] if frame.split in ("train", MORE) else product["spellings"][-1:]
        written = rng.choice([name, *spellings, *spellings])
        return written.lower() if rng.random() < 0.7 else written
    variant = rng.choice(product["variants"])["name"]
    return variant if not as_it_is and rng.random() < 0.15 else name


def _order(digits: int, rng: random.Random) -> str:
    form = rng.choices(list(ORDER_FORMS), list(ORDER_FORMS.values()))[0]
    return form.format(str(digits)).replace("&", f" {digits % 100:02}")


def _field_of(value: str) -> str:
    world = _world()
    for field in ("urgency", "sentiment"):
        if value in world[field]:
            return field
    raise ValueError(f"No field of the label has the value {value!r}.")
