"""A GPT as a folder: the same logits after loading, half the size, and no other folder is taken for one."""

from __future__ import annotations

import json

import pytest
import torch

from helpers.old.pretraining import Characters, load_gpt, save_gpt
from helpers.transformer import CheckpointError
from tests.pretraining.texts import small_gpt

ALPHABET = Characters("abcdefghij")


@pytest.mark.parametrize("options", [{}, {"tied": False}, {"positions": "learned", "norm": "layer", "bias": True}])
def test_saved_and_loaded_it_gives_the_same_logits(tmp_path, options):
    model = small_gpt(10, **options).eval()
    save_gpt(tmp_path, model, ALPHABET)
    loaded, tokenizer = load_gpt(tmp_path)
    assert tokenizer.alphabet == ALPHABET.alphabet and not loaded.training
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    ids = torch.arange(10)[None]
    rounded = small_gpt(10, **options).eval()
    rounded.load_state_dict({name: tensor.bfloat16().float() for name, tensor in model.state_dict().items()})
    assert torch.equal(loaded(ids), rounded(ids))
    assert (loaded(ids) - model(ids)).abs().max() < 0.02  # bfloat16 keeps 8 bits
    n = sum(p.numel() for p in model.parameters())
    assert (tmp_path / "model.safetensors").stat().st_size < 2 * n + 4000
    assert (loaded.head.weight is loaded.embedding.weight) == model.config.tied


def test_what_is_no_such_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds no GPT"):
        load_gpt(tmp_path / "nowhere")
    save_gpt(tmp_path, small_gpt(10), ALPHABET)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    for wrong, said in (
        (config | {"alphabet": "abc"}, "3 characters for a model of 10"),
        ({"model": config["model"]}, "holds no GPT"),
        (config | {"model": config["model"] | {"n_heads": 3}}, "holds no GPT"),
        (config | {"model": config["model"] | {"d_model": 64, "head_dim": None, "d_ff": None}}, "has the shape"),
        (config | {"model": config["model"] | {"n_layers": 3}}, "lacks"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(wrong), encoding="utf-8")
        with pytest.raises(CheckpointError, match=said):
            load_gpt(tmp_path)
