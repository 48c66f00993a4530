"""A request that makes no sense is refused in one sentence before it reaches the engine."""

from __future__ import annotations

import pytest

from helpers.old.serving import Ask


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"prompt": ()}, "at least one token"),
        ({"prompt": ("a",)}, "token id"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"max_new_tokens": True}, "max_new_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"stop": "\n"}, "tuple of strings"),
        ({"stop": ("",)}, "not empty"),
        ({"seed": 2**63}, "64 bits"),
        ({"logprobs": 21}, "from 0 to 20"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Ask(**{"prompt": (1, 2)} | settings)
    Ask(prompt=(1, 2))
