"""unsupported: names and numbers of a summary that the text does not have, as whole words in the same spelling."""

from __future__ import annotations

import re

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.assistants.reports import unsupported
from helpers.old.velunda.reports import generate_reports

ANSWER = r"""
def unsupported(summary, text):
    known = set(re.findall(r"\w+", text))
    found = []
    for i, word in enumerate(re.findall(r"\w+", summary)):
        number = any(c.isdigit() for c in word)
        name = i > 0 and word[0].isupper()
        if (number or name) and word not in known:
            found.append(word)
    return found
"""
NUMBER = "any(c.isdigit() for c in word)"
V4 = "a word such as v4 holds a digit too: `any(c.isdigit() for c in word)`."
SLIPS = [
    ("in known", "in text", "a short word can stand *within* a longer one, as 17 in 170: compare whole words."),
    (
        "word not in known",
        "word.lower() not in {w.lower() for w in known}",
        "“haas” is not “Haas”: the spelling has to be the same.",
    ),
    ("i > 0 and ", "", "the first word always has a capital; leave it out unless it holds a digit."),
    (NUMBER, f"i > 0 and {NUMBER}", "the first word is left out even where it holds a digit."),
    (
        "i > 0",
        r're.match(r"\W*(\w+)", summary)[1] != word',
        "every word equal to the first is left out; only the first itself is.",
    ),
    ("word[0].isupper()", "word.istitle()", "BMS and McKay begin with a capital too: `word[0].isupper()`."),
    (
        [(r'"\w+", text', '"[A-Za-z0-9]+", text'), (r'"\w+", summary', '"[A-Za-z0-9]+", summary')],
        r"letters such as ë and ü belong to words: cut with `\w+`.",
    ),
    ("(number or name)", "name", "numbers are left out."),
    ("(number or name)", "number", "names are left out."),
    ("not in known", "in known", "these *are* in the text; return the others."),
    ("(number or name) and ", "", "these are all words that the text lacks; keep names and numbers only."),
    ("return found", "return list(dict.fromkeys(found))", "a word that is wrong twice is told twice."),
    (
        [(r're.findall(r"\w+", text)', "text.split()"), (r're.findall(r"\w+", summary)', "summary.split()")],
        r"“Ghent,” with its comma or “17.” with its dot is not the word itself: cut with `\w+`.",
    ),
    (
        [
            (r're.findall(r"\w+", text)', '[w.strip(".,;:") for w in text.split()]'),
            (r're.findall(r"\w+", summary)', '[w.strip(".,;:") for w in summary.split()]'),
        ],
        r"“Haas's” is two words, Haas and s: cut with `\w+`.",
    ),
    (NUMBER, "word.isdigit()", V4),
    (NUMBER, "word[0].isdigit()", V4),
    ("return found", "return sorted(found)", "the order is lost: give them as they stand in the summary."),
    (
        "return found",
        "return sorted(set(found))",
        "order and repeats are lost: give all as they stand there.",
    ),
]
REFUSED = [("in known", "in text.split()", "Expected 0 items")]
RIGHT = [
    r"""
def unsupported(summary, text):
    found = []
    for match in re.finditer(r"\w+", summary):
        word = match.group()
        first = not re.search(r"\w", summary[: match.start()])
        named = word[0] != word[0].lower() and not first
        if (named or re.search(r"\d", word)) and not re.search(rf"\b{re.escape(word)}\b", text):
            found.append(word)
    return found
""",
]


def cases(rng: Generator) -> list[tuple]:
    reports = generate_reports(40, seed=int(rng.integers(1000)))
    own = [(report["summary"], report["text"]) for report in reports[:2]]
    others = [(reports[i]["summary"], reports[i + 2]["text"]) for i in range(2, 5)]
    return [
        *own,
        *others,
        ("The app was dead for 17 minutes.", "For 170 minutes it was dead, 17th of May."),
        ("Ghent paid 12 euros; Haas paid 12 in Ghent.", "Mr. Haas paid 11 euros in graz."),
        ("The code was E04, not E07.", "It showed E04 twice."),
        ("The update of v3 to v4 took 4x as long.", "From v3 on, it took long."),
        ("Haas's Kite rode to Lyon.", "The Kite of Lang rode away."),
        ("In Ghent, Haas rode.", "haas rode in Ghentbrugge."),
        ("nothing to see here", "Nothing."),
        ("17 riders wrote that 3 fell.", "70 riders wrote that 3 fell."),  # a first word that holds a digit
        ("Both BMS and McKay failed.", "Both failed, the bms and Mckay."),  # capitals within a word
        ("For Zoë and Müller, it was late.", "Zo and Zoë told M and Muller that it was late."),
        ("", "Mr. Haas."),
    ]


EXERCISE = Exercise(
    reference=unsupported,
    minutes=4,
    difficulty=2,
    hints=(
        "First: which words of the summary claim something that can be checked? Then: which words has the text?",
        'Cut both into words with `re.findall(r"\\w+", …)`. Keep words of the summary that hold a digit, or begin '
        "with a capital and are not the first; report those that are missing among the words of the text.",
        "A set of the text's words makes “stands in the text” one look-up. Go through `enumerate` of the summary's "
        "words: `any(c.isdigit() for c in word)` or `i > 0 and word[0].isupper()`, and then `word not in` the set.",
    ),
    proves="whole words, same spelling, digits anywhere in a word, and the first word only where it holds a digit",
)
