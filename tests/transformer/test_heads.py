"""Single heads: what a score rewards, what silencing takes away, and that a rerun from the middle is the whole run."""

from __future__ import annotations

import pytest
import torch

from helpers.attention import causal_mask
from helpers.old.transformer import induction_score, repeated_tokens
from helpers.transformer import Llama, LlamaConfig

CONFIG = LlamaConfig(vocab_size=211, d_model=24, n_layers=3, n_heads=4, n_kv_heads=2, head_dim=6, d_ff=32)


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    made = Llama(CONFIG).eval()
    with torch.no_grad():
        for parameter in made.parameters():  # larger than at the start of training, so that every head counts
            parameter.mul_(8 if parameter.ndim > 1 else 1)
    return made


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return repeated_tokens(2, 5, CONFIG.vocab_size, seed=0)


def test_the_second_half_repeats_the_first_and_seeds_differ():
    ids = repeated_tokens(3, 7, 500, seed=1)
    assert ids.shape == (3, 14) and torch.equal(ids[:, :7], ids[:, 7:])
    assert ids.min() >= 100 and ids.max() < 500
    assert torch.equal(ids, repeated_tokens(3, 7, 500, seed=1))
    assert not torch.equal(ids, repeated_tokens(3, 7, 500, seed=2))


@pytest.mark.parametrize("arguments", [(2, 5, 100), (0, 5, 500), (2, 0, 500)])
def test_nothing_to_draw_is_refused(arguments):
    with pytest.raises(ValueError, match="needs a vocabulary of more than 100"):
        repeated_tokens(*arguments)


def test_only_the_token_after_the_earlier_one_is_rewarded():
    length = 4
    perfect = torch.zeros(2 * length, 2 * length)
    for t in range(length, 2 * length):
        perfect[t, t - length + 1] = 1
    assert induction_score(perfect, length) == 1
    assert induction_score(perfect.roll(-1, dims=1), length) == 0  # the same token
    assert induction_score(torch.eye(2 * length), length) == 0
    first_half = torch.zeros(2 * length, 2 * length)
    first_half[:length] = 1
    assert induction_score(first_half, length) == 0


def test_every_head_and_text_gets_its_own_score():
    even = causal_mask(6).float() / causal_mask(6).sum(1, keepdim=True)
    weights = torch.stack([even, torch.zeros(6, 6)]).expand(3, 2, 6, 6)
    expected = sum(1 / n for n in (4, 5, 6)) / 3
    assert induction_score(weights, 3).shape == (3, 2)
    torch.testing.assert_close(induction_score(weights, 3)[0], torch.tensor([expected, 0.0]))
