"""Which of Velunda's tools a question needs, and in which order, by rules: code plans, the model fills in arguments.

    plan_by_rules("What do the helmets in VE-21133 cost together?")   # ["order_info", "shop_price", "calculate"]
    plan_by_rules("How do I book a test ride?")                       # None: the rules do not know

    ask = ToolCaller(*taught_model("tools", dtype), plan=plan_by_rules)

The rules look for an order's number, for things that have a price, and for words that ask for an amount. They were
written for the questions of `load_tool_tasks("dev")`. What they do not do: understand. A question about an amount in
other words gets a wrong plan, and a wrong plan is carried out.
"""

from __future__ import annotations

import re

from helpers.old.velunda.orders import named_things
from helpers.velunda.company import order_numbers

AMOUNT = re.compile(
    r"\b(?:cost|costs|price|prices|priced|worth|value|pay|paid|spend|spent|sum|total|bill|charge|euros?|money|owe|"
    r"expensive|offer|how much|come to|comes to|set us back|sell)\b"
)
TOGETHER = re.compile(
    r"\b(?:together|altogether|total|sum|bill|all|whole|both|pair|plus|add(?:ed)? up|as well as|in one|combined|"
    r"several|what do i pay|do i owe|money do i need)\b"
)
DIFFERENCE = re.compile(
    r"\b(?:difference|gap|exceeds?|save|instead of|cheaper|dearer|less than|more than|more expensive|how much more|"
    r"how much less|margin|on top)\b"
)
SEVERAL = re.compile(
    r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a dozen|half a dozen|percent|per cent|%)"
)
KINDS = re.compile(r"\b(?:bicycles|child seats|trailers|light sets|helmets|locks|panniers|(?:all|these|those) \w+s)\b")
FORMULA = re.compile(
    r"\d\s*[-+*/x×]\s*\d|\b(?:multiply|times|divide|subtract|take \d+ away|add \d+|\d+ plus \d+|\d+ and \d+ add up)\b"
)


def plan_by_rules(question: str) -> list[str] | None:
    """Names of the tools to call in turn, or None where the model has to decide."""
    things = named_things(question)
    said = without_names(" ".join(question.lower().split()), things)
    if order_numbers(question):
        if not AMOUNT.search(said):
            return ["order_info"]
        several = TOGETHER.search(said) or KINDS.search(said)
        return ["order_info", "shop_price", "calculate"] if several else ["order_info", "shop_price"]
    if len(things) > 1:
        worked_out = TOGETHER.search(said) or DIFFERENCE.search(said)
        return ["shop_price", "shop_price", "calculate"] if worked_out else ["shop_price", "shop_price"]
    if things and (AMOUNT.search(said) or SEVERAL.search(said)):
        return ["shop_price", "calculate"] if SEVERAL.search(said) else ["shop_price"]
    return ["calculate"] if not things and FORMULA.search(said) else None


def without_names(said: str, things: list[str]) -> str:
    """The question without the names of things, whose numbers say nothing about how many."""
    for thing in things:
        said = said.replace(thing.lower(), " ")
    return said
