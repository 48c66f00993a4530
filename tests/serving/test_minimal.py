"""The smallest continuous batching gives each prompt the reply that it gets alone, and does not waste its rows."""

from __future__ import annotations

import pytest

from helpers.old.serving import Ask, minimal_serve
from tests.serving.tiny import END, alone, prompt, tiny


class Counted:
    """A model that counts its passes over all rows."""

    def __init__(self, model):
        self.model, self.new_cache, self.passes = model, model.new_cache, 0

    def __call__(self, ids, cache):
        self.passes += ids.shape[1] == 1
        return self.model(ids, cache)


@pytest.mark.parametrize("rows", [1, 2, 3, 9])
def test_each_prompt_gets_the_reply_that_it_gets_alone(rows):
    prompts = [prompt(n) for n in (13, 6, 3, 20, 9, 2, 5)]
    replies = minimal_serve(tiny(), [list(ids) for ids in prompts], 12, END, rows, max_len=60)
    assert replies == [alone(Ask(ids, 12)) for ids in prompts]
    assert 1 <= min(map(len, replies)) < max(map(len, replies)) == 12


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_freed_row_is_taken_before_the_next_pass_and_no_pass_is_made_for_nothing(rows):
    model, prompts = Counted(tiny()), [list(prompt(n)) for n in (13, 6, 3, 20, 9, 2, 5)]
    passes_of = [len(reply) - 1 for reply in minimal_serve(model, prompts, 12, END, rows, max_len=60)]
    free = [0] * rows  # when each row is free, counted in passes; a prompt's first token comes from reading it
    for passes in passes_of:
        free.sort()
        free[0] += passes
    assert model.passes == max(free)


def test_a_reply_of_one_token_gives_its_row_to_the_next_at_once():
    model, prompts = Counted(tiny()), [list(prompt(n)) for n in (13, 6, 3)]
    replies = minimal_serve(model, prompts, 1, END, rows=1, max_len=60)
    assert replies == [alone(Ask(tuple(ids), 1)) for ids in prompts] and model.passes == 0


def test_columns_that_nobody_sees_are_used_again():
    prompts = [list(prompt(6, seed)) for seed in range(20)]
    assert minimal_serve(tiny(), prompts, 8, END, rows=2, max_len=24) == [alone(Ask(tuple(ids), 8)) for ids in prompts]
