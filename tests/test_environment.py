"""The report finds what is wrong, names the cure, crashes on nothing, and gives nobody's name away."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import types
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers import environment
from helpers.environment import FAIL, OK, WARN, Check, Report, report


def rows(checks) -> dict[str, Check]:
    return {check.what: check for check in checks}


@pytest.fixture
def whole_report():
    return report()


def test_every_topic_has_a_row(whole_report):
    found = rows(whole_report)
    for what in ("course", "Python", "platform", "memory", "PyTorch", "GPU", "libraries", "Jupyter kernels",
                 "chat model", "embedder model", "reranker model", "disk", "cache", "progress"):  # fmt: skip
        assert what in found, what
    assert all(row.status in (OK, WARN, FAIL) and row.found for row in whole_report)


def test_every_declared_library_stands_in_the_report_once(whole_report):
    import tomllib

    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [Requirement(line).name for line in project["dependencies"]]
    named = [part.split()[0] for part in rows(whole_report)["libraries"].found.split(", ")]
    named += [row.what for row in whole_report]
    assert len(declared) > 10 and [named.count(name) for name in declared] == [1] * len(declared)


def test_what_is_not_fine_has_a_cure(whole_report):
    for row in whole_report:
        assert bool(row.cure) == (row.status != OK)


def test_the_table_is_aligned_and_ends_with_a_verdict():
    table = str(Report((Check(OK, "a", "fine"), Check(WARN, "bcd", "so so", "mend it"), Check(FAIL, "e", "bad", "do"))))
    assert table.splitlines() == [
        "[OK]   a    fine",
        "[WARN] bcd  so so",
        "            -> mend it",
        "[FAIL] e    bad",
        "            -> do",
        "Something is missing: see the [FAIL] rows (1 OK, 1 WARN, 1 FAIL).",
    ]


def test_only_failures_make_the_report_fail():
    assert Report((Check(OK, "a", "b"), Check(WARN, "a", "b"))).ok
    broken = Report((Check(OK, "a", "b"), Check(FAIL, "c", "d")))
    assert not broken.ok


def test_the_page_escapes_what_it_shows():
    text = Report((Check(WARN, "x", "<not found>", "pip install 'a<2'"),))._repr_html_()
    assert "&lt;not found&gt;" in text and "<not found>" not in text


def test_a_check_that_crashes_becomes_a_row(monkeypatch):
    def crash():
        raise RuntimeError(f"no {Path.home() / 'thing'}")
        yield

    monkeypatch.setattr(environment, "_memory", crash)
    row = rows(report())["crash"]
    assert (row.status, row.found) == (WARN, f"could not be checked: RuntimeError: no {Path('~') / 'thing'}")


# Privacy


def test_no_home_folder_user_or_host_is_named(whole_report, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CACHE", str(Path.home() / "models"))
    for text in (str(whole_report), str(report()), report()._repr_html_()):
        assert str(Path.home()) not in text
        assert platform.node() not in text.split()
    assert str(Path("~") / "models") in str(report())


# Python and packages


@pytest.mark.parametrize(("version", "status"), [((3, 10), FAIL), ((3, 11), OK), ((3, 13), OK), ((3, 14), FAIL)])
def test_only_supported_pythons_pass(version, status, monkeypatch):
    monkeypatch.setattr(environment.sys, "version_info", version)
    row = rows(environment._machine())["Python"]
    assert row.status == status and bool(row.cure) == (status == FAIL)


def test_a_library_out_of_range_and_a_missing_one_fail_with_the_command_that_mends_them(monkeypatch):
    real = environment.metadata.distributions

    def distributions(name):
        return {"peft": [], "numpy": [types.SimpleNamespace(version="0.1")]}.get(name, real(name=name))

    monkeypatch.setattr(environment.metadata, "distributions", distributions)
    found = rows(environment._packages())
    assert found["numpy"].status == found["peft"].status == FAIL
    assert found["numpy"].found.startswith("0.1, wanted ") and found["peft"].found.startswith("not installed, wanted ")
    assert found["numpy"].cure.startswith('pip install "numpy') and "numpy" not in found["libraries"].found


def test_without_the_courses_folder_the_installations_record_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    lines = ["numpy>=99", 'jupyterlab>=99; extra == "lab"']
    monkeypatch.setattr(environment.metadata, "requires", lambda name: lines)
    assert set(rows(environment._packages())) == {"numpy", "libraries", "Jupyter kernels"}


def test_a_missing_pytorch_is_a_row(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (row,) = environment._pytorch()
    assert row.status == FAIL and row.found.startswith("does not load") and row.cure == environment.INSTALL


def test_an_nvidia_driver_without_a_cuda_build_is_a_warning(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    gpu = rows(environment._pytorch())["GPU"]
    assert gpu.status == WARN and "sees no CUDA device" in gpu.found and gpu.cure
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    assert rows(environment._pytorch())["GPU"].found == "none; the course runs on the CPU"


def test_the_gpu_is_named_with_its_memory(monkeypatch):
    import torch

    card = types.SimpleNamespace(name="NVIDIA T4", total_memory=15 * 2**30)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    assert rows(environment._pytorch())["GPU"].found == "NVIDIA T4, 15.0 GiB"


def test_the_report_imports_no_heavy_package_but_pytorch():
    code = (
        "import sys; from helpers.environment import report; report()\n"
        "print([m for m in ('transformers', 'datasets', 'sentence_transformers', 'peft', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_bare_python_gets_a_table_and_no_traceback(tmp_path):
    """Without site-packages, as after `git clone` and before any installation."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HANDS_ON", "PYTEST"))}
    done = subprocess.run([sys.executable, "-I", "-S", "-c",
                           "import runpy, sys; sys.path.insert(0, sys.argv[1]); "
                           "runpy.run_module('helpers.environment', run_name='__main__')", str(environment.ROOT)],
                          capture_output=True, text=True, env=environ, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1 and not done.stderr
    assert "[FAIL] PyTorch" in done.stdout and environment.INSTALL in done.stdout


# Machine


@pytest.mark.parametrize(
    ("available", "limit", "used", "status", "found"),
    [
        (1.9e9, None, None, WARN, "1.9 GB available of 8.0 GB"),
        (2.1e9, None, None, OK, "2.1 GB available of 8.0 GB"),
        (6e9, 2_000_000_000, 300_000_000, WARN, "1.7 GB available of 2.0 GB"),
    ],
)
def test_little_memory_is_a_warning_and_a_containers_limit_counts(monkeypatch, available, limit, used, status, found):
    import psutil

    numbers = {"memory.max": limit, "memory.current": used}
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(total=8e9, available=available))
    monkeypatch.setattr(environment, "_number", lambda path: numbers[path.name])
    (row,) = environment._memory()
    assert (row.status, row.found) == (status, found)


def test_the_limit_max_means_no_limit(tmp_path):
    for text, number in (("max\n", None), ("2147483648\n", 2**31)):
        (tmp_path / "memory.max").write_text(text)
        assert environment._number(tmp_path / "memory.max") == number
    assert environment._number(tmp_path / "missing") is None


# Models, cache, progress


def test_an_empty_cache_warns_and_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDS_ON_CACHE", str(tmp_path / "new" / "cache"))
    found = rows(environment._models())
    for role in ("chat model", "embedder model"):
        assert found[role].status == WARN and found[role].cure == "python -m helpers.models --fetch"
    assert rows(environment._folders())["cache"].status == OK and not (tmp_path / "new").exists()


def test_models_named_by_the_environment_need_no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDS_ON_CACHE", str(tmp_path))
    monkeypatch.setenv("HANDS_ON_CHAT_MODEL", "somebody/model")
    found = rows(environment._models())
    assert (found["chat model"].status, found["chat model"].found) == (OK, "named by HANDS_ON_CHAT_MODEL")
    assert found["embedder model"].status == WARN


@pytest.mark.parametrize(("free", "status"), [(10e9, OK), (0.1e9, FAIL)])
def test_a_full_disk_fails_while_models_are_missing(free, status, monkeypatch, tmp_path):
    monkeypatch.setenv("HANDS_ON_CACHE", str(tmp_path))
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=free))
    row = rows(environment._models())["disk"]
    assert row.status == status and bool(row.cure) == (status == FAIL)
    assert "HANDS_ON_CACHE" in row.cure or status == OK


def test_a_folder_that_cannot_be_written_warns_with_its_cure(monkeypatch):
    def refuse(dir):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refuse)
    row = rows(environment._folders())["cache"]
    assert row.status == WARN and row.found.endswith("cannot be written: Read-only file system")
    assert row.cure.startswith("set HANDS_ON_CACHE")


def test_no_kernel_is_a_failure_with_the_command_that_makes_one(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "find_kernel_specs", lambda self: {})
    row = rows(environment._packages())["Jupyter kernels"]
    assert row.status == FAIL and row.cure.startswith("python -m ipykernel install")
