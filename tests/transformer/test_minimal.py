"""The models in their smallest form: the full ones' weights load into them by name and give the same numbers."""

from __future__ import annotations

import ast
import inspect

import pytest
import torch

from helpers.display.source import without_docstrings
from helpers.models import fetch
from helpers.old.transformer import (
    GPT,
    EncoderDecoder,
    EncoderDecoderConfig,
    GPTConfig,
    MinimalEncoder,
    MinimalEncoderDecoder,
    MinimalGPT,
    MinimalLlama,
    minimal,
)
from helpers.tokenization import BPETokenizer
from helpers.transformer import Encoder, EncoderConfig, Llama, LlamaConfig
from tests.tiny_models import randomized, tokens

V = 61
GPT2 = {"norm": "layer", "activation": "gelu_tanh", "gated": False, "positions": "learned", "bias": True}


def with_the_weights_of(full, minimal):
    minimal.load_state_dict(full.state_dict())
    return minimal.eval()


def gpts(d_model=32, n_layers=2, n_heads=4, max_len=40):
    sizes = {"vocab_size": V, "max_len": max_len, "d_model": d_model, "n_layers": n_layers, "n_heads": n_heads}
    full = randomized(GPT(GPTConfig(**sizes, **GPT2)))
    return full, with_the_weights_of(full, MinimalGPT(**sizes))


def llamas(d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=48, rope_base=10_000.0):
    sizes = {"vocab_size": V, "d_model": d_model, "n_layers": n_layers, "n_heads": n_heads, "n_kv_heads": n_kv_heads}
    sizes |= {"d_ff": d_ff, "rope_base": rope_base}
    full = randomized(Llama(LlamaConfig(**sizes, norm_eps=1e-5, tied=True)))
    return full, with_the_weights_of(full, MinimalLlama(**sizes))


def encoders(d_model=32, n_layers=2, n_heads=4, d_ff=48, max_len=40):
    sizes = {"vocab_size": V, "max_len": max_len, "d_model": d_model, "n_layers": n_layers, "n_heads": n_heads}
    full = randomized(Encoder(EncoderConfig(**sizes, d_ff=d_ff)))
    return full, with_the_weights_of(full, MinimalEncoder(**sizes, d_ff=d_ff))


def encoder_decoders(d_model=32, n_layers=2, n_heads=4, d_ff=48):
    sizes = {"vocab_size": V, "d_model": d_model, "n_layers": n_layers, "n_heads": n_heads, "d_ff": d_ff}
    full = randomized(EncoderDecoder(EncoderDecoderConfig(**sizes)))
    with torch.no_grad():
        for name, weight in full.named_parameters():
            if name.endswith("q_proj.weight"):  # a T5 that was trained has the 1/√head_dim in here
                weight *= full.config.head_dim**-0.5
    return full, with_the_weights_of(full, MinimalEncoderDecoder(**sizes))


@torch.no_grad()
def assert_equal(full, minimal, *inputs, tolerance=1e-5):
    found, expected = minimal(*inputs), full(*inputs)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= tolerance


# Equal to the full versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("B", "T"), [(1, 1), (3, 7), (2, 40)])
@pytest.mark.parametrize("sizes", [{}, {"n_heads": 1}, {"d_model": 36, "n_heads": 3, "n_layers": 3}], ids=str)
def test_gpt_is_the_full_one_with_the_parts_of_gpt_2(sizes, B, T):
    assert_equal(*gpts(**sizes), tokens(B, T))


@pytest.mark.parametrize(("B", "T"), [(1, 1), (3, 7), (2, 31)])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"n_kv_heads": 4},
        {"n_kv_heads": 1},
        {"d_model": 36, "n_heads": 3, "n_kv_heads": 1, "n_layers": 3},
        {"d_model": 48, "n_heads": 6, "n_kv_heads": 2, "rope_base": 100.0},
    ],
    ids=str,
)
def test_llama_is_the_full_one(sizes, B, T):
    assert_equal(*llamas(**sizes), tokens(B, T))


@pytest.mark.parametrize("lengths", [[1], [7, 7], [9, 4, 1], [40, 3]], ids=str)
@pytest.mark.parametrize("sizes", [{}, {"n_heads": 1, "n_layers": 1}, {"d_model": 36, "n_heads": 3}], ids=str)
def test_the_encoder_is_the_full_one_with_padding_and_segments(sizes, lengths):
    B, T = len(lengths), max(lengths)
    mask = torch.arange(T) < torch.tensor(lengths)[:, None]
    segments = (torch.arange(T) >= T // 2).long().expand(B, T)
    assert_equal(*encoders(**sizes), tokens(B, T), mask, segments)


@pytest.mark.parametrize(("S", "T"), [(1, 1), (7, 7), (5, 11), (11, 3), (300, 150)])
@pytest.mark.parametrize("sizes", [{}, {"n_heads": 1, "n_layers": 1}, {"d_model": 36, "n_heads": 3}], ids=str)
def test_the_encoder_decoder_is_the_full_one_whatever_the_lengths_of_source_and_target(sizes, S, T):
    assert_equal(*encoder_decoders(**sizes), tokens(2, S), tokens(2, T, seed=1))


@torch.no_grad()
def test_gpt_is_the_librarys_gpt_2():
    from transformers import GPT2Config, GPT2LMHeadModel

    theirs = randomized(GPT2LMHeadModel(GPT2Config(vocab_size=V, n_positions=40, n_embd=32, n_layer=2, n_head=4)))
    weights = {name.removeprefix("transformer."): weight for name, weight in theirs.state_dict().items()}
    ours = {"embedding.weight": weights["wte.weight"], "head.weight": weights["wte.weight"]}
    ours |= {"position_embedding.weight": weights["wpe.weight"]}
    ours |= {f"norm.{part}": weights[f"ln_f.{part}"] for part in ("weight", "bias")}
    for i in range(2):
        for part in ("weight", "bias"):  # its matrices are stored as (inputs, outputs), and q, k, v as one
            q, k, v = weights[f"h.{i}.attn.c_attn.{part}"].t().chunk(3)
            ours |= {f"blocks.{i}.attention.{name}_proj.{part}": x for name, x in zip("qkv", (q, k, v), strict=True)}
            ours[f"blocks.{i}.attention.o_proj.{part}"] = weights[f"h.{i}.attn.c_proj.{part}"].t()
            ours[f"blocks.{i}.feed_forward.up_proj.{part}"] = weights[f"h.{i}.mlp.c_fc.{part}"].t()
            ours[f"blocks.{i}.feed_forward.down_proj.{part}"] = weights[f"h.{i}.mlp.c_proj.{part}"].t()
            ours[f"blocks.{i}.attention_norm.{part}"] = weights[f"h.{i}.ln_1.{part}"]
            ours[f"blocks.{i}.feed_forward_norm.{part}"] = weights[f"h.{i}.ln_2.{part}"]
    model = MinimalGPT(vocab_size=V, max_len=40, d_model=32, n_layers=2, n_heads=4)
    model.load_state_dict(ours)
    assert (model(tokens(2, 9)) - theirs(tokens(2, 9)).logits).abs().max() <= 1e-5


def test_one_matrix_embeds_and_predicts_also_after_loading():
    for _, model in (gpts(), llamas(), encoder_decoders()):
        assert model.head.weight is model.embedding.weight


# Real weights --------------------------------------------------------------------------------------------------------


def test_the_chat_model_runs_in_its_smallest_form():
    """Sums come in another order: 1e-4 where logits go up to 36. Measured: 4e-5."""
    text = "The keeper of the lighthouse wrote a letter to his sister, and asked her to come before the winter."
    ids = torch.tensor([BPETokenizer.from_pretrained(fetch("chat")).encode(text)])
    full = Llama.from_pretrained(fetch("chat"))
    c = full.config
    minimal = MinimalLlama(c.vocab_size, c.d_model, c.n_layers, c.n_heads, c.n_kv_heads, c.d_ff, c.rope_base)
    assert c.norm_eps == 1e-5 and c.tied
    assert_equal(full, with_the_weights_of(full, minimal), ids, tolerance=1e-4)


def test_the_embedder_runs_in_its_smallest_form():
    full = Encoder.from_pretrained(fetch("embedder"))
    c = full.config
    minimal = MinimalEncoder(c.vocab_size, c.max_len, c.d_model, c.n_layers, c.n_heads, c.d_ff)
    mask = torch.arange(21) < torch.tensor([[21], [8]])
    ids = tokens(2, 21, c.vocab_size)
    assert_equal(full, with_the_weights_of(full, minimal), ids, mask, torch.zeros_like(ids), tolerance=1e-4)


# Who sees what -------------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("make", [gpts, llamas])
def test_a_future_token_cannot_change_an_earlier_logit(make):
    _, model = make()
    ids = tokens(1, 9)
    changed = ids.clone()
    changed[0, 5] = (ids[0, 5] + 1) % V
    moved = (model(ids) - model(changed)).abs().amax(-1)[0]  # (T,)
    assert (moved[:5] == 0).all() and (moved[5:] > 1e-4).all()


@torch.no_grad()
def test_the_decoder_of_t5_sees_all_of_the_source_and_nothing_of_the_future():
    _, model = encoder_decoders()
    source, target = tokens(1, 6), tokens(1, 9, seed=1)
    changed = target.clone()
    changed[0, 5] = (target[0, 5] + 1) % V
    logits = model(source, target)
    moved = (logits - model(source, changed)).abs().amax(-1)[0]
    assert (moved[:5] == 0).all() and (moved[5:] > 1e-4).all()
    last = source.clone()
    last[0, -1] = (source[0, -1] + 1) % V
    assert ((logits - model(last, target)).abs().amax(-1) > 1e-4).all()


@torch.no_grad()
def test_the_encoder_sees_both_sides_and_no_padding():
    _, model = encoders()
    ids, mask, segments = tokens(1, 9), torch.arange(9)[None] < 7, torch.zeros(1, 9, dtype=torch.long)
    states = model(ids, mask, segments)
    for place in range(9):
        changed = ids.clone()
        changed[0, place] = (ids[0, place] + 1) % V
        moved = (states - model(changed, mask, segments)).abs().amax(-1)[0, :7]
        assert (moved > 1e-4).all() if place < 7 else (moved == 0).all()


# Short enough to be shown --------------------------------------------------------------------------------------------

OF_EACH = {
    "GPT": ["MinimalGPT", "GPTBlock", "GPTAttention", "feed_forward"],
    "Llama": ["MinimalLlama", "LlamaBlock", "LlamaAttention", "rotate", "LlamaFeedForward"],
    "encoder": ["MinimalEncoder", "EncoderBlock", "EncoderAttention", "feed_forward"],
    "encoder-decoder": ["MinimalEncoderDecoder", "T5Block", "T5Attention", "feed_forward"],
}
TREE = ast.parse(without_docstrings(inspect.getsource(minimal)))
WRITTEN = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def names_used(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} & set(WRITTEN)


@pytest.mark.parametrize("model", OF_EACH)
def test_a_model_with_all_its_parts_has_fewer_than_60_lines_of_code(model):
    """Lines that `show(…, docstring=False)` shows, blank ones not counted; parts: whatever it uses of this module."""
    first, *others = OF_EACH[model]
    parts, fresh = {first}, {first}
    while fresh := set().union(*(names_used(WRITTEN[name]) for name in fresh)) - parts:
        parts |= fresh
    assert parts == {first, *others}
    code = without_docstrings(inspect.getsource(minimal)).splitlines()
    lines = [line for name in parts for line in code[WRITTEN[name].lineno - 1 : WRITTEN[name].end_lineno]]
    assert sum(bool(line.strip()) for line in lines) < 60


def test_nothing_is_packed_into_one_line():
    """No lambda, no `;`, one statement a line."""
    assert not any(isinstance(node, ast.Lambda | ast.IfExp) for node in ast.walk(TREE))
    starts = [node.lineno for node in ast.walk(TREE) if isinstance(node, ast.stmt)]
    assert len(starts) == len(set(starts))
    assert set(WRITTEN) == set().union(*OF_EACH.values())
