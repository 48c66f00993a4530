"""Adapters on disk: PEFT reads ours, we read PEFT's, and one that does not fit changes nothing."""

from __future__ import annotations

import json
import warnings

import pytest
import torch

from helpers.adapters import AdapterUnavailable, read_adapter
from helpers.lora import add_lora_, lora_layers, merge_lora_
from helpers.old.lora import load_adapter, save_adapter
from helpers.transformer import Llama, LlamaConfig
from tests.lora.test_layers import stirred
from tests.tiny_models import LLAMAS, llama, randomized, tokens
from tests.training.test_collation_and_losses import small_llama

peft = pytest.importorskip("peft")
SEVEN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CLOSE = {"atol": 1e-4, "rtol": 0}  # sums of float32 in another order


def theirs(base: torch.nn.Module, **options) -> torch.nn.Module:
    """PEFT's corrections around the library's model, away from zero, and small enough that rounding stays small."""
    settings = {"r": 4, "lora_alpha": 12, "target_modules": SEVEN} | options
    model = peft.get_peft_model(base, peft.LoraConfig(**settings))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


@pytest.mark.parametrize("options", [*LLAMAS.values()], ids=[*LLAMAS])
@torch.no_grad()
def test_an_adapter_that_peft_saved_gives_our_llama_pefts_logits(tmp_path, options):
    base, ids = llama(tmp_path / "base", **options), tokens(2, 9)
    plain = base(ids).logits
    model = theirs(base, r=2)  # one of the tiny bases has heads of two numbers
    model.save_pretrained(tmp_path / "adapter")
    ours = load_adapter(Llama.from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    torch.testing.assert_close(ours(ids), model(ids).logits, **CLOSE)
    assert (ours(ids) - plain).abs().max() > 0.1


@pytest.mark.parametrize(
    "options",
    [
        {"use_rslora": True},
        {"target_modules": ["v_proj", "down_proj"]},
        {"layers_to_transform": [1]},
        {"target_modules": r".*layers\.0\.(self_attn\.q_proj|mlp\.up_proj)"},
        {"target_modules": "all-linear", "lora_dropout": 0.5},
        {"r": 16, "lora_alpha": 1},
    ],
    ids=str,
)
@torch.no_grad()
def test_settings_of_peft_are_obeyed(tmp_path, options):
    base, ids = llama(tmp_path / "base", num_attention_heads=4), tokens(2, 9)
    model = theirs(base, **options)
    model.save_pretrained(tmp_path / "adapter")
    ours = load_adapter(Llama.from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    found = {name.removeprefix("base_model.model.") for name, m in model.named_modules() if hasattr(m, "lora_A")}
    assert len(lora_layers(ours)) == len(found)
    torch.testing.assert_close(ours(ids), model(ids).logits, **CLOSE)


@pytest.mark.parametrize("targets", [SEVEN, ["q_proj", "up_proj"]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_peft_reads_what_we_save_without_a_warning(tmp_path, targets, dtype):
    library, ids = llama(tmp_path / "base", num_attention_heads=4, num_key_value_heads=2), tokens(2, 9)
    ours = stirred(add_lora_(Llama.from_pretrained(tmp_path / "base"), 4, 6, targets))
    save_adapter(ours, tmp_path / "adapter", base="tiny", dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # what PEFT says of settings that it does not know
        model = peft.PeftModel.from_pretrained(library, tmp_path / "adapter")
    for layer in lora_layers(ours).values():
        layer.A.copy_(layer.A.to(dtype))  # as the file has them
        layer.B.copy_(layer.B.to(dtype))
    torch.testing.assert_close(model(ids).logits, ours(ids), **CLOSE)
    assert model.peft_config["default"].base_model_name_or_path == "tiny"


@torch.no_grad()
def test_where_only_some_layers_are_corrected_peft_corrects_the_same(tmp_path):
    library, ids = llama(tmp_path / "base", num_attention_heads=4), tokens(2, 9)
    ours = stirred(add_lora_(Llama.from_pretrained(tmp_path / "base"), 4, 8, ("q_proj",)))
    ours.blocks[0].attention.q_proj = ours.blocks[0].attention.q_proj.base
    save_adapter(ours, tmp_path / "adapter", dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(library, tmp_path / "adapter")
    assert [name for name, module in model.named_modules() if hasattr(module, "lora_A")] == [
        "base_model.model.model.layers.1.self_attn.q_proj"
    ]
    torch.testing.assert_close(model(ids).logits, ours(ids), **CLOSE)
    again = load_adapter(Llama.from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    assert lora_layers(again).keys() == lora_layers(ours).keys()
    assert torch.equal(again(ids), ours(ids))


@torch.no_grad()
def test_saved_and_read_back_it_says_the_same(tmp_path):
    model, ids = stirred(add_lora_(small_llama(), 4, 8, ("q_proj", "down_proj"))), tokens(2, 9)
    save_adapter(model, tmp_path / "a", dtype=torch.float32)
    assert torch.equal(load_adapter(small_llama(), tmp_path / "a")(ids), model(ids))
    other = stirred(add_lora_(small_llama(), 4, 8, ("q_proj", "down_proj")), 2)
    assert torch.equal(load_adapter(other, tmp_path / "a")(ids), model(ids))
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_a_model_that_is_not_a_llama_keeps_its_names(tmp_path):
    def net() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.ModuleDict({"first": torch.nn.Linear(6, 5), "second": torch.nn.Linear(5, 4)})

    model = stirred(add_lora_(net(), 2, 4, ("second",)))
    save_adapter(model, tmp_path / "a", dtype=torch.float32)
    assert list(read_adapter(tmp_path / "a").layers) == ["second"]
    x = torch.randn(3, 5)
    assert torch.equal(load_adapter(net(), tmp_path / "a")["second"](x), model["second"](x))


# Another base --------------------------------------------------------------------------------------------------------


def refused(model: torch.nn.Module, adapter) -> str:
    """The sentence; the model stays as it was."""
    corrected, before = set(lora_layers(model)), {name: p.clone() for name, p in model.named_parameters()}
    with pytest.raises(AdapterUnavailable) as caught:
        load_adapter(model, adapter)
    assert set(lora_layers(model)) == corrected
    assert all(torch.equal(before[name], parameter) for name, parameter in model.named_parameters())
    message = str(caught.value)
    assert "\n" not in message and message.endswith("."), message
    return message


@pytest.fixture
def adapter(tmp_path):
    save_adapter(stirred(add_lora_(small_llama(), 4, 8)), tmp_path / "mine", base="small")
    return tmp_path / "mine"


def test_the_same_base_fits_in_any_precision(adapter):
    for model in (small_llama(), small_llama().bfloat16(), small_llama().half()):  # half: a checksum cannot be told
        assert len(lora_layers(load_adapter(model, adapter))) == 21


def test_other_weights_of_the_same_shape_are_refused(adapter):
    assert "was trained for small, whose weights differ from this model's (checksum" in refused(
        randomized(small_llama(), seed=5), adapter
    )
    merged = merge_lora_(load_adapter(small_llama(), adapter))
    assert "whose weights differ" in refused(merged, adapter)


def test_an_adapter_without_a_checksum_is_judged_by_its_shapes_alone(tmp_path):
    base = llama(tmp_path / "base", num_attention_heads=4)
    theirs(base).save_pretrained(tmp_path / "adapter")
    assert read_adapter(tmp_path / "adapter").checksum is None
    other = randomized(Llama.from_pretrained(tmp_path / "base"), seed=9)
    assert lora_layers(load_adapter(other, tmp_path / "adapter"))


def test_another_shape_is_refused_by_what_differs(adapter):
    shallow, wide = Llama(LlamaConfig(61, 32, 2, 4, 48, 2)), Llama(LlamaConfig(61, 64, 3, 4, 48, 2))
    assert "corrects model.layers.2.mlp.down_proj, which this model does not have" in refused(shallow, adapter)
    message = refused(wide, adapter)
    assert "model.layers.0.mlp.down_proj maps 48 numbers to 32; in this model it maps 48 to 64" in message


def test_layers_that_match_nothing_are_listed_with_those_that_exist(adapter):
    net = torch.nn.ModuleDict({"c_attn": torch.nn.Linear(4, 4), "c_fc": torch.nn.Linear(4, 4)})
    message = refused(net, adapter)
    assert "it corrects down_proj, gate_proj, up_proj" in message and "(they are c_attn, c_fc)" in message


def test_corrections_of_another_strength_or_place_are_not_overwritten(adapter):
    message = refused(add_lora_(small_llama(), 4, 16), adapter)
    assert "made with rank 4 and alpha 8.0, and this model's corrections have 4 and 16" in message
    assert "do not both correct" in refused(add_lora_(small_llama(), 4, 8, ("q_proj",)), adapter)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights=pissa"),
    ],
    ids=str,
)
def test_what_is_more_than_plain_lora_is_refused_by_name(tmp_path, options, named):
    base = llama(tmp_path / "base", num_attention_heads=4)
    theirs(base, **options).save_pretrained(tmp_path / "adapter")
    message = refused(Llama.from_pretrained(tmp_path / "base"), tmp_path / "adapter")
    assert f"more than plain LoRA ({named})" in message


def test_a_damaged_adapter_changes_nothing(adapter):
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    assert "cut off or damaged" in refused(small_llama(), adapter)
    assert "There is no adapter" in refused(small_llama(), adapter / "none")


# Saving --------------------------------------------------------------------------------------------------------------


def test_only_corrections_of_one_strength_can_be_saved(tmp_path):
    with pytest.raises(ValueError, match="no LoRA layers"):
        save_adapter(small_llama(), tmp_path / "a")
    model = add_lora_(small_llama(), 4, 8)
    model.blocks[0].attention.q_proj.alpha = 80
    with pytest.raises(ValueError, match="differ in rank or alpha"):
        save_adapter(model, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_config_is_what_peft_would_have_written(adapter):
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    known = peft.LoraConfig().to_dict().keys()
    assert config.keys() <= known
    assert config["target_modules"] == sorted(SEVEN) and (config["r"], config["lora_alpha"]) == (4, 8)
