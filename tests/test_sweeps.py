"""Sweeps can be stopped at any moment and go on; their result files say where they come from."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.benchmarks import sweeps


class Stopped(Exception):
    pass


def a_sweep(run):
    return SimpleNamespace(NAME="squares", CASES=[1, 2, 3], run=run, __doc__="Squares,\nof numbers.")


def test_a_stopped_sweep_goes_on_where_it_was(tmp_path):
    asked = []

    def stops_at_three(case):
        asked.append(case)
        if case == 3 and asked.count(3) == 1:
            raise Stopped
        return {"square": case**2}

    with pytest.raises(Stopped):
        sweeps.run_sweep(a_sweep(stops_at_three), tmp_path / "kept", tmp_path / "results")
    assert not (tmp_path / "results").exists()
    path = sweeps.run_sweep(a_sweep(stops_at_three), tmp_path / "kept", tmp_path / "results")
    assert asked == [1, 2, 3, 3]
    result = json.loads(path.read_text(encoding="utf-8"))
    assert [run["square"] for run in result["runs"]] == [1, 4, 9]
    assert result["what"] == "Squares, of numbers." and result["command"].endswith("sweeps squares")
    assert {"date", "machine", "python", "versions", "seconds"} <= set(result)


def test_the_seconds_of_a_training_that_was_kept_are_counted(tmp_path):
    sweep = a_sweep(lambda case: {"seconds_before": 100.0} if case == 2 else {})
    result = json.loads(sweeps.run_sweep(sweep, tmp_path, tmp_path).read_text(encoding="utf-8"))
    assert [run["seconds"] > 99 for run in result["runs"]] == [False, True, False] and result["seconds"] > 99


def test_a_line_cut_off_by_a_kill_is_measured_again(tmp_path):
    cut_off = '{"case": 1, "square": 1, "seconds": 0}\n{"case": 2, "squ'
    (tmp_path / "squares.jsonl").write_text(cut_off, encoding="utf-8")
    assert list(sweeps.read_kept(tmp_path / "squares.jsonl")) == ["1"]


def test_an_unknown_sweep_is_refused_with_the_nearest_name(capsys):
    assert sweeps.main(["12_stepz"]) == 2
    assert "Did you mean '12_steps'?" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(sweeps.sweeps()))
def test_every_sweep_has_a_committed_result_of_all_its_cases(name):
    path = Path(sweeps.RESULTS) / f"{name}.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    assert [run["case"] for run in result["runs"]] == sweeps.sweeps()[name].CASES
    assert result["command"] == f"python -m tests.benchmarks.sweeps {name}"
