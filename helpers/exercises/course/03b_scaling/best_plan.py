"""best_plan: so much time, so much text; which size, and how many tokens?"""

from __future__ import annotations

from collections.abc import Callable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def best_plan(
    sizes: dict[str, tuple[int, float]], seconds: float, text: int, loss: Callable[[float, float], float]
) -> tuple[str, int]:
    """The size with the lowest expected loss, and the tokens to train it on.

    sizes: for each name its parameters N and its speed in tokens per second. A size is trained on as many tokens as it
    can read in these seconds (whole ones), but on no more than four times the text, which has `text` tokens: each
    further reading is worth less. loss: loss(N, D) is what a law expects. Each size has time for some tokens.
    """
    plans = {name: min(int(seconds * speed), 4 * text) for name, (_, speed) in sizes.items()}
    name = min(plans, key=lambda name: loss(sizes[name][0], plans[name]))
    return name, plans[name]


ANSWER = """
def best_plan(sizes, seconds, text, loss):
    best, lowest = None, float("inf")
    for name, (parameters, speed) in sizes.items():
        tokens = min(int(seconds * speed), 4 * text)
        expected = loss(parameters, tokens)
        if expected < lowest:
            best, lowest = (name, tokens), expected
    return best
"""
SLIPS = [
    (
        "min(int(seconds * speed), 4 * text)",
        "int(seconds * speed)",
        "fast sizes get more tokens than four readings of the text: cap them at 4 · text.",
    ),
    (
        [
            ("min(int(seconds * speed), 4 * text)", "int(seconds * speed)"),
            ("    return best\n", "    return best[0], min(best[1], 4 * text)\n"),
        ],
        "you choose first and cap afterwards: cap the tokens of each size before you compare.",
    ),
    ("4 * text", "text", "the text may be read four times: cap the tokens at 4 · text."),
    (
        "min(int(seconds * speed), 4 * text)",
        "4 * text",
        "every size gets the same tokens, also where time does not suffice: count what it reads in these seconds.",
    ),
    ("min(int(", "max(int(", "you take the larger of the two: both time and text are limits."),
    (
        "expected < lowest",
        "expected > -lowest",
        "the last size wins, whatever its loss: keep the one with the lowest.",
    ),
    (
        "expected = loss(parameters, tokens)",
        "expected = -parameters",
        "the largest size always wins, though it reads the fewest tokens: ask the law.",
    ),
    (
        "expected = loss(parameters, tokens)",
        "expected = -tokens",
        "the fastest size always wins, though it learns the least from its tokens: ask the law.",
    ),
    (
        "expected = loss(parameters, tokens)",
        "expected = abs(tokens / parameters - 20)",
        "twenty tokens per parameter was the rule for another text and other models: ask this law.",
    ),
    ("loss(parameters, tokens)", "loss(tokens, parameters)", "N comes first, then D: the two are exchanged."),
    ("(name, tokens), expected", "(tokens, name), expected", "the name comes first, then the tokens."),
]
REFUSED = [("(name, tokens), expected", "name, expected", "")]
RIGHT = [
    """
def best_plan(sizes, seconds, text, loss):
    rows = []
    for name, (n, rate) in sizes.items():
        d = int(min(seconds * rate, 4 * text))
        rows.append((loss(n, d), name, d))
    return min(rows)[1:]
""",
]


class Expected:
    """A law for the cases: a floor, a term of size and a term of text."""

    def __init__(self, a: float, alpha: float, b: float, beta: float) -> None:
        self.a, self.alpha, self.b, self.beta = a, alpha, b, beta

    def __call__(self, n: float, d: float) -> float:
        return 0.9 + self.a / n**self.alpha + self.b / d**self.beta

    def __repr__(self) -> str:
        return f"a law with {self.a:.1f} / N^{self.alpha:.2f} and {self.b:.1f} / D^{self.beta:.2f}"


def cases(rng: Generator) -> list[tuple]:
    ladder = {"tiny": 2_000, "small": 12_000, "middle": 70_000, "large": 400_000, "huge": 2_400_000}
    drawn = []
    for seconds, text in ((3.0, 10**9), (60.0, 10**9), (900.0, 10**9), (900.0, 20_000), (60.0, 100_000), (20.0, 5_000)):
        law = Expected(float(rng.uniform(4, 7)), 0.2, float(rng.uniform(120, 180)), 0.45)
        speed = float(rng.uniform(0.8, 1.2)) * 4e9
        sizes = {name: (n, round(speed / 6 / n, 1)) for name, n in ladder.items()}
        order = [str(name) for name in rng.permutation(list(sizes))]
        drawn.append(({name: sizes[name] for name in order}, seconds, text, law))
    return drawn


EXERCISE = Exercise(
    reference=best_plan,
    minutes=6,
    difficulty=2,
    hints=(
        "How many tokens does each size read in the time that there is? Which of them would run out of text?",
        "Work out for each size the tokens that it gets: limited by time, and by four readings of the text. Then ask "
        "the law what to expect of this pair.",
        "For each size, take seconds times speed as a whole number, or four times the text if that is less. Call "
        "`loss` with its parameters and these tokens, and keep the size with the lowest result, with its tokens.",
    ),
    proves="it weighs size against tokens by the law, within the time and within four readings of the text",
)
