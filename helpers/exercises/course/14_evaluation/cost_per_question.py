"""cost_per_question: prices for outcomes, and the questions that an evaluation script quietly leaves out."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def cost_per_question(outcomes: list[str], price: dict[str, float]) -> float:
    """What one question costs on average, in euros.

    outcomes: of each question "right", "wrong" or "abstained"; price: what each of these costs, in euros.
    """
    return sum(price[outcome] for outcome in outcomes) / len(outcomes)


ANSWER = """
def cost_per_question(outcomes, price):
    total = 0.0
    for outcome in outcomes:
        total += price[outcome]
    return total / len(outcomes)
"""
WHOLE = """    total = 0.0
    for outcome in outcomes:
        total += price[outcome]
    return total / len(outcomes)
"""
SLIPS = [
    (
        WHOLE,
        """    answered = [outcome for outcome in outcomes if outcome != "abstained"]
    return sum(price[outcome] for outcome in answered) / max(len(answered), 1)
""",
        "questions without an answer are left out, so an assistant looks better with each one that it refuses.",
    ),
    (
        WHOLE,
        """    answered = [outcome for outcome in outcomes if outcome != "abstained"]
    return sum(price[outcome] for outcome in answered) / len(outcomes)
""",
        "an abstention has a price, too: it is missing from the sum.",
    ),
    (
        WHOLE,
        """    answered = [outcome for outcome in outcomes if outcome != "abstained"]
    return sum(price[outcome] for outcome in outcomes) / max(len(answered), 1)
""",
        "divide by all questions that were asked, not by those that were answered.",
    ),
    ("    return total / len(outcomes)", "    return total", "that is the sum: divide it by the number of questions."),
]
PLANTED = SLIPS[0]
REFUSED = [("price[outcome]", 'price["wrong"]', "Expected")]
RIGHT = [
    """
def cost_per_question(outcomes, price):
    share = {outcome: outcomes.count(outcome) / len(outcomes) for outcome in set(outcomes)}
    return sum(share[outcome] * price[outcome] for outcome in share)
""",
]


def cases(rng: Generator) -> list[tuple]:
    names, drawn = ("right", "wrong", "abstained"), []
    for _ in range(5):
        outcomes = [str(name) for name in rng.choice(names, size=int(rng.integers(3, 12)))]
        drawn.append(([*outcomes, "abstained"], {"right": 0.0, "wrong": 50.0, "abstained": float(rng.integers(1, 9))}))
    price = {"right": 0.0, "wrong": 50.0, "abstained": 1.0}
    return [
        (["right", "wrong", "abstained", "abstained"], price),
        (["abstained", "abstained", "abstained"], price),
        (["wrong", "wrong", "right"], price),
        (["right", "abstained"], {"right": -2.0, "wrong": 10.0, "abstained": 3.0}),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=cost_per_question,
    minutes=2,
    difficulty=1,
    hints=(
        "What does the function give for nine abstentions and one right answer?",
        "Each question that was asked costs something: being right, being wrong, and saying nothing.",
        "Leave no outcome out: add up `price[outcome]` over all of them, abstentions included, and divide by "
        "`len(outcomes)`.",
    ),
    proves="every question that was asked counts, abstentions with their price",
)
