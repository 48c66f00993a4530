"""The cheap baselines: fitted on what they are given, and as good as rules and counted words can be."""

from __future__ import annotations

import pytest

from helpers.old.assistants.ticket_baseline import CLASSIFIED, FEATURES, fit_baseline
from helpers.old.assistants.tickets import score_fields
from helpers.old.velunda import FIELDS, load_tickets


@pytest.fixture(scope="module")
def fitted():
    return fit_baseline(load_tickets("train"))


def test_the_baseline_beats_always_saying_the_commonest_value_on_phrasings_it_has_not_seen(fitted):
    dev = load_tickets("dev")
    scores = score_fields(fitted.predict([ticket["text"] for ticket in dev]), dev)
    for field in CLASSIFIED:
        values = [ticket["label"][field] for ticket in dev]
        assert scores[field].right > max(map(values.count, values))
    assert scores["order_number"].share >= 0.95 and scores["product"].share >= 0.9


def test_rules_read_numbers_and_names_and_say_null_where_there_is_none(fitted):
    texts = ["my KYTE, order ve 482 13, and the Perch from VE-10001", "Hello, invoice INV-2026-0417."]
    first, second = fitted.predict(texts)
    assert (first["product"], first["order_number"]) == ("Kite", "VE-48213")
    assert (second["product"], second["order_number"]) == (None, None)
    assert list(first) == list(FIELDS)


def test_rules_are_deaf_to_what_a_request_is_about(fitted):
    """The price of a rule that takes the first name: the guide says that what was ordered counts."""
    [found] = fitted.predict(["An Otter came instead of the Kite that I ordered."])
    assert found["product"] == "Otter"


def test_the_same_tickets_give_the_same_baseline_and_others_another():
    train, texts = load_tickets("train"), [ticket["text"] for ticket in load_tickets("dev")]
    one, again, other = (fit_baseline(some).predict(texts) for some in (train[:100], train[:100], train[100:200]))
    assert one == again != other


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match=", ".join(FEATURES)):
        fit_baseline(load_tickets("train"), "letters")
    with pytest.raises(ValueError, match="one value of intent"):
        fit_baseline(load_tickets("train")[:1])
