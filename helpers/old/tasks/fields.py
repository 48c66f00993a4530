"""Is a value that was pulled out of a text the right one? Spelling aside: dates, times and sums in many forms.

    right_value("The 6th of May", ["May 6"])       # True
    right_value("12€", ["12 euros"])               # True
    right_value("not stated", None)                # True: the text does not say it, and nor does the answer
    right_fields({"day": "May 6", "time": None}, item)      # {"day": True, "time": False, …}

What it does not do: reckon. "Half past six" equals "6:30" only where the item accepts both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = {
    *("", "-", "–", "null", "none", "nil", "n/a", "na", "unknown", "absent", "missing", "empty"),
    *("not given", "not stated", "not mentioned", "not specified", "not provided", "not in text", "not in the text"),
}
MONTHS = "january february march april may june july august september october november december".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
SHORT = {name[:3]: name for name in (*MONTHS, *DAYS)} | {"sept": "september", "tues": "tuesday", "thurs": "thursday"}
MONTH = "|".join(MONTHS)
CURRENCIES = {"euros": r"€|eur(?:os?)?", "pounds": r"£|gbp|pounds?", "dollars": r"\$|usd|dollars?|bucks?"}
LEADING = re.compile(r"^(?:(?:on|at|in|from|to|by|before|with|the|a|an|my|our|your) )+(?=\S)")


def normalized(value: Any) -> str:
    """The value in one spelling: small letters, "may 6", "19:30", "12.50 euros", no articles, no marks at the ends.

    >>> normalized("On the 6th of May"), normalized("7:30 p.m."), normalized("€8.00")
    ('may 6', '19:30', '8 euros')
    """
    text = " ".join(str(value).casefold().replace("’", "'").split())
    text = text.strip(" .,;:!?\"'()[]").replace(",", "")
    text = re.sub(r"\b([ap])\. ?m\b\.?", r"\1m", text)
    text = re.sub(r"\b([a-z]{3,6})\b\.?", lambda found: SHORT.get(found[1], found[0]), text)
    text = re.sub(r"\b([0-9]{1,2})(?:st|nd|rd|th)\b", r"\1", text)
    text = re.sub(rf"\b([0-9]{{1,2}})(?: of)? ({MONTH})\b", r"\2 \1", text)
    text = re.sub(r"\b(?:0(?=[0-9]:))?([0-9]{1,2})(:[0-9]{2})? ?([ap]m)?\b(?!:)", _clock, text)
    for name, signs in CURRENCIES.items():
        text = re.sub(rf"(?:{signs}) ?([0-9]+(?:\.[0-9]+)?)(?![0-9])", rf"\1 {name}", text)
        text = re.sub(rf"([0-9]) ?(?:{signs})(?![a-z])", rf"\1 {name}", text)
    text = re.sub(r"\b([0-9]+)\.00\b", r"\1", text)
    return LEADING.sub("", " ".join(text.split()))


def right_value(said: Any, accepted: Sequence[str] | None) -> bool:
    """Is `said` one of the accepted spellings? Where the text says nothing (None): does `said` say nothing, too?"""
    if said is not None and (isinstance(said, bool) or not isinstance(said, str | int | float)):
        return False  # a list, an object or a truth value is no value of a field
    nothing = said is None or normalized(said) in NOTHING or str(said).strip().casefold() in NOTHING
    if accepted is None or nothing:
        return accepted is None and nothing
    return normalized(said) in {normalized(form) for form in accepted}


def right_fields(said: Mapping[str, Any], item: Any) -> dict[str, bool]:
    """For each field of the item, whether it was said, and right. A field that is not there is wrong, even for null."""
    return {name: name in said and right_value(said[name], accepted) for name, accepted in item.fields.items()}


def _clock(found: re.Match[str]) -> str:
    """7:30 pm as 19:30, 8am as 8:00, 07:04 as 7:04; a number that is no time stays."""
    hour, minutes, half = found.groups()
    if not (minutes or half):
        return found[0]
    hour = int(hour) % 12 + 12 * (half == "pm") if half and int(hour) <= 12 else int(hour)
    return f"{hour}{minutes or ':00'}"
