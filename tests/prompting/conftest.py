"""The chat model's tokenizer, loaded once."""

from __future__ import annotations

import pytest

from helpers.models import fetch


@pytest.fixture(scope="session")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)
