"""Money is counted by the table, to the last token; what has no price is refused."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from openai.types import CompletionUsage

from helpers.old.hosted import prices
from helpers.old.hosted.prices import ModelRetired, Price, Tokens, UnknownModel, load_prices, price_of, tokens_of


def test_every_line_of_the_table_is_dated_and_says_where_it_is_from():
    notes = prices.read_json(prices.TABLE)["notes"]
    for price in load_prices().values():
        date.fromisoformat(price.as_of)
        assert price.source in notes
        assert price.input > 0 and price.output >= 0
        assert price.cached is None or price.cached < price.input
        assert price.until is None or date.fromisoformat(price.until)


def test_the_courses_own_models_have_a_price():
    assert {"chat", "tickets", "embedder"} <= set(load_prices())
    assert price_of("chat").vendor == "this course"


def test_a_call_by_hand():
    price = Price("m", "v", 2.0, 0.5, 8.0, 0.5, None, "2026-01-01", "read")
    used = Tokens(prompt=1000, completion=100, cached=600)
    assert price.cost(used) == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 8) / 1e6)
    assert price.cost(used, batch=True) == pytest.approx(price.cost(used) / 2)
    assert price.worst(1000, 100) == pytest.approx((1000 * 2 + 100 * 8) / 1e6)


def test_cached_tokens_cost_as_much_as_others_where_no_discount_is_known():
    price = Price("m", "v", 2.0, None, 8.0, None, None, "2026-01-01", "read")
    assert price.cost(Tokens(100, 0, 100)) == price.cost(Tokens(100))
    with pytest.raises(ValueError, match="no batch price"):
        price.cost(Tokens(1), batch=True)


def test_an_unknown_model_is_refused_and_a_near_name_is_offered():
    with pytest.raises(UnknownModel, match="did you mean 'gpt-5-nano'"):
        price_of("gpt-5-nanno")
    with pytest.raises(UnknownModel, match="add its line"):
        price_of("zzz")


def test_a_dated_snapshot_is_billed_as_its_model_and_another_size_is_not():
    assert price_of("gpt-4.1-2025-04-14") is price_of("gpt-4.1")
    with pytest.raises(UnknownModel):
        price_of("gpt-4.1-huge")


def test_a_model_is_retired_from_its_day_on():
    price = price_of("nimbus-1")
    day = date.fromisoformat(price.until)
    assert price.retired(day) and not price.retired(date.fromordinal(day.toordinal() - 1))
    assert not price_of("nimbus-2").retired(date(2099, 1, 1))


def test_a_retired_model_has_no_price_for_a_day_on_which_it_is_switched_off():
    day = date.fromisoformat(price_of("nimbus-1").until)
    assert price_of("nimbus-1", today=date.fromordinal(day.toordinal() - 1)) is price_of("nimbus-1")
    with pytest.raises(ModelRetired, match=f"switched off on {day}"):
        price_of("nimbus-1", today=day)


def test_the_usage_of_both_apis():
    chat = CompletionUsage.model_validate(
        {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "prompt_tokens_details": {"cached_tokens": 3}}
    )
    responses = {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 3}}
    vectors = SimpleNamespace(model_dump=lambda: {"prompt_tokens": 9, "total_tokens": 9})
    assert tokens_of(chat) == tokens_of(responses) == Tokens(9, 4, 3)
    assert tokens_of(vectors) == Tokens(9, 0, 0)
    with pytest.raises(ValueError, match="include_usage"):
        tokens_of(None)


@pytest.mark.parametrize("counts", [(-1, 0, 0), (5, -1, 0), (5, 0, 6)])
def test_tokens_that_cannot_be(counts):
    with pytest.raises(ValueError):
        Tokens(*counts)
