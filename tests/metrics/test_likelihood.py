"""Perplexity and bits per byte: equal to one pass where the text fits, and to the generation room's own computation."""

from __future__ import annotations

import math

import pytest
import torch

from helpers.old.metrics import Perplexity
from helpers.old.metrics.windows import windows
from helpers.transformer import Llama, LlamaConfig


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: list[int]) -> str:
        return bytes(ids).decode(errors="replace")


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=256, d_model=32, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=64, max_len=256)
    model = Llama(config).eval()
    with torch.no_grad():  # fresh weights hardly look at what stands before
        for weight in model.parameters():
            weight.mul_(8.0 if weight.dim() == 2 else 1.0)
    return model


def directly(model, text: str, prompt: str = "") -> tuple[float, int]:
    """The library's loss over everything at once: nats, and over how many tokens."""
    ids = torch.tensor([list((prompt + text).encode())])
    with torch.no_grad():
        logits = model(ids)
    start = max(len(prompt.encode()), 1)
    loss = torch.nn.functional.cross_entropy(logits[0, start - 1 : -1], ids[0, start:], reduction="sum")
    return float(loss), ids.shape[1] - start


TEXTS = ["Is the battery under warranty?", "Yes", "The price is 49 € and not 94 €, as it was last year."]


def test_it_equals_one_pass_where_the_text_fits(model):
    each = Perplexity(model, Bytes()).each(predictions=TEXTS)
    direct = [directly(model, text) for text in TEXTS]
    assert each["perplexity"] == pytest.approx([math.exp(nats / n) for nats, n in direct], rel=1e-5)
    assert each["bits_per_byte"] == pytest.approx([nats / n / math.log(2) for nats, n in direct], rel=1e-5)
    total = Perplexity(model, Bytes()).compute(predictions=TEXTS)
    nats, tokens = map(sum, zip(*direct, strict=True))
    assert total["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert total["bits_per_byte"] == pytest.approx(nats / tokens / math.log(2), rel=1e-5)


def test_a_prompt_is_read_and_not_scored(model):
    found = Perplexity(model, Bytes(), prompt="What does it cost? ").compute(predictions=["49 €"])
    nats, tokens = directly(model, "49 €", prompt="What does it cost? ")
    assert tokens == 6  # the euro sign is three bytes
    assert found["perplexity"] == pytest.approx(math.exp(nats / 6), rel=1e-5)
    assert found["bits_per_byte"] == pytest.approx(nats / 6 / math.log(2), rel=1e-5)
    assert found != Perplexity(model, Bytes()).compute(predictions=["49 €"])


def test_with_a_stride_each_token_sees_no_more_than_its_window(model):
    text = TEXTS[2] * 2
    whole = Perplexity(model, Bytes()).each(predictions=[text])["perplexity"][0]
    fits = Perplexity(model, Bytes(), context=256, stride=8).each(predictions=[text])["perplexity"][0]
    cut = Perplexity(model, Bytes(), context=8, stride=7).each(predictions=[text])["perplexity"][0]
    assert fits == whole != pytest.approx(cut, rel=1e-4)
    ids = list(text.encode())
    scored = []
    for start, end, n in windows(len(ids), 8, 7):  # each window by itself, as if nothing stood before it
        with torch.no_grad():
            log_probs = model(torch.tensor([ids[start:end]]))[0].log_softmax(dim=-1)
        scored += [-float(log_probs[t - start - 1, ids[t]]) for t in range(end - n, end)]
    assert len(scored) == len(ids) - 1
    assert cut == pytest.approx(math.exp(sum(scored) / len(scored)), rel=1e-5)


def test_every_token_is_scored_once_and_behind_what_the_stride_promises():
    for length, context, stride in [(10, 6, 2), (100, 16, 15), (7, 7, 3), (8, 7, 3), (50, 2, 1)]:
        scored = [t for start, end, n in windows(length, context, stride) for t in range(end - n, end)]
        assert scored == list(range(1, length))
        for start, end, n in windows(length, context, stride)[1:]:
            assert end - start == context and end - n - start >= context - stride


@pytest.mark.parametrize(("context", "stride"), [(1, 1), (8, 8), (8, 0), (8, 9)])
def test_wrong_windows_are_refused_at_once(model, context, stride):
    with pytest.raises(ValueError, match="a stride from 1 below it"):
        Perplexity(model, Bytes(), context=context, stride=stride)


def test_a_text_without_a_token_to_score_is_refused(model):
    for prompt, text in (("", ""), ("", "x"), ("Say it. ", "")):
        with pytest.raises(ValueError, match=r"predictions\[1\] has . tokens, and perplexity needs"):
            Perplexity(model, Bytes(), prompt=prompt).compute(predictions=["fine", text])
    assert Perplexity(model, Bytes(), prompt="Say it. ").compute(predictions=["x"])["perplexity"] > 1


def test_a_model_of_the_library_and_its_tokenizer_give_the_librarys_loss():
    from helpers.models import chat_model

    model, tokenizer = chat_model(dtype=torch.float32)
    text = "The warranty covers the battery for two years."
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        loss = model(ids, labels=ids).loss
    found = Perplexity(model, tokenizer).compute(predictions=[text], references=["not read"])
    assert found["perplexity"] == pytest.approx(math.exp(loss), rel=1e-4)
    first = len(tokenizer.decode(ids[0, :1]).encode())
    bits = float(loss) * (ids.shape[1] - 1) / math.log(2)
    assert found["bits_per_byte"] == pytest.approx(bits / (len(text) - first), rel=1e-4)
