"""The gate passes, fails or abstains as it says; the report holds every number and text, and the page runs none."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from helpers.old.evaluation import gate, paired_difference, run_suite, write_report
from helpers.old.evaluation.__main__ import main
from helpers.old.evaluation.gating import GateError, _judge, fewest_groups, items_needed
from helpers.stats import gain_interval
from tests.evaluation.small import Scripted, right_but, suite_of, write_suite


def runs(tmp_path, new, old, n=100, slices=("all",), group=1):
    suite = suite_of(n, slices, group)
    return [
        run_suite(Scripted(right_but(*wrong), name, wrong=sorted(wrong)).model, suite, folder=tmp_path)
        for name, wrong in (("new", new), ("old", old))
    ]


def test_a_better_model_passes_and_a_worse_one_fails(tmp_path):
    better, worse = runs(tmp_path, range(5), range(30))
    verdict = gate(better, worse, 0.05)
    assert verdict.status == 0 and verdict.overall.difference == pytest.approx(0.25)
    assert verdict.overall.low > 0.15 and verdict.regressions == ()
    verdict = gate(worse, better, 0.05)
    assert verdict.status == 1 and "the new model is worse" in verdict.sentence
    assert [row["id"] for row in verdict.regressions] == [f"q{i}" for i in range(5, 30)]


def test_a_loss_that_is_neither_excluded_nor_shown_cannot_be_judged(tmp_path):
    """8 better and 8 worse of 100: no difference, yet a loss of 5 points cannot be excluded; one of 10 can."""
    new, old = runs(tmp_path, range(8), range(20, 28))
    verdict = gate(new, old, 0.05)
    assert verdict.status == 2 and "neither excluded nor shown" in verdict.sentence
    assert f"about {items_needed(0.16, 0.05)} independent items" in verdict.sentence
    assert gate(new, old, 0.10).status == 0
    assert gate(new, old, 0.10).overall.difference == 0


@pytest.mark.parametrize("churn", [0.1, 0.3])
def test_equal_models_hardly_ever_fail_and_a_clear_loss_hardly_ever_passes(churn):
    """75 items, as in the suite of the handbook: equal models mostly cannot be judged, and that is said."""
    rng = np.random.default_rng(1)
    counts = {}
    for name, up in (("equal", 0.5), ("worse", 0.0)):
        verdicts = []
        for _ in range(80):
            gains = rng.choice([1, 0, -1], p=[churn * up, 1 - churn, churn * (1 - up)], size=75)
            verdicts.append(_judge(paired_difference(gains, np.zeros(75)), {}, 0.05)[0])
        counts[name] = np.bincount(verdicts, minlength=3) / 80
    assert counts["equal"][1] <= 0.05 and counts["equal"][2] > 0.5
    assert counts["worse"][0] < 0.03 and counts["worse"][1] > 0.5


def test_a_model_that_changes_nothing_passes_only_with_enough_items(tmp_path):
    assert fewest_groups(0.05) == 73 and fewest_groups(0.5) == 4
    for n, status in ((72, 2), (73, 0)):
        verdict = gate(*runs(tmp_path, range(9), range(9), n), 0.05)
        assert verdict.status == status
        assert verdict.overall.low < 0 < verdict.overall.high
    assert "72 independent items are too few" in gate(*runs(tmp_path, (), (), 72), 0.05).sentence


def test_items_of_one_phrasing_count_as_one(tmp_path):
    """200 items in 40 groups are 40 draws: no change at all is then no proof."""
    verdict = gate(*runs(tmp_path, range(9), range(9), 200, group=5), 0.05)
    assert (verdict.status, verdict.overall.groups, verdict.overall.n) == (2, 40, 200)


def test_few_items_cannot_be_judged_unless_the_loss_is_plain(tmp_path):
    assert gate(*runs(tmp_path, (0,), (), 20), 0.05).status == 2
    assert gate(*runs(tmp_path, range(12), (), 20), 0.05).status == 1
    assert gate(*runs(tmp_path, (), range(12), 20), 0.05).status == 0
    assert gate(*runs(tmp_path, (), range(3), 3), 0.05).status == 2
    assert gate(*runs(tmp_path, (), (0,), 12), 0.05).status == 2  # one gain of 12 excludes no loss


@pytest.mark.parametrize(
    ("n", "worse", "better"), [(75, 0.05, 0.0), (75, 0.19, 0.14), (300, 0.05, 0.0), (300, 0.1, 0.05)]
)
def test_a_version_that_is_worse_by_the_margin_hardly_ever_passes(n, worse, better):
    rng = np.random.default_rng(3)
    gains = rng.choice([-1, 0, 1], p=[worse, 1 - worse - better, better], size=(4000, n))
    passed = np.mean([gain_interval(row)[0] > -0.05 for row in gains])
    assert passed < 0.045  # 2.5 % in theory; few losses come in whole numbers


def test_a_good_mean_does_not_hide_a_slice_that_broke(tmp_path):
    """The new model gains 30 answers in the one slice and loses 15 of 50 in the other."""
    odd, even = range(1, 100, 2), range(0, 100, 2)
    new, old = runs(tmp_path, odd[:15], even[:30], slices=("plain", "safety"))
    verdict = gate(new, old, 0.05)
    assert verdict.overall.low > 0
    assert verdict.status == 1 and "the slice safety is clearly worse" in verdict.sentence
    assert [row["slice"] for row in verdict.regressions] == ["safety"] * 15


def test_what_cannot_be_compared_is_refused_in_one_sentence(tmp_path):
    new, old = runs(tmp_path, (), ())
    for margin in (0, 1, -0.1, math.nan):
        with pytest.raises(GateError, match="margin"):
            gate(new, old, margin)
    other = run_suite(Scripted(right_but()).model, suite_of(99), folder=tmp_path)
    with pytest.raises(GateError, match="new answered 100 items of numbers and scripted 99"):
        gate(new, other, 0.05)
    with pytest.raises(GateError, match="NaN"):
        gate(replace(new, values={"right": np.full(100, np.nan)}), old, 0.05)
    with pytest.raises(GateError, match="at least one item"):
        paired_difference([], [])


# The report ----------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def test_the_report_holds_scores_slices_worst_examples_and_what_it_takes_to_repeat_it(tmp_path):
    new, old = runs(tmp_path / "answers", range(3), range(20), slices=("plain", "rare"))
    paths = write_report(tmp_path / "out", new, old, gate(new, old, 0.05), seed=4)
    content = json.loads(paths[0].read_text(encoding="utf-8"))
    assert content["seed"] == 4 and content["suite"]["items"] == 100 and content["versions"]["numpy"] == np.__version__
    found = content["models"]["new"]
    assert found["scores"]["right"]["mean"] == pytest.approx(0.97)
    assert found["slices"]["rare"]["mean"] == pytest.approx(0.98) and found["slices"]["plain"]["n"] == 50
    assert [row["id"] for row in found["worst"]] == ["q0", "q1", "q2"]
    assert found["cost"]["asked now"] == 100 and found["identity"]["rule"] == "new"
    assert content["gate"]["status"] == 0 and content["gate"]["overall"]["better"] == 17
    page = paths[1].read_text(encoding="utf-8")
    for text in ("Passed", "97%", "+17.0 points", "What is number 0?", "it is unclear", "plain", "rare"):
        assert text in page, text


def test_the_page_escapes_every_text_and_fetches_nothing(tmp_path):
    row = {"id": HOSTILE, "input": HOSTILE, "accepted": [HOSTILE + "1"], "slice": HOSTILE}
    file = write_suite(tmp_path / "hostile.jsonl", [row, row | {"id": "b", "input": "Next?"}])
    from helpers.old.evaluation import load_suite

    suite = load_suite(file)
    new, old = (
        run_suite(Scripted(rule, HOSTILE[:12] + name).model, suite, folder=tmp_path)
        for name, rule in (("new", lambda text: HOSTILE), ("old", lambda text: HOSTILE + "1"))
    )
    _, path = write_report(tmp_path / "out", new, old, gate(new, old, 0.05))
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    assert HOSTILE in tags.texts
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags.found}
    attributes = [name for _, found in tags.found for name in found]
    assert not {"src", "href"} & set(attributes) and not any(name.startswith("on") for name in attributes)
    assert not re.search(r"https?://|url\(|@import", path.read_text(encoding="utf-8"))


# The command ---------------------------------------------------------------------------------------------------------

MODULE = """
def good(text):
    return "it is " + "".join(filter(str.isdigit, text))

def bad(text):
    return "it is unclear"

not_a_function = 3
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    (tmp_path / "some_models.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = [{"id": f"q{i}", "input": f"Number {i}?", "accepted": [str(i)], "slice": "all"} for i in range(80)]
    suite = write_suite(tmp_path / "numbers.jsonl", rows)

    def run(*arguments):
        out = ["--out", str(tmp_path / "out"), "--answers", str(tmp_path / "answers")]
        return main(["--suite", str(suite), *out, *arguments])

    return run


@pytest.mark.parametrize(
    ("new", "old", "limit", "status"),
    [("good", "bad", 80, 0), ("bad", "good", 80, 1), ("good", "good", 80, 0), ("good", "good", 20, 2)],
)
def test_the_exit_status_is_the_verdict(command, capsys, tmp_path, new, old, limit, status):
    arguments = ["--model", f"some_models:{new}", "--against", f"some_models:{old}", "--limit", str(limit)]
    assert command(*arguments) == status
    said = capsys.readouterr().out
    assert f"some_models:{new} on numbers: right" in said and "The gate " in said
    [report] = (tmp_path / "out").glob("*.json")
    assert json.loads(report.read_text(encoding="utf-8"))["gate"]["status"] == status


def test_without_a_rival_there_is_no_gate(command, capsys):
    assert command("--model", "some_models:bad") == 0
    assert "The gate" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "handbok"], "did you mean 'handbook'"),
        (["--model", "some_models:god"], "has no function 'god'"),
        (["--model", "some_models:not_a_function"], "has no function"),
        (["--model", "no_such_module:f"], "cannot be loaded (No module named 'no_such_module')"),
        (["--model", "some_models:good", "--suite", "ticket"], "There is no suite 'ticket'"),
        (["--model", "some_models:good", "--against", "some_models:bad", "--margin", "5"], "The margin is a share"),
        (["--model", "some_models:good", "--limit", "0"], "at least 1"),
        (["--suite", "handbook"], "--model"),
    ],
)
def test_what_cannot_be_judged_ends_with_2_and_one_sentence(command, capsys, arguments, said):
    assert command(*arguments) == 2
    error = capsys.readouterr().err.strip()
    assert said in error.splitlines()[-1] and "Traceback" not in error
