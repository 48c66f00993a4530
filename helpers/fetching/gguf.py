"""Turn one GGUF file of a Llama-style model into a folder that `from_pretrained` reads.

GGUF is llama.cpp's format: one file with the hyperparameters, the tokenizer and the weights, usually quantized.
This module reads it with the `gguf` package and writes what the Hugging Face libraries expect:
`config.json`, `generation_config.json`, `model.safetensors` in bfloat16, `tokenizer.json`, `tokenizer_config.json`
and `chat_template.jinja`.

`transformers` can open a GGUF file too. It is not used here because it takes four times as long, refuses to save what
it opened, and forgets that this tokenizer splits numbers into digits. The weights are equal, bit for bit.

Not here: architectures other than Llama, several files per model, untied output embeddings, rope scaling.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFReader
    from tokenizers import Tokenizer

# GGUF's name of a tensor -> the name of the same tensor in transformers' LlamaForCausalLM
TOP_LEVEL = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
IN_A_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
CONTROL_TOKEN = 3  # gguf's token type of a special token such as <|im_end|>


def convert(gguf_file: Path, folder: Path, progress: Callable[[float], None] = lambda fraction: None) -> None:
    """Write the model in `gguf_file` to `folder` as bfloat16 safetensors with its tokenizer.

    `progress` is called with the fraction done, from 0 to 1. Raises ValueError for anything but a Llama-style
    model with tied embeddings and the `smollm` tokenizer, since converting another kind would be silently wrong.
    """
    from gguf import GGUFReader
    from safetensors.torch import save_file

    reader = GGUFReader(gguf_file)
    _refuse_what_would_go_wrong(reader)
    folder.mkdir(parents=True, exist_ok=True)
    progress(0.1)
    save_tokenizer(reader, folder)
    progress(0.4)
    config = llama_config(reader)
    config.save_pretrained(folder)
    generation_config(reader).save_pretrained(folder)

    weights = {}
    for done, tensor in enumerate(reader.tensors, start=1):
        weights[transformers_name(tensor.name)] = bfloat16_weight(tensor, config)
        progress(0.4 + 0.5 * done / len(reader.tensors))
    # "format" tells transformers which framework wrote the file; it refuses a file without it
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    progress(1.0)


def transformers_name(gguf_name: str) -> str:
    """The name in `LlamaForCausalLM` of a tensor of a GGUF file.

    >>> transformers_name("blk.7.attn_q.weight")
    'model.layers.7.self_attn.q_proj.weight'
    """
    if gguf_name in TOP_LEVEL:
        return TOP_LEVEL[gguf_name]
    _, layer, part, kind = gguf_name.split(".")
    return f"model.layers.{layer}.{IN_A_LAYER[part]}.{kind}"


def bfloat16_weight(tensor, config):
    """One GGUF tensor, dequantized, as a bfloat16 torch tensor in transformers' layout."""
    import torch
    from gguf import dequantize

    values = dequantize(tensor.data, tensor.tensor_type)  # float32; gguf already gives the rows as torch wants them
    if ".attn_q." in tensor.name:
        values = halves_from_pairs(values, config.num_attention_heads)
    elif ".attn_k." in tensor.name:
        values = halves_from_pairs(values, config.num_key_value_heads)
    # dequantize may hand out a read-only view of the file, so copy while casting
    return torch.from_numpy(values.copy()).to(torch.bfloat16)


def halves_from_pairs(weight: np.ndarray, n_heads: int) -> np.ndarray:
    """Reorder the rows of a query or key projection from llama.cpp's rotary layout to transformers'.

    Rotary embedding turns pairs of coordinates. llama.cpp keeps a pair side by side (0, 1), (2, 3), …; transformers
    keeps it half a head apart (0, d/2), (1, d/2 + 1), …. weight: (n_heads * head_dim, d_model), same shape returned.

    >>> halves_from_pairs(np.arange(4).reshape(4, 1), n_heads=1).ravel()
    array([0, 2, 1, 3])
    """
    rows, columns = weight.shape
    pairs = weight.reshape(n_heads, rows // n_heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def llama_config(reader: GGUFReader):
    """The `LlamaConfig` that the file's own metadata describes; the weights are recorded as bfloat16."""
    from transformers import LlamaConfig

    n_heads = _field(reader, "llama.attention.head_count")
    d_model = _field(reader, "llama.embedding_length")
    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=len(_field(reader, "tokenizer.ggml.tokens")),
        hidden_size=d_model,
        intermediate_size=_field(reader, "llama.feed_forward_length"),
        num_hidden_layers=_field(reader, "llama.block_count"),
        num_attention_heads=n_heads,
        num_key_value_heads=_field(reader, "llama.attention.head_count_kv"),
        head_dim=d_model // n_heads,
        max_position_embeddings=_field(reader, "llama.context_length"),
        rms_norm_eps=round(_field(reader, "llama.attention.layer_norm_rms_epsilon"), 12),  # stored as float32
        rope_parameters={"rope_type": "default", "rope_theta": _field(reader, "llama.rope.freq_base")},
        tie_word_embeddings=True,
        dtype="bfloat16",
        **_special_ids(reader),
    )


def generation_config(reader: GGUFReader):
    """The `GenerationConfig` with the file's begin, end and padding tokens; decoding is greedy unless asked."""
    from transformers import GenerationConfig

    return GenerationConfig(**_special_ids(reader))


def build_tokenizer(reader: GGUFReader) -> Tokenizer:
    """The byte-level BPE tokenizer in the file, splitting as llama.cpp's `smollm` does: every digit on its own."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = _field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in _field(reader, "tokenizer.ggml.merges")]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = _field(reader, "tokenizer.ggml.token_type")
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    return tokenizer


def save_tokenizer(reader: GGUFReader, folder: Path) -> None:
    """Write the tokenizer and the chat template of the file to `folder`."""
    build_tokenizer(reader).save(str(folder / "tokenizer.json"))
    tokens = _field(reader, "tokenizer.ggml.tokens")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": _field(reader, "llama.context_length"),
        "clean_up_tokenization_spaces": False,
        "bos_token": tokens[_field(reader, "tokenizer.ggml.bos_token_id")],
        "eos_token": tokens[_field(reader, "tokenizer.ggml.eos_token_id")],
        "unk_token": tokens[_field(reader, "tokenizer.ggml.unknown_token_id")],
        "pad_token": tokens[_field(reader, "tokenizer.ggml.padding_token_id")],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    template = _field(reader, "tokenizer.chat_template")
    # bytes, because text mode would write other line endings on Windows, and those are part of the prompt
    (folder / "chat_template.jinja").write_bytes(template.encode("utf-8"))


def _field(reader: GGUFReader, key: str):
    return reader.fields[key].contents()


def _special_ids(reader: GGUFReader) -> dict[str, int]:
    return {
        "bos_token_id": _field(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": _field(reader, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": _field(reader, "tokenizer.ggml.padding_token_id"),
    }


def _refuse_what_would_go_wrong(reader: GGUFReader) -> None:
    architecture, splitter = _field(reader, "general.architecture"), _field(reader, "tokenizer.ggml.pre")
    if architecture != "llama" or splitter != "smollm":
        raise ValueError(f"This converter reads llama models with the smollm tokenizer, not {architecture}/{splitter}.")
    if any(tensor.name == "output.weight" for tensor in reader.tensors):
        raise ValueError("This converter reads models whose output embeddings are tied to the input's.")
