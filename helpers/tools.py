"""Tools for a chat model: Velunda's three, their schemas, one call that may fail, and rules without a model.

    tool_schema(shop_price)                                    # what a model is told of a function
    run_call("shop_price", '{"product": "Kite 500"}', TOOLS)   # "2790 euros"; what is wrong is a sentence
    answer, steps = answer_by_rules("What do two Kite 500 cost?", run)   # without a model

| tool         | what it gives                                         |
|--------------|-------------------------------------------------------|
| `order_info` | items, status and delivery date of an order           |
| `shop_price` | the price of a product or part                        |
| `calculate`  | the value of an expression of numbers and + - * / ( ) |

Not here: the loop between model and tools, which is the exercise `tool_loop` of 12c, and stopping a tool that hangs."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field, TypeAdapter, ValidationError

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json, read_jsonl
from helpers.velunda.company import canon, order_numbers

Run = Callable[[str, str], str]  # (name, arguments as JSON) -> the text that the model reads


# Velunda's tools ------------------------------------------------------------------------------------------------------


def order_info(order: Annotated[str, Field(pattern=r"^VE-[0-9]{5}$")]) -> dict[str, str]:
    """Items, status and delivery date of an order."""
    orders = {each["number"]: each for each in read_json(DATA / "velunda/orders.json")["orders"]}
    if order not in orders:
        raise ToolError(f"There is no order {order}.")
    items = [f"{item['quantity']} x {with_kind(item['product'])}" for item in orders[order]["items"]]
    found = {"items": ", ".join(items), "status": orders[order]["status"]}
    return found | {"delivery": orders[order]["delivery"] or "none"}


def shop_price(product: str) -> str:
    """Price of a product in euros."""
    things = named_things(product)
    if not things:
        raise ToolError(f"There is no price for {product}.")
    return f"{prices()[max(things, key=len)]} euros"


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
SIGNS = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def calculate(expression: Annotated[str, Field(pattern=r"^[0-9+*/.() -]+$")]) -> float:
    """Work out an arithmetic expression of numbers, + - * / and parentheses."""
    try:
        value = round(value_of(ast.parse(expression.strip(), mode="eval").body), 6)
        return int(value) if value == int(value) else value
    except ValueError as error:
        raise ToolError(str(error)) from None
    except ZeroDivisionError:
        raise ToolError("It divides by zero.") from None
    except (SyntaxError, OverflowError, RecursionError, MemoryError):
        raise ToolError("This is too long, or no arithmetic expression.") from None


def value_of(node: ast.AST) -> float:
    """The value of a syntax tree of numbers, + - * / and signs. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](value_of(node.left), value_of(node.right))
    if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
        return SIGNS[type(node.op)](value_of(node.operand))
    raise ValueError(f"{ast.unparse(node)} is not allowed: only numbers, + - * / and parentheses are.")


TOOLS = {"shop_price": shop_price, "calculate": calculate, "order_info": order_info}


def prices() -> dict[str, int]:
    """What one piece costs in euros: each variant of a product, and each part, by its name."""
    variants = [variant for product in canon()["products"] for variant in product["variants"]]
    return {thing["name"]: thing["price_eur"] for thing in variants + canon()["parts"]}


def named_things(text: str) -> list[str]:
    """All things with a price that a text names, in order; capitals and a plural do not matter."""
    names = sorted(prices(), key=len, reverse=True)
    pattern = rf"\b(?:({')|('.join(re.escape(name.lower()) for name in names)}))(?:e?s)?\b"
    return [names[found.lastindex - 1] for found in re.finditer(pattern, " ".join(text.lower().split()))]


def with_kind(name: str) -> str:
    """A product's name with what it is, in a few words; a part's name says it already."""
    for product in canon()["products"]:
        if name in [variant["name"] for variant in product["variants"]]:
            return f"{name} {re.split(',| with ', product['kind'])[0]}"
    return name


# What a model is told, and how a call runs ----------------------------------------------------------------------------


def tool_schema(function: Callable) -> dict[str, Any]:
    """The function as a tool in OpenAI's format, its parameters as pydantic reads them off the hints."""
    about = {"name": function.__name__, "description": (function.__doc__ or "").strip().split("\n")[0]}
    return {"type": "function", "function": about | {"parameters": TypeAdapter(function).json_schema()}}


def run_call(name: str, arguments: str, tools: Mapping[str, Callable], most: int = 2_000) -> str:
    """The result of a call as text, cut after `most` characters; whatever is wrong is a sentence for the model.

    arguments: JSON, as the model wrote it. Only the text of a ToolError is passed on: others may name a path or a row.
    """
    if name not in tools:
        return f"There is no tool {name}: known are {', '.join(tools)}."
    try:
        result = TypeAdapter(tools[name]).validate_json(arguments, strict=True)  # checks, then calls
    except ValidationError as error:
        if not error.title.startswith("call["):  # from inside of the function
            return f"{name} failed."
        first = error.errors()[0]
        return f"{name} failed: {'.'.join(map(str, first['loc'])) or 'arguments'}: {first['msg']}."
    except ToolError as error:
        return f"{name} failed: {error}"
    except (Exception, SystemExit):
        return f"{name} failed."
    text = result if isinstance(result, str) else json.dumps(result, default=str)
    return text if len(text) <= most else f"{text[:most]} … (cut: {most:,} of {len(text):,} characters)"


# Questions, and when one is solved ------------------------------------------------------------------------------------


def tool_questions(split: str) -> list[dict[str, Any]]:
    """The questions of "dev" or "test" that need no handbook: id, kind, family, question, plan (the tools that it
    takes), and what an answer has to say: `all` of these texts, or one of them (`any`). broken: a tool that fails."""
    rows = read_jsonl(DATA / f"tasks/tools/{split}.jsonl")
    return [row for row in rows if "handbook_search" not in row["plan"]]


def run_for(question: Mapping[str, Any]) -> Run:
    """How a call runs in this question: with the three tools, of which the one that is broken here says so."""

    def broken(**arguments: Any) -> None:
        raise ToolError("The data base cannot be reached.")

    tools = {name: broken if name == question.get("broken") else tool for name, tool in TOOLS.items()}
    return lambda name, arguments: run_call(name, arguments, tools)


def solved(question: Mapping[str, Any], answer: str | None, steps: Sequence[tuple[str, str, str]]) -> bool:
    """Was the question answered? Where no tool is needed, none may have been called; where one fails, no amount or
    date may be made up."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", (answer or "").lower())
    texts = {True: without_names(text), False: text}  # the 500 of "Heron 500" is no amount
    words = question.get("all", question.get("any"))
    said = [re.search(rf"(?<![\w-]){re.escape(w.lower())}(?!\w)", texts[w[0].isdigit()]) for w in words]
    right = all(said) if "all" in question else any(said)
    if not question["plan"]:
        return bool(right and not steps)
    if question["kind"] == "tool fails":
        right = right and not re.search(r"\d euro|20\d\d-\d\d", text)
        return bool(right and question["plan"][0] in [name for name, *_ in steps])
    return bool(right)


# The cheap rival: rules, no model -------------------------------------------------------------------------------------

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
SMALL = "two three four five six seven eight nine ten eleven twelve".split()
SEVERAL = re.compile(rf"\b(?:\d+|{'|'.join(SMALL)}|a dozen|half a dozen|percent|per cent|%)")
KINDS = re.compile(r"\b(?:bicycles|child seats|trailers|light sets|helmets|locks|panniers|(?:all|these|those) \w+s)\b")
FORMULA = re.compile(
    r"\d\s*[-+*/x×]\s*\d|\b(?:multiply|times|divide|subtract|take \d+ away|add \d+|\d+ plus \d+|\d+ and \d+ add up)\b"
)
LESS = re.compile(r"\b(more|less|differ\w*|gap|exceeds?|dearer|cheaper|save|than)\b")


def plan_by_rules(question: str) -> list[str] | None:
    """Names of the tools to call in turn, or None where the rules do not know. Written on the dev questions."""
    text = without_names(question)
    if order_numbers(question):
        money, several = AMOUNT.search(text), TOGETHER.search(text) or KINDS.search(text)
        return ["order_info"] + ["shop_price"] * bool(money) + ["calculate"] * bool(money and several)
    things = named_things(question)
    if len(things) > 1:
        worked_out = TOGETHER.search(text) or DIFFERENCE.search(text)
        return ["shop_price", "shop_price"] + ["calculate"] * bool(worked_out)
    if things and (AMOUNT.search(text) or SEVERAL.search(text)):
        return ["shop_price"] + ["calculate"] * bool(SEVERAL.search(text))
    return ["calculate"] if not things and FORMULA.search(text) else None


def answer_by_rules(question: str, run: Run) -> tuple[str, list[tuple[str, str, str]]]:
    """(answer, steps) without a model: rules fill in the calls of the plan, and a template says the last result."""
    steps: list[tuple[str, str, str]] = []
    plan = plan_by_rules(question) or []
    for name in plan:
        results = [result for *_, result in steps]
        if name == "order_info":
            arguments = {"order": order_numbers(question)[0]}
        elif name == "shop_price":
            arguments = {"product": product_by_rules(question, results)}
        else:
            arguments = {"expression": expression_by_rules(question, results)}
        result = run(name, json.dumps(arguments))
        steps.append((name, json.dumps(arguments), result))
        if " failed" in result:
            return f"Sorry, {result.split(': ')[-1]}", steps
    if not plan:
        text = question.lower()
        if re.search(r"\border|\b(buy|bought)\b", text):
            return "Please tell me your order number.", steps
        priced = re.search(r"\b(cost|price|how much)\b", text)
        return ("Which product do you mean?" if priced else "You are welcome. How can I help you?"), steps
    if plan[-1] == "order_info":
        found = json.loads(steps[-1][2])
        return f"Items: {found['items']}. Status: {found['status']}. Delivery: {found['delivery']}.", steps
    if plan[-1] == "calculate":
        return f"That is {steps[-1][2]}{' euros' if len(plan) > 1 else ''}.", steps
    return " and ".join(result for name, _, result in steps if name == "shop_price"), steps


def product_by_rules(question: str, results: Sequence[str]) -> str:
    """The item of the order that shares most words with the question, else a thing that the question names."""
    if items := items_of(results):
        return max(items, key=lambda item: len(stems(item[1]) & stems(question)))[1]  # of equals the first
    return named_things(question)[len(results)]


def expression_by_rules(question: str, results: Sequence[str]) -> str:
    """Pieces times price, two prices, a discount, or the numbers of the question alone."""
    prices_said = [found[1] for result in results if (found := re.fullmatch(r"(\d+) euros", result))]
    text = without_names(question)
    numbers = re.findall(r"\d+", text) + [str(2 + SMALL.index(word)) for word in text.split() if word in SMALL]
    if len(prices_said) == 2:
        high, low = sorted(prices_said, key=int, reverse=True)
        return f"{high} - {low}" if LESS.search(text) else " + ".join(prices_said)
    if prices_said and (items := items_of(results)):
        return f"{max(items, key=lambda item: len(stems(item[1]) & stems(question)))[0]} * {prices_said[0]}"
    if prices_said and re.search(r"percent|%", text) and numbers:
        return f"{prices_said[0]} * (100 - {numbers[0]}) / 100"
    if prices_said:
        return f"{next(iter(numbers), 1)} * {prices_said[0]}"
    if re.search(r"percent|%", text):
        return " * ".join(numbers[:2]) + " / 100"
    if re.search(r"\b(subtract|minus|less|away)\b|- ", text):
        return " - ".join(reversed(numbers[:2]) if "from" in text else numbers[:2])
    sign = "*" if re.search(r"times|multipl|\*", text) else "/" if re.search(r"divid|/", text) else "+"
    return f" {sign} ".join(numbers[:2])


def without_names(question: str) -> str:
    """The question in lower case without the names of things, whose numbers say nothing about how many."""
    text = " ".join(question.lower().split())
    for thing in named_things(question):
        text = text.replace(thing.lower(), " ")
    return text


def items_of(results: Sequence[str]) -> list[tuple[str, str]]:
    """(pieces, item) of the order that was looked up; empty where none was."""
    if not results or not results[0].startswith('{"items"'):
        return []
    return re.findall(r"(\d+) x ([^,]+)", json.loads(results[0])["items"])


def stems(text: str) -> set[str]:
    """Words in lower case without a plural s."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]{3,}", text.lower())}
