"""Questions with tools answered without a model: rules write the calls, and templates the answers.

    reply = reply_by_rules(plan_calls)                            # plan_calls: question → names of tools, in order
    run_tools(reply, TOOLS, "What do three Beacons cost?").text   # "That is 207 euros."
    solve_by_rules(plan_calls, load_tool_tasks("dev"))            # of each task, whether it was solved

The strongest cheap baseline of 12c. An order is answered with all that is known of it, so that nothing has to be
understood. What it does not do: leave its templates, or ask the model where the plan is None (no tool is called then).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers.old.assistants.tools import TOOLS, call_text
from helpers.old.prompting.tools import run_tools
from helpers.old.trials.tool_tasks import WORDS, solved, with_broken
from helpers.old.velunda.orders import named_things
from helpers.velunda.company import order_numbers

Plan = Callable[[str], Sequence[str] | None]
LESS = re.compile(r"\b(more|less|differ\w*|exceeds?|dearer|cheaper|save|than)\b")
NUMBERS = {word: n for n, word in WORDS.items() if n > 1}


def reply_by_rules(plan: Plan) -> Callable[[Sequence[Mapping[str, str]], Sequence[Any]], str]:
    """A `reply` for `run_tools`: the plan's next call, its arguments read by rules, or the answer in a template."""

    def reply(messages: Sequence[Mapping[str, str]], schemas: Sequence[Any]) -> str:
        question = messages[0]["content"]
        results = [message["content"] for message in messages if message["role"] == "tool"]
        names = list(plan(question) or [])
        if results and re.search(" failed: | gave no result | must be ", results[-1]):
            return "Sorry, " + results[-1].split(" failed: ")[-1]
        if len(results) < len(names):
            name = names[len(results)]
            return call_text(name, arguments_by_rules(name, question, results))
        return answer_by_rules(question, names, results)

    return reply


def arguments_by_rules(name: str, question: str, results: Sequence[str]) -> dict[str, str]:
    """The arguments of the next call, from the question and the results so far."""
    if name == "order_info":
        return {"order": next(iter(order_numbers(question)), question)}
    if name == "shop_price":
        return {"product": product_by_rules(question, results)}
    if name == "calculate":
        return {"expression": expression_by_rules(question, results)}
    return {"question": question}


def product_by_rules(question: str, results: Sequence[str]) -> str:
    """What to look up a price for: the item of the order that shares most words with the question, else a thing that
    it names, else the words behind its article."""
    if items := items_of(results):
        return max(items, key=lambda item: len(stems(item[1]) & stems(question)))[1]  # of equals the first
    things = named_things(question)
    if len(results) < len(things):
        return things[len(results)]
    named = re.search(r"\b(?:an?|the) ([\w ]+?)(?: costs?| worth|[,.?]|$)", question)
    return named[1] if named else question


def expression_by_rules(question: str, results: Sequence[str]) -> str:
    """What to work out: pieces times price, two prices, a discount, or the numbers of the question alone."""
    prices = [match[1] for result in results if (match := re.fullmatch(r"(\d+(?:\.\d+)?) euros", result))]
    text = question.lower()
    for thing in named_things(question):
        text = text.replace(thing.lower(), " ", 1)
    numbers = re.findall(r"\d+", text) + [str(NUMBERS[word]) for word in re.findall(r"\w+", text) if word in NUMBERS]
    if len(prices) == 2:
        if LESS.search(text):
            high, low = sorted(prices, key=float, reverse=True)
            return f"{high} - {low}"
        return " + ".join(prices)
    if prices and (items := items_of(results)):
        pieces, _ = max(items, key=lambda item: len(stems(item[1]) & stems(question)))
        return f"{pieces} * {prices[0]}"
    if prices and re.search(r"percent|%", text) and numbers:
        return f"{prices[0]} * (100 - {numbers[0]}) / 100"
    if prices:
        return f"{next(iter(numbers), 1)} * {prices[0]}"
    if re.search(r"percent|%", text):
        return " * ".join(numbers[:2]) + " / 100"
    if re.search(r"\b(subtract|minus|less)\b|- ", text):
        return " - ".join(reversed(numbers[:2]) if "from" in text else numbers[:2])
    sign = "*" if re.search(r"times|multipl|\*", text) else "/" if re.search(r"divid|/", text) else "+"
    return f" {sign} ".join(numbers[:2])


def answer_by_rules(question: str, names: Sequence[str], results: Sequence[str]) -> str:
    """The answer in words, when every call of the plan has its result."""
    if not names:
        if re.search(r"\border|\b(buy|bought)\b", question.lower()):
            return "Please tell me your order number."
        if re.search(r"\b(cost|price|how much)\b", question.lower()):
            return "Which product do you mean?"
        return "You are welcome. How can I help you?"
    if names[-1] == "order_info":
        told = json.loads(results[-1])
        return f"Items: {told['items']}. Status: {told['status']}. Delivery: {told['delivery']}."
    if names[-1] == "calculate":
        return f"That is {results[-1]} euros." if len(names) > 1 else f"That is {results[-1]}."
    return " and ".join(result for name, result in zip(names, results, strict=True) if name != "order_info")


def items_of(results: Sequence[str]) -> list[tuple[str, str]]:
    """(pieces, item) of the order that was looked up; empty where none was."""
    if not results or not results[0].startswith('{"items"'):
        return []
    return re.findall(r"(\d+) x ([^,]+)", json.loads(results[0])["items"])


def stems(text: str) -> set[str]:
    """Words in lower case without a plural s."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]{3,}", text.lower())}


def solve_by_rules(plan: Plan, tasks: Sequence[Mapping[str, Any]], tools: Sequence[Callable] = TOOLS) -> list[bool]:
    """Of each task, whether rules alone solve it, with the tools as they work in this task."""
    reply = reply_by_rules(plan)
    return [solved(task, run_tools(reply, with_broken(tools, task.get("broken")), task["question"])) for task in tasks]
