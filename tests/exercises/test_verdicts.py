"""`@exercise`, hints, predictions: what a learner is told, whatever the learner writes."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import threading

import nbformat
import numpy as np
import pytest
import torch

from helpers import exercises
from helpers.exercises import progress_file
from helpers.exercises.checking import engine, watchdog
from helpers.exercises.checking.compare import differences
from helpers.exercises.checking.signature import not_attempted
from helpers.exercises.checking.spec import BadInput, Exercise, Property
from helpers.exercises.checking.variants import Variant
from helpers.exercises.predictions import how_far
from helpers.files import ROOT

HINTS = ("Look.", "Look closely.", "Look very closely.")


def mean_rows(x, scale=1.0):
    """Mean of each row."""
    return x.mean(dim=-1) * scale


class Stack:
    """Last in, first out."""

    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()


def drive_stack(cls, items):
    stack = cls()
    for item in items:
        stack.push(item)
    return [stack.pop() for _ in items]


def append_zero(items):
    items.append(0)


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def spec(name, reference, cases, **more):
    given = {"notebook": "99_test", "minutes": 2, "difficulty": 1, "hints": HINTS, "proves": "means of rows", **more}
    return Exercise(name=name, reference=reference, cases=cases, **given)


ONE_MEAN = "mean_rows = lambda x, scale=1.0: x.mean() + 0 * x[:, 0]"
SPECS = {
    "mean_rows": spec(
        "mean_rows",
        mean_rows,
        lambda rng: [(torch.tensor(rng.normal(size=s), dtype=torch.float32),) for s in [(2, 3), (4, 4), (1, 5)]],
        properties=[
            Property("no mean exceeds the largest value", lambda r, x: bool((r <= x.max()).all()), "sum, not mean")
        ],
        mistakes=[Variant("mean_rows", ONE_MEAN, "", "one mean for all rows.")],
    ),
    "Stack": spec(
        "Stack",
        Stack,
        lambda rng: [([1, 2, 3],), ([],), ([int(n) for n in rng.integers(9, size=6)],)],
        drive=drive_stack,
    ),
    "append_zero": spec("append_zero", append_zero, lambda rng: [([1],), ([],)]),
    "fibonacci": spec(
        "fibonacci",
        fibonacci,
        lambda rng: [(n,) for n in range(12)],
        raises=[BadInput(("x",), TypeError, "text has no place in the sequence")],
    ),
}


@pytest.fixture(autouse=True)
def course_of_four(monkeypatch):
    monkeypatch.setattr(exercises, "registry", lambda: SPECS)
    monkeypatch.setattr(progress_file.session, "guesses", {})


@pytest.mark.parametrize(
    "body", ["...", "return None", "raise NotImplementedError", "raise NotImplementedError('later')", "'doc'"]
)
def test_a_stub_is_not_attempted_and_the_reference_takes_its_place(body, capsys):
    namespace: dict = {}
    exec(f"def mean_rows(x, scale=1.0):\n    '''Docstring.'''\n    {body}", namespace)
    assert exercises.exercise(namespace["mean_rows"]) is mean_rows
    assert "[not attempted] mean_rows ●○○ 2 min\nUsing the course's version" in capsys.readouterr().out


def test_a_class_is_a_stub_while_all_its_methods_are():
    @dataclasses.dataclass
    class Empty:
        size: int

        def push(self, item): ...

    class Begun(Empty):
        def push(self, item):
            self.item = item

    assert not_attempted(Empty) and not not_attempted(Begun)


@pytest.mark.parametrize(("change", "untouched"), [("continue", True), ("break", False)])
def test_an_untouched_planted_bug_is_not_attempted_whatever_imports_and_docstring(change, untouched):
    """Python compiles `math.floor(…)` differently where the same source imports math, so jumps differ, too."""
    body = "    s = 0\n    for n in ns:\n        if n < 0: continue\n        s += math.floor(n)\n    return s\n"
    file, cell = {}, {"math": math}
    exec(compile(f"import math\ndef total(ns):\n{body}", "<file>", "exec"), file)
    changed = f"def total(ns: list) -> int:\n    'A docstring.'\n{body.replace('continue', change)}"
    exec(compile(changed, "<cell>", "exec"), cell)
    assert not_attempted(cell["total"], file["total"]) == untouched


def refused(obj, name: str) -> str:
    """The text of the finding, which must be "not yet"."""
    finding = engine.check(obj, SPECS[name])
    assert finding.status == "not yet"
    return "\n".join([*finding.lines, finding.traceback])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "def mean_rows(x, scale=1.0):\n    return x.double().sum(-1, keepdim=True)",
            "Expected shape (2,), yours is (2, 1)",
        ),
        ("def mean_rows(x, scale=1.0):\n    return x.double().sum(-1) + 99", "Expected float32, yours is float64"),
        (
            "def mean_rows(x, scale=1.0):\n    return x.sum(-1) + 99",
            "does not hold: no mean exceeds the largest value.",
        ),
        ("def mean_rows(x, scale=1.0):\n    return x.sum(-1) + 99", "Suspected cause: sum, not mean"),
        ("def mean_rows(x, scale=1.0):\n    return x.mean(-1) - 1", "First difference at [0]: expected"),
        ("def mean_rows(x, scale=1.0):\n    return x.mean().repeat(len(x))", "cause: one mean for all rows."),
        ("def mean_rows(x):\n    return x", "must take (x, scale); yours takes (x)."),
        ("def mean_rows(x, y, scale=1.0):\n    return x", "must take (x, scale); yours takes (x, y, scale)."),
        ("def mean_rows(x, scale):\n    return x", "needs a default value, `scale=1.0`"),
        ("async def mean_rows(x, scale=1.0):\n    return x", "instead of `async def`"),
        ("def mean_rows(x, scale=1.0):\n    x.mean(-1)", "It returns None. Did you forget `return`?"),
        ("def mean_rows(x, scale=1.0):\n    print(x.mean(-1))", "Printing a value shows it"),
        ("def mean_rows(x, scale=1.0):\n    x += 1\n    return x.mean(-1) - 1", "It changes its input `x`"),
        ("def mean_rows(x, scale=1.0):\n    return x.mean(-1).tolist()", "yours is a list"),
        ("def mean_rows(x, scale=1.0):\n    import sys\n    sys.exit()", "`exit()`, `quit()` or `sys.exit()`"),
        ("def mean_rows(x, scale=1.0):\n    return mean_rows(x)", "without ever reaching a case that returns"),
        ("def mean_rows(x, scale=1.0):\n    return input()", "input() waits for a person"),
        ("def mean_rows(x, scale=1.0):\n    raise ValueError(object())", "ValueError: <object object at 0x…>"),
        ("mean_rows = 3", "must be a function"),
    ],
)
def test_what_a_bad_answer_is_told(code, expected):
    namespace: dict = {}
    exec(code, namespace)
    assert expected in refused(namespace["mean_rows"], "mean_rows")


def test_a_traceback_holds_the_learners_lines_and_none_of_ours(tmp_path, monkeypatch):
    file = tmp_path / "answers.py"
    file.write_text("def helper(x):\n    return x.nothing\n\ndef mean_rows(x, scale=1.0):\n    return helper(x)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import answers

    assert refused(answers.mean_rows, "mean_rows").splitlines()[1:] == [
        "line 5, in mean_rows",
        "    return helper(x)",
        "line 2, in helper",
        "    return x.nothing",
        "AttributeError: 'Tensor' object has no attribute 'nothing'",
    ]


def test_a_recursive_answer_calls_itself_and_leaves_the_namespace_as_it_was():
    namespace: dict = {}
    exec("def fibonacci(n):\n    n + 0\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)", namespace)
    function = namespace.pop("fibonacci")
    assert engine.check(function, SPECS["fibonacci"]).status == "passed"
    assert "fibonacci" not in namespace


@pytest.mark.parametrize("swallows", [False, True])
def test_an_endless_loop_is_stopped_and_its_line_named(swallows, monkeypatch, tmp_path):
    loop = "    while True:\n        x = x\n"
    deeper = "".join(f"    {line}\n" for line in loop.splitlines())
    body = f"    try:\n{deeper}    except BaseException:\n{deeper}" if swallows else loop
    file, namespace = tmp_path / "endless.py", {}
    file.write_text(f"def mean_rows(x, scale=1.0):\n{body}    return x\n")
    exec(compile(file.read_text(), str(file), "exec"), namespace)
    monkeypatch.setenv("HANDS_ON_CHECK_SECONDS", "0.2")
    threads = threading.active_count()
    text = refused(namespace["mean_rows"], "mean_rows")
    assert "it did not finish within 0.2 seconds, so the check stopped it." in text
    assert f"It was in the loop on line {3 if swallows else 2}, in `mean_rows`: `while True:`" in text
    assert threading.active_count() == threads


def test_printing_is_shown_shortened_and_never_fails_an_answer(capsys):
    def mean_rows(x, scale=1.0):
        for i in range(50):
            print("step", i)
        return x.mean(-1)

    assert exercises.exercise(mean_rows) is mean_rows
    assert "It printed: step 0 ⏎ step 1 ⏎ step 2 ⏎ step 3 ⏎ step 4 ⏎ …" in capsys.readouterr().out


def test_an_exercise_in_place_is_judged_by_what_it_leaves():
    assert engine.check(lambda items: items.extend([0]), SPECS["append_zero"]).status == "passed"
    assert "After the call `append_zero([1])`, `items` is not as it should be." in refused(
        lambda items: items.append(1), "append_zero"
    )


def test_a_class_is_driven_and_a_missing_method_is_named():
    class Queue(list):
        push = list.append

        def pop(self):
            return super().pop(0)

    class Half:
        def __init__(self):
            self.items = []

    class Right(list):
        def push(self, item):
            self += [item]

    assert engine.check(Right, SPECS["Stack"]).status == "passed"
    assert "First difference at [0]: expected 3, yours is 1" in refused(Queue, "Stack")
    assert "lacks the method `push`" in refused(Half, "Stack")
    assert "must be a class" in refused(lambda: 1, "Stack")


def test_random_numbers_of_the_notebook_are_not_disturbed():
    def mean_rows(x, scale=1.0):
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        return x.mean(-1)

    for check in (lambda: None, lambda: engine.check(mean_rows, SPECS["mean_rows"])):
        torch.manual_seed(0), np.random.seed(0), random.seed(0)
        check()
        drawn = (torch.rand(1).item(), np.random.rand(), random.random())
        assert drawn == pytest.approx((0.4962565898895264, 0.5488135039273248, 0.8444218515250481))


@pytest.mark.parametrize(
    ("expected", "actual", "stage", "text"),
    [
        ({"a": [1.0]}, {"a": [1.5]}, "value", "First difference at ['a'][0]: expected 1.0, yours is 1.5."),
        ({"a": 1}, {"b": 1}, "shape", "The keys differ; missing: 'a'; not expected: 'b'."),
        ("a" * 50, "a" * 49, "value", "First difference at character 49: expected 'a', yours is the end of the text"),
        (3, 3.0, "dtype", "Expected an int, yours is a float, namely 3.0."),
        (2.0, torch.tensor(2.0), "kind", "take the plain number out with `.item()`"),
        ([1], torch.tensor([1]), "kind", "(`.tolist()` makes a list of it)."),
        (np.zeros(2), np.array([0, 1.0]), "value", "at [1]: expected 0.0, yours is 1.0 (1 of 2 items differ)"),
        (torch.zeros(2), torch.tensor([1, torch.nan]), "value", "First NaN or infinity at [1]: expected 0.0, yours is"),
        (torch.zeros(2), torch.zeros(2, 1), "shape", "Expected shape (2,), yours is (2, 1)."),
    ],
)
def test_how_a_difference_is_told(expected, actual, stage, text):
    found = differences(expected, actual, 1e-5)[0]
    assert found.stage == stage
    assert text in found.text


def test_a_misspelt_exercise_is_named_and_the_right_name_is_filled_in(capsys):
    namespace: dict = {}
    exec("def mean_row(x):\n    return x", namespace)
    assert exercises.exercise(namespace["mean_row"]) is namespace["mean_row"]
    assert "There is no exercise called mean_row; did you mean mean_rows?" in capsys.readouterr().out
    assert namespace["mean_rows"] is mean_rows


@pytest.mark.parametrize("ask", [exercises.hint, exercises.solution])
def test_a_misspelt_name_gives_the_nearest(ask, capsys):
    ask("mean_rwos")
    assert "did you mean mean_rows?" in capsys.readouterr().out


def test_hints_climb_three_rungs_and_then_repeat_the_last(capsys):
    seen = []
    for _ in range(5):
        exercises.hint("mean_rows")
        seen.append(capsys.readouterr().out)
    assert [text.splitlines()[1] for text in seen] == [*HINTS, HINTS[2], HINTS[2]]
    assert "That was the last hint" not in seen[2]
    assert 'That was the last hint; `solution("mean_rows")`' in seen[3]


def test_strict_raises_the_verdict_unless_passed(monkeypatch, capsys):
    monkeypatch.setenv("HANDS_ON_STRICT", "1")
    with pytest.raises(exercises.ExerciseNotPassed, match=r"\[not attempted\] mean_rows"):

        @exercises.exercise
        def mean_rows(x, scale=1.0): ...

    with pytest.raises(exercises.ExerciseNotPassed, match="First difference at"):
        exercises.exercise(_named("mean_rows", lambda x, scale=1.0: x.mean(-1) - 1))
    passing = _named("mean_rows", lambda x, scale=1.0: x.mean(-1))
    assert exercises.exercise(passing) is passing


def _named(name, function):
    function.__name__ = name
    return function


# Settings ------------------------------------------------------------------------------------------------------------

CHANGES = {
    "torch.set_default_dtype(torch.float64)": "torch's default dtype from torch.float32 to torch.float64",
    "torch.set_default_device('meta')": "torch's default device from cpu to meta",
    "torch.set_grad_enabled(False)": "whether torch records gradients from True to False",
    "os.chdir('/')": "the working directory from ",
}


@pytest.mark.parametrize("end", ["", "1 / 0", "while True: pass"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_setting_is_named_and_put_back(change, end, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CHECK_SECONDS", "0.5")
    before, namespace = watchdog.snapshot(), {"os": os, "torch": torch, "__name__": "__main__"}
    exec(f"def fibonacci(n):\n    {change}\n    {end}\n    return n", namespace)
    first = refused(namespace["fibonacci"], "fibonacci").splitlines()[0]
    assert first.startswith(f"It changes {CHANGES[change]}")
    assert first.endswith("which every later cell would feel; the check has put it back.")
    assert watchdog.snapshot() == before
    assert torch.zeros(1).device.type == "cpu"


# Predictions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guess", "actual", "unit", "words"),
    [
        (269.0001, 269, "", "exactly right"),
        (280, 269, "", "close, 4 % too high"),
        (200, 269, "", "26 % too low"),
        (800, 200, "", "too high by a factor of 4"),
        (1, 100000, "", "too low by a factor of 100,000"),
        (5, 0, "", "too high by 5"),
        (-3, 4, "", "too low by 7"),
        (90, 80, "percent", "10 points too high"),
        (77, 78, "%", "close, 1 point too low"),
        (0.8, 58, "percent", "too low; if you meant 80 percent: 22 points too high"),
    ],
)
def test_how_far_off_a_guess_is_in_words(guess, actual, unit, words):
    assert how_far(guess, actual, unit) == words


def test_a_guess_is_recorded_and_compared(capsys, tmp_path):
    exercises.predict("memory", "How many MB?", 500, unit="MB")
    exercises.reveal("memory", torch.tensor(250))
    said = capsys.readouterr().out
    assert "Your guess: 500 MB." in said
    assert "How many MB? 250 MB\nYou guessed 500 MB: too high by a factor of 2." in said
    assert json.loads((tmp_path / "progress.json").read_text())["predictions"]["memory"]["guess"] == 500
    exercises.predict("family", "Which one?", " Decoder", choices=["encoder", "decoder"])
    exercises.reveal("family", "decoder")
    exercises.reveal("family", "encoder")
    said = capsys.readouterr().out
    assert "You guessed decoder: right." in said and "You guessed decoder: not this time." in said
    exercises.predict("change", "How much more?", -3, unit="%")
    assert "Your guess: -3" in capsys.readouterr().out


def test_without_a_guess_only_the_answer_is_shown(capsys):
    exercises.predict("memory", "How many MB?", ..., unit="MB")
    assert "No guess yet: put your number of MB in place of `...`" in capsys.readouterr().out
    exercises.reveal("memory", 269)
    assert capsys.readouterr().out == "[result] How many MB? 269 MB\n"


@pytest.mark.parametrize(
    ("guess", "options", "sentence"),
    [
        ("500", {"unit": "MB"}, "A guess in MB is a finite number without quotes: '500' was not recorded."),
        (float("nan"), {}, "A guess is a finite number or a text: nan"),
        (-3, {"unit": "MB"}, "A guess in MB cannot be negative: -3 was not recorded."),
        ("decodr", {"choices": ["encoder", "decoder"]}, "decodr is not among the choices, so it was not recorded."),
    ],
)
def test_an_unusable_guess_gives_one_sentence_and_blocks_nothing(guess, options, sentence, capsys):
    exercises.predict("x", "How much?", guess, **options)
    assert sentence in capsys.readouterr().out
    exercises.reveal("x", 3)
    assert capsys.readouterr().out.startswith("[result] How much? 3")


# Where it runs -------------------------------------------------------------------------------------------------------

DEFINITION = """
from helpers.exercises import exercise, progress
@exercise
def weights_bytes(n_parameters, dtype):
    return n_parameters.nothing
"""


@pytest.mark.slow
def test_in_a_kernel_a_verdict_is_text_and_html_without_our_frames(monkeypatch):
    from nbclient import NotebookClient

    cells = [
        DEFINITION,
        "@exercise\ndef weights_bytes(n_parameters, dtype):\n    while True:\n        n_parameters += 1\n",
        "from helpers.exercises import quiz\nquiz('00')",
        "progress()",
    ]
    monkeypatch.setenv("HANDS_ON_CHECK_SECONDS", "0.5")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    for cell in book.cells:
        assert [output.output_type for output in cell.outputs] == ["display_data"]
        assert set(cell.outputs[0].data) == {"text/plain", "text/html"}
    first, second = (cell.outputs[0].data["text/plain"] for cell in book.cells[:2])
    assert "line 4, in weights_bytes\n        return n_parameters.nothing\n    AttributeError" in first
    assert "engine" not in first and "ipykernel" not in first and "/tmp" not in first
    assert "It was in the loop on line 3, in `weights_bytes`: `while True:`." in second
