"""The one dial: what it picks, what it remembers, what it refuses, and where it puts tensors."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types

import pytest

from helpers import scale as scale_module
from helpers.scale import Scale, current, device, matrix_dtype, scale


@pytest.fixture(autouse=True)
def laptop_before_and_after(monkeypatch):
    monkeypatch.setattr(scale_module, "_current", Scale("laptop"))
    monkeypatch.setattr(scale_module, "_told_no_gpu", False)


def fake_torch(cuda: bool, mps: bool) -> types.SimpleNamespace:
    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: cuda),
        backends=types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps)),
    )


@pytest.mark.parametrize(("name", "expected"), [("smoke", 2), ("laptop", 200), ("gpu", 2000)])
def test_pick_returns_the_value_of_its_own_scale(name, expected):
    assert scale(name).pick(smoke=2, laptop=200, gpu=2000) == expected


@pytest.mark.parametrize("name", ["smoke", "gpu"])
def test_a_scale_without_a_value_falls_back_to_laptop(name):
    assert scale(name).pick(laptop=200) == 200


@pytest.mark.parametrize("value", [None, 0, False, ""])
def test_a_falsy_value_is_a_value_and_not_a_gap(value):
    assert scale("smoke").pick(smoke=value, laptop=200) is value


def test_pick_without_laptop_is_refused_even_where_another_value_would_do():
    with pytest.raises(TypeError, match=r"needs a value for laptop="):
        scale("smoke").pick(smoke=2)


def test_a_misspelt_scale_in_pick_is_refused_in_one_sentence():
    with pytest.raises(TypeError, match=r"does not know the scale 'labtop': it takes smoke=, laptop= and gpu=\.$"):
        scale("laptop").pick(laptop=200, labtop=3)


def test_the_scale_set_last_is_current():
    assert current().name == "laptop"
    chosen = scale("smoke")
    assert current() is chosen
    assert str(current()) == "smoke"


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("Laptop", "laptop"), ("smok", "smoke"), ("GPU", "gpu"), (" laptop ", "laptop")]
)
def test_an_unknown_scale_is_refused_and_the_nearest_suggested(wrong, nearest):
    scale("smoke")
    with pytest.raises(ValueError, match=rf"Did you mean '{nearest}'\?$"):
        scale(wrong)
    assert current().name == "smoke"


def test_a_scale_that_is_far_from_any_gets_the_list_and_no_guess():
    with pytest.raises(ValueError, match="'smoke', 'laptop' or 'gpu'") as caught:
        scale("xyzzy")
    assert "mean" not in str(caught.value)


@pytest.mark.parametrize("wrong", [None, 3, ["laptop"]])
def test_a_scale_that_is_no_text_is_a_value_error_too(wrong):
    with pytest.raises(ValueError, match="must be one of 'smoke', 'laptop' and 'gpu'"):
        scale(wrong)


def test_a_scale_cannot_be_changed_behind_the_notebooks_back():
    with pytest.raises(dataclasses.FrozenInstanceError):
        scale("smoke").name = "gpu"


@pytest.mark.parametrize("name", ["smoke", "laptop"])
def test_small_scales_stay_on_the_cpu_even_where_there_is_a_gpu(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(cuda=True, mps=True))
    scale(name)
    assert device() == "cpu"


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_gpu_scale_prefers_cuda_then_mps(cuda, mps, expected, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(cuda, mps))
    scale("gpu")
    assert device() == expected
    assert bool(capsys.readouterr().out) == (expected == "cpu")


def test_a_missing_gpu_is_said_once_in_one_sentence_and_again_after_the_scale_was_left(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(cuda=False, mps=False))
    scale("gpu")
    device(), device()
    scale("gpu")
    device()
    said = capsys.readouterr().out
    assert said == "PyTorch sees no GPU, so this runs on the CPU and will be slow: set SCALE = 'laptop' instead.\n"
    scale("laptop"), scale("gpu")
    device()
    assert "sees no GPU" in capsys.readouterr().out


def test_the_gpu_scale_without_pytorch_says_so_and_uses_the_cpu(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)  # makes `import torch` raise ImportError
    scale("gpu")
    assert device() == "cpu"
    assert "PyTorch is not installed (pip install torch)" in capsys.readouterr().out


def test_a_notebook_on_the_laptop_scale_does_not_pay_for_importing_pytorch():
    code = "import sys; from helpers.scale import *; print(scale('laptop'), device(), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "laptop cpu False\n"


@pytest.mark.parametrize(
    ("capability", "name", "dtype"),
    [("AVX2", "laptop", "float32"), ("DEFAULT", "laptop", "float32"), ("AVX512", "laptop", "bfloat16")],
)
def test_bfloat16_is_chosen_only_where_the_processor_multiplies_in_it(monkeypatch, capability, name, dtype):
    import torch

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    scale(name)
    assert matrix_dtype() is getattr(torch, dtype)


def test_a_gpu_multiplies_in_bfloat16_whatever_the_cpu_does(monkeypatch):
    import torch

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(scale_module, "device", lambda: "cuda")
    assert matrix_dtype() is torch.bfloat16
