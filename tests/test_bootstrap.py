"""The installer: it refuses the wrong Python in one sentence, prefers CPU wheels, and does nothing twice."""

from __future__ import annotations

import ast
import http.server
import json
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from helpers import bootstrap

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14), (2, 7)])
def test_a_wrong_python_is_refused_in_one_sentence_with_the_command_that_mends_it(version, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == "python3.12" else None)
    with pytest.raises(bootstrap.SetupError) as refusal:
        bootstrap.check_python(version)
    text = str(refusal.value)
    assert f"Python {version[0]}.{version[1]}," in text and text.endswith("`make lab PYTHON=python3.12`.")
    assert "\n" not in text and text.count(". ") == 0


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_the_three_supported_versions_are_accepted(version):
    bootstrap.check_python(version)


def test_the_script_parses_on_the_old_python_that_it_refuses():
    ast.parse((ROOT / "helpers/bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_the_supported_range_is_that_of_the_package():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (major, oldest), (_, newest) = bootstrap.OLDEST, bootstrap.NEWEST
    assert f'requires-python = ">={major}.{oldest},<{major}.{newest + 1}"' in text


@pytest.mark.parametrize(
    ("platform", "nvidia", "answers", "index"),
    [
        ("linux", False, True, True),
        ("linux", False, False, False),  # the index is down: the plain package
        ("linux", True, True, False),  # a GPU: the CUDA build
        ("darwin", False, True, False),
        ("win32", False, True, False),
    ],
)
def test_the_cpu_build_is_taken_on_linux_without_a_gpu_where_its_index_answers(platform, nvidia, answers, index):
    found = bootstrap.torch_arguments(platform, nvidia, answers)
    assert found == (["--index-url", bootstrap.CPU_WHEELS] if index else [])


def test_an_index_that_does_not_answer_is_given_up():
    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            gone.wait(5)

        def log_message(self, *args):
            pass

    gone = threading.Event()
    server = http.server.HTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert not bootstrap.cpu_wheels_answer(f"http://127.0.0.1:{server.server_port}", timeout=0.2)
        assert not bootstrap.cpu_wheels_answer("http://127.0.0.1:9", timeout=0.2)
    finally:
        gone.set()
        server.shutdown()


@pytest.fixture
def commands(monkeypatch):
    """Records the commands instead of running them; the ones listed in `failing` fail."""
    seen, failing = [], set()

    def call(command, **_):
        seen.append(" ".join(command))
        if "venv" in command:
            python = Path(bootstrap.venv_python(command[-1]))
            python.parent.mkdir(parents=True)
            python.touch()
        return int(any(word in seen[-1] for word in failing))

    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    monkeypatch.setattr(bootstrap, "torch_arguments", list)
    seen_and_failing = type("Commands", (), {"seen": seen, "failing": failing})
    return seen_and_failing


def test_a_second_run_installs_nothing(commands, tmp_path):
    bootstrap.make_environment(str(tmp_path / "venv"))
    assert len(commands.seen) == 4 and "requirements.txt" in commands.seen[2]
    bootstrap.make_environment(str(tmp_path / "venv"))
    assert len(commands.seen) == 4


def test_changed_requirements_are_installed_again(commands, tmp_path, monkeypatch):
    bootstrap.make_environment(str(tmp_path / "venv"))
    monkeypatch.setattr(bootstrap, "fingerprint", lambda: "another")
    bootstrap.make_environment(str(tmp_path / "venv"))
    assert len(commands.seen) == 7  # all but the creation


def test_an_installation_that_failed_is_tried_again(commands, tmp_path, capsys):
    commands.failing.add("requirements.txt")
    assert bootstrap.main(["--venv", str(tmp_path / "venv"), "--no-models"]) == 1
    assert "PIP_FIND_LINKS" in capsys.readouterr().err
    commands.failing.clear()
    assert bootstrap.main(["--venv", str(tmp_path / "venv"), "--no-models"]) == 0


def test_an_environment_of_another_python_is_made_anew(commands, tmp_path):
    venv = str(tmp_path / "venv")
    bootstrap.make_environment(venv)
    bootstrap.write_stamp(venv, python="3.7", fingerprint="old")
    Path(bootstrap.venv_python(venv)).unlink()
    Path(bootstrap.venv_python(venv)).parent.rmdir()
    bootstrap.make_environment(venv)
    assert sum("-m venv --clear" in command for command in commands.seen) == 2


def test_a_broken_stamp_counts_as_none(tmp_path):
    (tmp_path / "hands-on-llms.json").write_text('{"fingerp', encoding="utf-8")
    assert bootstrap.read_stamp(str(tmp_path)) == {}


def test_jupyterlab_reads_the_settings_that_end_its_question_about_news(tmp_path, monkeypatch):
    settings_utils = pytest.importorskip("jupyterlab_server.settings_utils")
    schemas = Path(sys.prefix, "share", "jupyter", "lab", "schemas")
    [name] = bootstrap.LAB_SETTINGS
    if not schemas.is_dir():
        pytest.skip("JupyterLab's schemas are not in this environment: make env")
    read = partial(settings_utils.get_settings, str(tmp_path), str(schemas), str(tmp_path), schema_name=name)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "etc" / "jupyter"))
    monkeypatch.setattr("jupyter_core.paths.ENV_CONFIG_PATH", [])  # `make lab` has written the settings there
    assert read()[0]["schema"]["properties"]["fetchNews"]["default"] == "none", "JupyterLab no longer asks"
    assert bootstrap.write_lab_settings(str(tmp_path))
    properties = read()[0]["schema"]["properties"]
    assert properties["checkForUpdates"]["default"] is False
    assert properties["fetchNews"]["default"] == "false"
    assert "false" in [choice["const"] for choice in properties["fetchNews"]["oneOf"]]


def test_jupyterlabs_settings_are_written_once_beside_those_of_others(tmp_path):
    other = tmp_path / Path(bootstrap.LAB_FILE).with_name("other.json")
    other.parent.mkdir(parents=True)
    other.write_text("{}", encoding="utf-8")
    assert bootstrap.write_lab_settings(str(tmp_path))
    os.utime(tmp_path / bootstrap.LAB_FILE, (0, 0))
    assert bootstrap.write_lab_settings(str(tmp_path))
    assert os.stat(tmp_path / bootstrap.LAB_FILE).st_mtime == 0
    assert sorted(path.name for path in other.parent.iterdir()) == ["hands-on-llms.json", "other.json"]


def test_every_start_of_make_lab_mends_the_settings_and_goes_on_without_them(commands, tmp_path, capsys):
    settings = tmp_path / bootstrap.LAB_FILE
    arguments = ["--venv", str(tmp_path), "--no-models"]
    assert bootstrap.main(arguments) == 0
    settings.write_text("half a fi", encoding="utf-8")
    assert bootstrap.main(arguments) == 0 and json.loads(settings.read_text(encoding="utf-8")) == bootstrap.LAB_SETTINGS
    settings.unlink()
    settings.parent.rmdir()
    settings.parent.write_text("a file where a folder belongs", encoding="utf-8")
    assert bootstrap.main(arguments) == 0 and "will ask about news" in capsys.readouterr().out


def test_the_settings_alone_are_written_for_the_python_that_runs_the_script(commands, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "prefix", str(tmp_path))
    assert bootstrap.main(["--lab-settings"]) == 0
    assert (tmp_path / bootstrap.LAB_FILE).exists() and not commands.seen
    assert "helpers/bootstrap.py --lab-settings" in (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")


def test_the_script_runs_without_anything_installed():
    command = [sys.executable, "-I", "-S", "helpers/bootstrap.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "--no-models" in done.stdout
