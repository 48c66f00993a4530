"""The table of parameters is that of the installed client."""

from __future__ import annotations

from helpers.old.hosted import compared
from helpers.old.hosted.parameters import SAME, names_of


def test_every_parameter_of_both_apis_is_in_exactly_one_row() -> None:
    rows = compared()
    assert sorted(row.chat for row in rows if row.chat) == sorted(names_of("chat"))
    assert sorted(row.responses for row in rows if row.responses) == sorted(names_of("responses"))


def test_names_that_are_said_to_mean_the_same_are_still_there() -> None:
    for chat, responses in SAME.items():
        assert chat in names_of("chat") and responses in names_of("responses")
        assert chat not in names_of("responses")


def test_what_steers_the_client_is_no_parameter_of_the_api() -> None:
    assert not {"self", "timeout", "extra_body"} & set(names_of("chat") + names_of("responses"))
    assert "messages" in names_of("chat") and "previous_response_id" in names_of("responses")
