"""Names misspelled at random: still recognizable, never what dev and test keep for themselves, labels untouched."""

from __future__ import annotations

import random

import pytest

from helpers.old.velunda import load_tickets
from helpers.velunda import canon, order_numbers
from tests.benchmarks.ticket_noise import misspell_names, misspelled, noisy


def edits(a: str, b: str) -> int:
    """Letters to insert, leave out, replace or swap: restricted edit distance."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def test_a_misspelled_name_is_nearer_to_its_own_than_to_any_other_and_in_no_list():
    rng, products = random.Random(0), canon()["products"]
    known = {s.lower() for product in products for s in (product["name"], *product["spellings"])}
    for product in products:
        written = {misspelled(product["name"], rng) for _ in range(200)}
        assert len(written) >= 4
        for one in written:
            assert one.lower() not in known and one[0] == product["name"][0]
            distances = {p["name"]: edits(one.lower(), p["name"].lower()) for p in products}
            assert distances.pop(product["name"]) == 1 < min(distances.values())


def test_only_names_change():
    text = "my Kite, the kites' Perch and VE-48213; Kyte"
    found = misspell_names(text, random.Random(1))
    assert found != text and "Kite," not in found and "Perch" not in found
    assert "the kites'" in found and found.endswith("; Kyte") and order_numbers(found) == ["VE-48213"]
    assert misspell_names("no name here", random.Random(1)) == "no name here"


def test_noise_comes_with_its_seed_in_its_share_and_leaves_labels_alone():
    tickets = load_tickets("train")
    found = noisy(tickets, seed=0, share=0.5)
    assert found == noisy(tickets, seed=0, share=0.5) != noisy(tickets, seed=1, share=0.5)
    assert [t["label"] for t in found] == [t["label"] for t in tickets]
    changed = sum(a["text"] != b["text"] for a, b in zip(found, tickets, strict=True))
    named = sum(misspell_names(t["text"], random.Random(0)) != t["text"] for t in tickets)
    assert 0.4 < changed / named < 0.6
    assert noisy(tickets, seed=0, share=0.0) == tickets
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            noisy(tickets, 0, share)
