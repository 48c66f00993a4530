"""`show` renders what was written, says where it stands without naming the machine, and never raises."""

from __future__ import annotations

import ast
import contextlib
import functools
import html
import json
import re
import subprocess
import sys

import pytest

import helpers
from helpers import training
from helpers.display import show, source, source_of, without_docstrings
from helpers.plots import contrast
from helpers.scale import Scale


class Written:
    """A class with one of everything."""

    def method(self) -> str:
        """Its docstring."""
        return "method"

    @property
    def attribute(self) -> str:
        return "attribute"

    @functools.cached_property
    def cached(self) -> str:
        return "cached"

    @staticmethod
    def static() -> str:
        return "static"

    @classmethod
    def of_class(cls) -> str:
        return "of_class"


def decorator(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@decorator
def decorated(x):
    return x + 1


@contextlib.contextmanager  # its wrapper stands in another file
def managed():
    yield "managed"


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_the_shown_code_is_the_written_code_and_runs():
    shown = source_of(training.warm_then_fall)
    assert shown.code.startswith("def warm_then_fall(peak: float, steps: int, warmup: int = 5) -> list[float]:")
    names = {}
    exec(shown.code, names)
    assert names["warm_then_fall"](1.0, 2, warmup=1) == [1.0, 0.5]


def test_the_header_names_the_file_in_the_course_and_the_lines_that_hold_it():
    shown = source_of(Scale.pick)
    path, first, last = re.fullmatch(r"(helpers/scale\.py) · lines (\d+)–(\d+)", shown.header).groups()
    lines = (source.ROOT / path).read_text(encoding="utf-8").splitlines()[int(first) - 1 : int(last)]
    assert lines[0].strip().startswith("def pick(")
    assert [line.strip() for line in lines] == [line.strip() for line in shown.code.splitlines()]


def test_a_method_is_dedented():
    assert source_of(Written.method).code.startswith("def method(self)")
    assert source_of(Written().method).code.startswith("def method(self)")


@pytest.mark.parametrize("name", ["attribute", "cached", "static", "of_class"])
def test_what_stands_behind_a_descriptor_is_shown(name):
    assert f'return "{name}"' in source_of(Written.__dict__[name]).code


def test_behind_a_decorator_stands_the_function_that_was_decorated():
    assert "return x + 1" in source_of(decorated).code
    assert "return x + 1" in source_of(functools.partial(decorated, 3)).code
    assert 'yield "managed"' in source_of(managed).code
    assert source_of(managed).header.startswith("tests/display/test_source.py · lines ")


def test_a_module_is_shown_whole():
    shown = source_of(training)
    assert shown.code == (source.ROOT / "helpers/training.py").read_text(encoding="utf-8").rstrip("\n")
    assert re.fullmatch(r"helpers/training\.py · lines 1–\d+", shown.header)


@pytest.mark.parametrize("obj", [json.JSONDecoder, pytest.MonkeyPatch, helpers.scale, Written])
def test_no_path_of_this_machine_is_shown(obj):
    shown = source_of(obj)
    for text in (shown.header, shown._repr_html_().split("<pre")[0]):
        assert not re.search(r"(^|\s|>)(/|[A-Z]:\\)", text) and str(source.ROOT) not in text and sys.prefix not in text


def test_the_standard_library_and_installed_packages_are_named_by_their_import_path():
    assert source_of(json.JSONDecoder).header.startswith("json/decoder.py · ")
    assert source_of(pytest.MonkeyPatch).header.startswith("_pytest/monkeypatch.py · ")


@pytest.mark.parametrize("obj", [len, dict, dict.get, sys, "text".upper])
def test_what_is_written_in_c_gives_one_sentence(obj):
    shown = source_of(obj)
    assert not shown.code and "has no Python source to show" in str(shown)
    assert str(shown).count(". ") == 0 and shown.note in text_of(shown._repr_html_())


@pytest.mark.parametrize(("obj", "kind"), [([1], "list"), (3, "int"), (Scale("gpu"), "Scale"), (None, "NoneType")])
def test_an_instance_gives_one_sentence_that_names_its_class(obj, kind):
    assert f"an instance of {kind}" in str(source_of(obj))


def test_a_function_made_from_a_string_gives_one_sentence():
    names: dict = {}
    exec("def made(): pass", names)
    assert "made has no Python source to show" in str(source_of(names["made"]))
    assert "&lt;lambda&gt; has no Python source" in source_of(eval("lambda: 0"))._repr_html_()


def test_without_its_docstring_the_code_is_the_same_program():
    for obj in (training, source, Scale):
        full, bare = source_of(obj), source_of(obj, docstring=False)
        assert bare.header == full.header and len(bare.code) < len(full.code)
        tree = ast.parse(full.code)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                node.body = node.body[1:] or [ast.Expr(ast.Constant(...))]
        assert ast.dump(ast.parse(bare.code)) == ast.dump(tree)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('def f():\n    """Doc."""\n    return 1\n', "def f():\n    return 1\n"),
        ('def f():\n    """Doc.\n\n    More: é.\n    """\n\n    return 1\n', "def f():\n    return 1\n"),
        ('def f():\n    """Only doc."""\n', "def f():\n    ...\n"),
        ('def f(): "on the line"\n', 'def f(): "on the line"\n'),
        ("def f():\n    return '''no docstring'''\n", "def f():\n    return '''no docstring'''\n"),
        ('"""Module."""\n\nx = 1\n', "x = 1\n"),
        ("key=lambda x: x),\n", "key=lambda x: x),\n"),
    ],
)
def test_docstrings_are_cut_and_nothing_else(code, expected):
    assert without_docstrings(code) == expected


class Folded:
    """A page of its own."""

    def _repr_html_(self) -> str:
        return f"<details>{len('markup')}</details>"


def test_the_page_holds_exactly_the_code_escaped_and_colored():
    shown = source_of(Folded)
    page = shown._repr_html_()
    pre = re.search(r"<pre[^>]*>(.*)</pre>", page, re.DOTALL).group(1)
    assert text_of(pre).strip("\n") == shown.code
    assert "<details>" not in page  # the code's own markup is text here
    for color in ("keyword", "name", "string"):
        assert source.COLORS[color].lower() in page.lower()


def test_every_color_of_the_card_can_be_read_on_it():
    for color in [*source.COLORS.values(), source.TEXT, source.MUTED]:
        assert contrast(color, source.BACKGROUND) >= 4.5
    used = set(re.findall(r"(?<!-)color: ?(#[0-9a-fA-F]{6})", source_of(source)._repr_html_()))
    assert len(used) >= 5
    for color in used:
        assert contrast(color, source.BACKGROUND) >= 4.5


def test_without_pygments_the_code_is_plain_and_still_escaped(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygments", None)
    page = source_of(Folded)._repr_html_()
    assert "&lt;details&gt;" in page and "<span" not in page


def test_outside_a_notebook_show_prints(capsys):
    assert show(training.warm_then_fall) is None
    printed = capsys.readouterr().out
    assert printed.startswith("# helpers/training.py · lines ") and "def warm_then_fall" in printed


def test_show_is_found_in_the_package_and_importing_the_package_loads_nothing():
    code = (
        "import sys, helpers\n"
        "heavy = [m for m in ('torch', 'matplotlib', 'pygments', 'helpers.display.source') if m in sys.modules]\n"
        "print(heavy, callable(helpers.show), helpers.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\[\] True \d+\.\d+.*", done.stdout.strip())


def test_the_package_has_no_attributes_that_nobody_wrote():
    with pytest.raises(AttributeError, match="module 'helpers' has no attribute 'shwo'"):
        helpers.shwo  # noqa: B018
