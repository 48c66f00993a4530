"""nanoGPT as a peer: without a clone one sentence says what to do, and a held-out loss is that of all windows."""

from __future__ import annotations

import pytest
import torch

from helpers.old.pretraining import surprise
from helpers.old.pretraining.bits import token_losses
from tests.benchmarks.nano_peer import NanoGPT, NotHere, held_out_nats
from tests.pretraining.texts import small_data, small_gpt


@pytest.mark.parametrize("named", [None, "", "no/such/folder"])
def test_without_a_clone_it_says_what_to_clone(monkeypatch, named):
    if named is None:
        monkeypatch.delenv("NANOGPT", raising=False)
    else:
        monkeypatch.setenv("NANOGPT", named)
    with pytest.raises(NotHere, match="git clone https://github.com/karpathy/nanoGPT .* NANOGPT"):
        NanoGPT.found()


def test_the_held_out_loss_is_the_courses_surprise_in_the_same_windows():
    data = small_data()
    model = small_gpt(data.vocab_size, max_len=64).eval()

    def loss_of(ids, following):
        rows = torch.cat([ids, following[:, -1:]], dim=1)
        return token_losses(model, rows).mean()

    found = held_out_nats(loss_of, data.held_out)
    assert found == pytest.approx(surprise(model, data.held_out, 64).nats, abs=1e-5)
