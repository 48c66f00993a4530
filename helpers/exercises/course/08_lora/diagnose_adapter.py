"""diagnose_adapter: what is wrong with an adapter, from what can be measured of it."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def diagnose_adapter(found: Mapping[str, float]) -> str:
    """What is wrong with an adapter: "alpha too large", "wrong template", "padding trained", or "healthy".

    found: four losses in nats per label.
    found["training loss"]: at the end of its training; found["loss"]: on other questions, as it is used;
    found["loss at a tenth"]: the same with a tenth of alpha; found["loss, no template"]: the same without the chat
    template. An illness is named if its sign is clear: one loss is less than two thirds of another. If several signs
    show, the first of the three in this order counts.
    """
    limit = found["loss"] * 2 / 3
    if found["loss at a tenth"] < limit:
        return "alpha too large"
    if found["loss, no template"] < limit:
        return "wrong template"
    if found["training loss"] < limit:
        return "padding trained"
    return "healthy"


ANSWER = """
def diagnose_adapter(found):
    limit = found["loss"] * 2 / 3
    if found["loss at a tenth"] < limit:
        return "alpha too large"
    if found["loss, no template"] < limit:
        return "wrong template"
    if found["training loss"] < limit:
        return "padding trained"
    return "healthy"
"""
NAMES = ("training loss", "loss", "loss at a tenth", "loss, no template")
TENTH = 'found["loss at a tenth"] < limit'
BARE = 'found["loss, no template"] < limit'
TRAINED = 'found["training loss"] < limit'
SLIPS = [
    ('found["loss"] * 2 / 3', 'found["loss"]', "a small difference is no sign: less than two thirds is one."),
    ("* 2 / 3", "/ 2", "a sign is clear below two thirds of the loss, not only below half of it."),
    (
        """
def diagnose_adapter(found):
    names = {"loss at a tenth": "alpha too large", "loss, no template": "wrong template",
             "training loss": "padding trained", "loss": "healthy"}
    return names[min(found, key=found.get)]
""",
        "the lowest of the four is no sign if it is only a little lower: less than two thirds of the loss is one.",
    ),
    (
        """
def diagnose_adapter(found):
    limit = found["loss"] * 2 / 3
    if found["loss, no template"] < limit:
        return "wrong template"
    if found["loss at a tenth"] < limit:
        return "alpha too large"
    if found["training loss"] < limit:
        return "padding trained"
    return "healthy"
""",
        "an alpha that is too large shows the sign of the template, too: look at alpha first.",
    ),
    (
        [(f'found["{name}"] < limit', f'found["{name}"] > 1.5 * found["loss"]') for name in NAMES if name != "loss"],
        "you ask whether the loss is clearly lower than the others; a sign is that another one is lower.",
    ),
    (
        TRAINED,
        'found["training loss"] < 2 / 3 * min(list(found.values())[1:])',
        "compare the training loss with `loss` alone, as the other two.",
    ),
    (TENTH, 'found["loss at a tenth"] > 1.5 * found["loss"]', "a smaller alpha *helps* an adapter that is too strong."),
    (
        BARE,
        'found["loss, no template"] > 1.5 * found["loss"]',
        "an adapter that was trained without the template is *better* without it.",
    ),
    (
        TRAINED,
        'found["training loss"] > 1.5 * found["loss"]',
        "padding is easy to predict, so it makes the training loss too *low*.",
    ),
    (
        """
def diagnose_adapter(found):
    limit = found["loss"] * 2 / 3
    if found["training loss"] < limit:
        return "padding trained"
    if found["loss, no template"] < limit:
        return "wrong template"
    if found["loss at a tenth"] < limit:
        return "alpha too large"
    return "healthy"
""",
        "an alpha that is too large raises the loss so far that the other signs show, too: look at it first.",
    ),
    (
        """
def diagnose_adapter(found):
    limit = found["loss"] * 2 / 3
    if found["loss at a tenth"] < limit:
        return "alpha too large"
    if found["training loss"] < limit:
        return "padding trained"
    if found["loss, no template"] < limit:
        return "wrong template"
    return "healthy"
""",
        "a wrong template, too, leaves the loss far above the training loss: look at the template before the padding.",
    ),
    ('return "healthy"', 'return "padding trained"', "an adapter that shows no sign is healthy."),
]
REFUSED = [
    *(
        (f'return "{name}"', f'return "{name.capitalize()}"', name)
        for name in ("alpha too large", "wrong template", "padding trained", "healthy")
    ),
    ('    return "healthy"', "", "It returns None"),
]
RIGHT = [
    """
def diagnose_adapter(found):
    signs = {
        "loss at a tenth": "alpha too large",
        "loss, no template": "wrong template",
        "training loss": "padding trained",
    }
    for name, illness in signs.items():
        if 3 * found[name] < 2 * found["loss"]:
            return illness
    return "healthy"
""",
]


def cases(rng: Generator) -> list[tuple]:
    rows = [
        (0.8, 0.9, 1.3, 2.4),  # healthy
        (0.9, 1.2, 1.4, 1.1),  # healthy: small differences
        (0.9, 7.0, 1.1, 6.5),  # too strong; the training loss shows a sign as well
        (0.9, 8.0, 1.2, 3.5),  # too strong; all three signs
        (0.5, 2.9, 2.4, 0.8),  # without the template; the training loss shows a sign as well
        (1.0, 1.8, 1.5, 0.7),
        (0.1, 1.2, 1.4, 2.0),  # padding
        (0.2, 0.9, 0.8, 0.9),
        (1.3, 0.6, 1.4, 2.2),  # healthy: the training was harder than the questions
        (0.75, 1.0, 1.5, 2.2),
        (0.6, 1.0, 1.5, 2.2),  # padding, by a little
        (0.6, 1.0, 0.7, 2.0),  # padding, though another loss is low as well
    ]
    return [(dict(zip(NAMES, row, strict=True)),) for row in rows]


EXERCISE = Exercise(
    reference=diagnose_adapter,
    minutes=5,
    difficulty=2,
    hints=(
        "Which change would *help* an adapter whose alpha is ten times too large? And which tokens are easy "
        "to predict?",
        "Compare each of the other three losses with two thirds of `loss`. Which illness makes a tenth of alpha "
        "better, which one a prompt without the template, and which one the training loss much lower?",
        "Write three `if` lines in the order of the docstring. The first one asks whether the loss at a tenth"
        " of alpha is below two thirds of the loss, the second asks the same of the loss without the template, the "
        "third of the training loss. An adapter that none of them catches is healthy.",
    ),
    proves="each sign names its illness, in the right order, and small differences name none",
)
