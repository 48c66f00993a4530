"""Bad answers that metrics love: five small functions that spoil a right answer.

    negated("A new display costs 129 euros.")        # "A new display does not cost 129 euros."
    other_number("A new display costs 129 euros.")   # "A new display costs 921 euros."
    print(as_table(mean_scores(judges)))             # beside the right answers, what do the bad ones get?

The bad answers are made from the reference, the right answer says the same in other words: so a metric has to choose
between the reference's words and its meaning. That is the hard case, and no sample of what systems write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Question:
    """A question about the handbook, the reference, and a right answer that says the same in other words."""

    question: str
    reference: str
    right: str


WRITTEN = """
How much is a new display?
A new display costs 129 euros.
You pay €129 for a replacement.

How long is the battery guaranteed?
The warranty on the battery runs for two years.
It is covered for 24 months.

How heavy may a child in the Perch be?
The Perch carries a child of up to 22 kg.
Nobody over 22 kg should ride in it.

Can I use a pressure washer?
You must not point it at the motor or the battery.
Keep it away from battery and motor.

May I ride with E12?
You must not ride before a workshop has seen the bicycle.
Leave it parked until we have checked it.

My battery is too hot. What now?
Stop charging, leave it in the open and call support.
Unplug it, put it outside and phone us.

When do I see my money?
You get your money within 7 business days of the return.
Once it is back, give us 7 business days.

When does my chain want oil?
Oil the chain of a Heron every 200 kilometers.
A Heron asks for oil after each 200 km.

Until when can I change the color?
You can change it until the order leaves Venlo.
As long as your bike has not been shipped.

What may my trailer carry?
The Burrow may carry up to 40 kg.
Do not load it with more than 40 kg.

Do I get a bike on loan?
You can have one if the repair takes longer than 5 business days.
Yes, when we need more than 5 days.

What do I pay if it is stolen?
You bear 100 euros of the claim yourself.
Your own share is €100.

Which charger for the night?
Take the 2 A charger for the night.
Overnight, the slow one with 2 A.

Does the Perch fit a Wren?
The Perch does not fit the Wren.
No, that seat cannot be mounted there.

What is an hour of work in Ghent?
An hour of work in Ghent costs 72 euros.
They charge €72 hourly.

When will it arrive?
Your order leaves Venlo within 2 business days.
Count on 2 days before we ship it.
"""  # question, reference, a right answer in other words
QUESTIONS = tuple(Question(*block.splitlines()) for block in WRITTEN.strip().split("\n\n"))

# Five ways to spoil an answer ----------------------------------------------------------------------------------------

VERBS = {
    **{"costs": "does not cost", "runs": "does not run", "carries": "does not carry", "leaves": "does not leave"},
    **{"get": "do not get", "bear": "do not bear", "Take": "Do not take", "Oil": "Do not oil", "Stop": "Do not stop"},
}
HELPING = "can may must is are was will should does do".split()
COUNTS = {"two": "four", "three": "six", "five": "ten"}


def word_salad(text: str, rng: np.random.Generator) -> str:
    """The same words in a random order."""
    return " ".join(rng.permutation(text.split()))


def negated(text: str) -> str:
    """The opposite: the first "not" is deleted, or one is put behind the first verb that is known here."""
    if re.search(r"\bnot ", text):
        return re.sub(r"\bnot ", "", text, count=1)
    for word in text.split():
        if word in VERBS:
            return text.replace(word, VERBS[word], 1)
        if word in HELPING:
            return re.sub(rf"\b{word}\b", f"{word} not", text, count=1)
    return f"It is not true: {text}"


def other_number(text: str) -> str | None:
    """The first number read backwards, or doubled where that changes nothing; None for a text without a number."""
    found = re.search(rf"\b(?:\d+|{'|'.join(COUNTS)})\b", text)
    if found is None:
        return None
    number, backwards = found[0], found[0][::-1]
    if number in COUNTS:
        instead = COUNTS[number]
    else:
        instead = str(2 * int(number)) if backwards == number or backwards.startswith("0") else backwards
    return text[: found.start()] + instead + text[found.end() :]


def hedged(text: str) -> str:
    """The answer and its opposite, so that whatever is right stands there."""
    return f"{text} Or perhaps the other way round: {negated(text)}"


def padded(text: str) -> str:
    """The opposite between polite sentences that say nothing."""
    return (
        "Thank you very much for your message. We are happy to help you with your question. "
        f"{negated(text)} Please do not hesitate to contact us if you have any further questions."
    )


ATTACKS: dict[str, Callable[[str, np.random.Generator], str | None]] = {
    "word salad": word_salad,
    "negation": lambda text, rng: negated(text),
    "other number": lambda text, rng: other_number(text),
    "answer and opposite": lambda text, rng: hedged(text),
    "padding": lambda text, rng: padded(text),
}

# How metrics score them ----------------------------------------------------------------------------------------------


def as_table(found: Mapping[str, Mapping[str, tuple[int, int] | float]]) -> str:
    """`fooled` or `mean_scores` as Markdown: a metric per row, in a cell "13 of 16" or a score."""
    columns = list(next(iter(found.values())))
    lines = ["| metric | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for metric, row in found.items():
        cells = [f"{value[0]} of {value[1]}" if isinstance(value, tuple) else f"{value:.2f}" for value in row.values()]
        lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
