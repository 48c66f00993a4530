"""The reader never leaves the form, reads a ticket alike alone and in a batch, and judges labels as it would read."""

from __future__ import annotations

import pytest

from helpers.assistants import TicketReader
from helpers.models import fetch
from helpers.velunda import FIELDS, allowed_values, load_tickets
from tests.training.test_libraries import tiny  # noqa: F401


@pytest.fixture
def reader(tiny):  # noqa: F811
    from transformers import AutoTokenizer

    return TicketReader(tiny[0].eval(), AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True))


TICKETS = load_tickets("dev")[:6]
TEXTS = [ticket["text"] for ticket in TICKETS]


def test_a_reading_holds_allowed_values_and_is_the_same_alone_and_in_any_batch(reader):
    found = reader.many(TEXTS, batch=4)
    for text, reading in zip(TEXTS, found, strict=True):
        alone = reader(text)
        assert list(reading) == [*FIELDS, "confidence"]
        assert all(reading[field] in values for field, values in allowed_values(text).items())
        assert {field: alone[field] for field in FIELDS} == {field: reading[field] for field in FIELDS}
        assert alone["confidence"] == pytest.approx(reading["confidence"], abs=1e-4)
        assert all(0 < p <= 1 for p in reading["confidence"].values())


def test_labels_are_right_exactly_where_the_reading_equals_them(reader):
    found = reader.many(TEXTS)
    read = [t | {"label": {field: r[field] for field in FIELDS}} for t, r in zip(TICKETS, found, strict=True)]
    assert reader.right(read, batch=4) == [True] * len(read)
    expected = [all(r[field] == t["label"][field] for field in FIELDS) for t, r in zip(TICKETS, found, strict=True)]
    assert reader.right(TICKETS) == expected and not all(expected)


def test_an_empty_ticket_is_refused(reader):
    with pytest.raises(ValueError, match="Ticket 1 is empty"):
        reader.many(["Where is my Kite?", "  "])
