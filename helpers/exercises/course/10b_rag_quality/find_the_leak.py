"""find_the_leak: an evaluation that searches only documents which answer a question makes the search look better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def find_the_leak(
    questions: Sequence[Mapping[str, Any]], documents: Mapping[str, Sequence[str]], powers: Sequence[float], k: int
) -> tuple[float, float]:
    """Search by shared words / length ** power: the power that is best on dev, and its recall@k on test.

    questions: dicts of "words", "document" (which one answers it) and "split" ("dev" or "test")
    documents: the whole handbook, name → words; powers: to choose from, of equals the first
    """

    def recall(split, power):
        found = []
        for question in questions:
            if question["split"] == split:
                asked = set(question["words"])
                scores = {name: len(asked & set(text)) / len(text) ** power for name, text in documents.items()}
                found.append(question["document"] in sorted(scores, key=scores.get, reverse=True)[:k])
        return sum(found) / len(found)

    best = max(powers, key=lambda power: recall("dev", power))
    return best, recall("test", best)


LEAK = [
    (
        "    def recall(",
        """    needed = {question["document"] for question in questions}
    corpus = {name: text for name, text in documents.items() if name in needed}

    def recall(""",
    ),
    ("documents.items()", "corpus.items()"),
]
SMALLER_CORPUS = [
    (
        "found = []",
        """needed = {question["document"] for question in questions if question["split"] == split}
        found = []""",
    ),
    ("documents.items()", "documents.items() if name in needed"),
]
CHOSEN_ON_TEST = ('recall("dev", power)', 'recall("test", power)')
MEASURED_ON_DEV = ('recall("test", best)', 'recall("dev", best)')
SLIPS = [
    (LEAK, "only documents that answer one of these questions are searched, still."),
    (
        [(LEAK[0][0], LEAK[0][1].replace("in questions}", 'in questions if question["split"] == "dev"}')), LEAK[1]],
        "only documents that answer a dev question are searched: a new question may need any of the others.",
    ),
    (
        [(LEAK[0][0], LEAK[0][1].replace("in questions}", 'in questions if question["split"] == "test"}')), LEAK[1]],
        "only documents that answer a test question are searched: a new question may need any of the others.",
    ),
    (SMALLER_CORPUS, "now only documents that answer a question of that split are searched: the leak is larger."),
    (*CHOSEN_ON_TEST, "now the power is chosen on test: that is a leak of its own."),
    ([*LEAK, CHOSEN_ON_TEST], "it was right to choose on dev; the leak is in what is searched."),
    (
        'recall("dev", power)',
        'recall("dev", power) + recall("test", power)',
        "now test questions help to choose: a leak of its own.",
    ),
    (*MEASURED_ON_DEV, "this is the recall on dev, where the power was chosen."),
    ([*LEAK, MEASURED_ON_DEV], "it was right to measure on test; the leak is in what is searched."),
    ('question["split"] == split', "True", "dev and test are mixed: choose on dev, measure on test."),
    (
        'recall("test", best)',
        '(recall("dev", best) + recall("test", best)) / 2',
        "the recall of dev and test mixed: only test counts.",
    ),
    ("max(powers", "max(reversed(powers)", "of equal powers the first is taken, as it was."),
    ("len(text)", "len(set(text))", "the score was right: length counts all words."),
    ("return best, ", "return ", "give the power as well, as it was."),
    (', recall("test", best)', "", "give the recall as well, as it was."),
]
PLANTED = SLIPS[0]
RIGHT = [
    ("for name, text in documents.items()", "for name, text in [(name, documents[name]) for name in documents]"),
    """
def find_the_leak(questions, documents, powers, k):
    def found(question, power):
        words = set(question["words"])
        ranked = sorted(documents, key=lambda name: -len(words.intersection(documents[name])) /
                        len(documents[name]) ** power)
        return question["document"] in ranked[:k]
    dev, test = ([q for q in questions if q["split"] == split] for split in ("dev", "test"))
    counts = [sum(found(q, power) for q in dev) for power in powers]
    best = powers[counts.index(max(counts))]
    return best, sum(found(q, best) for q in test) / len(test)
""",
]


def cases(rng: Generator) -> list[tuple]:
    vocabulary = [f"w{i}" for i in range(30)]

    def case(n_documents: int, n_questions: int, needed: int, powers: list[float], k: int) -> tuple:
        documents = {
            f"d{i}": [vocabulary[j] for j in rng.integers(len(vocabulary), size=int(rng.integers(5, 40)))]
            for i in range(n_documents)
        }
        questions = []
        for n in range(n_questions):
            name = f"d{int(rng.integers(needed)) * (n_documents // needed)}"
            own = [documents[name][int(j)] for j in rng.integers(len(documents[name]), size=4)]
            other = [vocabulary[int(j)] for j in rng.integers(len(vocabulary), size=3)]
            questions.append({"words": own + other, "document": name, "split": "dev" if n % 2 else "test"})
        return questions, documents, powers, k

    small = {
        "codes": ["e05", "the", "battery", "is", "too", "cold"],
        "manual": ["charge", "a", "cold", "battery", "indoors", "overnight"],
        "minutes": ["cold", "coffee", "cold", "battery", "indoors"],  # answers nothing, and distracts
    }
    asked = [
        {"words": ["what", "is", "e05"], "document": "codes", "split": "dev"},
        {"words": ["cold", "battery", "indoors"], "document": "manual", "split": "test"},
    ]
    return [
        (asked, small, [1.0], 1),
        (asked, small, [0.0, 1.0], 2),
        case(12, 16, 4, [0.0, 0.5, 1.0], 1),
        case(20, 24, 6, [1.0, 0.25, 0.0], 1),
        case(15, 30, 5, [0.0, 0.3, 0.6, 0.9], 2),
        case(24, 20, 8, [0.5, 1.0], 3),
        case(10, 14, 10, [0.0, 0.7], 1),
        case(18, 24, 6, [0.0, 0.4, 0.8], 1),
    ]


EXERCISE = Exercise(
    reference=find_the_leak,
    minutes=4,
    difficulty=2,
    hints=(
        "A new customer's question comes in. Which lines could you not run for it, since they need its answer?",
        "The power is chosen on dev and measured on test: that is right. But look at what is searched. Which "
        "documents are missing from `corpus`, and who decided that?",
        "`needed` is made from the answers. Documents that answer none of these questions are taken out, and they "
        "are the ones that distract a search. Let `recall` search all of `documents`; leave everything else.",
    ),
    proves="all documents are searched, dev alone chooses, and test is measured once",
)
