"""plan_calls: which tools a question takes, in their order, by rules about its words."""

from __future__ import annotations

import re
from collections.abc import Callable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property
from helpers.old.velunda.orders import named_things
from helpers.velunda.company import order_numbers

MONEY = (
    r"\b(costs?|prices?|priced|worth|how much|value|expensive|pay|owe|bill|sum|total|spend|charged?|euros?|money|"
    r"difference|dearer|cheaper|save)\b"
)
TOGETHER = r"\b(together|total|altogether|all|sum|bill|plus|both|differ\w*|exceeds?|more|less|dearer|cheaper|save)\b"
SEVERAL = r"\b(\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen)\b"
UNSAID = r"\b(my|our|the|this|that|an) (order|parcel|purchase)\b|\bdid i (buy|order)\b"


def plan_calls(question: str) -> list[str] | None:
    """The names of the tools that a question takes, in their order; [] for none, None where the model should decide.

    An order number: order_info; where money is asked for, shop_price behind it, and behind that calculate, if several
    pieces are meant. One priced thing: shop_price, and calculate for several of it or a discount. Two: their prices,
    and calculate for a sum or a difference. An order or a price without saying which: [].
    """
    orders, things, text = order_numbers(question), named_things(question), question.lower()
    for thing in things:
        text = text.replace(thing.lower(), " ")  # the 500 of “Kite 500” counts nothing
    money = re.search(MONEY, text)
    if orders and not money:
        return ["order_info"]
    if orders:
        pieces = re.search(TOGETHER, text) or re.search(r"\w{3}s (in|of|from|on|i|that)\b", text)
        return ["order_info", "shop_price"] + ["calculate"] * bool(pieces)
    if len(things) > 1 and money:
        return ["shop_price", "shop_price"] + ["calculate"] * bool(re.search(TOGETHER, text))
    if things and money:
        return ["shop_price"] + ["calculate"] * bool(re.search(SEVERAL, text))
    if len(re.findall(r"\d+", text)) > 1:
        return ["calculate"]
    if re.search(UNSAID, text) or (money and not re.search(r"\ban? [a-z]|\b[a-z]+ \d", text)):
        return []
    if money:
        return ["shop_price"]  # a thing that is not in the list: the tool will say so
    return ["handbook_search"] if "?" in text and re.search(r"\b(i|my|we|our|you|your)\b", text) else []


ANSWER = """
def plan_calls(question):
    orders, things = order_numbers(question), named_things(question)
    text = question.lower()
    for thing in things:
        text = text.replace(thing.lower(), " ")

    def says(words):
        return re.search(rf"\\b({words})\\b", text) is not None

    money = says("costs?|prices?|worth|how much|pay|charge|total|sum|difference|bill|owe|value")
    together = says("together|total|all|sum|difference|more|plus|bill")
    if orders:
        plan = ["order_info"]
        if money:
            plan.append("shop_price")
            if together:
                plan.append("calculate")
        return plan
    if things and money:
        plan = ["shop_price"] * min(len(things), 2)
        several = says(r"\\d+|two|three|four|five|six|seven|eight|nine|ten")
        if together if len(things) > 1 else several:
            plan.append("calculate")
        return plan
    return None
"""
CLEANED = '    for thing in things:\n        text = text.replace(thing.lower(), " ")\n'
SLIPS = [
    (
        CLEANED,
        "",
        "a product's own number, as in “Kite 500”, is counted as pieces: take the names out of the text first.",
    ),
    (
        'plan.append("shop_price")\n            if together:',
        'plan.append("shop_price")\n            if True:',
        "one thing in an order has a price and needs no calculation.",
    ),
    (
        '            if together:\n                plan.append("calculate")\n        return plan\n    if things',
        "        return plan\n    if things",
        "several pieces of an order are never worked out: words such as “together” or “total” say that they are meant.",
    ),
    (
        "if together if len(things) > 1 else several:",
        "if several:",
        "two things and no number of pieces may ask for a sum or a difference: “together”, “more”, “difference”.",
    ),
    (
        "if together if len(things) > 1 else several:",
        "if len(things) > 1 or several:",
        "two prices that are only told apart need no calculation.",
    ),
    (
        '["shop_price"] * min(len(things), 2)',
        '["shop_price"]',
        "two things take two prices, so shop_price stands in the plan twice.",
    ),
    (
        "        if money:\n",
        "        if things:\n",
        "a question about an order names no priced thing as a rule; look for words about money.",
    ),
    (
        [("    if things and money:", "    if money:"), ("min(len(things), 2)", "max(len(things), 1)")],
        "where no thing is named there is nothing to look up: “How much does it cost?” takes no tool.",
    ),
]
REFUSED = [
    ("    return None\n", '    return ["handbook_search"]\n', "gets another plan"),
    ("    orders, things =", '    return ["order_info"]\n    orders, things =', "gets another plan"),
]
RIGHT = [
    """
def plan_calls(question):
    low = question.lower()
    names = named_things(question)
    for name in names:
        low = low.replace(name.lower(), "")
    asks_money = any(word in low for word in ("cost", "price", "worth", "much", "pay", "charge", "total", "difference"))
    joined = any(word in low for word in ("together", "total", " all", "difference", "more", "plus"))
    if order_numbers(question):
        return ["order_info"] + ["shop_price"] * asks_money + ["calculate"] * (asks_money and joined)
    if not names:
        return []
    counted = any(part.isdigit() or part in ("two", "three", "five") for part in low.split())
    return ["shop_price"] * len(names) + ["calculate"] * (joined if len(names) == 2 else counted)
""",
]


ASKED = {
    "about an order": [
        ("When will VE-24254 arrive?", ["order_info"]),
        ("Has order VE-51660 left the warehouse?", ["order_info"]),
        ("Tell me what is in VE-55841, please.", ["order_info"]),
        ("Was VE-38594 canceled?", ["order_info"]),
    ],
    "one price": [
        ("What does a Kite 500 cost?", ["shop_price"]),
        ("How much is a chain?", ["shop_price"]),
        ("What is the price of the Heron 750?", ["shop_price"]),
        ("What do you charge for an Anchor?", ["shop_price"]),
    ],
    "several of one thing": [
        ("What do three Beacons cost?", ["shop_price", "calculate"]),
        ("How much are 4 tires?", ["shop_price", "calculate"]),
        ("What is the price of five Kite 500?", ["shop_price", "calculate"]),
        ("What does a Shell cost with 10 percent off?", ["shop_price", "calculate"]),
    ],
    "two prices": [
        ("What is the price of a chain, and what is that of a pedal?", ["shop_price", "shop_price"]),
        ("How much is a Beacon, and how much is a Shell?", ["shop_price", "shop_price"]),
        ("What does a Wren 250 cost, and what does an Anchor cost?", ["shop_price", "shop_price"]),
        ("Which prices do a tire and a display have?", ["shop_price", "shop_price"]),
    ],
    "a sum or a difference": [
        ("What do a Beacon and a Shell cost together?", ["shop_price", "shop_price", "calculate"]),
        ("How much more is a Heron 750 than a Heron 500?", ["shop_price", "shop_price", "calculate"]),
        ("A Wren 250 plus an Anchor: what is the total?", ["shop_price", "shop_price", "calculate"]),
        ("What is the difference in price between a tire and a chain?", ["shop_price", "shop_price", "calculate"]),
    ],
    "one thing in an order": [
        ("What does the bicycle in VE-26037 cost?", ["order_info", "shop_price"]),
        ("What is the price of the trailer in order VE-24254?", ["order_info", "shop_price"]),
        ("How much is the helmet in VE-45098?", ["order_info", "shop_price"]),
        ("What is the bicycle in VE-38594 worth?", ["order_info", "shop_price"]),
    ],
    "several things in an order": [
        ("What do the helmets in VE-45098 cost together?", ["order_info", "shop_price", "calculate"]),
        ("How much are the child seats in VE-57124 in total?", ["order_info", "shop_price", "calculate"]),
        ("The panniers of VE-31403: what do they cost in all?", ["order_info", "shop_price", "calculate"]),
        ("What is the total for the lights in VE-57124?", ["order_info", "shop_price", "calculate"]),
    ],
    "nothing to look up": [
        ("When does my order come?", []),
        ("How much does it cost?", []),
        ("What is the price, please?", []),
        ("Thank you, that is all!", []),
    ],
}


def cases(rng: Generator) -> list[tuple]:
    return [(kind, [asked[i] for i in rng.permutation(len(asked))]) for kind, asked in ASKED.items()]


def drive(plan_calls: Callable, kind: str, asked: list[tuple[str, list[str]]]) -> str:
    """Which questions of a kind get another plan; "" if it is one at most. None counts as no tool."""
    found = [(question, list(plan_calls(question) or []), plan) for question, plan in asked]
    missed = sorted(f"{question} → {plan} instead of {wanted}" for question, plan, wanted in found if plan != wanted)
    return "; ".join(missed) if len(missed) > 1 else ""


EXERCISE = Exercise(
    minutes=15,
    difficulty=2,
    reference=plan_calls,
    drive=drive,
    hints=(
        "Which two facts about a question, besides its words, decide most: what do `order_numbers` and "
        "`named_things` find?",
        "Take the names of things out of the text first, since their numbers count nothing. Then three questions are "
        "left: is there an order number, is money asked for, and are several pieces or a sum meant?",
        "Look for words with `re.search`: one list about money (cost, price, worth, how much, total …), one that "
        "joins (together, total, sum, difference, more …), and numbers as digits or words. Build the plan step by "
        "step: order first, then a price for each thing, then the calculation. Where no rule fits, return None.",
    ),
    proves="of each of eight kinds of questions, at least three of four get their plan",
    properties=[
        Property(
            "of four questions of a kind, one at most gets another plan",
            lambda missed, *_: not missed,
            evidence=lambda missed, *_: missed,
        )
    ],
)
