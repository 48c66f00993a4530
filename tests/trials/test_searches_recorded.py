"""The records of 10_rag read back: the right run, in the questions' order, and the table."""

from __future__ import annotations

import pytest

from helpers.old.trials.searches import find


def test_a_run_is_found_by_exactly_its_settings():
    assert find("chunks", by="sentences", size=200)["case"] == {"case": "chunks", "by": "sentences", "size": 200}
    assert find("chunks", by="sentences", size=200, with_headings=False)["chunks"] == 345
    with pytest.raises(LookupError, match="10_rag.json has 0 runs of .*'size': 201"):
        find("chunks", by="sentences", size=201)
