"""`notebooks/at_work/gate.py`: its verdicts and exit status, its false passes, what it writes, and bad input."""

import importlib, json, os, subprocess, sys  # noqa: E401, I001

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import bootstrap

from tests.tools.notebook import ROOT

sys.path.insert(0, str(ROOT / "notebooks" / "at_work"))
gate = importlib.import_module("gate")


def scores(right: dict[str, list[int]], **columns) -> pd.DataFrame:
    rows = [(f"{name}-{n}", one, name) for name, marks in right.items() for n, one in enumerate(marks)]
    return pd.DataFrame(rows, columns=["id", "score", "slice"]).assign(**columns)


OLD = scores({"easy": [1] * 270 + [0] * 30, "hard": [1] * 150 + [0] * 150})
BETTER = scores({"easy": [1] * 290 + [0] * 10, "hard": [1] * 190 + [0] * 110})
TRADED = scores({"easy": [1] * 300, "hard": [1] * 130 + [0] * 170})  # better on average, worse where it is hard
WORSE = scores({"easy": [1] * 200 + [0] * 100, "hard": [1] * 150 + [0] * 150})


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(old, new, *words) -> int:
        for name, table in (("old.csv", old), ("new.csv", new)):
            if isinstance(table, pd.DataFrame):
                table.to_csv(name, index=False)
            else:
                (tmp_path / name).write_bytes(table)
        monkeypatch.setattr(sys, "argv", ["gate.py", "old.csv", "new.csv", "--out", "out", *words])
        return gate.main()

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return run


def test_the_selftest_passes_without_the_course(tmp_path):
    how = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": ""}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-X", "importtime", gate.__file__, "--selftest"], **how)
    assert done.returncode == 0 and "has passed" in done.stdout and "| helpers" not in done.stderr


@pytest.mark.parametrize(
    ("new", "words", "status"),
    [
        (BETTER, ["--protect", "hard", "easy"], 0),
        (TRADED, [], 0),
        (TRADED, ["--protect", "hard"], 1),
        (TRADED, ["--protect", "hard", "--slice-margin", ".2"], 0),
        (WORSE, ["--protect", "hard"], 1),
        (WORSE, ["--margin", ".14"], 2),
        (OLD, [], 0),
        (OLD, ["--margin", ".005"], 2),
    ],
)
def test_the_exit_status_is_the_verdict(run, new, words, status):
    assert run(OLD, new.sample(frac=1, random_state=0), *words) == status  # the order of rows does not count


def test_the_interval_is_as_wide_as_a_bootstrap_and_symmetric():
    gains = np.repeat([1.0, -1.0, 0.0], [40, 25, 235])
    low, high = gate.interval(gains)
    own = bootstrap((gains,), np.mean, method="percentile", n_resamples=5000, rng=1).confidence_interval
    assert own.low - 0.015 < low <= own.low + 0.003 and own.high - 0.003 <= high < own.high + 0.015
    assert gate.interval(-gains) == pytest.approx((-high, -low), abs=0.01)


def test_a_rule_without_the_added_item_would_pass_too_often(monkeypatch):
    assert max(gate.false_passes(4000).values()) < 0.032
    monkeypatch.setattr(gate, "ITEM", 0.0)
    monkeypatch.setattr(gate, "Z", 1.645)
    assert max(gate.false_passes(4000).values()) > 0.05


def test_the_least_number_of_items_is_the_least(run, capsys):
    least = gate.items_needed(0.05, 0)
    same = scores({"a": [1, 0] * (least // 2) + [1] * (least % 2)})
    assert run(same, same, "--margin", ".05") == 0 and run(same[:-1], same[:-1], "--margin", ".05") == 2
    assert f"at least {least} are needed if nothing changes" in capsys.readouterr().out


def test_what_is_written(run, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    words = ["--protect", "hard", "--cost-column", "tokens", "--price", ".001", "--action"]
    assert run(OLD.assign(tokens=1000), TRADED.assign(tokens=3000), *words) == 1
    page, action = (tmp_path / "page.md").read_text("utf-8"), (tmp_path / "out/gate.yml").read_text("utf-8")
    assert "## Gate: failed" in page and "| hard | 300 | 0.500 | 0.433 |" in page and "1 before, 3 now, +2" in page
    steps = yaml.safe_load(action)["jobs"]["gate"]["steps"]
    assert steps[3]["run"].startswith("uv run gate.py old.csv new.csv") and "--action" not in steps[3]["run"]
    changed = pd.read_csv("out/changed.csv")
    assert list(changed["difference"]) == [-1] * 20 + [1] * 30 and changed["id"][0] == "hard-130"
    assert json.loads((tmp_path / "out/report.json").read_text("utf-8"))["verdict"] == "failed"
    assert "Not checked" in capsys.readouterr().out


def test_a_dry_run_says_what_the_margin_needs_and_writes_nothing(run, tmp_path, capsys):
    assert run(OLD, WORSE, "--dry-run", "--protect", "hard") == 0 and not (tmp_path / "out").exists()
    said = capsys.readouterr().out
    assert "600 items with the same ids" in said and f"needs {gate.items_needed(0.02, 0)} if nothing changes" in said


def test_words_and_other_ranges_are_scores(run):
    words = OLD.assign(score=OLD["score"].map({1: "True", 0: "no"}))
    assert run(words, OLD) == 0
    assert run(OLD.assign(score=1 + 4 * OLD["score"]), OLD.assign(score=5), "--range", "1,5", "--margin", ".1") == 0


BAD = {  # the new file, words of the command, and what is said
    "fewer rows": (OLD[:-1], [], "new.csv lacks 1 ids of the other file, such as 'hard-299': 600 and 599 rows"),
    "other ids": (OLD.replace("easy-0", "e"), [], "old.csv lacks 1 ids"),
    "an id twice": (pd.concat([OLD, OLD[:1]]), [], "row 601, has an id that came before, 'easy-0'"),
    "no id": (OLD.replace("easy-7", ""), [], "row 8, has no id"),
    "NaN": (OLD.assign(score=np.nan), [], "row 1: the score '' is no number"),
    "inf": (OLD.assign(score="inf"), [], "the score 'inf' is no number"),
    "out of range": (OLD.assign(score=3), [], "scores from 3 to 3, not 0 to 1"),
    "no column": (OLD.drop(columns="score"), [], "new.csv has no column 'score', but id, slice"),
    "no such slice": (OLD, ["--protect", "soft"], "No item lies in the slice 'soft', but in easy, hard"),
    "another slice": (OLD.replace("easy", "hard"), [], "lies in another slice"),
    "no rows": (OLD[:0], [], "has no rows"),
    "empty": (b"", [], "is no CSV"),
    "not UTF-8": (b"id,score\n\xff,1", [], "is no CSV in UTF-8"),
    "margin": (OLD, ["--margin", "nan"], "A margin lies between 0 and 1"),
    "a wrong option": (OLD, ["--protects"], "--help shows"),
    "a wrong range": (OLD, ["--range", "5,1"], "--help shows"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence_and_its_own_exit_status(name, run, tmp_path, capsys):
    new, words, sentence = BAD[name]
    assert run(OLD, new, *words) == 3
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_score_that_never_varies_is_bad_input(run, capsys):
    assert run(OLD.assign(score=1), OLD.assign(score=1)) == 3
    assert "Every score in both files is 1" in capsys.readouterr().err
