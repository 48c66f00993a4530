"""Servers that are started for a measurement end with it, and a missing one is named in a sentence."""

from __future__ import annotations

import sys
import urllib.request

import psutil
import pytest

from tests.benchmarks import load_trials, peers

PARENT = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""


@pytest.fixture
def fake(monkeypatch, tmp_path):
    def use(*command, health="/"):
        monkeypatch.chdir(tmp_path)
        peer = peers.Peer(lambda port: (sys.executable, *command, str(port)), lambda: "fake", "none", health=health)
        monkeypatch.setitem(peers.PEERS, "fake", peer)

    return use


def test_a_server_ends_with_its_block_and_so_do_the_processes_that_it_started(fake):
    fake("-c", PARENT)
    with pytest.raises(ZeroDivisionError), peers.started("fake") as server:
        family = server.tree()
        assert len(family) == 2 and server.memory_mb() > 1
        with urllib.request.urlopen(server.base_url.removesuffix("/v1")) as answer:
            assert answer.status == 200
        assert 0 < server.cpu_seconds() < 60
        _ = 1 / 0
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


def test_a_server_that_ends_at_once_is_named(fake):
    fake("-c", "raise SystemExit(3)")
    with pytest.raises(peers.NotHere, match="fake did not start: it ended"), peers.started("fake"):
        pass


def test_a_server_that_never_answers_is_named_and_ended(fake):
    fake("-c", PARENT, health="/no-such-page")
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(peers.NotHere, match="it never answered"), peers.started("fake", seconds=1):
        pass
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_missing_environment_is_a_sentence_of_the_result(monkeypatch):
    monkeypatch.delenv(peers.LLAMACPP, raising=False)
    monkeypatch.setattr(load_trials, "MISSING", {})
    for _ in range(2):
        found = load_trials.trial("llama.cpp", 1, 1)
        assert found == {"not measured": f"{peers.LLAMACPP} does not name the Python of its environment."}
