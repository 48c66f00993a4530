"""The smallest continuous batching gives each prompt the reply that it gets alone, and does not waste its seats."""

from __future__ import annotations

import pytest

from helpers.serving import Ask, minimal_serve
from tests.serving.tiny import END, alone, prompt, tiny


class Counted:
    """A model that counts its passes over all seats."""

    def __init__(self, model):
        self.model, self.new_cache, self.passes = model, model.new_cache, 0

    def __call__(self, ids, cache):
        self.passes += ids.shape[1] == 1
        return self.model(ids, cache)


@pytest.mark.parametrize("seats", [1, 2, 3, 9])
def test_each_prompt_gets_the_reply_that_it_gets_alone(seats):
    prompts = [prompt(n) for n in (13, 6, 3, 20, 9, 2, 5)]
    replies = minimal_serve(tiny(), [list(ids) for ids in prompts], 12, END, seats, max_len=60)
    assert replies == [alone(Ask(ids, 12)) for ids in prompts]
    assert 1 <= min(map(len, replies)) < max(map(len, replies)) == 12


def test_a_freed_seat_is_taken_at_once():
    model, prompts = Counted(tiny()), [list(prompt(n)) for n in (13, 6, 3, 20, 9, 2, 5)]
    lengths = [len(reply) for reply in minimal_serve(model, prompts, 12, END, seats=2, max_len=60)]
    free = [0, 0]  # when each seat is free, counted in passes
    for length in lengths:
        free.sort()
        free[0] += length
    assert model.passes == max(free)


def test_columns_that_nobody_sees_are_used_again():
    prompts = [list(prompt(6, seed)) for seed in range(20)]
    assert minimal_serve(tiny(), prompts, 8, END, seats=2, max_len=24) == [alone(Ask(tuple(ids), 8)) for ids in prompts]
