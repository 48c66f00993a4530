"""work_out: a calculator that reads the syntax tree of an expression; a text is a constant of such a tree, too."""

from __future__ import annotations

import ast
import operator

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise


def work_out(expression: str) -> float:
    """The value of an expression of numbers, + - * / and parentheses. Raises ValueError for anything else."""
    operators = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}

    def value_of(node):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in operators:
            return operators[type(node.op)](value_of(node.left), value_of(node.right))
        raise ValueError(f"{ast.unparse(node)} is not allowed: only numbers, + - * / and parentheses are.")

    return value_of(ast.parse(expression, mode="eval").body)


GUARD = "isinstance(node, ast.Constant) and type(node.value) in (int, float)"
OPEN = (
    "a text is a constant, too, and a text times a number is a longer text: 'ha' * 1000000000 fills the memory. Ask "
    "for the type of `node.value`."
)
SLIPS = [
    (GUARD, "isinstance(node, ast.Constant)", OPEN),
    (
        GUARD,
        "isinstance(node, ast.Constant) and isinstance(node.value, (int, float))",
        "True is an int for Python, so `True + True` passes as 2; compare `type(node.value)`.",
    ),
    (
        GUARD,
        "isinstance(node, ast.Constant) and not isinstance(node.value, str)",
        "texts are out, but bytes, True and 2j still pass: list what is allowed, not what is forbidden.",
    ),
    (
        GUARD,
        "isinstance(node, ast.Constant) and type(node.value) is int",
        "prices such as 12.5 are refused now: decimal numbers are numbers, too.",
    ),
    (
        GUARD,
        "isinstance(node, ast.Constant) and type(node.value) is float",
        "whole numbers are refused now: int and float are both fine.",
    ),
    (
        GUARD,
        "isinstance(node, ast.Constant) and type(node.value) in (int, float, complex)",
        "2j is no number of a bill: int and float are enough.",
    ),
    (
        " and type(node.op) in operators:\n            return",
        " and type(node.op) in operators and isinstance(node.left, ast.Constant):\n            return",
        "operations inside of operations are refused now: the left side may be one, too.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("return value_of(ast.parse", "value_of(ast.parse", "Did you forget `return`?"),
    (GUARD, "False", "It stops with an error"),
]
RIGHT = [
    """
def work_out(expression):
    operators = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}

    def value_of(node):
        match node:
            case ast.Constant(value=number) if type(number) is int or type(number) is float:
                return number
            case ast.BinOp(left=left, op=op, right=right) if type(op) in operators:
                return operators[type(op)](value_of(left), value_of(right))
        raise ValueError("not allowed")

    return value_of(ast.parse(expression, mode="eval").body)
""",
    (GUARD, "isinstance(node, ast.Constant) and type(node.value) in {int, float}"),
]


def cases(rng: Generator) -> list[tuple]:
    a, b, c = (int(n) for n in rng.integers(2, 400, size=3))
    return [
        (f"{a} * {b}",),
        (f"{a} + {b} - {c}",),
        (f"{a} * (100 - {b % 90}) / 100",),
        ("12.5 * 4",),
        ("(1 + 2) * (3 + (4 - 5)) / 2",),
        ("89",),
    ]


EXERCISE = Exercise(
    minutes=2,
    difficulty=1,
    reference=work_out,
    raises=[
        BadInput(("'ha' * 3",), ValueError, "'ha' is no number, and a text times a number is a longer text"),
        BadInput(("2 * True",), ValueError, "True is no number"),
        BadInput(("b'a' * 2",), ValueError, "b'a' is no number"),
        BadInput(("2j * 3",), ValueError, "2j is none of the numbers that are meant"),
        BadInput(("__import__('os').getpid()",), ValueError, "a call is no arithmetic"),
        BadInput(("abs(3)",), ValueError, "a call is no arithmetic"),
        BadInput(("2 ** 9",), ValueError, "** is none of the four operators"),
        BadInput(("price * 2",), ValueError, "a name is no number"),
    ],
    hints=(
        "Which values does Python call a constant, besides numbers? Look at what `ast.parse` makes of a text.",
        "A text in quotes is a constant of the tree, and `*` works on texts as well. The first `if` lets every "
        "constant pass, whatever its type.",
        "Let a constant pass only if the type of its value is `int` or `float`. Take `type(…)` rather than "
        "`isinstance`, since True is an int for `isinstance`. Everything else then reaches the `raise`.",
    ),
    proves="numbers and four operators are worked out, and texts, True, calls, names and powers are refused",
)
