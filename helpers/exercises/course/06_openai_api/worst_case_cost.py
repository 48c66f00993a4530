"""worst_case_cost: what a call can cost at most, so that a budget can say no before it is sent."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def worst_case_cost(prompt_tokens: int, max_tokens: int, price: dict[str, float], retries: int = 2) -> float:
    """US dollars that one call can cost at most.

    price: US dollars per million tokens, as "input", "output" and "cached" (input that the service has read before).
    In the worst case nothing is cached, the reply is max_tokens long, and every sending is billed in full: the first
    one and each of the retries.
    """
    once = prompt_tokens * price["input"] + max_tokens * price["output"]
    return (1 + retries) * once / 1_000_000


ANSWER = """
def worst_case_cost(prompt_tokens, max_tokens, price, retries=2):
    prompt = prompt_tokens * price["input"]
    reply = max_tokens * price["output"]
    sendings = 1 + retries
    return sendings * (prompt + reply) / 1_000_000
"""
SLIPS = [
    (
        'prompt_tokens * price["input"]',
        'prompt_tokens * price["cached"]',
        "nobody promises you that the prompt is still in the cache: at worst every token costs the full price.",
    ),
    (
        'prompt_tokens * price["input"]',
        'prompt_tokens * (price["input"] + price["cached"]) / 2',
        "the worst case is no mean: count every prompt token at the price of “input”.",
    ),
    (
        'prompt_tokens * price["input"]',
        'prompt_tokens * (price["input"] + price["cached"])',
        "a prompt token is billed at one price, either that of “input” or that of “cached”: in the worst case “input”.",
    ),
    (
        'max_tokens * price["output"]',
        'max_tokens * price["input"]',
        "the reply's tokens have the price of “output”, which is several times that of “input”.",
    ),
    (
        [('* price["input"]', '* price["output"]'), ('max_tokens * price["output"]', 'max_tokens * price["input"]')],
        "the two prices are swapped: the prompt is input, and the reply is output.",
    ),
    (
        'prompt_tokens * price["input"]',
        'prompt_tokens * price["output"]',
        "that is a bound, too, but a needlessly high one: a prompt token never costs the price of “output”.",
    ),
    (
        "sendings * (prompt + reply) / 1_000_000",
        "round(sendings * (prompt + reply) / 1_000_000, 4)",
        "one call costs a fraction of a cent, and a thousand of them a whole one: do not round.",
    ),
    (
        "sendings * (prompt + reply) / 1_000_000",
        "round(sendings * (prompt + reply) / 1_000_000, 2)",
        "one call costs a fraction of a cent, and a thousand of them a whole one: do not round.",
    ),
    ("1 + retries", "1", "a retry can be billed, too: a reply that came too late was written all the same."),
    ("1 + retries", "retries", "two retries make three sendings: the first one counts as well."),
    (" / 1_000_000", "", "prices are per million tokens: divide by 1,000,000."),
    (" / 1_000_000", " / 1_000", "prices are per million tokens, and you divide by a thousand."),
    ("(prompt + reply)", "prompt", "the reply is missing: it may be as long as max_tokens."),
    ("(prompt + reply)", "reply", "the prompt is missing: every sending reads it anew."),
    ("sendings * (prompt + reply)", "(prompt + sendings * reply)", "each sending bills the prompt again, too."),
    ("sendings * (prompt + reply)", "(sendings * prompt + reply)", "each sending can bill a whole reply, too."),
]
REFUSED = [("return sendings", "return 2 * sendings", "The result is wrong")]
RIGHT = [
    """
def worst_case_cost(prompt_tokens, max_tokens, price, retries=2):
    total = 0.0
    for _ in range(retries + 1):
        total += prompt_tokens / 1e6 * price["input"] + max_tokens / 1e6 * price["output"]
    return total
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(retries: int) -> tuple:
        dollars = float(rng.integers(1, 40)) / 8
        price = {"input": dollars, "output": 6 * dollars, "cached": dollars / 8}
        return int(rng.integers(50, 9000)), int(rng.integers(20, 2000)), price, retries

    price = {"input": 2.0, "output": 8.0, "cached": 0.5}
    return [
        (1000, 500, price, 0),
        (1000, 500, price, 1),
        (1000, 500, price),
        (0, 100, price, 2),
        (100, 0, price, 2),
        *(drawn(retries) for retries in (0, 2, 5)),
    ]


EXERCISE = Exercise(
    reference=worst_case_cost,
    minutes=2,
    difficulty=1,
    tolerance=1e-10,  # prices of single calls are fractions of a cent
    hints=(
        "Which of the three prices can you be sure never to exceed?",
        "A discount that nobody promises has no place in a worst case. Add the prompt and the longest reply, and ask "
        "how often both can be billed.",
        "One sending costs at most the prompt's tokens at the input price plus max_tokens at the output price. There "
        "are as many sendings as retries, and one more. Prices are per million tokens.",
    ),
    proves="it bounds the price of a call with the longest reply, an empty cache and every retry billed",
)
