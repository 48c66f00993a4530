"""Every text of the experiment was read again, and has a reason where the rule says otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.files.safe_files import DataUnavailable
from helpers.old.trials import second_reading
from helpers.old.trials.handbook_answers import compared
from tests.tools.notebook import ROOT


@pytest.mark.parametrize("split", ["dev", "test"])
def test_each_text_has_one_verdict_and_a_reason_where_the_rule_differs(split):
    rule, again = second_reading.by_rule(split), second_reading.by_reading(split)
    assert rule.shape == again.shape == second_reading.doubtful(split).shape == (len(compared(split)), 2)
    reasons = np.array([[each.why is not None for each in row] for row in second_reading.readings(split)])
    assert (reasons == (rule != again)).all()
    found = second_reading.contradicted(split, range(len(rule)))
    assert len(found) == (rule != again).sum() and all(each.why.endswith(".") for each in found)


def test_no_text_is_read_twice_and_the_card_counts_them():
    rows = [json.loads(line) for line in second_reading.FILE.read_text(encoding="utf-8").splitlines()]
    assert len({(row["split"], row["question"], row["system"]) for row in rows}) == len(rows) == 524
    card = (ROOT / "data/judgments/README.md").read_text(encoding="utf-8")
    for split in ("dev", "test"):
        rule, again, doubt = (
            f(split) for f in (second_reading.by_rule, second_reading.by_reading, second_reading.doubtful)
        )
        for i, name in enumerate(second_reading.SYSTEMS):
            r, a = rule[:, i], again[:, i]
            row = [split, f"`{name}`", r.sum(), a.sum(), (a & ~r).sum(), (~a & r).sum(), doubt[:, i].sum()]
            assert f"| {' | '.join(map(str, row))} |" in card


def test_what_is_shown_names_system_text_and_reason(capsys):
    [one, *_] = second_reading.contradicted("test", range(131))
    second_reading.show_texts([one])
    said = capsys.readouterr().out
    assert all(part in said for part in (one.system, one.question, one.why, " ".join(one.text.split())))


def test_a_missing_verdict_is_one_sentence(monkeypatch, tmp_path):
    file = tmp_path / "second_reading.jsonl"
    file.write_text(
        "".join(second_reading.FILE.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8"
    )
    monkeypatch.setattr(second_reading, "FILE", file)
    second_reading.readings.cache_clear()
    try:
        with pytest.raises(DataUnavailable, match="has no verdict on"):
            second_reading.readings("dev")
    finally:
        second_reading.readings.cache_clear()
