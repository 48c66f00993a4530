"""Makes the course's virtual environment. Runs with the standard library alone, before anything is installed.

    python helpers/bootstrap.py            create .venv, install the course, fetch the models
    python helpers/bootstrap.py --no-models    the same without the models
    python helpers/bootstrap.py --lab-settings    only JupyterLab's defaults, for the Python that runs this

A second run finds nothing to do and returns at once. `make lab` and `make test` call it; without make
(Windows, for example) call it yourself, then start JupyterLab with the command that it prints.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

OLDEST, NEWEST = (3, 11), (3, 13)
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STAMPED = ("requirements.txt", "pyproject.toml")
LAB_SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
LAB_FILE = os.path.join("etc", "jupyter", "labconfig", "default_setting_overrides.d", "hands-on-llms.json")


class SetupError(Exception):
    """One sentence that says what is wrong and what mends it."""


def check_python(version=sys.version_info[:2]):
    """Raises SetupError unless `version` is one the course runs on. (This file parses on Python 3.6 and later.)"""
    if not OLDEST <= tuple(version) <= NEWEST:
        found = [n for n in ("python3.13", "python3.12", "python3.11") if shutil.which(n)]
        cure = "make lab PYTHON=" + (found[0] if found else "path/to/python3.12")
        raise SetupError(
            "This is Python %d.%d, and the course runs on Python %d.%d to %d.%d: "
            "install one of them or name it, as in `%s`." % (tuple(version) + OLDEST + NEWEST + (cure,))
        )


def venv_python(venv):
    """The interpreter inside the virtual environment `venv`."""
    return os.path.join(venv, "Scripts", "python.exe") if os.name == "nt" else os.path.join(venv, "bin", "python")


def has_nvidia():
    """True where an NVIDIA driver is seen."""
    return shutil.which("nvidia-smi") is not None or os.path.exists("/proc/driver/nvidia/version")


def cpu_wheels_answer(url=CPU_WHEELS, timeout=5):
    """True if PyTorch's index of CPU builds answers within `timeout` seconds."""
    try:
        with urllib.request.urlopen(url + "/torch/", timeout=timeout) as answer:
            return answer.status == 200
    except (OSError, ValueError, urllib.error.URLError):
        return False


def torch_arguments(platform=sys.platform, nvidia=None, answers=None):
    """pip's extra arguments for PyTorch: its CPU index on Linux without an NVIDIA GPU, where that answers.

    The plain Linux package brings gigabytes of CUDA libraries, of no use without such a GPU.
    """
    if not platform.startswith("linux") or (has_nvidia() if nvidia is None else nvidia):
        return []
    if cpu_wheels_answer() if answers is None else answers:
        return ["--index-url", CPU_WHEELS]
    print("  PyTorch's CPU index does not answer: taking the plain package.", flush=True)
    return []


def fingerprint(root=ROOT):
    """Changes whenever the environment has to be installed anew."""
    digest = hashlib.sha256(("%d.%d" % sys.version_info[:2]).encode())
    for name in STAMPED:
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read_stamp(venv):
    """What the last complete installation left in `venv`: a dict, empty if there was none."""
    try:
        with open(os.path.join(venv, "hands-on-llms.json"), encoding="utf-8") as file:
            stamp = json.load(file)
            return stamp if isinstance(stamp, dict) else {}
    except (OSError, ValueError):
        return {}


def write_stamp(venv, **values):
    """Records `values` in `venv`, whole or not at all."""
    path = os.path.join(venv, "hands-on-llms.json")
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(values, file)
    os.replace(path + ".part", path)


def run(step, command):
    """Runs one step of the installation, its output shown; raises SetupError if it fails."""
    print("· " + step, flush=True)
    if subprocess.call(command, cwd=ROOT) != 0:
        raise SetupError(
            "%s failed (its own message stands above): check the network, or point PIP_FIND_LINKS at a folder of "
            "wheels, then give the same command again." % step
        )


def write_lab_settings(prefix):
    """JupyterLab in the environment at `prefix` neither asks about news nor looks for updates, however it is started.

    These are defaults, in a file of our own that JupyterLab merges with others': what a user chose in its settings
    wins. Returns False, after one printed sentence, where the file cannot be written: the course runs without it.
    """
    path, text = os.path.join(prefix, LAB_FILE), json.dumps(LAB_SETTINGS, indent=2) + "\n"
    try:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if file.read() == text:
                    return True
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".part", path)
    except (OSError, ValueError) as problem:
        print("  JupyterLab will ask about news: its defaults could not be written (%s)." % problem, flush=True)
        return False
    return True


def make_environment(venv):
    """Creates `venv` and installs the course in it, unless that was done before."""
    stamp, python = read_stamp(venv), venv_python(venv)
    if stamp.get("fingerprint") == fingerprint() and os.path.exists(python):
        return
    version = "%d.%d" % sys.version_info[:2]
    if not os.path.exists(python) or stamp.get("python", version) != version:
        run(
            "Creating a virtual environment in %s" % os.path.relpath(venv, ROOT),
            [sys.executable, "-m", "venv", "--clear", venv],
        )
        write_stamp(venv, python=version)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    run("Installing PyTorch", pip + torch_arguments() + ["torch>=2.6,<3"])
    run("Installing the course's libraries (a few minutes the first time)", pip + ["-r", "requirements.txt"])
    run("Installing the course", pip + ["--quiet", "--no-deps", "-e", "."])
    write_stamp(venv, python=version, fingerprint=fingerprint())


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Make the course's virtual environment.")
    parser.add_argument("--venv", default=os.path.join(ROOT, ".venv"), help="where (default: .venv)")
    parser.add_argument("--lab-settings", action="store_true", help="only JupyterLab's defaults, for this Python")
    parser.add_argument("--no-models", action="store_true", help="do not fetch the models")
    options = parser.parse_args(arguments)
    try:
        check_python()
        if options.lab_settings:
            return 0 if write_lab_settings(sys.prefix) else 1
        make_environment(os.path.abspath(options.venv))
        write_lab_settings(os.path.abspath(options.venv))
        python = venv_python(os.path.abspath(options.venv))
        if not options.no_models and subprocess.call([python, "-m", "helpers.models", "--fetch"], cwd=ROOT) != 0:
            return 1
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("Ready. Start with: %s -m jupyterlab notebooks/00_welcome.ipynb" % os.path.relpath(python, os.getcwd()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
