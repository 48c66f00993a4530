"""The committed reports, from the frames: `python -m tests.tools.reports` writes train (a sample), dev and test."""

from __future__ import annotations

import json

from helpers.old.velunda import generate_reports, load_report_frames
from helpers.old.velunda.reports import FOLDER, SPLITS

PER_FRAME = {"train": 4, "dev": 6, "test": 6}


def lines(split: str) -> str:
    made = generate_reports(PER_FRAME[split] * len(load_report_frames(split)), seed=0, split=split)
    return "".join(json.dumps(report, ensure_ascii=False) + "\n" for report in made)


if __name__ == "__main__":
    for name in SPLITS:
        (FOLDER / f"{name}.jsonl").write_text(lines(name), encoding="utf-8")
