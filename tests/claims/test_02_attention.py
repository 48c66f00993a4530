"""What the attention notebook and its quiz say in words and numbers, held against the thing itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import torch
from helpers.memory import kv_cache_bytes
from transformers import AutoTokenizer

from helpers.attention import keeping_weights
from helpers.files import RESULTS
from helpers.models import fetch
from helpers.transformer import (
    Llama,
    induction_score,
    losses_from,
    read_config,
    read_llama_config,
    repeated_tokens,
    states_before_layers,
)

RECORDED = json.loads((RESULTS / "02_heads.json").read_text(encoding="utf-8"))
N_HEADS = 9
TEXT = "The red bike is fast. The blue bike is slow. The red bike is"


@pytest.fixture(scope="module")
def scores() -> torch.Tensor:
    return torch.tensor([run["induction"] for run in RECORDED["runs"][1:]])  # (30, 9)


def test_the_model_has_the_sizes_that_the_text_names():
    config = read_llama_config(read_config(fetch("chat"), "llama"))
    assert (config.n_layers, config.n_heads, config.n_kv_heads, config.head_dim) == (30, N_HEADS, 3, 64)
    assert config.n_layers * config.n_heads == 270


def test_looking_evenly_over_16_tokens_gives_the_first_about_16_percent():
    assert float((1 / torch.arange(2, 17)).mean()) == pytest.approx(0.16, abs=0.005)


@torch.no_grad()
def test_more_than_half_of_all_attention_goes_to_the_first_token():
    tokenizer, model = AutoTokenizer.from_pretrained(fetch("chat")), Llama.from_pretrained(fetch("chat"))
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    assert ids.shape[1] == 16
    with keeping_weights(model) as attentions:
        model(ids)
        weights = torch.stack([attention.weights[0] for attention in attentions])
    assert 0.5 < float(weights[:, :, 1:, 0].mean()) < 0.65
    for share in (weights[:, :, 1:, 0], weights.diagonal(-1, 2, 3), weights.diagonal(0, 2, 3)[..., 1:]):
        assert float(share.mean(-1).max()) > 0.7  # for each way to look, some head looks that way nearly all the time


def test_other_tokens_find_about_as_many_copying_heads_in_the_same_layers(scores):
    dark = [divmod(int(i), N_HEADS) for i in (scores.flatten() > 0.3).nonzero().flatten()]
    assert 9 <= len(dark) <= 12 and all(17 <= layer <= 24 for layer, _ in dark)
    assert float((scores < 0.2).float().mean()) > 0.9  # most are pale


def test_twice_as_long_vectors_have_scores_larger_by_the_root_of_two():
    torch.manual_seed(0)
    spread = [float((torch.randn(20_000, d) * torch.randn(20_000, d)).sum(1).std()) for d in (64, 128)]
    assert spread[0] == pytest.approx(8, rel=0.03) and spread[1] / spread[0] == pytest.approx(2**0.5, rel=0.03)
    entropy = [
        float(torch.distributions.Categorical(logits=torch.randn(2000, 64) * size).entropy().mean())
        for size in (1, 2**0.5)
    ]
    assert entropy[1] < entropy[0]  # sharper


def test_fp16_ends_below_a_billion():
    assert torch.finfo(torch.float16).max == 65_504


class Ablations:
    """The chat model on the notebook's random tokens, with heads replaced by their averages."""

    def __init__(self) -> None:
        self.model = Llama.from_pretrained(fetch("chat"))
        self.ids = repeated_tokens(8, 16, self.model.config.vocab_size)
        with keeping_weights(self.model) as attentions:
            self.states = states_before_layers(self.model, self.ids)
            weights = torch.stack([attention.weights.mean(0) for attention in attentions])  # (30, 9, 32, 32)
        self.back = weights.diagonal(-1, 2, 3).mean(-1)  # (30, 9): share for the token before
        self.scores = induction_score(weights, 16)
        self.copiers = [divmod(int(i), N_HEADS) for i in self.scores.flatten().topk(5).indices]
        self.whole = self.loss(30)

    def loss(self, layer: int) -> torch.Tensor:
        return losses_from(self.model, self.ids, self.states[layer], layer)[:, 16:].mean(1)

    def without(self, *heads: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        """(8,) nats that the heads cost, and the score that each copier of a later layer has left, (copiers, 8)."""

        def exchange(layer: int) -> Callable[..., tuple[torch.Tensor]]:
            def averaged(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
                merged = inputs[0].clone()
                for own in (slice(64 * h, 64 * h + 64) for i, h in heads if i == layer):
                    merged[..., own] = merged[..., own].mean((0, 1))
                return (merged,)

            return averaged

        layers = sorted({layer for layer, _ in heads})
        with ExitStack() as hooks, keeping_weights(self.model) as attentions:
            for layer in layers:
                projection = self.model.blocks[layer].attention.o_proj
                hooks.callback(projection.register_forward_pre_hook(exchange(layer)).remove)
            cost = self.loss(layers[0]) - self.whole
            later = [(i, j) for i, j in self.copiers if i > layers[0]]
            found = [induction_score(attentions[i].weights, 16)[:, j] for i, j in later]
        return cost, torch.stack(found) if found else torch.empty(0, 8)


@pytest.fixture(scope="module")
def ablations() -> Ablations:
    with torch.no_grad():
        return Ablations()


def test_five_heads_spend_more_than_half_of_their_attention_on_the_copy(ablations):
    assert int((ablations.scores > 0.5).sum()) == 5 and {layer for layer, _ in ablations.copiers} == {17, 18}
    assert ablations.copiers[:2] == [(18, 6), (17, 4)] and (18, 7) in ablations.copiers


def test_eleven_heads_score_more_than_three_tenths_and_stand_in_layers_17_to_24(ablations):
    layers = (ablations.scores > 0.3).nonzero()[:, 0]
    assert len(layers) == 11 and int(layers.min()) == 17 and int(layers.max()) == 24


@torch.no_grad()
def test_seven_neighbors_of_the_best_copier_cost_next_to_nothing_and_head_7_which_copies_costs_more(ablations):
    cost = {head: float(ablations.without((18, head))[0].mean()) for head in range(N_HEADS)}
    assert cost[6] == pytest.approx(1.6, abs=0.1) and cost[7] == pytest.approx(0.8, abs=0.1)
    others = [cost[head] for head in (0, 1, 2, 3, 4, 5, 8)]
    assert -0.2 < min(others) < -0.05 and max(others) < 0.06


@torch.no_grad()
def test_the_second_best_copier_costs_next_to_nothing_and_all_five_cost_more_than_their_sum(ablations):
    single = [float(ablations.without(copier)[0].mean()) for copier in ablations.copiers]
    assert single[1] == pytest.approx(0.1, abs=0.05) and sum(single) == pytest.approx(3.2, abs=0.1)
    assert float(ablations.without(*ablations.copiers)[0].mean()) == pytest.approx(5.4, abs=0.1)


@torch.no_grad()
def test_of_the_early_heads_that_look_back_only_head_0_of_layer_16_feeds_the_copiers(ablations):
    early = [divmod(int(i), N_HEADS) for i in ablations.back[:17].flatten().topk(4).indices]
    assert early[0] == (16, 0) and min(ablations.back[layer, head] for layer, head in early) > 0.6
    cost, left = ablations.without((16, 0))
    assert left.mean() < 0.2 and float(cost.mean()) == pytest.approx(4, abs=0.2)
    assert all(
        after < 0.5 * ablations.scores[copier] for after, copier in zip(left.mean(1), ablations.copiers, strict=True)
    )
    for heads in (early[1:2], early[2:3], early[3:], early[1:]):  # one by one and all three
        cost, left = ablations.without(*heads)
        assert left.mean() > 0.65 and abs(cost.mean()) < 0.3


@torch.no_grad()
def test_no_other_head_of_layer_16_feeds_the_copiers(ablations):
    assert all(ablations.without((16, head))[1].mean() > 0.65 for head in range(1, N_HEADS))


def test_without_grouping_the_cache_takes_more_than_half_of_the_weights_and_grouping_divides_it_by_three():
    config = read_llama_config(read_config(fetch("chat"), "llama"))
    per_token = 2 * config.n_layers * config.n_heads * config.head_dim
    assert per_token == 34_560 and round(2 * per_token / 1e3) == 69
    whole = kv_cache_bytes(config.n_layers, config.n_heads, config.head_dim, 2048)
    assert whole == 2 * per_token * 2048 and round(whole / 1e6) == 142
    assert whole / (2 * 134.5e6) > 0.5
    assert whole == 3 * kv_cache_bytes(config.n_layers, config.n_kv_heads, config.head_dim, 2048)


def gradients(d: int, divisor: float, n: int = 1000) -> torch.Tensor:
    """(n,) norm of the gradient at the query without the factor 1 / divisor, for n random queries of 64 keys."""
    drawn = torch.Generator().manual_seed(1)
    q, k = torch.randn(n, 1, d, generator=drawn), torch.randn(n, d, 64, generator=drawn)
    shares = (q.requires_grad_() @ k / divisor).softmax(-1)
    result = (shares @ torch.randn(n, 64, 1, generator=drawn)).sum()
    return divisor * torch.autograd.grad(result, q)[0].norm(dim=-1).flatten()


def test_not_divided_the_median_gradient_falls_with_d_and_ever_more_queries_are_stuck():
    for d, low, high, few, many in (
        (16, 1.1, 1.5, 0, 0.02),
        (64, 0.55, 0.7, 0.08, 0.13),
        (128, 0.2, 0.3, 0.18, 0.28),
        (1024, 0, 0.005, 0.5, 0.7),
    ):
        n = 1000 if d == 1024 else 4000  # where a median must not depend on the draw
        bare, usual = gradients(d, 1, n), gradients(d, d**0.5, n).median()
        assert low < bare.median() / usual < high
        assert few <= (bare < 0.01 * usual).float().mean() < many


@torch.no_grad()
def test_linear_layers_start_with_entries_of_variance_a_third_and_less_sharply():
    torch.manual_seed(1)
    x = torch.randn(4000, 576)
    q, k = (torch.nn.Linear(576, 64, bias=False)(x) for _ in range(2))
    assert float(q.var()) == pytest.approx(1 / 3, abs=0.01)
    assert float((q @ k[:64].T).softmax(-1).amax(-1).mean()) == pytest.approx(0.42, abs=0.02)


def test_is_causal_takes_the_queries_for_the_first_positions():
    q, k, v = torch.ones(1, 1, 4), torch.ones(1, 6, 4), torch.arange(6.0).view(1, 6, 1)
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).item() == 0
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v).item() == 2.5
