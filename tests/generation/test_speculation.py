"""Speculative decoding: greedy unchanged, sampling unchanged in distribution, and a test that sees a wrong rule.

The distribution test is Pearson's chi-square over all texts of two or three tokens, at the level 0.001: a right program
fails it for one seed in a thousand, and these seeds are fixed. Wrong rules are put to the very same test.
"""

from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare

from helpers.generation import draw, generate, sample
from helpers.old.generation import PromptLookup, accept_or_resample, speculative
from tests.scripted_models import Bytes, Saying
from tests.transformer.test_transformer import gpt, small_llama

LEVEL = 0.001
PROMPT = [5, 6, 7, 8, 9, 10]


class Chain:
    """A random Markov chain: the logits of the next token depend on the last. `sharpness` 0 makes all alike."""

    def __init__(self, V: int = 3, seed: int = 0, sharpness: float = 1.2):
        self.table = sharpness * torch.randn(V, V, generator=torch.Generator().manual_seed(seed))

    def __call__(self, ids, cache=None):
        return self.table[ids]


def exact(model, sampler: sample, V: int, new: int) -> torch.Tensor:
    """The probability of every text of `new` tokens behind [0, 1], (V ** new,), from the model itself."""
    every = torch.cartesian_prod(*[torch.arange(V)] * new).view(-1, new)
    total = torch.ones(len(every))
    for i in range(new):
        before = torch.cat((torch.tensor([[0, 1]]).expand(len(every), 2), every[:, :i]), dim=1)
        total *= sampler.probabilities(model(before)[:, -1], before).gather(1, every[:, i, None])[:, 0]
    return total


def fits(found: list[list[int]], probabilities: torch.Tensor, V: int) -> bool:
    counts = torch.zeros(len(probabilities))
    for row in found:
        counts[sum(token * V**i for i, token in enumerate(reversed(row)))] += 1
    if counts[probabilities == 0].sum() > 0:
        return False
    expected = probabilities.double() / probabilities.double().sum() * len(found)
    rare = (expected < 5) & (expected > 0)  # chi-square approximates badly there: one cell for all of them
    common = expected >= 5
    expected, counts = (
        torch.cat((cells[common], cells[rare].sum()[None])) if rare.any() else cells[common]
        for cells in (expected, counts.double())
    )
    assert len(expected) >= 3
    return chisquare(counts.numpy(), expected.numpy()).pvalue > LEVEL


# The rule ------------------------------------------------------------------------------------------------------------

P = torch.tensor([0.5, 0.2, 0.2, 0.1, 0.0])
QS = {
    "another": torch.tensor([0.1, 0.4, 0.1, 0.2, 0.2]),
    "the same": P,
    "certain": torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0]),
    "impossible": torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0]),
    "narrow": torch.tensor([0.9, 0.1, 0.0, 0.0, 0.0]),
}


def one_step(rule, q: torch.Tensor, n: int = 6000) -> list[list[int]]:
    generator = torch.Generator().manual_seed(1)
    drafts = draw(q.expand(n, -1), generator).tolist()
    return [[rule(token, P, q, generator)[1]] for token in drafts]


@pytest.mark.parametrize("name", QS)
def test_the_rule_draws_from_p_whatever_the_draft_is(name):
    assert fits(one_step(accept_or_resample, QS[name]), P, 5)


def test_a_rule_that_keeps_every_draft_fails_the_same_test():
    assert not fits(one_step(lambda token, *_: (True, token), QS["another"]), P, 5)


# Sampling ------------------------------------------------------------------------------------------------------------

DRAFTS = {
    "another chain": Chain(seed=7),
    "itself": Chain(),
    "a uniform chain": Chain(sharpness=0),
    "a sure chain": Chain(seed=3, sharpness=8),
    "prompt lookup": PromptLookup(2),
}


def texts(n: int, new: int, draft, transforms=(), n_draft: int = 2, seed: int = 0) -> list[list[int]]:
    sampler = sample(*transforms, generator=torch.Generator().manual_seed(seed))
    options = {"draft": draft, "n_draft": n_draft, "sampler": sampler}
    return [speculative(Chain(), [0, 1], new, **options).ids[0, 2:].tolist() for _ in range(n)]


@pytest.mark.parametrize("name", DRAFTS)
def test_texts_are_distributed_as_without_drafts(name):
    assert fits(texts(1500, 3, DRAFTS[name]), exact(Chain(), sample(), 3, 3), 3)


# Greedy --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decoder", [small_llama, gpt, lambda: gpt(positions="learned"), lambda: gpt(positions="alibi")]
)
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("n_draft", [1, 5])
@pytest.mark.parametrize("draft", ["lookup", "itself", "another"])
def test_greedy_ids_are_those_of_generate(decoder, cache, n_draft, draft):
    model = decoder()
    drafts = {"lookup": PromptLookup(2), "itself": decoder(), "another": small_llama(n_layers=1)}
    expected = generate(model, PROMPT, 24)
    result = speculative(model, PROMPT, 24, draft=drafts[draft], n_draft=n_draft, cache=cache)
    assert torch.equal(result.ids, expected)
    assert result.new == result.accepted + result.passes == 24 and result.accepted <= result.drafted
    if draft == "itself":
        assert result.acceptance == 1.0


@pytest.mark.parametrize("end", [{"eos_ids": 2}, {"stop": [2]}, {"stop": "\x02", "tokenizer": Bytes()}])
def test_it_stops_where_generate_stops_in_the_middle_of_accepted_drafts(end):
    said = [7, 8, 9, 7, 8, 9, 7, 8, 9, 2, 7, 8, 9]
    result = speculative(Saying(said), [1], 13, draft=Saying(said), n_draft=6, **end)
    assert torch.equal(result.ids, generate(Saying(said), [1], 13, **end))
    assert result.ids[0].tolist() == [1, *said[:10]]
    assert result.new == 10 and result.accepted + result.passes >= 10 and result.accepted < 10


# Prompt lookup -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids, options, n, drafted",
    [
        ([1, 2, 3, 4, 9, 1, 2, 3], {"ngram": 3}, 3, [4, 9, 1]),
        ([1, 2, 3, 4, 9, 8, 2, 3], {"ngram": 3}, 2, [4, 9]),  # no three match, two do
        ([1, 2, 3, 4, 9, 8, 2, 3], {"ngram": 3, "min_ngram": 3}, 2, []),
        ([2, 5, 6, 2, 7, 8, 2], {"ngram": 1}, 2, [7, 8]),  # the latest
        ([4, 5, 4, 5], {"ngram": 2}, 5, [4, 5, 4, 5, 4]),  # runs into the end, and goes on with its own draft
        ([7, 7], {"ngram": 3}, 3, [7, 7, 7]),
        ([7], {"ngram": 3}, 3, []),
        ([1, 2, 3], {"ngram": 2}, 3, []),
    ],
)
def test_prompt_lookup_copies_what_followed(ids, options, n, drafted):
    proposed, q = PromptLookup(**options).propose(torch.tensor([ids]), n)
    assert proposed.tolist() == drafted and q is None


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: speculative(m, [], 5), "A prompt is empty"),
        (lambda m: speculative(m, [[5], [6]], 5), "speculative takes one prompt, not 2"),
        (lambda m: speculative(m, [5], 0), "whole number from 1"),
        (lambda m: speculative(m, [5], 5, n_draft=0), "n_draft is a whole number from 1, not 0"),
        (lambda m: speculative(m, [5], 5, sampler=lambda logits, ids: logits.argmax(-1)), "use greedy or sample"),
        (lambda m: speculative(m, [5], 5, ignore_eos=True, eos_ids=2), "contradict each other"),
        (lambda m: speculative(m, [5] * 2040, 10), "2 more than the model's context of 2048"),
        (lambda m: speculative(m, [5], 9, draft=gpt(max_len=8)), "The draft's context holds 8 tokens.*10"),
        (
            lambda m: speculative(m, [5], 9, draft=small_llama(vocab_size=70), sampler=sample()),
            "The draft knows 70 tokens and the model 61",
        ),
        (lambda m: PromptLookup(0), "at least 1 token"),
        (lambda m: PromptLookup(2, 3), "min_ngram is at most ngram"),
        (lambda m: speculative(lambda ids: torch.full((*ids.shape, 9), float("nan")), [5], 5), "hold NaN"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call(small_llama())
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
