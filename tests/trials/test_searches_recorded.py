"""The records of 10_rag read back: the right run, in the questions' order, and the table."""

from __future__ import annotations

import pytest

from helpers.old.trials.searches import SYSTEMS, answers, asked, f1_of, find, search_scores
from tests.tools.record_tables import retrieval_table


def test_a_run_is_found_by_exactly_its_settings():
    assert find("chunks", by="sentences", size=200)["case"] == {"case": "chunks", "by": "sentences", "size": 200}
    assert find("chunks", by="sentences", size=200, with_headings=False)["chunks"] == 345
    with pytest.raises(LookupError, match="10_rag.json has 0 runs of .*'size': 201"):
        find("chunks", by="sentences", size=201)


def test_scores_belong_to_the_questions_of_their_split():
    for split in ("dev", "test"):
        scores = search_scores(split)["hybrid"]
        assert scores.questions == tuple(question.question for question in asked(split))
        assert scores.kinds == tuple(question.kind for question in asked(split)) and "unanswerable" not in scores.kinds
    assert search_scores(size=64)["BM25"].mean("ndcg@10") != search_scores()["BM25"].mean("ndcg@10")


def test_the_table_has_a_row_for_each_part_and_says_what_was_recorded():
    lines = retrieval_table().splitlines()
    assert len(lines) == 2 + len(SYSTEMS)
    for line, system in zip(lines[2:], SYSTEMS, strict=True):
        assert line.startswith(f"| {system} |") and f"| **{f1_of(system).mean():.2f}** (" in line
        right = sum(reply["exact"] for reply in answers(system))
        assert f"| {100 * right / len(asked()):.0f} % (" in line
    assert f"| {search_scores()['hybrid'].mean('ndcg@10'):.2f} (" in lines[5]
