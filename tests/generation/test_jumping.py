"""Jump-ahead: the same languages with fewer passes, forced text spelled as the tokenizer spells it, a cache in step."""

from __future__ import annotations

import json

import pytest
import torch

from helpers.generation import generate, sample
from helpers.models import fetch
from helpers.old.assistants.tickets import allowed_values
from helpers.old.generation import (
    BehindPrefix,
    GrammarError,
    form_schema,
    generate_within,
    json_grammar,
    jump_tokens,
    regex_grammar,
    within,
)
from helpers.old.generation.token_grammar import ENDED
from helpers.old.velunda import load_tickets
from helpers.transformer import Llama, LlamaConfig
from tests.tiny_models import randomized


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomized(Llama(LlamaConfig(49_152, 16, 2, 2, 24, tied=True)))


@pytest.fixture(scope="module")
def form(tokenizer):
    return json_grammar(tokenizer, form_schema(allowed_values(load_tickets("dev")[0]["text"])))


def test_without_jumps_the_tokens_are_those_of_generate(model, tokenizer, form):
    for grammar in (form, regex_grammar(tokenizer, r"[a-z]{1,6}( é)?"), json_grammar(tokenizer, {"type": "number"})):
        for prompt in ([[5, 6, 7]], [[9]]):
            found = generate_within(model, prompt, grammar, 80, jump=False)
            wanted = generate(model, prompt, 80, sampler=within(grammar, len(prompt[0]), 80), eos_ids=grammar.end_id)
            assert found.ids.tolist() == wanted.tolist() and found.forced == 0
            assert found.passes == found.new == found.ids.shape[1] - len(prompt[0])


def test_with_jumps_the_same_choices_take_fewer_passes(model, form):
    plain, jumped = (generate_within(model, [[5, 6, 7]], form, 80, jump=jump) for jump in (False, True))
    assert form.machine.matches(jumped.text) and json.loads(jumped.text).keys() == json.loads(plain.text).keys()
    assert jumped.passes < plain.passes / 2
    assert jumped.new == jumped.passes + jumped.forced


def test_a_cache_that_was_cut_back_gives_what_reading_everything_anew_gives(model, tokenizer, form):
    class Forgetful:
        def __init__(self, model):
            self.config, self.forward = model.config, lambda ids: model(ids)

    texts = regex_grammar(tokenizer, "(return|retain|order|ordinary|repair): (Kite|Kettle|Otter)!{3}")
    for grammar in (form, texts):
        for prompt in range(5, 9):
            cached = generate_within(model, [[prompt, 6, 7]], grammar, 80)
            anew = generate_within(Forgetful(model), [[prompt, 6, 7]], grammar, 80)
            assert cached.ids.tolist() == anew.ids.tolist()
            behind = generate_within(BehindPrefix(model, [prompt, 6]), [[7]], grammar, 80)
            assert behind.ids[0, 1:].tolist() == cached.ids[0, 3:].tolist()


def test_a_text_without_a_choice_takes_no_pass_at_all_and_is_spelled_by_the_tokenizer(model, tokenizer):
    text = '{"intent":"return","é":[1,22]}'
    found = generate_within(model, [[5]], json_grammar(tokenizer, {"const": json.loads(text)}), 40)
    assert found.text == text and found.passes == 0 and found.forced == found.new
    assert found.ids[0, 1:].tolist() == [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]


def test_forced_characters_are_joined_to_what_the_model_began(tokenizer):
    grammar = regex_grammar(tokenizer, "(return|repair) now")
    begun = tokenizer.convert_tokens_to_ids(["ret"])
    said, state = jump_tokens(grammar, begun, grammar.read(begun), 40)
    assert tokenizer.convert_ids_to_tokens(said) == ["return", "Ġnow", "<|im_end|>"] and state == ENDED


def test_a_token_that_could_be_the_beginning_of_a_longer_one_is_left_to_the_model(tokenizer):
    grammar = json_grammar(tokenizer, form_schema({"product": ["Kite", None]}))
    said, state = jump_tokens(grammar, [], grammar.start, 40)
    assert tokenizer.convert_ids_to_tokens(said) == ['{"', "product"]  # then ": or ":"
    assert {'":"', '":'} <= {tokenizer.decode([i]) for i in grammar.allowed(state)}


def test_no_jump_takes_more_room_than_there_is(model, tokenizer, form):
    for room in range(form.shortest, form.shortest + 12, 2):
        found = generate_within(model, [[5]], form, room)
        assert found.new <= room and form.machine.matches(found.text)
    with pytest.raises(GrammarError, match=f"shortest text takes {form.shortest}"):
        generate_within(model, [[5]], form, form.shortest - 1)


def test_characters_of_several_bytes_are_never_torn(model, tokenizer):
    grammar = regex_grammar(tokenizer, "(éé|èè|日本|日曜)!")
    for seed in range(4):
        draws = sample(generator=torch.Generator().manual_seed(seed))
        assert grammar.machine.matches(generate_within(model, [[5]], grammar, 20, choose=draws).text)


def test_several_prompts_are_refused(model, form):
    with pytest.raises(ValueError, match="takes one prompt, not 2"):
        generate_within(model, [[5], [6]], form, 80)
