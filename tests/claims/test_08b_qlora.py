"""What 08b_qlora and README.md say of 4-bit training, held against arithmetic, weights and what was recorded."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from helpers.lora import Setting, memory_parts, read_shape
from helpers.trials import deep_stacks, qlora, small_gpt
from helpers.trials.low_rank import merges
from helpers.trials.reading import right_on_page

from helpers.exercises.checking import registry
from helpers.files.paths import ROOT
from helpers.models import fetch
from helpers.quantization import bits_per_weight, dequantize_blocks, even_codebook, nf4_codebook, quantize_blocks
from helpers.transformer import Encoder
from tests.tools.notebook import course, output_texts

SHAPE = read_shape("meta-llama/Llama-3.1-8B")


@pytest.fixture(scope="module")
def weights() -> torch.Tensor:
    """The embedder's linear layers, which never were in fewer than 32 bits."""
    layers = [m for m in Encoder.from_pretrained(fetch("embedder")).modules() if isinstance(m, torch.nn.Linear)]
    return torch.cat([layer.weight.detach().flatten() for layer in layers])


def change(weights: torch.Tensor, codebook: torch.Tensor, block: int) -> float:
    restored = dequantize_blocks(*quantize_blocks(weights, codebook, block), codebook, block)
    return float((restored - weights).norm() / weights.norm())


def test_eight_billion_weights_take_16_gb_and_all_of_their_training_eight_times_that():
    total = {method: sum(dict(memory_parts(SHAPE, Setting(method))).values()) for method in ("full", "lora", "qlora")}
    assert round(2 * SHAPE.n_parameters / 1e9) == 16
    assert total["full"] / (2 * SHAPE.n_parameters) == pytest.approx(8, abs=1)
    assert total["qlora"] < 16e9 < total["lora"]


def test_the_exercise_gives_the_codebook_that_the_course_uses():
    levels = registry().load("nf4_levels").spec.reference(1 - (1 / 32 + 1 / 30) / 2)
    assert torch.allclose(levels, nf4_codebook(), atol=1e-6)


def test_the_worked_example():
    weight = torch.tensor([0.30, -0.90, 0.15, 0.60])
    codes, absmax = quantize_blocks(weight, nf4_codebook(), 4)
    assert codes.tolist() == [11, 0, 9, 14] and absmax.item() == pytest.approx(0.9)
    restored = dequantize_blocks(codes, absmax, nf4_codebook(), 4)
    assert [round(x, 2) for x in restored.tolist()] == [0.3, -0.9, 0.14, 0.65]
    assert (11 * 16 + 0, 9 * 16 + 14) == (176, 158)


def test_the_quantile_of_nine_tenths():
    assert round(float(torch.special.ndtri(torch.tensor(0.9))), 2) == 1.28


def test_half_a_bit_for_sizes_is_four_gigabytes_of_a_70b_model():
    assert bits_per_weight(64, double=False) == 4.5
    assert 70e9 * 0.5 / 8 / 1e9 == pytest.approx(4.4, abs=0.03)


def test_nf4_changes_weights_less_than_even_steps_at_every_block_size(weights):
    for block in (32, 64, 128, 256):
        assert change(weights, nf4_codebook(), block) < change(weights, even_codebook(4), block)


def test_nf4_beats_16_even_steps_of_the_same_bits_clearly_in_blocks_of_64_and_hardly_in_blocks_of_32(weights):
    sizes, nf4 = (32, 64, 128, 256), nf4_codebook()
    even = {block: small_gpt.changes(weights, block)["16 even steps"] for block in sizes}
    gains = {block: even[block] - change(weights, nf4, block) for block in sizes}
    assert min(gains.values()) > 0
    assert gains[64] > 0.006 and gains[32] < 0.003


def test_nf4_beats_steps_from_the_smallest_to_the_largest_weight_at_equal_bits(weights):
    """Blocks of 32 with one size each take as many bits as blocks of 64 with two."""
    two_sizes = small_gpt.changes(weights, 64)["16 steps, two sizes"]
    nf4 = change(weights, nf4_codebook(), 32)
    assert (round(100 * nf4, 1), round(100 * two_sizes, 1)) == (8.8, 9.4)


def test_on_a_small_gpt_nf4_beats_even_steps_of_the_same_bits_in_blocks_of_64_and_more_but_not_of_32():
    found = small_gpt.RECORD.find("own GPT")
    assert found["losses"][1] < 0.7 * found["losses"][0]  # it has learned something
    better = {block for block, shares in found["changes"].items() if shares["NF4"] < shares["16 even steps"]}
    assert better == {"64", "128", "256"}


def test_the_surprise_of_the_small_gpt_moves_by_less_than_a_hundredth_in_every_code():
    surprise = small_gpt.RECORD.find("own GPT")["nats a byte"]
    assert set(surprise) == {"none", *small_gpt.TRIPS}
    assert max(surprise.values()) - min(surprise.values()) < 0.01


def test_the_small_gpt_has_seen_a_part_of_the_bytes_that_its_surprise_is_measured_on():
    trained = {tuple(ids[i : i + 16].tolist()) for ids in torch.cat(deep_stacks.batches(0, 400)) for i in range(18)}
    measured = torch.cat(deep_stacks.batches(1, 40))
    seen = sum(tuple(ids[8:24].tolist()) in trained for ids in measured) / len(measured)
    assert 0.1 < seen < 0.5


def test_the_plan_of_section_7_holds_what_the_learner_counts():
    shape = read_shape("chat")
    paper = registry().load("training_bytes").spec.reference
    own = Setting("qlora", 6, 64, checkpointing=False, device="cpu", loss="whole", padded=False, mapped=False)
    rest = (shape.n_parameters - shape.linear_parameters, shape.adapter_parameters(8, tuple(shape.linears)))
    parts = dict(memory_parts(shape, replace(own, float32_adapters=True)))
    held = sum(parts[part] for part in ("base weights", "adapters", "gradients", "optimizer states"))
    assert held == pytest.approx(paper(shape.linear_parameters, *rest), rel=0.001)
    other = memory_parts(shape, replace(own, method="lora", float32_adapters=True))
    assert sum(parts.values()) < 0.8e9 < sum(dict(other).values())  # the budget, into which LoRA does not fit

    def fits(method, batch):
        setting = replace(own, method=method, batch=batch, float32_adapters=True)
        return sum(dict(memory_parts(shape, setting)).values()) <= 0.8e9

    most = {method: max(batch for batch in range(1, 12) if fits(method, batch)) for method in ("lora", "qlora")}
    assert most == {"lora": 4, "qlora": 6}


def test_training_on_paper_is_what_the_tensors_take():
    shape, measured = read_shape("chat"), qlora.MEMORY.find("memory", method="qlora")["parts"]
    on_paper = (
        registry()
        .load("training_bytes")
        .spec.reference(
            shape.linear_parameters,
            shape.n_parameters - shape.linear_parameters,
            shape.adapter_parameters(8, tuple(shape.linears)),
        )
    )
    assert on_paper == pytest.approx(sum(measured.values()), rel=0.01)


@pytest.mark.parametrize("method", qlora.NAMES)
def test_predicted_and_measured_peaks_are_within_15_percent(method):
    run = qlora.MEMORY.find("memory", method=method)
    assert qlora.predicted_bytes(method, run["batch"], run["length"]) == pytest.approx(
        run["peak of training"], rel=0.15
    )


def test_4_bit_weights_take_less_than_half_of_the_bf16_base_with_the_tied_embedding_counted_once():
    half, four = (qlora.MEMORY.find("memory", method=method)["parts"]["base"] for method in ("lora", "qlora"))
    assert half == 2 * 134_515_008 and four < 0.42 * half


def test_qlora_loses_about_three_points_and_a_loss_of_six_is_not_excluded():
    found = qlora.paired("qlora", "lora")
    assert all(len(right) == len(qlora.judged()) >= 200 for right in qlora.scores().values())
    assert found.seeds == 3
    assert (round(found.points, 1), round(found.low, 1), round(found.high, 1)) == (-2.8, -5.8, 0)
    assert f"{found.high:.1f}" == "0.0"  # not "-0.0", as if the interval ended below zero


def test_between_seeds_the_gap_runs_from_one_point_to_six():
    right = {run: sum(marks) for run, marks in qlora.scores().items()}
    gaps = [100 * (right["lora", seed] - right["qlora", seed]) / len(qlora.judged()) for seed in range(3)]
    assert (round(min(gaps)), round(max(gaps))) == (1, 6)


def test_on_yes_or_no_questions_every_training_is_at_chance_and_what_it_gains_lies_in_the_others():
    binary = [reading.kind in ("yes", "no") for reading in qlora.judged()]
    assert [sum(r.kind == kind for r in qlora.judged()) for kind in ("yes", "no")] == [32, 32]
    assert len(binary) - sum(binary) == 220

    def split(right):
        of_binary = sum(mark for mark, two in zip(right, binary, strict=True) if two)
        return of_binary, sum(right) - of_binary

    found = {run: split(right) for run, right in qlora.scores().items()}
    assert len(found) == 9
    assert (min(yes_no for yes_no, _ in found.values()), max(yes_no for yes_no, _ in found.values())) == (26, 33)
    others = {m: sum(other for (way, _), (_, other) in found.items() if way == m) for m in ("lora", "qlora")}
    assert [round(100 * others[m] / (3 * 220)) for m in ("lora", "qlora")] == [48, 45]
    yes_no, other = split(qlora.by_rule())
    assert yes_no == 30 and round(100 * other / 220) == 32


def test_the_library_loses_what_the_courses_layers_lose():
    found = qlora.paired("library", "qlora")
    assert found.seeds == 3
    assert -2 < found.low < found.points < found.high < 2


def test_4_bits_start_with_a_higher_surprise_and_training_leaves_about_half_of_the_distance():
    (sixteen, sixteen_after), (four, four_after) = (qlora.mean_surprise(method) for method in ("lora", "qlora"))
    assert 0.4 < (four_after - sixteen_after) / (four - sixteen) < 0.6


def test_without_the_limit_on_words_two_examples_make_a_third_right_and_the_training_more_than_half():
    def share(told):
        return sum(right_on_page(text, reading) for text, reading in zip(told, qlora.judged(), strict=True)) / len(told)

    examples = share(qlora.RECORD.find("untrained", method="lora")["2 examples"])
    trained = [share(qlora.RECORD.find("score", method="lora", seed=seed)["replies"]) for seed in range(3)]
    assert 0.3 < examples < 0.37 and min(trained) > 0.5


def test_the_rule_earns_almost_a_third_of_its_points_by_saying_yes():
    right = [reading.kind for reading, right in zip(qlora.judged(), qlora.by_rule(), strict=True) if right]
    assert 0.28 < right.count("yes") / len(right) < 1 / 3
    assert "no" not in right


def test_every_training_beats_the_rule_and_two_solved_examples():
    least = min(sum(right) for right in qlora.scores().values())
    assert least > sum(qlora.by_rule())
    assert least > max(sum(qlora.untrained(*base)) for base in (("lora", 0), ("lora", 2), ("qlora", 0)))


def test_the_rule_takes_the_number_of_words_that_serves_it_best_and_gets_a_third_right():
    judged = qlora.judged()
    found = {n: sum(qlora.marks([qlora.rule_answer(reading, n) for reading in judged])) for n in range(1, 13)}
    assert max(found.values()) == sum(qlora.by_rule())
    assert 0.3 < sum(qlora.by_rule()) / len(judged) < 0.4


def test_an_adapter_that_was_trained_for_longer_survives_rounding_the_merged_model_to_4_bits():
    ways = ("4-bit base, beside", "4-bit base, merged, 4 bits")
    beside, rounded = (merges.find("way", way=way)["loss"] for way in ways)
    assert rounded < beside + 0.05


def test_what_08_says_of_merging_is_quoted_as_it_stands_there():
    page, other = course().page("08b_qlora"), course().page("08_lora")
    [cell] = [cell for cell in other.code if cell.id == "rounding-nf4"]
    moved = re.search(r"moves its weights by (\d+)% of the size of the corrections", "".join(output_texts(cell)))[1]
    prose = " ".join(page.prose.split())
    assert f"rounding to 4 bits moved the weights by {moved} % of the size of the corrections" in prose
    answers = {way: merges.find("way", way=way)["answers"] for way in ("beside", "merged, 32 bits", "merged, 16 bits")}
    assert len({tuple(texts) for texts in answers.values()}) == 1 and "all answers stay what they were" in prose


def test_the_readme_reports_what_4_bits_cost():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = qlora.paired("qlora", "lora")
    low, high = sorted((abs(found.low), abs(found.high)))
    assert f"costs {-found.points:.1f} points of right answers (95 % CI {low:.1f}–{high:.1f}, recorded)" in readme
