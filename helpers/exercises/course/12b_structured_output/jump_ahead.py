"""jump_ahead: what has to follow is written without asking the model."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.generation.minimal_grammar import Table, choice_table, jump_ahead, read_table  # noqa: F401

ANSWER = """
def jump_ahead(table, state):
    forced = ""
    while True:
        row = table[state]
        if len(row) != 1 or "" in row:
            return forced
        character = next(iter(row))
        forced = forced + character
        state = row[character]
"""
STOP = 'if len(row) != 1 or "" in row:'
NEXT = "character = next(iter(row))"
SLIPS = [
    (
        STOP,
        'if forced or len(row) != 1 or "" in row:',
        "you stop after one character; go on as long as there is one way only.",
    ),
    (
        [(STOP, "if not any(row):"), (NEXT, "character = next(filter(None, row))")],
        "where several characters may follow, the model has to choose.",
    ),
    (
        [(STOP, "if len(list(filter(None, row))) != 1:"), (NEXT, "character = next(filter(None, row))")],
        "where the text may also end, going on is a choice, which is the model's.",
    ),
    ("forced = forced + character", "forced = character", "you keep the last character only; all of them are forced."),
    ("forced = forced + character", "forced = character + forced", "your characters stand in reverse."),
    ("return forced", "return forced or None", "where nothing is forced, the text is empty: “”."),
    ("return forced", "return forced, state", "give the characters alone."),
    ("return forced", "return list(forced)", "give one text, not a list of characters."),
]
REFUSED = [('forced = ""', "forced = str(state)", "Expected '")]
RIGHT = [
    """
def jump_ahead(table, state):
    ways = list(table[state].items())
    if len(ways) != 1 or ways[0][0] == "":
        return ""
    character, following = ways[0]
    return character + jump_ahead(table, following)
""",
]


def cases(rng: Generator) -> list[tuple]:
    form = choice_table(['{"kind":"repair"}', '{"kind":"return"}', '{"kind":null}'])
    words = choice_table(["no", "none", "not yet", "yes"])
    number = str(rng.integers(10_000, 99_999))
    one = choice_table([f"VE-{number}"])
    return [
        (form, 0),
        (form, read_table(form, 0, '{"kind":')),  # a choice at once
        (form, read_table(form, 0, '{"kind":"')),
        (form, read_table(form, 0, '{"kind":"rep')),
        (form, read_table(form, 0, '{"kind":"ret')),
        (words, 0),
        (words, read_table(words, 0, "n")),
        (words, read_table(words, 0, "no")),  # may end, or go on in two ways
        (words, read_table(words, 0, "none")),  # may only end
        (words, read_table(words, 0, "not")),
        (words, read_table(words, 0, "y")),
        (choice_table(["re", "return"]), 0),  # one way on, but it may end on the way
        (choice_table(["re", "return"]), 2),
        (one, 0),
        (one, 3),
    ]


EXERCISE = Exercise(
    minutes=4,
    difficulty=2,
    reference=jump_ahead,
    hints=(
        "In which states does the model have nothing to choose?",
        "There is nothing to choose where a row of the table has one key, and this key is a character. Follow it to "
        "the next state and ask again.",
        "Keep a text that grows and the state that you are in. In a row with two keys the model chooses a character; "
        "a row with the key “” lets it end, so stop there, too. Otherwise take the only key, and go to where it leads.",
    ),
    proves="all that is forced is written, and nothing that is a choice: between characters, or between going on and "
    "ending",
)
