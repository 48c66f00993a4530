"""exact_match: an answer counts only if every field of it is right, in whatever order the fields stand."""

from __future__ import annotations

import json

from numpy.random import Generator

from helpers.assistants.tickets import exact_match
from helpers.exercises.checking.spec import Exercise

ANSWER = """
def exact_match(predicted, label):
    if predicted is None:
        return False
    return all(field in predicted and predicted[field] == value for field, value in label.items())
"""
GUARD = "    if predicted is None:\n        return False\n"
ALL = "all(field in predicted and predicted[field] == value for field, value in label.items())"
RIGHT_FIELD = "field in predicted and predicted[field] == value"
ORDER = "the order of the fields counts in your comparison."
NO_JSON = "where no JSON was found `predicted` is None: that is wrong, and no error."
WRONG_PLACE = "the right value in the wrong field counts as right."
SLIPS = [
    (ALL, "json.dumps(predicted) == json.dumps(label)", ORDER),
    (ALL, "list(predicted.values()) == list(label.values())", ORDER),
    (
        RIGHT_FIELD,
        "predicted.get(field) == value",
        "`.get` gives None for a missing field, and so takes it for null: ask whether it is there.",
    ),
    ([(GUARD, ""), (RIGHT_FIELD, "predicted.get(field) == value")], NO_JSON),
    ([(GUARD, ""), ("field in predicted and ", "")], NO_JSON),
    (GUARD, "", NO_JSON),
    ("== value", "is value", "`is` asks for the very same object; compare values with ==."),
    (
        RIGHT_FIELD,
        "value is None or predicted.get(field) == value",
        "where the label is null, you let everything pass.",
    ),
    ("field in predicted and ", "", "a missing field raises a KeyError; it is a wrong answer."),
    (
        ALL,
        "all(label[field] == value for field, value in predicted.items())",
        "you ask only for fields that were written; some may lack.",
    ),
    (ALL, "set(predicted.values()) == set(label.values())", WRONG_PLACE),
    (ALL, "sorted(map(str, predicted.values())) == sorted(map(str, label.values()))", WRONG_PLACE),
    (ALL, "predicted.keys() == label.keys()", "you compare the names of the fields, not what they say."),
    ("return all", "return any", "one right field is enough for you; all of them must be."),
    (
        "predicted[field] == value",
        "str(predicted[field]) == str(value)",
        "the word 'None' is not null: compare values, not their texts.",
    ),
    (
        "predicted[field] == value",
        "str(predicted[field]).lower() == str(value).lower()",
        "the word 'None' is not null, and `kite` is not the name `Kite`.",
    ),
    (
        ALL,
        "json.dumps(predicted, sort_keys=True).lower() == json.dumps(label, sort_keys=True).lower()",
        "you fold capitals: `kite` is not the name `Kite`.",
    ),
]
RIGHT = [
    (GUARD + "    return " + ALL, "    return predicted == label"),
    (ALL, "json.dumps(predicted, sort_keys=True) == json.dumps(label, sort_keys=True)"),
    (ALL, "set(predicted.items()) == set(label.items())"),
]
LABEL = {"intent": "return", "product": "Kite", "order_number": None, "urgency": "normal", "sentiment": "neutral"}


def cases(rng: Generator) -> list[tuple]:
    turned = dict(reversed(LABEL.items()))
    missing = {field: value for field, value in LABEL.items() if field != "order_number"}
    exchanged = LABEL | {"urgency": "neutral", "sentiment": "normal"}
    bare = dict.fromkeys(LABEL) | {"intent": "other", "urgency": "low", "sentiment": "positive"}
    spelled = {field: value and "".join(value) for field, value in LABEL.items()}  # equal texts, other objects
    return [
        (spelled, LABEL),
        (turned, LABEL),
        (turned | {"intent": "repair"}, LABEL),
        (None, LABEL),
        (missing, LABEL),  # what is not said is not null
        (LABEL | {"order_number": "VE-48213"}, LABEL),
        (LABEL | {"order_number": "None"}, LABEL),
        (exchanged, LABEL),  # the right values in the wrong places
        (LABEL | {"product": "kite"}, LABEL),
        (bare, LABEL),
        (bare, dict(reversed(bare.items()))),
        ({}, bare),
    ]


EXERCISE = Exercise(
    reference=exact_match,
    minutes=2,
    difficulty=1,
    hints=(
        "Is {'a': 1, 'b': 2} another answer than {'b': 2, 'a': 1}? To a text, yes. To a dictionary?",
        "Compare field by field, or the two dictionaries as dictionaries. First of all: where there was no JSON, "
        "`predicted` is None, and None is right about nothing.",
        "Python's own == on two dictionaries asks for the same keys and the same values, in any order. Beware of "
        "`.get(field)`: it gives None for a field that is missing, and None is what an absent product is.",
    ),
    proves="all fields, in any order; what is missing, misspelled or in another field is wrong",
)
