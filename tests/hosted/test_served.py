"""The server that a lesson asks: the one that MODEL names, or the course's own, started once."""

from __future__ import annotations

import os
import sys

import pytest

from helpers import hosted
from helpers.models import ModelUnavailable


def test_an_address_is_taken_as_it_is_and_nothing_is_started():
    assert hosted.served("small@http://localhost:1234") == ("http://localhost:1234/v1", "small", "none")
    assert not hosted._started


def test_a_vendors_key_comes_from_its_variable(monkeypatch):
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="set the environment variable GROQ_API_KEY"):
        hosted.served("m@https://api.groq.com/openai/v1")
    monkeypatch.setenv("GROQ_API_KEY", "sk-secret")
    assert hosted.served("m@https://api.groq.com/openai/v1")[2] == "sk-secret"


def test_a_model_that_nobody_serves_is_one_sentence():
    with pytest.raises(ModelUnavailable, match='Qwen/Qwen3-0.6B is served nowhere: write MODEL = "course"'):
        hosted.served("Qwen/Qwen3-0.6B")


def test_a_server_that_does_not_start_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false" if os.name != "nt" else sys.executable)
    with pytest.raises(ModelUnavailable, match="did not start: run `-m helpers.serving"):
        hosted.served(adapter="no-such-adapter")
