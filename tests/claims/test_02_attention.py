"""What the attention notebook and its quiz say in words and numbers, held against the thing itself."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoTokenizer

from helpers.attention import keeping_weights
from helpers.files import RESULTS
from helpers.memory import kv_cache_bytes
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


def costs(kind: str) -> torch.Tensor:
    """(270,) mean cost of silencing each head, in nats."""
    none, *layers = RECORDED["runs"]
    each = torch.tensor([head[kind] for run in layers for head in run["heads"]])
    return (each - torch.tensor(none[kind])).mean(1)


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


def test_about_ten_heads_in_layers_17_to_24_copy(scores):
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


def test_zero_ablated_head_4_of_layer_1_costs_most_of_all_heads_by_what_the_text_says():
    cost = costs("repeated")
    assert divmod(int(cost.argmax()), N_HEADS) == (1, 4) and float(cost.max()) == pytest.approx(4.8, abs=0.05)


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

    def without(self, layer: int, head: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(8,) nats that the head costs, and the score that each copier of a later layer has left."""
        own = slice(64 * head, 64 * head + 64)

        def exchange(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            merged = inputs[0].clone()
            merged[..., own] = merged[..., own].mean((0, 1))
            return (merged,)

        hook = self.model.blocks[layer].attention.o_proj.register_forward_pre_hook(exchange)
        try:
            with keeping_weights(self.model) as attentions:
                cost = self.loss(layer) - self.whole
                later = [(i, j) for i, j in self.copiers if i > layer]
                found = [float(induction_score(attentions[i].weights, 16).mean(0)[j]) for i, j in later]
        finally:
            hook.remove()
        return cost, torch.tensor(found)


@pytest.fixture(scope="module")
def ablations() -> Ablations:
    with torch.no_grad():
        return Ablations()


def test_five_heads_spend_more_than_half_of_their_attention_on_the_copy(ablations):
    assert int((ablations.scores > 0.5).sum()) == 5 and {layer for layer, _ in ablations.copiers} == {17, 18}
    assert ablations.copiers[0] == (18, 6) and (18, 7) in ablations.copiers


@torch.no_grad()
def test_seven_neighbors_of_the_best_copier_cost_next_to_nothing_and_head_7_which_copies_costs_more(ablations):
    cost = {head: float(ablations.without(18, head)[0].mean()) for head in range(N_HEADS)}
    assert cost[6] == pytest.approx(1.6, abs=0.1) and cost[7] == pytest.approx(0.8, abs=0.1)
    others = [cost[head] for head in (0, 1, 2, 3, 4, 5, 8)]
    assert -0.2 < min(others) < -0.05 and max(others) < 0.06


@torch.no_grad()
def test_head_4_of_layer_1_costs_less_than_half_a_nat_on_seven_of_eight_texts_and_ten_on_one(ablations):
    cost, _ = ablations.without(1, 4)
    low, high = cost.sort().values[:7], cost.max()
    assert low.max() < 0.5 and float(high) == pytest.approx(9.9, abs=0.1)


@torch.no_grad()
def test_of_the_early_heads_that_look_back_only_head_0_of_layer_16_feeds_the_copiers(ablations):
    early = [divmod(int(i), N_HEADS) for i in ablations.back[:17].flatten().topk(4).indices]
    assert early[0] == (16, 0) and min(ablations.back[layer, head] for layer, head in early) > 0.6
    cost, left = ablations.without(16, 0)
    assert left.mean() < 0.2 and float(cost.mean()) == pytest.approx(4, abs=0.2)
    assert all(after < 0.5 * ablations.scores[copier] for after, copier in zip(left, ablations.copiers, strict=True))
    for layer, head in early[1:]:
        cost, left = ablations.without(layer, head)
        assert left.mean() > 0.65 and abs(cost.mean()) < 0.3


@torch.no_grad()
def test_no_other_head_of_layer_16_feeds_the_copiers(ablations):
    assert all(ablations.without(16, head)[1].mean() > 0.65 for head in range(1, N_HEADS))


def test_without_grouping_the_cache_takes_more_than_half_of_the_weights_and_grouping_divides_it_by_three():
    config = read_llama_config(read_config(fetch("chat"), "llama"))
    per_token = 2 * config.n_layers * config.n_heads * config.head_dim
    assert per_token == 34_560 and round(2 * per_token / 1e3) == 69
    whole = kv_cache_bytes(config.n_layers, config.n_heads, config.head_dim, 2048)
    assert whole == 2 * per_token * 2048 and round(whole / 1e6) == 142
    assert whole / (2 * 134.5e6) > 0.5
    assert whole == 3 * kv_cache_bytes(config.n_layers, config.n_kv_heads, config.head_dim, 2048)


def gradients(d: int, divisor: float) -> torch.Tensor:
    """(n,) norm of the gradient that reaches the query, for n random queries of 64 keys."""
    drawn = torch.Generator().manual_seed(1)
    q, k = torch.randn(1000, 1, d, generator=drawn), torch.randn(1000, d, 64, generator=drawn)
    shares = (q.requires_grad_() @ k / divisor).softmax(-1)
    result = (shares @ torch.randn(1000, 64, 1, generator=drawn)).sum()
    return torch.autograd.grad(result, q)[0].norm(dim=-1).flatten()


def test_not_divided_the_mean_gradient_at_the_query_grows_with_d_and_the_median_falls():
    mean, median = [], []
    for d in (16, 64, 256, 1024):
        bare, usual = gradients(d, 1), gradients(d, d**0.5)
        mean.append(float(bare.mean() / usual.mean()))
        median.append(float(bare.median() / usual.median()))
    assert mean[0] < mean[1] < mean[3] and median[1] > median[2] > median[3]
    assert 4 < median[1] < 6.5 and median[3] < 0.1 and mean[3] > 5


def test_not_divided_one_query_in_twenty_is_stuck_at_64_and_about_half_at_1024():
    for d, low, high in ((64, 0.02, 0.08), (1024, 0.4, 0.55)):
        relative = gradients(d, 1) / gradients(d, d**0.5).median()
        assert low < (relative < 0.01).float().mean() < high


def test_is_causal_takes_the_queries_for_the_first_positions():
    q, k, v = torch.ones(1, 1, 4), torch.ones(1, 6, 4), torch.arange(6.0).view(1, 6, 1)
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).item() == 0
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v).item() == 2.5
