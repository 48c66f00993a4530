"""Where the conventions agree, a library that professionals use allows the same tokens in every state."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.models import fetch
from tests.benchmarks.grammar_peers import peers
from tests.benchmarks.sweep_constrained import ALIKE, ticket_form
from tests.tools.optional import needs


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


@needs("xgrammar", extra="compare")
def test_the_masks_are_those_of_xgrammar(tokenizer):
    ours, theirs = peers(tokenizer, ("ours", "xgrammar"))
    for kind, grammar in ALIKE.values():
        grammar = ticket_form() if grammar == "form" else grammar
        mine, other = (getattr(peer, kind)(grammar) for peer in (ours, theirs))
        generator, token = torch.Generator().manual_seed(0), -1
        while token != tokenizer.eos_token_id:
            mask = mine.mask()
            assert np.array_equal(mask, other.mask())
            allowed = np.flatnonzero(mask)
            token = int(allowed[int(torch.randint(len(allowed), (1,), generator=generator))])
            if token != tokenizer.eos_token_id:
                mine.step(token)
                other.step(token)
