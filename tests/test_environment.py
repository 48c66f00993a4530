"""The report finds what is wrong, names the cure, crashes on nothing, and gives nobody's name away."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import sys
import types
from pathlib import Path

import pytest

from helpers import environment
from helpers.environment import FAIL, OK, WARN, Check, Report, main, private, report
from helpers.old.measuring import process
from helpers.plots import contrast


def rows(checks) -> dict[str, Check]:
    return {check.what: check for check in checks}


@pytest.fixture
def fake_project(monkeypatch):
    def install(**project):
        monkeypatch.setattr(environment, "_project", lambda: project)

    return install


@pytest.fixture
def whole_report():
    return report()


def test_every_topic_has_a_row(whole_report):
    found = rows(whole_report.rows)
    for what in ("course", "Python", "platform", "CPU cores", "memory", "PyTorch", "GPU", "ipywidgets", "transformers",
                 "jupyterlab", "test tools", "Jupyter kernels", "git", "chat model", "embedder model", "reranker model",
                 "cache", "disk", "progress"):  # fmt: skip
        assert what in found, what
    assert all(row.status in (OK, WARN, FAIL) and row.found for row in whole_report.rows)


def test_every_declared_dependency_has_exactly_one_row(whole_report):
    import tomllib

    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = ["PyTorch" if name == "torch" else name for name, _ in map(environment._split, project["dependencies"])]
    assert len(names) > 10
    shown = [row.what for row in whole_report.rows]
    assert [shown.count(name) for name in names] == [1] * len(names)


def test_what_is_not_fine_has_a_cure(whole_report):
    for row in whole_report.rows:
        assert row.cure or row.status == OK or "version unknown" in row.found or "could not be checked" in row.found


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


def test_a_cure_that_mends_several_rows_is_said_once_below_them():
    table = str(Report((Check(FAIL, "a", "gone", "install"), Check(FAIL, "b", "gone", "install"))))
    assert table.count("-> install") == 1
    assert table.splitlines()[2].strip() == "-> install"


def test_only_failures_make_the_report_fail():
    assert Report((Check(OK, "a", "b"), Check(WARN, "a", "b"))).ok
    broken = Report((Check(OK, "a", "b"), Check(FAIL, "c", "d")))
    assert not broken.ok and [row.what for row in broken.failures] == ["c"]


def test_the_page_escapes_what_it_shows_and_its_badges_can_be_read():
    page = Report((Check(WARN, "x", "<not found>", "pip install 'a<2'"), Check(OK, "y", "z"), Check(FAIL, "w", "v")))
    text = page._repr_html_()
    assert "&lt;not found&gt;" in text and "<not found>" not in text
    for color in ("#1a7348", "#8a5a00", "#b3261e"):
        assert f"background:{color};color:#ffffff" in text and contrast(color, "#ffffff") >= 4.5


def test_the_page_is_folded_where_there_is_nothing_to_mend():
    good = Check(OK, "a", "b")
    assert Report((good, good))._repr_html_().startswith("<details><summary>")
    for status in (WARN, FAIL):
        assert Report((good, Check(status, "c", "d")))._repr_html_().startswith("<details open><summary>")


def test_the_exit_status_is_1_if_something_failed(monkeypatch, capsys):
    for status, expected in ((OK, 0), (WARN, 0), (FAIL, 1)):
        monkeypatch.setattr(environment, "report", lambda status=status: Report((Check(status, "thing", "found"),)))
        assert main() == expected
        assert capsys.readouterr().out.startswith(f"[{status}]")


def test_a_check_that_crashes_becomes_a_row(monkeypatch):
    def crash():
        raise RuntimeError(f"no {Path.home() / 'thing'}")
        yield

    monkeypatch.setattr(environment, "_git", crash)
    row = rows(report().rows)["git"]
    assert (row.status, row.found) == (WARN, f"could not be checked: RuntimeError: no {Path('~') / 'thing'}")


# Privacy


def test_no_home_folder_user_or_host_is_named(whole_report, monkeypatch):
    monkeypatch.setenv("HANDS_ON_CACHE", str(Path.home() / "models"))
    for text in (str(whole_report), str(report()), report()._repr_html_()):
        assert str(Path.home()) not in text
        assert platform.node() not in text.split()
    assert str(Path("~") / "models") in str(report())


def test_private_replaces_whole_names_only(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    monkeypatch.setattr(platform, "node", lambda: "engine")
    assert private("/home/ada/x and /home/adage/y") == "~/x and /home/adage/y"
    assert private("/mnt/ada/cache, /mnt/adapter, ada") == "/mnt/USER/cache, /mnt/adapter, ada"
    assert private("engine: engine-room, enginery") == "HOST: engine-room, enginery"
    assert private(r"D:\users\ada\cache") == r"D:\users\USER\cache"
    assert private(str(environment.ROOT / "helpers" / "x.py")) == str(Path("helpers") / "x.py")


@pytest.mark.parametrize(
    ("home", "temp", "text", "shown"),
    [
        ("/tmp/ada", "/tmp", "/tmp/ada/x and /tmp/y", "~/x and TEMP/y"),
        ("/home/ada", "/home/ada/tmp", "/home/ada/x and /home/ada/tmp/y", "~/x and TEMP/y"),
    ],
)
def test_home_and_temporary_folder_may_lie_in_each_other(monkeypatch, home, temp, text, shown):
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: temp)
    assert private(text) == shown


def test_a_machine_without_a_user_name_is_reported_too(monkeypatch):
    def nobody():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert private("/mnt/ada") == "/mnt/ada"


# Python and packages


@pytest.mark.parametrize(("version", "status"), [("3.10.9", FAIL), ("3.11.0", OK), ("3.13.5", OK), ("3.14.0rc1", FAIL)])
def test_only_supported_pythons_pass(version, status, monkeypatch):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    if version == "3.14.0rc1":  # a release candidate counts as the version that it leads to
        monkeypatch.setattr(platform, "python_version", lambda: "3.14.0")
    (row,) = environment._python()
    assert row.status == status and version[:4] in row.found
    assert bool(row.cure) == (status == FAIL)


def test_a_package_out_of_range_fails_with_the_command_that_mends_it(monkeypatch):
    monkeypatch.setattr(environment.metadata, "version", lambda name: "1.0")
    row = environment._package("numpy>=2,<3", FAIL, "install everything")
    assert (row.status, row.found, row.cure) == (FAIL, "1.0, wanted >=2,<3", 'pip install "numpy>=2,<3"')


def test_a_missing_package_fails_if_the_course_needs_it_and_warns_if_it_is_extra():
    for status in (FAIL, WARN):
        row = environment._package("no-such-package>=1", status, "install it")
        assert (row.status, row.what, row.found, row.cure) == (status, "no-such-package", "not installed", "install it")


def test_a_package_with_records_but_without_its_module_is_told_apart(monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    assert environment._package("numpy>=2", FAIL, "").found == "recorded as installed, but not importable"


def test_a_module_without_records_is_a_warning(monkeypatch):
    def unknown(name):
        raise environment.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.metadata, "version", unknown)
    row = environment._package("numpy>=2", FAIL, "")
    assert (row.status, row.found) == (WARN, "importable, version unknown (wanted >=2)")


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("torch>=2.6,<3", ("torch", ">=2.6,<3")),
        ("packaging", ("packaging", "")),
        ("transformers[serving]>=5 ; python_version < '3.14'", ("transformers", ">=5")),
        ("faiss-cpu<2,>=1.11", ("faiss-cpu", "<2,>=1.11")),
    ],
)
def test_requirements_are_split_into_name_and_range(requirement, expected):
    assert environment._split(requirement) == expected


def test_torch_out_of_range_fails(fake_project):
    fake_project(dependencies=["torch>=99"])
    row = next(environment._pytorch())
    assert row.status == FAIL and "wanted >=99" in row.found and row.cure == 'pip install "torch>=99"'


def test_a_missing_or_broken_pytorch_is_a_row(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (row,) = environment._pytorch()
    assert row.status == FAIL and row.found.startswith("not importable") and row.cure == environment.INSTALL


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
                           "import sys; sys.path.insert(0, sys.argv[1]); from helpers.environment import main; "
                           "raise SystemExit(main())", str(environment.ROOT)],
                          capture_output=True, text=True, env=environ, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1 and not done.stderr
    assert "[FAIL] transformers" in done.stdout and "not installed" in done.stdout
    assert "[OK]   Python" in done.stdout and environment.INSTALL in done.stdout


# Machine


def test_little_memory_is_a_warning(monkeypatch):
    import psutil

    for available, status in ((1.9e9, WARN), (2.1e9, OK)):
        numbers = types.SimpleNamespace(total=8e9, available=available)
        monkeypatch.setattr(psutil, "virtual_memory", lambda numbers=numbers: numbers)
        monkeypatch.setattr(process, "container_limit", lambda: None)
        (row,) = environment._memory()
        assert row.status == status and row.found.endswith("GB available of 8.0 GB")


def test_a_containers_limit_counts_and_not_the_hosts_memory(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(total=256e9, available=200e9))
    monkeypatch.setattr(process, "container_limit", lambda: 2_000_000_000)
    monkeypatch.setattr(process, "container_use", lambda: 300_000_000)
    (row,) = environment._memory()
    assert (row.status, row.found) == (WARN, "1.7 GB available of 2.0 GB")
    assert process.machine_bytes() == 2_000_000_000


def test_the_limit_max_means_no_limit(tmp_path):
    none, some = tmp_path / "max", tmp_path / "number"
    none.write_text("max\n")
    some.write_text("2147483648\n")
    assert process.first_number(str(none), str(tmp_path / "missing")) is None
    assert process.first_number(str(none), str(some)) == 2**31


# Models, cache, progress


def test_an_empty_cache_warns_and_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDS_ON_CACHE", str(tmp_path / "new" / "cache"))
    found = rows(environment._models())
    for role in ("chat model", "embedder model"):
        assert found[role].status == WARN and found[role].cure == "python -m helpers.models --fetch"
    assert found["cache"].status == OK and not (tmp_path / "new").exists()


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


def test_a_folder_that_cannot_be_written_fails_with_its_cure(monkeypatch, tmp_path):
    def refuse(dir):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refuse)
    row = environment._writable("cache", tmp_path, FAIL, "set HANDS_ON_CACHE")
    assert row.status == FAIL and row.found.endswith("cannot be written: Read-only file system")
    assert row.cure == "set HANDS_ON_CACHE"


def test_looking_at_the_progress_file_does_not_create_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HANDS_ON_PROGRESS", str(tmp_path / "deep" / "progress.json"))
    (row,) = environment._progress()
    assert row.status == OK and list(tmp_path.iterdir()) == []


def test_no_kernel_is_a_failure_with_the_command_that_makes_one(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "find_kernel_specs", lambda self: {})
    (row,) = environment._kernel()
    assert row.status == FAIL and row.cure.startswith("python -m ipykernel install")


def test_git_is_useful_and_not_required(monkeypatch):
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    (row,) = environment._git()
    assert row.status == WARN and "git-scm.com" in row.cure


def test_where_the_course_is_installed_without_its_folder_the_records_say_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    lines = ["torch>=2.6,<3", 'jupyterlab>=4.3; extra == "lab"']
    monkeypatch.setattr(environment.metadata, "requires", lambda name: lines)
    assert environment._project() == {"dependencies": ["torch>=2.6,<3"]}


def test_every_declared_library_says_what_it_does_in_this_course():
    project = environment._project()
    declared = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    names = {environment._split(requirement)[0] for requirement in declared} - {"torch"}
    assert names == set(environment.PURPOSES)
