"""A model of random weights whose tokens are letters, for the trials that only need some model."""

from __future__ import annotations

import pytest
import torch

from helpers.transformer import Llama, LlamaConfig


class Letters:
    """Each character's place in the alphabet is its id."""

    def __call__(self, text: str) -> dict:
        return {"input_ids": [ord(c) % 40 for c in text]}


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    model = Llama(LlamaConfig(40, 16, 2, 2, 24)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.4)
    return model
