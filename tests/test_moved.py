"""Old module names: each way to import one says where it went, and nothing else is caught."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import helpers
from helpers import moved

ROOT = Path(__file__).resolve().parents[1]
BM25 = "`helpers.bm25_index` has moved to `helpers.retrieval`: write `from helpers.retrieval import …`."
RECORDS = "`helpers.records` has moved to `helpers.old.trials.records`: write `from helpers.old.trials.records import …`."
BEAMS = "`helpers.beam_search` was removed: nothing in the course uses it."


def last_line(code: str) -> str:
    """The last line that a fresh Python prints to stderr when it runs `code`."""
    command = [sys.executable, "-X", "utf8", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    return (done.stderr.strip().splitlines() or [f"no error; printed {done.stdout}"])[-1]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("from helpers import bm25_index", BM25),
        ("import helpers.bm25_index", BM25),
        ("from helpers.bm25_index import BM25Index", BM25),
        ("from helpers import bm25_index, show", BM25),
        ("import helpers.bm25_index.words", BM25),
        ("from helpers.records import frozen", RECORDS),
        ("from helpers import beam_search", BEAMS),
    ],
)
def test_every_way_to_import_an_old_name_says_where_it_went(code, text):
    assert last_line(code) == f"ModuleNotFoundError: {text}"


def test_an_old_name_looked_up_in_helpers_says_so_too():
    assert last_line("import helpers; helpers.bm25_index") == f"AttributeError: {BM25}"
    assert not hasattr(helpers, "bm25_index")  # so that tools which only look do not stumble


def test_the_sentence_comes_in_a_kernel_that_has_imported_helpers_before():
    code = "import helpers.scale, importlib; importlib.reload(helpers); import helpers.bm25_index"
    assert last_line(code) == f"ModuleNotFoundError: {BM25}"


def test_the_places_that_are_named_exist():
    for place in moved.MOVED:
        importlib.import_module(f"helpers.{place}")


def test_no_name_of_today_is_called_old_and_none_is_given_two_places():
    today = {path.stem for path in (ROOT / "helpers").iterdir()} | set(dir(helpers))
    old = [name for names in moved.MOVED.values() for name in names.split()] + [*moved.REMOVED]
    assert not today & set(old)
    assert len(old) == len(set(old)) > 100


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("import helpers.no_such", "ModuleNotFoundError: No module named 'helpers.no_such'"),
        ("from helpers import no_such", "ImportError: cannot import name 'no_such' from 'helpers'"),
        ("import bm25_index", "ModuleNotFoundError: No module named 'bm25_index'"),
        ("import helpers.retrieval.bm25_index", "ModuleNotFoundError: No module named 'helpers.retrieval.bm25_index'"),
        ("from helpers.attention import GPT", "ImportError: cannot import name 'GPT' from 'helpers.attention'"),
        ("import helpers; helpers.no_such", "AttributeError: module 'helpers' has no attribute 'no_such'"),
    ],
)
def test_whatever_never_stood_there_gets_the_ordinary_error(code, text):
    assert last_line(code).startswith(text)


def test_the_finder_is_last_and_there_once_and_is_not_asked_for_what_exists():
    code = (
        "import sys, importlib, helpers, helpers.moved as moved\n"
        "importlib.reload(moved); importlib.reload(helpers)\n"
        "names = [getattr(finder, '__name__', '') for finder in sys.meta_path]\n"
        "assert names.count('OldNames') == 1 and names[-1] == 'OldNames', names\n"
        "asked = []\n"
        "sys.meta_path[-1].find_spec = staticmethod(lambda name, path=None, target=None: asked.append(name))\n"
        "import helpers.attention, helpers.retrieval, helpers.old.trials.records, helpers.exercises, helpers.scale\n"
        "raise SystemExit(str([name for name in asked if name.startswith('helpers')]))"
    )
    assert last_line(code) == "[]"
