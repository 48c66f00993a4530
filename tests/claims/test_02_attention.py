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
    silenced,
    states_before_layers,
    ways_to_look,
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
    for targets in ways_to_look(ids[0]).values():  # for each way, some head looks that way far more than evenly
        assert float((weights * targets)[:, :, targets.any(1)].sum(-1).mean(-1).max()) > 0.6


def test_a_handful_of_heads_in_layers_17_to_24_copy_and_one_stands_out(scores):
    dark = [divmod(int(i), N_HEADS) for i in (scores.flatten() > 0.35).nonzero().flatten()]
    assert 4 <= len(dark) <= 12 and all(17 <= layer <= 24 for layer, _ in dark)
    best, second = scores.flatten().topk(2).values
    assert best > 0.75 and best - second > 0.05
    assert float((scores < 0.2).float().mean()) > 0.9  # most are pale


def test_three_copying_heads_side_by_side_share_their_keys(scores):
    dark = [head for head in range(N_HEADS) if scores[17, head] > 0.5]
    assert dark == [3, 4, 5] and {head // 3 for head in dark} == {1}


def test_silencing_the_best_copier_costs_more_than_a_nat_and_its_neighbors_next_to_nothing(scores):
    layer, head = divmod(int(scores.argmax()), N_HEADS)
    cost = costs("repeated").view(-1, N_HEADS)[layer]
    others = [float(cost[h]) for h in range(N_HEADS) if h != head]
    assert cost[head] > 1 and sum(others) / len(others) < 0.15


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


def test_the_best_copier_is_not_the_dearest_and_a_head_of_score_0_is_among_those(scores):
    dear = [divmod(int(i), N_HEADS) for i in costs("repeated").argsort(descending=True)[:6]]
    assert {(1, 3), (1, 4), (1, 5), (16, 0)} == set(dear[:4]) and dear[0][0] == 1
    assert divmod(int(scores.argmax()), N_HEADS) == dear[5] == (18, 6)
    assert scores[16, 0] < 0.01


def test_some_good_copiers_cost_nothing_and_sentences_hardly_miss_any_head(scores):
    assert costs("repeated")[scores.flatten() > 0.6].min() < 0.05
    assert costs("written").abs().max() < 0.25


@torch.no_grad()
def test_without_the_head_that_looks_one_back_the_copiers_find_nothing():
    model = Llama.from_pretrained(fetch("chat"))
    ids = repeated_tokens(4, 16, model.config.vocab_size)
    states = states_before_layers(model, ids)

    def run() -> tuple[torch.Tensor, torch.Tensor]:
        with keeping_weights(model) as attentions:
            losses_from(model, ids, states[16], 16)
            copiers = [(17, 3), (17, 4), (17, 5), (18, 6)]
            found = torch.stack(
                [induction_score(attentions[layer].weights, 16).mean(0)[head] for layer, head in copiers]
            )
            return found, attentions[16].weights[:, 0]

    whole, looking = run()
    with silenced(model, 16, 0):
        without, _ = run()
    assert looking.diagonal(-1, 1, 2).mean() > 0.8 and whole.mean() > 0.6
    assert without.mean() < 0.2


@torch.no_grad()
def test_three_heads_of_layer_1_average_over_the_recent_past():
    model = Llama.from_pretrained(fetch("chat"))
    ids = repeated_tokens(4, 16, model.config.vocab_size)
    states = states_before_layers(model, ids)
    with keeping_weights(model.blocks[1]) as (attention,):
        model.blocks[1](states[1], causal=True, rope=model.rope(torch.arange(32)))
        weights = attention.weights[:, 3:6, 16:]  # queries that have a past
    assert weights.max(-1).values.mean() < 0.35  # no key stands out
    recent = sum(weights.diagonal(16 - back, 2, 3).mean() for back in range(6))
    assert recent > 0.4  # six of 17 keys and more, evenly about a quarter


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


def test_not_divided_the_typical_query_has_more_gradient_at_64_and_the_queries_differ_by_a_factor_of_hundreds():
    usual = gradients(64, 8).median()
    relative = gradients(64, 1) / usual
    assert 4 < relative.median() < 6.5
    assert relative.quantile(0.9) / relative.quantile(0.1) > 100
    assert 0.02 < (relative < 0.01).float().mean() < 0.08 and 0.2 < (relative > 10).float().mean() < 0.4
    even = gradients(64, 8) / usual
    assert even.quantile(0.9) / even.quantile(0.1) < 3


def test_not_divided_about_half_of_the_queries_get_less_than_a_hundredth_of_the_gradient_at_1024():
    relative = gradients(1024, 1) / gradients(1024, 32).median()
    assert 0.4 < (relative < 0.01).float().mean() < 0.55


def test_is_causal_takes_the_queries_for_the_first_positions():
    q, k, v = torch.ones(1, 1, 4), torch.ones(1, 6, 4), torch.arange(6.0).view(1, 6, 1)
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).item() == 0
    assert torch.nn.functional.scaled_dot_product_attention(q, k, v).item() == 2.5


@torch.no_grad()
def test_ablated_by_their_mean_the_early_heads_cost_little_and_the_two_heads_that_copying_takes_stay_expensive():
    model = Llama.from_pretrained(fetch("chat"))
    projections = [block.attention.o_proj for block in model.blocks]
    average: list[torch.Tensor] = []
    hooks = [p.register_forward_pre_hook(lambda _, x: average.append(x[0].mean((0, 1)))) for p in projections]
    states_before_layers(model, repeated_tokens(8, 16, model.config.vocab_size, seed=1))
    for hook in hooks:
        hook.remove()
    ids = repeated_tokens(8, 16, model.config.vocab_size)
    states = states_before_layers(model, ids)

    def loss(layer: int) -> float:
        return float(losses_from(model, ids, states[layer], layer)[:, 16:].mean())

    def cost(layer: int, head: int, values: torch.Tensor) -> float:
        own = slice(64 * head, 64 * head + 64)

        def exchange(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            merged = inputs[0].clone()
            merged[..., own] = values[own]
            return (merged,)

        hook = projections[layer].register_forward_pre_hook(exchange)
        try:
            return loss(layer) - whole
        finally:
            hook.remove()

    whole = loss(18)
    for layer, head in ((1, 3), (1, 4), (1, 5), (2, 2)):
        zero, mean = cost(layer, head, torch.zeros(576)), cost(layer, head, average[layer])
        assert zero > 1.5 and mean < 0.35 * zero
    for layer, head in ((16, 0), (18, 6)):
        zero, mean = cost(layer, head, torch.zeros(576)), cost(layer, head, average[layer])
        assert mean > 0.8 * zero > 1
