"""break_even: from which utilization on does a machine of your own cost less than a hosted model?"""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.serving import capacity


def break_even(
    per_hour: float, replies_per_s: float, prompt: float, reply: float, input_price: float, output_price: float
) -> float:
    """The utilization from which on your own machine is cheaper than a hosted model; above 1, it never is.

    per_hour: price of the machine, busy or idle. replies_per_s: the most that it completes per second.
    prompt, reply: tokens of one request and of its reply. input_price, output_price: of a million hosted tokens.
    """
    return capacity.break_even(per_hour, replies_per_s, prompt * input_price + reply * output_price)


ANSWER = """
def break_even(per_hour, replies_per_s, prompt, reply, input_price, output_price):
    hosted = (prompt * input_price + reply * output_price) / 1e6
    own = per_hour / (3600 * replies_per_s)
    return own / hosted
"""
SLIPS = [
    (
        "prompt * input_price + reply * output_price",
        "reply * output_price",
        "the hosted model's prompts are left out, and they are paid, too: prompt · input_price.",
    ),
    (
        "prompt * input_price + reply * output_price",
        "(prompt + reply) * output_price",
        "tokens that are read have a price of their own: use input_price for the prompt.",
    ),
    (
        "prompt * input_price + reply * output_price",
        "(prompt + reply) * (input_price + output_price)",
        "each kind of token has one price: the prompt its input_price, the reply its output_price.",
    ),
    (
        "prompt * input_price + reply * output_price",
        "prompt * output_price + reply * input_price",
        "the two prices are exchanged: the prompt is input, the reply output.",
    ),
    (") / 1e6", ")", "the hosted prices are for a million tokens: divide by 1e6."),
    (") / 1e6", ") / 1e3", "the hosted prices are for a million tokens, not for a thousand."),
    ("(3600 * replies_per_s)", "replies_per_s", "per_hour is the price of an hour, replies_per_s of a second."),
    ("(3600 * replies_per_s)", "(60 * replies_per_s)", "an hour has 3600 seconds."),
    (
        "per_hour / (3600 * replies_per_s)",
        "per_hour / (3600 * replies_per_s * reply)",
        "replies_per_s counts whole replies: do not divide by their tokens as well.",
    ),
    ("own / hosted", "hosted / own", "the fraction is upside down: a cheaper machine needs *less* utilization."),
    (
        "return own / hosted",
        "return min(1.0, own / hosted)",
        "above 1 it never pays, and this must be seen: do not cut the result at 1.",
    ),
]
REFUSED = [("return own / hosted", "return None", "")]
RIGHT = [
    """
def break_even(per_hour, replies_per_s, prompt, reply, input_price, output_price):
    million = prompt * input_price + reply * output_price
    return per_hour / 3600 / replies_per_s * 1_000_000 / million
""",
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [
        (
            float(rng.uniform(0.02, 3)),
            float(rng.uniform(0.3, 20)),
            int(rng.integers(50, 2000)),
            int(rng.integers(10, 400)),
            float(rng.uniform(0.05, 3)),
            float(rng.uniform(3, 15)),
        )
        for _ in range(5)
    ]
    return [
        (0.36, 1.0, 100, 50, 0.5, 1.0),
        (0.36, 2.0, 0, 100, 0.5, 4.0),
        (36.0, 0.5, 20, 10, 1.0, 5.0),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=break_even,
    minutes=4,
    difficulty=2,
    hints=(
        "What does one reply cost at the hosted model, and what does it cost on a machine that is always busy?",
        "Hosted: the tokens of the prompt at the input price, those of the reply at the output price, per million. "
        "Own, always busy: the price of an hour, divided by the replies of an hour.",
        "A machine that is busy for a share u of the time writes u times as many replies for the same money, so one "
        "reply costs own / u. Set that equal to the hosted price of a reply, and u = own / hosted.",
    ),
    proves="prompts and replies have their own prices, units are right, and a machine that never pays is seen",
)
