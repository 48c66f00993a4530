"""compare_contract: what a successor breaks, item by item, and whether a must is among it."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def compare_contract(old: dict[str, bool], new: dict[str, bool], musts: set[str]) -> dict[str, Any]:
    """What changes from the old model to the new one, item by item, and whether you may switch as it is.

    old, new: whether each item of the contract holds; `old` has all items. An item that `new` does not have was not
    answered, and does not hold. musts: the items that somebody relies on; the others are only counted.

    The result has three sorted lists of items, "newly broken", "repaired" and "broken in both", and "switch": True if
    no must is newly broken, whatever the totals are.
    """
    now = {item: new.get(item, False) for item in old}
    broken = sorted(item for item in old if old[item] and not now[item])
    return {
        "newly broken": broken,
        "repaired": sorted(item for item in old if now[item] and not old[item]),
        "broken in both": sorted(item for item in old if not now[item] and not old[item]),
        "switch": musts.isdisjoint(broken),
    }


ANSWER = """
def compare_contract(old, new, musts):
    found = {"newly broken": [], "repaired": [], "broken in both": []}
    for item in sorted(old):
        before, after = old[item], new.get(item, False)
        if before and not after:
            found["newly broken"].append(item)
        elif after and not before:
            found["repaired"].append(item)
        elif not after:
            found["broken in both"].append(item)
    found["switch"] = not any(item in musts for item in found["newly broken"])
    return found
"""
SWITCH = 'not any(item in musts for item in found["newly broken"])'
SLIPS = [
    (
        SWITCH,
        'len(found["repaired"]) >= len(found["newly broken"])',
        "a must is not traded against repaired items: ask whether a must is newly broken.",
    ),
    (
        SWITCH,
        'len(found["repaired"]) > len(found["newly broken"])',
        "a must is not traded against repaired items: ask whether a must is newly broken.",
    ),
    (SWITCH, 'not found["newly broken"]', "a newly broken item that is no must is counted, and does not forbid it."),
    (
        SWITCH,
        'not any(item in musts for item in found["newly broken"] + found["broken in both"])',
        "a must that the old model broke, too, is a known loss: only newly broken musts forbid the switch.",
    ),
    (SWITCH, f"not {SWITCH}", "“switch” is the wrong way round: True if no must is newly broken."),
    ("new.get(item, False)", "new[item]", "an item that was not answered is missing in `new`: it does not hold."),
    ("new.get(item, False)", "new.get(item, True)", "an item that was not answered counts as held."),
    (
        "new.get(item, False)",
        "new.get(item, old[item])",
        "an item that was not answered is taken to be as before; it does not hold.",
    ),
    ("if before and not after", "if not after", "items that the old model broke, too, are counted as newly broken."),
    ("in sorted(old)", "in old", "the lists are not sorted."),
    ("in sorted(old)", "in sorted(new)", "items that were not answered are missing: go through the items of `old`."),
]
REFUSED = [('found["repaired"].append(item)', "pass", "")]
RIGHT = [
    """
def compare_contract(old, new, musts):
    held = {item for item in old if old[item]}
    holds = {item for item in old if new.get(item)}
    return {
        "newly broken": sorted(held - holds),
        "repaired": sorted(holds - held),
        "broken in both": sorted(set(old) - held - holds),
        "switch": not (held - holds) & musts,
    }
""",
]


def cases(rng: Generator) -> list[tuple]:
    names = [f"c{int(number):02}" for number in rng.permutation(20) + 1]
    a, b, c, d, e, f = names[:6]
    held = {name: bool(rng.integers(2)) for name in names}
    holds = {name: bool(rng.integers(2)) for name in names}
    return [
        ({a: True}, {a: True}, {a}),
        ({a: True, b: False}, {a: False, b: True}, {a}),
        ({a: True, b: False}, {a: False, b: True}, {b}),
        ({a: False, b: True}, {a: False, b: True}, {a, b}),
        ({a: True, b: False, c: False}, {a: False, b: True, c: True}, {a}),
        ({a: True, b: True}, {a: True}, {b}),
        ({a: True, b: True}, {a: True}, {a}),
        ({a: False, b: True}, {b: True}, {a}),
        ({c: True, a: True, e: True}, {a: False, c: False, e: False}, {d, f}),
        (held, holds, set(names[:10])),
        ({}, {}, set()),
    ]


EXERCISE = Exercise(
    reference=compare_contract,
    minutes=5,
    difficulty=2,
    hints=(
        "Each item held before or did not, and holds now or does not. Which of the four cases belongs where?",
        "Go through the sorted items of `old`. What stands for an item that `new` does not have? Then look for musts "
        "in one of the three lists, and only in that one.",
        "`new.get(item, False)` is what holds now. Held before and not now is newly broken; now and not before is "
        "repaired; neither is broken in both. “switch” is True if no item of “newly broken” is in `musts`.",
    ),
    proves="the three lists are complete and sorted, unanswered items are broken, and only newly broken musts forbid",
)
