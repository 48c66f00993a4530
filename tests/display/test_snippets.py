"""Old code run as it stands: its error is printed, and the hub looks the same from every machine."""

from __future__ import annotations

import os

import pytest

from helpers.display import failing, first_words, no_hub


def test_the_kind_and_first_words_of_an_error_are_printed_and_the_error_is_gone(capsys):
    with failing():
        raise TypeError("\nno such word\nTraceback …")
    assert capsys.readouterr().out == "TypeError: no such word\n"


def test_code_that_runs_is_said_to_run(capsys):
    with failing():
        pass
    assert capsys.readouterr().out == "No error.\n"


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt), failing():
        raise KeyboardInterrupt


def test_a_long_message_is_cut_behind_a_sentence_or_within_one():
    assert first_words("One is short. Two is longer.", 20) == "One is short."
    assert first_words("Onewordwithoutanyend" * 3, 20) == "Onewordwithoutanyen…"
    assert first_words("short", 20) == "short" and first_words("", 20) == ""


def test_the_hub_is_offline_and_its_cache_empty_whatever_the_machine_has(monkeypatch, tmp_path):
    from huggingface_hub import constants
    from transformers import AutoTokenizer

    (tmp_path / "models--gpt2").mkdir()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with no_hub():
        assert constants.HF_HUB_CACHE != str(tmp_path) and constants.is_offline_mode()
        with pytest.raises(OSError, match="couldn't find them in the cached files"):
            AutoTokenizer.from_pretrained("gpt2")
    assert str(tmp_path) == constants.HF_HUB_CACHE and not constants.HF_HUB_OFFLINE
    assert "HF_HUB_OFFLINE" not in os.environ


def test_the_hub_is_as_it_was_after_an_error():
    from huggingface_hub import constants

    before = constants.HF_HUB_CACHE
    with pytest.raises(ValueError), no_hub():
        raise ValueError
    assert before == constants.HF_HUB_CACHE
