"""Transforms equal to the library's logits processors; samplers that draw what the distribution says."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from helpers.exercises.checking import registry
from helpers.exercises.checking.engine import inputs_of
from helpers.generation import compose, draw, greedy, min_p, repetition_penalty, sample, temperature, top_k, top_p

INF = float("inf")
equal = {"atol": 1e-6, "rtol": 1e-6}


def random(rows: int, V: int, seed: int = 0) -> torch.Tensor:
    return 3 * torch.randn(rows, V, generator=torch.Generator().manual_seed(seed))


LOGITS = {
    "one row": random(1, 50),
    "a batch": random(4, 1000),
    "ties everywhere": random(3, 200).round(),
    "all equal": torch.zeros(2, 8),
    "two tokens": random(5, 2),
    "one token": random(2, 1),
    "already half removed": random(3, 40).masked_fill(random(3, 40, seed=1) > 0, -INF),
    "one left": torch.full((1, 9), -INF).index_fill(1, torch.tensor([4]), 1.5),
    "very sure": torch.tensor([[200.0, 0.0, -200.0, 3.0]]),
    "exact halves": torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log(),
    "bfloat16": random(2, 300).bfloat16(),
}
PAIRS = {  # ours, theirs
    "temperature 0.3": (temperature(0.3), TemperatureLogitsWarper(0.3)),
    "temperature 2": (temperature(2), TemperatureLogitsWarper(2.0)),
    "top_k 1": (top_k(1), TopKLogitsWarper(1)),
    "top_k 5": (top_k(5), TopKLogitsWarper(5)),
    "top_k beyond V": (top_k(100_000), TopKLogitsWarper(100_000)),
    "top_k 2, at least 7": (top_k(2, min_tokens_to_keep=7), TopKLogitsWarper(2, min_tokens_to_keep=7)),
    "top_p 0.9": (top_p(0.9), TopPLogitsWarper(0.9)),
    "top_p 0.5": (top_p(0.5), TopPLogitsWarper(0.5)),
    "top_p 0.75": (top_p(0.75), TopPLogitsWarper(0.75)),
    "top_p 1": (top_p(1), TopPLogitsWarper(1.0)),
    "top_p tiny": (top_p(1e-9), TopPLogitsWarper(1e-9)),
    "top_p 0.2, at least 3": (top_p(0.2, min_tokens_to_keep=3), TopPLogitsWarper(0.2, min_tokens_to_keep=3)),
    "top_p 0.2, at least all": (top_p(0.2, min_tokens_to_keep=2000), TopPLogitsWarper(0.2, min_tokens_to_keep=2000)),
    "min_p 0": (min_p(0), MinPLogitsWarper(0.0)),
    "min_p 0.1": (min_p(0.1), MinPLogitsWarper(0.1)),
    "min_p 0.5": (min_p(0.5), MinPLogitsWarper(0.5)),
    "min_p 1": (min_p(1), MinPLogitsWarper(1.0)),
    "min_p 0.9, at least 4": (min_p(0.9, min_tokens_to_keep=4), MinPLogitsWarper(0.9, min_tokens_to_keep=4)),
    "min_p 0.9, at least all": (min_p(0.9, min_tokens_to_keep=2000), MinPLogitsWarper(0.9, min_tokens_to_keep=2000)),
    "penalty 1.3": (repetition_penalty(1.3), RepetitionPenaltyLogitsProcessor(1.3)),
    "penalty below 1": (repetition_penalty(0.5), RepetitionPenaltyLogitsProcessor(0.5)),
    "penalty 1": (repetition_penalty(1), RepetitionPenaltyLogitsProcessor(1.0)),
    "all of them": (
        compose(repetition_penalty(1.2), temperature(0.7), top_k(40), top_p(0.9), min_p(0.02)),
        LogitsProcessorList(
            [
                RepetitionPenaltyLogitsProcessor(1.2),
                TemperatureLogitsWarper(0.7),
                TopKLogitsWarper(40),
                TopPLogitsWarper(0.9),
                MinPLogitsWarper(0.02),
            ]
        ),
    ),
}


def said(logits: torch.Tensor, T: int = 6) -> torch.Tensor:
    """What stands so far, with tokens that occur twice."""
    return torch.randint(0, logits.shape[1], (len(logits), T), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", LOGITS)
def test_a_transform_equals_the_librarys(pair, name):
    (ours, theirs), logits = PAIRS[pair], LOGITS[name]
    before = logits.clone()
    torch.testing.assert_close(ours(logits, said(logits)), theirs(said(logits), logits), **equal)
    assert torch.equal(logits, before)  # a transform leaves its input as it is


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if "penalty" not in pair and "all of them" != pair])
def test_only_the_penalty_looks_at_what_stands_so_far(pair):
    logits = LOGITS["a batch"]
    assert torch.equal(PAIRS[pair][0](logits), PAIRS[pair][0](logits, said(logits)))


def test_without_ids_nothing_was_said_and_nothing_is_penalized():
    assert torch.equal(repetition_penalty(1.5)(LOGITS["a batch"]), LOGITS["a batch"])


def test_the_order_of_transforms_matters():
    """Flattened first, more tokens are needed for 0.9; kept first, the same tokens stay at other odds."""
    logits = LOGITS["a batch"]
    flat_first, kept_first = (
        compose(*transforms)(logits) for transforms in ((temperature(3), top_p(0.9)), (top_p(0.9), temperature(3)))
    )
    assert flat_first.isfinite().sum() > kept_first.isfinite().sum()
    assert torch.equal(kept_first.isfinite(), top_p(0.9)(logits).isfinite())


def test_compose_of_nothing_changes_nothing():
    assert torch.equal(compose()(LOGITS["a batch"]), LOGITS["a batch"])


# Samplers ------------------------------------------------------------------------------------------------------------


def test_greedy_takes_the_likeliest_and_the_first_of_several():
    assert greedy(torch.tensor([[1.0, 5.0, 5.0], [2.0, -INF, 1.0]])).tolist() == [1, 0]


def fits(counts: torch.Tensor, probabilities: torch.Tensor, level: float = 0.001) -> bool:
    """Pearson's chi-square test; a right sampler fails it once in a thousand seeds."""
    assert counts[probabilities == 0].sum() == 0
    possible = probabilities > 0
    expected = probabilities[possible].double() / probabilities.double().sum() * int(counts.sum())
    return chisquare(counts[possible].numpy(), expected.numpy()).pvalue > level


@pytest.mark.parametrize(
    "transforms",
    [(), (temperature(0.5),), (top_k(3),), (temperature(1.5), top_p(0.8)), (min_p(0.2),)],
    ids=["none", "temperature", "top_k", "temperature and top_p", "min_p"],
)
def test_draws_follow_the_transformed_distribution(transforms):
    logits = random(1, 7) / 3
    exact = compose(*transforms)(logits).softmax(-1)[0]
    sampler = sample(*transforms, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(sampler(logits.expand(20_000, -1)), minlength=7)
    assert fits(counts, exact)
    assert not fits(counts, (logits / 1.2).softmax(-1)[0] * (exact > 0))  # the test tells distributions apart


def test_draws_of_a_batch_are_each_rows_own():
    weights = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [3.0, 0.0, 0.0]])
    drawn = torch.stack([draw(weights, torch.Generator().manual_seed(seed)) for seed in range(50)])
    assert set(drawn[:, 0].tolist()) == {1} and set(drawn[:, 1].tolist()) == {0, 2} and set(drawn[:, 2].tolist()) == {0}


def test_what_weighs_nothing_is_never_drawn_even_at_the_edges(monkeypatch):
    """The two ends of the dart's range: PyTorch's uniform numbers are from 0 to just below 1."""
    weights = torch.tensor([[0.0, 0.0, 2.0, 0.0, 1.0, 0.0]])
    for uniform, expected in ((0.0, 4), (1 - 2**-24, 2)):
        monkeypatch.setattr(torch, "rand", lambda *size, u=uniform, **_: torch.full(size, u))
        assert draw(weights).tolist() == [expected]


def test_a_generator_makes_draws_repeatable_and_leaves_the_global_one_alone():
    logits, before = random(8, 50), torch.random.get_rng_state()
    first, second, other = (
        [sample(generator=torch.Generator().manual_seed(seed))(logits).tolist()] for seed in (0, 0, 1)
    )
    assert first == second != other
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_sampler_hands_its_probabilities_over():
    sampler, logits = sample(temperature(0.5), top_k(3)), random(2, 9)
    torch.testing.assert_close(sampler.probabilities(logits), compose(temperature(0.5), top_k(3))(logits).softmax(-1))


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: temperature(0), "divide by zero.*use greedy"),
        (lambda: temperature(0.0), "use greedy"),
        (lambda: temperature(-1), "above 0, not -1"),
        (lambda: temperature(float("nan")), "above 0, not nan"),
        (lambda: temperature(INF), "above 0, not inf"),
        (lambda: top_k(0), "at least 1 token"),
        (lambda: top_k(-3), "at least 1 token"),
        (lambda: top_k(2.5), "whole number, not 2.5"),
        (lambda: top_k(True), "whole number, not True"),
        (lambda: top_p(0), "above 0 and at most 1, not 0"),
        (lambda: top_p(1.01), "at most 1, not 1.01"),
        (lambda: top_p(-0.1), "above 0"),
        (lambda: top_p(float("nan")), "above 0"),
        (lambda: min_p(-0.1), "between 0 and 1"),
        (lambda: min_p(1.1), "between 0 and 1"),
        (lambda: repetition_penalty(0), "above 0"),
        (lambda: repetition_penalty(-1), "above 0"),
        (lambda: top_p(0.5, min_tokens_to_keep=0), "min_tokens_to_keep is a whole number from 1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("sampler", [greedy, sample(), sample(top_p(0.9)), sample(top_k(2))])
@pytest.mark.parametrize(
    "row, message",
    [
        ([float("nan"), 1.0, 2.0], "hold NaN"),
        ([3.0, float("nan"), -INF], "hold NaN"),
        ([-INF, -INF, -INF], "Every token is removed"),
        ([INF, 1.0, 0.0], "hold \\+inf"),
    ],
)
def test_logits_that_leave_no_choice_are_refused_in_one_sentence(sampler, row, message):
    with pytest.raises(ValueError, match=message) as error:
        sampler(torch.tensor([[0.0, 1.0, 2.0], row]))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_transform_that_is_none_is_refused():
    with pytest.raises(TypeError, match="maps logits to logits, not 0.7"):
        sample(0.7)


def test_the_exercise_keeps_what_the_helper_keeps():
    spec = registry().load("top_p").spec
    for logits, p in inputs_of(spec):
        mine, ours = spec.reference(logits, p), top_p(p)(logits)
        assert torch.equal(mine.sort(-1).values, ours.sort(-1).values)
        if (logits.sort(-1).values.diff(dim=-1) > 0).all():  # of equal logits, either may be kept
            assert torch.equal(mine, ours)
