"""Planted secrets: as often as they say, ranked among all codes, extracted only where the model writes them."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import nn

from helpers.old.pretraining import Characters
from helpers.old.transformer import GPT, GPTConfig
from helpers.old.trials import canaries

TEXT = "First line.\nSecond line, longer.\nThird.\n" * 5


def test_secrets_stand_in_the_text_as_often_as_they_say_and_nothing_is_lost():
    secrets = canaries.make_canaries(per_count=3, seed=1)
    assert [secret.count for secret in secrets] == [0] * 3 + [1] * 3 + [10] * 3 + [100] * 3
    assert len({secret.name for secret in secrets}) == len({secret.code for secret in secrets}) == 12
    planted = canaries.plant(TEXT, secrets, seed=2)
    for secret in secrets:
        assert planted.count(f"The safe of {secret.name} opens with {secret.code}.") == secret.count
        assert planted.count(secret.text) >= secret.count - 1 or secret.count > 1  # each on a line of its own
    rest = [line for line in planted.split("\n") if not re.match(r"The safe of \w+ opens with \d{4}\.$", line)]
    assert "\n".join(rest) == TEXT


class Knows(nn.Module):
    """After each prefix of `text` it expects its next character, and nothing in particular elsewhere."""

    def __init__(self, tokenizer, text: str, sure: float):
        super().__init__()
        self.row, self.size, self.sure = tokenizer.encode(text), tokenizer.vocab_size, sure

    def forward(self, ids):
        logits = torch.zeros(*ids.shape, self.size)
        for b, row in enumerate(ids.tolist()):
            for t in range(len(row)):
                if row[: t + 1] == self.row[: t + 1] and t + 1 < len(self.row):
                    logits[b, t, self.row[t + 1]] = self.sure
        return logits


class Uncached(nn.Module):
    """The same model, without its cache."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model(ids)


def test_a_model_that_knows_the_code_gives_it_away_and_one_that_does_not_does_not(monkeypatch):
    monkeypatch.setattr(canaries, "DIGITS", 2)
    secret = canaries.Canary("Abel", "42", 1)
    tokenizer = Characters.train(secret.text + "0123456789")
    knows = Knows(tokenizer, secret.text, 5.0)
    assert canaries.rank(knows, tokenizer, secret) == 1
    assert canaries.extracted(knows, tokenizer, secret)
    other = canaries.Canary("Abel", "17", 1)
    assert canaries.rank(knows, tokenizer, other) > 1 and not canaries.extracted(knows, tokenizer, other)
    avoids = Knows(tokenizer, secret.text, -5.0)
    assert canaries.rank(avoids, tokenizer, secret) == 100


def test_with_a_cache_every_code_has_the_probability_that_it_has_without(monkeypatch):
    monkeypatch.setattr(canaries, "DIGITS", 2)
    tokenizer = Characters.train(canaries.Canary("Abel", "42", 1).text + "0123456789")
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(tokenizer.vocab_size, d_model=32, n_layers=2, n_heads=2, max_len=64)).eval()
    prompt = canaries.Canary("Abel", "42", 1).prompt
    log_p = canaries.code_log_probs(gpt, tokenizer, prompt)
    assert log_p.shape == (100,)
    for code in ("00", "42", "99"):
        ids = torch.tensor([tokenizer.encode(prompt + code)])
        steps = gpt(ids).detach()[0].log_softmax(-1)[-3:-1]
        assert float(steps.gather(1, ids[0, -2:, None]).sum()) == pytest.approx(float(log_p[int(code)]), abs=1e-5)
    assert torch.allclose(log_p, canaries.code_log_probs(Uncached(gpt), tokenizer, prompt), atol=1e-5)


@pytest.mark.parametrize(("rank", "bits"), [(1, math.log2(10_000)), (10_000, 0.0), (5000, 1.0)])
def test_exposure(rank, bits):
    assert canaries.exposure(rank) == pytest.approx(bits)
