"""Corrections of low rank: equal to peft's, over a frozen base, merged, taken off, refused where they do not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.lora import (
    ALL_LINEAR,
    ATTENTION,
    LoRALinear,
    add_lora_,
    lora_layers,
    lora_parameters,
    merge_lora_,
    without_lora,
)
from helpers.old.training import Recipe, collate, loss_at_labels, train
from helpers.transformer import Llama, our_llama_name
from tests.tiny_models import llama, tokens
from tests.training.test_collation_and_losses import examples, small_llama


def stirred(model: nn.Module, seed: int = 1) -> nn.Module:
    """Corrections away from zero, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in lora_parameters(model):
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.mark.parametrize("trained", [False, True], ids=["as it starts", "as after training"])
def test_logits_loss_and_gradients_are_pefts(tmp_path, trained):
    peft = pytest.importorskip("peft")
    base = llama(tmp_path, num_attention_heads=4, num_key_value_heads=2)
    theirs = peft.get_peft_model(base, peft.LoraConfig(r=4, lora_alpha=12, target_modules=list(ALL_LINEAR)))
    ours = add_lora_(Llama.from_pretrained(tmp_path), rank=4, alpha=12)
    found = {n: p for n, p in theirs.named_parameters() if p.requires_grad}
    pairs = []
    for name, parameter in found.items():
        layer, part = name.removeprefix("base_model.model.").split(".lora_")
        pairs.append((parameter, getattr(lora_layers(ours)[our_llama_name(layer + ".")[:-1]], part[0])))
    assert len(pairs) == len(lora_parameters(ours)) == 2 * 2 * 7
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter, mine in pairs:
            assert parameter.shape == mine.shape
            if trained:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
            mine.copy_(parameter)
    batch = collate(examples(9, 4, 6, prompt=3))
    result = theirs(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels)
    torch.testing.assert_close(ours(batch.ids, mask=batch.mask)[batch.mask], result.logits[batch.mask])
    loss = loss_at_labels(ours, batch) / batch.n_labels
    torch.testing.assert_close(loss, result.loss)
    result.loss.backward()
    loss.backward()
    for parameter, mine in pairs:
        torch.testing.assert_close(mine.grad, parameter.grad, atol=1e-5, rtol=1e-4)
    assert max(mine.grad.abs().max() for _, mine in pairs) > 1e-3


def test_the_start_is_drawn_as_pefts_is():
    peft = pytest.importorskip("peft")
    linear = nn.Linear(64, 32)
    torch.manual_seed(5)
    ours = LoRALinear(linear, rank=8, alpha=16)
    holder = nn.ModuleDict({"x": nn.Linear(64, 32)})
    torch.manual_seed(5)
    theirs = peft.LoraConfig(r=8, target_modules=["x"])
    theirs = peft.inject_adapter_in_model(theirs, holder)["x"].lora_A["default"].weight
    bound = 64**-0.5  # uniform on (−bound, bound), whose standard deviation is bound / √3
    for drawn in (ours.A, theirs):
        assert drawn.abs().max() <= bound
        assert float(drawn.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.15)
    assert not ours.B.any()


@torch.no_grad()
def test_at_first_the_model_is_what_it_was():
    ids = tokens(2, 9)
    expected = small_llama()(ids)
    assert torch.equal(add_lora_(small_llama(), 4, 8)(ids), expected)


def test_only_the_corrections_are_trained_and_they_are_as_many_as_arithmetic_says():
    model = add_lora_(small_llama(), 4, 8, ATTENTION)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert {id(p) for p in trained} == {id(p) for p in lora_parameters(model)}
    # d_model 32, 4 heads of 8, 2 for keys and values: (in + out) · rank of q, k, v and o, in 3 blocks
    assert sum(p.numel() for p in trained) == 3 * 4 * ((32 + 32) + (32 + 16) * 2 + (32 + 32))


def test_a_plain_linear_layer_is_corrected_by_b_times_a():
    torch.manual_seed(0)
    linear = nn.Linear(5, 3)
    layer = LoRALinear(linear, rank=2, alpha=6)
    with torch.no_grad():
        layer.B.normal_()
        x = torch.randn(4, 5)
        expected = x @ (linear.weight + 3 * layer.B @ layer.A).T + linear.bias
        torch.testing.assert_close(layer(x), expected)
        torch.testing.assert_close(layer.merged()(x), expected)


@torch.no_grad()
def test_merged_it_says_the_same_with_the_layers_that_it_had():
    model, ids = stirred(add_lora_(small_llama(), 4, 8)), tokens(2, 9)
    expected = model(ids)
    merge_lora_(model)
    assert not lora_layers(model)
    assert model.state_dict().keys() == small_llama().state_dict().keys()
    torch.testing.assert_close(model(ids), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_without_its_corrections_it_answers_as_before_training():
    model, ids = stirred(add_lora_(small_llama(), 4, 8)), tokens(2, 9)
    with_them = model(ids)
    with without_lora(model):
        assert torch.equal(model(ids), small_llama()(ids))
    assert torch.equal(model(ids), with_them)
    with pytest.raises(KeyError), without_lora(model):
        raise KeyError
    assert torch.equal(model(ids), with_them)


@torch.no_grad()
def test_in_bfloat16_the_base_stays_and_the_corrections_are_float32():
    model = add_lora_(small_llama().bfloat16(), 4, 8)
    assert model(tokens(1, 5)).dtype == torch.bfloat16
    assert {p.dtype for p in lora_parameters(model)} == {torch.float32}


def test_what_makes_no_sense_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="No linear layer of this model is called 'c_attn'"):
        add_lora_(small_llama(), 4, 8, ("q_proj", "c_attn"))
    with pytest.raises(ValueError, match="called 'c_attn': name some of q_proj, k_proj, .*head in `targets`"):
        add_lora_(small_llama(), 4, 8, ("c_attn",))
    for rank in (0, 17):  # keys and values are 16 wide
        with pytest.raises(ValueError, match="rank is at least 1 and at most 16"):
            add_lora_(small_llama(), rank, 8, ("k_proj",))
    with pytest.raises(ValueError, match="has LoRA layers already"):
        add_lora_(add_lora_(small_llama(), 4, 8), 4, 8)
    for needs_some in (lora_parameters, merge_lora_):
        with pytest.raises(ValueError, match="no LoRA layers"):
            needs_some(small_llama())


def test_a_trained_adapter_knows_its_examples_and_can_be_taken_off():
    model, texts = add_lora_(small_llama(), 8, 16), examples(8, 5, 9)
    batch = collate(texts)
    with torch.no_grad():
        before = float(loss_at_labels(model, batch))
    train(model, texts, Recipe(60, 2e-2, batch=3, warmup=3))
    with torch.no_grad():
        assert float(loss_at_labels(model, batch)) < 0.2 * before
        with without_lora(model):
            assert float(loss_at_labels(model, batch)) == pytest.approx(before, rel=1e-6)
