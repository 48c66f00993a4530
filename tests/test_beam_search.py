"""Beam search: the library's beams and scores, on random models with many ends, and against all replies there are."""

from __future__ import annotations

import itertools

import pytest
import torch

from helpers.generation import beam_search, generate, token_log_probs
from helpers.transformer import Llama
from tests.test_transformer import gpt, small_llama
from tests.tiny_models import LLAMAS, llama

PROMPTS = [[5, 6, 7, 8, 9, 10], [11], [3, 4, 50], list(range(20, 32))]
SEARCHES = {
    "four beams": {"n_beams": 4},
    "all four returned": {"n_beams": 4, "n_return": 4},
    "one beam is greedy": {"n_beams": 1},
    "nine beams, short replies": {"n_beams": 9, "n_return": 2, "length_penalty": -1.0},
    "long replies": {"n_beams": 3, "n_return": 3, "length_penalty": 3.0},
    "sums, not means": {"n_beams": 5, "length_penalty": 0.0},
}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("ends", [2, [2, 7, 11, 13, 17, 19, 23], None], ids=["one end", "seven ends", "no end"])
@pytest.mark.parametrize("name", ["grouped-query", "biases"])
def test_the_beams_are_the_librarys(name, ends, search, tmp_path):
    theirs, options = llama(tmp_path, **LLAMAS[name], eos_token_id=ends), SEARCHES[search]
    ours, pad = Llama.from_pretrained(tmp_path), ends if isinstance(ends, int) else ends[0] if ends else 0
    for prompt in PROMPTS[:2]:
        expected = theirs.generate(
            torch.tensor([prompt]),
            max_new_tokens=10,
            do_sample=False,
            num_beams=options["n_beams"],
            num_return_sequences=options.get("n_return", 1),
            length_penalty=options.get("length_penalty", 1.0),
            eos_token_id=ends,
            pad_token_id=pad,
            output_scores=True,
            return_dict_in_generate=True,
        )
        ids, scores = beam_search(ours, prompt, 10, **options)
        assert torch.equal(ids, expected.sequences)
        if options["n_beams"] > 1:
            torch.testing.assert_close(scores, expected.sequences_scores, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("decoder", [small_llama, gpt, lambda: gpt(positions="learned")])
def test_prompts_of_unequal_lengths_find_what_each_finds_alone(decoder):
    model = decoder()
    ids, scores = beam_search(model, PROMPTS, 10, n_beams=3, n_return=2, eos_ids=(2, 7, 9))
    for i, prompt in enumerate(PROMPTS):
        alone, alone_scores = beam_search(model, prompt, 10, n_beams=3, n_return=2, eos_ids=(2, 7, 9))
        together = ids[2 * i : 2 * i + 2, 12:]
        new = alone.shape[1] - len(prompt)
        assert torch.equal(together[:, :new], alone[:, len(prompt) :]) and (together[:, new:] == 2).all()
        torch.testing.assert_close(scores[2 * i : 2 * i + 2], alone_scores)


def test_without_a_cache_the_beams_are_the_same():
    model = small_llama()
    ids, scores = beam_search(model, PROMPTS[0], 8, eos_ids=2)
    plain_ids, plain_scores = beam_search(lambda ids: model(ids), PROMPTS[0], 8, eos_ids=2)
    assert torch.equal(ids, plain_ids)
    torch.testing.assert_close(scores, plain_scores)


def test_one_beam_is_greedy():
    model = small_llama()
    assert torch.equal(beam_search(model, PROMPTS[0], 9, n_beams=1)[0], generate(model, PROMPTS[0], 9))


def test_as_many_beams_as_tokens_find_the_likeliest_two_tokens_of_all():
    """No beginning is dropped before the second step, so nothing that could win is missed; greedy misses it."""
    model, missed = small_llama(vocab_size=7), 0
    for first in range(7):
        every = torch.tensor([[1, first, *reply] for reply in itertools.product(range(7), repeat=2)])
        totals = token_log_probs(model, every)[:, 1:].sum(1)
        ids, score = beam_search(model, [1, first], 2, n_beams=7, length_penalty=0.0)
        assert ids[0].tolist() == every[totals.argmax()].tolist()
        torch.testing.assert_close(score[0], totals.max())
        missed += not torch.equal(ids, generate(model, [1, first], 2))
    assert missed > 0


def test_the_score_is_the_log_probability_over_the_length():
    model = small_llama()
    ids, scores = beam_search(model, PROMPTS[0], 9, n_return=4)
    totals = token_log_probs(model, ids)[:, 5:].sum(1)
    torch.testing.assert_close(scores, totals / 9)
    assert scores.tolist() == sorted(scores.tolist(), reverse=True) and len({tuple(row) for row in ids.tolist()}) == 4


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: beam_search(m, [], 5), "A prompt is empty"),
        (lambda m: beam_search(m, [5], 0), "whole number from 1"),
        (lambda m: beam_search(m, [5], 5, n_beams=0), "at least 1 beam"),
        (lambda m: beam_search(m, [5], 5, n_beams=2.0), "at least 1 beam"),
        (lambda m: beam_search(m, [5], 5, n_beams=2, n_return=3), "1 to n_beams replies"),
        (lambda m: beam_search(m, [5], 5, n_beams=62), "62 beams need as many tokens to begin with.*has 61"),
        (lambda m: beam_search(m, list(range(61)) * 40, 5), "more than the model's context of 2048"),
        (lambda m: beam_search(lambda ids: torch.full((*ids.shape, 9), float("nan")), [5], 5), "hold NaN"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call(small_llama())
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
