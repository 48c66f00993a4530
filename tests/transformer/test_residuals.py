"""Reading the residual stream: equal to the model's own run, layer by layer; and the pairs of facts."""

from __future__ import annotations

import pytest
import torch

from helpers.old.transformer import residual_stream
from helpers.old.trials.moved_facts import Fact, facts
from helpers.transformer import Llama, LlamaConfig

N_LAYERS, WIDTH, HEADS = 4, 24, 3


@pytest.fixture(scope="module")
def model() -> Llama:
    torch.manual_seed(0)
    model = Llama(LlamaConfig(41, WIDTH, N_LAYERS, HEADS, 32, n_kv_heads=1)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.3)  # large enough for every part to show
    return model.requires_grad_(False)


@pytest.fixture
def texts() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randint(41, (1, 6), generator=generator) for _ in range(2))


def test_the_last_layer_of_the_stream_gives_the_models_logits(model, texts):
    stream = residual_stream(model, texts[0])
    assert stream.shape == (N_LAYERS + 1, 1, 6, WIDTH)
    assert torch.equal(stream[0], model.embedding(texts[0]))
    assert torch.allclose(model.head(model.norm(stream[-1])), model(texts[0]), atol=1e-5)


def test_each_layer_is_what_the_next_block_reads(model, texts):
    read = []
    handles = [block.register_forward_pre_hook(lambda _, args: read.append(args[0])) for block in model.blocks]
    try:
        stream = residual_stream(model, texts[0])
    finally:
        for handle in handles:
            handle.remove()
    assert torch.equal(stream[:-1], torch.stack(read))
    assert not torch.allclose(stream[1], stream[2], atol=1e-3)


def test_a_fact_fills_its_template_and_refuses_what_is_no_pair():
    fact = Fact("The home of {} is", "Ann", "Aberdeen", "Ben", "Bonn")
    assert fact.prompts() == ("The home of Ann is", "The home of Ben is") and str(fact) == "Ann → Ben"
    with pytest.raises(ValueError, match="needs one"):
        Fact("The home of is", "Ann", "Aberdeen", "Ben", "Bonn")
    with pytest.raises(ValueError, match="two different answers"):
        Fact("The home of {} is", "Ann", "Bonn", "Ben", "Bonn")
    with pytest.raises(ValueError, match="no family 'colors'"):
        facts("colors")
