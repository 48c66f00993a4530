"""Passages and questions for reading: what the data promise to whoever trains on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain

import pytest

from helpers.files import DataUnavailable
from helpers.old.assistants import NOT_THERE
from helpers.old.trials.reading import DOMAINS, FOLDER, KINDS, Reading, load_reading


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


def test_nothing_stands_twice(every):
    assert len({row.id for row in every}) == len(every)
    assert len({(row.passage.id, row.question.lower()) for row in every}) == len(every)
    assert len({row.passage.text for row in every}) == len({row.passage.id for row in every})


def test_every_domain_has_every_kind_and_as_many_yes_as_no(every):
    counts = Counter((row.passage.domain, row.kind) for row in every)
    for domain in chain.from_iterable(DOMAINS.values()):
        assert all(counts[domain, kind] >= 3 for kind in KINDS)
        assert counts[domain, "yes"] == counts[domain, "no"]
        assert 0.12 <= counts[domain, "unanswerable"] / sum(counts[domain, kind] for kind in KINDS) <= 0.22


def test_an_answer_is_short_and_says_what_its_kind_says(every):
    for row in every:
        assert len(row.answer.split()) <= 14 and row.answer.endswith((".", "!")), row.id
        assert (row.kind == "unanswerable") == (row.answer == NOT_THERE) == (not row.evidence), row.id
        if row.kind in ("yes", "no"):
            assert row.answer.lower().startswith(row.kind), row.id


def test_every_number_of_an_answer_stands_in_its_evidence(every):
    number = re.compile(r"\d+(?:[.,:]\d+)*")
    for row in every:
        said = set(chain.from_iterable(number.findall(part) for part in row.evidence))
        assert set(number.findall(row.answer)) <= said, row.id


def test_passages_have_the_promised_length_tables_and_newer_versions(every):
    pages = {row.passage.id: row.passage for row in every}.values()
    words = [len(page.text.split()) for page in pages]
    assert min(words) >= 60 and max(words) <= 200
    tables = sum("\n|" in page.text for page in pages)
    assert 0.3 < tables / len(pages) < 0.6
    newer = re.compile(
        r"replac|supersed|no longer (in force|holds|applies)|instead of the (old|rules|list)", re.IGNORECASE
    )
    assert sum(bool(newer.search(page.text)) for page in pages) >= 24


def test_no_passage_is_about_the_company_that_judges_the_reader(every):
    named = re.compile(r"velunda|\be-?bikes?\b|kite|otter|heron|wren|lynx|puffin|magpie", re.IGNORECASE)
    for row in every:
        assert not re.search(r"velunda|electric bicycle", row.passage.text + row.question, re.IGNORECASE), row.id
    share = sum(bool(named.search(row.passage.text)) for row in every) / len(every)
    assert share < 0.02


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
