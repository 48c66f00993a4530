"""Does a text give a solution away? Three consecutive lines of a reference that say something are a leak.

What does not count: signatures, docstrings, comments, spacing, the kind of quotes, and lines that any code may hold
(`else:`, `try:`, `return`, a lone bracket).
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from functools import lru_cache

RUN = 3
_TRIVIAL = re.compile(r"(else|try|finally|pass|break|continue|return|\.\.\.)?:?|[\[\](){},:]+|(import|from)\s.*|@\w+")
_HEADER = re.compile(r"(async\s+)?(def|class)\s")


def leaks(reference_source: str, text: str) -> list[str]:
    """Every run of three consecutive non-trivial lines of `reference_source` that stands in `text`."""
    reference = body_lines(reference_source)
    shown = [normalized(line) for line in text.splitlines()]
    shown = [line for line in shown if line]
    windows = {tuple(shown[i : i + RUN]) for i in range(len(shown) - RUN + 1)}
    runs = (tuple(reference[i : i + RUN]) for i in range(len(reference) - RUN + 1))
    return ["\n".join(run) for run in dict.fromkeys(runs) if run in windows]


@lru_cache(maxsize=512)
def body_lines(source: str) -> list[str]:
    """The normalized non-trivial lines of a function or class, without signatures and docstrings."""
    source = textwrap.dedent(source)
    lines: list[str | None] = list(source.splitlines())
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(getattr(first, "value", None), ast.Constant)
            end = (first.end_lineno or first.lineno) if documented else first.lineno - 1
            if first.lineno == node.lineno:  # the whole body stands beside the signature
                continue
            lines[node.lineno - 1 : end] = [None] * (end - node.lineno + 1)
    return [line for line in (normalized(line) for line in lines if line is not None) if line]


def normalized(line: str) -> str:
    """One line without comment, indentation and spacing and with one kind of quotes; "" where it says nothing."""
    line = _without_comment(line).strip().replace("'", '"')
    if _TRIVIAL.fullmatch(line) or _HEADER.match(line):
        return ""
    return re.sub(r"\s+", "", line)


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
            if token.type == tokenize.COMMENT:
                return line.strip()[: token.start[1]]
    except (tokenize.TokenError, IndentationError, SyntaxError):  # a line of prose, or of a longer statement
        return re.sub(r"\s#.*", "", line)
    return line
