"""The suite of tickets as two files of lm-eval."""

from __future__ import annotations

import json

import pytest

from helpers.old.evaluation import SuiteError, load_suite, write_task
from helpers.old.evaluation.lm_eval_task import CHOICES
from tests.evaluation.small import suite_of


def test_the_task_is_two_files_that_name_each_other(tmp_path):
    suite = load_suite("tickets").sample(5)
    name = write_task(tmp_path / "new", suite)
    rows = [json.loads(line) for line in (tmp_path / "new" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["choices"][row["answer"]] for row in rows] == [CHOICES[item.fields["intent"]] for item in suite.items]
    assert all(row["prompt"] == row["prompt"].rstrip() for row in rows), "lm-eval moves what a prompt ends in"
    assert f"{name}.jsonl" in (tmp_path / "new" / f"{name}.yaml").read_text(encoding="utf-8")
    with pytest.raises(SuiteError, match="no intents"):
        write_task(tmp_path, suite_of(3))
