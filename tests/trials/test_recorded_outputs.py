"""What the assistants said, from the records: as many right answers as recorded, and no abstention among them."""

from __future__ import annotations

import pytest

from helpers.assistants.handbook import ABSTENTION
from helpers.old.trials.recorded_outputs import ASSISTANTS, NO_DRAFT, outputs, right_answers


def test_right_answers_are_those_of_the_records_without_abstentions():
    n_right = {name: sum(each.right for each in outputs(name)) for name in ASSISTANTS}
    assert n_right["tickets"] == 56 and n_right["summaries"] == 43, "as data/results has them"
    kept = right_answers()
    assert all(0 < len(kept[name]) <= n_right[name] for name in ASSISTANTS)
    assert not [said for answers in kept.values() for said, *_ in answers if said in (ABSTENTION, NO_DRAFT, None)]


def test_an_assistant_without_a_record_is_refused():
    with pytest.raises(ValueError, match="There is no record of 'judge'"):
        outputs("judge")
