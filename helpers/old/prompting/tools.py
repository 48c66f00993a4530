"""Tools for a chat model: a function's schema, the calls in a reply, and the loop that runs them.

    tool_schema(price_lookup)                    # what the model is told of a function, in OpenAI's format
    parse_calls('Sure: {"name": "price_lookup", "arguments": {"product": "Kite 500",}}').calls
    done = run_tools(reply, [price_lookup, calculate], "What do two Kite 500 cost?")
    done.text, done.steps                        # the answer in words, and each call with what came back

`reply(messages, schemas)` is any chat model: it gives either a call or an answer in words. Whatever goes wrong with a
call is one sentence that the model reads instead of a result, so that it can try again or tell the user.

What this does not do: run calls side by side, ask for permission, or kill a tool that hangs. The loop goes on after
`seconds`, but Python cannot stop the thread: run what you do not trust in a process of its own.
"""

from __future__ import annotations

import ast
import inspect
import json
import operator
import re
import threading
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": types.NoneType,
}
Schema = Mapping[str, Any]


# From a function to its schema ---------------------------------------------------------------------------------------


def tool_schema(function: Callable) -> dict[str, Any]:
    """What a model is told of a function, in OpenAI's format, from its type hints and docstring.

    The docstring's first paragraph says what the function does; a line `name: text` in it describes a parameter.
    Hints: str, int, float, bool, Literal, lists of these, and each of them or None; Annotated[str, re.compile("…")] for
    a text of one form. Raises TypeError for others.
    """
    hints, doc = typing.get_type_hints(function, include_extras=True), inspect.getdoc(function) or ""
    told = dict(re.findall(r"^(\w+): (.+)$", doc, re.MULTILINE))
    properties, required = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        where = f"parameter {name!r} of {function.__name__}"
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or name not in hints:
            raise TypeError(f"The {where} needs one name and a type hint, such as {name}: str.")
        described = {"description": told[name]} if name in told else {}
        properties[name] = hint_schema(hints[name], where) | described
        if parameter.default is parameter.empty:
            required.append(name)
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    what = {"name": function.__name__, "description": " ".join(doc.split("\n\n")[0].split())}
    return {"type": "function", "function": what | {"parameters": parameters}}


def hint_schema(hint: Any, where: str) -> dict[str, Any]:
    """JSON schema of one type hint."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in JSON_TYPES:
        return {"type": JSON_TYPES[hint]}
    if origin is Annotated:
        forms = [f"^(?:{note.pattern})$" for note in inner[1:] if isinstance(note, re.Pattern)]
        return hint_schema(inner[0], where) | ({"pattern": forms[0]} if forms else {})
    if origin is Literal and len({type(value) for value in inner}) == 1 and type(inner[0]) in JSON_TYPES:
        return {"type": JSON_TYPES[type(inner[0])], "enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": hint_schema(inner[0], where)}
    if origin in (typing.Union, types.UnionType) and len(inner) == 2 and types.NoneType in inner:
        schema = hint_schema(inner[inner[0] is types.NoneType], where)
        enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return schema | {"type": [schema["type"], "null"]} | enum
    name = hint.__name__ if isinstance(hint, type) and not inner else str(hint)
    raise TypeError(f"The {where} has the hint {name}: use str, int, float, bool, Literal, a list of these, or None.")


def wrong_arguments(arguments: Mapping[str, Any], schema: Schema) -> str | None:
    """One sentence about the first argument that does not fit the schema, or None."""
    name, parameters = schema["function"]["name"], schema["function"]["parameters"]
    known = parameters["properties"]
    if missing := [key for key in parameters["required"] if key not in arguments]:
        return f"{name} needs the argument {missing[0]!r}."
    for key, value in arguments.items():
        if key not in known:
            return f"{name} has no argument {key!r}: it takes {', '.join(known) or 'none'}."
        if not fits(value, known[key]):
            wanted = one_of(known[key]["enum"]) if "enum" in known[key] else type_name(known[key])
            wanted += f" of the form {known[key]['pattern']}" if "pattern" in known[key] else ""
            return (
                f"The argument {key!r} of {name} must be {wanted}, not {shorten(json.dumps(value, default=str), 60)}."
            )
    return None


def fits(value: Any, schema: Schema) -> bool:
    """Is the value of a type that the schema allows, among its choices, and of its form?"""
    allowed = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    of_type = any(
        isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in allowed
    )
    if not of_type or "enum" in schema and value not in schema["enum"]:
        return False
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return False
    return not isinstance(value, list) or all(fits(item, schema["items"]) for item in value)


def type_name(schema: Schema) -> str:
    allowed = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    names = [f"array of {type_name(schema['items'])}" if kind == "array" else kind for kind in allowed]
    return " or ".join(names)


def one_of(values: Sequence[Any]) -> str:
    return "one of " + ", ".join(json.dumps(value) for value in values)


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


# The loop ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One call, and the text that the model was given for it. failed: it is a sentence about what went wrong."""

    name: str
    arguments: dict[str, Any]
    result: str
    failed: bool = False

    def __str__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({told}) → {self.result}"


@dataclass(frozen=True)
class ToolAnswer:
    """The answer in words and the steps that led to it. stopped: the limit of steps was reached before an answer."""

    text: str
    steps: list[Step] = field(default_factory=list)
    stopped: bool = False

    def __str__(self) -> str:
        return "\n".join([*(f"{i}. {step}" for i, step in enumerate(self.steps, start=1)), self.text])


def run_tools(
    reply: Callable[[list[dict[str, str]], list[dict[str, Any]]], str],
    tools: Sequence[Callable],
    question: str,
    *,
    max_steps: int = 5,
    seconds: float = 5.0,
    most: int = 2_000,
) -> ToolAnswer:
    """Let a model call tools until it answers in words, or until it has made `max_steps` calls.

    reply: (messages, schemas) → what the model says. seconds: how long a tool may take. most: characters of a result.
    """
    known = {tool.__name__: tool for tool in tools}
    schemas = [tool_schema(tool) for tool in tools]
    messages = [{"role": "user", "content": question}]
    steps: list[Step] = []
    while True:
        said = reply(messages, schemas)
        calls, problem = parse_calls(said)
        if not calls and not problem:
            return ToolAnswer(said.strip(), steps)
        messages.append({"role": "assistant", "content": said})
        for call in calls or [None]:
            if len(steps) == max_steps:
                return ToolAnswer(f"I stopped after {max_steps} steps without an answer.", steps, stopped=True)
            steps.append(run_call(call, known, seconds, most) if call else Step("?", {}, problem, failed=True))
            messages.append({"role": "tool", "name": steps[-1].name, "content": steps[-1].result})


def run_call(call: Call, tools: Mapping[str, Callable], seconds: float = 5.0, most: int = 2_000) -> Step:
    """Run one call; whatever goes wrong becomes the sentence that the model reads."""
    name, arguments = call
    if name not in tools:
        return Step(name, arguments, f"There is no tool {name!r}: known are {', '.join(tools)}.", failed=True)
    if wrong := wrong_arguments(arguments, tool_schema(tools[name])):
        return Step(name, arguments, wrong, failed=True)
    done: list[tuple[str, bool]] = []

    def work() -> None:
        try:
            result = tools[name](**arguments)
            text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
            done.append((text, False))
        except (Exception, SystemExit) as error:  # a tool may raise anything, and the loop goes on
            done.append((f"{name} failed: {str(error) or type(error).__name__}", True))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        return Step(name, arguments, f"{name} gave no result within {seconds:g} seconds.", failed=True)
    text, failed = done[0]
    return Step(name, arguments, shorten(text, most), failed)


def shorten(text: str, most: int) -> str:
    """The text, or its beginning and how much is missing."""
    return text if len(text) <= most else f"{text[:most]} … (cut: {most:,} of {len(text):,} characters)"


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
