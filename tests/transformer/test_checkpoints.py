"""Folders of models: read whole, from one file or shards, in any precision, or refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.old.transformer import EncoderDecoder
from helpers.transformer import CheckpointError, Encoder, Llama
from tests.tiny_models import BERTS, LLAMAS, T5S, bert, llama, rope, t5, tokens

TIED = LLAMAS["tied"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[type, Path]:
    """A folder of each kind, not to be changed."""
    folders = {kind: tmp_path_factory.mktemp(kind.__name__) for kind in (Llama, Encoder, EncoderDecoder)}
    llama(folders[Llama], **TIED)
    bert(folders[Encoder], **BERTS["gelu"])
    t5(folders[EncoderDecoder], **T5S["first T5"])
    return folders


@pytest.fixture(params=[Llama, Encoder, EncoderDecoder], ids=lambda kind: kind.__name__)
def model(request, saved, tmp_path) -> tuple[type, Path]:
    """A class and a folder of its own to spoil."""
    return request.param, shutil.copytree(saved[request.param], tmp_path / "model")


def rewrite(folder: Path, **changes) -> None:
    """Change entries of config.json; None takes one out."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def refuses(kind: type, folder: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        kind.from_pretrained(folder)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


# Whole ---------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_shards_are_read_as_one_file_is(saved, tmp_path):
    from transformers import LlamaForCausalLM

    theirs = LlamaForCausalLM.from_pretrained(saved[Llama])
    theirs.save_pretrained(tmp_path, max_shard_size="10KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert torch.equal(Llama.from_pretrained(tmp_path)(tokens(1, 9)), Llama.from_pretrained(saved[Llama])(tokens(1, 9)))


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("asked", [torch.float32, torch.bfloat16])
def test_weights_come_in_the_precision_that_was_asked_for(stored, asked, model):
    kind, folder = model
    state = {name: tensor.to(stored) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    found = kind.from_pretrained(folder, dtype=asked)
    assert {parameter.dtype for parameter in found.parameters()} == {asked}
    name = {Llama: "model.embed_tokens.weight", Encoder: "embeddings.word_embeddings.weight"}.get(kind, "shared.weight")
    assert torch.equal(found.embedding.weight, state[name].to(asked))


def test_a_loaded_model_is_ready_to_use_and_to_train(model):
    kind, folder = model
    found = kind.from_pretrained(folder)
    assert not found.training
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in found.parameters())
    before = (folder / "model.safetensors").read_bytes()
    sum(parameter.sum() for parameter in found.parameters()).backward()
    torch.optim.SGD(found.parameters(), lr=1.0).step()
    assert (folder / "model.safetensors").read_bytes() == before


def test_tied_weights_are_one_matrix_and_a_head_in_the_file_wins(saved, tmp_path):
    found = Llama.from_pretrained(saved[Llama])
    assert found.head.weight is found.embedding.weight
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    state = load_file(tmp_path / "model.safetensors")
    state["lm_head.weight"] = torch.randn(61, 32)
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert torch.equal(Llama.from_pretrained(tmp_path).head.weight, state["lm_head.weight"])


def test_old_spellings_of_the_configuration_are_read(saved, tmp_path):
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    rewrite(
        tmp_path, rope_parameters=None, rope_theta=777.0, rope_scaling={"type": "linear", "factor": 2.0}, head_dim=None
    )
    config = Llama.from_pretrained(tmp_path).config
    assert (config.rope_base, config.rope_scaling.kind, config.rope_scaling.factor) == (777.0, "linear", 2.0)
    assert config.head_dim == 8


def test_old_names_of_tensors_are_read(saved, tmp_path):
    shutil.copytree(saved[Encoder], tmp_path, dirs_exist_ok=True)
    state = load_file(tmp_path / "model.safetensors")
    old = {
        f"bert.{name}".replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): x
        for name, x in state.items()
    }
    old |= {"cls.predictions.bias": torch.zeros(61), "bert.embeddings.position_ids": torch.arange(64)}
    save_file(old, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with torch.no_grad():
        expected = Encoder.from_pretrained(saved[Encoder])(tokens(1, 5))
        assert torch.equal(Encoder.from_pretrained(tmp_path)(tokens(1, 5)), expected)


@pytest.mark.parametrize(
    "described, generation, expected",
    [
        (2, None, (2,)),
        (2, {"eos_token_id": [3, 5]}, (3, 5)),  # what the library generates with comes first
        ([4, 2], {"pad_token_id": 0}, (4, 2)),
        (None, {"eos_token_id": 7}, (7,)),
        (None, None, ()),
        (2, {"eos_token_id": None}, ()),
    ],
)
def test_the_tokens_that_end_a_text_are_read(described, generation, expected, saved, tmp_path):
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    rewrite(tmp_path, eos_token_id=described)
    (tmp_path / "generation_config.json").unlink()
    if generation is not None:
        (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    assert Llama.from_pretrained(tmp_path).config.eos_ids == expected


@pytest.mark.parametrize("wrong", ["</s>", [2, "</s>"], 2.5, True])
def test_an_end_that_is_no_token_is_refused(wrong, saved, tmp_path):
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": wrong}))
    refuses(Llama, tmp_path, "eos_token_id in .* not the number of a token")


# Refused -------------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    refuses(Llama, tmp_path / "nowhere", "no folder .*nowhere")


def test_a_folder_without_config_is_refused(model):
    kind, folder = model
    (folder / "config.json").unlink()
    refuses(kind, folder, "no config.json in")


@pytest.mark.parametrize("text, message", [("{", "cut off or no JSON"), ("[1]", "holds no configuration")])
def test_a_damaged_config_is_refused(text, message, model):
    kind, folder = model
    (folder / "config.json").write_text(text)
    refuses(kind, folder, message)


def test_a_model_of_another_type_is_refused(saved):
    refuses(Llama, saved[Encoder], "type 'bert'; this class reads 'llama'")
    refuses(Encoder, saved[EncoderDecoder], "type 't5'; this class reads 'bert'")
    refuses(EncoderDecoder, saved[Llama], "type 'llama'; this class reads 't5'")


def test_another_head_of_the_same_type_is_refused(saved, tmp_path):
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    rewrite(tmp_path, architectures=["LlamaForSequenceClassification"])
    refuses(Llama, tmp_path, "LlamaForSequenceClassification")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"hidden_act": "gelu"}, "hidden_act = 'gelu'"),
        ({"hidden_size": None}, "lacks hidden_size"),
        ({"num_attention_heads": 5, "head_dim": None}, "n_heads=5 does not divide d_model=32"),
        ({"num_key_value_heads": 3}, "n_kv_heads=3 does not divide n_heads=4"),
        (rope(rope_type="dynamic", factor=2.0), "'dynamic', and this class has linear, llama3 and yarn"),
        (rope(rope_type="linear"), "at least 1"),
        (rope(rope_type="yarn", factor=2.0, mscale=1.0), "has mscale"),
        ({"quantization_config": {"bits": 4}}, "are quantized"),
    ],
)
def test_what_the_architecture_does_not_have_is_refused(changes, message, saved, tmp_path):
    shutil.copytree(saved[Llama], tmp_path, dirs_exist_ok=True)
    rewrite(tmp_path, **changes)
    refuses(Llama, tmp_path, message)


@pytest.mark.parametrize(
    "kind, changes, message",
    [
        (Encoder, {"hidden_act": "quick_gelu"}, "hidden_act = 'quick_gelu'"),
        (Encoder, {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        (Encoder, {"is_decoder": True}, "is_decoder = True"),
        (EncoderDecoder, {"feed_forward_proj": "gated-tanh"}, "feed_forward_proj = 'gated-tanh'"),
        (EncoderDecoder, {"d_kv": None}, "lacks d_kv"),
    ],
)
def test_variants_of_the_others_are_refused(kind, changes, message, saved, tmp_path):
    shutil.copytree(saved[kind], tmp_path, dirs_exist_ok=True)
    rewrite(tmp_path, **changes)
    refuses(kind, tmp_path, message)


def test_pickles_are_not_opened(model):
    kind, folder = model
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    refuses(kind, folder, "no model.safetensors.*opens no pickles")


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_refused(kept, model):
    kind, folder = model
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: int(kept * len(data)) if kept < 1 else kept])
    refuses(kind, folder, "model.safetensors is cut off or damaged")


def test_a_missing_shard_is_refused(saved, tmp_path):
    from transformers import LlamaForCausalLM

    LlamaForCausalLM.from_pretrained(saved[Llama]).save_pretrained(tmp_path, max_shard_size="10KB")
    shard = sorted(tmp_path.glob("*.safetensors"))[1]
    shard.unlink()
    refuses(Llama, tmp_path, f"lists {shard.name}, which is not in")


@pytest.mark.parametrize("text, message", [("{}", "lists no files"), ("{", "no JSON")])
def test_a_damaged_index_is_refused(text, message, model):
    kind, folder = model
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(text)
    refuses(kind, folder, message)


def change_weights(folder: Path, change) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def some_matrix(state) -> str:
    return next(name for name in sorted(state) if state[name].dim() == 2 and "embed" not in name)


def test_missing_tensors_are_counted(model):
    kind, folder = model
    change_weights(folder, lambda state: state.pop(some_matrix(state)))
    refuses(kind, folder, r"^The checkpoint lacks [\w.]+ \(our names\)")
    change_weights(folder, lambda state: state.pop(some_matrix(state)))
    refuses(kind, folder, r"^The checkpoint lacks [\w.]+ and 1 more \(our names\)")


def test_an_extra_tensor_is_refused_by_name(model):
    kind, folder = model
    change_weights(folder, lambda state: state.update({"extra.weight": torch.zeros(2)}))
    refuses(kind, folder, "holds the tensor extra.weight, which this architecture does not have")


def test_another_shape_is_refused(model):
    kind, folder = model
    change_weights(folder, lambda state: state.update({some_matrix(state): torch.zeros(3, 5)}))
    refuses(kind, folder, r"has the shape \(3, 5\), where config.json asks for \(\d+, \d+\)")


def test_whole_numbers_are_refused(model):
    kind, folder = model
    change_weights(folder, lambda state: state.update({some_matrix(state): state[some_matrix(state)].to(torch.int8)}))
    refuses(kind, folder, "stored as I8; this class reads float32")


@pytest.mark.parametrize("dtype", [torch.int8, "auto", None])
def test_a_dtype_without_fractions_is_refused(dtype, saved):
    with pytest.raises(TypeError, match="floating-point torch dtype"):
        Llama.from_pretrained(saved[Llama], dtype=dtype)
