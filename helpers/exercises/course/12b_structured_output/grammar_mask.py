"""grammar_mask: a token may come next if the grammar can read it to its last character."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.generation.minimal_grammar import Table, choice_table, grammar_mask, read_table  # noqa: F401

ANSWER = """
def grammar_mask(table, state, tokens):
    mask = []
    for token in tokens:
        if token == "":
            mask.append("" in table[state])
        else:
            mask.append(read_table(table, state, token) is not None)
    return mask
"""
READ = "read_table(table, state, token) is not None"
FIRST = "only the first character of a token is looked at; a token of several is written whole, so read it to its last."
SLIPS = [
    (READ, "token[0] in table[state]", FIRST),
    (READ, "token in table[state]", "you look for the whole token among single characters; read it one by one."),
    (
        READ,
        "all(character in table[state] for character in token)",
        "every character is looked up in the first state; each one leads to another state.",
    ),
    (
        READ,
        "read_table(table, 0, token) is not None",
        "you begin at state 0; begin at the state that the text has reached.",
    ),
    (
        READ,
        "bool(read_table(table, state, token))",
        "a state is a number, and state 0 is one like any other; only None means that the token cannot be read.",
    ),
    (
        READ,
        'read_table(table, state, token) is not None and "" in table[read_table(table, state, token)]',
        "you allow a token only if the text may end behind it; texts may go on.",
    ),
    ('"" in table[state]', "True", "the end is allowed everywhere; it is allowed where the row has the key “”."),
    ('"" in table[state]', "False", "the end is never allowed, so no text would ever stop."),
    ('"" in table[state]', "len(table[state]) <= 1", "the end is allowed where the row has the key “”, whatever else."),
]
REFUSED = [("return mask", "return mask[1:]", "Expected")]
PLANTED = SLIPS[0]
RIGHT = [
    """
def grammar_mask(table, state, tokens):
    def fits(token):
        here = state
        for character in token:
            here = table[here].get(character)
            if here is None:
                return False
        return True

    return [("" in table[state]) if not token else fits(token) for token in tokens]
""",
]


def cases(rng: Generator) -> list[tuple]:
    words = choice_table(["yes", "no", "not yet", "none"])
    form = choice_table(['{"kind":"repair"}', '{"kind":"return"}', '{"kind":null}'])
    loop = {0: {"a": 1, "": 0}, 1: {"b": 0}}  # "", "ab", "abab" …
    letters = [str(letter) for letter in rng.choice(list("abn"), size=4)]
    tokens = ["y", "yes", "yet", "n", "no", "none", "not", " yet", "ne", "e", "es", "ss", ""]
    parts = ['{"', "kind", '":"', "re", "repair", "ret", '"}', "null", "nu", "}", 'r"', ""]
    return [
        (words, 0, tokens),
        (words, read_table(words, 0, "no"), [*tokens, "t"]),  # may end here, or go on
        (words, read_table(words, 0, "not"), tokens),
        (words, read_table(words, 0, "yes"), tokens),  # nothing but the end
        (form, 0, parts),
        (form, read_table(form, 0, '{"kind":'), [*parts, '"', '"re']),
        (form, read_table(form, 0, '{"kind":"re'), [*parts, "p", "pair", "pain"]),
        (loop, 0, ["a", "ab", "aba", "b", "ba", "abab", ""]),
        (loop, 1, ["b", "ba", "bab", "bb", ""]),
        (words, 0, letters),
        (words, 0, []),
    ]


EXERCISE = Exercise(
    minutes=2,
    difficulty=1,
    reference=grammar_mask,
    hints=(
        "Which of the texts begins with “yet”? And what does the function say of the token “yet”?",
        "A token is written whole. What counts is whether all of its characters can be read, each in the state that "
        "the one before it has reached.",
        "`read_table` goes from character to character and gives None where it cannot go on. Ask it about the token, "
        "from the state in which you are, and compare with None.",
    ),
    proves="tokens are read to their last character, from the state reached, and a text ends only where it may",
    properties=[
        Property(
            "the mask has one value for each token",
            lambda result, table, state, tokens: not isinstance(result, list) or len(result) == len(tokens),
        )
    ],
)
