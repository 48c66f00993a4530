"""The calls in what a model wrote, and a calculator.

    parse_calls('Sure: {"name": "price_lookup", "arguments": {"product": "Kite 500",}}').calls
    calculate("3 * (89 + 10)")
"""

from __future__ import annotations

import ast
import json
import operator
import re
from typing import Annotated, Any, NamedTuple

# From a reply to its calls -------------------------------------------------------------------------------------------


class Call(NamedTuple):
    """One call: the tool's name, and its arguments by name."""

    name: str
    arguments: dict[str, Any]


class Parsed(NamedTuple):
    """The calls in a reply. problem: one sentence, where there should be a call and none can be read."""

    calls: list[Call]
    problem: str | None = None


MEANT = re.compile(r"<tool_call>|[{,]\s*[\"']?(?:name|tool|tool_calls|function|arguments)[\"']?\s*:")


def parse_calls(text: str) -> Parsed:
    """The calls in a reply, in order, whatever stands around them: prose, code fences, `<tool_call>` tags.

    Single quotes, trailing commas and arguments that are JSON in a string are read, too. What breaks off is refused,
    since its last value may be cut. Neither calls nor a problem means that the reply is an answer in words.
    """
    calls, problem, at = [], None, 0
    while (start := text.find("{", at)) >= 0:
        end = closing(text, start)
        if end is None and not MEANT.match(text, start):
            at = start + 1  # a bracket in prose
            continue
        if end is None:
            problem = problem or "The call breaks off before its last bracket: write it again, whole."
            break
        at = end
        try:
            calls += calls_of(read_object(text[start:end]))
        except ValueError as error:
            problem = problem or str(error)
    if calls:
        return Parsed(calls)
    if not MEANT.search(text):
        return Parsed([])
    return Parsed([], problem or 'There is no call: write {"name": "…", "arguments": {…}}.')


def closing(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` has been closed; brackets in quotes do not count."""
    depth, quote, escaped = 0, "", False
    for at in range(start, len(text)):
        char = text[at]
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = bool(quote)
        elif quote:
            quote = "" if char == quote else quote
        elif char == '"' or char == "'":
            quote = char
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return at + 1
    return None


class _JsonNames(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        names = {"true": True, "false": False, "null": None}
        return ast.Constant(names[node.id]) if node.id in names else node


def read_object(text: str) -> Any:
    """An object as JSON, or as Python writes it: single quotes, trailing commas. Raises ValueError in one sentence."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"{error.msg} at character {error.pos + 1}" if hasattr(error, "pos") else "nested too deeply"
    try:
        return ast.literal_eval(_JsonNames().visit(ast.parse(text, mode="eval")))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"The call is not valid JSON ({where}): write it again.") from None


def calls_of(found: Any) -> list[Call]:
    """The calls that an object stands for, in the shapes that models use. Raises ValueError in one sentence."""
    if not isinstance(found, dict):
        raise ValueError("A call is an object with a name and arguments.")
    if isinstance(found.get("tool_calls"), list):
        return [call for each in found["tool_calls"] for call in calls_of(each)]
    if isinstance(found.get("function"), dict):
        found = found["function"]
    name = next((found[key] for key in ("name", "tool", "function") if key in found), None)
    if not isinstance(name, str):
        raise ValueError('The call has no "name" that says which tool is meant.')
    arguments = next((found[key] for key in ("arguments", "parameters", "args") if key in found), {})
    if isinstance(arguments, str):
        arguments = read_object(arguments)
    if not isinstance(arguments, dict):
        raise ValueError(f'The "arguments" of {name} must be an object, such as {{"key": "value"}}.')
    return [Call(name, arguments)]


# A tool of everybody's -----------------------------------------------------------------------------------------------

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
MOST = 1e15  # beyond it, a float no longer tells neighboring whole numbers apart


def calculate(expression: Annotated[str, re.compile(r"[0-9+*/%.() -]+")]) -> float:
    """Work out an arithmetic expression of numbers, + - * / % ** and parentheses.

    expression: such as 3 * (89 + 10)
    """
    if len(expression) > 200:
        raise ValueError("The expression is longer than 200 characters.")
    try:
        tree = ast.parse(expression.translate(str.maketrans("×÷−", "*/-")).strip(), mode="eval")
        value = round(value_of(tree.body), 6)
    except ZeroDivisionError:
        raise ValueError(f"{expression} divides by zero.") from None
    except OverflowError:
        raise ValueError(f"A number beyond {MOST:g} is not worked out.") from None
    except (SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"{expression!r} is not an arithmetic expression.") from None
    return int(value) if value == int(value) else value


def value_of(node: ast.AST) -> float:
    """The value of a syntax tree of numbers and OPERATORS. Raises ValueError for anything else, and beyond MOST."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = value_of(node.left), value_of(node.right)
        if isinstance(node.op, ast.Pow) and (abs(right) > 64 or left < 0 and right != int(right)):
            raise ValueError(f"The power {left} ** {right} is not worked out.")
        value = OPERATORS[type(node.op)](left, right)
    elif isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        value = OPERATORS[type(node.op)](value_of(node.operand))
    else:
        raise ValueError(f"{ast.unparse(node)!r} is not allowed: only numbers, + - * / % ** and parentheses are.")
    if not abs(value) <= MOST:  # also true of infinity
        raise ValueError(f"A number beyond {MOST:g} is not worked out.")
    return value
