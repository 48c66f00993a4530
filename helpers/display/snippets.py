"""Code from older tutorials, run as it stands: its errors are caught and read, not left in the notebook.

    with no_hub(), failing():
        pipeline("text-generation", model="gpt2", load_in_8bit=True)
    # OSError: We couldn't connect to …

What it does not do: keep old versions of libraries. What fails here fails with those that the course runs on.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

SENTENCE = re.compile(r"(?<=[.!?:])\s")


@contextmanager
def failing(length: int = 200) -> Iterator[None]:
    """Print the kind and the first words of the error that the block raises, or say that it raises none.

    length: characters at most, cut behind a sentence where one ends. Ctrl-C and the like are not caught.
    """
    try:
        yield
    except Exception as error:
        print(f"{type(error).__name__}: {first_words(str(error), length)}")
    else:
        print("No error.")


def first_words(message: str, length: int = 200) -> str:
    """The first line of a message, at most `length` characters of it; whole sentences where the first one fits."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    if len(line) <= length:
        return line
    kept = ""
    for sentence in SENTENCE.split(line):
        if len(kept) + len(sentence) > length:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or line[: length - 1].rstrip() + "…"


@contextmanager
def no_hub() -> Iterator[None]:
    """The model hub as a machine without a network sees it: offline, and nothing fetched before.

    So an error that a missing model gives is the same everywhere, also where the network is on or the cache is full.
    """
    from huggingface_hub import constants

    with tempfile.TemporaryDirectory() as empty, ExitStack() as changed:
        changed.enter_context(patch.object(constants, "HF_HUB_OFFLINE", True))
        changed.enter_context(patch.object(constants, "HF_HUB_CACHE", empty))
        changed.enter_context(patch.dict(os.environ, {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": empty}))
        yield
