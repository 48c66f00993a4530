"""Reading and exchanging the residual stream: equal to the model's own run, and to one that is hooked by hand."""

from __future__ import annotations

import pytest
import torch

from helpers.transformer import (
    Llama,
    LlamaConfig,
    flip_layer,
    residual_stream,
    swap_at_every_layer,
    swap_heads,
    swap_residual,
)
from helpers.trials.moved_facts import Fact, answer_ids, facts

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


def hooked(model: Llama, ids: torch.Tensor, layer: int, vector: torch.Tensor, position: int) -> torch.Tensor:
    """The same swap by a hook on what reads the stream."""

    def put(_, args):
        x = args[0].clone()
        x[:, position] = vector
        return (x,)

    reader = model.blocks[layer] if layer < N_LAYERS else model.norm
    handle = reader.register_forward_pre_hook(put)
    try:
        return model(ids)[:, -1]
    finally:
        handle.remove()


def test_the_last_layer_of_the_stream_gives_the_models_logits(model, texts):
    stream = residual_stream(model, texts[0])
    assert stream.shape == (N_LAYERS + 1, 1, 6, WIDTH)
    assert torch.equal(stream[0], model.embedding(texts[0]))
    assert torch.allclose(model.head(model.norm(stream[-1])), model(texts[0]), atol=1e-5)


@pytest.mark.parametrize("position", [-1, 0, 3])
@pytest.mark.parametrize("layer", range(N_LAYERS + 1))
def test_a_swap_equals_one_made_by_a_hook(model, texts, layer, position):
    vector = residual_stream(model, texts[1])[layer, 0, position]
    before = model.embedding.weight.clone()
    swapped = swap_residual(model, texts[0], layer, vector, position)
    assert torch.allclose(swapped, hooked(model, texts[0], layer, vector, position), atol=1e-5)
    assert torch.equal(model.embedding.weight, before)


def test_swapping_in_its_own_vector_changes_nothing(model, texts):
    stream = residual_stream(model, texts[0])
    for layer in range(N_LAYERS + 1):
        assert torch.allclose(swap_residual(model, texts[0], layer, stream[layer, 0, 2], 2), model(texts[0])[:, -1],
                              atol=1e-5)  # fmt: skip


@pytest.mark.parametrize("layers", [None, [0, 2, 4], [3], [4]])
@pytest.mark.parametrize("position", [-1, 2])
def test_all_layers_in_one_pass_equal_one_at_a_time(model, texts, layers, position):
    vectors = residual_stream(model, texts[1])[:, 0, position]
    together = swap_at_every_layer(model, texts[0], vectors, position, layers)
    wanted = range(N_LAYERS + 1) if layers is None else layers
    alone = [swap_residual(model, texts[0], layer, vectors[layer], position) for layer in wanted]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)  # another order of sums


def test_swapping_heads_one_by_one_adds_up_to_the_attention_of_the_other_text(model, texts):
    """In the last block a head's output reaches the stream linearly, before norm and feed-forward bend it."""
    added = []
    attention = model.blocks[-1].attention
    handle = attention.register_forward_hook(lambda _, args, out: added.append(out[:, -1].clone()))
    try:
        swap_heads(model, texts[0], texts[1], N_LAYERS)
        model(texts[0])
    finally:
        handle.remove()
    other, by_head, own = added  # (1, C), (H, C), (1, C)
    assert torch.allclose((by_head - own).sum(0), (other - own)[0], atol=1e-4)
    assert not torch.allclose(by_head[0], by_head[1], atol=1e-3)


def test_swapping_heads_leaves_the_model_as_it_was(model, texts):
    before = model(texts[0])
    swap_heads(model, texts[0], texts[1], 2)
    assert torch.equal(model(texts[0]), before)
    assert all(not module._forward_pre_hooks for module in model.modules())


def test_from_the_same_text_no_head_changes_anything(model, texts):
    logits = swap_heads(model, texts[0], texts[0], 2)
    assert torch.allclose(logits, model(texts[0])[:, -1].expand(HEADS, -1), atol=1e-5)


def test_the_flip_is_the_first_layer_that_stays_below_zero():
    assert flip_layer([7.3, 7.2, -6.4, -6.1]) == 2
    assert flip_layer([1.0, -1.0, 2.0, -3.0]) == 3  # it came back in between
    assert flip_layer([-1.0, -2.0]) == 0
    assert flip_layer([1.0, -1.0, 0.0]) is None
    assert flip_layer(torch.tensor([3.0, -0.5])) == 1


@pytest.mark.parametrize("layer", [-1, N_LAYERS + 1])
def test_a_layer_that_does_not_exist_is_refused(model, texts, layer):
    with pytest.raises(ValueError, match=f"no layer {layer}"):
        swap_residual(model, texts[0], layer, torch.zeros(WIDTH))
    with pytest.raises(ValueError, match="no layer"):
        swap_at_every_layer(model, texts[0], torch.zeros(N_LAYERS + 1, WIDTH), layers=[layer])


def test_impossible_requests_are_refused_in_one_sentence(model, texts):
    vectors = torch.zeros(N_LAYERS + 1, WIDTH)
    with pytest.raises(ValueError, match="one text"):
        swap_at_every_layer(model, texts[0].expand(2, -1), vectors)
    with pytest.raises(ValueError, match="rising order"):
        swap_at_every_layer(model, texts[0], vectors, layers=[2, 1])
    with pytest.raises(ValueError, match="no block 0"):
        swap_heads(model, texts[0], texts[1], 0)


class Words:
    """A tokenizer of words that start with one of three letters."""

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": ["abc".index(word[0]) for word in text.split()]}


def test_a_fact_fills_its_template_and_refuses_what_is_no_pair():
    fact = Fact("The home of {} is", "Ann", "Aberdeen", "Ben", "Bonn")
    assert fact.prompts() == ("The home of Ann is", "The home of Ben is") and str(fact) == "Ann → Ben"
    assert answer_ids(Words(), Fact("{}", "x", "apple", "y", "bread")) == (0, 1)
    with pytest.raises(ValueError, match="same token"):
        answer_ids(Words(), Fact("{}", "x", "apple", "y", "avocado"))
    with pytest.raises(ValueError, match="needs one"):
        Fact("The home of is", "Ann", "Aberdeen", "Ben", "Bonn")
    with pytest.raises(ValueError, match="two different answers"):
        Fact("The home of {} is", "Ann", "Bonn", "Ben", "Bonn")
    with pytest.raises(ValueError, match="no family 'colors'"):
        facts("colors")
