"""What 05c_fewer_bits and README.md say of bits and drafts, held against what was recorded and the weights."""

from __future__ import annotations

import json
import statistics

import pytest
import torch
from helpers.trials.ladder import RUNGS, recorded

from helpers.exercises.checking import registry
from helpers.models import fetch
from helpers.quantization import dequantize, quantize_groups, quantize_rows_absmax, round_trip_error
from helpers.stats import wilson
from helpers.transformer import Encoder, Llama
from tests.tools.notebook import ROOT


@pytest.fixture(scope="module")
def ladder() -> dict[str, dict]:
    return {run["case"]: run for run in recorded()["runs"]}


@pytest.fixture(scope="module")
def embedder() -> Encoder:
    return Encoder.from_pretrained(fetch("embedder"))


def test_every_rung_was_recorded_in_turns_with_the_library(ladder):
    assert set(RUNGS) <= set(ladder)
    for rung in RUNGS:
        rates = ladder[rung]["tokens_per_s"]
        assert len(rates["rung"]) == len(rates["library"]) >= (1 if rung == "no cache" else 5)
        pairs = [ours / theirs for ours, theirs in zip(rates["rung"], rates["library"], strict=True)]
        assert ladder[rung]["times"] == pytest.approx(statistics.median(pairs), abs=0.02)


def test_on_the_recorded_machine_int4_comes_close_to_llama_cpp(ladder):
    int4, llama_cpp = (statistics.median(ladder[rung]["tokens_per_s"]["rung"]) for rung in ("int4", "llama.cpp"))
    assert (round(int4), round(llama_cpp)) == (154, 161)


def test_the_worked_examples():
    row = torch.tensor([[0.30, -0.90, 0.15, 0.60]])
    codes, scale = quantize_rows_absmax(row)
    assert codes.tolist() == [[42, -127, 21, 85]]
    restored = dequantize(codes, scale)[0].tolist()
    assert [round(value, 4) for value in restored] == [0.2976, -0.9, 0.1488, 0.6024]
    assert float(torch.tensor(0.1).bfloat16()) == 0.10009765625
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.6, 0.2])
    excess = (p - q).clamp(min=0)
    kept = torch.minimum(p, q)
    assert torch.allclose(kept + (1 - kept.sum()) * excess / excess.sum(), p)
    assert float(kept.sum()) == pytest.approx(0.7)


def test_the_smallest_split_that_the_sign_test_tells_from_chance():
    def sign_test(lost: int) -> float:
        return 2 * 0.5**lost  # all of them lost, none gained

    assert sign_test(6) < 0.05 < sign_test(5)
    assert sign_test(4) == 1 / 8  # "four coins come out alike in one of eight tosses"


def test_the_loss_that_83_and_332_questions_cannot_exclude():
    assert round(100 * wilson(2, 83)[1]) == 8  # "it may be 8 % in the long run"
    assert round(100 * wilson(8, 332)[1]) == 5  # "were 8 of 332 lost, the same share"
    assert 2 / 83 == 8 / 332


def test_groups_of_32_take_five_bits_and_eight_billion_weights_fit_into_eight_gigabytes():
    quantized_bytes = registry().load("quantized_bytes").spec.reference
    assert quantized_bytes(8, 4, 32, 2) == 5  # eight weights in five bytes
    assert quantized_bytes(8_000_000_000, 4, 32, 2) < 8e9 < 8_000_000_000 * 2


def test_about_half_of_the_embedding_model_is_its_table_of_token_vectors(embedder):
    sizes = {name: p.numel() for name, p in embedder.named_parameters()}
    table = max(sizes.values())
    assert 0.45 < table / sum(sizes.values()) < 0.6


def aligned(weight):
    return dequantize(*quantize_groups(weight))


def shifted(weight):
    return dequantize(*quantize_groups(weight.roll(16, 1))).roll(-16, 1)


def test_four_bits_are_free_only_for_weights_that_were_in_four_bits(embedder):
    """Shifted by 16, groups straddle those of the file; the embedder came in float32 and does not care."""
    chat = Llama.from_pretrained(fetch("chat"))
    assert round_trip_error(chat, aligned, skip="head") < 0.005
    assert round_trip_error(chat, shifted, skip="head") > 0.05
    assert round_trip_error(embedder, aligned) == pytest.approx(0.08, abs=0.005)  # "by 8 %"
    assert round_trip_error(embedder, shifted) == pytest.approx(0.08, abs=0.005)


def test_each_bit_less_about_doubles_the_error_of_the_weights(embedder):
    def error(bits: int) -> float:
        def there_and_back(weight):
            groups = weight.reshape(-1, 32)
            low, high = groups.aminmax(dim=1, keepdim=True)
            step = (high - low) / (2**bits - 1)
            return (low + ((groups - low) / step).round() * step).view(weight.shape)

        return round_trip_error(embedder, there_and_back)

    errors = [error(bits) for bits in (6, 5, 4, 3, 2)]
    assert all(1.9 < more / less < 2.4 for less, more in zip(errors, errors[1:], strict=False))


def test_the_search_has_83_paraphrases_and_180_questions():
    def rows(name: str) -> list[dict]:
        return [json.loads(line) for line in (ROOT / "data/velunda" / name).read_text(encoding="utf-8").splitlines()]

    assert sum(row["same"] for row in rows("question_pairs.jsonl")) == 83
    assert len({row["id"] for row in rows("questions.jsonl")}) == 180
