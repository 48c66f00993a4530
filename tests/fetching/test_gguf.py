"""The GGUF reader against transformers' own, on a model of a few kilobytes made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quantize
from safetensors.torch import load_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from helpers.fetching import build_tokenizer, convert, halves_from_pairs, transformers_name

D_MODEL, N_HEADS, N_KV_HEADS, HEAD_DIM, D_FF, N_LAYERS = 64, 4, 2, 16, 96, 2
TEMPLATE = "{% for message in messages %}{{ message['content'] + '\n' }}{% endfor %}"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ Ġ", "1 2", "a b", "ab c", "Ġ ab"]


def write_gguf(path: Path, *, architecture="llama", splitter="smollm", untied=False) -> Path:
    """A llama of random weights, most of them quantized to Q4_1, as llama.cpp's converter would write it."""
    vocabulary = SPECIAL + sorted(ByteLevel.alphabet()) + [merge.replace(" ", "") for merge in MERGES]
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(256)
    writer.add_embedding_length(D_MODEL)
    writer.add_block_count(N_LAYERS)
    writer.add_feed_forward_length(D_FF)
    writer.add_head_count(N_HEADS)
    writer.add_head_count_kv(N_KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitter)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(vocabulary) - len(SPECIAL)))
    writer.add_token_merges(MERGES)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)

    rng = np.random.default_rng(0)
    shapes = {"token_embd": (len(vocabulary), D_MODEL), "output_norm": (D_MODEL,)}
    if untied:
        shapes["output"] = (len(vocabulary), D_MODEL)
    for layer in range(N_LAYERS):
        for part, shape in {
            "attn_norm": (D_MODEL,),
            "attn_q": (N_HEADS * HEAD_DIM, D_MODEL),
            "attn_k": (N_KV_HEADS * HEAD_DIM, D_MODEL),
            "attn_v": (N_KV_HEADS * HEAD_DIM, D_MODEL),
            "attn_output": (D_MODEL, N_HEADS * HEAD_DIM),
            "ffn_norm": (D_MODEL,),
            "ffn_gate": (D_FF, D_MODEL),
            "ffn_up": (D_FF, D_MODEL),
            "ffn_down": (D_MODEL, D_FF),
        }.items():
            shapes[f"blk.{layer}.{part}"] = shape
    for name, shape in shapes.items():
        values = rng.normal(size=shape).astype(np.float32)
        kind = GGMLQuantizationType.Q4_1 if len(shape) == 2 else GGMLQuantizationType.F32
        writer.add_tensor(f"{name}.weight", quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="module")
def converted(gguf_file) -> Path:
    folder = gguf_file.parent / "converted"
    convert(gguf_file, folder)
    return folder


def test_every_weight_equals_what_transformers_reads_bit_for_bit(gguf_file, converted):
    theirs = AutoModelForCausalLM.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32)
    ours = load_file(converted / "model.safetensors")
    expected = {name: tensor for name, tensor in theirs.state_dict().items() if name != "lm_head.weight"}
    assert ours.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(ours[name], tensor.to(torch.bfloat16)), name


def test_the_folder_loads_and_computes_what_transformers_computes(gguf_file, converted):
    theirs = AutoModelForCausalLM.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.bfloat16)
    ours = AutoModelForCausalLM.from_pretrained(converted, use_safetensors=True)
    ids = torch.randint(3, 200, (2, 17), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(ours(ids).logits, theirs(ids).logits)
    assert ours.dtype == torch.bfloat16
    assert ours.lm_head.weight.data_ptr() == ours.model.embed_tokens.weight.data_ptr()


def test_the_configuration_says_bfloat16_and_no_longer_quantized(converted):
    config = AutoConfig.from_pretrained(converted)
    assert config.dtype == torch.bfloat16 and config.tie_word_embeddings
    assert not hasattr(config, "quantization_config")
    assert (config.rope_parameters["rope_theta"], config.rms_norm_eps) == (10_000.0, 1e-5)
    generation = json.loads((converted / "generation_config.json").read_text(encoding="utf-8"))
    assert (generation["bos_token_id"], generation["eos_token_id"], generation["pad_token_id"]) == (1, 2, 2)


def test_the_tokenizer_splits_digits_which_transformers_forgets(gguf_file, converted):
    ours = AutoTokenizer.from_pretrained(converted)
    theirs = AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
    assert ours.tokenize("abc 12") == ["abc", "Ġ", "1", "2"]
    assert theirs.tokenize("abc 12") == ["abc", "Ġ", "12"]  # the reason for building our own
    assert ours.tokenize("a  12") == ["a", "ĠĠ", "1", "2"]
    text = "abab  abc, no digits: é\t\r\n 한 🙂"
    assert ours.encode(text) == theirs.encode(text)
    assert ours.decode(ours.encode(text)) == text


def test_special_tokens_chat_template_and_longest_input_are_kept(converted):
    tokenizer = AutoTokenizer.from_pretrained(converted)
    specials = (tokenizer.unk_token, tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token)
    assert specials == ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_end|>")
    assert tokenizer.encode("a<|im_end|>")[-1] == 2
    assert tokenizer.decode(tokenizer.encode("a<|im_end|>"), skip_special_tokens=True) == "a"
    assert tokenizer.chat_template == TEMPLATE
    assert tokenizer.model_max_length == 256


def test_progress_only_grows_and_ends_at_one(gguf_file, tmp_path):
    seen = []
    convert(gguf_file, tmp_path / "again", seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) > N_LAYERS


def test_attention_scores_are_the_same_in_both_rotary_layouts():
    rng = np.random.default_rng(1)
    query, key = rng.normal(size=(2, HEAD_DIM, D_MODEL))
    x, y = rng.normal(size=(2, D_MODEL))
    angles = 0.7 * 10_000.0 ** (-np.arange(HEAD_DIM // 2) / (HEAD_DIM // 2))

    def turn(vector, first, second):  # rotate coordinates first[i], second[i] by angles[i]
        turned = np.empty_like(vector)
        turned[first] = vector[first] * np.cos(angles) - vector[second] * np.sin(angles)
        turned[second] = vector[first] * np.sin(angles) + vector[second] * np.cos(angles)
        return turned

    evens, odds, half = np.arange(0, HEAD_DIM, 2), np.arange(1, HEAD_DIM, 2), np.arange(HEAD_DIM // 2)
    in_pairs = turn(query @ x, evens, odds) @ (key @ y)
    rearranged_query, rearranged_key = halves_from_pairs(query, 1), halves_from_pairs(key, 1)
    in_halves = turn(rearranged_query @ x, half, half + HEAD_DIM // 2) @ (rearranged_key @ y)
    assert in_halves == pytest.approx(in_pairs, rel=1e-12)  # a sum of 16 products in another order
    assert turn(query @ x, half, half + HEAD_DIM // 2) @ (key @ y) != pytest.approx(in_pairs, rel=1e-3)


def test_heads_are_rearranged_one_by_one():
    rows = np.arange(8).reshape(8, 1)
    assert halves_from_pairs(rows, n_heads=2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_an_unknown_tensor_is_an_error_not_a_silent_gap():
    with pytest.raises(KeyError):
        transformers_name("blk.0.attn_q_norm.weight")


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("qwen2/smollm", {"architecture": "qwen2"}),
        ("llama/llama-bpe", {"splitter": "llama-bpe"}),
        ("tied", {"untied": 1}),
    ],
)
def test_a_model_that_would_come_out_wrong_is_refused(tmp_path, what, changes):
    with pytest.raises(ValueError, match=what):
        convert(write_gguf(tmp_path / "other.gguf", **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_tokenizer_in_memory_is_the_one_that_is_saved(gguf_file, converted):
    saved = AutoTokenizer.from_pretrained(converted)
    assert build_tokenizer(GGUFReader(gguf_file)).encode("ab 12 abc").ids == saved.encode("ab 12 abc")
