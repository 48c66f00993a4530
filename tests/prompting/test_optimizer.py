"""The prompt optimizer keeps what helps and stops."""

from __future__ import annotations

import numpy as np

from helpers.old.prompting import load, optimize, render
from helpers.old.prompting.optimizer import last_line, reply_begins, system

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


def test_edits_change_one_turn_and_leave_the_template_as_it_was():
    template = load("extraction", "1.0.0")
    changed = last_line("Which number?")(system("Be terse.")(template))
    begun = reply_begins("Number:")(changed)
    messages = render(begun, ticket="Hello.")
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]
    assert messages[0]["content"] == "Be terse." and messages[-1]["content"] == "Number:"
    assert messages[-2]["content"] == "<ticket>\nHello.\n</ticket>\n\nWhich number?"
    assert render(template, ticket="Hello.")[1]["content"] == "<ticket>\nHello.\n</ticket>"
    assert reply_begins("Number:")(begun) == begun
