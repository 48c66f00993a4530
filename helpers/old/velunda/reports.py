"""Workshop and incident reports of Velunda with summaries: `data/velunda/reports/`, and more from the same frames.

    test = load_reports("test")
    test[0]["summary"]                        # "In Ghent, Elke Dhondt replaced the tire of Mrs. Bakx's Wren …"
    test[0]["facts"]                          # the names and numbers in it: ["Ghent", "Elke Dhondt", "Mrs. Bakx", …]
    generate_reports(3000, seed=0)            # different reports from the training frames
    stated("In Ghent, Elke Dhondt …")         # {"shop": "Ghent", "mech": "Elke Dhondt", "part": "tire", …}

A frame is one way to write a report (`frames.txt` explains it). Frames and surnames of dev and test never occur in
train. What this does not do: bring parts, faults and systems to test that train lacks; `pieces.json` serves all splits;
read summaries that follow none of the eight patterns.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from helpers.files.safe_files import read_json, read_jsonl, read_text
from helpers.old.velunda.slots import blocks, choose, fill_different, put, slots
from helpers.velunda.company import FILE, canon

FOLDER = FILE.parent / "reports"
SPLITS = ("train", "dev", "test")
MORE = "more"  # more frames to train on, for the adapter that the course ships; in a file of their own
EURO_AN_HOUR = 72
WORKSHOP = {
    *("shop", "mech", "owner", "bike", "km", "part", "symptom", "cause", "hours", "price", "cost", "weekday"),
    *("km2", "count", "quote"),
}
INCIDENT = {
    *("system", "failure", "reason", "cure", "who", "person", "minutes", "n", "time", "weekday"),
    *("est", "old", "few"),
}
FACTS = ("shop", "mech", "owner", "bike", "km", "hours", "price", "cost", "weekday", "person", "minutes", "n", "time")
WORDED = ("part", "symptom", "cause", "system", "failure", "reason", "cure", "who")  # what is no name and no number
NAME = r"[A-Z][\w-]*"
SHAPES = {
    **dict.fromkeys(("mech", "person"), rf"{NAME}(?: (?:de |van )?{NAME})*"),
    "owner": rf"M(?:r|rs|s)\. {NAME}",
    **dict.fromkeys(("shop", "bike", "weekday"), NAME),
    **dict.fromkeys(("km", "hours", "price", "cost", "minutes", "n"), r"\d+"),
}


@dataclass(frozen=True)
class ReportFrame:
    """Text and summary with slots; `name` begins with ws (workshop) or in (incident)."""

    name: str
    split: str
    text: str
    summary: str


def load_reports(split: str) -> list[dict[str, Any]]:
    """The committed reports of "train", "dev" or "test": `text`, `summary`, `frame`, `facts`.

    Raises ValueError for another split, DataUnavailable if the file is missing or damaged.
    """
    _check(split)
    return read_jsonl(FOLDER / f"{split}.jsonl")


def load_report_frames(split: str | None = None) -> list[ReportFrame]:
    """The frames of one split, "more" among them, or all of train, dev and test. Raises ValueError for a frame without
    summary."""
    found = []
    for part, line, body in blocks(read_text(FOLDER / ("more_frames.txt" if split == MORE else "frames.txt"))):
        text, arrow, summary = body.partition("\n> ")
        if not arrow:
            raise ValueError(f"The frame {line!r} has no summary: a line that begins with '> '.")
        found.append(ReportFrame(line[2:].strip(), part, " ".join(text.split()), " ".join(summary.split())))
    return [frame for frame in found if split in (None, frame.split)]


def generate_reports(n: int, seed: int, split: str = "train", *, words: bool = False) -> list[dict[str, Any]]:
    """`n` different reports from the frames of a split, the frames in turn; the same for the same seed.

    words: each also has "words", what its text says by slot: {"shop": "Ghent", "hours": "3", …}.
    Raises ValueError for an unknown split, and where the frames do not give `n` different texts.
    """
    _check(split)
    made = fill_different(n, load_report_frames(split), fill_report, random.Random(f"reports {seed}"), 3)
    return made if words else [{key: value for key, value in report.items() if key != "words"} for report in made]


def fill_report(frame: ReportFrame, rng: random.Random) -> dict[str, Any]:
    """One report of the frame, with "words", what its text says by slot.

    Raises ValueError for an unknown slot, or one that only the summary has.
    """
    workshop = frame.name.startswith("ws")
    known = WORKSHOP if workshop else INCIDENT
    words = _workshop(frame.split, rng) if workshop else _incident(rng)
    text, summary = (choose(part, known.__contains__, rng.choice) for part in (frame.text, frame.summary))
    if extra := slots(summary) - slots(text):
        raise ValueError(f"{frame.name}: the summary says {', '.join(sorted(extra))}, the text does not.")
    filled = {"text": _finished(put(text, words)), "summary": _finished(put(summary, words))}
    facts = [words[slot] for slot in FACTS if slot in slots(summary)]
    said = {slot: words[slot] for slot in sorted(slots(text))}
    facts += re.findall(r"\bE\d\d\b", filled["summary"])
    return {**filled, "frame": frame.name, "facts": facts, "words": said}


def stated(summary: str) -> dict[str, str] | None:
    """What a summary says, by slot: its frame, read backwards. None if it follows none of the patterns.

    A name or number has to look like one, and the rest may be any words: "Because of a flood, the roof …" is read, too.
    """
    for pattern in _patterns():
        if match := pattern.fullmatch(summary.strip()):
            return match.groupdict()
    return None


@cache
def _patterns() -> list[re.Pattern[str]]:
    """The ways in which summaries are put, each as an expression with a group for every slot."""

    def expression(summary: str) -> str:
        parts = re.split(r"\{(\w+)\}", summary)
        return "".join(
            f"(?P<{p}>{SHAPES.get(p) or _known_first(p)})" if i % 2 else re.escape(p) for i, p in enumerate(parts)
        )

    return [re.compile(expression(summary)) for summary in sorted({f.summary for f in load_report_frames()})]


def _known_first(slot: str) -> str:
    """The wordings of a slot, then any other: of "the web shop took no orders", "web shop" is the system, not "web"."""
    rows = [*_pieces()["faults"], *_pieces()["incidents"]]
    known = sorted({row[slot] for row in rows if slot in row}, key=len, reverse=True)
    return "|".join([*map(re.escape, known), ".+?"])


def _workshop(split: str, rng: random.Random) -> dict[str, str]:
    world = _world()
    shop = rng.choice([s for s in world["shops"] if s["workshop"]])
    fault, hours = rng.choice(_pieces()["faults"]), rng.randint(2, 6)
    [price] = [p["price_eur"] for p in world["parts"] if p["name"] == fault["part"]]
    surnames = _pieces()["surnames"]["train" if split in ("train", MORE) else "unseen"]
    numbers = {"price": price, "cost": hours * EURO_AN_HOUR + price, "hours": hours}
    km, km2 = rng.sample(range(1200, 9800), 2)
    quote = rng.choice([q for q in range(95, 800) if q not in numbers.values()])
    return {
        **fault,
        **{name: str(value) for name, value in numbers.items()},
        **{"km": str(km), "km2": str(km2), "quote": str(quote), "count": str(rng.randint(11, 60))},
        **{"shop": shop["city"], "mech": rng.choice(shop["mechanics"])},
        "owner": f"{rng.choice(['Mr.', 'Mrs.', 'Ms.'])} {rng.choice(surnames)}",
        "bike": rng.choice([p["name"] for p in world["products"] if p["group"] == "bicycle"]),
        "weekday": rng.choice(_pieces()["weekdays"]),
    }


def _incident(rng: random.Random) -> dict[str, str]:
    minutes, est, old = rng.sample(range(11, 190), 3)
    return {
        **rng.choice(_pieces()["incidents"]),
        **{
            "minutes": str(minutes),
            "est": str(est),
            "old": str(old),
            "n": str(rng.randint(191, 980)),
            "few": str(rng.randint(2, 10)),
        },
        "person": rng.choice(_pieces()["people"]),
        "time": f"{rng.randint(7, 17)}:{rng.randint(1, 59):02}",
        "weekday": rng.choice(_pieces()["weekdays"]),
    }


def _finished(text: str) -> str:
    """Capital letters where sentences begin with a slot, "an" before a vowel, single spaces."""
    text = re.sub(r"\b([Aa]) (?=Otter\b)", r"\1n ", " ".join(text.split()))
    return re.sub(r"(^|(?<!\bMr)(?<!\bMrs)(?<!\bMs)[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), text)


@cache
def _world() -> dict[str, Any]:
    return canon()


@cache
def _pieces() -> dict[str, Any]:
    return read_json(FOLDER / "pieces.json")


def _check(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
