"""What is read from a configuration: the shapes in data/model_shapes.json against the library and their makers."""

from __future__ import annotations

import json

import pytest
import torch

from helpers import models
from helpers.fetching import damage
from helpers.old.lora import ShapeUnknown, known_models, read_shape
from helpers.old.lora.shapes import MODEL_TYPES
from tests.lora.live_memory import tiny

LLAMA = known_models()["meta-llama/Llama-3.1-8B"]
NOT_OF_THE_CONFIGURATION = {"model_type", "parameters", "license", "gated"}


def test_there_are_shapes_from_a_tenth_of_a_billion_to_seventy():
    sizes = sorted(read_shape(name).n_parameters / 1e9 for name in known_models())
    assert len(sizes) >= 15 and sizes[0] < 0.2 and sizes[-1] > 70
    assert all(any(low < size < high for size in sizes) for low, high in ((0.2, 1), (1, 3), (3, 9), (10, 20), (30, 40)))


@pytest.mark.parametrize("name", known_models())
def test_parameters_are_those_that_the_maker_states(name):
    shape = read_shape(name)
    assert shape.n_parameters / 1e9 == pytest.approx(shape.stated_parameters, rel=0.01)
    assert shape.model == name and shape.license and isinstance(shape.gated, bool)


@pytest.mark.parametrize("name", known_models())
def test_parameters_and_linear_layers_are_those_of_the_librarys_model(name):
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    config = {key: value for key, value in known_models()[name].items() if key not in NOT_OF_THE_CONFIGURATION}
    with torch.device("meta"):  # shapes without memory
        model = AutoModelForCausalLM.from_config(
            CONFIG_MAPPING[known_models()[name]["model_type"]](pad_token_id=0, **config)
        )
    shape = read_shape(name)
    assert sum(parameter.numel() for parameter in model.parameters()) == shape.n_parameters
    linears = {
        key.rpartition(".")[2]: (module.in_features, module.out_features)
        for key, module in model.model.layers[0].named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    assert linears == shape.linears


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_adapters_have_the_parameters_that_peft_gives_them(kind):
    from peft import LoraConfig, get_peft_model

    shape, model = tiny(kind)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert shape.adapter_parameters(4, tuple(shape.linears)) == adapted.get_nb_trainable_parameters()[0]


@pytest.mark.parametrize(
    ("asked", "model", "gated"),
    [
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B", True),
        ("Llama-3.1-8B", "meta-llama/Llama-3.1-8B", True),
        ("llama-3.1-8b", "meta-llama/Llama-3.1-8B", True),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", True),
        ("someone/Llama-3.1-8B-Instruct", "someone/Llama-3.1-8B-Instruct", False),
        ("Qwen3-8B-Base", "Qwen/Qwen3-8B-Base", False),
        ("google/gemma-3-1b-it", "google/gemma-3-1b-it", True),
    ],
)
def test_a_model_is_found_with_and_without_its_owner_and_trained_further(asked, model, gated):
    shape = read_shape(asked)
    assert (shape.model, shape.gated) == (model, gated)
    assert shape.name == model.partition("/")[2]


def test_a_folder_and_a_file_give_the_shape_of_their_configuration(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA | {"num_hidden_layers": 3}), encoding="utf-8")
    for where in (tmp_path, tmp_path / "config.json"):
        shape = read_shape(str(where))
        assert (shape.layers, shape.d_model, shape.model, shape.name) == (3, 4096, str(tmp_path), tmp_path.name)


def test_the_courses_chat_model_has_its_own_name():
    if problem := damage(models.SOURCES["chat"]):
        pytest.skip(f"the chat model is not in the cache ({problem})")
    shape = read_shape("chat")
    assert (shape.name, shape.n_parameters) == ("SmolLM2-135M-Instruct", 134_515_008)


def test_an_unknown_name_is_answered_with_close_ones_and_how_to_get_a_configuration():
    with pytest.raises(ShapeUnknown, match="Did you mean meta-llama/Llama-3.1-8B or ") as caught:
        read_shape("meta-llama/Lama-3.1-8B")
    assert "`hf download meta-llama/Lama-3.1-8B config.json --local-dir its-config`" in str(caught.value)
    with pytest.raises(ShapeUnknown) as caught:
        read_shape("qwertz")
    assert "Did you mean" not in str(caught.value) and str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no config.json: name a folder that save_pretrained wrote"),
        ("{", "is not a configuration in JSON"),
        ("[1]", "is not a configuration in JSON"),
        (json.dumps(LLAMA | {"model_type": "mixtral"}), "is of the type 'mixtral', and this plan knows dense decoders"),
        (json.dumps(LLAMA | {"hidden_size": None}), "no whole number above zero for hidden_size"),
        (json.dumps(LLAMA | {"vocab_size": 0}), "no whole number above zero for vocab_size"),
    ],
    ids=["no file", "cut off", "no object", "experts", "missing", "zero"],
)
def test_a_configuration_that_says_too_little_is_refused(tmp_path, content, said):
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ShapeUnknown, match=said):
        read_shape(str(tmp_path))
