"""The loop: equal to the library's greedy `generate`, cached = uncached, batched = single, and every way to stop."""

from __future__ import annotations

import pytest
import torch
from transformers import TextStreamer

from helpers.generation import compose, generate, repetition_penalty, sample, stream, temperature, top_k
from helpers.tokenization import BPETokenizer
from helpers.transformer import Llama
from tests.scripted_models import Bytes, Counting, Saying, text
from tests.tiny_models import LLAMAS, llama
from tests.transformer.test_transformer import gpt, small_llama

V = 61
PROMPTS = [[5, 6, 7, 8, 9, 10], [11], [3, 4, 50], list(range(20, 32))]
DECODERS = {
    "Llama": small_llama,
    "GPT, RoPE": gpt,
    "GPT, learned positions": lambda: gpt(positions="learned"),
    "GPT, ALiBi": lambda: gpt(positions="alibi"),
}


# The same ids --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["grouped-query", "untied, seven layers", "Llama 3 scaling", "biases"])
@pytest.mark.parametrize("ends", [2, [2, 7, 11, 13, 17, 19, 23], None])
def test_greedy_ids_equal_the_librarys_padding_and_ends_included(name, ends, tmp_path):
    theirs = llama(tmp_path, **LLAMAS[name], eos_token_id=ends)
    theirs.generation_config.save_pretrained(tmp_path)
    width = max(map(len, PROMPTS))
    pad = ends if isinstance(ends, int) else ends[0] if ends else 0
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in PROMPTS])
    mask = torch.arange(width) >= torch.tensor([width - len(row) for row in PROMPTS])[:, None]
    expected = theirs.generate(
        ids, attention_mask=mask.long(), max_new_tokens=24, do_sample=False, pad_token_id=pad, eos_token_id=ends
    )
    assert torch.equal(generate(Llama.from_pretrained(tmp_path), PROMPTS, 24), expected)


@pytest.mark.parametrize("transforms", [(), (top_k(5), temperature(0.7)), (repetition_penalty(1.3),)])
def test_sampling_reads_what_stands_so_far_as_the_library_does(transforms, tmp_path):
    """Greedy over transformed logits, since two libraries never draw the same numbers."""
    theirs = llama(tmp_path, **LLAMAS["grouped-query"])
    transform = compose(*transforms)
    expected = theirs.generate(
        torch.tensor(PROMPTS[:1]), max_new_tokens=24, do_sample=False, logits_processor=[lambda i, x: transform(x, i)]
    )
    ours = generate(
        Llama.from_pretrained(tmp_path), PROMPTS[0], 24, sampler=lambda x, i: transform(x, i).argmax(-1), eos_ids=2
    )
    assert torch.equal(ours, expected)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("sampled", [False, True])
def test_cached_equals_uncached(name, sampled):
    model = DECODERS[name]()
    samplers = [sample(temperature(0.8), generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    options = [{"sampler": sampler} if sampled else {} for sampler in samplers]
    cached, uncached = (
        generate(model, PROMPTS, 20, cache=cache, **o) for cache, o in zip((True, False), options, strict=True)
    )
    assert torch.equal(cached, uncached)
    assert len(set(cached[:, 12:].flatten().tolist())) > 4  # a model that says one thing for ever proves little


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("penalty", [1.0, 1.5])
def test_batched_equals_single(name, cache, penalty):
    """With the penalty, padding must not count as said: it is token 60 here, the likeliest to come otherwise."""
    model, penalize = DECODERS[name](), repetition_penalty(penalty)
    options = {"cache": cache, "sampler": lambda x, i: penalize(x, i).argmax(-1)}
    batched = generate(model, PROMPTS, 16, pad_id=60, **options)
    for row, prompt in zip(batched, PROMPTS, strict=True):
        assert row[12:].tolist() == generate(model, prompt, 16, **options)[0, len(prompt) :].tolist()


def test_padding_is_not_counted_as_said():
    seen = []

    def sampler(logits, ids):
        seen.append(ids.clone())
        return torch.full((2,), 9)

    out = generate(small_llama(), [[5, 6, 7], [8]], 2, sampler=sampler, pad_id=60)
    assert out.tolist() == [[5, 6, 7, 9, 9], [60, 60, 8, 9, 9]]
    assert [ids.tolist() for ids in seen] == [[[5, 6, 7], [8, 8, 8]], [[5, 6, 7, 9], [8, 8, 8, 9]]]


def test_each_token_is_read_once_with_a_cache_and_no_logits_are_made_in_vain():
    model, shapes = small_llama(), []
    model.register_forward_hook(lambda _, args, out: shapes.append((tuple(args[0].shape), tuple(out.shape))))
    generate(model, PROMPTS[0], 3)
    assert shapes == [((1, 6), (1, 1, V)), ((1, 1), (1, 1, V)), ((1, 1), (1, 1, V))]


@pytest.mark.parametrize("form", [list, torch.tensor, lambda row: torch.tensor([row]), lambda row: [torch.tensor(row)]])
def test_prompts_come_as_lists_or_tensors(form):
    expected = generate(small_llama(), [PROMPTS[0]], 5)
    assert expected.shape == (1, 11) and expected.dtype == torch.int64
    assert torch.equal(generate(small_llama(), form(PROMPTS[0]), 5), expected)


def test_a_plain_object_without_cache_or_configuration_generates():
    assert generate(Counting(), [[7, 8], [100, 101]], 3).tolist() == [[7, 8, 9, 10, 11], [100, 101, 102, 103, 104]]
    assert generate(lambda ids: Counting().forward(ids), [7], 2).tolist() == [[7, 8, 9]]


def test_bfloat16_generates_what_its_own_logits_say():
    model = small_llama().bfloat16()
    ids = generate(model, PROMPTS[0], 8)
    with torch.no_grad():
        logits = model(ids[:, :-1])[0, 5:]
    chosen = logits.gather(1, ids[0, 6:, None])[:, 0]
    assert ((logits.amax(-1) - chosen) / logits.amax(-1).abs() <= 2**-6).all()  # up to ties of 8-bit numbers
    assert model.new_cache(1, 4).keys.dtype == torch.bfloat16


def test_the_ids_can_be_used_in_training_afterwards():
    """Generation runs in inference mode, whose own tensors no gradient can be computed with."""
    model = small_llama()
    ids = generate(model, PROMPTS[0], 4)
    model(ids).sum().backward()
    ids += 0
    assert model.embedding.weight.grad is not None


# Stopping ------------------------------------------------------------------------------------------------------------


def test_a_finished_row_is_filled_up_and_the_rest_goes_on():
    model = Saying([5, 6, 7, 8], [5, 2, 9, 9], [2, 9, 9, 9])
    assert generate(model, [[1], [1], [1]], 4, eos_ids=2).tolist() == [
        [1, 5, 6, 7, 8],
        [1, 5, 2, 2, 2],
        [1, 2, 2, 2, 2],
    ]
    assert generate(model, [[1], [1], [1]], 4, eos_ids=(2, 6), pad_id=3).tolist() == [[1, 5, 6], [1, 5, 2], [1, 2, 3]]


def test_the_models_own_end_is_ignored_on_demand():
    model = small_llama(eos_ids=tuple(range(0, 61)))
    assert generate(model, PROMPTS[0], 6).shape == (1, 7)
    assert generate(model, PROMPTS[0], 6, ignore_eos=True).shape == (1, 12)
    assert generate(model, PROMPTS[0], 6, eos_ids=()).shape == (1, 12)
    assert generate(Saying([5, 2, 7]), [1], 3, ignore_eos=True, stop=7).tolist() == [[1, 5, 2, 7]]


@pytest.mark.parametrize(
    "stop, reply",
    [
        ("\nUser:", "Yes.\nUser:"),  # straddles seven tokens
        (("never", "r:"), "Yes.\nUser:"),
        ("Y", "Y"),  # the very first token
        ("é", "Yes.\nUser: é"),  # a character of two tokens
        (["Yes.", "Ye"], "Ye"),  # the first that is complete
        (58, "Yes.\nUser:"),  # a token id
        ((46, "U"), "Yes."),
        ("Yes!", "Yes.\nUser: é…"),  # begins and does not come
        ((), "Yes.\nUser: é…"),
    ],
)
def test_a_reply_ends_with_what_stops_it(stop, reply):
    said = text("Yes.\nUser: é…")
    out = generate(Saying(said), [1], len(said), stop=stop, tokenizer=Bytes())
    assert out[0, 1:].tolist() == text(reply)


def test_a_stop_string_in_the_prompt_stops_nothing():
    said = text("b ab")
    assert generate(Saying(said), text("a"), 4, stop="ab", tokenizer=Bytes())[0, 1:].tolist() == said


def test_each_row_stops_at_its_own_string():
    a, b = text("to be. Or"), text("is. To be")
    out = generate(Saying(a, b), [[1], [1]], 9, stop=".", tokenizer=Bytes(), pad_id=3)
    assert out.tolist() == [[1, *a[:6]], [1, *b[:3], 3, 3, 3]]


def test_the_stop_string_of_one_token_of_many_letters_stops():
    tokenizer = BPETokenizer.train("so on. so on. so on. and on. so on. so on. " * 20, 290)
    said = tokenizer.encode("and so on. and so on.")
    middle = next(i for i, token in enumerate(said) if "on" in tokenizer.decode([token]))
    assert tokenizer.decode([said[middle]]) != "on"
    assert generate(Saying(said), [1], len(said), stop="on", tokenizer=tokenizer)[0, 1:].tolist() == said[: middle + 1]


# Streamers -----------------------------------------------------------------------------------------------------------


class Listening:
    def __init__(self):
        self.heard = []

    def put(self, ids):
        self.heard.append(ids.tolist())

    def end(self):
        self.heard.append("end")


def test_a_streamer_hears_the_prompt_every_step_and_the_end():
    listening = Listening()
    generate(Saying([5, 2, 7], [5, 6, 7]), [[1], [1]], 3, eos_ids=2, streamer=listening)
    assert listening.heard == [[[1], [1]], [5, 5], [2, 6], [2, 7], "end"]


def test_a_streamer_hears_the_end_even_if_the_model_fails():
    class Failing(Saying):
        def __call__(self, ids, cache=None):
            if ids.shape[1] == 3:
                raise RuntimeError("out of memory")
            return super().__call__(ids)

    listening = Listening()
    with pytest.raises(RuntimeError, match="out of memory"):
        generate(Failing([5, 6, 7]), [1], 3, streamer=listening)
    assert listening.heard == [[[1]], [5], [6], "end"]


def test_the_librarys_streamer_prints_what_is_generated(capsys):
    class LibraryBytes(Bytes):
        def decode(self, ids, **_):
            return super().decode([ids] if isinstance(ids, int) else ids)

    said = text("Good morning, Ada.")
    generate(Saying(said), text("x"), len(said), streamer=TextStreamer(LibraryBytes(), skip_prompt=True))
    assert capsys.readouterr().out == "Good morning, Ada.\n"


# Bad input -----------------------------------------------------------------------------------------------------------


class Library(torch.nn.Module):
    def forward(self, input_ids, **_):
        return {"logits": torch.zeros(1, 1, 5)}


def always(value: float):
    return lambda ids: torch.full((*ids.shape, 9), value)


LEARNED = "tokens and may grow by 10 to 45, 5 more than the model's context of 40"
BAD = [
    (lambda m: generate(m, [], 5), ValueError, "A prompt is empty"),
    (lambda m: generate(m, [[5], []], 5), ValueError, "A prompt is empty"),
    (lambda m: generate(m, torch.empty(1, 0, dtype=torch.int64), 5), ValueError, "A prompt is empty"),
    (lambda m: generate(m, torch.ones(1, 2, 3).long(), 5), ValueError, "shape \\(T,\\) or \\(B, T\\), not"),
    (lambda m: generate(m, "Hello", 5), TypeError, "list or tensor of token ids, not str: encode a text"),
    (lambda m: generate(m, ["Hello"], 5), TypeError, "whole numbers, not 'H': encode texts first"),
    (lambda m: generate(m, {"input_ids": [5]}, 5), TypeError, "token ids, not dict.*take its input_ids"),
    (lambda m: generate(m, [[1.5, 2.0]], 5), TypeError, "whole numbers, not 1.5"),
    (lambda m: generate(m, torch.tensor([1.5, 2.0]), 5), TypeError, "whole numbers, not torch.float32"),
    (lambda m: generate(m, [61], 5), ValueError, "no token 61"),
    (lambda m: generate(m, [5], 0), ValueError, "max_new_tokens is a whole number from 1, not 0"),
    (lambda m: generate(m, [5], 2.5), ValueError, "max_new_tokens is a whole number from 1, not 2.5"),
    (lambda m: generate(gpt(positions="learned"), list(range(35)), 10), ValueError, f"The prompt has 35 {LEARNED}"),
    (lambda m: generate(gpt(), list(range(50)), 10), ValueError, "20 more than the model's context of 40"),
    (lambda m: generate(m, [5], 3, stop="x"), ValueError, "To stop at the text 'x', generate needs the tokenizer"),
    (lambda m: generate(m, [5], 3, stop="", tokenizer=Bytes()), ValueError, "strings that are not empty"),
    (lambda m: generate(m, [5], 3, stop=[1.5]), ValueError, "and token ids, not 1.5"),
    (lambda m: generate(m, [5], 3, ignore_eos=True, eos_ids=2), ValueError, "contradict each other"),
    (lambda m: generate(Counting(), [[5], [6, 7]], 3), ValueError, "takes no mask=: give them one by one"),
    (lambda m: generate(m, [5], 3, sampler=temperature(0.7)), ValueError, "A sampler gives one id a row"),
    (lambda m: generate(Library(), [5], 3), TypeError, "not dict: a model of the library has its own generate"),
    (lambda m: generate(lambda ids: torch.zeros(1, 9), [5], 3), TypeError, "a tensor \\(B, T, V\\), not a tensor"),
    (lambda m: generate(always(float("nan")), [5], 3), ValueError, "hold NaN"),
    (lambda m: generate(always(float("-inf")), [5], 3), ValueError, "Every token is removed"),
    (lambda m: generate(always(float("nan")), [5], 3, sampler=sample()), ValueError, "hold NaN"),
    (lambda m: stream(m, Bytes(), [[5], [6]], 3), ValueError, "stream takes one prompt, not 2"),
    (lambda m: stream(m, Bytes(), [], 3), ValueError, "A prompt is empty"),  # at once, not at the first piece
]


@pytest.mark.parametrize("call, kind, message", BAD)
def test_what_cannot_be_generated_is_refused_in_one_sentence(call, kind, message):
    with pytest.raises(kind, match=message) as error:
        call(small_llama())
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
