"""fitted_on: which runs may a law see that has to predict others? A second seed gives the answer away."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def fitted_on(runs: list[dict[str, Any]], size: str, tokens: int) -> list[dict[str, Any]]:
    """The runs that a law may be fitted on, in their order.

    It must know nothing of what it has to predict: no run of the held-out size, and no run on as many tokens as the
    held-out amount of text, or more. runs: each has size (a name), tokens, seed and loss.
    """
    return [run for run in runs if run["size"] != size and run["tokens"] < tokens]


ANSWER = """
def fitted_on(runs, size, tokens):
    kept = []
    for run in runs:
        held_out = run["size"] == size or run["tokens"] >= tokens
        if not held_out:
            kept.append(run)
    return kept
"""
SLIPS = [
    (
        """
def fitted_on(runs, size, tokens):
    kept = []
    for run in runs:
        held_out = run["seed"] == 0 and (run["size"] == size or run["tokens"] >= tokens)
        if not held_out:
            kept.append(run)
    return kept
""",
        "the law sees other seeds of the very runs that it has to predict: hold them out, whatever their seed.",
    ),
    ("size or run", "size and run", "only runs that are held out twice stay away: one of the two is enough."),
    (
        ' or run["tokens"] >= tokens',
        "",
        "runs on as much text as the held-out amount stay in: leave them out, too.",
    ),
    ('run["size"] == size or ', "", "runs of the held-out size stay in: leave them out, too."),
    (">= tokens", "> tokens", "a run on exactly the held-out amount is the one to predict: leave it out."),
    (">= tokens", "== tokens", "runs on even more text give the answer away, too: leave out all from that amount on."),
    ("if not held_out", "if held_out", "those are the runs to predict: return all others."),
]
PLANTED = SLIPS[0]
RIGHT = [
    """
def fitted_on(runs, size, tokens):
    return list(filter(lambda run: run["size"] != size and not run["tokens"] >= tokens, runs))
""",
]


def cases(rng: Generator) -> list[tuple]:
    names = ["small", "middle", "large", "huge"]
    drawn = []
    for _ in range(4):
        runs = [
            {"size": names[int(s)], "tokens": int(t) * 1000, "seed": int(k), "loss": round(float(y), 3)}
            for s, t, k, y in zip(
                rng.integers(4, size=14),
                rng.integers(1, 12, size=14),
                rng.integers(0, 3, size=14),
                rng.uniform(1, 3, size=14),
                strict=True,
            )
        ]
        drawn.append((runs, names[int(rng.integers(1, 4))], 8000))
    few = [
        {"size": "small", "tokens": 4000, "seed": 0, "loss": 2.1},
        {"size": "large", "tokens": 2000, "seed": 0, "loss": 1.9},
        {"size": "large", "tokens": 2000, "seed": 1, "loss": 1.8},
        {"size": "small", "tokens": 8000, "seed": 0, "loss": 1.7},
        {"size": "small", "tokens": 8000, "seed": 1, "loss": 1.7},
        {"size": "small", "tokens": 9000, "seed": 0, "loss": 1.6},
        {"size": "large", "tokens": 9000, "seed": 0, "loss": 1.5},
    ]
    return [(few, "large", 8000), *drawn, ([], "large", 8000)]


EXERCISE = Exercise(
    reference=fitted_on,
    minutes=3,
    difficulty=1,
    hints=(
        "Of the runs with the held-out size, which ones does the law get to see?",
        "Two runs that differ in nothing but their seed have almost the same loss. If one of them is to be predicted, "
        "may the other one be known?",
        "A run is held out if it has the held-out size, and also if it has at least the held-out number of tokens. Its "
        "seed plays no part in that, so the condition must not ask for it.",
    ),
    proves="no run of the held-out size or amount of text is left, with any seed",
)
