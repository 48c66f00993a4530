"""The prompt optimizer keeps what helps and stops; the best of many prompts is worth less than it seemed."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.prompting import load, optimize, render, replay
from helpers.prompting.optimizer import last_line, reply_begins, system, with_examples
from helpers.trials.prompt_edits import EDITS, START

N = 40


def measured(prompt):
    """Words stand for prompts: each letter gets some of the forty items right."""
    good = {"a": range(0, 30), "b": range(0, 40), "z": range(0, 2)}
    right = np.zeros(N)
    for letter in prompt:
        right[list(good.get(letter, ()))] = 1
    return right


def adds(letter):
    return lambda prompt: prompt if letter in prompt else prompt + letter


def test_edits_that_help_are_kept_and_the_search_ends_when_nothing_does():
    asked = []

    def measure(prompt):
        asked.append(prompt)
        return measured(prompt)

    found = optimize("p", {letter: adds(letter) for letter in "qab"}, measure, rounds=5)
    assert found.prompt == "pab" and found.kept == ("a", "b")
    assert [(trial.edit, trial.kept) for trial in found.history] == [("q", 0), ("a", 1), ("b", 1), ("q", 0)]
    assert asked == ["p", "pq", "pa", "pab", "pabq"]


def test_two_items_of_forty_are_progress_by_the_difference_and_none_by_the_interval():
    edits = {"z": adds("z")}
    assert optimize("p", edits, measured, rule="greater").kept == ("z",)
    found = optimize("p", edits, measured)
    assert found.kept == () and found.prompt == "p" and found.history[0].gain.difference == 0.05
    assert found.history[0].gain.low <= 0


@pytest.mark.parametrize(("edits", "rule"), [({}, "interval"), ({"a": adds("a")}, "best")])
def test_no_edits_and_an_unknown_rule_are_refused(edits, rule):
    with pytest.raises(ValueError, match="at least one edit and a rule of interval, greater"):
        optimize("p", edits, measured, rule=rule)


def test_among_prompts_that_are_equally_good_the_chosen_one_gains_on_dev_alone():
    half = np.tile(np.arange(400) % 2, (16, 1))  # each of the prompts has 200 of the 400 items right, others each
    scores = np.random.default_rng(0).permuted(half, axis=1)
    dev, rest = replay(scores, 30)
    assert dev.mean() > 0.1 and rest.mean() < 0 and dev.shape == rest.shape == (1000,)
    large, _ = replay(scores, 300)
    assert large.mean() < dev.mean() / 2


def test_a_prompt_that_is_better_everywhere_gains_on_both():
    scores = np.zeros((3, 60))
    scores[1] = 1
    dev, rest = replay(scores, 30, draws=10)
    assert (dev == 1).all() and (rest == 1).all()


def test_gains_on_dev_and_rest_are_those_of_the_same_draw():
    rng = np.random.default_rng(1)
    scores = rng.random((4, 25)) < 0.5
    dev, rest = replay(scores, 10, draws=50, seed=3)
    total = 10 * dev + 15 * rest  # of one prompt over all items, whichever were drawn
    possible = (scores.sum(1) - scores[0].sum()).astype(float)
    assert all(np.isclose(possible, value).any() for value in total)


@pytest.mark.parametrize("n_dev", [0, 25])
def test_a_choice_needs_items_on_both_sides(n_dev):
    with pytest.raises(ValueError, match="between 1 and 24"):
        replay(np.zeros((2, 25)), n_dev)


def test_edits_change_one_turn_and_leave_the_template_as_it_was():
    template = load("extraction", "1.0.0")
    changed = last_line("Which number?")(system("Be terse.")(template))
    begun = reply_begins("Number:")(with_examples()(changed))
    messages = render(begun, ticket="Hello.")
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant"]
    assert messages[0]["content"] == "Be terse." and messages[-1]["content"] == "Number:"
    assert messages[-2]["content"] == "<ticket>\nHello.\n</ticket>\n\nWhich number?"
    assert messages[2]["content"] == "Number: VE-48213"
    assert render(template, ticket="Hello.")[1]["content"] == "<ticket>\nHello.\n</ticket>"
    assert with_examples()(begun).turns == begun.turns and reply_begins("Number:")(begun) == begun


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_of_the_notebook_changes_the_prompt_and_keeps_the_message_between_its_delimiters(name):
    changed = EDITS[name](START)
    assert changed.turns != START.turns
    text = "\n".join(message["content"] for message in render(changed, message="Is the pool open?"))
    assert text.count("<message>\nIs the pool open?\n</message>") == 1
