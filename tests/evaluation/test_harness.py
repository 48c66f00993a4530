"""Answers are kept and never computed twice, also by two processes or after a kill; scores are made from them."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers.old.evaluation import Reply, run_suite
from helpers.old.evaluation.answers import file_of, kept
from helpers.old.evaluation.harness import mean_of, score
from helpers.old.evaluation.scoring import reads_fields, states_answer
from helpers.old.evaluation.suites import Item
from helpers.old.evaluation.systems import ModelError
from tests.evaluation.small import Scripted, right_but, suite_of
from tests.tools.notebook import ROOT

LABEL = {"intent": "return", "product": None, "order_number": None, "urgency": "low", "sentiment": "neutral"}


def test_a_second_run_asks_nothing_and_says_the_same(tmp_path):
    first, second = Scripted(right_but(3)), Scripted(right_but(3))
    one = run_suite(first.model, suite_of(6), folder=tmp_path)
    two = run_suite(second.model, suite_of(6), folder=tmp_path)
    assert (one.asked, two.asked) == (6, 0) and second.asked == []
    assert one.replies == two.replies and one.values["right"].tolist() == [1, 1, 1, 0, 1, 1]


def test_a_larger_sample_asks_only_what_is_new(tmp_path):
    scripted = Scripted(right_but())
    run_suite(scripted.model, suite_of(9).sample(4), folder=tmp_path)
    run = run_suite(scripted.model, suite_of(9), folder=tmp_path)
    assert run.asked == 5 and len(scripted.asked) == len(set(scripted.asked)) == 9


@pytest.mark.parametrize("change", [{"adapter": "b2"}, {"threshold": 0.4}, {"name": "other"}])
def test_another_identity_is_asked_anew(tmp_path, change):
    old = {"name": "scripted", "adapter": "a1", "threshold": 0.5}
    run_suite(Scripted(right_but(), **old).model, suite_of(3), folder=tmp_path)
    assert run_suite(Scripted(right_but(), **old | change).model, suite_of(3), folder=tmp_path).asked == 3


def test_a_scorer_that_is_mended_needs_no_model(tmp_path):
    run = run_suite(Scripted(right_but(0, 1)).model, suite_of(4), folder=tmp_path)
    strict = score(run.suite, run.replies, lambda item, reply: {"long": float(len(reply.answer) > 7)})
    assert strict["long"].tolist() == [1, 1, 0, 0]


def test_a_model_that_breaks_loses_no_answer(tmp_path):
    def breaks(text: str) -> str:
        if "number 3" in text:
            raise ConnectionError("the service is gone")
        return "it is 0"

    with pytest.raises(ConnectionError):
        run_suite(Scripted(breaks).model, suite_of(6), folder=tmp_path)
    again = Scripted(right_but())
    assert run_suite(again.model, suite_of(6), folder=tmp_path).asked == 3
    assert again.asked == [f"What is number {i}?" for i in (3, 4, 5)]


SLOW = """
import sys, time
from pathlib import Path
from helpers.old.evaluation import run_suite
from tests.evaluation.small import Scripted, right_but, suite_of

folder, pause = Path(sys.argv[1]), float(sys.argv[2])

def rule(text):
    with (folder / "calls.txt").open("a") as calls:
        calls.write(text + "\\n")
    time.sleep(pause)
    return right_but()(text)

run = run_suite(Scripted(rule).model, suite_of(12), folder=folder)
print(run.asked, run.values["right"].sum())
"""


def slow(folder, pause):
    command = [sys.executable, "-c", SLOW, str(folder), str(pause)]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)


def calls(folder):
    path = folder / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a matter of POSIX")
def test_a_killed_run_resumes_and_two_at_once_share_their_answers(tmp_path):
    """One process is killed in the middle, then two finish side by side: each question is answered once, except for
    the one that was being answered when the first was killed."""
    killed = slow(tmp_path, 0.3)
    wait_for(lambda: len(calls(tmp_path)) >= 4)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = len(calls(tmp_path))
    assert 4 <= before < 12
    both = [slow(tmp_path, 0.01) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [right for _, right in said] == ["12.0", "12.0"]
    assert sorted(int(asked) for asked, _ in said) == [0, 12 - (before - 1)]
    assert len(calls(tmp_path)) == 13 and len(set(calls(tmp_path))) == 12
    [file] = tmp_path.glob("*.jsonl")
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 12


def test_a_torn_line_and_a_damaged_one_are_answered_anew(tmp_path):
    run_suite(Scripted(right_but()).model, suite_of(4), folder=tmp_path)
    file = file_of(Scripted(right_but()).model, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"\xff{not json}\n" + lines[2] + lines[3][:20])
    again = Scripted(right_but())
    assert run_suite(again.model, suite_of(4), folder=tmp_path).asked == 2
    assert again.asked == ["What is number 1?", "What is number 3?"]
    with kept(again.model, tmp_path) as found:
        assert len(found.replies) == 4 and found.damaged == 1


def test_what_is_no_reply_is_refused_in_a_sentence(tmp_path):
    few = Scripted(right_but(), batch=3)
    few.model.load = lambda: lambda texts: [Reply("one")]
    with pytest.raises(ModelError, match="gave 1 replies to 3 inputs"):
        run_suite(few.model, suite_of(3), folder=tmp_path)
    with pytest.raises(ValueError, match="cannot be kept: an answer is a text, a dict of texts, or None, not set"):
        run_suite(Scripted(lambda text: {1}).model, suite_of(3), folder=tmp_path)
    sure = Scripted(lambda text: Reply("x", confidence=math.nan)).model.ask(["?"])
    assert sure[0].confidence is None


def test_values_that_are_no_numbers_are_refused(tmp_path):
    run = run_suite(Scripted(right_but()).model, suite_of(3), folder=tmp_path)
    with pytest.raises(ValueError, match="nan as 'right' of 'q0'"):
        score(run.suite, run.replies, lambda item, reply: {"right": math.nan})
    with pytest.raises(ValueError, match="gives b for 'q1' and a before"):
        score(run.suite, run.replies, lambda item, reply: {"a" if item.id == "q0" else "b": 1.0})


# What a reply is worth -----------------------------------------------------------------------------------------------

ASKED = Item("q", "How much?", "all", "q", accepted=("12 euros",))
UNKNOWN = Item("q", "Do you sell skis?", "all", "q", accepted=())


@pytest.mark.parametrize(
    ("item", "reply", "counted"),
    [
        (ASKED, Reply("It is €12."), "right"),
        (ASKED, Reply("It is 120 euros."), "wrong answer given"),
        (ASKED, Reply("I do not know. 12 euros.", abstained=True), "abstained"),
        (ASKED, Reply(None), "no answer"),
        (ASKED, Reply("  "), "no answer"),
        (ASKED, Reply({"price": "12 euros"}), "no answer"),
        (UNKNOWN, Reply("Yes."), "wrong answer given"),
        (UNKNOWN, Reply("I do not know.", abstained=True), "right abstained"),
        (UNKNOWN, Reply(None), "no answer"),
    ],
)
def test_an_answer_is_right_wrong_withheld_or_missing(item, reply, counted):
    values = states_answer(item, reply)
    assert {name for name, value in values.items() if value} == (
        {"right", "abstained"} if counted == "right abstained" else {counted}
    )


def test_fields_are_compared_one_by_one_and_together():
    item = Item("t", "…", "low", "t", fields=LABEL)
    assert all(value == (name != "no answer") for name, value in reads_fields(item, Reply(LABEL)).items())
    assert reads_fields(item, Reply("Sure: " + json.dumps(LABEL)))["right"] == 1
    values = reads_fields(item, Reply(LABEL | {"product": "Kite"}))
    assert (values["right"], values["product"], values["intent"]) == (0, 0, 1)
    for broken in (Reply(None), Reply("a return, I think"), Reply([LABEL])):
        values = reads_fields(item, broken)
        assert values.pop("no answer") == 1 and not any(values.values())
    assert reads_fields(item, Reply({}))["product"] == 0, "a missing field is not null"


def test_an_interval_draws_groups_and_has_a_width_where_all_is_right():
    values = np.repeat([1.0, 0.0] * 10, 4)  # 80 items that stand and fall in fours
    alone = mean_of(values, [str(i) for i in range(80)])
    together = mean_of(values, [str(i // 4) for i in range(80)])
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert (alone.groups, together.groups, together.n) == (80, 20, 80)
    perfect = mean_of(np.ones(80), [str(i // 4) for i in range(80)])
    assert perfect.high == 1 and perfect.low == pytest.approx(20 / (20 + 1.96**2), abs=0.01)
