"""Old turns go as a whole; instructions and the newest turn stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.old.hosted import truncate_conversation, turns

SYSTEM = {"role": "system", "content": "sss"}
ASK, REPLY = {"role": "user", "content": "uu"}, {"role": "assistant", "content": "aaaa"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "c1"}]}
RESULT = {"role": "tool", "content": "rrrrr", "tool_call_id": "c1"}
DONE, LAST = {"role": "assistant", "content": "dd"}, {"role": "user", "content": "l"}


def count(message):
    return 1 + len(message["content"])


def test_a_turn_reaches_from_a_user_message_to_the_next_one():
    assert turns([SYSTEM, ASK, REPLY, ASK, CALL, RESULT, DONE, LAST]) == [
        [ASK, REPLY],
        [ASK, CALL, RESULT, DONE],
        [LAST],
    ]
    assert turns([REPLY, SYSTEM, ASK]) == [[REPLY], [ASK]], "a greeting is a turn of its own"
    assert turns([SYSTEM]) == turns([]) == []


def test_the_oldest_turn_goes_first_and_as_a_whole():
    messages = [SYSTEM, ASK, REPLY, ASK, CALL, RESULT, DONE, LAST]
    before = [dict(message) for message in messages]
    tokens = sum(map(count, messages))
    assert truncate_conversation(messages, tokens, count) == messages
    assert truncate_conversation(messages, tokens - 1, count) == [SYSTEM, ASK, CALL, RESULT, DONE, LAST]
    assert truncate_conversation(messages, tokens - 9, count) == [SYSTEM, LAST]
    assert messages == before


def test_a_short_old_turn_does_not_pass_a_long_newer_one():
    long = [{"role": "user", "content": "u" * 50}, REPLY]
    assert truncate_conversation([ASK, REPLY, *long, LAST], 20, count) == [LAST]


def test_instructions_stay_where_they_stand():
    later = {"role": "developer", "content": "d"}
    assert truncate_conversation([SYSTEM, ASK, REPLY, later, LAST], 9, count) == [SYSTEM, later, LAST]


def test_equal_messages_in_different_turns_are_different_messages():
    assert truncate_conversation([ASK, REPLY, ASK, REPLY], 8, count) == [ASK, REPLY]


def test_what_cannot_be_dropped_and_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="take 6 tokens, and the budget is 5"):
        truncate_conversation([SYSTEM, ASK, REPLY, LAST], 5, count)
    with pytest.raises(ValueError, match="take 4 tokens, and the budget is 3"):
        truncate_conversation([SYSTEM], 3, count)
    assert truncate_conversation([], 0, count) == []


@given(
    shapes=st.lists(st.integers(0, 3), min_size=1, max_size=7),
    sizes=st.lists(st.integers(0, 9), min_size=30, max_size=30),
    budget=st.integers(0, 120),
)
def test_what_is_kept_fits_ends_the_conversation_and_could_not_be_longer(shapes, sizes, budget):
    roles = ["system", *(role for n in shapes for role in ["user", *["assistant"] * n])]
    messages = [{"role": role, "content": "x" * sizes[i]} for i, role in enumerate(roles[:30])]
    whole = turns(messages)
    fits = [n for n in range(1, len(whole) + 1) if count(messages[0]) + cost(whole[-n:]) <= budget]
    if not fits:
        with pytest.raises(ValueError):
            truncate_conversation(messages, budget, count)
    else:
        wanted = [messages[0], *(message for turn in whole[-max(fits) :] for message in turn)]
        assert truncate_conversation(messages, budget, count) == wanted


def cost(some):
    return sum(count(message) for turn in some for message in turn)
