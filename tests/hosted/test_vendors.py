"""The table of vendors: whole, dated, priced where the course names a model, and refused where it is damaged."""

from __future__ import annotations

import datetime
import json

import pytest

from helpers.files import DataUnavailable
from helpers.old.hosted import load_vendors, price_of, vendor_of, vendors_table


def test_every_vendor_is_dated_and_says_what_differs() -> None:
    for vendor in load_vendors():
        assert vendor.date >= datetime.date(2026, 11, 1) and vendor.source and len(vendor.differs) > 20, vendor.name
        assert (
            vendor.base_url.startswith("https://") or "localhost" in vendor.base_url or "127.0.0.1" in vendor.base_url
        )
        assert vendor.responses or not vendor.previous_response_id


def test_a_model_that_the_course_would_ask_for_has_a_price() -> None:
    named = [model for vendor in load_vendors() for model in (vendor.chat_model, vendor.embedding_model) if model]
    assert named and all(price_of(model).input > 0 for model in named)


def test_a_vendor_is_found_in_any_case_and_an_unknown_one_is_refused(monkeypatch) -> None:
    assert vendor_of("groq").name == "Groq"
    monkeypatch.setenv("HANDS_ON_VENDOR", "anthropic")
    assert vendor_of().key == "ANTHROPIC_API_KEY"
    with pytest.raises(ValueError, match="OpenAI, Anthropic"):
        vendor_of("Nimbus")


def test_the_table_has_a_row_per_vendor_with_how_it_was_checked() -> None:
    table = vendors_table()
    assert table.count("<tr>") == len(load_vendors()) + 1
    assert table.count("read, 2026-") == sum(vendor.checked == "read" for vendor in load_vendors())


@pytest.mark.parametrize("damage", [{"vendors": [{"name": "x"}]}, {}, {"vendors": [{"date": "soon"}]}])
def test_a_damaged_file_is_named(tmp_path, damage) -> None:
    path = tmp_path / "vendors.json"
    path.write_text(json.dumps(damage))
    with pytest.raises(DataUnavailable, match=r"vendors\.json"):
        load_vendors(path)
