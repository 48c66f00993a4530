"""What stands in an adapter's folder: found by name, read whole or refused, and bound to one base."""

from __future__ import annotations

import json

import pytest
import torch

from helpers import adapters
from helpers.adapters import AdapterUnavailable, find_adapter, read_adapter, shipped, weights_checksum
from helpers.lora import add_lora_
from helpers.old.lora import save_adapter
from tests.lora.test_layers import stirred
from tests.training.test_collation_and_losses import small_llama


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course that ships two adapters, tickets and reader, of a tiny model."""
    folder = tmp_path / "data" / "adapters"
    monkeypatch.setattr(adapters, "ADAPTERS", folder)
    for name in ("tickets", "reader"):
        save_adapter(stirred(add_lora_(small_llama(), 4, 8)), folder / name, base="tiny")
    return folder


def refused(adapter) -> str:
    with pytest.raises(AdapterUnavailable) as caught:
        read_adapter(adapter)
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?")), message
    return message


def test_an_adapter_is_found_by_its_name_or_by_its_folder(course, tmp_path):
    assert shipped() == ["reader", "tickets"]
    assert find_adapter("tickets") == course / "tickets"
    mine = tmp_path / "mine"
    save_adapter(add_lora_(small_llama(), 2, 8, ("q_proj",)), mine)
    for named in (mine, str(mine)):
        found = read_adapter(named)
        assert (found.name, found.rank, found.alpha, found.targets, found.base) == ("mine", 2, 8, ["q_proj"], None)
    assert len(read_adapter("tickets").layers) == 3 * 7


def test_an_unknown_name_lists_what_exists_and_suggests_the_nearest(course, monkeypatch, tmp_path):
    message = refused("tickts")
    assert "'tickts'" in message and "reader, tickets" in message and "Did you mean 'tickets'?" in message
    assert "Did you mean" not in refused("summaries of reports")
    monkeypatch.setattr(adapters, "ADAPTERS", tmp_path / "none")
    assert "ships none" in refused("tickets")


def test_a_folder_that_is_only_half_an_adapter_is_not_shipped(course):
    (course / "half").mkdir()
    assert shipped() == ["reader", "tickets"]
    assert "holds no adapter_config.json" in refused(course / "half")
    (course / "tickets" / "adapter_model.safetensors").unlink()
    assert "There is no adapter_model.safetensors in tickets: restore it with `git checkout -- " in refused("tickets")


def test_pickled_weights_are_never_opened(course):
    weights = course / "reader" / "adapter_model.safetensors"
    weights.rename(weights.with_name("adapter_model.bin"))
    assert "pickled weights are never opened" in refused("reader")


@pytest.mark.parametrize("cut", [0, 5, 100, -1], ids="bytes: {}".format)
def test_a_file_that_is_cut_off_is_refused(course, cut):
    weights = course / "tickets" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    assert "adapter_model.safetensors of tickets is cut off or damaged" in refused("tickets")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"r": 8}, "do not belong together: adapter_config.json says rank 8"),
        ({"r": 0}, "gives no rank"),
        ({"r": "many"}, "gives no rank"),
        ({"lora_alpha": None}, "gives no rank"),
        ({"peft_type": "IA3"}, "type 'IA3'"),
    ],
)
def test_a_configuration_of_another_adapter_is_refused(course, change, said):
    path = course / "tickets" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    assert said in refused("tickets")


@pytest.mark.parametrize("text", ["{", "[1]", "", "[" * 100_000])
def test_a_configuration_that_is_no_object_is_refused(course, text):
    (course / "tickets" / "adapter_config.json").write_text(text, encoding="utf-8")
    assert "adapter_config.json of tickets is cut off or no JSON object" in refused("tickets")


def test_a_matrix_without_its_partner_is_refused(course):
    from safetensors.torch import load_file, save_file

    weights = course / "tickets" / "adapter_model.safetensors"
    tensors = load_file(weights)
    gone = next(key for key in tensors if "lora_B" in key)
    save_file({key: tensor for key, tensor in tensors.items() if key != gone}, weights)
    assert "lacks lora_B of model.layers.0.mlp.down_proj" in refused("tickets")
    save_file({"x": torch.zeros(2, 2)}, weights)
    assert "corrects no layer" in refused("tickets")


# The base's checksum -------------------------------------------------------------------------------------------------


def weights() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator).bfloat16() for shape in ((4, 6), (6, 4), (6,))]


def test_a_checksum_is_of_the_weights_not_of_their_order_precision_or_ties():
    expected = weights_checksum(weights())
    assert len(expected) == 64
    assert weights_checksum(reversed(weights())) == expected
    assert weights_checksum([tensor.float() for tensor in weights()]) == expected
    assert weights_checksum([*weights(), weights()[0]]) == expected
    assert weights_checksum([weights()[0].T.contiguous().T, *weights()[1:]]) == expected


def test_a_checksum_changes_with_any_weight_and_with_any_shape():
    expected, changed = weights_checksum(weights()), weights()
    changed[1][5, 3] += 0.01 + changed[1][5, 3].abs() / 64
    assert weights_checksum(changed) != expected
    assert weights_checksum([weights()[0].reshape(6, 4), *weights()[1:]]) != expected
    assert weights_checksum(weights()[1:]) != expected


def test_weights_in_another_precision_have_no_checksum():
    assert weights_checksum([tensor.half() for tensor in weights()]) is None
    assert weights_checksum([*weights(), torch.zeros(3, dtype=torch.uint8)]) is None
