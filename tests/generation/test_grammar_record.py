"""What the recorded sweep of constrained decoding shows: every text valid, the masks of a library, and less time."""

from __future__ import annotations

import pytest

from helpers.old.trials.records import Record


@pytest.fixture(scope="module")
def runs():
    return {run["case"]["case"]: run for run in Record("12b_constrained").read()["runs"]}


def test_every_random_schema_gave_a_valid_text_in_any_room(runs):
    found = runs["schemas"]
    assert found["different schemas"] == found["ways"]["ours"]["valid"] == 300
    assert found["tight room"] == {"n": 300, "valid": 300}


def test_every_mask_is_that_of_a_professional_library(runs):
    grammars = runs["masks"]["grammars"]
    assert len(grammars) == 7 and all(row["states"] == row["xgrammar"]["same"] >= 5 for row in grammars.values())
    assert sum(row["states"] for row in grammars.values()) >= 100


def test_a_constrained_token_takes_at_most_a_fifth_longer_and_a_jump_ahead_reply_less_time(runs):
    totals = runs["tickets"]["totals"]
    free, constrained, jumping = (totals[name] for name in ("free", "constrained", "jump-ahead"))
    assert constrained["ms per token"] <= 1.2 * free["ms per token"]
    assert jumping["seconds"] < free["seconds"] and jumping["seconds"] < constrained["seconds"]
    assert jumping["passes"] < constrained["passes"] / 2
    assert constrained["valid"] == jumping["valid"] == constrained["n"]
