"""The eight parallel functions give the same, worked-out results in Python, JavaScript and C.

JavaScript and C run where `node` and a C compiler are found.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from helpers.old.velunda import parallel_programs

PROGRAMS = parallel_programs()
TOLERANCE = 1e-12  # the same few operations on doubles; only their order could differ


@dataclass(frozen=True)
class Function:
    """One of the eight: its names, cases of (arguments, result), and how a call of it is written in C."""

    python: str
    javascript: str
    cases: list[tuple[tuple[Any, ...], Any]]
    c: Callable[..., str]


def c_array(kind: str, values: list) -> str:
    # A compound literal with no element is not C99: one that is not counted is put there.
    return f"({kind}[]){{{', '.join(map(str, values)) or '0'}}}, {len(values)}"


def c_date(day: date) -> str:
    return f"(struct date){{{day.year}, {day.month}, {day.day}}}"


def c_repairs(repairs: list[tuple[int, int, bool]], today: int) -> str:
    rows = ", ".join(f"{{{number}, {due}, {int(done)}}}" for number, due, done in repairs) or "{0, 0, 0}"
    return (
        f"{{ int ids[9]; size_t n = overdue_repairs((struct repair[]){{{rows}}}, {len(repairs)}, {today}, ids);"
        ' printf("["); for (size_t i = 0; i < n; i++) printf(i ? ",%d" : "%d", ids[i]); puts("]"); }'
    )


LATE = (3, 19, False)
FUNCTIONS = [
    Function(
        "order_total",
        "orderTotal",
        [(([], 10), 0), (([1999, 500, 1], 0), 2500), (([1999, 500], 10), 2249), (([5], 10), 5), (([250], 99), 3),
         (([100_000_000, 1], 100), 0)],
        lambda prices, percent: f'printf("%ld\\n", order_total({c_array("long", prices)}, {percent}));',
    ),
    Function(
        "estimate_range",
        "estimateRange",
        [((100, 20), 80), ((100, 35), 80), ((50, 10), 36), ((100, -10), 56), ((100, -10.5), 56), ((100, -40), 56),
         ((0, 5), 0), ((25, 12.5), 18.5)],
        lambda charge, celsius: f'printf("%.17g\\n", estimate_range({charge}, {celsius}));',
    ),
    Function(
        "in_warranty",
        "inWarranty",
        [((date(2025, 3, 31), date(2025, 3, 31)), True), ((date(2025, 3, 31), date(2025, 3, 30)), False),
         ((date(2025, 3, 31), date(2027, 3, 30)), True), ((date(2025, 3, 31), date(2027, 3, 31)), False),
         ((date(2024, 2, 29), date(2026, 2, 28)), True), ((date(2024, 2, 29), date(2026, 3, 1)), False),
         ((date(2025, 12, 1), date(2026, 1, 15)), True)],
        lambda received, today: f'puts(in_warranty({c_date(received)}, {c_date(today)}) ? "true" : "false");',
    ),
    Function(
        "parse_order_number",
        "parseOrderNumber",
        [(("VE-48213",), 48213), (("ve-48213",), 48213), (("VE-00007",), 7), (("VE-4821",), None),
         (("VE-482133",), None), (("VE48213",), None), ((" VE-48213",), None),
         (("VE-48213\n",), None), (("VE-4821x",), None), (("",), None), (("VE.48213",), None),
         (("V",), None), (("XE-48213",), None)],
        lambda text: f"{{ long n = parse_order_number({json.dumps(text)});"
        ' if (n < 0) puts("null"); else printf("%ld\\n", n); }',
    ),
    Function(
        "cycles_per_month",
        "cyclesPerMonth",
        [(([50, 50, 80, 20], 2), 1), (([], 3), 0), (([100], 0), 0), (([100], -1), 0), (([30, 45], 5), 0.15)],
        lambda charges, months: f'printf("%.17g\\n", cycles_per_month({c_array("double", charges)}, {months}));',
    ),
    Function(
        "overdue_repairs",
        "overdueRepairs",
        [(([], 20), []), (([(1, 18, True), (2, 20, False), LATE], 20), [3]), (([LATE, (1, 2, False)], 20), [3, 1]),
         (([LATE], 19), [])],
        c_repairs,
    ),
    Function(
        "receipt_line",
        "receiptLine",
        [(("Bell", 1, 1205), "Bell                   1     12.05"), (("Brake pads, front", 12, 1999),
          "Brake pads, front     12    239.88"), (("Spare battery for the Otter", 1, 49900),
          "Spare battery for th   1    499.00"), (("Sticker", 3, 3), "Sticker                3      0.09")],
        lambda name, quantity, cents: f"{{ char line[99]; receipt_line(line, sizeof line, {json.dumps(name)}, "
        f'{quantity}, {cents}); printf("\\"%s\\"\\n", line); }}',
    ),
    Function(
        "find_price_step",
        "findPriceStep",
        [(([1, 5, 20], n), step) for n, step in ((0, -1), (1, 0), (4, 0), (5, 1), (19, 1), (20, 2), (99, 2))]
        + [(([], 3), -1), (([2], 1), -1), (([2], 2), 0), (([1, 2, 3, 4], 3), 2)],
        lambda minimums, quantity: f'printf("%d\\n", find_price_step({c_array("int", minimums)}, {quantity}));',
    ),
]  # fmt: skip
INDEX = pytest.mark.parametrize("index", range(len(FUNCTIONS)), ids=[function.python for function in FUNCTIONS])


def expected(function: Function) -> list[Any]:
    return [pytest.approx(r, abs=TOLERANCE) if isinstance(r, float) else r for _, r in function.cases]


def run(*command: str, **options: Any) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True, **options
    ).stdout


@INDEX
def test_the_python_function_gives_the_worked_out_results(index: int):
    function, namespace = FUNCTIONS[index], {"__name__": "parallel"}
    exec(compile(PROGRAMS["Python"][index], f"{function.python}.py", "exec", dont_inherit=True), namespace)
    results = []
    for arguments, _ in function.cases:
        if function.python == "overdue_repairs":
            arguments = ([namespace["Repair"](*repair) for repair in arguments[0]], arguments[1])
        results.append(namespace[function.python](*arguments))
    assert results == expected(function)


def javascript_argument(value: Any) -> str:
    if isinstance(value, date):
        return f"new Date({value.year}, {value.month - 1}, {value.day})"
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return json.dumps([dict(zip(("id", "dueDay", "done"), repair, strict=True)) for repair in value])
    return json.dumps(value)


@INDEX
def test_the_javascript_function_gives_the_same(index: int):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript functions are not run")
    function = FUNCTIONS[index]
    calls = (f"{function.javascript}({', '.join(map(javascript_argument, a))})" for a, _ in function.cases)
    script = f'"use strict";\n{PROGRAMS["JavaScript"][index]}\nconsole.log(JSON.stringify([{", ".join(calls)}]));\n'
    assert json.loads(run(node, "-", input=script)) == expected(function)


@INDEX
def test_the_c_function_gives_the_same(index: int, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler is installed: the C functions are not run")
    function = FUNCTIONS[index]
    calls = "\n    ".join(function.c(*arguments) for arguments, _ in function.cases)
    source, program = tmp_path / "function.c", tmp_path / "function.exe"
    # The function stands first, so that an #include that it forgot is not lent by the harness.
    main = f"#include <stdio.h>\n\nint main(void) {{\n    {calls}\n    return 0;\n}}\n"
    source.write_text(f"{PROGRAMS['C'][index]}\n{main}", encoding="utf-8")
    flags = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
    run(compiler, *flags, str(source), "-o", str(program))
    assert [json.loads(line) for line in run(str(program)).splitlines()] == expected(function)
