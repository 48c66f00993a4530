"""A token passes its experts and no other, the balance evens their loads, and a killed run goes on as it would have."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from helpers.old.pretraining import (
    MixtureOfExperts,
    Recipe,
    count_parameters,
    expert_loads,
    pretrain,
    with_experts,
)
from tests.pretraining.texts import small_data, small_gpt


def mixture(n_experts=4, top_k=1, seed=0, **options):
    torch.manual_seed(seed)
    return MixtureOfExperts(8, 16, n_experts, top_k, **options).eval()


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_it_is_the_weighted_sum_of_the_experts_with_the_highest_scores(top_k):
    layer, x = mixture(top_k=top_k), torch.randn(2, 5, 8)
    with torch.no_grad():
        found = layer(x)
        for b in range(2):
            for t in range(5):
                scores = torch.sigmoid(layer.router.weight @ x[b, t])
                best = sorted(range(4), key=lambda e: -scores[e])[:top_k]
                wanted = sum(
                    scores[e] * (F.silu(x[b, t] @ layer.gate[e]) * (x[b, t] @ layer.up[e])) @ layer.down[e]
                    for e in best
                )
                assert torch.allclose(found[b, t], wanted, atol=1e-7)
    assert layer.load.sum() == pytest.approx(1)


def test_the_bias_changes_who_is_chosen_and_not_what_is_multiplied():
    layer, x = mixture(), torch.randn(1, 6, 8)
    layer.bias.copy_(torch.tensor([0.0, 0.0, 9.0, 0.0]))
    with torch.no_grad():
        found = layer(x)[0]
        score = torch.sigmoid(x[0] @ layer.router.weight[2])
        assert torch.allclose(found, score[:, None] * layer.expert(2, x[0]), atol=1e-7)
    assert layer.load.tolist() == [0, 0, 1, 0]


def test_the_balance_evens_the_loads_of_experts_that_nobody_would_choose():
    torch.manual_seed(1)
    x = torch.randn(1, 400, 8) + 2.0  # tokens that are alike: the scores alone send nearly all to one expert
    found = {}
    for balance in (0.0, 0.02):
        layer = mixture(balance=balance).train()
        for _ in range(200):
            layer(x)
        found[balance] = layer.load.max().item()
    assert found[0.0] > 0.6 and found[0.02] < 0.35


def test_reading_a_text_moves_nothing():
    layer = mixture(balance=0.5)
    layer(torch.randn(1, 9, 8))
    assert layer.bias.eq(0).all()


def test_the_router_learns_from_what_its_experts_return():
    layer = mixture().train()
    layer(torch.randn(1, 9, 8)).square().sum().backward()
    assert layer.router.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("top_k", [1, 2])
def test_active_parameters_stay_and_all_parameters_grow(top_k):
    dense, sparse = small_gpt(50), with_experts(small_gpt(50), n_experts=8, top_k=top_k)
    before, after = count_parameters(dense), count_parameters(sparse)
    routers = 2 * 8 * 32
    assert after.multiplied == before.multiplied + routers
    experts = sum(block.feed_forward.up_proj.weight.numel() * 3 for block in dense.blocks)
    assert after.inside == before.inside + routers + (8 // top_k - 1) * experts


def test_a_model_with_experts_learns_and_goes_on_where_it_was_stopped(tmp_path):
    data, recipe = small_data(), Recipe(steps=12, batch=4, length=16, warmup=2)

    def model():
        return with_experts(small_gpt(data.vocab_size), n_experts=4)

    whole = model()
    run = pretrain(whole, data, recipe, evaluate_windows=4)
    assert run.losses[-1] < run.losses[0] - 0.3

    class Stop(Exception):
        pass

    def stop(done, run):
        if done == 8:
            raise Stop

    with pytest.raises(Stop):
        pretrain(model(), data, recipe, folder=tmp_path, save_every=6, evaluate_every=8, on_look=stop)
    resumed = model()
    pretrain(resumed, data, recipe, folder=tmp_path, save_every=6, evaluate_windows=4)
    theirs = resumed.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in whole.state_dict().items() if "load" not in name)
    assert expert_loads(resumed).shape == (2, 4)


def test_a_router_that_does_not_learn_stays_as_it_was_drawn():
    data = small_data()
    model = with_experts(small_gpt(data.vocab_size), n_experts=4, learned_router=False)
    before = [block.feed_forward.router.weight.clone() for block in model.blocks]
    pretrain(model, data, Recipe(steps=2, batch=2, length=16, warmup=0), evaluate_windows=2)
    assert all(torch.equal(w, block.feed_forward.router.weight) for w, block in zip(before, model.blocks, strict=True))


@pytest.mark.parametrize("top_k", [0, 5])
def test_a_token_passes_at_least_one_expert_and_at_most_all(top_k):
    with pytest.raises(ValueError, match="between 1 and all 4"):
        MixtureOfExperts(8, 16, 4, top_k)


def test_a_width_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="do not divide"):
        with_experts(small_gpt(50), n_experts=8, top_k=7)
