"""Masks for whole models, scaled rotations, and a haystack that one reading answers."""

from __future__ import annotations

import pytest
import torch

from helpers.attention import RopeScaling, causal_mask, rope_cos_sin, rope_frequencies, sliding_window_mask
from helpers.exercises.checking import registry
from helpers.old.transformer import GPT, GPTConfig
from helpers.old.trials.needles import ALIKE, UNLIKE, ask, haystack, read_masked, stretched


class Letters:
    """A tokenizer of single characters."""

    def encode(self, text: str) -> list[int]:
        return [min(ord(c), 255) for c in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


def tiny(**parts) -> GPT:
    torch.manual_seed(0)
    model = GPT(GPTConfig(256, **{"d_model": 32, "n_layers": 2, "n_heads": 2, "max_len": 2000} | parts))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(5)  # large enough for logits to differ where positions do
    return model.eval()


IDS = torch.arange(12)[None] * 7 % 256


@torch.no_grad()
def test_a_causal_mask_changes_nothing_and_a_window_hides_the_past():
    model = tiny()
    torch.testing.assert_close(read_masked(model, IDS, causal_mask(12)), model(IDS), atol=1e-4, rtol=1e-4)
    other = IDS.clone()
    other[0, 0] = 99
    windows = [read_masked(model, ids, sliding_window_mask(12, 3)) for ids in (IDS, other)]
    # two layers of a window of 3 reach 4 tokens back
    torch.testing.assert_close(windows[0][:, 5:], windows[1][:, 5:], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(windows[0][:, 2], windows[1][:, 2], atol=1e-3)


@torch.no_grad()
def test_rotations_are_scaled_inside_the_block_only():
    model, plain = tiny(), tiny()(IDS)
    with stretched(model, RopeScaling("linear", 4.0)):
        scaled = model(IDS)
        expected = rope_cos_sin(torch.arange(12), rope_frequencies(16, 10_000.0, RopeScaling("linear", 4.0)))
        torch.testing.assert_close(model.rope(torch.arange(12)), expected)
    assert not torch.allclose(scaled, plain, atol=1e-3) and torch.equal(model(IDS), plain)
    with pytest.raises(KeyError), stretched(model, RopeScaling("ntk", 2.0)):
        raise KeyError
    assert model.config.rope_scaling is None


def test_gpt_multiplies_cosine_and_sine_as_yarn_asks():
    scaling = RopeScaling("yarn", 4.0, trained_len=32)
    cos, _ = tiny(rope_scaling=scaling).rope(torch.zeros(1, dtype=torch.int64))
    assert float(cos[0, 0]) == pytest.approx(scaling.cos_sin_factor) and scaling.cos_sin_factor > 1.1


@pytest.mark.parametrize(("alike", "questions"), [(True, ALIKE), (False, UNLIKE)])
def test_a_haystack_has_its_length_and_every_fact_once_in_order(alike, questions):
    hay = haystack(Letters(), 1200, seed=3, alike=alike)
    text = Letters().decode(hay.ids[0].tolist())
    assert hay.ids.shape == (1, 1200) and set(hay.answers) == set(questions) and len(set(hay.answers.values())) == 5
    needles = [f"\n{question} {answer}.\n" for question, answer in hay.answers.items()]
    at = [text.index(needle) for needle in needles]
    assert at == sorted(at) and all(text.count(needle) == 1 for needle in needles)
    assert all(240 * i < place < 240 * (i + 1) for i, place in enumerate(at))  # each in its own fifth
    assert haystack(Letters(), 1200, seed=4, alike=alike).answers != hay.answers
    assert torch.equal(haystack(Letters(), 1200, seed=3, alike=alike).ids, hay.ids)


def test_both_kinds_of_facts_have_the_same_answers_in_the_same_places():
    alike, unlike = (haystack(Letters(), 1200, seed=3, alike=kind).answers for kind in (True, False))
    assert list(alike.values()) == list(unlike.values())
    assert [ALIKE.index(question) for question in alike] == [UNLIKE.index(question) for question in unlike]


@pytest.mark.parametrize("fifth", range(5))
def test_a_fact_alone_stands_in_its_fifth_with_the_answer_that_it_has_among_five(fifth):
    five, alone = haystack(Letters(), 1200, seed=3), haystack(Letters(), 1200, seed=3, only=fifth)
    ((question, answer),) = alone.answers.items()
    assert (question, answer) == list(five.answers.items())[fifth]
    text = Letters().decode(alone.ids[0].tolist())
    assert len(text) == 1200 and 240 * fifth < text.index(f"\n{question} {answer}.\n") < 240 * (fifth + 1)
    assert not any(other in text for other in five.answers if other != question)


@pytest.mark.parametrize("length", [50, 100_000])
def test_a_haystack_without_hay_is_refused_in_one_sentence(length):
    with pytest.raises(ValueError, match=f"not {length}[.]$"):
        haystack(Letters(), length, seed=0)


@torch.no_grad()
def test_a_question_leaves_the_cache_as_it_was_and_is_read_behind_it():
    model, tokenizer = tiny(), Letters()
    cache = model.new_cache(1, 100)
    model(IDS, cache)
    before = cache.keys[..., :12, :].clone()
    said = ask(model, tokenizer, cache, "The password is")
    assert cache.length == 12 and torch.equal(cache.keys[..., :12, :], before)
    question = torch.tensor([tokenizer.encode("\nThe password is")])
    whole = model(torch.cat([IDS, question], dim=1))[0, -1]
    assert said == tokenizer.decode([int(whole.argmax())]).strip()
    assert ask(model, tokenizer, cache, "The password is", registry()["read_on"].reference) == said


@pytest.mark.parametrize(("T", "window", "n_global"), [(9, 3, 0), (9, 3, 2), (5, 8, 1), (6, 1, 4), (1, 1, 0)])
def test_the_exercise_on_windows_teaches_the_mask_that_the_course_uses(T, window, n_global):
    taught = registry()["sliding_window_mask"].reference
    assert torch.equal(taught(T, window, n_global), sliding_window_mask(T, window, n_global))
