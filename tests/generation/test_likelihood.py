"""Log-probabilities and perplexity: the library's loss, cut into pieces or not, and windows over long texts."""

from __future__ import annotations

import math

import pytest
import torch

from helpers.old.generation import likelihood, perplexity, token_log_probs
from helpers.transformer import Llama
from tests.scripted_models import Counting
from tests.tiny_models import LLAMAS, llama, tokens
from tests.transformer.test_transformer import gpt, small_llama

close = {"atol": 1e-5, "rtol": 1e-5}


def test_perplexity_is_the_librarys_loss_to_the_power_of_e(tmp_path):
    theirs, ids = llama(tmp_path, **LLAMAS["grouped-query"]), tokens(1, 40)
    with torch.no_grad():
        expected = math.exp(theirs(ids, labels=ids).loss)
    ours = Llama.from_pretrained(tmp_path)
    assert perplexity(ours, ids) == pytest.approx(expected, rel=1e-5)
    assert perplexity(ours, ids[0]) == perplexity(ours, ids[0].tolist()) == perplexity(ours, ids)


@torch.no_grad()
@pytest.mark.parametrize("decoder", [small_llama, gpt, lambda: gpt(positions="learned"), Counting])
def test_pieces_with_a_cache_equal_the_whole_text(decoder, monkeypatch):
    model, ids = decoder(), tokens(3, 23)
    logits = model.forward(ids)[:, :-1]
    expected = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    for piece in (1, 7, 22, 500):
        monkeypatch.setattr(likelihood, "PIECE", piece)
        found = token_log_probs(model, ids)
        assert found.shape == (3, 22) and found.dtype == torch.float32
        torch.testing.assert_close(found, expected, **close)


def test_no_more_logits_are_made_at_once_than_a_piece():
    model, sizes = small_llama(), []
    model.register_forward_hook(lambda _, args, out: sizes.append(out.shape[1]))
    token_log_probs(model, tokens(1, 300))
    assert sizes == [128, 128, 43]


def test_half_precision_is_summed_in_float32():
    found = token_log_probs(small_llama().bfloat16(), tokens(2, 9))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, token_log_probs(small_llama(), tokens(2, 9)), atol=0.1, rtol=0.1)


def test_texts_weigh_by_their_tokens():
    model = small_llama()
    short, long = tokens(1, 5)[0], tokens(1, 33, seed=1)[0]
    total = sum(float(token_log_probs(model, text).sum()) for text in (short, long))
    expected = math.exp(-total / (4 + 32))
    assert perplexity(model, [short, long]) == pytest.approx(expected, rel=1e-5)
    assert perplexity(model, [short.tolist(), long.tolist()]) == pytest.approx(expected, rel=1e-5)


def test_a_model_that_knows_nothing_guesses_among_all_tokens():
    assert perplexity(lambda ids: torch.zeros(*ids.shape, 61), tokens(1, 20)) == pytest.approx(61)


@pytest.mark.parametrize("context, stride", [(10, 1), (10, 3), (10, 9), (10, None), (2, 1), (30, 10), (31, None)])
def test_every_token_of_a_long_text_is_scored_once_behind_its_window(context, stride):
    model, ids = small_llama(), tokens(1, 30)[0]
    step, total, scored = stride or context // 2, 0.0, 0
    ends = [*range(context, 30, step), 30] if context < 30 else [30]
    for before, end in zip([1, *ends], ends, strict=False):
        log_probs = token_log_probs(model, ids[max(end - context, 0) : end])[0]
        total, scored = total + float(log_probs[len(log_probs) - (end - before) :].sum()), scored + end - before
    assert scored == 29
    assert perplexity(model, ids, context=context, stride=stride) == pytest.approx(math.exp(-total / 29), rel=1e-5)


def test_a_text_beyond_the_models_context_is_read_in_windows():
    model = gpt(positions="learned", max_len=12)
    assert perplexity(model, tokens(1, 30)) == perplexity(model, tokens(1, 30), context=12, stride=6)


def test_no_gradient_is_kept():
    assert not token_log_probs(small_llama(), tokens(1, 5)).requires_grad


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: token_log_probs(m, [5]), "1 token has nothing to score"),
        (lambda m: perplexity(m, [5]), "1 token has nothing to score"),
        (lambda m: perplexity(m, [[5, 6], [7]]), "1 token has nothing to score"),
        (lambda m: perplexity(m, []), "no text to score"),
        (lambda m: perplexity(m, [[]]), "empty"),
        (lambda m: token_log_probs(m, [[5, 6], [7, 8, 9]]), "takes texts of one length"),
        (lambda m: perplexity(m, tokens(1, 9), context=1), "A context of 2 or more"),
        (lambda m: perplexity(m, tokens(1, 9), context=0), "A context of 2 or more"),
        (lambda m: perplexity(m, tokens(1, 9), context=4, stride=4), "stride from 1 below it, not 4 and 4"),
        (lambda m: perplexity(m, tokens(1, 9), context=4, stride=0), "not 4 and 0"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call(small_llama())
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
