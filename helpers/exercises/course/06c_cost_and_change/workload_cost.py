"""workload_cost: a price calculation that reads a reply's usage wrongly, three times over."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def workload_cost(calls: int, usage: dict[str, int], price: dict[str, float], batch: bool = False) -> float:
    """US dollars for a number of calls that all take the tokens of `usage`.

    usage: the tokens of one call, as services report them. "cached" is the part of "prompt" that the service had read
    before, and "reasoning" the hidden part of "completion". price: US dollars per million tokens: "input" for the
    prompt without its cached part, "cached" for that part, "output" for the whole completion. batch: all at half price.
    """
    prompt = (usage["prompt"] - usage["cached"]) * price["input"] + usage["cached"] * price["cached"]
    reply = usage["completion"] * price["output"]
    return calls * (prompt + reply) * (0.5 if batch else 1.0) / 1e6


ANSWER = """
def workload_cost(calls, usage, price, batch=False):
    fresh = usage["prompt"] - usage["cached"]
    reading = fresh * price["input"] + usage["cached"] * price["cached"]
    writing = usage["completion"] * price["output"]
    if batch:
        reading, writing = reading / 2, writing / 2
    return calls * (reading + writing) / 1_000_000
"""
FRESH = 'usage["prompt"] - usage["cached"]'
WRITTEN = 'usage["completion"] * price'
HALVED = "reading, writing = reading / 2, writing / 2"
CACHED = (FRESH, 'usage["prompt"]')
REASONED = (WRITTEN, '(usage["completion"] + usage["reasoning"]) * price')
HALF = (HALVED, "reading = reading / 2")
TWICE_READ = "cached tokens are billed twice: “prompt” contains them, so take them out before the full price."
TWICE_WRITTEN = "reasoning tokens are billed twice: “completion” contains them already."
HALF_A_BATCH = "the batch price is half of everything: halve the reply's part, too."
SLIPS = [
    (
        """
def workload_cost(calls, usage, price, batch=False):
    reading = usage["prompt"] * price["input"] + usage["cached"] * price["cached"]
    writing = (usage["completion"] + usage["reasoning"]) * price["output"]
    if batch:
        reading = reading / 2
    return calls * (reading + writing) / 1_000_000
""",
        TWICE_READ,
    ),
    ([CACHED, REASONED], TWICE_READ),
    ([CACHED, HALF], TWICE_READ),
    ([REASONED, HALF], TWICE_WRITTEN),
    (*CACHED, TWICE_READ),
    (*REASONED, TWICE_WRITTEN),
    (*HALF, HALF_A_BATCH),
    (HALVED, "writing = writing / 2", "the batch price is half of everything: halve the prompt's part, too."),
    (
        WRITTEN,
        '(usage["completion"] - usage["reasoning"]) * price',
        "reasoning tokens are not shown, and they are billed as output all the same.",
    ),
    (
        ' + usage["cached"] * price["cached"]',
        "",
        "cached tokens have a lower price, and not none: add them at the price of “cached”.",
    ),
    (
        'usage["cached"] * price["cached"]',
        'usage["cached"] * price["input"]',
        "cached tokens have a price of their own, “cached”, which is lower than “input”.",
    ),
    (" / 1_000_000", "", "prices are per million tokens: divide by 1,000,000."),
    (" / 1_000_000", " / 1_000", "prices are per million tokens, and you divide by a thousand."),
    ("calls * ", "", "that is one call: multiply by their number."),
]
PLANTED = SLIPS[0]
REFUSED = [("return calls", "return 3 * calls", "The result is wrong")]
RIGHT = [
    """
def workload_cost(calls, usage, price, batch=False):
    each = usage["prompt"] * price["input"]
    each -= usage["cached"] * (price["input"] - price["cached"])
    each += usage["completion"] * price["output"]
    return each * calls / (2e6 if batch else 1e6)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def drawn(batch: bool) -> tuple:
        dollars = float(rng.integers(1, 40)) / 8
        price = {"input": dollars, "cached": dollars / 8, "output": 6 * dollars}
        prompt, completion = int(rng.integers(500, 3000)), int(rng.integers(300, 2000))
        usage = {"prompt": prompt, "cached": prompt // 3, "completion": completion, "reasoning": completion // 4}
        return int(rng.integers(2, 5000)), usage, price, batch

    price = {"input": 2.0, "cached": 0.2, "output": 8.0}
    plain = {"prompt": 500, "cached": 0, "completion": 50, "reasoning": 0}
    return [
        (1, plain | {"cached": 400}, price),  # each token bug by itself, before the batch's
        (1, plain | {"completion": 350, "reasoning": 300}, price),
        (10_000, plain, price),
        (10_000, plain, price, True),
        (0, plain, price),
        drawn(False),
        drawn(True),
    ]


EXERCISE = Exercise(
    reference=workload_cost,
    minutes=6,
    difficulty=2,
    tolerance=1e-10,  # prices of single calls are fractions of a cent
    hints=(
        "There are three bugs. Take a prompt of 500 tokens, 400 of them cached: how many does the function bill?",
        "First: of what is “cached” a part? Second: of what is “reasoning” a part? Third: which tokens are cheaper in "
        "a batch?",
        "Bill prompt minus cached at the price of “input”, cached at that of “cached”, and the completion, which has "
        "the reasoning tokens in it, at that of “output”. Halve the whole sum for a batch.",
    ),
    proves="no token is billed twice, hidden reasoning is billed, and a batch halves prompt and reply",
)
