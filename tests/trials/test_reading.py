"""Passages and questions for reading: what the data promise to whoever trains on them."""

from __future__ import annotations

import json
import re
from itertools import chain

import pytest

from helpers.files import DataUnavailable
from helpers.old.trials.reading import DOMAINS, FOLDER, Reading, load_reading


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Reading]]:
    return {split: load_reading(split) for split in DOMAINS}


@pytest.fixture(scope="module")
def every(rows) -> list[Reading]:
    return list(chain.from_iterable(rows.values()))


def test_there_are_sixteen_domains_in_three_splits_and_each_file_belongs_to_one(every):
    domains = list(chain.from_iterable(DOMAINS.values()))
    assert len(set(domains)) == len(domains) == 16
    for kind in ("passages", "questions"):
        assert {path.stem for path in (FOLDER / kind).iterdir()} == set(domains)
    assert len({row.passage.id for row in every}) >= 200 and len(every) >= 1000


def test_every_number_of_an_answer_stands_in_its_evidence(every):
    number = re.compile(r"\d+(?:[.,:]\d+)*")
    for row in every:
        said = set(chain.from_iterable(number.findall(part) for part in row.evidence))
        assert set(number.findall(row.answer)) <= said, row.id


def damaged(folder, kind, change):
    for name in ("passages", "questions"):
        (folder / name).mkdir(exist_ok=True)
        for path in (FOLDER / name).iterdir():
            (folder / name / path.name).write_bytes(path.read_bytes())
    path = folder / kind / "library.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("passages", {"domain": "bakery"}, r"passages/library.jsonl, line 2 is no passage"),
        ("passages", {"id": "library-01"}, r"passages/library.jsonl, line 2 is no passage"),
        ("questions", {"passage": "library-99"}, r"questions/library.jsonl, line 2 does not fit"),
        ("questions", {"kind": "riddle"}, r"questions/library.jsonl, line 2 does not fit"),
        ("questions", {"evidence": ["the moon is made of it"]}, r"questions/library.jsonl, line 2 does not fit"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path, kind, change, said):
    damaged(tmp_path, kind, change)
    with pytest.raises(DataUnavailable, match=said):
        load_reading("train", tmp_path)


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="There is no split 'valid': choose one of train, dev, test"):
        load_reading("valid")
