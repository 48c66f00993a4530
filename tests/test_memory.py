"""The calculator against published counts, against the libraries it describes, and against the operating system."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from helpers.old import memory
from helpers.old.measuring import peak_bytes, resident_bytes
from helpers.old.measuring import process as process_memory
from helpers.old.memory import (
    ARCHITECTURES,
    GIB,
    GPUS,
    Architecture,
    canonical_dtype,
    estimate,
    kv_cache_bytes,
    quantization_overhead_bytes,
    weights_bytes,
)

TINY = Architecture("tiny", 2, 256, 688, 8, 4, 32, 1000, False)
PUBLISHED = {  # billions in all, and without embedding and head, from the models' cards
    "Qwen3-0.6B": (0.6, 0.44), "Qwen3-1.7B": (1.7, 1.4), "Qwen3-4B": (4.0, 3.6), "Qwen3-8B": (8.2, 6.95),
    "Qwen3-14B": (14.8, 13.2), "Qwen3-32B": (32.8, 31.2), "Llama-3.1-8B": (8.030, None),
    "Llama-3.3-70B": (70.554, None),
}  # fmt: skip


def llama(shape: Architecture, **settings) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    config, model = (Qwen3Config, Qwen3ForCausalLM) if shape.qk_norm else (LlamaConfig, LlamaForCausalLM)
    return model(
        config(
            hidden_size=shape.d_model, intermediate_size=shape.d_ff, num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim,
            vocab_size=shape.vocab, tie_word_embeddings=shape.tied, **settings,
        )
    )  # fmt: skip


# Weights


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("fp32", 4000), ("bf16", 2000), ("fp16", 2000), ("int8", 1000), ("int4", 500), ("4-bit", 500), ("nf4", 500),
     ("float32", 4000), (torch.float32, 4000), (torch.bfloat16, 2000), (torch.float16, 2000), (torch.int8, 1000),
     (torch.float64, 8000)],
)  # fmt: skip
def test_weights_take_their_width_in_bytes(dtype, expected):
    assert weights_bytes(1000, dtype) == expected


@pytest.mark.parametrize(("n_parameters", "expected"), [(0, 0), (1, 1), (2, 1), (3, 2), (134_515_008, 67_257_504)])
def test_an_odd_number_of_4_bit_weights_rounds_up_to_a_whole_byte(n_parameters, expected):
    assert weights_bytes(n_parameters, "int4") == expected


def test_an_unknown_dtype_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'int3' is not known: use one of fp64, fp32, bf16, fp16, fp8, int8, int4"):
        weights_bytes(10, "int3")


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="cannot have -1 parameters"):
        weights_bytes(-1, "fp32")


def test_naming_a_dtype_does_not_import_pytorch():
    code = "import sys; from helpers.old.memory import *; weights_bytes(8, 'bfloat16'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.int8, torch.uint8])
def test_the_width_of_a_torch_dtype_is_pytorchs(dtype):
    assert weights_bytes(77, dtype) == torch.empty(77, dtype=dtype).nbytes


def test_double_quantization_saves_what_its_paper_says():
    n = 64 * 256 * 100
    plain = quantization_overhead_bytes(n, group_size=64, scale_bits=32)
    double = quantization_overhead_bytes(n, group_size=64, scale_bits=8, nested_group=256)
    assert plain * 8 / n == 0.5
    assert (plain - double) * 8 / n == pytest.approx(0.373, abs=5e-4)  # Dettmers et al. 2023, section 3


def test_the_zero_points_of_asymmetric_groups_and_the_last_partial_group_are_counted():
    assert quantization_overhead_bytes(33, group_size=32, scale_bits=16, zero_point_bits=4) == 5  # 2 groups · 20 bits
    with pytest.raises(ValueError, match="group_size must be 1 or more"):
        quantization_overhead_bytes(33, group_size=0)


def test_a_bitsandbytes_4_bit_layer_takes_what_the_arithmetic_predicts():
    bnb = pytest.importorskip("bitsandbytes")
    weight = torch.randn(512, 1024, generator=torch.Generator().manual_seed(0))
    packed, state = bnb.functional.quantize_4bit(weight, blocksize=64, quant_type="nf4", compress_statistics=True)
    assert packed.nbytes == weights_bytes(weight.numel(), "nf4")
    scales = state.absmax.nbytes + state.state2.absmax.nbytes
    assert scales == quantization_overhead_bytes(weight.numel(), group_size=64, scale_bits=8, nested_group=256)


# Key-value cache


def test_the_cache_of_llama_8b_is_an_eighth_of_a_mebibyte_a_token():
    assert kv_cache_bytes(32, 8, 128, tokens=1) == 128 * 1024
    assert kv_cache_bytes(32, 8, 128, tokens=100, batch=3, dtype="fp32") == 2 * 300 * kv_cache_bytes(32, 8, 128, 1)


@pytest.mark.parametrize(("batch", "tokens"), [(1, 7), (3, 5)])
def test_the_cache_of_a_real_model_has_the_predicted_size(batch, tokens):
    torch.manual_seed(0)
    cache = llama(TINY)(torch.ones(batch, tokens, dtype=torch.long), use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == kv_cache_bytes(TINY.layers, TINY.kv_heads, TINY.head_dim, tokens, batch, "fp32")


# Architectures


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_has_the_published_number_of_parameters(name):
    shape, (whole, inside) = ARCHITECTURES[name], PUBLISHED[name]
    assert shape.n_parameters / 1e9 == pytest.approx(whole, abs=0.05 if inside else 0.0005)
    if inside:
        assert (shape.n_parameters - shape.embedding_parameters) / 1e9 == pytest.approx(inside, abs=0.05)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_preset_has_as_many_parameters_as_transformers_gives_it(name):
    with torch.device("meta"):
        model = llama(ARCHITECTURES[name])
    assert sum(parameter.numel() for parameter in model.parameters()) == ARCHITECTURES[name].n_parameters


def test_the_course_model_has_the_size_that_its_file_has():
    assert ARCHITECTURES["SmolLM2-135M"].n_parameters == 134_515_008


def test_lora_adapters_are_as_many_as_peft_makes():
    peft = pytest.importorskip("peft")
    with torch.device("meta"):
        model = peft.get_peft_model(llama(TINY), peft.LoraConfig(r=4, target_modules="all-linear"))
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert trained == TINY.lora_parameters(4)


# Estimates


def test_mixed_precision_and_fp32_training_both_take_16_bytes_a_parameter():
    for dtype in ("bf16", "fp32"):
        parts = estimate("Qwen3-1.7B", "full", dtype)
        exact = parts.weights + parts.gradients + parts.optimizer
        assert exact == 16 * ARCHITECTURES["Qwen3-1.7B"].n_parameters  # Rajbhandari et al. 2020


def test_the_gradients_and_moments_of_full_training_are_those_that_adam_holds():
    torch.manual_seed(0)
    model = llama(TINY)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 4, dtype=torch.long), labels=torch.ones(1, 4, dtype=torch.long)).loss.backward()
    optimizer.step()
    parts = estimate(TINY, "full", "fp32")
    assert sum(p.nbytes for p in model.parameters()) == parts.weights
    assert sum(p.grad.nbytes for p in model.parameters()) == parts.gradients
    moments = [state[key] for state in optimizer.state.values() for key in ("exp_avg", "exp_avg_sq")]
    assert sum(moment.nbytes for moment in moments) == parts.optimizer


def test_lora_trains_adapters_only_and_needs_no_cache():
    parts, bare = estimate("Llama-3.1-8B", "lora", "bf16"), estimate("Llama-3.1-8B", "inference", "bf16")
    adapters = ARCHITECTURES["Llama-3.1-8B"].lora_parameters(16)
    assert parts.weights - bare.weights == parts.gradients == 4 * adapters
    assert parts.optimizer == 8 * adapters
    assert parts.kv_cache == 0 < bare.kv_cache
    assert bare.gradients == bare.optimizer == 0


def saved_for_backward(layers: int, checkpointing: bool) -> int:
    """Bytes that autograd keeps of one bf16 forward pass over 2 · 128 tokens, parameters left out."""
    torch.manual_seed(0)
    model = llama(replace(TINY, layers=layers), attn_implementation="sdpa").to(torch.bfloat16).train()
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.ones(2, 128, dtype=torch.long), use_cache=False).logits.float().sum()
    return sum(kept.values())


def test_the_activations_of_a_layer_are_those_that_autograd_keeps():
    shape, tokens = TINY, 256
    measured = saved_for_backward(3, False) - saved_for_backward(2, False)
    one_more = replace(shape, layers=shape.layers + 1)

    def activations(architecture: Architecture) -> int:
        return memory._activation_bytes(architecture, "full", "fp16", tokens, 2, quantized=False)

    checkpoint = activations(one_more) - activations(shape)
    inside = activations(shape) - shape.layers * checkpoint - 8 * tokens * shape.vocab
    # Beside what the formula names autograd keeps a few numbers a token: the norms' roots, attention's log-sums.
    assert inside == pytest.approx(measured, rel=0.03)
    assert checkpoint == 2 * tokens * shape.d_model


def test_with_gradient_checkpointing_a_further_layer_keeps_only_its_input():
    more = saved_for_backward(3, True) - saved_for_backward(2, True)
    assert more == 2 * 256 * TINY.d_model  # bf16 · tokens · d_model


@pytest.mark.parametrize("task", ["inference", "lora", "full"])
def test_more_context_or_more_sequences_never_need_less(task):
    base = estimate("Qwen3-1.7B", task, "bf16", context=512)
    assert base.total < estimate("Qwen3-1.7B", task, "bf16", context=1024).total
    assert base.total < estimate("Qwen3-1.7B", task, "bf16", context=512, batch=2).total


def test_fewer_bits_need_less_memory_and_keep_embeddings_in_16():
    sizes = [estimate("Llama-3.1-8B", dtype=dtype).weights for dtype in ("fp32", "fp16", "int8", "int4")]
    assert sizes == sorted(sizes, reverse=True)
    shape = ARCHITECTURES["Llama-3.1-8B"]
    matrices, rest = shape.linear_parameters, shape.n_parameters - shape.linear_parameters
    scales = quantization_overhead_bytes(matrices, group_size=64, scale_bits=8, nested_group=256)
    assert sizes[3] == matrices // 2 + scales + 2 * rest
    assert sizes[2] == matrices + 4 * 32 * (4096 + 1024 + 1024 + 4096 + 14_336 + 14_336 + 4096) + 2 * rest


def test_the_total_is_the_sum_of_the_printed_parts():
    parts = estimate("Qwen3-4B", "lora", "int4")
    assert parts.total == (
        parts.weights + parts.kv_cache + parts.gradients + parts.optimizer + parts.activations + parts.overhead
    )
    assert str(parts).splitlines()[-1].split() == ["total", f"{parts.total / GIB:.2f}", "GiB"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate("Llama-3-8B"), "Did you mean 'Llama-3.1-8B'"),
        (lambda: estimate("Llama-3.1-8B", "training"), "use 'inference', 'lora' or 'full'"),
        (lambda: estimate("Llama-3.1-8B", "full", "int4"), "use dtype='bf16', or task='lora'"),
        (lambda: estimate("Llama-3.1-8B", dtype="q4"), "'q4' is not known"),
    ],
)
def test_an_estimate_of_something_unknown_is_refused_with_a_cure(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# What fits


def test_a_24_gb_card_tunes_34_billion_parameters_in_4_bits():
    code_llama = Architecture("CodeLlama-34B", 48, 8192, 22_016, 64, 8, 128, 32_000, False)
    card = next(gpu for gpu in GPUS if gpu.name == "RTX 4090")
    assert estimate(code_llama, "lora", "int4").total <= card.capacity  # 33B on 24 GB, Dettmers et al. 2023
    # A vocabulary of 151,936 makes logits of almost five times the size, so a model that is no larger no longer fits.
    assert estimate("Qwen3-32B", "lora", "int4").total > card.capacity


def test_a_card_reports_about_the_gib_on_its_label():
    for gpu in GPUS:
        assert 0.93 < gpu.reported_mib / 1024 / gpu.label_gb <= 1.0


# This process


def in_a_fresh_process(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_resident_memory_grows_and_falls_with_what_is_held_and_the_peak_stays():
    # 200 MB, well above the allocator's threshold for giving memory back at once.
    before, during, after, peak = map(int, in_a_fresh_process(
        "from helpers.old.measuring.process import *\n"
        "before = resident_bytes(); block = bytearray(200_000_000); during = resident_bytes()\n"
        "del block; print(before, during, resident_bytes(), peak_bytes())"
    ))  # fmt: skip
    assert during - before == pytest.approx(200e6, rel=0.02)
    assert after - before < 20e6
    assert peak >= 0.99 * during  # Linux adds pages to its counters in batches, a few hundred kB late


def test_where_there_is_no_proc_psutil_answers(monkeypatch):
    direct = resident_bytes()
    monkeypatch.setattr(process_memory, "_proc_status", lambda key: None)
    assert resident_bytes() == pytest.approx(direct, rel=0.2)
    if sys.platform != "win32":
        assert peak_bytes() > 10e6


# Parameters by part


def total(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_canonical_names_are_stable_under_repetition():
    for name in [*memory.BITS, *memory._ALIASES]:
        assert canonical_dtype(canonical_dtype(name)) == canonical_dtype(name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc keeps freed blocks that can be asked back")
def test_freed_memory_goes_back_to_the_system():
    """Many small blocks, of which the last stays: glibc cannot give the others back by itself."""
    code = (
        "from helpers.old.measuring.process import give_back_freed, resident_bytes\n"
        "blocks = [bytearray(60_000) for _ in range(4000)]; last = blocks[-1]; del blocks\n"
        "kept = resident_bytes(); give_back_freed(); print(kept, resident_bytes())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    kept, after = map(int, out.split())
    assert kept - after > 150_000_000  # of 240 MB
