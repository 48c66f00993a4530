"""Does a text state an answer? By a list of accepted answers, in whatever spelling.

    contains_answer("It is €1,890.", ["1890 euros"])  # True: a sentence may stand around an accepted answer

What it does not do: understand. It tells "free" from "not free", where the denial stands close before what is denied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SPELLINGS = (  # applied in this order: what is found, what stands for it
    (r"[’‘´`]", "'"),
    (r"[‐-―−]", "-"),
    (r"(?<=\d)\s*A\b|\bamp(?:ere)?s?\b", " ampere"),  # "2 A" is a current, where "a" would be an article
    (r"(?i)\beur(?:os?)?(?![a-z])", " € "),
    (r"(?i)\bper ?cent\b", "%"),
    (r"(?i)°\s*C\b|°|\bdegrees?(?: celsius| C\b)?", " °C "),
    (r"(?i)\bcan(?:'t|not)\b", "can not"),
    (r"(?i)n't\b", " not"),
    (r"'", ""),
)
UNITS = {
    **dict.fromkeys(("kilo", "kilogram", "kgs"), "kg"),
    **dict.fromkeys(("kilometer", "kilometre"), "km"),
    **dict.fromkeys(("meter", "metre"), "m"),
    **dict.fromkeys(("h", "hr"), "hour"),
    **{"min": "minute", "sec": "second", "kmh": "km hour", "kph": "km hour", "nm": "newton m"},
}
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
COUNTS = {word: n for n, word in enumerate(ONES)} | {word: 10 * n for n, word in enumerate(TENS, start=2)}
# left out: "6 or 12" = "6 and 12", "10 to 20" = "10–20", "€ a day" = "€/day"
UNSAID = {"a", "an", "the", "and", "or", "to", "per"}
PIECE = re.compile(
    r"(?P<number>(?<!\w)-?\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+:\d\d(?!\d)|(?:(?<!\w)-)?\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+(?:-?\d[\w-]*)?)|(?P<sign>[€%]|°c)|(?P<pause>[.,;:!?()\n])"
)
NEGATIONS = {"not", "no", "never", "without", "neither", "nor"}
# words that turn a denial into a limit: "not later than 30 days" grants 30 days, "do not charge below 0 °C" names 0 °C
LIMITS = "than only until before after within unless below above over under up but because since if".split()
DENIED = re.compile(rf"(?<!\S)(?:not(?: (?!(?:{'|'.join(LIMITS)}) )[^\s|]+){{0,3}}|no|never|without|neither|nor) $")
FIRST_WORD = re.compile(r"(?:answer (?:[^|]+ )?is )?(?:\| )*(\S*)")  # "The answer to this question is: No." says "no"
VERDICTS = {"yes": {"yes", "yeah", "yep", "sure", "certainly", "absolutely"}, "no": {"no", "nope", "not", "never"}}


def contains_answer(text: str, accepted: Sequence[str]) -> bool:
    """Does the text state one of the accepted answers, whatever stands around it?

    Numbers are equal as numbers, written the English way (1,890 = 1890, 4.50 = 4.5, two = 2; "1.890" is less than two),
    units and signs in all their spellings (€19 = 19 euros, 40kg = 40 kilos, 60% = 60 percent), words without case,
    plural s and articles. "12" is not in "120", nor "free" in "not free" or "isn't really free".
    "yes" and "no" are stated by the first word only, and the first word may not contradict them. In "no, never" both
    count, in "left; 29 euros" every part must be stated, in any order. What it cannot know: which unit a bare "72" had,
    and that "either 19 or 29 euros" is no answer.

    >>> contains_answer("Both need 2,490 euros.", ["€2490"]), contains_answer("It weighs 120 kg.", ["12 kg"])
    (True, False)
    >>> contains_answer("No, test rides are free.", ["free"]), contains_answer("They are not free.", ["free"])
    (True, False)
    """
    said = spelled(text)
    first = FIRST_WORD.match(said)[1]
    for verdict, opposite in (("yes", "no"), ("no", "yes")):
        if first in VERDICTS[opposite] and any(spelled(form).strip("| ") == verdict for form in accepted):
            return False
    return any(all(_stated(part, said, first) for part in form.split(";")) for form in accepted)


def spelled(text: str) -> str:
    """The text in one spelling, a space between its words and a | for each pause.

    >>> spelled("It’s €1,890.00 – or twelve payments/year.")
    'its 1890 € 12 payment year |'
    """
    for found, instead in SPELLINGS:
        text = re.sub(found, instead, text)
    tens, ones = "|".join(TENS), "|".join(ONES[1:10])
    text = re.sub(rf"\b({tens})-({ones})\b", lambda m: str(COUNTS[m[1]] + COUNTS[m[2]]), text.lower())
    words = [_word(piece) for piece in PIECE.finditer(text)]
    return re.sub(r"(?<!\d )€ (-?[\d.]+)", r"\1 €", " ".join(word for word in words if word not in UNSAID))


def _word(piece: re.Match) -> str:
    word = piece[0]
    if piece["pause"]:
        return "|"
    if piece["number"]:
        return word if ":" in word else f"{float(word.replace(',', '')):.12g}"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return str(COUNTS[word]) if word in COUNTS else UNITS.get(word, word)


def _stated(form: str, said: str, first: str) -> bool:
    """Does what is said state this one form? first: its first word, which a form such as "yes, 6 or 12" looks at."""
    verdict, _, rest = (part.strip("| ") for part in spelled(form).partition("|"))
    if verdict in VERDICTS:
        opposite = VERDICTS["no" if verdict == "yes" else "yes"]
        return first in VERDICTS[verdict] if not rest else first not in opposite and _found(rest, said)
    return _found(spelled(form), said)


def _found(form: str, said: str) -> bool:
    """Does the form stand in what is said, pauses aside, at least once without being denied?"""
    words = [word for word in form.split() if word != "|"]
    if not words:
        return False
    pattern = r"(?<!\S)" + r" (?:\| )*".join(map(re.escape, words)) + r"(?!\S)"
    undeniable = not NEGATIONS.isdisjoint(words) or words[0] in LIMITS
    return any(undeniable or not DENIED.search(said[: match.start()]) for match in re.finditer(pattern, said))
