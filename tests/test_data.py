"""The data that the course ships: complete, without duplicates, and as hard as its card says."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRIPLES = json.loads((ROOT / "data/velunda/sentence_triples.json").read_text(encoding="utf-8"))["triples"]


def shared_words(first: str, second: str) -> float:
    """Words in common over words in either (Jaccard)."""
    a, b = (set(re.findall(r"[\w']+", text.lower())) for text in (first, second))
    return len(a & b) / len(a | b)


def test_there_are_24_triples_and_no_sentence_stands_twice():
    sentences = [triple[key] for triple in TRIPLES for key in ("sentence", "same", "words")]
    assert len(TRIPLES) == 24 and len(set(sentences)) == 3 * 24


def test_each_decoy_shares_more_words_than_the_paraphrase():
    easy = [
        t["sentence"]
        for t in TRIPLES
        if shared_words(t["sentence"], t["words"]) <= shared_words(t["sentence"], t["same"])
    ]
    assert not easy


def test_every_folder_of_data_has_its_row_in_the_data_card():
    card = (ROOT / "data/README.md").read_text(encoding="utf-8")
    for path in (ROOT / "data").rglob("*.json"):
        folder = path.parent.relative_to(ROOT / "data").as_posix()
        folder = "adapters" if folder.startswith("adapters/") else folder  # each of these has a card of its own
        assert f"`{folder}/" in card, f"data/README.md has no row for {folder}/"
