"""The budget of a training against what autograd keeps and what is alive; what is recommended; what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from helpers.old.lora import METHODS, Setting, memory_parts, plan_training, read_shape, usable_bytes
from helpers.old.lora.__main__ import main
from helpers.old.lora.plan import CARDS, PAGED, TILE_WORDS, _working_per_token, check_adapters, needed
from helpers.old.memory import CONTEXT_BYTES, GIB, GPUS
from tests.lora.live_memory import Live, in_four_bits, kept_bytes, peak_of_blocks, peak_of_loss, prepared, tiny

PLAIN = Setting(batch=1, seq_len=128, rank=4, checkpointing=False)
FP32 = replace(PLAIN, compute="fp32")
WAYS = {
    "lora, 32 bits": FP32,
    "lora": PLAIN,
    "lora, attention only": replace(PLAIN, targets=("attention",)),
    "lora, two padded rows": replace(PLAIN, batch=2, seq_len=64),
    "qlora": replace(PLAIN, method="qlora"),
    "qlora, two padded rows": replace(PLAIN, method="qlora", batch=2, seq_len=64),
    "full": replace(PLAIN, method="full"),
    "full, 32 bits": replace(FP32, method="full"),
}


def part(shape, setting, name: str) -> int:
    return dict(memory_parts(shape, setting)).get(name, 0)


# What is counted, against what happens


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["llama", "qwen3", "phi3"])
def test_activations_are_what_autograd_keeps(kind, way):
    setting = WAYS[way]
    shape, model = tiny(kind)
    names = check_adapters(shape, setting.rank, setting.targets)
    kept = kept_bytes(prepared(model, setting, list(names)), setting)
    # left out: rotations of positions, which all blocks share, and a norm's gain in full training
    assert part(shape, setting, "activations") == pytest.approx(kept, rel=0.06)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("way", ["lora, 32 bits", "lora", "qlora", "full"])
def test_the_peak_of_the_blocks_is_activations_and_working_buffers(way, checkpointing):
    setting = replace(WAYS[way], checkpointing=checkpointing, seq_len=384)
    shape, model = tiny()
    # with the loss taken away, what a block's backward pass needs remains
    counted = dict(memory_parts(shape, replace(setting, device="cpu")))
    loss, beyond = counted["logits at the loss"], counted.get("working buffers", 0)
    working = setting.tokens * _working_per_token(shape, setting)
    assert beyond == max(0, working - loss) + (2 * 96 * 320 if setting.method == "qlora" else 0)
    peak = peak_of_blocks(prepared(model, setting), setting)
    expected = counted["activations"] + working + (2 * 96 * 320 if setting.method == "qlora" else 0)
    if setting.method == "full":  # whose gradients are as large as the rest here, and there only at the end
        assert peak < expected + counted["gradients"] < 1.35 * peak
    else:
        assert 0.97 * peak < expected < 1.15 * peak


def test_checkpointing_keeps_the_inputs_of_the_blocks_only():
    shape, _ = tiny(num_hidden_layers=5)
    ways = replace(PLAIN, checkpointing=True), PLAIN
    with_it, without = (peak_of_blocks(prepared(tiny(num_hidden_layers=5)[1], way), way) for way in ways)
    assert with_it < 0.5 * without
    assert part(shape, ways[0], "activations") < 0.4 * part(shape, PLAIN, "activations")


@pytest.mark.parametrize("setting", [PLAIN, FP32], ids=["bf16", "fp32"])
def test_a_loop_that_keeps_all_logits_needs_what_is_said(setting):
    shape, model = tiny(vocab_size=2_000)
    model = model.requires_grad_(False).to(torch.bfloat16 if setting.width == 2 else torch.float32)
    assert part(shape, replace(setting, loss="whole"), "logits at the loss") == pytest.approx(
        peak_of_loss(model, setting), rel=0.02
    )


@pytest.mark.parametrize("setting", [PLAIN, FP32], ids=["bf16", "fp32"])
def test_on_a_cpu_the_loss_in_tiles_needs_what_is_said(setting):
    from trl.kernels import ChunkedLogProbFunction

    setting = replace(setting, device="cpu", seq_len=48)
    shape, _ = tiny(vocab_size=TILE_WORDS)  # as wide as a tile
    dtype = torch.bfloat16 if setting.width == 2 else torch.float32
    states = torch.randn(setting.tokens, shape.d_model, dtype=dtype, requires_grad=True)
    head, targets = torch.randn(shape.vocab, shape.d_model, dtype=dtype), torch.zeros(setting.tokens, dtype=torch.long)
    with Live() as live:
        log_probs, *_ = ChunkedLogProbFunction.apply(
            states, head, None, targets, 1.0, TILE_WORDS, None, 1.0, ("log_probs", "entropy", "is_top1")
        )
        log_probs.sum().backward()
    assert part(shape, setting, "logits at the loss") == pytest.approx(live.peak, rel=0.02)


def test_four_bits_are_what_bitsandbytes_stores():
    shape, model = tiny(hidden_size=256, intermediate_size=1024, head_dim=64, num_attention_heads=4)
    model = model.to(torch.bfloat16)
    in_four_bits(model)
    stored = 0
    for parameter in model.parameters():
        stored += parameter.numel() * parameter.element_size()
        if state := getattr(parameter, "quant_state", None):
            stored += state.absmax.numel() + 4 * state.state2.absmax.numel()
    assert part(shape, replace(PLAIN, method="qlora"), "base weights") == pytest.approx(stored, rel=0.001)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_and_states_are_as_large_as_the_optimizer_makes_them(method):
    setting = replace(PLAIN, method=method)
    shape, model = tiny()
    inner = prepared(model, setting)
    inner.model(torch.zeros(1, 4, dtype=torch.long)).last_hidden_state.sum().backward()
    inner.lm_head.weight.grad = torch.zeros_like(inner.lm_head.weight) if method == "full" else None
    trained = [parameter for parameter in inner.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values() if value.dim()]
    assert part(shape, setting, "gradients") == sum(p.grad.numel() * p.grad.element_size() for p in trained)
    assert part(shape, setting, "optimizer states") == sum(value.numel() * value.element_size() for value in states)


def test_adapters_in_32_bits_double_what_is_trained_and_are_copied_for_the_product():
    shape = read_shape("Qwen3-0.6B")
    half = replace(PLAIN, method="qlora")
    whole = replace(half, float32_adapters=True)
    for name in ("adapters", "gradients", "optimizer states"):
        assert part(shape, whole, name) == 2 * part(shape, half, name) > 0
    copies = part(shape, whole, "activations") - part(shape, half, "activations")
    assert copies == part(shape, half, "adapters")
    assert memory_parts(shape, replace(PLAIN, float32_adapters=True)) == memory_parts(shape, PLAIN)


def test_a_paged_optimizers_states_count_only_beyond_what_they_can_make_room_for():
    shape = read_shape("Llama-3.1-8B")
    small, large = (replace(PLAIN, method="full", seq_len=n, optimizer=PAGED, checkpointing=True) for n in (64, 65_536))
    assert 0 < part(shape, small, "optimizer states") < 2 * shape.n_parameters
    assert part(shape, large, "optimizer states") == 0


def test_a_tied_head_counts_once():
    tied, untied = (tiny(tie_word_embeddings=tie)[0] for tie in (True, False))
    assert part(untied, PLAIN, "base weights") - part(tied, PLAIN, "base weights") == 2 * 160 * 96


def test_only_a_gpu_has_a_context_and_only_a_cpu_keeps_the_file_of_a_4_bit_model():
    shape = read_shape("Qwen3-0.6B")
    for method in METHODS:
        on_cpu = part(shape, replace(PLAIN, method=method, device="cpu"), "16-bit file, mapped")
        assert on_cpu == (2 * shape.linear_parameters if method == "qlora" else 0)
        assert not part(shape, replace(PLAIN, method=method), "16-bit file, mapped")
        assert not part(shape, replace(PLAIN, method=method, device="cpu", mapped=False), "16-bit file, mapped")
    assert part(shape, PLAIN, "CUDA context") == CONTEXT_BYTES
    assert not part(shape, replace(PLAIN, device="cpu"), "CUDA context")


# What is recommended


def test_the_recommended_batch_is_the_largest_that_fits():
    for name in ("Llama-3.1-8B", "Qwen3-1.7B", "phi-4"):
        for card in (16, 24, 80):
            plan = plan_training(name, card)
            assert plan.fits and plan.total <= plan.capacity == usable_bytes(card)
            for option in plan.options:
                assert needed(plan.shape, option.setting) == option.total <= plan.capacity
                twice = replace(option.setting, batch=2 * option.setting.batch)
                assert twice.batch > 16 or needed(plan.shape, twice) > plan.capacity
            assert plan.batch * plan.accumulation == 16


def test_lora_is_taken_where_it_fits_and_qlora_where_it_does_not():
    methods = [plan_training("Llama-3.1-8B", card).method for card in (8, 16, 24, 48)]
    assert methods == ["qlora", "qlora", "lora", "lora"]
    assert plan_training("Llama-3.1-8B", 24, method="qlora").method == "qlora"
    few = plan_training("Llama-3.1-8B", 18.8)  # one row of 1,024 tokens: still LoRA
    assert (few.method, few.batch) == ("lora", 1) and few.setting.tokens < 2_048


def test_what_the_literature_fine_tuned_on_one_card_fits_on_it():
    """QLoRA (Dettmers et al., 2023) trained 65B on one GPU of 48 GB and 33B on 24 GB, rows of 512 tokens."""
    assert plan_training("Llama-3.1-70B", 48, seq_len=512, method="qlora").fits
    assert plan_training("Qwen2.5-32B", 24, seq_len=512, method="qlora").fits
    assert not plan_training("Llama-3.1-70B", 24, seq_len=512, method="qlora").fits


def test_where_nothing_fits_each_advice_would():
    plan = plan_training("Qwen2.5-32B", 24, seq_len=8_192)
    assert not plan.fits and plan.total > plan.capacity
    told = dict(advice.removeprefix("--").split() for advice in plan.advice)
    assert set(told) == {"seq-len", "gpu-memory", "model"}
    assert plan_training("Qwen2.5-32B", 24, seq_len=int(told["seq-len"])).fits
    assert plan_training("Qwen2.5-32B", float(told["gpu-memory"]), seq_len=8_192).fits
    assert plan_training(told["model"], 24, seq_len=8_192).fits
    high = plan_training("Qwen2.5-32B", 24, seq_len=8_192, rank=1_024)  # more than small models' matrices allow
    assert [advice for advice in high.advice if advice.startswith("--model")]
    assert "No change of one thing" in plan_training("Llama-3.1-70B", 1, seq_len=32_768).table()
    [first, *_] = plan_training("Llama-3.1-8B", 12, method="full").advice
    assert first == "--method qlora" and plan_training("Llama-3.1-8B", 12, method="qlora").fits


def test_a_card_offers_what_its_driver_reports():
    for gpu in GPUS:
        assert 0.93 * gpu.label_gb * GIB < usable_bytes(gpu.label_gb) <= gpu.capacity
    assert usable_bytes(12) < 12 * GIB and list(map(usable_bytes, CARDS)) == sorted(map(usable_bytes, CARDS))


# What is refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"rank": 0}, "at least 1 and at most 1,024, the smaller side of k_proj .4,096 by 1,024., not 0"),
        ({"rank": 1_025}, "not 1,025"),
        ({"rank": -3}, "not -3"),
        ({"targets": ("query",)}, "is called 'query': name some of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj"),
        ({"targets": ("q_proj", "x")}, "is called 'x'"),
        ({"method": "dora"}, "The method is one of lora, qlora, full, not 'dora'"),
        ({"seq_len": 0}, "seq_len is 1 or more, not 0"),
        ({"effective_batch": 0}, "effective_batch is 1 or more"),
        ({"gpu_memory": 0}, "gpu_memory is what is printed on the card, in GB, such as 24, not 0"),
        ({"gpu_memory": -8}, "not -8"),
        ({"gpu_memory": float("nan")}, "not nan"),
        ({"gpu_memory": float("inf")}, "not inf"),
    ],
)  # fmt: skip
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments, said):
    with pytest.raises(ValueError, match=said) as caught:
        plan_training("Llama-3.1-8B", **{"gpu_memory": 24} | arguments)
    assert "\n" not in str(caught.value)


def test_a_setting_refuses_a_method_that_it_does_not_know():
    with pytest.raises(ValueError, match="^The method is one of lora, qlora, full, not 'LoRA'.$"):
        Setting("LoRA")


# On the command line


def test_a_plan_is_printed_by_part(capsys):
    assert main("plan --model meta-llama/Llama-3.1-8B --gpu-memory 24".split()) == 0
    out = capsys.readouterr().out
    for said in ("8.03 billion parameters", "base weights              14.96 GiB", "total ", "settings that fit"):
        assert said in out
    assert "hf auth login" in out  # gated
    assert main("plan --model Qwen3-8B --gpu-memory 24 --method qlora --rank 16 --targets q_proj,v_proj".split()) == 0
    out = capsys.readouterr().out
    assert "QLoRA of rank 16 on q_proj, v_proj" in out and "hf auth login" not in out and "  LoRA " not in out


REFUSED = ("--model Lama-3.1-8B", "--model Llama-3.1-8B --rank 0", "--model Llama-3.1-8B --targets q")


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_does_not_exist_ends_with_status_2_and_one_sentence(arguments, capsys):
    assert main(f"plan --gpu-memory 24 {arguments}".split()) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1 and "Traceback" not in said.err
