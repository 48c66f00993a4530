"""An answer that changes a setting of the whole process is told so, and later cells feel nothing."""

from __future__ import annotations

import dataclasses
import os

import pytest
import torch

from helpers.exercises.checking import engine, settings, watchdog
from helpers.exercises.checking.spec import Exercise

DOUBLE = Exercise(
    name="double",
    notebook="00_test",
    minutes=1,
    difficulty=1,
    reference=lambda x: x + x,
    cases=lambda rng: [(int(n),) for n in rng.integers(100, size=5)],
    hints=("Look.", "Look closely.", "Look very closely."),
    proves="five doubles",
    seconds=1.0,
)
CHANGES = {
    "torch.set_default_dtype(torch.float64)": "torch's default dtype from torch.float32 to torch.float64",
    "torch.set_default_device('meta')": "torch's default device from cpu to meta",
    "torch.use_deterministic_algorithms(True, warn_only=True)": "torch's deterministic mode from 0 to 1",
    "np.seterr(divide='raise')": "numpy's handling of errors from {'divide': 'warn'} to {'divide': 'raise'}",
    "os.chdir('/')": "the working directory from ",
    "os.environ['HANDS_ON_SECRET'] = 'sesame'": "the environment variable HANDS_ON_SECRET, which",
    "os.environ.pop('HANDS_ON_PRESENT')": "the environment variable HANDS_ON_PRESENT, which",
}


def defined(*lines: str):
    body = "\n".join(f"    {line}" for line in lines)
    namespace = {"__name__": "__main__"}
    exec(f"import os\nimport numpy as np\nimport torch\ndef double(x):\n{body}\n", namespace)
    return namespace["double"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_setting_is_named_and_put_back(change, monkeypatch):
    monkeypatch.setenv("HANDS_ON_PRESENT", "here")
    before = settings.snapshot()
    patient = dataclasses.replace(DOUBLE, seconds=60)  # torch imports much before it becomes deterministic
    once = f"if 'made' not in globals(): globals()['made'] = True; {change}"
    finding = engine.check(defined(once, "return 2 * x"), patient)
    assert finding.status == "not yet"
    for line in finding.lines:  # the deterministic mode sets a variable, too
        assert line.startswith("It changes ")
        assert line.endswith("which every later cell would feel; the check has put it back.")
    assert CHANGES[change] in finding.lines[0]
    assert "sesame" not in " ".join(finding.lines)
    assert settings.changes(before, settings.snapshot()) == {}


@pytest.mark.parametrize(
    ("end", "told"),
    [("return 1 / 0", "It stops with an error"), ("while True: pass", "did not finish within 1 seconds")],
)
def test_a_setting_is_put_back_whatever_comes_after(end, told):
    directory = os.getcwd()
    finding = engine.check(defined("torch.set_default_dtype(torch.float64)", "os.chdir('/')", end), DOUBLE)
    assert (torch.get_default_dtype(), os.getcwd()) == (torch.float32, directory)
    said = " ".join(finding.lines)
    assert "torch's default dtype" in said and "the working directory" in said and told in said


def test_what_an_answer_puts_back_itself_and_what_a_first_import_sets_is_no_fault(monkeypatch, tmp_path):
    (tmp_path / "a_library_of_this_test.py").write_text("import os\nos.environ['HANDS_ON_NEW'] = 'by a library'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HANDS_ON_NEW", "")
    monkeypatch.delenv("HANDS_ON_NEW")
    careful = defined(
        "import a_library_of_this_test", "with torch.no_grad(), np.errstate(all='ignore'):", "    return 2 * x"
    )
    assert engine.check(careful, DOUBLE).status == "passed"


def test_a_thread_that_is_left_behind_leaves_nothing_patched(monkeypatch, capsys):
    """It may redirect the output of the process, and put the check's own sink back after the check is over."""
    import contextlib
    import io
    import threading

    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.05)
    monkeypatch.setenv("HANDS_ON_CHECK_SECONDS", "0.1")
    lock, before = threading.Lock(), input
    lock.acquire()

    def double(x):
        with contextlib.redirect_stdout(io.StringIO()):
            lock.acquire()

    assert "could not be stopped" in engine.check(double, DOUBLE).lines[0]
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "exercise-check"]
    lock.release()
    thread.join(5)
    print("heard")
    assert "heard" in capsys.readouterr().out and input is before
