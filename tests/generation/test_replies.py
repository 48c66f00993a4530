"""Replies to many prompts and several to one: each is what it is alone, its likelihood what the model gave to it."""

from __future__ import annotations

import pytest
import torch

from helpers.generation import greedy, sample, temperature
from helpers.old.generation import drawn_replies, greedy_replies
from helpers.old.speed import FastLlama
from tests import tiny_models
from tests.scripted_models import ChatBytes, Replying

PROMPTS = [list(b"Sealant: 90 ml per wheel."), list(b"The Kite"), list(b"It takes no sealant."), list(b"Oil")]


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "tiny"
    tiny_models.llama(folder, vocab_size=256, head_dim=8, eos_token_id=0, pad_token_id=0)
    return FastLlama.from_pretrained(folder)


def test_prompts_read_side_by_side_get_the_replies_that_each_gets_alone(model):
    alone = [greedy_replies(model, ChatBytes(), [prompt], 6)[0] for prompt in PROMPTS]
    together = greedy_replies(model, ChatBytes(), PROMPTS, 6, batch=3)
    assert [reply.text for reply in together] == [reply.text for reply in alone]
    assert [reply.likelihood for reply in together] == pytest.approx([reply.likelihood for reply in alone], abs=1e-5)
    assert len({reply.text for reply in alone}) > 1


def test_the_likelihood_is_the_geometric_mean_of_the_probabilities_of_the_tokens_that_were_said(model):
    [reply] = greedy_replies(model, ChatBytes(), [PROMPTS[0]], 5)
    ids, logs = list(PROMPTS[0]), []
    for _ in range(5):
        log_p = model(torch.tensor([ids]))[0, -1].float().log_softmax(dim=-1)
        ids.append(int(log_p.argmax()))
        logs.append(float(log_p.max()))
        if ids[-1] == 0:
            break
    assert reply.likelihood == pytest.approx(float(torch.tensor(logs).mean().exp()), abs=1e-5)


def test_what_comes_after_the_end_counts_for_nothing_and_the_end_itself_counts():
    sure = torch.tensor([Replying.LOGIT] + [0.0] * 255).softmax(-1)[0].item()  # of every token that is said
    model = Replying(lambda prompt: "yes" if "Kite" in prompt else "no, not at all")
    prompts = [list(b"<user>Kite<assistant>"), list(b"<user>Wren<assistant>")]
    short, long = greedy_replies(model, ChatBytes(), prompts, 40)
    assert (short.text, long.text) == ("yes", "no, not at all")
    assert short.likelihood == pytest.approx(sure, abs=1e-6) == long.likelihood


def test_no_prompts_give_no_replies_and_a_batch_below_one_is_refused(model):
    assert greedy_replies(model, ChatBytes(), [], 5) == []
    with pytest.raises(ValueError, match="1 or more, not 0"):
        greedy_replies(model, ChatBytes(), PROMPTS, 5, batch=0)


def seeded(seed: int):
    return sample(temperature(0.8), generator=torch.Generator().manual_seed(seed))


def test_a_drawn_reply_is_the_same_whichever_others_are_drawn_and_the_greedy_one_is_greedy(model):
    alone = [drawn_replies(model, ChatBytes(), PROMPTS[0], [seeded(i)], 6)[0] for i in range(3)]
    together = drawn_replies(model, ChatBytes(), PROMPTS[0], [greedy, *map(seeded, range(3))], 6)
    assert [reply.text for reply in together[1:]] == [reply.text for reply in alone]
    assert len({reply.text for reply in alone}) == 3
    [likeliest] = greedy_replies(model, ChatBytes(), [PROMPTS[0]], 6)
    assert together[0].text == likeliest.text
    assert together[0].likelihood == pytest.approx(likeliest.likelihood, abs=1e-5)


def test_the_likelihood_of_a_drawn_reply_is_the_models_own(model):
    cold = sample(temperature(0.01), generator=torch.Generator().manual_seed(0))  # as good as greedy, and surer of it
    [drawn], [likeliest] = (
        drawn_replies(model, ChatBytes(), PROMPTS[1], [cold], 5),
        greedy_replies(model, ChatBytes(), [PROMPTS[1]], 5),
    )
    assert drawn.text == likeliest.text and drawn.likelihood == pytest.approx(likeliest.likelihood, abs=1e-5)


def test_drawing_without_a_sampler_is_refused_and_a_finished_reply_waits_for_the_others(model):
    with pytest.raises(ValueError, match="at least one"):
        drawn_replies(model, ChatBytes(), PROMPTS[0], [], 5)
    end = torch.zeros(1, dtype=torch.int64)  # the model's end-of-text token
    short, long = drawn_replies(model, ChatBytes(), PROMPTS[0], [lambda logits, ids: end, greedy], 6)
    assert short.text == "" and long == drawn_replies(model, ChatBytes(), PROMPTS[0], [greedy], 6)[0]._replace(
        likelihood=long.likelihood
    )
