"""The server as a process: it starts, drains on SIGTERM, and never outlives who started it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import openai
import psutil
import pytest

from helpers.files import ROOT
from helpers.old.serving import ServerFailed, Settings, start_server
from helpers.old.serving.__main__ import main
from helpers.old.serving.settings import add_options, as_arguments, from_arguments

SCRIPTED = "tests.serving.serve_scripted"
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM that a process could handle")


def gone(pid: int, seconds: float = 15.0) -> bool:
    """Whether a process has ended, or does within so many seconds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


PARENT = f"""
import time
from helpers.old.serving import start_server
server = start_server(module={SCRIPTED!r})
print(server.pid, server.url, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def parent():
    """A process that starts a server; it takes its seconds beside the other tests."""
    started = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield started
    started.kill()
    started.wait()


def chat(server, text: str, found: list, began: threading.Event) -> None:
    """Read one stream into found: its words, and the error that ended it, if one did."""
    client = openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0)
    try:
        stream = client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": text}], stream=True, max_tokens=1500
        )
        for chunk in stream:
            found.append(chunk.choices[0].delta.content or "")
            began.set()
    except openai.APIError as error:
        found.append(error)


@posix
def test_on_sigterm_running_replies_are_finished_or_named_and_new_ones_refused(parent):
    with start_server(module=SCRIPTED, drain_seconds=4.0) as server:
        lines = json.loads(server.get("/v1/models"))["data"]
        assert [line["id"] for line in lines] == ["chat", "tickets", "embedder"] and server.running
        slow, stubborn, began = [], [], [threading.Event(), threading.Event()]
        text = "slowly, please " * 25
        readers = [
            threading.Thread(target=chat, args=(server, text, slow, began[0])),
            threading.Thread(target=chat, args=(server, "stubborn", stubborn, began[1])),
        ]
        for reader in readers:
            reader.start()
        assert all(event.wait(10) for event in began)
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.5)
        address = server.url.removeprefix("http://").split(":")
        with pytest.raises(OSError):
            socket.create_connection((address[0], int(address[1])), timeout=2).close()
        for reader in readers:
            reader.join(30)
        assert "".join(slow).strip() == text.strip(), "the reply was not finished"
        assert isinstance(stubborn[-1], openai.APIError) and "shutting down" in str(stubborn[-1])
        assert gone(server.pid) and server.stop() == 0
    events = [line["event"] for line in server.lines()]
    assert events[0] == "listening" and "draining" in events and events[-1] == "stopped"
    assert [line["status"] for line in server.lines("request")] == [200, 200, 200]


@posix
def test_a_server_ends_with_the_process_that_started_it_even_after_kill_9(parent):
    pid, url = parent.stdout.readline().split()
    with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "alive"
    parent.kill()
    parent.wait()
    assert gone(int(pid)), "the server is an orphan"


def test_a_server_that_cannot_start_says_why_in_one_sentence(monkeypatch, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert "cannot be used" in capsys.readouterr().err
    with pytest.raises(ServerFailed, match="no_such_module"):
        start_server(module="no_such_module")
    with pytest.raises(ValueError, match="bits is one of"):
        start_server(bits=3)


def test_keys_are_managed_by_the_command(tmp_path, capsys):
    file = str(tmp_path / "keys.json")
    assert main(["keys", "add", "anna", "--keys-file", file, "--requests-per-minute", "5"]) == 0
    key = capsys.readouterr().out.strip()
    assert main(["keys", "list", "--keys-file", file]) == 0
    listed = capsys.readouterr().out
    assert listed.split() == ["anna", "5", "-"] and key not in listed


def test_settings_survive_the_command_line_and_nonsense_is_refused(tmp_path):
    import argparse

    settings = Settings(
        port=0,
        adapters=("tickets", "mine=folder"),
        bits=4,
        prefix_cache=False,
        keys_file=tmp_path / "k",
    )
    parser = argparse.ArgumentParser()
    add_options(parser)
    assert from_arguments(parser.parse_args(as_arguments(settings))) == settings
    assert from_arguments(parser.parse_args([])) == Settings()
    assert settings.named_adapters == {"tickets": "tickets", "mine": "folder"}
    for wrong in ({"bits": 5}, {"port": -1}, {"cache_mb": 0}, {"adapters": "tickets"}, {"drain_seconds": -1}):
        with pytest.raises(ValueError):
            Settings(**wrong)
    with pytest.raises(ValueError, match="twice"):
        _ = Settings(adapters=("chat",)).named_adapters
