"""Does a reply have the form that was asked for? Small checks, each of one property that code can decide.

    bullets("- red\n- blue\n- green", n=3)                 # True
    Check("at_most_words", {"n": 5}).passes("Rome, I think.")   # True; the form in which data/tasks names a check
    passed = [check.passes(reply) for check in item.checks]

Every check refuses an empty reply and the cheapest nonsense that has the form: three bullets that say the same, a JSON
object whose values are empty, a reply that ends where it should have begun. A reply counts as it is, without the space
around it: a friendly "Sure!" before a list is a breach.
What they do not do: tell whether the reply is true. `mentions` only asks for one of the words that belong to the topic.
Where sentences end is guessed from marks: the initials of a name count as ends.
"""

from __future__ import annotations

import datetime
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")  # "don't", "well-known" and "1,000" are one word each
NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
BULLET = re.compile(r"[-*•] +(\S.*)")
NUMBERED = re.compile(r"([0-9]+)[.)] +(\S.*)")
SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\be\.g)(?<!\bi\.e)[.!?]+[\"”')]*(?=\s|$)")
RULE = re.compile(r"\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?")


# Lengths


def at_most_words(reply: str, n: int) -> bool:
    """1 to n words."""
    return 1 <= len(_words(reply)) <= n


def at_least_words(reply: str, n: int) -> bool:
    """n words or more, at least half as many different ones: no word said again and again."""
    words = _words(reply)
    return len(words) >= n and 2 * len(set(words)) >= n


def exactly_words(reply: str, n: int) -> bool:
    """n words, none of them twice in a row."""
    words = _words(reply)
    return len(words) == n and all(a != b for a, b in zip(words, words[1:], strict=False))


def sentences(reply: str, n: int) -> bool:
    """n different sentences of two words or more, each closed by ".", "!" or "?", all in running text."""
    text = reply.strip()
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    if not ends or ends[-1] != len(text) or "\n" in text:
        return False
    parts = [text[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]
    return len(parts) == n and _different(parts) and all(len(_words(part)) >= 2 for part in parts)


# Lists


def bullets(reply: str, n: int) -> bool:
    """n lines that begin with "-", "*" or "•", each saying something else, and no other line."""
    found = [BULLET.fullmatch(line) for line in _lines(reply)]
    return len(found) == n and all(found) and _different([match[1] for match in found if match])


def numbered(reply: str, n: int) -> bool:
    """n lines numbered "1." or "1)" and so on in order, each saying something else, and no other line."""
    found = [match for line in _lines(reply) if (match := NUMBERED.fullmatch(line))]
    in_order = [match[1] for match in found] == [str(i) for i in range(1, n + 1)]
    return in_order and len(_lines(reply)) == n and _different([match[2] for match in found])


def lines(reply: str, n: int) -> bool:
    """n different lines, empty ones not counted, without marks or numbers in front."""
    found = _lines(reply)
    return (
        len(found) == n and _different(found) and not any(BULLET.match(line) or NUMBERED.match(line) for line in found)
    )


def separated(reply: str, n: int, by: str = ",") -> bool:
    """One line of n different items of at most four words with `by` between them; "." at the end is allowed."""
    items = _items(reply, by)
    short = all(1 <= len(_words(item)) <= 4 for item in items)
    # neither "Sure: a, b, c" nor "a, b, and c" nor a list that is marked in yet another way
    plain = not any(re.search(r"[:;,|\n]|^[-*•]|^and\b", item.replace(by, "")) for item in items)
    return len(items) == n and short and plain and _different(items)


def alphabetical(reply: str, by: str = ",") -> bool:
    """Two or more items in the order of the alphabet, cut at `by`."""
    items = [item.casefold() for item in _items(reply, by)]
    return len(items) > 1 and all(items) and items == sorted(items)


def labeled(reply: str, labels: Sequence[str]) -> bool:
    """One line a label, in this order, "Label: something", and no other line."""
    found = [line.partition(":") for line in _lines(reply)]
    return [label.strip() for label, _, _ in found] == list(labels) and all(_words(said) for _, _, said in found)


def table(reply: str, columns: Sequence[str], rows: int) -> bool:
    """A table in Markdown with these columns, the line of dashes, and so many different rows without an empty cell."""
    found = _lines(reply)
    if len(found) != rows + 2 or not all(line.startswith("|") and line.endswith("|") for line in found):
        return False
    head, rule, *body = ([cell.strip() for cell in line[1:-1].split("|")] for line in found)
    whole = all(len(row) == len(columns) and all(_words(cell) for cell in row) for row in body)
    dashes = len(rule) == len(columns) and bool(RULE.fullmatch(found[1]))
    return head == list(columns) and dashes and whole and _different([" ".join(row) for row in body])


# One value and nothing else


def number_only(reply: str) -> bool:
    """A number in digits and nothing else: "1,250", "-3", "2.5"; "." at the end is allowed."""
    return bool(NUMBER.fullmatch(_bare(reply)))


def yes_or_no(reply: str) -> bool:
    """ "Yes" or "no" and nothing else; "." at the end is allowed."""
    return _bare(reply).casefold() in ("yes", "no")


def one_of(reply: str, choices: Sequence[str]) -> bool:
    """One of the choices and nothing else, in any case; "." at the end is allowed."""
    return _bare(reply).casefold() in {choice.casefold() for choice in choices}


def date(reply: str) -> bool:
    """A day that exists, as 2026-05-31, and nothing else."""
    text = _bare(reply)
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def clock(reply: str) -> bool:
    """A time of day from 00:00 to 23:59 and nothing else."""
    return bool(re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", _bare(reply)))


# Letters and words


def lowercase(reply: str) -> bool:
    """Letters, and no capital one."""
    return bool(_words(reply)) and reply.islower()


def uppercase(reply: str) -> bool:
    """Letters, all of them capital."""
    return bool(_words(reply)) and reply.isupper()


def capitalized(reply: str) -> bool:
    """Two words or more, each with a capital letter in front (or a digit) and small ones behind it."""
    found = WORD.findall(reply)
    return len(found) > 1 and all(word[0].isdigit() or (word[0].isupper() and not word[1:].isupper()) for word in found)


def includes(reply: str, text: str) -> bool:
    """`text` as whole words, in any case, among at least three further words."""
    return _holds(reply, text) and len(_words(reply)) >= len(_words(text)) + 3


def without(reply: str, text: str) -> bool:
    """At least three words, none of them `text`, in any case; a `text` of one letter or mark stands nowhere at all."""
    there = text.casefold() in reply.casefold() if len(text) == 1 else _holds(reply, text)
    return len(_words(reply)) >= 3 and not there


def mentions(reply: str, any_of: Sequence[str]) -> bool:
    """One of these as whole words, in any case, also with "s" or "es" behind it: does the reply keep to its topic?"""
    return any(re.search(rf"(?<!\w){re.escape(text)}(?:e?s)?(?!\w)", reply, re.IGNORECASE) for text in any_of)


# Beginnings, ends and marks


def begins_with(reply: str, text: str) -> bool:
    """The reply begins with `text`, letter by letter, and goes on for at least a word."""
    return _ends_at_word(reply.strip(), text) and bool(_words(reply.strip()[len(text) :]))


def ends_with(reply: str, text: str) -> bool:
    """The reply ends with `text`, letter by letter, and says at least a word before it."""
    return _ends_at_word(reply.strip()[::-1], text[::-1]) and bool(_words(reply.strip()[: -len(text)]))


def wrapped(reply: str, start: str, end: str) -> bool:
    """`start`, words, `end`: both stand there once, at the ends."""
    text = reply.strip()
    if not (text.startswith(start) and text.endswith(end) and len(text) > len(start) + len(end)):
        return False
    inside = text[len(start) : -len(end)]
    return bool(_words(inside)) and start not in inside and end not in inside


def question(reply: str) -> bool:
    """One question: three words or more, "?" at the end, and no other sentence."""
    text = reply.strip()
    return text.endswith("?") and sentences(text, n=1) and text.count("?") == 1 and len(_words(text)) >= 3


def heading(reply: str) -> bool:
    """ "# Some words" in the first line, text that is no heading in a later one."""
    first, *rest = _lines(reply) or [""]
    said = first.removeprefix("# ")
    below = [line for line in rest if not line.startswith("#") and _words(line)]
    return first.startswith("# ") and bool(_words(said)) and bool(below) and said not in below


# JSON


def json_object(reply: str, keys: Sequence[str], numbers: Sequence[str] = ()) -> bool:
    """One JSON object with these keys, each once, in any order; those in `numbers` hold numbers, the others something.

    A fence of back quotes around it is a breach.
    """
    pairs = _parsed(reply)
    if not isinstance(pairs, _Object) or sorted(key for key, _ in pairs) != sorted(keys):
        return False
    return all(_is_number(value) if key in numbers else _says_something(value) for key, value in pairs)


def json_list(reply: str, n: int) -> bool:
    """One JSON list of n different strings, none of them without words."""
    found = _parsed(reply)
    if isinstance(found, _Object) or not isinstance(found, list) or len(found) != n:
        return False
    return all(isinstance(item, str) and _words(item) for item in found) and _different(found)


CHECKS: dict[str, Callable[..., bool]] = {
    check.__name__: check
    for check in (
        *(at_most_words, at_least_words, exactly_words, sentences, bullets, numbered, lines, separated, alphabetical),
        *(labeled, table, number_only, yes_or_no, one_of, date, clock, lowercase, uppercase, capitalized, includes),
        *(without, mentions, begins_with, ends_with, wrapped, question, heading, json_object, json_list),
    )
}


@dataclass(frozen=True)
class Check:
    """A check by its name, with its parameters. Raises ValueError for an unknown name and for wrong parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in CHECKS:
            raise ValueError(f"There is no check {self.name!r}: choose one of {', '.join(CHECKS)}.")
        try:
            inspect.signature(CHECKS[self.name]).bind("", **self.parameters)
        except TypeError as error:
            raise ValueError(f"The check {self.name} does not take {dict(self.parameters)}: {error}.") from None
        for name, value in self.parameters.items():
            if name in ("n", "rows"):
                right = isinstance(value, int) and not isinstance(value, bool) and value > 0
            elif name in ("text", "start", "end", "by"):
                right = isinstance(value, str) and value != ""
            else:
                right = isinstance(value, list | tuple) and all(isinstance(text, str) and text for text in value)
            if not right:
                raise ValueError(f"The check {self.name} cannot use {name}={value!r}.")

    def passes(self, reply: str) -> bool:
        """Does the reply have the property?"""
        return CHECKS[self.name](reply, **self.parameters)


class _Object(list):
    """The pairs of a JSON object in their order, so that a key that stands twice is seen."""


def _parsed(reply: str) -> Any:
    """What the reply is as JSON, objects as `_Object`; None where it is none."""
    try:
        return json.loads(reply.strip(), object_pairs_hook=_Object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _says_something(value: Any) -> bool:
    """A text with words, a number, a truth value, or a list or object that holds such."""
    if isinstance(value, _Object):
        return bool(value) and all(_says_something(inner) for _, inner in value)
    if isinstance(value, list):
        return bool(value) and all(_says_something(inner) for inner in value)
    return bool(_words(value)) if isinstance(value, str) else value is not None


def _words(text: str) -> list[str]:
    """The words, in lower case."""
    return [word.casefold() for word in WORD.findall(text)]


def _lines(reply: str) -> list[str]:
    return [line.strip() for line in reply.strip().splitlines() if line.strip()]


def _items(reply: str, by: str) -> list[str]:
    return [item.strip() for item in reply.strip().removesuffix(".").split(by)]


def _bare(reply: str) -> str:
    """Without the space around it and one "." at its end."""
    return reply.strip().removesuffix(".")


def _different(texts: Sequence[str]) -> bool:
    """All say something, and no two the same words."""
    said = [tuple(_words(text)) for text in texts]
    return all(said) and len(set(said)) == len(said)


def _holds(reply: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", reply, re.IGNORECASE))


def _ends_at_word(reply: str, text: str) -> bool:
    """Begins the reply with the text, and does no letter follow where it ends with one?"""
    after = reply[len(text) :][:1]
    return reply.startswith(text) and not (text[-1].isalnum() and after.isalnum())
